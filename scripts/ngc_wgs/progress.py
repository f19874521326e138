"""How far a run is, what failed, and what its jobs used of what they asked for.

The launching process keeps a journal of its jobs, one JSON object a line: first what the run is, then what happened.
`ngc-wgs status` reads it beside the run; `ngc-wgs efficiency` reads the benchmark files that the jobs leave.
"""

from __future__ import annotations

import ast
import contextlib
import csv
import json
import logging
import os
import socket
import statistics
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

JOURNAL = Path("logs") / "progress.jsonl"
LOG_LINES = 8
SHOWN_FAILURES = 10


class Journal(logging.Handler):
    """Notes the jobs that Snakemake's logger tells of: submitted, finished, failed.

    rules: jobs of the run by rule. stages: stage of each rule, in the order of the flow. cases: those of the run and
    whether each was done before. case_of: the case of a job's wildcards, or none for a job of the whole run.
    """

    def __init__(self, path: Path, rules: Mapping[str, int], stages: Mapping[str, str], cases: Mapping[str, bool],
                 case_of: Callable[[Mapping[str, str]], str | None]) -> None:  # fmt: skip
        super().__init__()
        self.case_of, self.rules = case_of, rules
        path.parent.mkdir(exist_ok=True)
        self.file = path.open("w", buffering=1)
        about = {"pid": os.getpid(), "host": socket.gethostname(), "rules": rules, "stages": stages, "cases": cases}
        self.note({"time": time.time(), **about})

    def note(self, item: dict) -> None:
        with contextlib.suppress(OSError):  # a full disk takes no journal, and stops no run for it
            self.file.write(json.dumps(item) + "\n")

    def emit(self, record: logging.LogRecord) -> None:
        event = str(getattr(record, "event", ""))
        if event == "job_info" and record.rule_name in self.rules:  # not `all`, which does nothing
            item = {"rule": record.rule_name, "case": self.case_of(record.wildcards), "logs": [*record.log]}
            self.note({"time": record.created, "job": record.jobid, "event": "submitted", **item})
        elif event == "job_finished":
            self.note({"time": record.created, "job": record.job_id, "event": "finished"})
        elif event == "job_error":
            logs = [*(record.log or ())]  # the scheduler's own log too, which alone says what killed a job
            self.note({"time": record.created, "job": record.jobid, "event": "failed", "logs": logs})

    def end(self) -> None:
        """Note that the launching process came to its own end."""
        self.note({"time": time.time(), "event": "ended"})


# ---- how far a run is ------------------------------------------------------------------------


@dataclass
class Job:
    """A submitted job; `state` is the last that happened to it. Times in seconds since 1970."""

    rule: str
    case: str | None
    logs: list[str]
    since: float
    until: float | None = None
    state: str = "submitted"


@dataclass(frozen=True)
class Progress:
    """What a journal says. jobs: last attempt by job. failures: time and job of every attempt that failed."""

    about: dict
    jobs: dict[int, Job]
    failures: list[tuple[float, int]]
    ended: float | None


def read(path: Path) -> Progress:
    """Progress as a journal has it; a last line that is not whole yet is left out."""
    lines = path.read_text().split("\n")[:-1]
    about, *events = map(json.loads, lines)
    jobs: dict[int, Job] = {}
    failures = []
    ended = None
    for item in events:
        if item["event"] == "ended":
            ended = item["time"]
        elif item["event"] == "submitted":
            jobs[item["job"]] = Job(item["rule"], item["case"], item["logs"], item["time"])
        elif item["job"] in jobs:
            job = jobs[item["job"]]
            job.state, job.until = item["event"], item["time"]
            if job.state == "failed":
                job.logs = item["logs"] or job.logs
                failures.append((item["time"], item["job"]))
    return Progress(about, jobs, failures, ended)


def seconds_left(progress: Progress, now: float) -> tuple[float, bool] | None:
    """Seconds that a run still needs at its present width, and whether some rules are left out as no job of them ended.

    A rule's jobs are expected to last as those that ended did, waiting in the queue included. None while most of the
    jobs that are left are of rules of which none ended.
    """
    lasted = defaultdict(list)
    for job in progress.jobs.values():
        if job.state == "finished":
            lasted[job.rule].append(job.until - job.since)
    running = [job for job in progress.jobs.values() if job.state == "submitted"]
    left = {rule: count - len(lasted[rule]) for rule, count in progress.about["rules"].items()}
    known = {rule: count for rule, count in left.items() if count and lasted[rule]}
    if 2 * sum(known.values()) < sum(left.values()):
        return None
    spent = sum(map(sum, lasted.values())) + sum(now - job.since for job in running)
    width = spent / (now - progress.about["time"])
    work = 0.0
    for rule, count in known.items():
        already = sum(now - job.since for job in running if job.rule == rule)
        work += max(0.0, count * statistics.mean(lasted[rule]) - already)
    return (work / width if width else 0.0), sum(known.values()) < sum(left.values())


