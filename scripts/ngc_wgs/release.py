"""What the workflow itself is: its commit, whether it is as released, and a digest that tells when it was edited."""

from __future__ import annotations

import hashlib
import json
import subprocess
from pathlib import Path

CODE = ("Snakefile", "rules", "scripts", "envs", "config")
"""What decides about results. `profiles`, which a site makes its own, decides about threads and memory only."""
RELEASE = "RELEASE.json"
"""Written into a release, which has no git: {version, commit, code_sha256}."""


def code_sha256(house: Path) -> str:
    """sha256 over the sorted lines `sha256  path` of all files of the workflow's code.

    What programs leave behind is passed over: names that begin with a dot, __pycache__ and *.egg-info.
    """
    lines = []
    for top in CODE:
        for path in [house / top, *(house / top).rglob("*")]:
            parts = path.relative_to(house).parts
            passed = any(part.startswith(".") or part == "__pycache__" or part.endswith(".egg-info") for part in parts)
            if path.is_file() and not passed:
                lines.append(f"{hashlib.sha256(path.read_bytes()).hexdigest()}  {'/'.join(parts)}\n")
    return hashlib.sha256("".join(sorted(lines)).encode()).hexdigest()


def checkout(house: Path, code: str) -> dict:
    """Commit of the workflow, and whether it is as committed: {commit, clean_checkout}.

    code: `code_sha256` of the folder, which must be what the release was made with where there is no git checkout.
    `unknown` and false for a folder that is neither.
    """

    def git(*words: str) -> str:
        return subprocess.run(["git", "-C", str(house), *words], capture_output=True, text=True, check=True).stdout

    try:
        # A release may be unpacked within a checkout of something else.
        if Path(git("rev-parse", "--show-toplevel").strip()).samefile(house):
            commit, clean = git("rev-parse", "HEAD").strip(), not git("status", "--porcelain").strip()
            return {"commit": commit, "clean_checkout": clean}
    except (OSError, subprocess.CalledProcessError):
        pass
    try:
        release = json.loads((house / RELEASE).read_text(encoding="utf-8"))
        return {"commit": release["commit"], "clean_checkout": release["code_sha256"] == code}
    except FileNotFoundError:
        return {"commit": "unknown", "clean_checkout": False}


def write(house: Path, version: str, commit: str) -> None:
    """Say in a folder without git which release it is."""
    release = {"version": version, "commit": commit, "code_sha256": code_sha256(house)}
    (house / RELEASE).write_text(json.dumps(release, indent=2) + "\n", encoding="utf-8")
