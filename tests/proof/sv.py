"""Structural variants: what is found of those that were planted in a simulated trio, and what it costs."""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import compare_structural
import family
import pysam
import runs
import support

MEMBERS = {"child": "index", "mother": "mother", "father": "father"}


def run(place: Path) -> Iterator[str]:
    """The trio of `make_demo.py --sv`, by the workflow up to its structural VCF and the child's germline VCF."""
    yield "## Structural variants\n"
    folder = runs.make_demo(place / "simulated", "--sv")
    (case,), people = runs.table(folder, "cases"), runs.table(folder, "samples")
    names = {row["relation"]: row["sample"] for row in people}
    vcf, germline = f"results/sv/{case['case']}.sv.vcf.gz", f"results/conform/{names['index']}.vcf.gz"
    done = runs.run_workflow(folder, vcf, germline)
    if done.returncode:
        raise support.NotProven(f"the simulated trio was not called: {runs.said(done)[-2000:]}")
    truth = folder / "truth" / "structural.tsv"
    found = {
        who: compare_structural.compare(truth, folder / vcf, names[relation], who) for who, relation in MEMBERS.items()
    }
    yield "Simulated trio, 1.6 Mb, 37x: events that a member carries, of all three members.\n"
    yield "| type | size | planted | found |\n|---|---|--:|--:|"
    total: dict[tuple[str, str], list[int]] = {}
    for result in found.values():
        for kind, classes in result["recall"].items():
            for size, (got, planted) in classes.items():
                row = total.setdefault((kind, size), [0, 0])
                row[0], row[1] = row[0] + got, row[1] + planted
    yield "\n".join(f"| {kind} | {size} | {row[1]} | {row[0]} |" for (kind, size), row in sorted(total.items())) + "\n"
    yield "| type | records that pass and are carried | right |\n|---|--:|--:|"
    precision: Counter[tuple[str, str]] = Counter()
    for result in found.values():
        for kind, (right, all_of) in result["precision"].items():
            precision[kind, "right"] += right
            precision[kind, "all"] += all_of
    kinds = sorted({kind for kind, _ in precision})
    yield "\n".join(f"| {kind} | {precision[kind, 'all']} | {precision[kind, 'right']} |" for kind in kinds) + "\n"
    genotypes = sum((Counter(result["genotypes"]) for result in found.values()), Counter())
    yield "Genotypes: " + ", ".join(f"{name} {n}" for name, n in sorted(genotypes.items())) + ".\n"
    yield (
        "Wrong: "
        + (", ".join(sorted({line for result in found.values() for line in result["false"]})) or "none")
        + "\n"
    )
    yield "HaplotypeCaller beside it, the child's autosomal events below 300 bp (PASS, length within a fifth):\n"
    yield "| type | planted | delly | HaplotypeCaller |\n|---|--:|--:|--:|"
    yield "\n".join(_beside(truth, folder / germline, found["child"])) + "\n"
    yield f"CPU s of delly and of what makes its file, three people: {family.cpu(folder).get('sv', 0):.1f}\n"
    yield from support.failed(
        f"{kind} {size}: {got} of {planted} found"
        for (kind, size), (got, planted) in total.items()
        if got < 0.95 * planted and kind != "INS" and size != "below 300 bp"
    )
    yield from support.failed(
        f"{kind}: {precision[kind, 'all'] - precision[kind, 'right']} wrong"
        for kind in kinds
        if precision[kind, "right"] < 0.85 * precision[kind, "all"]
    )


def _beside(truth: Path, germline: Path, found: dict) -> Iterator[str]:
    """Rows: small events of the child by type, how many delly has, how many HaplotypeCaller."""
    with truth.open() as lines:
        rows = [
            row
            for row in csv.DictReader(lines, delimiter="\t")
            if "1" in row["child"] and 0 < int(row["length"]) < 300 and row["contig"] != "chrX"
        ]
    missed = {line.rsplit(" ", 3)[0] for line in found["missed"]}
    sizes: dict[str, list[tuple[int, int]]] = {}
    with pysam.VariantFile(str(germline)) as calls:
        for call in calls:
            if "PASS" in call.filter and abs(gain := len(call.alts[0]) - len(call.ref)) >= 40:
                sizes.setdefault(call.chrom, []).append((call.pos, gain))
    for kind in ("DEL", "DUP", "INS", "INV"):
        own = [row for row in rows if row["kind"] == kind]
        delly = sum(f"{kind} {row['contig']}:{row['pos']}" not in missed for row in own)
        other = sum(_called(row, sizes.get(row["contig"], [])) for row in own)
        yield f"| {kind} | {len(own)} | {delly} | {other} |"


def _called(row: dict[str, str], near: list[tuple[int, int]]) -> bool:
    """Whether a small variant at the place has the event's gain or loss of bases; of an inversion there is none."""
    length, pos = int(row["length"]), int(row["pos"])
    wanted = {"DEL": -length, "INV": 0}.get(row["kind"], length)
    return any(abs(at - pos) <= length + 50 and wanted and abs(gain - wanted) <= length // 5 for at, gain in near)
