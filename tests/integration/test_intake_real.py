"""Intake of real reads, of broken files and of the references they come with.

The data lie beside the project, in `../shared/data` or where NGC_WGS_TEST_DATA says.
"""

import gzip
import os
from pathlib import Path

import measure
import pytest
import yaml

import make_overlay
import ngc_profile
from ngc_wgs.intake import inspect_unit, judge_case
from ngc_wgs.reference import reference_identity

ROOT = Path(__file__).resolve().parents[2]
DATA = Path(os.environ.get("NGC_WGS_TEST_DATA") or ROOT.parent / "shared" / "data")

pytestmark = pytest.mark.skipif(not DATA.is_dir(), reason=f"the real reads are not there: {DATA}")

SINGLE = "single_end_failing"
PAIR = "paired_end_{}.fastq.gz"


def row(flowcell: str = "HFLOW1XX", lane: str = "1", sample: str = "NA12878001") -> dict[str, str]:
    return {"sample": sample, "library": "LIB1", "flowcell": flowcell, "lane": lane}


# ---- broken files --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("one", "two", "code", "message"),
    [
        (
            PAIR.format("failing_read1.differring_line_count"),
            PAIR.format("failing_read2.differring_line_count"),
            "PAIR_COUNT",
            "R1 holds 1,000 reads, R2 holds 999",
        ),
        (
            f"{SINGLE}.line_count.fastq.gz",
            PAIR.format("passing_read2"),
            "FASTQ_TRUNCATED",
            "R1: the file ends within a record, which takes four lines",
        ),
        (
            "test_corrupted_30reads_R1.fastq.gz",
            "test_corrupted_30reads_R2.fastq.gz",
            "GZIP_CORRUPT",
            "R1: the gzip data are corrupted: they do not decompress to what their own checksum says",
        ),
        (
            "test_corrupted_30reads_R1.fastq.gz",
            "test_corrupted_30reads_R2.fastq.gz",
            "LENGTH_MISMATCH",
            "R2: sequence and quality differ in length",
        ),
        (
            "test_quality_mismatch.fastq",
            "test_quality_mismatch.fastq",
            "LENGTH_MISMATCH",
            "R1: sequence and quality differ in length",
        ),
        (
            "test_truncated_clean.fastq",
            "test_truncated_halfway.fastq",
            "FASTQ_TRUNCATED",
            "R1: the file ends within a record, which takes four lines",
        ),
        (
            "test_truncated_clean.fastq",
            "test_truncated_halfway.fastq",
            "FASTQ_TRUNCATED",
            "R2: the file ends within a record, which takes four lines",
        ),
        ("test_truncated_clean.fastq", "test_truncated_halfway.fastq", "NOT_GZIP", "R1: the file is not gzip"),
        (
            PAIR.format("passing_read1"),
            PAIR.format("passing_read2"),
            "NAMES_REPEATED",
            "R1: a read has the name of an earlier one (999 of 1,000 records looked at)",
        ),
        (
            f"{SINGLE}.inconsistent_read_length.fastq.gz",
            f"{SINGLE}.inconsistent_read_length.fastq.gz",
            "SAME_CONTENT",
            "R1 and R2 hold the same reads",
        ),
    ],
)
def test_refuses_each_broken_file_with_its_message(one, two, code, message):
    folder = DATA / "broken_fastq"
    report = inspect_unit(row(), folder / one, folder / two)
    assert report["status"] == "refused"
    assert (code, message) in [(finding["code"], finding["message"]) for finding in report["findings"]]
    for fastq, path in zip(report["fastq"], (one, two), strict=True):
        assert fastq["bytes"] == (folder / path).stat().st_size


def test_says_at_which_record_quality_and_sequence_differ():
    path = DATA / "broken_fastq" / "test_corrupted_30reads_R2.fastq.gz"
    assert f"{path}, record 23" in [finding["where"] for finding in inspect_unit(row(), path, path)["findings"]]


