"""What the workflow says of itself: the digest of its code, and its commit with git or as a release."""

import json
import subprocess

import pytest

from ngc_wgs import release


@pytest.fixture
def house(tmp_path):
    folder = tmp_path / "house"
    for name in ("Snakefile", "rules/a.smk", "scripts/a.py", "envs/a.yaml", "config/a.yaml", "profiles/a.yaml"):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(name)
    return folder


@pytest.mark.parametrize("change", ["edit", "rename", "add", "delete", "swap"])
def test_every_change_of_the_code_changes_the_digest(house, change):
    before = release.code_sha256(house)
    script = house / "scripts" / "a.py"
    if change == "edit":
        script.write_text("scripts/a.pz")
    elif change == "rename":
        script.rename(house / "scripts" / "b.py")
    elif change == "add":
        (house / "config" / "schemas").mkdir()
        (house / "config" / "schemas" / "new.json").touch()
    elif change == "delete":
        script.unlink()
    else:
        script.write_text("rules/a.smk")
        (house / "rules" / "a.smk").write_text("scripts/a.py")
    assert release.code_sha256(house) != before


def test_what_programs_leave_behind_and_what_a_site_sets_is_not_code(house):
    before = release.code_sha256(house)
    for name in ("scripts/__pycache__/a.pyc", "scripts/x.egg-info/PKG", "rules/.a.smk.swp", "profiles/b.yaml", "o.tsv"):
        (house / name).parent.mkdir(exist_ok=True)
        (house / name).write_text("x")
    assert release.code_sha256(house) == before


def test_a_folder_that_is_neither_checkout_nor_release_is_unknown_and_unclean(house):
    assert release.checkout(house, "0" * 64) == {"commit": "unknown", "clean_checkout": False}


def test_a_release_needs_no_git_and_is_clean_until_it_is_edited(house):
    code = release.code_sha256(house)
    text = json.dumps({"version": "0.1.0", "commit": "c" * 40, "code_sha256": code})
    (house / release.RELEASE).write_text(text)
    assert release.checkout(house, code) == {"commit": "c" * 40, "clean_checkout": True}
    (house / "Snakefile").write_text("x")
    assert not release.checkout(house, release.code_sha256(house))["clean_checkout"]


def test_a_checkout_is_clean_until_it_is_edited_and_lends_its_commit_to_no_folder_in_it(house):
    def git(*words):
        name = ("-c", "user.name=x", "-c", "user.email=x@example.org")
        command = ["git", "-C", house, *name, *words]
        return subprocess.run(command, check=True, capture_output=True, text=True).stdout

    git("init")
    git("add", ".")
    git("commit", "-m", "x")
    commit = git("rev-parse", "HEAD").strip()
    assert release.checkout(house, "") == {"commit": commit, "clean_checkout": True}
    assert release.checkout(house / "scripts", "") == {"commit": "unknown", "clean_checkout": False}
    (house / "Snakefile").write_text("x")
    assert release.checkout(house, "") == {"commit": commit, "clean_checkout": False}
