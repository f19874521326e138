"""What atheris runs: the VCF reader, both its paths, or the readers of alignments, indexes, JSON and reports.

fuzz_target.py vcf|header|files FOLDER [atheris options]. Ends with a traceback, and a status other than 0, at the
first input on which the judge does anything but report findings.
"""

from __future__ import annotations

import contextlib
import random
import sys
from pathlib import Path

import atheris

with atheris.instrument_imports(include=["ngc_check"]):
    from ngc_check import alignment, digests, identifiers, manifest, vcf, vcf_fast, vcf_spec  # noqa: F401

from submission_fixture import SAMPLE, Submission

import ngc_profile

what, folder = sys.argv[1], Path(sys.argv[2])
seeds = Submission(folder / "submission")
if not seeds.root.is_dir():
    seeds = Submission.build(folder / "submission")
PROFILE = ngc_profile.load(seeds.profile_path)
SCRATCH = folder / f"{what}.input"
BODY = "1\t10\t.\tA\tC\t5\tPASS\tDP=3\tGT:AD:DP:GQ\t0/1:1,2:3:9\n"


def judge_vcf(data: bytes) -> None:
    """A VCF, every rule on, line by line and by columns: the same findings, each of a rule."""
    SCRATCH.write_bytes(data)
    kind = "gvcf" if b"NON_REF" in data else "vcf"
    results = []
    for fast in (True, False):
        vcf.MIN_FAST = 1
        found = vcf.check_vcf(
            SCRATCH, PROFILE, kind=kind, sample=SAMPLE, sex="male", reference=seeds.reference, fast=fast, digests={}
        )
        results.append(list(found))
    assert results[0] == results[1], "the fast path and the exact one differ"
    assert all(finding.rule for finding in results[0])


def judge_header(data: bytes) -> None:
    """Header lines of a version, and one record."""
    version = b"##fileformat=VCFv4.3\n" if data[:1] > b"\x7f" else b"##fileformat=VCFv4.2\n"
    column = b"\n#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\tFORMAT\tS\n"
    SCRATCH.write_bytes(version + data[1:] + column + BODY.encode())
    for spec_only in (True, False):
        list(vcf.check_vcf(SCRATCH, PROFILE, spec_only=spec_only, sample="S", sex="male", digests={}))


def judge_files(data: bytes) -> None:
    """The readers of small files: index of an alignment, JSON, report."""
    text = data[1:].decode("utf-8", "replace")
    SCRATCH.with_suffix(".crai").write_bytes(data)
    alignment._index_reads(SCRATCH.with_suffix(".crai"), 6, 5000)
    with contextlib.suppress(manifest.BadJson):
        manifest.parse_json(text)
    scanner = identifiers.scanner_for(PROFILE, ["Hansen"])
    for _, part in identifiers.html_texts(text):
        scanner.mask(part or "")


TARGETS = {"vcf": judge_vcf, "header": judge_header, "files": judge_files}


def corpus() -> Path:
    """Seeds: good files, plain, and the pieces that make them."""
    place = folder / f"{what}.corpus"
    place.mkdir(exist_ok=True)
    parts = {
        "vcf": [seeds.vcf_text().encode(), seeds.gvcf_text().encode(), seeds.path("vcf.gz").read_bytes()],
        "header": [b"\x00" + seeds.vcf_header("vcf").encode(), b"\xff" + seeds.vcf_header("gvcf").encode()],
        "files": [
            seeds.path("cram.crai").read_bytes(),
            b"\x00" + (seeds.root / "manifest.json").read_bytes(),
            b"\x00" + next(seeds.data.glob("*.html")).read_bytes(),
        ],
    }[what]
    for number, part in enumerate(parts):
        (place / str(number)).write_bytes(part)
    return place


if __name__ == "__main__":
    random.seed(20261122)
    atheris.Setup([sys.argv[0], str(corpus()), *sys.argv[3:]], TARGETS[what])
    atheris.Fuzz()
