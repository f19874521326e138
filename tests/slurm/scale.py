#!/usr/bin/env python3
"""Three nodes against one on a real Slurm; a Markdown report on standard output.

    scale.py [--jobs 9] [--seconds 60]

The nodes share the CPUs of this machine, so the jobs sleep: what is measured is how Snakemake and Slurm hand them out,
with the options of profiles/slurm, and not the speed of any tool. Each job takes a whole node. Needs root.
"""

from __future__ import annotations

import argparse
import itertools
import os
import re
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
import cluster as slurm

REPOSITORY = Path(__file__).resolve().parents[2]
WORKFLOW = """
rule all:
    input:
        expand("done/{{job}}", job=range({jobs})),


rule one:
    output:
        "done/{{job}}",
    threads: 2
    shell:
        "(echo $SLURMD_NODENAME; date +%s.%N; sleep {seconds}; date +%s.%N) > {{output}}"
"""


@dataclass(frozen=True)
class Times:
    """Of a run, in seconds. wall: of the launcher. work: from the first job's work to the end of the last one's.

    between: from one job's end to the next one's work on the same node, mean. tail: from the end of the last job's
    work to the end of the launcher, which asks less and less often while no job ends.
    """

    wall: float
    work: float
    between: float
    tail: float


def run(folder: Path, jobs: int, seconds: int) -> Times:
    """A run of so many sleeping jobs."""
    folder.mkdir()
    (folder / "Snakefile").write_text(WORKFLOW.format(jobs=jobs, seconds=seconds))
    profile = folder / "profile"
    profile.mkdir()
    text = (REPOSITORY / "profiles" / "slurm" / "config.yaml").read_text()
    text = re.sub(r"(?m)^  - slurm_account=.*\n", "", text)
    (profile / "config.yaml").write_text(re.sub(r"slurm_partition=\S+", "slurm_partition=main", text))
    options = ("--slurm-status-command", "squeue", "--slurm-init-seconds-before-status-checks", "2")
    begun = time.time()
    with (folder / "log").open("w") as log:
        command = ["snakemake", "--workflow-profile", profile, "--directory", folder, *options]
        environment = {**os.environ, "COLUMNS": "200"}
        subprocess.run(command, cwd=folder, env=environment, stdout=log, stderr=subprocess.STDOUT, check=True)
    ended = time.time()
    nodes: dict[str, list[tuple[float, float]]] = {}
    for path in (folder / "done").iterdir():
        node, start, end = path.read_text().split()
        nodes.setdefault(node, []).append((float(start), float(end)))
    between = [
        later[0] - earlier[1] for spans in nodes.values() for earlier, later in itertools.pairwise(sorted(spans))
    ]
    first = min(start for spans in nodes.values() for start, _ in spans)
    last = max(end for spans in nodes.values() for _, end in spans)
    return Times(ended - begun, last - first, statistics.mean(between), ended - last)


def main() -> None:
    parser = argparse.ArgumentParser(description="Three nodes against one on a real Slurm.")
    parser.add_argument("--jobs", type=int, default=9)
    parser.add_argument("--seconds", type=int, default=60)
    wanted = parser.parse_args()
    if reason := slurm.why_not():
        print(f"Three nodes against one: not measured, {reason}")
        return
    with slurm.Cluster(), tempfile.TemporaryDirectory() as place:
        three = run(Path(place) / "three", wanted.jobs, wanted.seconds)
        for node in slurm.NODES[1:]:
            drain = ["scontrol", "update", f"NodeName={node}", "State=DRAIN", "Reason=one node only"]
            subprocess.run(drain, check=True)
        one = run(Path(place) / "one", wanted.jobs, wanted.seconds)
    print(
        f"{wanted.jobs} jobs that sleep {wanted.seconds} s, one a node at a time, load now {os.getloadavg()[0]:.0f}:\n"
    )
    print("| nodes | wall s | work s | between two jobs s | tail s |\n|--:|--:|--:|--:|--:|")
    for nodes, used in ((1, one), (3, three)):
        print(f"| {nodes} | {used.wall:.0f} | {used.work:.0f} | {used.between:.1f} | {used.tail:.0f} |")
    print(f"\nWall: {one.wall / three.wall:.2f} times as fast, {one.wall / three.wall / 3:.2f} of linear.", end=" ")
    print(f"Work: {one.work / three.work:.2f} times as fast, {one.work / three.work / 3:.2f} of linear.")


if __name__ == "__main__":
    main()
