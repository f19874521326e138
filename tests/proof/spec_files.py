"""The test files of samtools/hts-specs for VCF 4.2, by the specification's rules alone."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import measure as m
import support

from ngc_check import vcf

FOLDER = m.DATA / "vcf_spec_4.2"
EBI = {"passed": 23, "failed": 189}
"""What EBI's vcf_validator, the field's reference, judges as the files' names say."""


def refused(path: Path) -> bool:
    """Whether any rule of the specification refuses a file."""
    return any(finding.status != "INFO" for finding in vcf.check_vcf(path, spec_only=True))


def run(place: Path) -> Iterator[str]:
    """How many files are judged as their names say, by subject."""
    yield "## hts-specs' own files for VCF 4.2\n"
    if not FOLDER.is_dir():
        yield "Skipped: the test data are not there; set NGC_WGS_TEST_DATA.\n"
        return
    rows, wrong = [], []
    for folder, wanted in (("passed", False), ("failed", True)):
        right: Counter[str] = Counter()
        paths = sorted((FOLDER / folder).glob("*.vcf"))
        subjects = Counter(re.sub(r"_\d+$", "", path.stem.split("_", 1)[1]) for path in paths)
        for path in paths:
            verdicts = []
            for vcf.MIN_FAST in (1 << 30, 1):  # every line by itself; and by columns first
                verdicts.append(refused(path) == wanted)
            vcf.MIN_FAST = 1 << 18
            right[re.sub(r"_\d+$", "", path.stem.split("_", 1)[1])] += all(verdicts)
            if not all(verdicts):
                wrong.append(path.name)
        rows.append([f"**{folder}**", len(paths), right.total(), EBI[folder]])
        rows += [[subject, count, right[subject], ""] for subject, count in sorted(subjects.items())]
    yield m.table(["files", "there", "judged as named", "EBI vcf_validator"], rows)
    counts = [rows[0][1], next(row[1] for row in rows if row[0] == "**failed**")]
    if counts != [25, 190]:
        wrong.append(f"{counts} files are there, 25 and 190 were expected")
    yield from support.failed(wrong)
