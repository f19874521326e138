"""A sample's clearance: of which reads, and as whose, it passed a gate. Standard library only: each parse reads it."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable
from pathlib import Path

Row = dict[str, str]
Reads = dict[str, list[int]]
"""Size (bytes) and time (ns) of each FASTQ by its path."""


def judged(units: Iterable[Row], reports: Iterable[dict]) -> Reads:
    """The reads of units as intake saw them. units: rows of units.tsv; reports: their intake reports, in that order."""
    return {
        path: [fastq["bytes"], fastq["mtime_ns"]]
        for unit, report in zip(units, reports, strict=True)
        for fastq, path in zip(report["fastq"], (unit["fq1"], unit["fq2"]), strict=True)
    }


def there(units: Iterable[Row]) -> Reads:
    """The reads of units as they lie there now."""
    found = {path: os.stat(path) for unit in units for path in (unit["fq1"], unit["fq2"])}
    return {path: [status.st_size, status.st_mtime_ns] for path, status in found.items()}


def text(reads: Reads, as_whose: str | None) -> str:
    """Content of a clearance. as_whose: sex and sample type of the table, to be called; None to be aligned."""
    return json.dumps({"reads": reads, "as": as_whose}, indent=1) + "\n"


def holds(path: Path, units: Iterable[Row], as_whose: str | None) -> bool:
    """Whether there is a clearance and it is of the reads that are there, and as whose they are called."""
    return path.is_file() and path.read_text() == text(there(units), as_whose)
