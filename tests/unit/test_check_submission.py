"""Judging submissions: lifecycle, study types, dates, overlays, tampering, bad input, and the command itself."""

from __future__ import annotations

import copy
import dataclasses
import gzip
import json
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest
import yaml
from submission_fixture import ANALYSIS_DATE, CASE, SAMPLE, Submission, content_digest
from test_check_rules import write_overlay

import ngc_profile
from ngc_check import manifest as manifests
from ngc_check import quality, submission
from ngc_check.cli import main
from ngc_check.findings import Collector, Finding


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Submission:
    return Submission.build(tmp_path_factory.mktemp("submission"))


@pytest.fixture
def loose(template, tmp_path) -> Submission:
    return template.copy_to(tmp_path / "copy")


@pytest.fixture(scope="module")
def profile(template) -> ngc_profile.Profile:
    return ngc_profile.load_valid(template.profile_path)


def rules_of(manifest: dict, profile: ngc_profile.Profile) -> set[str]:
    collector = Collector(profile, manifests.analysis_date(manifest))
    collector.extend(manifests.check_fields(manifest, profile))
    return collector.failing_rules("FAIL", "WARN")


def person(manifest: dict, name: str, relation: str, kind: str = "germline", sex: str = "female") -> None:
    sample = copy.deepcopy(manifest["samples"][0])
    manifest["samples"].append({**sample, "sample": name, "relation": relation, "sample_type": kind, "sex": sex})


# --- fields of the manifest
@pytest.mark.parametrize(
    ("study", "people", "rules"),
    [
        ("single", [], set()),
        ("single", [("BBBBBBBB", "mother")], {"NGC-MAN-007"}),
        ("duo", [("BBBBBBBB", "mother")], set()),
        ("duo", [("BBBBBBBB", "sibling")], set()),
        ("duo", [("BBBBBBBB", "mother"), ("CCCCCCCC", "father", "germline", "male")], {"NGC-MAN-007"}),
        ("trio", [("BBBBBBBB", "mother"), ("CCCCCCCC", "father", "germline", "male")], set()),
        ("trio", [("BBBBBBBB", "mother"), ("CCCCCCCC", "sibling")], {"NGC-MAN-007"}),
        ("trio", [("BBBBBBBB", "mother"), ("CCCCCCCC", "father")], {"NGC-MAN-007"}),  # a female father
        ("duo", [("BBBBBBBB", "index")], {"NGC-MAN-004"}),
        ("tumour-normal", [("BBBBBBBB", "index", "tumour", "male")], set()),
        ("tumour-normal", [("BBBBBBBB", "index", "tumour", "female")], {"NGC-MAN-007"}),
        ("tumour-normal", [], {"NGC-MAN-007"}),
        ("tumour-only", [], {"NGC-MAN-007"}),
        ("trio", [("BBBBBBBB", "mother"), (SAMPLE.lower(), "father")], {"NGC-MAN-005", "NGC-MAN-006"}),
    ],
)
def test_relations_must_fit_the_study_type(study, people, rules, template, profile):
    manifest = template.manifest()
    analysis = "somatic_wgs" if study.startswith("tumour") else "germline_wgs"
    manifest.update(study_type=study, analysis_type=analysis, patient_group="haematological-cancer")
    for one in people:
        person(manifest, *one)
    assert rules_of(manifest, profile) == rules


@pytest.mark.parametrize(
    ("kind", "supersedes", "rules"),
    [
        ("initial", None, set()),
        ("initial", "OTHER123", {"NGC-MAN-008"}),
        ("test", "OTHER123", {"NGC-MAN-008"}),
        ("correction", "OTHER123", set()),
        ("addition", None, {"NGC-MAN-008"}),
        ("followup", CASE, {"NGC-MAN-008"}),
        ("nonsense", None, {"NGC-MAN-003"}),
    ],
)
def test_a_later_submission_names_what_it_supersedes(kind, supersedes, rules, template, profile):
    manifest = template.manifest()
    manifest["submission"].update(type=kind, supersedes=supersedes)
    assert rules_of(manifest, profile) == rules


