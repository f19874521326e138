#!/usr/bin/env python3
"""Three nodes against one on a real Slurm; a Markdown report on standard output.

    scale.py [--jobs 9] [--seconds 60]

The nodes share the CPUs of this machine, so the jobs sleep: what is measured is how Snakemake and Slurm hand them out,
with the options of profiles/slurm, and not the speed of any tool. Each job takes a whole node. Needs root.
"""

from __future__ import annotations

import argparse
import os
import re
import subprocess
import sys
import tempfile
import time
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
        touch("done/{{job}}"),
    threads: 2
    shell:
        "sleep {seconds}"
"""


def run(folder: Path, jobs: int, seconds: int) -> float:
    """Wall seconds of a run of so many sleeping jobs."""
    folder.mkdir()
    (folder / "Snakefile").write_text(WORKFLOW.format(jobs=jobs, seconds=seconds))
    profile = folder / "profile"
    profile.mkdir()
    text = (REPOSITORY / "profiles" / "slurm" / "config.yaml").read_text()
    text = re.sub(r"(?m)^  - slurm_account=.*\n", "", text)
    (profile / "config.yaml").write_text(re.sub(r"slurm_partition=\S+", "slurm_partition=main", text))
    options = ("--slurm-status-command", "squeue", "--slurm-init-seconds-before-status-checks", "2")
    begun = time.monotonic()
    with (folder / "log").open("w") as log:
        command = ["snakemake", "--workflow-profile", profile, "--directory", folder, *options]
        environment = {**os.environ, "COLUMNS": "200"}
        subprocess.run(command, cwd=folder, env=environment, stdout=log, stderr=subprocess.STDOUT, check=True)
    return time.monotonic() - begun


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
    print(f"{wanted.jobs} jobs that sleep {wanted.seconds} s, one a node at a time:\n")
    print("| nodes | wall s |\n|--:|--:|")
    print(f"| 1 | {one:.0f} |\n| 3 | {three:.0f} |\n")
    print(f"{one / three:.2f} times as fast, {one / three / 3:.2f} of linear")


if __name__ == "__main__":
    main()
