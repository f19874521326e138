"""One other condition at a time, each on the tiny demo: the submission is the same to the last record."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import support

MAKE_DEMO = support.REPOSITORY / "tests" / "simulate" / "make_demo.py"
REAL_GATK = shutil.which("gatk")
HOUSE = ("Snakefile", "config", "envs", "profiles", "rules", "scripts")

CONDITIONS: dict[str, tuple[tuple[str, ...], dict[str, str]]] = {
    "1 core": (("--cores", "1"), {}),
    "2 cores": (("--cores", "2"), {}),
    "bwa with 1 thread": (("--cores", "3", "--set-threads", "bwa_mem=1"), {}),
    "bwa with 3 threads": (("--cores", "3", "--set-threads", "bwa_mem=3"), {}),
    "last jobs first": (("--cores", "2", "--scheduler", "greedy", "--prioritize", "results/alignment/{last}.cram"), {}),
    "another time zone": ((), {"TZ": "Pacific/Kiritimati"}),
    "Danish": ((), {"LC_ALL": "da_DK.UTF-8"}),
    "Turkish": ((), {"LC_ALL": "tr_TR.UTF-8"}),
    "plain Java pair-HMM": ((), {"PATH": "{tools}:" + os.environ["PATH"]}),
    "another scratch": ((), {"TMPDIR": "{scratch}"}),
}
"""Condition: options of Snakemake and variables of its environment."""


def run(place: Path) -> Iterator[str]:
    """The proof, as text for the report. place: an empty folder."""
    yield "## Sites\n"
    made = place / "made"
    subprocess.run([sys.executable, MAKE_DEMO, "--out", made, "--tiny"], check=True, capture_output=True)
    (place / "house").mkdir()
    for name in HOUSE:  # a release of its own, so that the checkout may be worked on meanwhile
        subprocess.run(["cp", "-a", support.REPOSITORY / name, place / "house"], check=True)
    (place / "scratch").mkdir()
    (place / "tools").mkdir()
    gatk = place / "tools" / "gatk"
    gatk.write_text(
        "#!/bin/bash\n"
        '[[ $* = *HaplotypeCaller* ]] && set -- "$@" --pair-hmm-implementation LOGLESS_CACHING\n'
        f"exec '{REAL_GATK}' \"$@\"\n"
    )
    gatk.chmod(0o755)
    languages = [text for text in ("da_DK", "tr_TR") if _locale(text, place)]
    units = [line.split("\t") for line in (made / "units.tsv").read_text().splitlines()]
    last = dict(zip(units[0], units[-1], strict=True))
    names = {
        "tools": place / "tools",
        "scratch": place / "scratch",
        "last": "{sample}.{library}.{flowcell}.L{lane}".format(**last),
    }
    first, wrong, rows = _run(made, place / "first", (), {}), [], []
    reference = made / "reference" / "genome.fa"
    for condition, (options, variables) in CONDITIONS.items():
        began = time.monotonic()
        options = [option.format(**names) for option in options]
        variables = {key: value.format(**names) for key, value in variables.items()} | {"LOCPATH": str(place)}
        bag = _run(made, place / condition.replace(" ", "_"), options, variables)
        command = [sys.executable, "-m", "ngc_check.cli", "compare", first, bag, "--json", "--reference", reference]
        done = subprocess.run(command, capture_output=True, text=True, env=support.environment())
        report = json.loads(done.stdout)
        rows.append(f"| {condition} | {report['verdict']} | {time.monotonic() - began:.0f} |")
        if done.returncode:
            wrong.append(f"{condition}: {done.stdout[:2000]}")
    yield from support.failed(wrong)
    yield "\n".join(["| condition | compared with 2 cores, C, UTC, native pair-HMM | s |", "|---|---|--:|", *rows, ""])
    yield f"Locales made for the C programs: {', '.join(languages) or 'none, Java and Python alone saw them'}.\n"


def _locale(name: str, place: Path) -> bool:
    """Make a locale in `place`, for LOCPATH; false where it cannot be made here."""
    if not shutil.which("localedef"):
        return False
    command = ["localedef", "-i", name, "-f", "UTF-8", place / f"{name}.UTF-8"]
    subprocess.run(command, capture_output=True)
    return (place / f"{name}.UTF-8" / "LC_CTYPE").is_file()


def _run(made: Path, folder: Path, options: tuple[str, ...] | list[str], variables: dict[str, str]) -> Path:
    """Run the demo in a folder of its own; its submission. Raises NotProven where the run fails."""
    shutil.copytree(made, folder)
    command = [
        "snakemake",
        "--profile",
        "profiles/default",
        "--configfile",
        folder / "config.yaml",
        "--directory",
        folder,
    ]
    environment = {**os.environ, "TZ": "UTC", "LC_ALL": "C", **variables}
    done = subprocess.run(
        [*command, *options], cwd=folder.parent / "house", env=environment, capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise support.NotProven(f"{folder.name}: ended with {done.returncode}: {done.stderr[-2000:]}")
    (bag,) = (folder / "results" / "submissions").glob("[!.]*")
    return bag
