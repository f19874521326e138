"""The end of every run: each case accepted, refused or stopped, with the reasons."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from ngc_wgs.progress import LOG_LINES, log_lines

SHOWN_REASONS = 5
GATE_SAYS = " refuses "
"""In the log of a gate that stops a case or the run, and of no tool that fails."""


@dataclass(frozen=True)
class Stop:
    """A job that did not finish: its rule and its log (None where it has none)."""

    rule: str
    log: str | None


@dataclass(frozen=True)
class Verdict:
    """One row of the verdict table; verdict is ACCEPTED, REFUSED (by a gate or the checker) or STOPPED (by a fault).

    metrics: of its samples, those that are not PASS: sample, and what metrics.schema.json has of a metric.
    warnings: what the checker warns of in an accepted submission, one line a rule, and samples of it that another
    case has too.
    """

    case: str
    verdict: str
    reasons: tuple[str, ...]
    submission: str
    metrics: tuple[dict, ...] = ()
    warnings: tuple[str, ...] = ()


def reasons(report: dict) -> list[str]:
    """What a check report holds against a submission, one line a finding: rule, place, evidence, mend."""
    return [
        " ".join(str(finding[key]) for key in ("rule", "file", "place", "evidence") if finding.get(key))
        + (f". Mend: {finding['mend']}." if finding.get("mend") else "")
        for finding in report["findings"]
        if finding["status"] == "FAIL"
    ]


def warnings(report: dict) -> list[str]:
    """What a check report warns of, metrics apart, one line a rule: the first finding, and how many there are."""
    first: dict[str, dict] = {}
    counts: dict[str, int] = {}
    for finding in report["findings"]:
        if finding["status"] == "WARN" and not finding["rule"].startswith("NGC-QC-"):
            first.setdefault(finding["rule"], finding)
            counts[finding["rule"]] = counts.get(finding["rule"], 0) + finding["count"]
    return [
        " ".join(str(finding[key]) for key in ("rule", "file", "place", "evidence") if finding.get(key))
        + (f" ({counts[rule]} times)" if counts[rule] > 1 else "")
        for rule, finding in first.items()
    ]


def judge(case: str, stops: list[Stop], results: Path = Path("results")) -> Verdict:
    """A case's verdict from what lies in `results` and the jobs that did not finish."""
    return replace(_judge(case, stops, results), metrics=tuple(_metrics(case, results)))


def warn_of_shared_persons(
    verdicts: list[Verdict], cases: Mapping[str, str], results: Path = Path("results")
) -> list[Verdict]:
    """The verdicts, each accepted case warned of a sample that another case found to be of the same person.

    cases: sample -> case. Of two such cases only the one that was measured later is refused: by then the other may
    have its submission.
    """
    said: dict[str, list[str]] = {}
    for case in (verdict.case for verdict in verdicts):
        report = results / "identity" / f"{case}.json"
        for row in json.loads(report.read_text())["relations"] if report.is_file() else []:
            other = cases.get(row["b"])
            if row["observed"] == "same person" and other not in (case, None):
                text = f"sample {row['b']} is the same person as {row['a']} of case {case}, see {report}"
                said.setdefault(other, []).append(text)
    return [
        replace(verdict, warnings=(*verdict.warnings, *said.get(verdict.case, ())))
        if verdict.verdict == "ACCEPTED"
        else verdict
        for verdict in verdicts
    ]


def _metrics(case: str, results: Path) -> Iterator[dict]:
    """Metrics of a case that are not PASS: of its alignments, and of its calls where those are not older."""
    aligned = results / "gate" / f"{case}.aligned.json"
    if not aligned.is_file():
        return
    for sample in json.loads(aligned.read_text())["samples"]:
        name, found = sample["biosample"]["id"], sample["metrics"]
        called = results / "qc" / f"{name}.metrics.json"
        if called.is_file() and called.stat().st_mtime_ns >= aligned.stat().st_mtime_ns:
            found = json.loads(called.read_text())["metrics"]
        yield from ({"sample": name, **metric} for metric in found if metric["status"] != "PASS")


