"""The verdict of a case, from what lies in results/ and the jobs that did not finish."""

import hashlib
import json
import os

import pytest

from ngc_wgs import verdict
from ngc_wgs.verdict import Stop

CASE = "AAAA1111"
FINDING = {
    "rule": "NGC-VCF-008",
    "status": "FAIL",
    "file": "data/x.vcf.gz",
    "place": "line 9",
    "evidence": "REF is not",
}


@pytest.fixture
def results(tmp_path):
    folder = tmp_path / "submissions" / CASE
    for path in (folder, tmp_path / "check", tmp_path / "package"):
        path.mkdir(parents=True)
    (folder / "tagmanifest-sha256.txt").write_text("sums\n")
    receipt = {"tagmanifest_sha256": hashlib.sha256(b"sums\n").hexdigest()}
    (tmp_path / "package" / f"{CASE}.json").write_text(json.dumps(receipt))
    report(tmp_path, "CONFORMS", [])
    return tmp_path


def report(results, conforms, findings):
    text = json.dumps({"verdict": conforms, "findings": findings})
    (results / "check" / f"{CASE}.json").write_text(text)


def test_a_conforming_submission_that_is_still_there_is_accepted(results):
    judged = verdict.judge(CASE, [], results)
    assert (judged.verdict, judged.reasons) == ("ACCEPTED", ())


def test_the_checker_s_refusal_is_given_with_rule_place_and_evidence(results):
    report(results, "DOES_NOT_CONFORM", [FINDING, {**FINDING, "status": "WARN"}])
    judged = verdict.judge(CASE, [Stop("accept", None)], results)
    assert judged.verdict == "REFUSED"
    assert judged.reasons == ("NGC-VCF-008 data/x.vcf.gz line 9 REF is not",)


def test_the_checker_s_refusal_says_what_to_do(results):
    report(results, "DOES_NOT_CONFORM", [{**FINDING, "mend": "Sequence it again"}])
    assert verdict.judge(CASE, [], results).reasons[0].endswith("REF is not. Mend: Sequence it again.")


def test_many_reasons_are_cut_with_a_count(results):
    report(results, "DOES_NOT_CONFORM", [FINDING] * 9)
    assert verdict.judge(CASE, [], results).reasons[-1] == "and 4 more"


def test_what_the_checker_warns_of_is_told_of_an_accepted_submission_once_a_rule(results):
    edited = {"rule": "NGC-MAN-023", "status": "WARN", "file": "manifest.json", "place": "/workflow/clean_checkout",
              "evidence": "false", "count": 1}  # fmt: skip
    report(results, "CONFORMS", [edited, {**edited, "rule": "X", "count": 2}, {**edited, "rule": "X"}])
    judged = verdict.judge(CASE, [], results)
    assert judged.verdict == "ACCEPTED"
    said = "NGC-MAN-023 manifest.json /workflow/clean_checkout false"
    assert judged.warnings == (said, "X manifest.json /workflow/clean_checkout false (3 times)")
    assert f"WARN {said}\n" in verdict.for_people([judged])
    assert verdict.table([judged]).splitlines()[1].split("\t")[4].startswith(f"{said} | X ")


@pytest.mark.parametrize(("said", "word"), [("Intake refuses case X:", "REFUSED"), ("Traceback", "STOPPED")])
def test_a_gate_refuses_and_a_fault_stops_though_an_older_submission_is_there(results, tmp_path, said, word):
    log = tmp_path / "gate.log"
    log.write_text(f"{said}\nGZIP_TRUNCATED x\n")
    judged = verdict.judge(CASE, [Stop("intake_gate", str(log))], results)
    assert judged.verdict == word
    assert "GZIP_TRUNCATED x" in judged.reasons
    assert judged.submission == ""


def test_a_submission_changed_after_its_check_is_not_accepted(results):
    (results / "submissions" / CASE / "tagmanifest-sha256.txt").write_text("other\n")
    assert verdict.judge(CASE, [], results).verdict == "REFUSED"


@pytest.mark.parametrize("gone", [f"check/{CASE}.json", f"package/{CASE}.json"])
def test_a_case_without_check_or_receipt_is_not_accepted(results, gone):
    (results / gone).unlink()
    assert verdict.judge(CASE, [], results).verdict == "STOPPED"


def test_the_table_has_a_line_a_case_whatever_the_reasons_hold():
    rows = verdict.table([verdict.Verdict(CASE, "REFUSED", ("a\tb\nc", "d"), "")]).splitlines()
    assert rows == ["case\tverdict\treasons\tsubmission\twarnings", f"{CASE}\tREFUSED\ta b c | d\t\t"]