@pytest.mark.parametrize(("day", "rules"), [("2026-12-31", set()), ("2027-01-01", {"NGC-MAN-003"})])
def test_a_region_is_valid_at_the_analysis_date_not_today(day, rules, template, profile):
    manifest = template.manifest()
    manifest.update(region="1084", created="2027-03-01T00:00:00Z")
    manifest["legal"]["analysis_date"] = day
    assert rules_of(manifest, profile) == rules


@pytest.mark.parametrize("day", ["2026-02-30", "20261120", "yesterday", ""])
def test_an_analysis_date_must_be_a_day(day, template, profile):
    manifest = template.manifest()
    manifest["legal"]["analysis_date"] = day
    assert rules_of(manifest, profile) == {"NGC-MAN-020"}


def test_a_date_gated_rule_warns_before_its_day_and_fails_after(loose):
    data = yaml.safe_load(loose.profile_path.read_text())
    rule = next(rule for rule in data["rules"] if rule["id"] == "NGC-MAN-018")
    loose.edit_manifest(lambda manifest: manifest.update(requester_sor="1"))
    verdicts = []
    for start in ("2026-11-21", ANALYSIS_DATE):
        rule["valid_from"] = start
        loose.profile_path.write_text(yaml.safe_dump(data, sort_keys=False, allow_unicode=True))
        digest = ngc_profile.load(loose.profile_path).sha256
        loose.unseal()
        loose.edit_manifest(lambda manifest, digest=digest: manifest["profile"].update(sha256=digest))
        loose.finish()
        report = loose.judge()
        verdicts.append((report.rules("FAIL"), report.rules("WARN"), report.exit_code))
    assert verdicts == [(set(), {"NGC-MAN-018"}, 0), ({"NGC-MAN-018"}, set(), 1)]


def test_a_wrong_field_does_not_hide_the_other_errors(loose):
    def change(manifest: dict) -> None:
        manifest["samples"][0].pop("libraries")
        manifest["region"] = "1099"
        manifest["legal"] = "none"

    loose.edit_manifest(change)
    loose.finish()
    report = loose.judge()
    assert "NGC-MAN-002" in report.rules("FAIL")
    assert report.rules("NOT_CHECKED") >= {"NGC-MAN-003", "NGC-MAN-019", "NGC-MAN-020"}
    assert report.exit_code == 1


# --- quality
@pytest.mark.parametrize(
    ("value", "kind", "status"),
    [
        (30.0, "germline", "PASS"),
        (29.99, "germline", "FAIL"),
        (90, "tumour", "PASS"),
        (89.9, "tumour", "WARN"),
        (59.9, "tumour", "FAIL"),
        (None, "germline", "NOT_MEASURED"),
        (float("nan"), "germline", "NOT_MEASURED"),
        (float("inf"), "germline", "NOT_MEASURED"),
    ],
)
def test_status_of_coverage_follows_the_gates(value, kind, status, profile):
    assert quality.status_of(value, quality.gates(profile.data["metrics"]["mean_coverage"], kind)) == status


def test_a_missing_metric_is_never_a_pass(loose):
    loose.edit_metrics(lambda by_name: by_name.pop("mean_coverage"))
    loose.finish()
    assert loose.judge().rules("FAIL") == {"NGC-QC-002", "NGC-QC-006", "NGC-QC-008"}


def test_no_metric_passes_by_absence(loose, profile):
    due = {
        name
        for name, metric in profile.data["metrics"].items()
        if "study_types" not in metric and "germline" in metric.get("sample_types", ["germline"])
    }
    loose.edit_metrics(lambda by_name: by_name.clear())
    loose.finish()
    found = {f.place.rsplit("/", 1)[-1] for f in quality.check_samples(loose.manifest(), profile) if f.rule[-1] == "8"}
    assert found == due
    assert "NGC-QC-008" in loose.judge().rules("FAIL")


def test_a_metric_that_the_profile_does_not_know_is_found(loose):
    loose.edit_manifest(lambda manifest: manifest["samples"][0]["qc"]["metrics"][1].update(name="luck"))
    loose.finish()
    found = [f.evidence for f in loose.judge().findings if f.rule == "NGC-QC-008"]
    assert "is no metric of the profile" in found