def _judge(case: str, stops: list[Stop], results: Path) -> Verdict:
    folder = results / "submissions" / case
    report_file, receipt_file = results / "check" / f"{case}.json", results / "package" / f"{case}.json"
    if stops and any(stop.rule != "accept" for stop in stops):
        # A gate that refuses says more than a job that was still under way.
        first = next((stop for stop in stops if _refuses(stop)), stops[0])
        said, refused = log_lines(first.log), _refuses(first)
        # A gate lists what it found; a tool that fails says why at the end.
        shown = said[:LOG_LINES] if refused else said[-LOG_LINES:]
        log = (f"{first.log}:",) if said else ()
        return Verdict(case, "REFUSED" if refused else "STOPPED", (f"at {first.rule}", *log, *shown), "")
    if not report_file.is_file() or not receipt_file.is_file():
        return Verdict(case, "STOPPED", ("not checked",), "")
    report = json.loads(report_file.read_text())
    receipt = json.loads(receipt_file.read_text())
    if report["verdict"] != "CONFORMS":
        found = reasons(report)
        more = (f"and {len(found) - SHOWN_REASONS} more",) if len(found) > SHOWN_REASONS else ()
        return Verdict(case, "REFUSED", (*found[:SHOWN_REASONS], *more), str(folder))
    tags = folder / "tagmanifest-sha256.txt"
    if not tags.is_file() or hashlib.sha256(tags.read_bytes()).hexdigest() != receipt["tagmanifest_sha256"]:
        mend = f"run again with --forcerun {receipt_file}"
        return Verdict(case, "REFUSED", (f"the submission is gone or was changed after it was checked; {mend}",), "")
    return Verdict(case, "ACCEPTED", (), str(folder), warnings=tuple(warnings(report)))


def _refuses(stop: Stop) -> bool:
    return any(GATE_SAYS in line for line in log_lines(stop.log))


def table(verdicts: list[Verdict]) -> str:
    """The verdicts as tab-separated text with a header: case, verdict, reasons, submission, warnings."""

    def cell(lines: tuple[str, ...]) -> str:
        return " ".join(" | ".join(lines).split())

    rows = [("case", "verdict", "reasons", "submission", "warnings")]
    rows += [(v.case, v.verdict, cell(v.reasons), v.submission, cell(v.warnings)) for v in verdicts]
    return "".join("\t".join(row) + "\n" for row in rows)


def as_json(verdicts: list[Verdict]) -> str:
    """The verdicts as JSON: those of the table and, of each case, the metrics that are not PASS."""
    return json.dumps([asdict(verdict) for verdict in verdicts], indent=2, ensure_ascii=False) + "\n"


def for_people(verdicts: list[Verdict]) -> str:
    """The verdicts as an indented list, with a count."""
    width = max((len(v.case) for v in verdicts), default=0)
    lines = []
    for v in verdicts:
        lines.append(f"  {v.case:<{width}}  {v.verdict:<8}  {v.submission}".rstrip())
        files = ("manifest.json", f"data/{v.case}.multiqc.html") if v.verdict == "ACCEPTED" else ()
        warned = (f"WARN {item}" for item in v.warnings)
        shown = [*v.reasons, *(f"{v.submission}/{name}" for name in files), *warned, *_warnings(v)]
        lines += [f"  {'':<{width}}    {item}" for item in shown]
    accepted = sum(v.verdict == "ACCEPTED" for v in verdicts)
    return "\n".join([f"Verdict: {accepted} of {len(verdicts)} cases accepted", *lines])


def _warnings(verdict: Verdict) -> list[str]:
    """How many metrics warn and were not measured, in a line; none where none did."""
    warned = [metric for metric in verdict.metrics if metric["status"] == "WARN"]
    waived = sum(metric["waiver"] is not None for metric in warned)
    absent = sum(metric["status"] == "NOT_MEASURED" for metric in verdict.metrics)
    parts = [f"{len(warned)} warn" + (f" ({waived} waived)" if waived else "")] if warned else []
    parts += [f"{absent} not measured"] if absent else []
    return [f"metrics: {', '.join(parts)}; see results/verdict.json"] if parts else []
