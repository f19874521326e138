"""What follows a finished case: another profile version, a signature, an encrypted copy."""

import subprocess
import sys

import pytest
import runs

import ngc_profile
from ngc_wgs import signing


def test_a_resubmission_under_a_new_profile_version_needs_no_new_compute(finished):
    bag = runs.bag(finished)
    before = runs.manifest(bag)
    profile = ngc_profile.load()
    text = ngc_profile.default_profile().read_text()
    (finished / "profile.yaml").write_text(text.replace(f'version: "{profile.version}"', 'version: "99.0.0"', 1))
    runs.configure(finished, profile="profile.yaml")
    planned = runs.planned(finished)
    assert {path.split("/")[1] for path in planned} == {"qc", "gate", "package", "check"}
    assert [path for path in planned if "/gate/" in path] == [f"results/gate/{bag.name}.called"]
    assert {path.split(".", 1)[1] for path in planned if "/qc/" in path} == {"metrics.json", "multiqc.html"}
    done = runs.run_workflow(finished)
    assert done.returncode == 0, done.stderr
    after = runs.manifest(bag)
    assert (before["profile"]["version"], after["profile"]["version"]) == (profile.version, "99.0.0")
    for old, new in zip(before["files"], after["files"], strict=True):
        if not new["path"].endswith((".json", ".html")):
            assert new == old


def test_where_the_site_has_a_key_submissions_are_signed_and_checked_with_it(finished):
    unsigned = {f["rule"] for f in runs.check(runs.bag(finished))[1]["findings"]}
    assert "NGC-PKG-008" in unsigned
    signing.keygen(finished / "keys")
    runs.configure(finished, signing_key="keys/signing.key")
    assert runs.planned(finished) == set()  # no result changes by it
    case = runs.bag(finished).name
    done = runs.run_workflow(finished, "--forcerun", f"results/package/{case}.json")
    assert done.returncode == 0, done.stderr
    bag = runs.bag(finished)
    assert (bag / signing.SIGNATURE).stat().st_mode & 0o777 == 0o444
    status, report = runs.check(bag, "--public-key", finished / "keys" / "signing.pub")
    assert status == 0
    assert not [f for f in report["findings"] if f["rule"].startswith("NGC-PKG")]
    (report_file,) = (finished / "results" / "check").glob("*.json")
    assert "NGC-PKG-00" not in report_file.read_text()


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (lambda keys: (keys / "signing.key").chmod(0o644), "chmod 600"),
        (lambda keys: (keys / "signing.key").write_text("x"), "not an Ed25519 private key"),
        (lambda keys: (keys / "signing.key").unlink(), "run: ngc-wgs keygen"),
        (lambda keys: (keys / "signing.pub").unlink(), "run: ngc-wgs keygen"),
    ],
)
def test_a_key_that_will_not_do_stops_the_run_before_anything_is_computed(spoil, said, tiny):
    signing.keygen(tiny / "keys")
    spoil(tiny / "keys")
    runs.configure(tiny, signing_key="keys/signing.key")
    done = runs.run_workflow(tiny)
    assert done.returncode == 1
    assert said in runs.said(done) and "Traceback" not in runs.said(done)
    assert runs.nothing_computed(tiny)


def test_an_accepted_submission_is_encrypted_for_the_recipients_and_judged_by_them(finished, tmp_path):
    pair = (tmp_path / "receiver.sec", finished / "receiver.pub")
    make = "import sys; from crypt4gh.keys import c4gh; c4gh.generate(*sys.argv[1:], None, None)"
    subprocess.run([sys.executable, "-c", make, *pair], check=True, capture_output=True)
    runs.configure(finished, recipients=["receiver.pub"])
    case = runs.bag(finished).name
    assert runs.planned(finished) == {f"results/encrypt/{case}.json"}
    done = runs.run_workflow(finished)
    assert done.returncode == 0, done.stderr
    sent = finished / "results" / "encrypt" / case
    reference = ("--reference", finished / "reference" / "genome.fa")
    status, plain = runs.check(runs.bag(finished), *reference)
    assert status == 0
    status, opened = runs.check(sent, *reference, "--private-key", pair[0])
    assert (status, opened["findings"]) == (0, plain["findings"])
    assert runs.check(sent, *reference)[0] == 0
    runs.unseal(sent)
