"""Copy number on simulated genomes: deletions and duplications from 5 kb up, whole chromosomes, a thin sample."""

from __future__ import annotations

import csv
import json
import subprocess
from collections.abc import Iterator
from pathlib import Path

import copies
import measure as m
import runs
import support

SMALL = (
    ("chr1", 30_000, 35_000, 1),
    ("chr1", 60_500, 65_500, 1),
    ("chr1", 130_000, 140_000, 1),
    ("chr1", 160_000, 165_000, 0),
    ("chr1", 200_000, 205_000, 3),
    ("chr1", 280_000, 288_000, 3),
    ("chr1", 380_300, 385_300, 0),
    ("chr2", 40_000, 50_000, 0),
    ("chr2", 100_000, 108_000, 4),
    ("chr2", 240_000, 260_000, 3),
    ("chr2", 350_000, 356_000, 1),
    ("chr3", 50_000, 70_000, 1),
    ("chr3", 120_400, 125_400, 1),
    ("chr3", 200_000, 205_000, 3),
    ("chr3", 250_000, 260_000, 3),
)
ON_X = (("chrX", 40_000, 45_000, 0), ("chrX", 100_000, 106_000, 0), ("chrX", 150_000, 160_000, 2))
PEOPLE = (
    copies.Person("MANSMALL", "male", (*SMALL, *ON_X), x=1, y=1),
    copies.Person("WOMANSMALL", "female", (*SMALL, *((*change[:3], 1) for change in ON_X))),
    copies.Person("TRISOMYTHREE", "female", (("chr3", 0, 300_000, 3),), whole=("trisomy chr3",), contigs=("chr3",)),
    copies.Person("WOMANONEX", "female", x=1, whole=("monosomy X (X0)",), contigs=("chrX",)),
    copies.Person("MANWITHXXY", "male", x=2, y=1, whole=("XXY",), contigs=("chrX",)),
    copies.Person("MANWITHXYY", "male", x=1, y=2, whole=("XYY",), contigs=("chrX", "chrY")),
    copies.Person("CLEANWOMAN", "female"),
    copies.Person("CLEANMAN", "male", x=1, y=1),
)
THIN = copies.Person("THINWOMAN", "female", depth=1)
SEED = 20261123


def run(place: Path) -> Iterator[str]:
    """What is found of each person, at 30x in bins of 1 kb, reads aligned by bwa."""
    yield "## Copy number\n"
    everybody = (*PEOPLE, THIN)
    copies.lay(place, everybody, SEED, align=True)
    done = runs.run_workflow(place, "--allowed-rules", *copies.RULES, "--", *copies.targets(everybody))
    if done.returncode:
        raise support.NotProven(runs.said(done)[-3000:])
    results, wrong, rows = place / "results" / "copy_number", [], []
    for person in PEOPLE:
        found = copies.calls(results / f"{person.sample}.cnv.vcf.gz")
        missed, false = copies.score(person, found)
        told = json.loads((results / f"{person.sample}.json").read_text())
        names = tuple(item["name"] for item in told["aneuploidies"])
        small = [change for change in person.changes if change[0] not in person.contigs]
        unseen, _ = copies.score(person, [(*call[:4], "PASS") for call in found])
        cells = [f"{len(small) - len(missed)} of {len(small)}", len(missed) - len(unseen), len(false)]
        rows.append([person.sample, *cells, ", ".join(names), told["noise"]])
        wrong += [f"{person.sample} misses {unseen}"] * bool(unseen)
        wrong += [f"{person.sample}: filtered {missed}"] * (len(missed) > 0.1 * len(small))
        wrong += [f"{person.sample}: false {false}"] * bool(false)
        wrong += [f"{person.sample}: {names or 'no aneuploidy'} instead of {person.whole}"] * (names != person.whole)
        command = ["ngc-wgs", "check", results / f"{person.sample}.cnv.vcf.gz", "--overlay", place / "overlay.yaml"]
        command += ["--reference", place / "reference" / "genome.fa"]
        if subprocess.run(command, capture_output=True, check=False).returncode:
            wrong.append(f"{person.sample}: its VCF does not conform")
    yield m.table(["person", "planted and found", "found but filtered", "false", "aneuploidy", "noise of a bin"], rows)
    (entry,) = json.loads((results / f"{THIN.sample}.not_called.json").read_text()) or [None]
    yield f"At 1x: not called, {entry and entry['reason']}.\n"
    yield "| rule | CPU s of a person of 1.87 Mb |\n|---|--:|"
    for rule in ("mosdepth_bins", "gatk_copy_segments"):
        times = []
        for person in PEOPLE:
            with (place / "benchmarks" / "copy_number" / f"{person.sample}.{rule}.tsv").open() as table:
                times.append(float(next(csv.DictReader(table, delimiter="\t"))["cpu_time"]))
        yield f"| {rule} | {sum(times) / len(times):.1f} |"
    yield from support.failed(wrong + ["the thin sample was called"] * (entry is None))
