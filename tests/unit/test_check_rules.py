"""Each rule of the profile can fail: one small change of a conforming submission breaks exactly that rule.

The rules on VCF and gVCF content have their own table in test_check_vcf.py.
"""

from __future__ import annotations

import copy
import hashlib
import os
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml
from submission_fixture import CASE, SAMPLE, SIGNATURE, TUMOUR, Submission, reference_section, report_html
from test_check_vcf import RULE_MUTATIONS as VCF_MUTATIONS

import ngc_profile
from ngc_check.alignment import CRAM_EOF

Mutation = Callable[[Submission], None]
RULE_MUTATIONS: dict[str, Mutation] = {}
SEALED: set[str] = set()
"""Rules whose mutation is done to the sealed bag; the others are bagged and sealed anew after theirs."""


def breaks(rule: str, sealed: bool = False) -> Callable[[Mutation], Mutation]:
    """Register the mutation that breaks a rule."""

    def register(function: Mutation) -> Mutation:
        assert rule not in RULE_MUTATIONS
        RULE_MUTATIONS[rule] = function
        if sealed:
            SEALED.add(rule)
        return function

    return register


def field(rule: str, *path: str | int, value: object) -> None:
    """Register the mutation that sets one field of the manifest."""

    def change(manifest: dict) -> None:
        target = manifest
        for part in path[:-1]:
            target = target[part]
        target[path[-1]] = value

    RULE_MUTATIONS[rule] = lambda submission: submission.edit_manifest(change)


# --- package
@breaks("NGC-PKG-001", sealed=True)
def _other_bagit_version(s: Submission) -> None:
    s.rewrite_tag_file("bagit.txt", "BagIt-Version: 0.97\nTag-File-Character-Encoding: UTF-8\n")


@breaks("NGC-PKG-002", sealed=True)
def _listed_file_is_missing(s: Submission) -> None:
    s.rewrite_tag_file("notes.txt", "x\n")
    s.unseal()
    (s.root / "notes.txt").unlink()
    s.seal()


@breaks("NGC-PKG-003", sealed=True)
def _extra_file(s: Submission) -> None:
    s.unseal()
    (s.root / "notes.txt").write_text("x\n")
    s.seal()


@breaks("NGC-PKG-004", sealed=True)
def _changed_bytes(s: Submission) -> None:
    s.unseal()
    with open(s.root / "bag-info.txt", "a") as out:
        out.write("Contact: none\n")
    s.seal()


@breaks("NGC-PKG-005", sealed=True)
def _other_size(s: Submission) -> None:
    s.rewrite_tag_file("bag-info.txt", "Payload-Oxum: 1.1\n")


@breaks("NGC-PKG-006", sealed=True)
def _symlink(s: Submission) -> None:
    s.unseal()
    os.symlink("bagit.txt", s.root / "link.txt")
    s.seal()


@breaks("NGC-PKG-007", sealed=True)
def _writable(s: Submission) -> None:
    (s.root / "manifest.json").chmod(0o644)


@breaks("NGC-PKG-008", sealed=True)
def _unsigned(s: Submission) -> None:
    s.public_keys = ()  # whoever names trusted keys asks for a signature
    s.unseal()
    (s.root / SIGNATURE).unlink()
    s.seal()


@breaks("NGC-PKG-009", sealed=True)
def _packaged_again_by_another(s: Submission) -> None:
    s.unseal()
    s.edit_manifest(lambda manifest: manifest.update(requisition_id="NGCWGS99999"))
    signature = (s.root / SIGNATURE).read_text()
    s.bag()
    (s.root / SIGNATURE).write_text(signature)
    s.seal()


@breaks("NGC-PKG-010", sealed=True)
def _changed_block(s: Submission) -> None:
    def change(files: dict[str, Path]) -> None:
        path = files[f"data/{CASE}.multiqc.html"]
        path.write_bytes(path.read_bytes()[:-1] + b"\0")

    s.encrypt(change)


