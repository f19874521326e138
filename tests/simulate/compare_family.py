#!/usr/bin/env python3
"""What a run found of a simulated trio's planted variants (make_demo.py --trio).

    compare_family.py TRIO_FOLDER

Reads truth/planted.tsv, truth/heteroplasmy.tsv and the submission of the folder's run; prints JSON.
"""

from __future__ import annotations

import csv
import json
import math
import sys
from collections import Counter
from pathlib import Path

import pysam

Key = tuple[str, int, str, str]  # CHROM, POS, REF, ALT


def read_planted(path: Path, value: str) -> dict[Key, str]:
    """A column of a truth table by variant."""
    with path.open() as lines:
        return {
            (row["contig"], int(row["pos"]), row["ref"], row["alt"]): row[value]
            for row in csv.DictReader(lines, delimiter="\t")
        }


def denovo(planted: Path, joint: Path, child: str) -> dict:
    """Recall and precision of PASS candidates of high confidence, and what became of each trap."""
    truth = read_planted(planted, "what")
    high: set[Key] = set()
    outcome: dict[Key, str] = dict.fromkeys(truth, "not called")
    with pysam.VariantFile(str(joint)) as records:
        for record in records:
            key = (record.chrom, record.pos, record.ref, record.alts[0])
            level = next((x for x in ("HIGH", "LOW") if child in record.info.get(f"DENOVO_{x}", ())), None)
            passed = "PASS" in record.filter
            if level == "HIGH" and passed:
                high.add(key)
            if key in truth:
                outcome[key] = f"{level.lower()} candidate" if level else "no candidate"
                outcome[key] += "" if passed else ", filtered"
    new = {key for key, what in truth.items() if what == "denovo"}
    traps = [key for key, what in truth.items() if what != "denovo"]
    return {
        "planted": len(new),
        "found": len(new & high),
        "false": len(high - new),
        "recall": round(len(new & high) / len(new), 4),
        "precision": round(len(new & high) / len(high), 4) if high else None,
        "missed": [(*key, outcome[key]) for key in sorted(new - high)],
        "false_not_planted": sorted(high - truth.keys()),
        "traps": {f"{what}: {how}": n for (what, how), n in Counter((truth[k], outcome[k]) for k in traps).items()},
    }


def heteroplasmy(planted: Path, vcf: Path, sigmas: float = 4.0) -> dict:
    """Planted against measured fractions; within: by at most `sigmas` standard errors of a binomial, plus 0.005.

    ends: variants of all molecules in the first and last 300 bases.
    """
    found = {}
    with pysam.VariantFile(str(vcf)) as records:
        length = records.header.contigs["chrM"].length
        for record in records:
            call = record.samples[0]
            genotype = "/".join(map(str, call["GT"]))
            filters = ";".join(record.filter)
            found[record.chrom, record.pos, record.ref, record.alts[0]] = (call["AF"][0], call["DP"], genotype, filters)
    rows, ends, ends_found = [], 0, 0
    for key, text in read_planted(planted, "fraction").items():
        share = float(text)
        measured, depth, genotype, filters = found.get(key, (None, None, None, None))
        within = None
        if measured is not None:
            within = abs(measured - share) <= sigmas * math.sqrt(share * (1 - share) / depth) + 0.005
        rows.append({"pos": key[1], "planted": share, "measured": measured and round(measured, 4), "depth": depth,
                     "within": within, "genotype": genotype, "filters": filters})  # fmt: skip
        if share == 1 and (key[1] <= 300 or key[1] > length - 300):
            ends += 1
            ends_found += filters == "PASS"
    return {"rows": rows, "ends": ends, "ends_found": ends_found}


def main() -> int:
    folder = Path(sys.argv[1])
    (case,) = (
        row for row in csv.DictReader((folder / "cases.tsv").open(), delimiter="\t") if row["study_type"] == "trio"
    )
    people = csv.DictReader((folder / "samples.tsv").open(), delimiter="\t")
    child = next(row["sample"] for row in people if row["case"] == case["case"] and row["relation"] == "index")
    data = folder / "results" / "submissions" / case["case"] / "data"
    result = {
        "denovo": denovo(folder / "truth" / "planted.tsv", data / f"{case['case']}.family.vcf.gz", child),
        "heteroplasmy": heteroplasmy(folder / "truth" / "heteroplasmy.tsv", data / f"{child}.mt.vcf.gz"),
    }
    print(json.dumps(result, indent=1))
    return 0


if __name__ == "__main__":
    sys.exit(main())
