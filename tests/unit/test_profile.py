"""The profile: what it says, how it is read, how a broken one is refused, and the page made from it."""

from __future__ import annotations

import copy
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from submission_fixture import reference_section

import ngc_profile
import profile_docs
from ngc_profile import ProfileError


@pytest.fixture(scope="module")
def shipped() -> ngc_profile.Profile:
    return ngc_profile.load_valid()


def written(tmp_path: Path, change, name: str = "profile.yaml") -> Path:
    """The shipped profile with a change, as a file."""
    data = yaml.safe_load(ngc_profile.default_profile().read_text(encoding="utf-8"))
    change(data)
    path = tmp_path / name
    path.write_text(yaml.safe_dump(data, sort_keys=False, allow_unicode=True), encoding="utf-8")
    return path


def overlay(tmp_path: Path, **changes) -> Path:
    data = {"overlay_of": "ngc-provisional", "id": "tiny", "reference": reference_section(), **changes}
    path = tmp_path / "overlay.yaml"
    path.write_text(yaml.safe_dump(data), encoding="utf-8")
    return path


def test_the_shipped_profile_is_valid(shipped):
    assert shipped.id == "ngc-provisional"
    assert len(shipped.sha256) == 64
    assert shipped.overlay_id is None


def test_the_page_is_the_one_made_from_the_profile(shipped):
    made = profile_docs.page(shipped)
    assert profile_docs.PAGE.read_text(encoding="utf-8") == made, "run `python scripts/profile_docs.py`"
    assert all(f"### {rule['id']}: " in made for rule in shipped.rules())


def test_every_metric_has_an_anchor_to_link_to(shipped):
    made = profile_docs.page(shipped)
    for name, metric in shipped.data["metrics"].items():
        assert f'<a id="{metric["id"].lower()}"></a>\n\n### {metric["id"]}: {name}\n' in made


def test_the_page_claims_no_approval(shipped):
    assert "approved" not in profile_docs.page(shipped).lower()


def test_contigs_are_those_of_the_analysis_set_in_order(shipped):
    names = [contig["name"] for contig in shipped.contigs()]
    assert len(names) == 195
    assert names[:25] == [*(f"chr{n}" for n in range(1, 23)), "chrX", "chrY", "chrM"]
    assert names[-1] == "chrEBV"
    assert sum(contig["length"] for contig in shipped.contigs()) == 3_099_922_541
    assert [len(shipped.contigs(role)) for role in ("autosome", "X", "Y", "M", "other")] == [22, 1, 1, 1, 170]


def test_the_unmasked_chromosome_21_is_refused(shipped):
    chr21 = next(contig for contig in shipped.contigs() if contig["name"] == "chr21")
    assert chr21["md5"] is None
    assert chr21["md5_refused"] == ["974dc7aec0b755b19f031418fdedf293"]


def test_pars_of_x_and_y_have_one_length(shipped):
    spans = {contig: [end - start for start, end in shipped.par(contig)] for contig in ("chrX", "chrY")}
    assert spans["chrX"] == spans["chrY"] == [2_771_479, 329_513]


@pytest.mark.parametrize(
    ("day", "codes"),
    [("2026-12-31", ["1081", "1082", "1083", "1084", "1085"]), ("2027-01-01", ["1081", "1082", "1083"])],
)
def test_two_regions_end_with_the_merger(shipped, day, codes):
    assert shipped.vocabulary("regions", day) == codes


def test_treatment_counts_from_july_2019(shipped):
    assert "treatment" not in shipped.vocabulary("legal_bases", "2019-06-30")
    assert "treatment" in shipped.vocabulary("legal_bases", "2019-07-01")


def test_patient_groups_are_the_12_of_2021_and_the_16_confirmed_of_2025(shipped):
    groups = shipped.data["vocabularies"]["patient_groups"]
    assert sum("2021" in group["lists"] for group in groups) == 12
    assert sum("2025" in group["lists"] for group in groups) == 16
    somatic = {group["code"] for group in groups if "somatic" in group["analyses"]}
    assert somatic == {
        "young-and-hereditary-cancer",
        "paediatric-cancer",
        "young-adult-hereditary-cancer",
        "haematological-cancer",
        "incurable-cancer",
    }


def test_thresholds_are_those_of_the_standard(shipped):
    gates = {
        (name, gate["applies_to"], gate["op"], gate["value"], gate["status"])
        for name, metric in shipped.data["metrics"].items()
        for gate in metric["gates"]
    }
    assert gates >= {
        ("mean_coverage", "germline", "<", 30, "FAIL"),
        ("mean_coverage", "tumour", "<", 60, "FAIL"),
        ("mean_coverage", "tumour", "<", 90, "WARN"),
        ("pct_autosomes_15x", "germline", "<", 95, "WARN"),
        ("pct_10x", "all", "<", 0.95, "WARN"),
        ("pct_20x", "all", "<", 0.90, "WARN"),
        ("yield_bp_q30", "all", "<", 85e9, "WARN"),
        ("pct_q30", "all", "<", 85, "WARN"),
        ("mean_read_length", "all", "<", 70, "FAIL"),
        ("cross_contamination_rate", "all", ">", 0.03, "FAIL"),
        ("cross_contamination_rate", "all", ">", 0.015, "WARN"),
        ("mendelian_error_rate", "germline", ">", 0.06, "FAIL"),
    }


