"""Write an overlay: the profile's rules over another reference, with the MD5 of each of its contigs.

Only a submission of type `test` conforms with an overlay.
"""

from __future__ import annotations

import argparse
import re
import sys

import yaml

import ngc_profile
from ngc_wgs.reference import digest_reference


def overlay(
    fasta: str,
    overlay_id: str,
    profile_id: str,
    par: list[dict] | None = None,
    sex_contigs: dict[str, str] | None = None,
    accession: str | None = None,
    assembly: str | None = None,
) -> dict:
    """The overlay of a plain FASTA.

    par: [{contig, start, end}], 0-based half-open. sex_contigs: role (X, Y, M) to contig name; roles that are not
    given are deduced from the names. Raises ValueError for a FASTA, PAR or contig that cannot be meant, OSError where
    the FASTA cannot be read.
    """
    with open(fasta, "rb") as file:
        if file.read(2) == b"\x1f\x8b":
            raise ValueError(f"{fasta}: is compressed; decompress it, a plain FASTA is needed")
    contigs = digest_reference(fasta)["contigs"]
    if not contigs:
        raise ValueError(f"{fasta}: holds no sequence")
    lengths = {contig["name"]: contig["length"] for contig in contigs}
    if len(lengths) < len(contigs):
        raise ValueError(f"{fasta}: a contig name is there twice")
    for name in (sex_contigs or {}).values():
        if name not in lengths:
            raise ValueError(f"{fasta}: has no contig {name}")
    for region in par or []:
        if not 0 <= region["start"] < region["end"] <= lengths.get(region["contig"], -1):
            place = f"{region['contig']}:{region['start'] + 1}-{region['end']}"
            raise ValueError(f"{fasta}: the PAR {place} does not lie on its contigs")
    return {
        "overlay_of": profile_id,
        "id": overlay_id,
        "reference": {
            "id": overlay_id,
            "accession": accession,
            "assembly": assembly,
            "par": par or [],
            "contigs": [
                {"name": c["name"], "length": c["length"], "md5": c["md5"], "role": role(c["name"], sex_contigs or {})}
                for c in contigs
            ],
        },
    }


def role(name: str, sex_contigs: dict[str, str]) -> str:
    """autosome, X, Y, M or other: as told by `sex_contigs` (role to name), else from a name such as chr1, X, chrM."""
    for given, contig in sex_contigs.items():
        if name == contig:
            return given
    match = re.fullmatch(r"(?:chr)?(?:(?P<number>\d+)|(?P<sex>[XYM])|MT)", name)
    if match is None:
        return "other"
    deduced = "autosome" if match["number"] else match["sex"] or "M"
    return "other" if deduced in sex_contigs else deduced


def region(text: str) -> dict:
    """A region as samtools writes it (1-based, both ends included) as {contig, start, end}, 0-based half-open."""
    match = re.fullmatch(r"(.+):([\d,]+)-([\d,]+)", text)
    if match is None:
        raise argparse.ArgumentTypeError(f"{text!r} is not a region such as chrX:10001-2781479")
    start, end = (int(number.replace(",", "")) for number in match.group(2, 3))
    return {"contig": match[1], "start": start - 1, "end": end}


def main(arguments: list[str] | None = None) -> int:
    """Print the overlay of the command line's FASTA; 0, or 1 with a message where it cannot be made."""
    parser = argparse.ArgumentParser(prog="make_overlay.py", description=__doc__.splitlines()[0])
    parser.add_argument("fasta", help="plain FASTA of the other reference")
    parser.add_argument("--id", required=True, help="name of the overlay and its reference")
    parser.add_argument("--profile", help="profile it is laid over (default: the one that ships with the project)")
    parser.add_argument("--accession", help="accession of the assembly, if it has one")
    parser.add_argument("--assembly", help="assembly the sequences are of, such as GRCh38")
    parser.add_argument(
        "--par",
        action="append",
        type=region,
        default=[],
        metavar="chrX:10001-2781479",
        help="pseudoautosomal region, 1-based, both ends included; once for each region, on X and on Y",
    )
    for letter, what in (("X", "X chromosome"), ("Y", "Y chromosome"), ("M", "mitochondrial genome")):
        parser.add_argument(f"--{letter}", metavar="CONTIG", help=f"contig of the {what} (default: by its name)")
    options = parser.parse_args(arguments)
    told = {letter: getattr(options, letter) for letter in "XYM" if getattr(options, letter)}
    try:
        profile = ngc_profile.load(options.profile)
        result = overlay(options.fasta, options.id, profile.id, options.par, told, options.accession, options.assembly)
    except (OSError, ValueError, ngc_profile.ProfileError) as error:
        print(f"make_overlay.py: {error}", file=sys.stderr)
        return 1
    yaml.safe_dump(result, sys.stdout, sort_keys=False, width=120)
    return 0


if __name__ == "__main__":
    sys.exit(main())
