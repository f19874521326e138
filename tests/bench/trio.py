"""What a trio's end waits for where every job has a core: the slowest member, then the joint step.

The seconds are those that each job of one run took, from its submission to its end; which job waits for which is what
Snakemake knows of their files. The chains are worked out for a machine without limit: nothing waits for a core.
"""

from __future__ import annotations

import csv
import functools
import io
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import measure as m
import yaml

sys.path.insert(0, str(m.REPOSITORY / "scripts"))
from ngc_wgs import progress

CASE, MEMBERS = m.make_demo.TRIO_CASE, [person.sample for person in m.make_demo.TRIO]


def run(place: Path) -> Iterator[str]:
    """One run of the simulated trio, and its chains."""
    folder = place / "trio"
    m.make_demo.main(["--out", str(folder), "--trio"])
    config = yaml.safe_load((folder / "config.yaml").read_text())
    m.write_config(folder, **config, proceed_on_fail=True)  # the planted de novo variants are more than the gate allows
    used = m.run_workflow(folder)
    yield f"## A trio where every job has a core\n\n{used.cpu:.0f} CPU s, {used.wall:.0f} s on {m.CORES} cores.\n"
    yield from chains(folder)


def chains(folder: Path) -> Iterator[str]:
    """The longest chain of each member by itself, of the joint step by itself, and of the whole case."""
    seconds = {job.logs[0]: job.until - job.since for job in progress.read(folder / progress.JOURNAL).jobs.values()}
    rule_of, log_of, needs = waits(folder)
    end, joint = f"results/check/{CASE}.json", f"results/conform/{CASE}.family.vcf.gz"
    gvcfs = [f"results/conform/{sample}.g.vcf.gz" for sample in MEMBERS]

    def before(target: str) -> set[str]:
        """The jobs that a file waits for."""
        found: set[str] = set()
        waiting = [log_of[target]]
        while waiting:
            log = waiting.pop()
            if log not in found:
                found.add(log)
                waiting += needs[log]
        return found

    def chain(target: str, counts: Callable[[str], bool]) -> list[str]:
        """Logs of the chain of most seconds that ends in a file, of the jobs that count."""

        @functools.cache
        def longest(log: str) -> tuple[float, list[str]]:
            total, path = max((longest(other) for other in needs[log]), default=(0.0, []))
            return (total + seconds.get(log, 0.0), [*path, log]) if counts(log) else (total, path)

        return longest(log_of[target])[1]

    def total(logs: list[str]) -> float:
        return sum(seconds.get(log, 0.0) for log in logs)

    def without_others(sample: str) -> Callable[[str], bool]:
        return lambda log: not any(other in log for other in MEMBERS if other != sample)

    alone = {sample: chain(gvcf, without_others(sample)) for sample, gvcf in zip(MEMBERS, gvcfs, strict=True)}
    done = set().union(*(before(gvcf) for gvcf in gvcfs))
    step = chain(joint, lambda log: log not in done)
    both = chain(joint, lambda _: True)
    whole = chain(end, lambda _: True)
    after = [log for log in whole if log not in before(joint)]
    rows = [[f"a member by itself, FASTQ to gVCF: {sample}", f"{total(alone[sample]):.0f}"] for sample in MEMBERS]
    rows += [
        ["the joint step by itself, gVCFs to joint VCF", f"{total(step):.0f}"],
        ["FASTQ of all to joint VCF", f"{total(both):.0f}"],
        ["slowest member and joint step", f"{max(map(total, alone.values())) + total(step):.0f}"],
        ["FASTQ of all to the checker's report", f"{total(whole):.0f}"],
        ["all jobs one behind the other", f"{sum(seconds.values()):.0f}"],
    ]
    yield m.table(["longest chain", "s"], rows)
    for title, logs in (
        ("To the joint VCF", both),
        ("The joint step", step),
        ("The whole case, after its calls", after),
    ):
        yield f"{title}: {', '.join(f'{rule_of[log]} {seconds.get(log, 0):.0f}' for log in logs)}.\n"


def waits(folder: Path) -> tuple[dict[str, str], dict[str, str], dict[str, set[str]]]:
    """Of a finished run: the rule of each job, the job of each file, and the jobs that each waits for.

    A job is named by its log. The run's clearances are deleted: while they hold, no job is known to make them.
    """
    for path in folder.glob("results/*/*.cleared"):
        path.unlink()
    words = m.workflow_command(folder, "--forceall", "--detailed-summary")
    done = subprocess.run(words, cwd=m.REPOSITORY, capture_output=True, text=True, check=True)
    rules: dict[str, str] = {}
    log_of: dict[str, str] = {}
    inputs: dict[str, set[str]] = {}
    for row in csv.DictReader(io.StringIO(done.stdout), delimiter="\t", quoting=csv.QUOTE_NONE):
        log = row["log-file(s)"].split(",")[0]
        rules[log], log_of[row["output_file"]] = row["rule"], log
        inputs.setdefault(log, set()).update(row["input-file(s)"].split(","))
    return rules, log_of, {log: {log_of[file] for file in files if file in log_of} for log, files in inputs.items()}