# --- manifest
@breaks("NGC-MAN-001", sealed=True)
def _repeated_key(s: Submission) -> None:
    text = (s.root / "manifest.json").read_text()
    s.rewrite_tag_file("manifest.json", text.replace('"site":', '"site": "wgs_east", "site":'))


field("NGC-MAN-002", "comment", value="free text")
field("NGC-MAN-003", "region", value="1099")
field("NGC-MAN-004", "samples", 0, "relation", value="other")


@breaks("NGC-MAN-005")
def _pseudonym_twice(s: Submission) -> None:
    def change(manifest: dict) -> None:
        manifest["samples"].append({**copy.deepcopy(manifest["samples"][0]), "relation": "sibling"})

    s.regate(study="duo")
    s.edit_manifest(change)


@breaks("NGC-MAN-006")
def _case_in_small_letters(s: Submission) -> None:
    name = CASE.lower()
    s.edit_manifest(lambda manifest: manifest["submission"].update(id=name))
    for path in s.data.glob(f"{CASE}.*"):
        path.rename(path.with_name(path.name.replace(CASE, name)))


field("NGC-MAN-007", "study_type", value="tumour-normal")
field("NGC-MAN-007", "analysis_type", value="somatic_wgs")
field("NGC-MAN-008", "submission", "type", value="followup")


def listed(rule: str, change: Callable[[dict], None]) -> None:
    """Register the mutation that changes the manifest after its files were listed."""

    def mutate(s: Submission) -> None:
        s.after_listing = lambda manifest: change(manifest["files"][0])

    RULE_MUTATIONS[rule] = mutate


listed("NGC-MAN-009", lambda entry: entry.update(edam="format_2330"))
listed("NGC-MAN-010", lambda entry: entry.update(bytes=entry["bytes"] + 1))
listed("NGC-MAN-011", lambda entry: entry["content_digest"].update(value="0" * 64))
field("NGC-MAN-012", "tools", 0, "version", value="0.7.17")


def write_overlay(s: Submission, submission_type: str) -> None:
    """Put an overlay in the bag and name it in the manifest."""
    overlay = {"overlay_of": "ngc-provisional", "id": "tiny-overlay", "reference": reference_section()}
    text = yaml.safe_dump(overlay, sort_keys=False)
    (s.root / "overlay.yaml").write_text(text)
    sha256 = hashlib.sha256(text.encode()).hexdigest()

    def change(manifest: dict) -> None:
        manifest["profile"]["overlay"] = {"id": "tiny-overlay", "sha256": sha256}
        manifest["submission"]["type"] = submission_type
        manifest["conforms"] = submission_type == "test"

    s.edit_manifest(change)
    s.regate(own_genome=False)


@breaks("NGC-MAN-013")
def _overlay_in_earnest(s: Submission) -> None:
    write_overlay(s, "initial")


field("NGC-MAN-014", "profile", "sha256", value="0" * 64)
field("NGC-MAN-015", "checks", 0, "result", value="FAIL")


@breaks("NGC-MAN-016")
def _tumour_of_a_germline_group(s: Submission) -> None:
    s.add_tumour(normal=False)
    s.edit_manifest(lambda manifest: manifest.update(patient_group="rare-disease-adult"))


field("NGC-MAN-017", "requisition_id", value="REQ-1")
field("NGC-MAN-018", "requester_sor", value="44121")


@breaks("NGC-MAN-019")
def _research_without_consent(s: Submission) -> None:
    s.edit_manifest(lambda manifest: manifest["legal"].update(legal_basis="research", consent="no"))


field("NGC-MAN-020", "legal", "analysis_date", value="2026-11-23")


@breaks("NGC-MAN-021")
def _no_report(s: Submission) -> None:
    (s.data / f"{CASE}.multiqc.html").unlink()


