"""What a tumour costs: by its coverage, and by the number of parts that its calling is scattered over."""

from __future__ import annotations

import csv
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import measure as m
import yaml

NORMAL, TUMOUR, _ = m.make_demo.TUMOURS
DEPTHS = (45, 75, 105)
PARTS = (2, 4, 8)  # a genome with X and Y needs two


def run(place: Path) -> Iterator[str]:
    """Three depths of one simulated tumour beside one normal, then the deepest called in more and more parts."""
    yield "## Tumours\n"
    folder = place / "tumours"
    folder.mkdir()
    tumours = {depth: replace(TUMOUR, sample=f"TUMOUR{depth}X", depth=depth) for depth in DEPTHS}
    m.make_demo.make(folder, m.g.TRIO, [NORMAL, *tumours.values()], 1, "tumours")
    settings = yaml.safe_load((folder / "config.yaml").read_text())
    # Calls, not judgement: a tumour of 45x is below the gate.
    change = {**settings, "java_options": m.LARGE_JAVA, "proceed_on_fail": True}
    m.write_config(folder, **{**change, "calling": {"scatter": PARTS[0]}})
    targets = {depth: f"results/conform/{person.sample}.somatic.vcf.gz" for depth, person in tumours.items()}
    m.run_workflow(folder, targets=targets.values())
    used = {depth: of_sample(folder, person.sample) for depth, person in tumours.items()}
    least, most = min(DEPTHS), max(DEPTHS)
    rows = []
    for rule in sorted(used[most]):
        cpu = {depth: sum(seconds for seconds, _ in used[depth].get(rule, [])) for depth in DEPTHS}
        memory = max(megabytes for _, megabytes in used[most][rule])
        slope = (cpu[most] - cpu[least]) / (most - least) * 10
        rows.append([rule, *(f"{cpu[depth]:.1f}" for depth in DEPTHS), f"{slope:.2f}", f"{memory:.0f}"])
    total = [sum(float(row[column]) for row in rows) for column in range(1, len(DEPTHS) + 2)]
    rows.append(["all of these", *(f"{value:.1f}" for value in total[:-1]), f"{total[-1]:.2f}", ""])
    yield "CPU seconds of a tumour of 0.23 Mb by its coverage; memory at the deepest.\n"
    yield m.table(["rule", *(f"{depth}x" for depth in DEPTHS), "each 10x more", "MB"], rows)
    sample = tumours[most].sample
    yield f"The tumour of {most}x in more parts: efficiency is the CPU of the first row over that of each.\n"
    rows, alone = [], 0.0
    for parts in PARTS:
        if alone:  # the first are there
            for path in (folder / "benchmarks").rglob(f"*{sample}*mutect2*"):
                path.unlink()
            m.write_config(folder, **{**change, "calling": {"scatter": parts}})
            m.run_workflow(folder, targets=[targets[most]])
        jobs = of_sample(folder, sample)["gatk_mutect2"]
        cpu = sum(seconds for seconds, _ in jobs)
        alone = alone or cpu
        longest = max(seconds for seconds, _ in jobs)
        figures = f"{cpu:.1f}", f"{longest:.1f}", f"{alone / cpu:.2f}", f"{max(size for _, size in jobs):.0f}"
        rows.append([parts, len(jobs), *figures])
    yield m.table(["calling.scatter", "jobs", "CPU s", "longest job", "efficiency", "MB"], rows)


def of_sample(folder: Path, sample: str) -> dict[str, list[tuple[float, float]]]:
    """CPU seconds and MB of each job of a sample, by rule."""
    found = defaultdict(list)
    for path in (folder / "benchmarks").rglob("*.tsv"):
        if sample in path.relative_to(folder).as_posix():
            (row,) = csv.DictReader(path.open(), delimiter="\t")
            # NA: a job that ended before Snakemake looked at it.
            found[row["rule_name"]].append(tuple(float(row[k].replace("NA", "0")) for k in ("cpu_time", "max_rss")))
    return found
