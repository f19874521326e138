"""Packing: links, seals, digests, parts of the manifest. Whole bags are made and judged in the integration tests."""

import gzip
import hashlib
import json
import os
import stat

import pytest

import ngc_profile
from ngc_wgs import package

CASE = {
    "case": "AAAA1111", "submission_type": "correction", "supersedes": "BBBB2222", "legal_basis": "treatment",
    "analysis_date": "2026-06-01", "consent": "yes", "patient_group": "g", "requisition_id": "NGCWGS1", "site": "s",
    "region": "1082", "requester_sor": "1", "study_type": "single", "phenotypes": "HP:0001250;HP:0001263",
    "diagnosis": "DQ878C;ORPHA:15",
}  # fmt: skip


def test_the_content_digest_of_a_vcf_leaves_out_meta_lines_and_compression(tmp_path):
    records = b"#CHROM\tPOS\nchr1\t1\n"
    digests = set()
    for name, meta, level in (("a", b"##source=x\n", 1), ("b", b"##source=y\n##z\n", 9)):
        path = tmp_path / name
        path.write_bytes(gzip.compress(meta + records, level))
        digests.add(package.content_digest(path, "vcf-records-sha256", "")["value"])
    assert digests == {hashlib.sha256(records).hexdigest()}


def test_the_content_digest_of_json_leaves_out_its_layout(tmp_path):
    digests = set()
    for name, text in (("a", '{"b": 1, "a": "å"}'), ("b", '{\n "a": "\\u00e5",\n "b": 1\n}')):
        (tmp_path / name).write_text(text, encoding="utf-8")
        digests.add(package.content_digest(tmp_path / name, "json-canonical-sha256", "")["value"])
    assert digests == {hashlib.sha256('{"a":"å","b":1}'.encode()).hexdigest()}


def test_a_file_type_without_content_digest_has_none(tmp_path):
    assert package.content_digest(tmp_path / "x", None, "") is None


def test_an_unknown_digest_is_an_error(tmp_path):
    with pytest.raises(ValueError, match="no such content digest"):
        package.content_digest(tmp_path / "x", "md5", "")


def test_large_files_are_linked_and_not_copied(tmp_path):
    (tmp_path / "a").write_text("x")
    package.link(tmp_path / "a", tmp_path / "b")
    assert (tmp_path / "a").stat().st_ino == (tmp_path / "b").stat().st_ino


def test_files_are_copied_where_links_cannot_be_made(tmp_path, monkeypatch):
    def no_links(source, target):
        raise OSError("cross-device")

    monkeypatch.setattr(os, "link", no_links)
    (tmp_path / "a").write_text("x")
    package.link(tmp_path / "a", tmp_path / "b")
    assert (tmp_path / "b").read_text() == "x"


def test_a_seal_takes_every_write_bit_and_a_sealed_folder_can_be_discarded(tmp_path):
    folder = tmp_path / "bag"
    (folder / "data").mkdir(parents=True)
    (folder / "data" / "x").write_text("x")
    package.seal(folder)
    modes = {path.stat().st_mode for path in (folder, folder / "data", folder / "data" / "x")}
    assert not any(mode & (stat.S_IWUSR | stat.S_IWGRP | stat.S_IWOTH) for mode in modes)
    package.discard(folder)
    assert not folder.exists()


def test_a_case_s_row_becomes_its_part_of_the_manifest():
    entry = package.case_entry(CASE, ngc_profile.load())
    assert entry["submission"] == {"id": "AAAA1111", "type": "correction", "supersedes": "BBBB2222"}
    assert [term["id"] for term in entry["phenotypes"]] == ["HP:0001250", "HP:0001263"]
    assert [(d["system"], d["code"]) for d in entry["diagnoses"]] == [("SKS", "DQ878C"), ("ORPHA", "15")]
    assert (
        package.case_entry({**CASE, "supersedes": "", "phenotypes": "", "diagnosis": ""}, ngc_profile.load())[
            "phenotypes"
        ]
        == []
    )


def test_libraries_gather_their_runs_and_fastq_digests():
    unit = {"sample": "S", "library": "L", "flowcell": "F", "platform": "ILLUMINA", "model": "m", "library_kit": "k",
            "pcr_free": "yes"}  # fmt: skip
    units = {"u1": {**unit, "lane": "1"}, "u2": {**unit, "lane": "2"}}
    fastq = [{"read": 1, "sha256": "a", "bytes": 1, "reads": 2, "content_sha256": "c"}]
    intake = {"u1": {"read_length_max": 100, "fastq": fastq}, "u2": {"read_length_max": 150, "fastq": fastq}}
    row = dict.fromkeys(("sample", "relation", "sample_type", "sex", "affected", "material", "conservation"), "x")
    entry = package.sample_entry(row, units, intake, {"status": "PASS", "metrics": []})
    [library] = entry["libraries"]
    assert (library["read_length"], library["pcr_free"]) == (150, True)
    assert [run["lane"] for run in library["runs"]] == ["1", "2"]
    assert library["runs"][0]["fastq"] == [{"read": 1, "sha256": "a", "bytes": 1, "reads": 2}]


def test_canonical_json_is_stable():
    assert package.canonical({"b": [1, 2], "a": None}) == b'{"a":null,"b":[1,2]}'
    assert json.loads(package.canonical({"x": "æ"})) == {"x": "æ"}


def test_what_was_not_called_is_left_out_with_its_index():
    entry = {"file_type": "mitochondrial_vcf", "sample": "AAAA1111", "reason": "too few reads"}
    names = package.left_out([entry], "CCCC1111", ngc_profile.load())
    assert names == {"AAAA1111.mt.vcf.gz", "AAAA1111.mt.vcf.gz.tbi"}
    assert package.left_out([{**entry, "file_type": "family_vcf", "sample": None}], "CCCC1111", ngc_profile.load()) == {
        "CCCC1111.family.vcf.gz",
        "CCCC1111.family.vcf.gz.tbi",
    }
    assert package.left_out([], "CCCC1111", ngc_profile.load()) == set()


TUMOUR, NORMAL = "TTTT1111", "NNNN1111"
ROWS = [
    {"sample": NORMAL, "relation": "index", "sample_type": "germline"},
    {"sample": TUMOUR, "relation": "index", "sample_type": "tumour"},
]


@pytest.mark.parametrize(
    ("kind", "rows", "wanted"),
    [
        ("somatic_vcf", ROWS, {"tumour": TUMOUR, "normal": NORMAL}),
        ("somatic_vcf", ROWS[1:], {"tumour": TUMOUR}),
        ("somatic_vcf_index", ROWS, None),
        ("mutation_contexts", ROWS, None),
        ("germline_vcf", ROWS, None),
        ("alignment_cram", ROWS, None),
    ],
)
def test_a_tumours_vcf_names_its_columns(kind, rows, wanted):
    profile = ngc_profile.load()
    assert package.columns(profile.data["files"][kind], TUMOUR, rows, profile) == wanted