field("NGC-MAN-022", "phenotypes", 0, "id", value="HP:125")
field("NGC-MAN-023", "workflow", "clean_checkout", value=False)
field("NGC-MAN-024", "reference", "assembly", value="hg19")


@breaks("NGC-MAN-025")
def _no_gvcf(s: Submission) -> None:
    s.path("g.vcf.gz").unlink()
    s.path("g.vcf.gz.tbi").unlink()


@breaks("NGC-MAN-026", sealed=True)
def _other_digest_of_an_encrypted_file(s: Submission) -> None:
    s.encrypt()
    s.unseal()
    s.edit_manifest(lambda manifest: manifest["files"][0].update(encrypted_sha256="0" * 64))
    s.bag()
    s.seal()


field("NGC-MAN-027", "workflow", "code_sha256_at_start", value="1" * 64)


field("NGC-MAN-028", "not_called", value=[{"file_type": "germline_vcf", "sample": SAMPLE, "reason": "too few reads"}])


@breaks("NGC-MAN-029")
def _report_could_not_be_made(s: Submission) -> None:
    s.edit_profile(lambda profile: profile["files"]["multiqc_report"].update(may_be_not_called=True))
    (s.data / f"{CASE}.multiqc.html").unlink()
    entry = {"file_type": "multiqc_report", "sample": None, "reason": "too few reads"}
    s.edit_manifest(lambda manifest: manifest.update(not_called=[entry]))


@breaks("NGC-MAN-030")
def _a_germline_vcf_of_a_tumour(s: Submission) -> None:
    def change(manifest: dict) -> None:
        entry = next(entry for entry in manifest["files"] if entry["type"] == "germline_vcf")
        entry["columns"] = {"tumour": entry["sample"]}

    s.after_listing = change


# --- the table of mutation contexts
def contexts(rule: str, change: Callable[[str], str]) -> None:
    """Register the mutation that changes the text of a tumour's table."""

    def mutate(s: Submission) -> None:
        s.add_tumour()
        before = s.path("contexts.tsv").read_text()
        after = change(before)
        assert after != before, "the mutation changed nothing"
        s.path("contexts.tsv").write_text(after)

    RULE_MUTATIONS[rule] = mutate


contexts("NGC-SOM-006", lambda text: text.replace("A[C>A]A\t", "A[C>A]a\t"))
contexts("NGC-SOM-007", lambda text: text.replace("\t1\n", "\t0\n", 1))


# --- alignment
@breaks("NGC-ALN-001")
def _cram_3_1(s: Submission) -> None:
    s.write_cram(version="3.1")


@breaks("NGC-ALN-002")
def _end_of_file_is_missing(s: Submission) -> None:
    whole = s.path("cram").read_bytes()
    while whole.endswith(CRAM_EOF[3]):  # reheader writes one after the one it copies
        whole = whole[: -len(CRAM_EOF[3])]
    s.path("cram").write_bytes(whole)
    os.utime(s.path("cram.crai"))


@breaks("NGC-ALN-003", sealed=True)
def _index_is_older(s: Submission) -> None:
    before = s.path("cram").stat().st_mtime_ns - 10**9
    os.utime(s.path("cram.crai"), ns=(before, before))


def reheaded(rule: str, change: Callable[[str], str]) -> None:
    """Register the mutation that changes the alignment's header text."""

    def mutate(s: Submission) -> None:
        def checked(text: str) -> str:
            after = change(text)
            assert after != text, "the mutation changed nothing"
            return after

        s.reheader(checked)

    RULE_MUTATIONS[rule] = mutate


def other_md5(contig: str, md5: str) -> Callable[[str], str]:
    """A header change that gives a contig another M5."""

    def change(text: str) -> str:
        old = next(c["md5"] or c.get("md5_unmasked") for c in reference_section()["contigs"] if c["name"] == contig)
        return text.replace(f"M5:{old}", f"M5:{md5}")

    return change


