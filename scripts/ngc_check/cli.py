"""Command line: `ngc-wgs check DIR|FILE`, `ngc-wgs compare A B`."""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import shutil
import signal
import sys
import textwrap
import traceback
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TypeVar

import ngc_profile

STATUS_ORDER = ("FAIL", "WARN", "NOT_CHECKED", "INFO")
EXIT_UNJUDGED = 2
T = TypeVar("T")
MAX_THREADS = 64


def add_check(commands) -> None:
    """Add `check` to an argument parser's commands."""
    check = commands.add_parser(
        "check",
        help="judge a submission folder or a single file",
        description="Judge a submission folder, or a single VCF, gVCF, CRAM, BAM, manifest, metrics file or report. "
        "Exit status: 0 conforms, 1 does not, 2 could not be judged.",
    )
    check.add_argument("target", metavar="DIR|FILE", help="what to judge")
    check.add_argument(
        "--spec-only", action="store_true", help="leave out the rules of the profile, keep those of the formats"
    )
    check.add_argument("--json", action="store_true", help="report as JSON (check.schema.json)")
    check.add_argument("--profile", metavar="YAML", help="profile to judge by (default: the one that ships)")
    check.add_argument(
        "--overlay", metavar="YAML", help="overlay on the profile's reference (default: the submission's own)"
    )
    check.add_argument(
        "--reference", metavar="FASTA", help="reference with .fai, to judge REF alleles and CRAM records"
    )
    check.add_argument(
        "--public-key",
        metavar="FILE|DIR",
        action="append",
        default=[],
        help="trusted key (or folder of keys, *.pub) that the submission must be signed with; may be repeated",
    )
    check.add_argument(
        "--private-key",
        metavar="FILE",
        help="Crypt4GH key of the receiver, to judge an encrypted submission or file (decrypted for the while under "
        "TMPDIR)",
    )
    check.add_argument("--deny-list", metavar="TXT", help="words that must not be there, one a line")
    check.add_argument("--date", metavar="YYYY-MM-DD", help="day to judge a single file at (default: today)")
    check.add_argument(
        "--threads",
        metavar="N",
        type=_threads,
        default=1,
        help="threads to judge a VCF with (default: 1); the report is the same",
    )
    check.set_defaults(run=run)


def add_compare(commands) -> None:
    """Add `compare` to an argument parser's commands."""
    compare = commands.add_parser(
        "compare",
        help="show what differs between two submissions",
        description="Show what differs between two submissions, down to the record and its column. Exit status: 0 same "
        "content, 1 different, 2 could not be compared.",
    )
    compare.add_argument("a", metavar="A", help="submission folder")
    compare.add_argument("b", metavar="B", help="submission folder")
    compare.add_argument("--json", action="store_true", help="the comparison as JSON")
    compare.add_argument("--reference", metavar="FASTA", help="reference with .fai, to compare CRAM records")
    compare.add_argument(
        "--private-key", metavar="FILE", help="Crypt4GH key of the receiver, for encrypted submissions"
    )
    compare.add_argument(
        "--limit",
        metavar="N",
        type=int,
        default=20,
        help="differences shown of each file (default: 20); all are counted",
    )
    compare.set_defaults(run=run_compare)


def main(argv: Sequence[str] | None = None) -> int:
    """The judge by itself, without the sender's commands; returns its exit status."""
    top = argparse.ArgumentParser(prog="ngc-wgs", description="The judge of submissions.")
    commands = top.add_subparsers(dest="command", required=True, metavar="COMMAND")
    add_check(commands)
    add_compare(commands)
    arguments = top.parse_args(argv)
    return arguments.run(arguments)


def run(arguments: argparse.Namespace) -> int:
    """Judge and report; returns the exit status."""
    # polars starts as many threads as there are cores where nobody tells it, and gains nothing by it on small blocks.
    os.environ.setdefault("POLARS_MAX_THREADS", str(arguments.threads))
    from ngc_check.submission import Report, check  # a mistyped command needs no pysam

    def judge() -> Report:
        profile = ngc_profile.load_valid(arguments.profile, arguments.overlay)
        return check(
            arguments.target,
            profile,
            overlay_given=arguments.overlay is not None,
            profile_path=arguments.profile,
            reference=arguments.reference,
            deny=_deny_list(arguments.deny_list),
            spec_only=arguments.spec_only,
            on_date=_day(arguments.date),
            public_keys=arguments.public_key,
            private_key=arguments.private_key,
            threads=arguments.threads,
        )

    name = Path(arguments.target).name or arguments.target
    report, reason = _attempt(judge, name, arguments.private_key)
    report = report or Report(name, "unknown", reason=reason, spec_only=arguments.spec_only)
    _show(json.dumps(report.as_dict(), indent=2) if arguments.json else table(report))
    return report.exit_code


def run_compare(arguments: argparse.Namespace) -> int:
    """Compare and report; returns the exit status."""
    from ngc_check.compare import Comparison, compare

    def work() -> Comparison:
        options = {key: getattr(arguments, key) for key in ("reference", "private_key", "limit")}
        return compare(arguments.a, arguments.b, **options)

    names = [Path(path).name or path for path in (arguments.a, arguments.b)]
    found, reason = _attempt(work, " and ".join(names), arguments.private_key)
    found = found or Comparison(*names, reason=reason)
    _show(json.dumps(found.as_dict(), indent=2) if arguments.json else comparison_table(found))
    return found.exit_code