WAIVER = {"rule": "NGC-MET-008", "reason_code": "no_more_material", "role": "quality_manager", "valid_to": "2026-12-31"}


def warn(by_name: dict, waiver: dict | None) -> None:
    by_name["pct_q30"].update(value=80.0, status="WARN", waiver=waiver)


def test_a_waived_warning_stays_a_warning_and_says_who_answers_for_it(loose):
    loose.edit_metrics(lambda by_name: warn(by_name, WAIVER), "WARN")
    loose.finish()
    report = loose.judge()
    assert report.rules("FAIL", "WARN") == {"NGC-QC-005"}
    assert "waived: no_more_material by quality_manager" in report.findings[0].evidence
    assert "NGC-MET-008 80.0 %" in report.findings[0].evidence


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"rule": "NGC-MET-001"}, "of rule NGC-MET-001, not of NGC-MET-008"),
        ({"reason_code": "because"}, "reason_code because is not in waiver_reasons"),
        ({"role": "HANSEN"}, "role HANSEN is not in waiver_roles"),
        ({"valid_to": "2026-11-19"}, "expired on 2026-11-19, before the analysis date 2026-11-20"),
    ],
)
def test_a_waiver_that_does_not_count_refuses(changes, said, loose):
    loose.edit_metrics(lambda by_name: warn(by_name, {**WAIVER, **changes}), "WARN")
    loose.finish()
    report = loose.judge()
    assert report.rules("FAIL") == {"NGC-QC-007"}
    assert said in [f for f in report.findings if f.rule == "NGC-QC-007"][0].evidence


def test_a_failure_cannot_be_waived(loose):
    waiver = {**WAIVER, "rule": "NGC-MET-001"}
    change = {"value": 12.0, "status": "FAIL", "waiver": waiver}
    loose.edit_metrics(lambda by_name: by_name["mean_coverage"].update(change), "FAIL")
    loose.edit_manifest(lambda manifest: manifest.update(conforms=False))
    loose.finish()
    report = loose.judge()
    assert report.rules("FAIL") == {"NGC-QC-003", "NGC-QC-007"}
    assert "top-up" in next(f for f in report.findings if f.rule == "NGC-QC-003").mend


def test_bands_of_counts_are_held_only_against_the_profile_s_own_genome(loose):
    loose.edit_metrics(lambda by_name: by_name["count_snvs"].update(value=1000, status="WARN"), "WARN")
    loose.finish()
    assert loose.judge().rules("FAIL", "WARN") == {"NGC-QC-005"}


def test_regions_have_no_bands(loose):
    loose.regate(own_genome=False)
    regions = {"id": "regions", "sha256": "0" * 64, "bases": 1000}
    loose.edit_manifest(lambda manifest: manifest["reference"].update(evaluation_regions=regions))
    loose.edit_metrics(lambda by_name: by_name["count_snvs"].update(value=1000))
    loose.finish()
    assert loose.judge().rules("FAIL", "WARN") == set()


def test_a_pass_that_the_value_denies_is_found(loose):
    loose.edit_metrics(lambda by_name: by_name["mean_coverage"].update(value=12.0))
    loose.finish()
    assert loose.judge().rules("FAIL") >= {"NGC-QC-001", "NGC-QC-003", "NGC-QC-006"}


# --- reference, overlay, digests
def test_without_the_reference_its_rules_are_not_checked_and_not_passed(template):
    report = template.judge(reference=None)
    assert report.rules("NOT_CHECKED") == {"NGC-VCF-008", "NGC-MAN-011"}
    assert report.exit_code == 0


def test_a_test_submission_may_bring_its_overlay(loose):
    write_overlay(loose, "test")
    loose.finish()
    report = loose.judge()
    assert [(f.rule, f.evidence) for f in report.findings] == []
    assert report.profile.overlay_id == "tiny-overlay"


def test_an_overlay_gives_the_shipped_profile_another_reference(loose):
    write_overlay(loose, "test")
    shipped = ngc_profile.load()
    loose.edit_manifest(lambda manifest: manifest["profile"].update(sha256=shipped.sha256))
    loose.finish()
    report = submission.check(loose.root, shipped, reference=loose.reference, public_keys=loose.public_keys)
    assert [(f.rule, f.evidence) for f in report.findings] == []


