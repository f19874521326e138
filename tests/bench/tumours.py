"""What a tumour costs: by its coverage, and by the number of parts that its calling is scattered over."""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import measure as m
import yaml

NORMAL, TUMOUR, _ = m.make_demo.TUMOURS
DEPTHS = (45, 75, 105)
PARTS = (2, 4, 8)  # a genome with X and Y needs two
SCALE = 4
"""In 0.55 Mb: on less nearly all of GATK is its start."""


def run(place: Path) -> Iterator[str]:
    """Three depths of one simulated tumour beside one normal, then the deepest called in more and more parts."""
    yield "## Tumours\n"
    folder = place / "tumours"
    folder.mkdir()
    tumours = {depth: replace(TUMOUR, sample=f"TUMOUR{depth}X", depth=depth) for depth in DEPTHS}
    m.make_demo.make(folder, m.plan(SCALE), [NORMAL, *tumours.values()], 1, "tumours")
    settings = yaml.safe_load((folder / "config.yaml").read_text())
    # Calls, not judgement: a tumour of 45x is below the gate.
    change = {**settings, "java_options": m.LARGE_JAVA, "proceed_on_fail": True}

    def calls(sample: str, parts: int) -> m.Usage:
        """The tumour called anew in so many parts; what it was called from is there."""
        for path in folder.glob(f"results/*/{sample}.somatic*"):
            path.unlink()
        m.write_config(folder, **{**change, "calling": {"scatter": parts}})
        return m.run_workflow(folder, targets=[f"results/conform/{sample}.somatic.vcf.gz"])

    m.write_config(folder, **{**change, "calling": {"scatter": PARTS[0]}})
    m.run_workflow(folder, targets=[f"results/alignment/{NORMAL.sample}.cram"])
    aligned = {depth: align(folder, person.sample) for depth, person in tumours.items()}
    m.run_workflow(folder, targets=[f"results/gate/{person.sample}.cleared" for person in (NORMAL, *tumours.values())])
    called = {depth: calls(person.sample, PARTS[0]) for depth, person in tumours.items()}
    cpu = {depth: by_tool(aligned[depth].parts + called[depth].parts) for depth in DEPTHS}
    least, most = min(DEPTHS), max(DEPTHS)
    rows = []
    for name, seconds in cpu[most].most_common():
        if seconds >= 1:
            slope = (seconds - cpu[least][name]) / (most - least) * 10
            rows.append([name, *(f"{cpu[depth][name]:.1f}" for depth in DEPTHS), f"{slope:.2f}"])
    yield f"CPU seconds of a tumour of {0.55 * SCALE:.1f} Mb, its normal being there, by its coverage.\n"
    yield m.table(["tool", *(f"{depth}x" for depth in DEPTHS), "each 10x more"], rows)
    sample = tumours[most].sample
    yield f"The tumour of {most}x in more parts: efficiency is the CPU of the first row over that of each.\n"
    rows, alone = [], 0.0
    for parts in PARTS:
        used = called[most] if parts == PARTS[0] else calls(sample, parts)
        seconds = used.parts["gatk Mutect2"]
        alone = alone or seconds
        jobs = jobs_of(folder, sample)
        longest, memory = (max(values) for values in zip(*jobs, strict=True))
        rows.append([parts, len(jobs), f"{seconds:.1f}", f"{longest:.1f}", f"{alone / seconds:.2f}", f"{memory:.0f}"])
    yield m.table(["calling.scatter", "jobs", "CPU s", "longest job, wall s", "efficiency", "MB"], rows)


def align(folder: Path, sample: str) -> m.Usage:
    return m.run_workflow(folder, targets=[f"results/alignment/{sample}.cram"])


def by_tool(parts: Counter[str]) -> Counter[str]:
    """CPU seconds of the field's tools, all of samtools together, without Snakemake, which each run starts anew."""
    found: Counter[str] = Counter()
    for name, seconds in parts.items():
        tool = name.split()[0]
        if tool in ("bwa", "samtools", "gatk", "bcftools"):
            found["samtools" if tool == "samtools" else name] += seconds
    return found


def jobs_of(folder: Path, sample: str) -> list[tuple[float, float]]:
    """Wall seconds and MB of each of Mutect2's jobs of a sample as last run; the files of earlier ones are deleted."""
    found = []
    for path in (folder / "benchmarks").rglob(f"*{sample}*gatk_mutect2*"):
        (row,) = csv.DictReader(path.open(), delimiter="\t")
        found.append((float(row["s"]), float(row["max_rss"].replace("NA", "0"))))
        path.unlink()
    return found
