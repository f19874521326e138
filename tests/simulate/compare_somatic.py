#!/usr/bin/env python3
"""What a run found of the variants planted in a simulated tumour (make_demo.py).

    compare_somatic.py FOLDER SAMPLE SOMATIC_VCF

Reads truth/SAMPLE.somatic.vcf.gz, the person's own truth/SAMPLE.vcf.gz and truth/SAMPLE.structural.tsv; prints JSON.
Records are compared after normalisation, as in compare_truth.py.
"""

from __future__ import annotations

import csv
import json
import sys
from pathlib import Path

import pysam
from compare_truth import Key, kind, read_records, share

EDGES = (0, 0.05, 0.1, 0.15, 0.2, 0.3, 0.5, 1.01)
"""Expected fractions of reads: classes from each to the next."""
SURE = 0.2
"""From this fraction on a variant ought to be found."""
NEAR = 100
"""bp around a junction where reads that are clipped there are assembled to an insertion."""


def fractions(truth: Path) -> dict[Key, float]:
    """Expected fraction of each planted variant; they are written normalised."""
    with pysam.VariantFile(str(truth)) as records:
        return {(r.chrom, r.pos, r.ref, r.alts[0]): r.samples[0]["AF"][0] for r in records}


def classes(planted: dict[Key, float], found: set[Key]) -> dict[str, list[int]]:
    """Found and planted variants by class of fraction; classes without any are left out."""
    rows = {}
    for low, high in zip(EDGES, EDGES[1:], strict=False):
        of = {key for key, fraction in planted.items() if low <= fraction < high}
        if of:
            rows[f"{low:.2f}-{min(high, 1):.2f}"] = [len(of & found), len(of)]
    return rows


def score(
    planted: dict[Key, float], germline: set[Key], calls: set[Key], junctions: set[tuple[str, int]] = frozenset()
) -> dict[str, dict]:
    """For SNVs and indels: recall by fraction, and what is called beside what was planted, by what it is."""
    result = {}
    for wanted in ("snv", "indel"):
        here = {key: fraction for key, fraction in planted.items() if kind(key) == wanted}
        called = {key for key in calls if kind(key) == wanted}
        sure = {key for key, fraction in here.items() if fraction >= SURE}
        false = called - here.keys()
        own = false & germline
        beside = {
            key for key in false - own if any(key[0] == contig and abs(key[1] - at) < NEAR for contig, at in junctions)
        }
        result[wanted] = {
            "planted": len(here),
            "found": len(called & here.keys()),
            "planted_sure": len(sure),
            "recall_sure": share(len(sure & called), len(sure)),
            "precision": share(len(called & here.keys()), len(called)),
            "recall": classes(here, called),
            "false_germline": len(own),
            "false_at_junctions": len(beside),
            "false_other": sorted("{}:{} {}>{}".format(*key) for key in false - own - beside),
        }
    return result


def compare(folder: Path, sample: str, vcf: Path) -> dict[str, dict]:
    """`score` of the PASS records of a tumour. folder: of make_demo.py."""
    truth, fasta = folder / "truth", folder / "reference" / "genome.fa"
    with (truth / f"{sample}.structural.tsv").open() as lines:
        events = list(csv.DictReader(lines, delimiter="\t"))
    junctions = {(event["contig"], int(event[end])) for event in events for end in ("pos", "end")}
    junctions |= {(event["mate"], int(event["mate_pos"])) for event in events if event["mate"] != "."}
    return score(
        fractions(truth / f"{sample}.somatic.vcf.gz"),
        set(read_records(truth / f"{sample}.vcf.gz", fasta, None, None)),
        set(read_records(vcf, fasta, None, sample)),
        junctions,
    )


def main() -> int:
    print(json.dumps(compare(Path(sys.argv[1]), sys.argv[2], Path(sys.argv[3])), indent=1))
    return 0


if __name__ == "__main__":
    sys.exit(main())