@pytest.mark.parametrize("content", [b"", b"\xff", b"a: [" * 500, b"overlay_of: other\nid: x\nreference: {}\n"])
def test_a_broken_overlay_is_a_finding(content, loose):
    write_overlay(loose, "test")
    (loose.root / "overlay.yaml").write_bytes(content)
    loose.finish()
    assert "NGC-MAN-013" in loose.judge().rules("FAIL")


@pytest.mark.parametrize(("ending", "method"), [("vcf.gz", "vcf-records-sha256"), ("cram", "sam-records-sha256")])
def test_content_digests_are_those_of_the_definition(ending, method, template):
    entry = next(e for e in template.manifest()["files"] if e["path"].endswith(f"{SAMPLE}.{ending}"))
    assert entry["content_digest"] == {
        "method": method,
        "value": content_digest(template.path(ending), method, template.reference),
    }


def test_other_reads_of_the_same_number_are_found_by_the_content_digest(loose):
    stated = {e["path"]: e["content_digest"] for e in loose.manifest()["files"]}
    loose.write_cram(name=lambda number: f"other{number}")

    def keep_the_old(manifest: dict) -> None:
        for entry in manifest["files"]:
            entry["content_digest"] = stated[entry["path"]]

    loose.after_listing = keep_the_old
    loose.finish()
    assert loose.judge().rules("FAIL") == {"NGC-MAN-011"}


# --- tampering
def test_case_and_spacing_of_the_tag_manifest_leave_no_room(template, tmp_path):
    for number, change in enumerate(
        [str.upper, lambda t: t.replace("  ", "\t"), lambda t: t.replace("\n", "\r\n"), str.strip]
    ):
        s = template.copy_to(tmp_path / str(number))
        path = s.root / "tagmanifest-sha256.txt"
        path.write_bytes(change(path.read_text()).encode())
        s.seal()
        assert s.judge(reference=None).rules("FAIL"), number


def test_two_swapped_files_are_found(loose):
    a, b = loose.path("vcf.gz"), loose.path("g.vcf.gz")
    first = a.read_bytes()
    a.write_bytes(b.read_bytes())
    b.write_bytes(first)
    loose.seal()
    assert loose.judge().rules("FAIL") >= {"NGC-PKG-004", "NGC-MAN-010"}


@pytest.mark.parametrize("ending", ["cram", "vcf.gz", "cram.crai", "metrics.json"])
def test_a_truncated_file_is_found(ending, loose):
    path = loose.path(ending)
    path.write_bytes(path.read_bytes()[:-50])
    loose.seal()
    assert "NGC-PKG-004" in loose.judge().rules("FAIL")


@pytest.mark.parametrize(
    "line",
    ["{}  ../outside.txt", "{}  /etc/passwd", "{}  data/../../x", "{}  data//x", "{}  data\\x", "{}  ~/x"],
)
def test_paths_out_of_the_bag_are_refused(line, template, tmp_path):
    s = template.copy_to(tmp_path / "copy")
    s.seal()
    text = (s.root / "manifest-sha256.txt").read_text()
    s.rewrite_tag_file("manifest-sha256.txt", text + line.format("0" * 64) + "\n")
    assert s.judge().rules("FAIL") == {"NGC-PKG-006"}


def test_links_and_pipes_are_named_and_never_opened(loose):
    outside = loose.home / "outside.txt"
    outside.write_text("0201609995\n")
    (loose.data / "out.txt").symlink_to(outside)
    (loose.root / "folder").symlink_to(loose.home)
    os.mkfifo(loose.data / "pipe")
    loose.seal()
    report = loose.judge()
    assert report.rules("FAIL") == {"NGC-PKG-006"}
    assert {f.file for f in report.findings} == {"data/out.txt", "folder", "data/pipe"}


def test_a_folder_that_may_be_written_is_not_sealed(template, tmp_path):
    s = template.copy_to(tmp_path / "copy")
    s.seal()
    s.data.chmod(0o755)
    assert [(f.rule, f.file) for f in s.judge().findings] == [("NGC-PKG-007", "data")]
    s.data.chmod(0o555)


