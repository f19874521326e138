#!/usr/bin/env python3
"""What a run found of the structural variants of a simulated trio (make_demo.py --sv).

    compare_structural.py SV_FOLDER [STRUCTURAL_VCF]

Reads truth/structural.tsv and the submission's structural VCF; prints JSON. A call matches a planted event of its type
whose two ends lie within TOLERANCE of the call's. `proof.py --only sv` has `truvari bench` beside it, which leaves
breakends out and would be one more pinned package for the tests.
"""

from __future__ import annotations

import csv
import json
import sys
from collections import Counter
from pathlib import Path

import pysam

TOLERANCE = 50
"""bp at each end; an imprecise call has its own confidence interval where that is wider."""
BINS = ((300, "below 300 bp"), (1_000, "300-999 bp"), (10**9, "1 kb and more"))


def name_of(length: int) -> str:
    """Class of size of an event; a breakend has none."""
    return next(name for most, name in BINS if length < most) if length else ""


def compare(truth: Path, vcf: Path, sample: str, who: str) -> dict:
    """Recall by type and size, precision by type, and genotypes that agree. who: column of the truth (child, ...).

    A tumour's file has no genotypes: what passes is the tumour's. Of an inversion and of an exchange each junction is a
    record; one that is found counts the event as found. A call is wrong where nobody of the family carries what it
    tells, or the sample does not.
    """
    with truth.open() as lines:
        rows = list(csv.DictReader(lines, delimiter="\t"))
    carried = [row for row in rows if "1" in row[who]]
    found: dict[int, set[str]] = {}
    right: Counter[str] = Counter()
    false: list[str] = []
    with pysam.VariantFile(str(vcf)) as calls:
        for call in calls:
            cell, germline = call.samples[sample], "GT" in call.format
            if set(call.filter) != {"PASS"} or germline and (cell["FT"] != "PASS" or 1 not in cell["GT"]):
                continue
            hits = [at for at, row in enumerate(carried) if _same(call, row)]
            kind = call.info["SVTYPE"]
            if not hits:
                false.append(f"{call.chrom}:{call.pos} {call.alts[0]} {call.stop}")
                continue
            right[kind] += 1
            for at in hits:
                found.setdefault(at, set()).add("/".join(map(str, cell["GT"])) if germline else "")
    recall: dict[str, dict[str, list[int]]] = {}
    genotypes: Counter[str] = Counter()
    for at, row in enumerate(carried):
        of = recall.setdefault(row["kind"], {}).setdefault(name_of(int(row["length"])), [0, 0])
        of[1] += 1
        if at in found:
            of[0] += 1
            wanted = "/".join(sorted(row[who].split("|"))) if found[at] != {""} else ""
            genotypes[f"{row['kind']} {'right' if found[at] == {wanted} else f'{wanted} as {min(found[at])}'}"] += 1
    wrong = Counter(line.split()[1].strip("<>") if "<" in line else "BND" for line in false)
    kinds = sorted(right.keys() | wrong.keys())
    return {
        "recall": recall,
        "precision": {kind: [right[kind], right[kind] + wrong[kind]] for kind in kinds},
        "genotypes": dict(sorted(genotypes.items())),
        "false": false,
        "missed": [
            f"{row['kind']} {row['contig']}:{row['pos']} {row['length']} bp {row[who]}"
            for at, row in enumerate(carried)
            if at not in found
        ],
    }


def _same(call: pysam.VariantRecord, row: dict[str, str]) -> bool:
    if call.info["SVTYPE"] != row["kind"]:
        return False
    near = max(TOLERANCE, *map(abs, call.info["CIPOS"]))
    here = row["contig"], int(row["pos"])
    if row["kind"] == "BND":
        there = row["mate"], int(row["mate_pos"])
        chrom, pos = call.alts[0].strip("ACGTN[]").split(":")
        ends = [(call.chrom, call.pos), (chrom, int(pos))]
        return any(
            all(_near(a, b, near) for a, b in zip(ends, two, strict=True)) for two in ([here, there], [there, here])
        )
    if not _near((call.chrom, call.pos), here, near):
        return False
    if row["kind"] == "INS":
        return abs(call.info["SVLEN"] - int(row["length"])) <= int(row["length"]) // 4
    return abs(call.stop - int(row["end"])) <= near


def _near(one: tuple[str, int], other: tuple[str, int], bp: int) -> bool:
    return one[0] == other[0] and abs(one[1] - other[1]) <= bp


def main() -> int:
    folder = Path(sys.argv[1])
    with (folder / "samples.tsv").open() as lines:
        people = {row["relation"]: row for row in csv.DictReader(lines, delimiter="\t")}
    case = people["index"]["case"]
    vcf = folder / "results" / "submissions" / case / "data" / f"{case}.sv.vcf.gz"
    vcf = Path(sys.argv[2]) if len(sys.argv) > 2 else vcf
    members = {"child": "index", "mother": "mother", "father": "father"}
    result = {
        who: compare(folder / "truth" / "structural.tsv", vcf, people[relation]["sample"], who)
        for who, relation in members.items()
    }
    print(json.dumps(result, indent=1))
    return 0


if __name__ == "__main__":
    sys.exit(main())