def stages(progress: Progress) -> Counter[str]:
    """How many cases are at which stage: the furthest that one of its jobs was submitted for."""
    of_rule = progress.about["stages"]
    order = ["waiting", *dict.fromkeys(of_rule.values()), "stopped", "done"]
    place = {case: "done" if done else "waiting" for case, done in progress.about["cases"].items()}
    for job in progress.jobs.values():
        if job.case is None or place[job.case] == "stopped":
            continue
        stage = of_rule[job.rule]
        if job.state == "failed":
            place[job.case] = "stopped"
        elif job.rule == "accept" and job.state == "finished":
            place[job.case] = "done"
        elif order.index(stage) > order.index(place[job.case]):
            place[job.case] = stage
    counted = Counter(place.values())
    return Counter({stage: counted[stage] for stage in order if counted[stage]})


def is_alive(about: dict) -> bool | None:
    """Whether the launching process is there; None where it ran on another host."""
    if about["host"] != socket.gethostname():
        return None
    try:
        os.kill(about["pid"], 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        pass
    return True


def duration(seconds: float) -> str:
    """`2 h 05 min`, or `3 min`, or `20 s`."""
    minutes = round(seconds / 60)
    if minutes >= 60:
        return f"{minutes // 60} h {minutes % 60:02d} min"
    return f"{minutes} min" if minutes else f"{round(seconds)} s"


def for_people(directory: Path, now: float) -> str:
    """The progress of the run in a folder as text."""
    progress = read(directory / JOURNAL)
    states = Counter(job.state for job in progress.jobs.values())
    begun = progress.about["time"]
    if progress.ended:
        how = f"ended after {duration(progress.ended - begun)}"
    elif is_alive(progress.about) is False:
        how = "its launcher was killed: see docs/cluster.md, then start the same command again"
    else:
        how = f"running for {duration(now - begun)}"
    lines = [f"run    started {datetime.fromtimestamp(begun):%Y-%m-%d %H:%M}, {how}"]
    total = sum(progress.about["rules"].values())
    lines.append(
        f"jobs   {states['finished']} of {total} done, {states['submitted']} submitted, {states['failed']} failed"
    )
    if not progress.ended:
        left = seconds_left(progress, now)
        lines.append(
            f"left   {'not known yet' if left is None else ('at least ' if left[1] else 'about ') + duration(left[0])}"
        )
    lines.append("cases")
    lines += [f"{count:6d} {stage}" for stage, count in stages(progress).items()]
    if progress.failures:
        lines.append("failed attempts, the last first")
    for when, number in progress.failures[: -SHOWN_FAILURES - 1 : -1]:
        job = progress.jobs[number]
        again = {"submitted": ", running again", "finished": ", mended"}.get(job.state, "")
        lines.append(f"  {datetime.fromtimestamp(when):%H:%M} {job.case or 'the run'} {job.rule}{again}")
        for log in job.logs:
            lines.append(f"      {log}")
            lines += [f"        {line}" for line in log_lines(directory / log)[-LOG_LINES:]]
    return "\n".join(lines)


def log_lines(log: Path | str | None) -> list[str]:
    """Lines of a log, if there is one; without blank ones and frames of Java's stack, which hide what failed."""
    if log is None or not Path(log).is_file():
        return []
    lines = Path(log).read_text(errors="replace").splitlines()
    return [line for line in lines if line.strip() and not line.startswith("\tat ")]


# ---- what jobs used of what they asked for -----------------------------------------------------


@dataclass(frozen=True)
class Used:
    """One benchmark file: MB, seconds; asked_minutes is the time limit."""

    rule: str
    seconds: float
    memory: float
    cpu: float
    threads: int
    asked_memory: float
    asked_minutes: float


def read_benchmarks(folder: Path) -> list[Used]:
    """Every extended benchmark file under a folder (Snakemake's --benchmark-extended); others are left out."""
    found = []
    for path in sorted(folder.rglob("*.tsv")):
        with path.open() as file:
            for row in csv.DictReader(file, delimiter="\t"):
                if "resources" not in row:
                    continue
                asked = ast.literal_eval(row["resources"])
                used = (float(row[key]) if row[key] not in ("-", "NA") else 0.0 for key in ("s", "max_rss", "cpu_time"))
                found.append(Used(row["rule_name"], *used, int(row["threads"]), asked["mem_mb"], asked["runtime"]))
    return found


def efficiency(used: Iterable[Used]) -> str:
    """A Markdown table, a row a rule: the largest that its jobs used beside the largest that they asked for."""
    by_rule = defaultdict(list)
    for item in used:
        by_rule[item.rule].append(item)
    lines = [
        "| rule | jobs | MB asked | MB used | used | minutes asked | minutes used | used | CPU of its threads |",
        "|---|--:|--:|--:|--:|--:|--:|--:|--:|",
    ]
    for rule, items in sorted(by_rule.items()):
        asked, limit = max(item.asked_memory for item in items), max(item.asked_minutes for item in items)
        memory, minutes = max(item.memory for item in items), max(item.seconds for item in items) / 60
        cpu = sum(item.cpu for item in items) / max(sum(item.seconds * item.threads for item in items), 1e-9)
        cells = [rule, f"{len(items)}", f"{asked:.0f}", f"{memory:.0f}", f"{memory / asked:.0%}", f"{limit:.0f}"]
        cells += [f"{minutes:.1f}", f"{minutes / limit:.0%}", f"{cpu:.0%}"]
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)