def test_an_empty_folder_counts_as_extra(loose):
    (loose.data / "empty").mkdir()
    loose.seal()
    assert loose.judge().rules("FAIL") == {"NGC-PKG-003"}


# --- the command, and bad input
def run(capsys, *arguments: object) -> tuple[int, str]:
    status = main(["check", *map(str, arguments)])
    return status, capsys.readouterr().out


def test_the_command_accepts_the_conforming_submission(template, capsys):
    status, out = run(capsys, template.root, "--profile", template.profile_path, "--reference", template.reference)
    assert status == 0
    assert f"{CASE}: CONFORMS" in out
    assert str(template.home) not in out


def test_the_json_report_has_its_schema(loose, capsys):
    loose.edit_manifest(lambda manifest: manifest.update(region="1099\ud800\u202e"))
    loose.finish()
    status, out = run(capsys, loose.root, "--profile", loose.profile_path, "--json")
    report = json.loads(out)
    assert status == report["exit_code"] == 1
    assert list(manifests.validator("check").iter_errors(report)) == []
    assert report["verdict"] == "DOES_NOT_CONFORM"


def test_spec_only_leaves_the_profile_out(loose, capsys):
    loose.edit_manifest(lambda manifest: manifest.update(region="1099"))
    loose.finish()
    assert run(capsys, loose.root, "--profile", loose.profile_path, "--spec-only")[0] == 0


@pytest.mark.parametrize("ending", ["vcf.gz", "g.vcf.gz", "cram", "metrics.json"])
def test_a_single_conforming_file_conforms(ending, template, capsys):
    status, out = run(
        capsys, template.path(ending), "--profile", template.profile_path, "--reference", template.reference
    )
    assert status == 0, out


def test_a_single_manifest_and_a_single_report_conform(template, capsys):
    for path in (template.root / "manifest.json", template.data / f"{CASE}.multiqc.html"):
        status, out = run(capsys, path, "--profile", template.profile_path)
        assert status == 0, out


def test_a_single_file_is_judged_at_the_day_asked_for(template, capsys):
    _, out = run(capsys, template.path("vcf.gz"), "--profile", template.profile_path, "--date", "2026-01-31")
    assert "judged at 2026-01-31" in out


def test_the_deny_list_is_read(template, tmp_path, capsys):
    words = tmp_path / "words.txt"
    words.write_text(f"{SAMPLE}\n\n")
    status, out = run(capsys, template.root, "--profile", template.profile_path, "--deny-list", words)
    assert status == 1
    assert "NGC-PII-006" in out and SAMPLE not in out


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["{home}/none"], "no such file or folder"),
        (["{root}", "--profile", "{home}/none.yaml"], "cannot be read"),
        (["{root}", "--profile", "{reference}"], "not "),
        (["{root}", "--profile", "{profile}", "--overlay", "{profile}"], "not an overlay"),
        (["{root}", "--profile", "{profile}", "--reference", "{home}/none.fa"], "no such reference"),
        (["{root}", "--profile", "{profile}", "--reference", "{profile}"], "samtools faidx"),
        (["{root}", "--profile", "{profile}", "--deny-list", "{home}/none.txt"], "deny-list cannot be read"),
        (["{root}", "--profile", "{profile}", "--date", "tomorrow"], "not a day"),
        (["{profile}", "--profile", "{profile}"], "tells no kind of file"),
        (["{home}/empty.html", "--profile", "{profile}"], "not UTF-8"),
    ],
)
def test_what_cannot_be_judged_says_so_and_exits_2(arguments, message, template, capsys):
    (template.home / "empty.html").write_bytes(b"\xff\xfe")
    places = {
        "home": template.home,
        "root": template.root,
        "profile": template.profile_path,
        "reference": template.reference,
    }
    arguments = [argument.format(**places) for argument in arguments]
    for more in ([], ["--json"]):
        status, out = run(capsys, *arguments, *more)
        assert status == 2
        assert message in out
        if more:
            assert list(manifests.validator("check").iter_errors(json.loads(out))) == []