reheaded("NGC-ALN-004", lambda text: text.replace("@RG", f"@SQ\tSN:chrZ\tLN:99\tM5:{'a' * 32}\n@RG", 1))
reheaded("NGC-ALN-005", other_md5("chrX", "b" * 32))
reheaded("NGC-ALN-006", lambda text: text.replace("\tLB:LIB1", "", 1))
reheaded("NGC-ALN-007", lambda text: text.replace(f"SM:{SAMPLE}", f"SM:{SAMPLE.lower()}", 1))
reheaded("NGC-ALN-008", lambda text: text.replace("SO:coordinate", "SO:unsorted"))


@breaks("NGC-ALN-009")
def _duplicates_not_marked(s: Submission) -> None:
    header = s.header()
    header["PG"].pop()
    s.write_cram(header, duplicate=False)


reheaded("NGC-ALN-010", lambda text: text + "@CO\tmade at night\n")


@breaks("NGC-ALN-011")
def _another_lane_in_the_manifest(s: Submission) -> None:
    def change(manifest: dict) -> None:
        manifest["samples"][0]["libraries"][0]["runs"][1]["lane"] = "3"

    s.edit_manifest(change)


reheaded("NGC-ALN-012", other_md5("chr2", "c" * 32))


# --- personal identifiers
field("NGC-PII-001", "legal", "consent_form_version", value="form 0201609995")


@breaks("NGC-PII-002")
def _ecpr_in_read_names(s: Submission) -> None:
    s.write_cram(name=lambda number: f"0201601AB3:{number}")


def in_report(rule: str, text: str, deny: tuple[str, ...] = ()) -> None:
    """Register the mutation that puts a text in the report."""

    def mutate(s: Submission) -> None:
        (s.data / f"{CASE}.multiqc.html").write_text(report_html(text), encoding="utf-8")
        s.deny = deny

    RULE_MUTATIONS[rule] = mutate


in_report("NGC-PII-003", "<p>ask lab.person@hospital.example.dk</p>")
in_report("NGC-PII-004", "<p title='Tlf. 12 34 56 78'>x</p>")
in_report("NGC-PII-005", "<!-- /home/person/run7/reads.fq.gz -->")
in_report("NGC-PII-006", "<p>Ordered by HANSEN</p>", deny=("Hansen",))


# --- quality
def metric(rule: str, name: str, of_sample: str | None, conforms: bool = True, **values: object) -> None:
    """Register the mutation that changes a metric in manifest and metrics file alike, and the sample's status."""

    def mutate(s: Submission) -> None:
        s.edit_metrics(lambda by_name: by_name[name].update(values), of_sample)
        if not conforms:
            s.edit_manifest(lambda manifest: manifest.update(conforms=False))

    RULE_MUTATIONS[rule] = mutate


metric("NGC-QC-001", "mean_coverage", None, status="WARN")
metric("NGC-QC-002", "mean_coverage", "WARN", value=None, status="NOT_MEASURED")
metric("NGC-QC-003", "mean_coverage", "FAIL", conforms=False, value=25.0, status="FAIL")


@breaks("NGC-QC-004")
def _other_value_in_the_metrics_file(s: Submission) -> None:
    s.write_metrics(s.manifest(), lambda data: data["metrics"][0].update(value=35.0))


metric("NGC-QC-005", "pct_q30", "WARN", value=80.0, status="WARN")
metric("NGC-QC-006", "pct_q30", "WARN")
WAIVER = {
    "rule": "NGC-MET-008",
    "reason_code": "no_more_material",
    "role": "quality_manager",
    "valid_to": "2026-12-31",
}
metric("NGC-QC-007", "pct_q30", None, waiver=WAIVER)  # of a PASS
metric("NGC-QC-008", "pct_q30", None, unit="fraction")


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Submission:
    return Submission.build(tmp_path_factory.mktemp("submission"))


