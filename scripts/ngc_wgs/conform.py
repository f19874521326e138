"""The header of a submission VCF or gVCF: rebuilt from the profile's allow-list, never inherited from a tool."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Sequence
from pathlib import Path

import pysam

import ngc_profile


def _line(key: str, **fields: str) -> str:
    quoted = {"Description"}
    inner = ",".join(f'{name}="{value}"' if name in quoted else f"{name}={value}" for name, value in fields.items())
    return f"##{key}=<{inner}>"


def header(profile: ngc_profile.Profile, kind: str, samples: Sequence[str], md5s: dict[str, str], source: str,
           filters: Iterable[dict], without: Collection[str] = ()) -> str:  # fmt: skip
    """Header text of a VCF of these samples, ending in the #CHROM line.

    kind: the profile's section on its content, which defines INFO and FORMAT keys. md5s: contig name to the MD5 of its
    upper-cased sequence, from the FASTA that was used. source: the caller, without command line or path.
    filters: that its records may have ({id, description}); one with reference blocks has none. without: INFO and FORMAT
    keys that this file does not use.
    """
    spec = profile.data[kind]
    lines = [f"##fileformat={spec['versions'][0]}", '##FILTER=<ID=PASS,Description="All filters passed">']
    if spec["blocks"]:
        lines.append('##ALT=<ID=NON_REF,Description="Any other allele than the reference">')
    else:
        lines += [_line("ALT", ID=key, Description=text) for key, text in spec.get("alts", {}).items() if key != "BND"]
        lines += [_line("FILTER", ID=item["id"], Description=item["description"]) for item in filters]
    for column in ("INFO", "FORMAT"):
        for key, definition in spec[column.lower()].items():
            if key in without:
                continue
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
        "\t".join(["#CHROM", "POS", "ID", "REF", "ALT", "QUAL", "FILTER", "INFO", "FORMAT", *samples]),
    ]
    return "".join(f"{line}\n" for line in lines)


def md5s(identity: str) -> dict[str, str]:
    """MD5 of each contig of the reference, from what the preflight wrote of it."""
    return {contig["name"]: contig["md5"] for contig in json.loads(Path(identity).read_text())["contigs"]}


def compress(plain: str) -> None:
    """A sorted VCF made `<plain>.gz` with its tabix index; the plain one is removed."""
    pysam.tabix_compress(plain, f"{plain}.gz", force=True)
    pysam.tabix_index(f"{plain}.gz", preset="vcf", force=True)
    Path(plain).unlink()