def test_an_unreadable_file_cannot_be_judged(template, monkeypatch, capsys):
    real = os.open

    def denied(path, flags, *more, **options):
        if str(path).endswith(".html"):
            raise PermissionError(13, "Permission denied", str(path))
        return real(path, flags, *more, **options)

    monkeypatch.setattr(os, "open", denied)
    status, out = run(capsys, template.root, "--profile", template.profile_path)
    assert status == 2
    assert "Permission denied" in out


def test_an_empty_folder_is_not_a_bag(tmp_path, template, capsys):
    status, out = run(capsys, tmp_path, "--profile", template.profile_path)
    assert status == 1
    assert "NGC-PKG-001" in out and "NGC-MAN-001" in out


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\xff\xfe{}",
        b"[]",
        b"null",
        b'{"a": NaN}',
        b'{"a": 1, "a": 2}',
        b"[" * 1_000_000,
        b'{"a":' * 1_000_000,
        b'{"a": ' + b"9" * 5000 + b"}",
        b'"\\ud800"',
        b'{"' + b'\\"' * 2_000_000,
        b" " * 6_000_000,
        b"{",
    ],
)
def test_a_manifest_that_is_no_manifest_is_a_finding(content, loose):
    (loose.root / "manifest.json").write_bytes(content)
    loose.seal()
    start = time.monotonic()
    report = loose.judge()
    assert "NGC-MAN-001" in report.rules("FAIL")
    assert "NGC-MAN-003" in report.rules("NOT_CHECKED")
    assert time.monotonic() - start < 20


def test_a_profile_that_fails_its_schema_cannot_be_judged_by(template, tmp_path, capsys):
    path = tmp_path / "profile.yaml"
    path.write_text(template.profile_path.read_text().replace("severity: error", "severity: fatal", 1))
    status, out = run(capsys, template.root, "--profile", path)
    assert status == 2
    assert "severity" in out


def test_a_vcf_without_records_is_valid_and_says_so(template, tmp_path, capsys):
    path = tmp_path / f"{SAMPLE}.vcf"
    path.write_text(template.vcf_header("vcf"))
    status, out = run(capsys, path, "--profile", template.profile_path, "--spec-only")
    assert status == 0
    assert "INFO        VCF-SPEC-025" in out


def test_a_submission_whose_vcf_has_no_records_says_so(loose):
    loose.write_vcf(loose.vcf_header("vcf"))
    loose.finish()
    report = loose.judge()
    assert report.rules("FAIL") == set()
    assert report.rules("INFO") == {"VCF-SPEC-025"}


@pytest.mark.parametrize(
    ("content", "rule"),
    [
        (b"", "VCF-SPEC-001"),
        ("##fileformat=VCFv4.2\n".encode("utf-16"), "VCF-SPEC-001"),
        (b"\xef\xbb\xbf##fileformat=VCFv4.2\n", "VCF-SPEC-001"),
        (b"##fileformat=VCFv4.2\n##source=S\xf8ren\n#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\n", "VCF-SPEC-002"),
    ],
    ids=["empty", "UTF-16", "byte order mark", "Latin-1"],
)
def test_an_empty_vcf_and_one_in_another_encoding_are_findings(content, rule, template, tmp_path, capsys):
    for name, data in ((f"{SAMPLE}.vcf", content), (f"{SAMPLE}.vcf.gz", gzip.compress(content))):
        path = tmp_path / name
        path.write_bytes(data)
        status, out = run(capsys, path, "--profile", template.profile_path, "--spec-only")
        assert status == 1
        assert rule in out


@pytest.mark.parametrize("ending", ["metrics.json", "vcf.gz"])
def test_a_file_of_another_encoding_in_a_submission_is_a_finding(ending, loose):
    loose.path(ending).write_bytes('{"sample": 1}'.encode("utf-16"))
    loose.bag()
    loose.seal()
    assert loose.judge().exit_code == 1


def test_a_sample_name_in_other_case_is_a_finding(loose):
    loose.edit_vcf(lambda vcf: vcf.replace(f"FORMAT\t{SAMPLE}", f"FORMAT\t{SAMPLE.lower()}"))
    loose.finish()
    report = loose.judge()
    assert report.rules("FAIL") == {"NGC-VCF-017"}
    assert "other case" in next(finding.evidence for finding in report.findings)