def _attempt(work: Callable[[], T], name: str, private_key: str | None) -> tuple[T | None, str]:
    """(what the work gives, "") or (None, why it could not be done)."""
    from ngc_check.submission import CannotJudge

    # Ended in a usual way, the process leaves nothing decrypted behind.
    signals = (signal.SIGTERM, signal.SIGHUP) if private_key else ()
    handlers = {number: signal.signal(number, lambda number, _: sys.exit(128 + number)) for number in signals}
    try:
        return work(), ""
    except (CannotJudge, ngc_profile.ProfileError) as error:
        return None, str(error)
    except (MemoryError, RecursionError) as error:
        return None, f"{name}: too large or too deep to be judged ({type(error).__name__})"
    except Exception as error:  # the last net: who runs a check is told that it judged nothing, never shown a traceback
        at = traceback.extract_tb(error.__traceback__)[-1]
        reason = f"{name}: the checker itself failed, {type(error).__name__} in {Path(at.filename).name}:{at.lineno}"
        return None, f"{reason}; please report it"
    finally:
        for number, handler in handlers.items():
            signal.signal(number, handler)


def _show(text: str) -> None:
    """Print what was asked for."""
    with contextlib.suppress(AttributeError):
        sys.stdout.reconfigure(errors="replace")  # a terminal of few letters still gets its table
    try:
        print(text)
        sys.stdout.flush()
    except BrokenPipeError:  # the reader, for example `head`, has seen enough
        sys.stderr.close()


def _threads(text: str) -> int:
    if not text.isdecimal() or not 1 <= int(text) <= MAX_THREADS:
        raise argparse.ArgumentTypeError(f"{text}: not a whole number from 1 to {MAX_THREADS}")
    return int(text)


def _deny_list(path: str | None) -> list[str]:
    from ngc_check.submission import CannotJudge

    if path is None:
        return []
    try:
        return Path(path).read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise CannotJudge(
            f"{Path(path).name}: the deny-list cannot be read: {getattr(error, 'strerror', None) or error}"
        ) from None


def _day(text: str | None) -> str | None:
    from datetime import date

    from ngc_check.submission import CannotJudge

    try:
        return date.fromisoformat(text).isoformat() if text else None
    except ValueError:
        raise CannotJudge(f"--date {text}: not a day written YYYY-MM-DD") from None


def table(report) -> str:
    """The report for people: verdict first, then each finding with what to do."""
    if report.reason:
        return f"{report.target}: COULD NOT BE JUDGED\n  {report.reason}"
    width = max(60, min(shutil.get_terminal_size((110, 24)).columns, 140))
    identity = report.profile.identity()
    overlay = f" with overlay {identity['overlay']['id']}" if identity["overlay"] else ""
    lines = [
        f"{report.target}: {report.verdict.replace('_', ' ')}",
        f"  profile {identity['id']} {identity['version']}{overlay}, judged at {report.judged_at}"
        + (", format rules only" if report.spec_only else ""),
    ]
    for finding, others in _grouped(report.findings):
        where = " ".join(part for part in (finding.file, finding.place) if part)
        more = f" ({finding.count} times)" if finding.count > 1 else ""
        rules = finding.rule + (f" and {others} more rules" if others else "")
        lines.append("")
        lines.append(f"{finding.status:<11} {rules}  {where}{more}")
        for label, text in (("found", finding.evidence), ("mend", finding.mend)):
            if text and not (label == "mend" and finding.status == "NOT_CHECKED"):
                lines += textwrap.wrap(f"{label}: {text}", width, initial_indent=" " * 12, subsequent_indent=" " * 18)
    counts = report.counts()
    lines += ["", "  " + ", ".join(f"{counts[status]} {status}" for status in STATUS_ORDER)]
    return "\n".join(lines)


def comparison_table(found) -> str:
    """A comparison for people: verdict first, then each file's differences, A's value before B's."""
    if found.reason:
        return f"COULD NOT BE COMPARED\n  {found.reason}"
    lines = [f"A {found.a}, B {found.b}: {found.verdict.replace('_', ' ')}"]
    for file, count in found.counts.items():
        lines += ["", f"{file}: {count} difference{'s' if count > 1 else ''}"]
        of_file = [difference for difference in found.differences if difference.file == file]
        for d in of_file:
            values = f"  {'-' if d.a is None else d.a} | {'-' if d.b is None else d.b}" if d.a or d.b else ""
            lines.append("  " + " ".join(part for part in (d.place, d.what) if part) + values)
        if count > len(of_file):
            lines.append(f"  and {count - len(of_file)} more (--limit)")
    if found.uncompared:
        lines += ["", "Not compared", *(f"  {file}: {reason}" for file, reason in found.uncompared.items())]
    if found.same_content:
        lines += [
            "",
            "Same content in other bytes, or made from what is compared",
            *map("  {}".format, found.same_content),
        ]
    return "\n".join(lines)


def _grouped(findings: list) -> list[tuple]:
    """(finding, number of other rules) in the table's order: what many rules lack for one reason is said once."""
    groups: dict[tuple, list] = {}
    for finding in sorted(findings, key=lambda f: (STATUS_ORDER.index(f.status), f.rule)):
        one = finding.status == "NOT_CHECKED"
        reason = (finding.file, finding.place, finding.evidence) if one else id(finding)
        groups.setdefault((finding.status, reason), []).append(finding)
    return [(group[0], len(group) - 1) for group in groups.values()]


if __name__ == "__main__":
    sys.exit(main())