def test_a_rule_warns_before_its_day_and_fails_from_it_on(tmp_path):
    def gate(data: dict) -> None:
        rule = next(rule for rule in data["rules"] if rule["id"] == "NGC-MAN-018")
        rule.update(valid_from="2027-01-01", valid_to="2028-12-31")

    profile = ngc_profile.load_valid(written(tmp_path, gate))
    days = ("2026-12-31", "2027-01-01", "2028-12-31", "2029-01-01")
    assert [profile.severity("NGC-MAN-018", day) for day in days] == ["warn", "error", "error", "off"]
    assert profile.severity("NGC-XXX-001", "2027-01-01") == "off"


def test_an_overlay_replaces_the_reference_alone(shipped, tmp_path):
    path = overlay(tmp_path)
    profile = ngc_profile.load_valid(overlay=path)
    assert profile.reference["id"] == "TINY"
    assert profile.overlay_id == "tiny"
    assert profile.rules() == shipped.rules()
    assert (profile.sha256, profile.version) == (shipped.sha256, shipped.version)
    assert profile.identity()["overlay"] == {"id": "tiny", "sha256": profile.overlay_sha256}


def test_an_overlay_of_another_profile_is_refused(tmp_path):
    with pytest.raises(ProfileError, match="made for profile `other`"):
        ngc_profile.load(overlay=overlay(tmp_path, overlay_of="other"))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda d: d["rules"][0].pop("basis"), "'basis' is a required property"),
        (lambda d: d["rules"][0].update(severity="fatal"), "rules/0/severity"),
        (lambda d: d["rules"].append(copy.deepcopy(d["rules"][0])), "is there twice"),
        (lambda d: d["metrics"]["pct_q30"]["gates"][0].update(op="=="), "metrics/pct_q30/gates/0/op"),
        (lambda d: d["metrics"]["pct_q30"].update(id="NGC-MET-001"), "metrics: `NGC-MET-001` is there twice"),
        (lambda d: d["metrics"]["pct_q30"].pop("mend"), "'mend' is a required property"),
        (lambda d: d["metrics"]["pct_q30"].update(stage="later"), "metrics/pct_q30/stage"),
        (lambda d: d["reference"]["contigs"][0].update(md5="short"), "reference/contigs/0/md5"),
        (lambda d: d["reference"]["contigs"].append(dict(d["reference"]["contigs"][0])), "`chr1` is there twice"),
        (lambda d: d["reference"]["par"][0].update(end=10**10), "outside the contigs"),
        (lambda d: d["vocabularies"]["sexes"].append(dict(d["vocabularies"]["sexes"][0])), "a code is there twice"),
        (lambda d: d["vocabularies"]["regions"][0].update(valid_from="1 January"), "vocabularies/regions/0/valid_from"),
        (lambda d: d.update(extra=1), "'extra' was unexpected"),
    ],
)
def test_a_profile_that_fails_its_schema_is_refused_with_the_place(change, message, tmp_path):
    with pytest.raises(ProfileError) as error:
        ngc_profile.load_valid(written(tmp_path, change))
    assert message in str(error.value)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "not a mapping"),
        (b"- a\n- b\n", "not a mapping"),
        (b"id: x\n", "`version` is missing"),
        (b"id: [unclosed\n", "not YAML"),
        (b"id: \xff\xfe\n", "not UTF-8 at byte 4"),
        (b"a: &a [x, x]\nb: [*a, *a]\n", "aliases"),
        (b"a: !!python/object/apply:os.system ['true']\n", "not YAML"),
        (b"[" * 100_000, "nested deeper"),
        (b"- " * 100_000, "nested deeper"),
    ],
)
def test_what_is_no_profile_is_refused(content, message, tmp_path):
    path = tmp_path / "profile.yaml"
    path.write_bytes(content)
    with pytest.raises(ProfileError, match=message):
        ngc_profile.load(path)


def test_a_missing_profile_is_refused(tmp_path):
    with pytest.raises(ProfileError, match="cannot be read: No such file"):
        ngc_profile.load(tmp_path / "none.yaml")


def test_a_huge_profile_is_refused_unread(tmp_path):
    path = tmp_path / "profile.yaml"
    with open(path, "wb") as out:
        out.truncate(10**9)
    with pytest.raises(ProfileError, match="larger than"):
        ngc_profile.load(path)


def test_data_files_are_found_where_the_package_was_installed(tmp_path, monkeypatch):
    site, share = tmp_path / "lib" / "site-packages", tmp_path / "share" / "ngc-wgs" / "config" / "profile"
    for folder in (site, share):
        folder.mkdir(parents=True)
    monkeypatch.setattr(ngc_profile, "__file__", str(site / "ngc_profile.py"))
    monkeypatch.setattr(sys, "prefix", str(tmp_path))
    with pytest.raises(ProfileError, match="install the package again"):
        ngc_profile.default_profile()
    (share / ngc_profile.DEFAULT_NAME).write_text("id: x\n")
    assert ngc_profile.default_profile() == share / ngc_profile.DEFAULT_NAME


def test_importing_the_loader_is_light():
    heavy = "yaml jsonschema pysam pandas numpy"
    code = f"import sys, ngc_profile; print(*(m for m in {heavy.split()!r} if m in sys.modules))"
    path = str(Path(ngc_profile.__file__).parent)
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=path, check=True)
    assert done.stdout.strip() == ""