def test_people_are_told_how_many_were_accepted():
    shown = verdict.for_people([verdict.Verdict(CASE, "ACCEPTED", (), "results/submissions/X")])
    assert shown.startswith("Verdict: 1 of 1 cases accepted")
    assert f"results/submissions/X/data/{CASE}.multiqc.html" in shown
    assert "results/submissions/X/manifest.json" in shown


def metric(name, status, waiver=None):
    return {"id": "NGC-MET-001", "name": name, "value": 1.0, "status": status, "waiver": waiver}


def metrics_of(results, called=()):
    aligned = [metric("mean_coverage", "WARN"), metric("pct_10x", "PASS"), metric("pct_q30", "WARN", {"role": "x"})]
    document = {"biosample": {"id": "SAMPLE11"}, "metrics": aligned}
    for folder in ("gate", "qc"):
        (results / folder).mkdir(exist_ok=True)
    (results / "gate" / f"{CASE}.aligned.json").write_text(json.dumps({"case": CASE, "samples": [document]}))
    if called:
        (results / "qc" / "SAMPLE11.metrics.json").write_text(json.dumps({"metrics": [*aligned, *called]}))


def test_metrics_that_are_not_pass_are_told_in_json_and_counted_for_people(results):
    metrics_of(results, [metric("mendelian_error_rate", "NOT_MEASURED")])
    judged = verdict.judge(CASE, [], results)
    (told,) = json.loads(verdict.as_json([judged]))
    assert [(m["sample"], m["name"], m["status"]) for m in told["metrics"]] == [
        ("SAMPLE11", "mean_coverage", "WARN"),
        ("SAMPLE11", "pct_q30", "WARN"),
        ("SAMPLE11", "mendelian_error_rate", "NOT_MEASURED"),
    ]
    assert (told["case"], told["verdict"], told["reasons"]) == (CASE, "ACCEPTED", [])
    assert "metrics: 2 warn (1 waived), 1 not measured; see results/verdict.json" in verdict.for_people([judged])


def test_metrics_of_calls_older_than_the_alignments_are_not_told(results):
    metrics_of(results, [metric("count_snvs", "WARN")])
    os.utime(results / "qc" / "SAMPLE11.metrics.json", (1, 1))
    assert [m["name"] for m in verdict.judge(CASE, [], results).metrics] == ["mean_coverage", "pct_q30"]


def test_a_case_that_got_no_metrics_has_none(results):
    assert verdict.judge(CASE, [], results).metrics == ()


def test_a_gate_that_refuses_comes_before_a_job_that_was_still_to_do(results, tmp_path):
    log = tmp_path / "gate.log"
    log.write_text(f"The alignment gate refuses case {CASE}:\nNGC-MET-001 mean_coverage 3 x: FAIL where < 30.\n")
    judged = verdict.judge(CASE, [Stop("fastp", None), Stop("alignment_gate", str(log))], results)
    assert judged.verdict == "REFUSED"
    assert judged.reasons[0] == "at alignment_gate"
    assert judged.reasons[-1].startswith("NGC-MET-001")


@pytest.mark.parametrize(("observed", "warned"), [("same person", 1), ("siblings", 0)])
def test_an_accepted_case_is_warned_of_a_person_whom_a_later_case_has_too(results, observed, warned):
    folder = results / "identity"
    folder.mkdir()
    own, later = {"a": "S1", "b": "S2", "observed": "siblings"}, {"a": "T1", "b": "S1", "observed": observed}
    (folder / f"{CASE}.json").write_text(json.dumps({"relations": [own]}))
    (folder / "BBBB2222.json").write_text(json.dumps({"relations": [later]}))
    verdicts = [verdict.judge(case, [], results) for case in (CASE, "BBBB2222", "CCCC3333")]
    told = verdict.warn_of_shared_persons(verdicts, {"S1": CASE, "S2": CASE, "T1": "BBBB2222"}, results)
    assert [len(item.warnings) for item in told] == [warned, 0, 0]
    if warned:
        assert "S1 is the same person as T1 of case BBBB2222" in verdict.for_people(told)


def test_what_went_wrong_is_shown_and_not_javas_stack(tmp_path, results):
    log = tmp_path / "gatk.log"
    frames = "".join(f"\tat org.broadinstitute.Tool.step{number}(Tool.java:{number})\n" for number in range(30))
    log.write_text(f"INFO begun\njava.lang.IllegalArgumentException: Contigs differ\n{frames}\n")
    judged = verdict.judge(CASE, [Stop("gatk_filter", str(log))], results)
    assert judged.reasons[-1] == "java.lang.IllegalArgumentException: Contigs differ"