def test_the_conforming_submission_has_no_finding(template):
    report = template.judge()
    assert [(f.rule, f.file, f.place, f.evidence) for f in report.findings] == []
    assert report.exit_code == 0


@pytest.mark.parametrize("normal", [True, False])
def test_a_conforming_submission_of_a_tumour_has_no_finding(normal: bool, template: Submission, tmp_path: Path):
    submission = template.copy_to(tmp_path / "copy")
    submission.add_tumour(normal)
    submission.finish()
    assert [(f.rule, f.file, f.place, f.evidence) for f in submission.judge().findings] == []


@pytest.mark.parametrize(
    ("columns", "rules"),
    [
        (None, {"NGC-MAN-030"}),
        ({"tumour": TUMOUR}, {"NGC-MAN-030", "NGC-SOM-004", "NGC-VCF-017"}),
        ({"tumour": SAMPLE, "normal": TUMOUR}, {"NGC-MAN-030", "NGC-SOM-003"}),
        ({"tumour": "STRANGER", "normal": SAMPLE}, {"NGC-MAN-030", "NGC-VCF-017"}),
    ],
)
def test_the_columns_of_a_tumour_are_judged_by_name(columns, rules, template: Submission, tmp_path: Path):
    def change(manifest: dict) -> None:
        entry = next(entry for entry in manifest["files"] if entry["type"] == "somatic_vcf")
        entry.pop("columns")
        entry |= {"columns": columns} if columns else {}

    submission = template.copy_to(tmp_path / "copy")
    submission.add_tumour()
    submission.after_listing = change
    submission.finish()
    report = submission.judge()
    assert report.rules("FAIL", "WARN") == rules, [(f.rule, f.evidence) for f in report.findings]


def test_files_of_another_type_of_sample_are_refused(template: Submission, tmp_path: Path):
    submission = template.copy_to(tmp_path / "copy")
    submission.add_tumour()
    submission.write_vcf(submission.vcf_text().replace(SAMPLE, TUMOUR))
    submission.finish()
    found = [f for f in submission.judge().findings if "germline_vcf is of germline samples alone" in f.evidence]
    assert [f.rule for f in found] == ["NGC-MAN-021"]


def test_contexts_are_summed_where_no_reference_counts_them_again(template: Submission, tmp_path: Path):
    submission = template.copy_to(tmp_path / "copy")
    submission.add_tumour()
    table = submission.path("contexts.tsv")
    told = {}
    for count in ("1", "5"):
        table.chmod(0o644)
        table.write_text(submission.contexts_text().replace("\t1\n", f"\t{count}\n"))
        submission.unseal()
        submission.finish()
        report = submission.judge(reference=None)
        told[count] = [f.status for f in report.findings if f.rule == "NGC-SOM-007"]
    assert told == {"1": ["NOT_CHECKED"], "5": ["FAIL"]}


@pytest.mark.parametrize("rule", sorted(RULE_MUTATIONS))
def test_one_mutation_breaks_exactly_one_rule(rule: str, template: Submission, tmp_path: Path):
    submission = template.copy_to(tmp_path / "copy")
    if rule in SEALED:
        submission.finish()
        RULE_MUTATIONS[rule](submission)
    else:
        RULE_MUTATIONS[rule](submission)
        submission.finish()
    report = submission.judge()
    shown = [(f.rule, f.status, f.file, f.place, f.evidence) for f in report.findings]
    assert report.rules("FAIL", "WARN") == {rule}, shown
    severity = ngc_profile.load(submission.profile_path).severity(rule, report.judged_at)
    assert report.exit_code == (1 if severity == "error" else 0)
    assert all(f.mend for f in report.findings)


def test_every_rule_of_the_profile_has_a_mutation_and_every_mutation_a_rule():
    rules = {rule["id"] for rule in ngc_profile.load().rules()}
    assert rules == RULE_MUTATIONS.keys() | VCF_MUTATIONS.keys()