def test_a_file_that_may_not_be_read_cannot_be_judged(template, monkeypatch, capsys):
    # File modes do not bind root, hence the stand-in.
    def denied(path, *more, **options):
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr(Path, "open", denied)
    status, out = run(capsys, template.path("vcf.gz"), "--profile", template.profile_path)
    assert status == 2
    assert "Permission denied" in out and "Traceback" not in out


def test_an_unknown_profile_version_is_a_finding(loose):
    loose.edit_manifest(lambda manifest: manifest["profile"].update(version="9.9.9"))
    loose.finish()
    assert "NGC-MAN-014" in loose.judge().rules("FAIL")


@pytest.mark.parametrize("ending", ["cram", "cram.crai", "vcf.gz", "vcf.gz.tbi", "metrics.json"])
@pytest.mark.parametrize(
    "content", [b"", b"\x00" * 100, b"CRAM\x03\x00" + b"\xff" * 200, b"\x1f\x8b\x08\x04" + b"\x00" * 90]
)
def test_a_file_of_nonsense_is_a_finding(ending, content, loose):
    loose.path(ending).write_bytes(content)
    loose.bag()
    loose.seal()
    report = loose.judge()
    assert report.exit_code == 1
    assert report.rules("FAIL")


def test_findings_of_one_rule_are_capped_with_a_count():
    collector = Collector(ngc_profile.load(), ANALYSIS_DATE, cap=3)
    collector.extend(Finding("NGC-MAN-003", file="manifest.json", place=str(n)) for n in range(50))
    found = collector.findings()
    assert len(found) == 3
    assert sum(finding.count for finding in found) == 50


def test_findings_hold_no_control_characters():
    collector = Collector(ngc_profile.load(), ANALYSIS_DATE)
    collector.add(Finding("NGC-MAN-003", file="a\nb", place="\x1b[2J", evidence="x\u202ey" + "z" * 500))
    (finding,) = collector.findings()
    assert (finding.file, finding.place) == ("a?b", "?[2J")
    assert finding.evidence.startswith("x?y") and len(finding.evidence) <= 120


def test_threads_reach_the_judge_of_each_vcf(template, monkeypatch, capsys):
    given, whole = [], submission.check_vcf
    monkeypatch.setattr(submission, "check_vcf", lambda *a, **more: given.append(more["threads"]) or whole(*a, **more))
    arguments = ["--profile", str(template.profile_path), "--threads", "2"]
    assert main(["check", str(template.root), *arguments]) == 0
    assert main(["check", str(template.data / f"{SAMPLE}.vcf.gz"), *arguments]) == 0
    assert given == [2] * 6
    for number in ("0", "-1", "two", "65"):
        with pytest.raises(SystemExit, match="2"):
            main(["check", str(template.root), "--threads", number])
    assert "not a whole number from 1 to 64" in capsys.readouterr().err


def test_the_command_runs_without_a_terminal_of_many_letters(template):
    environment = {**os.environ, "LC_ALL": "C", "PYTHONIOENCODING": "ascii", "PYTHONPATH": os.pathsep.join(sys.path)}
    command = [sys.executable, "-m", "ngc_check.cli", "check", str(template.root)]
    done = subprocess.run(command, capture_output=True, env=environment, cwd=Path(__file__).parent)
    assert done.returncode == 1
    assert b"Traceback" not in done.stderr


def test_a_fault_of_the_checker_itself_is_told_without_a_traceback(tmp_path, monkeypatch, capsys):
    def fails(*_, **__):
        raise ZeroDivisionError("0201609995")

    monkeypatch.setattr("ngc_check.submission.check", fails)
    assert main(["check", str(tmp_path)]) == 2
    shown = "".join(capsys.readouterr())
    assert "the checker itself failed, ZeroDivisionError" in shown
    assert "Traceback" not in shown and "0201609995" not in shown


# --- which files a study must have ---------------------------------------------------------------------------------