@pytest.mark.parametrize(
    ("one", "lengths"),
    [(PAIR.format("passing_read1"), (150, 150)), (f"{SINGLE}.inconsistent_read_length.fastq.gz", (75, 150))],
)
def test_accepts_the_sound_records_once_each_read_has_its_name(tmp_path, one, lengths):
    for read, path in enumerate((one, PAIR.format("passing_read2")), start=1):
        lines = gzip.decompress((DATA / "broken_fastq" / path).read_bytes()).split(b"\n")
        lines[:-1:4] = [b"@read%d" % number for number in range(len(lines) // 4)]
        (tmp_path / f"{read}.fastq.gz").write_bytes(gzip.compress(b"\n".join(lines)))
    report = inspect_unit(row(), tmp_path / "1.fastq.gz", tmp_path / "2.fastq.gz")
    assert (report["status"], report["findings"], report["pairs"]) == ("accepted", [], 1000)
    assert (report["read_length_min"], report["read_length_max"]) == lengths


# ---- real reads ----------------------------------------------------------------------------


def test_finds_the_four_lanes_that_na12878_mixes():
    folder = DATA / "na12878_chr20"
    report = inspect_unit(row("C0D8DACXX"), folder / "NA12878_R1.fastq.gz", folder / "NA12878_R2.fastq.gz")
    assert [finding["code"] for finding in report["findings"]] == ["LANES_MIXED"] * 2
    message = report["findings"][0]["message"]
    for lane, count in ((1, "6,536"), (2, "6,573"), (3, "6,350"), (4, "6,380")):
        assert f"flowcell C0D8DACXX lane {lane}: {count}" in message
    assert report["pairs"] == 25_839


def test_accepts_na12878_once_it_is_split_by_lane(tmp_path):
    folder = DATA / "na12878_chr20"
    files = measure.split_by_lane(folder / "NA12878", tmp_path)
    reports = [inspect_unit(row(*lane), *paths) for lane, paths in sorted(files.items())]
    assert [report["unit"] for report in reports] == [f"NA12878001.LIB1.C0D8DACXX.L{lane}" for lane in (1, 2, 3, 4)]
    assert {(report["status"], report["names"], report["read_length_max"]) for report in reports} == {
        ("accepted", "MATCH", 101)
    }
    assert sum(report["pairs"] for report in reports) == 25_839
    assert sum(report["bases"] for report in reports) == 2 * 25_839 * 101
    assert judge_case(reports) == []


@pytest.mark.parametrize("person", ["NA12878", "NA19401"])
def test_accepts_each_lane_of_two_unrelated_persons(tmp_path, person):
    folder = DATA / "unrelated"
    files = measure.split_by_lane(folder / person, tmp_path)
    reports = [inspect_unit(row(*lane), *paths) for lane, paths in files.items()]
    assert len(reports) > 8
    assert {(report["status"], report["names"]) for report in reports} == {("accepted", "MATCH")}


def test_finds_reads_of_another_person_by_their_flowcells():
    folder = DATA / "contamination"
    report = inspect_unit(row(), folder / "contam_0.05_R1.fastq.gz", folder / "contam_0.05_R2.fastq.gz")
    assert {finding["code"] for finding in report["findings"]} == {"LANES_MIXED"}


@pytest.mark.parametrize(
    ("one", "two"),
    [
        ("mito/micro_rg1_R1.fq.gz", "mito/micro_rg1_R2.fq.gz"),
        ("trio_ceu_10kb/HG001_R1.fastq.gz", "trio_ceu_10kb/HG001_R2.fastq.gz"),
        ("trio_ceu_10kb/NA12891_R1.fastq.gz", "trio_ceu_10kb/NA12891_R2.fastq.gz"),
        (
            "tn_hcc1954_sv/C09D_T_111207.3.ACCAACTG_R1_xxx.fastq.gz",
            "tn_hcc1954_sv/C09D_T_111207.3.ACCAACTG_R2_xxx.fastq.gz",
        ),
    ],
)
def test_accepts_reads_that_an_archive_renamed(one, two):
    report = inspect_unit(row(), DATA / one, DATA / two)
    assert (report["findings"], report["names"]) == ([], "NOT_IN_NAMES")


def test_refuses_r2_of_another_sample():
    one, two = DATA / "trio_ceu_10kb" / "HG001_R1.fastq.gz", DATA / "trio_ceu_10kb" / "NA12892_R2.fastq.gz"
    assert {"PAIR_COUNT", "PAIR_NAMES"} <= {finding["code"] for finding in inspect_unit(row(), one, two)["findings"]}


# ---- references ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    "name", ["GRCh38_chr21_chr22_16570000_16610000.fa", "hg19_chr20_9995001_11095000.fa", "rCRS_NC_012920.fa"]
)
def test_a_slice_is_refused_by_the_profile_and_accepted_under_its_overlay(tmp_path, name):
    fasta = DATA / "ref" / name
    assert reference_identity(fasta, ngc_profile.load())["findings"]
    overlay = tmp_path / "overlay.yaml"
    overlay.write_text(yaml.safe_dump(make_overlay.overlay(str(fasta), "SLICE", ngc_profile.load().id)))
    identity = reference_identity(fasta, ngc_profile.load(overlay=overlay))
    assert (identity["findings"], identity["not_verified"]) == ([], [])


def test_the_mitochondrial_reference_has_its_published_md5():
    identity = reference_identity(DATA / "ref" / "rCRS_NC_012920.fa", ngc_profile.load())
    assert identity["contigs"][0]["md5"] == "c68f52674c9fb33aef52dcf399755519"
