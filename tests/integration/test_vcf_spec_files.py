"""The test files of samtools/hts-specs for VCF 4.2: passed ones are accepted, failed ones refused for their subject."""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest

from ngc_check import vcf

DATA = Path(os.environ.get("NGC_WGS_TEST_DATA") or Path(__file__).parents[3] / "shared" / "data") / "vcf_spec_4.2"
pytestmark = pytest.mark.skipif(not DATA.is_dir(), reason="the shared test data (vcf_spec_4.2) are not there")

PASSED = sorted((DATA / "passed").glob("*.vcf"))
FAILED = sorted((DATA / "failed").glob("*.vcf"))

# The subject in a file's name -> the rules of which one must be among those that refuse it.
SUBJECTS = {
    "body_alt": {"VCF-SPEC-017"},
    "body_chrom": {"VCF-SPEC-013"},
    "body_contiguous": {"VCF-SPEC-023"},
    "body_unsorted": {"VCF-SPEC-023"},
    "body_duplicated": {"VCF-SPEC-024"},
    "body_filter": {"VCF-SPEC-019"},
    "body_format": {"VCF-SPEC-021", "VCF-SPEC-022"},
    "body_id": {"VCF-SPEC-015"},
    "body_info": {"VCF-SPEC-020"},
    "body_pos": {"VCF-SPEC-014"},
    "body_qual": {"VCF-SPEC-018"},
    "body_ref": {"VCF-SPEC-016"},
    "body_sample": {"VCF-SPEC-022", "VCF-SPEC-011"},
    "body_samples_ploidy": {"VCF-SPEC-022"},
    "fileformat": {"VCF-SPEC-001"},
    "header": {"VCF-SPEC-010"},
    "meta": {"VCF-SPEC-003", "VCF-SPEC-004", "VCF-SPEC-005", "VCF-SPEC-007"},
    "meta_alt": {"VCF-SPEC-007"},
    "meta_assembly": {"VCF-SPEC-003", "VCF-SPEC-009"},
    "meta_contig": {"VCF-SPEC-008"},
    "meta_format": {"VCF-SPEC-005"},
    "meta_info": {"VCF-SPEC-004"},
    "meta_pedigree": {"VCF-SPEC-009"},
    "meta_pedigreedb": {"VCF-SPEC-003", "VCF-SPEC-009"},
    "meta_sample": {"VCF-SPEC-009"},
}


def failing(path: Path) -> set[str]:
    return {finding.rule for finding in vcf.check_vcf(path, spec_only=True) if finding.status not in ("INFO",)}


def test_all_files_are_there():
    assert (len(PASSED), len(FAILED)) == (25, 190)


@pytest.fixture(params=["exact", "fast"])
def path_of_judgement(request, monkeypatch):
    monkeypatch.setattr(vcf, "MIN_FAST", 1 if request.param == "fast" else 1 << 30)


def test_threads_find_the_same_in_the_same_order_in_all_files(monkeypatch):
    for name, value in {"MIN_FAST": 1, "BLOCK": 120, "CHUNK": 61, "LEAF": 60}.items():
        monkeypatch.setattr(vcf, name, value)
    for path in PASSED + FAILED:
        one, three = (list(vcf.check_vcf(path, spec_only=True, threads=threads)) for threads in (1, 3))
        assert one == three, path.name


@pytest.mark.parametrize("path", PASSED, ids=lambda path: path.stem)
def test_a_good_file_is_accepted(path, path_of_judgement):
    assert failing(path) == set()


@pytest.mark.parametrize("path", FAILED, ids=lambda path: path.stem)
def test_a_bad_file_is_refused_for_its_subject(path, path_of_judgement):
    subject = re.fullmatch(r"failed_(.+)_\d+", path.stem)[1]
    assert failing(path) & SUBJECTS[subject]
