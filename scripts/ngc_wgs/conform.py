"""The header of a submission VCF or gVCF: rebuilt from the profile's allow-list, never inherited from a tool."""

from __future__ import annotations

from collections.abc import Iterable

import ngc_profile


def _line(key: str, **fields: str) -> str:
    quoted = {"Description"}
    inner = ",".join(f'{name}="{value}"' if name in quoted else f"{name}={value}" for name, value in fields.items())
    return f"##{key}=<{inner}>"


def header(profile: ngc_profile.Profile, kind: str, sample: str, md5s: dict[str, str], source: str,
           filters: Iterable[dict]) -> str:  # fmt: skip
    """Header text of one germline sample, ending in the #CHROM line.

    kind: `vcf` or `gvcf`, whose INFO and FORMAT keys the profile defines. md5s: contig name to the MD5 of its
    upper-cased sequence, from the FASTA that was used. source: the caller, without command line or path.
    filters: soft filters of the caller mode ({id, description}); a gVCF has none.
    """
    spec = profile.data[kind]
    lines = [f"##fileformat={spec['versions'][0]}", '##FILTER=<ID=PASS,Description="All filters passed">']
    if kind == "gvcf":
        lines.append('##ALT=<ID=NON_REF,Description="Any other allele than the reference">')
    else:
        lines += [_line("FILTER", ID=item["id"], Description=item["description"]) for item in filters]
    for column in ("INFO", "FORMAT"):
        for key, definition in spec[column.lower()].items():
            lines.append(
                _line(
                    column,
                    ID=key,
                    Number=definition["number"],
                    Type=definition["type"],
                    Description=definition["description"],
                )  # fmt: skip
            )
    lines += [
        _line("contig", ID=contig["name"], length=str(contig["length"]), md5=md5s[contig["name"]])
        for contig in profile.contigs()
    ]
    lines += [
        f"##reference={profile.reference['id']}",
        f"##source={source}",
        f"##profile={profile.id}",
        "\t".join(["#CHROM", "POS", "ID", "REF", "ALT", "QUAL", "FILTER", "INFO", "FORMAT", sample]),
    ]
    return "".join(f"{line}\n" for line in lines)