def deliverables(profile: ngc_profile.Profile, study: str, *types: str) -> set[str]:
    """What is said against a manifest with these file types, beyond what this test is about."""
    samples = {"AAAA1111": {"sample_type": "germline"}}
    files = [{"type": name, "sample": "AAAA1111" if "family" not in name else None} for name in types]
    found = manifests._deliverables({"study_type": study, "files": files}, profile, samples)
    return {f.evidence for f in found if f.rule == "NGC-MAN-021" and ("family" in f.evidence or "mito" in f.evidence)}


def test_a_family_must_have_its_joint_vcf_and_a_single_must_not():
    profile, joint = ngc_profile.load(), ("family_vcf", "family_vcf_index")
    mito = ("mitochondrial_vcf", "mitochondrial_vcf_index")
    for study in ("duo", "trio", "family"):
        assert deliverables(profile, study, *joint, *mito) == set()
        assert deliverables(profile, study, *mito) == {f"{name} of the case is missing" for name in joint}
    assert deliverables(profile, "single", *mito) == set()
    assert deliverables(profile, "single", *mito, "family_vcf") == {"family_vcf is no file of study type single"}


def test_a_mitochondrial_vcf_is_due_where_the_reference_has_a_mitochondrion():
    profile = ngc_profile.load()
    assert deliverables(profile, "single") == {
        "mitochondrial_vcf of AAAA1111 is missing",
        "mitochondrial_vcf_index of AAAA1111 is missing",
    }
    contigs = [contig for contig in profile.contigs() if contig["role"] != "M"]
    without = dataclasses.replace(
        profile, data={**profile.data, "reference": {**profile.reference, "contigs": contigs}}
    )
    assert deliverables(without, "single") == set()


# --- what was not called -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("entries", "study", "said"),
    [
        ([("family_vcf", None)], "single", "family_vcf is no file of study type single"),
        ([("germline_vcf", SAMPLE)], "single", "germline_vcf may not be left out"),
        ([("mitochondrial_vcf", None)], "single", "mitochondrial_vcf of the case is not due"),
        ([("mitochondrial_vcf", "OTHER")], "single", "mitochondrial_vcf of OTHER is not due"),
        ([("mitochondrial_vcf", SAMPLE)] * 2, "single", f"mitochondrial_vcf of {SAMPLE} is named twice"),
        ([("alignment_cram", SAMPLE)], "single", f"alignment_cram of {SAMPLE} is there"),
        ([("family_vcf", None)], "trio", "family_vcf of the case is not due"),
    ],
)
def test_a_file_is_not_called_only_where_it_may_be_and_was_due(entries, study, said):
    profile = ngc_profile.load()
    for name in ("mitochondrial_vcf", "alignment_cram"):
        profile.data["files"][name]["may_be_not_called"] = True
    if study == "trio":
        profile.data["files"]["family_vcf"].update(may_be_not_called=True, per="sample", sample_types=["tumour"])
    manifest = {
        "study_type": study,
        "samples": [{"sample": SAMPLE, "sample_type": "germline"}],
        "files": [{"type": "alignment_cram", "sample": SAMPLE}],
        "not_called": [{"file_type": name, "sample": owner, "reason": "too few reads"} for name, owner in entries],
    }
    assert [f.evidence for f in manifests._not_called(manifest, profile) if f.rule == "NGC-MAN-028"] == [said]


def test_only_a_file_that_may_be_left_out_is_excused_and_its_index_with_it():
    profile, mito = ngc_profile.load(), ["mitochondrial_vcf", "mitochondrial_vcf_index"]
    entry = {"file_type": "mitochondrial_vcf", "sample": "AAAA1111", "reason": "too few reads"}
    manifest = {"study_type": "single", "files": [], "not_called": [entry]}

    def missing():
        found = manifests._deliverables(manifest, profile, {"AAAA1111": {"sample_type": "germline"}})
        return [f.evidence.split()[0] for f in found if "mito" in f.evidence]

    assert missing() == mito
    profile.data["files"]["mitochondrial_vcf"]["may_be_not_called"] = True
    assert missing() == []
    manifest["files"] = [{"type": "mitochondrial_vcf", "sample": "AAAA1111"}]
    assert missing() == mito[1:]
