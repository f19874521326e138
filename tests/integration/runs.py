"""Starts the workflow as an operator does, and reads what a run left. Used by the integration tests only."""

from __future__ import annotations

import csv
import io
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import pysam
import yaml

HOUSE = Path(__file__).resolve().parents[2]
DATA = Path(os.environ.get("NGC_WGS_TEST_DATA") or HOUSE.parent / "shared" / "data")
MAKE_DEMO = HOUSE / "tests" / "simulate" / "make_demo.py"
COMPUTED = ("alignment", "calling", "conform", "qc", "submissions")
"""Folders of results/ that intake does not write."""

# Root may write anywhere. Without its capabilities it is the owner of its files and no more, like any operator.
UNPRIVILEGED = () if os.geteuid() else ("setpriv", "--bounding-set=-all", "--inh-caps=-all", "--ambient-caps=-all")


def _without_network() -> tuple[str, ...]:
    """Words before a command that run it where there is no network at all; none where that is not allowed."""
    for words in (("unshare", "--net"), ("unshare", "--map-current-user", "--net")):
        if shutil.which(words[0]) and subprocess.run([*words, "true"], capture_output=True).returncode == 0:
            return words
    return ()


NO_NETWORK = _without_network()
CUT_OFF = (*NO_NETWORK, *UNPRIVILEGED)
"""For `run_workflow`: an operator without root's powers on a machine without network, where that can be made."""


@dataclass(frozen=True)
class Run:
    """A finished run: its working directory and what the process said."""

    directory: Path
    done: subprocess.CompletedProcess


def command(directory: Path, *arguments: str) -> list[str]:
    """The command of an operator who stands in the checkout."""
    start = ["snakemake", "--profile", "profiles/default", "--configfile", f"{directory}/config.yaml"]
    return [*start, "--directory", str(directory), *arguments]


def environment(first_on_path: Path | None = None, path: str | None = None) -> dict[str, str]:
    """An operator's shell, wide enough that no message is wrapped; `path` replaces PATH."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("PYTEST", "PYTHONPATH"))}
    path = path or kept["PATH"]
    return {**kept, "COLUMNS": "1000", "PATH": f"{first_on_path}:{path}" if first_on_path else path}


def run_workflow(
    directory: Path,
    *arguments: str,
    house: Path = HOUSE,
    prefix: Sequence[str] = UNPRIVILEGED,
    first_on_path: Path | None = None,
    path: str | None = None,
    variables: Mapping[str, str] | None = None,
) -> subprocess.CompletedProcess:
    """Run the workflow in `directory`, where config.yaml lies, from the checkout `house`, without root's powers.

    variables: set on top of the environment.
    """
    return subprocess.run(
        [*prefix, *command(directory, *arguments)],
        cwd=house,
        env={**environment(first_on_path, path), **(variables or {})},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        process_group=0,
    )


def said(done: subprocess.CompletedProcess) -> str:
    """All that the process printed."""
    return done.stdout + done.stderr


def make_demo(folder: Path, *arguments: str) -> Path:
    """The simulated demo in `folder`."""
    done = subprocess.run(
        [sys.executable, MAKE_DEMO, "--out", folder, *arguments], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return folder


def copy(source: Path, target: Path) -> Path:
    """A folder with its times, modes and, among its own files, hard links: a sealed bag shares files with results/."""
    target.parent.mkdir(parents=True, exist_ok=True)
    subprocess.run(["cp", "-a", source, target], check=True)
    return target


def unseal(folder: Path) -> None:
    """Give back what pytest needs to delete a folder."""
    subprocess.run(["chmod", "-R", "u+w", folder], check=True)


# ---- tables and configuration --------------------------------------------------------------


def table(directory: Path, name: str) -> list[dict[str, str]]:
    """Rows of a table of the run."""
    return list(csv.DictReader(io.StringIO((directory / f"{name}.tsv").read_text()), delimiter="\t"))


def write_table(directory: Path, name: str, rows: Sequence[Mapping[str, str]]) -> None:
    lines = ["\t".join(rows[0]), *("\t".join(row.values()) for row in rows)]
    (directory / f"{name}.tsv").write_text("".join(f"{line}\n" for line in lines))


def edit(directory: Path, name: str, change: Callable[[list[dict[str, str]]], object]) -> None:
    """Change a table's rows in place."""
    rows = table(directory, name)
    change(rows)
    write_table(directory, name, rows)


def configure(directory: Path, **keys: object) -> None:
    """Set keys of the run's configuration; of a mapping only those that are given."""
    path = directory / "config.yaml"
    config = yaml.safe_load(path.read_text())
    for key, value in keys.items():
        config[key] = {**config.get(key, {}), **value} if isinstance(value, Mapping) else value
    path.write_text(yaml.safe_dump(config))


# ---- what a run left ------------------------------------------------------------------------


def verdicts(directory: Path) -> dict[str, dict[str, str]]:
    """Rows of results/verdict.tsv by case."""
    text = (directory / "results" / "verdict.tsv").read_text()
    return {row["case"]: row for row in csv.DictReader(io.StringIO(text), delimiter="\t", quoting=csv.QUOTE_NONE)}


def bag(directory: Path, case: str | None = None) -> Path:
    """Submission folder of a case, or of the only one."""
    folders = [directory / "results" / "submissions" / case] if case else submissions(directory)
    assert len(folders) == 1, folders
    return folders[0]


def submissions(directory: Path) -> list[Path]:
    return sorted(path for path in (directory / "results" / "submissions").glob("*") if path.name[0] != ".")


def manifest(submission: Path) -> dict:
    return json.loads((submission / "manifest.json").read_text())


def contents(submission: Path) -> dict[str, str]:
    """Content digest of each file of a submission that has one."""
    files = manifest(submission)["files"]
    return {file["path"]: file["content_digest"]["value"] for file in files if file["content_digest"]}


def nothing_computed(directory: Path) -> bool:
    """Whether nothing was computed of the reads: beside intake's files there are none but headers of the profile."""
    files = [path for name in COMPUTED for path in (directory / "results" / name).rglob("*") if path.is_file()]
    return all(path.suffix == ".header" for path in files)


def planned(directory: Path, *arguments: str) -> set[str]:
    """Outputs that the next run would make, intermediate ones included."""
    done = run_workflow(directory, "--summary", *arguments)
    assert done.returncode == 0, done.stderr
    rows = csv.DictReader(io.StringIO(done.stdout), delimiter="\t")
    return {row["output_file"] for row in rows if row["plan"] == "update pending"}


def check(submission: Path, *arguments: str | Path) -> tuple[int, dict]:
    """Exit status and report of `ngc-wgs check` on a submission."""
    done = subprocess.run(
        [sys.executable, "-m", "ngc_check.cli", "check", submission, "--json", *arguments],
        env={**os.environ, "PYTHONPATH": str(HOUSE / "scripts")},
        capture_output=True,
        text=True,
    )
    assert done.stdout, done.stderr
    return done.returncode, json.loads(done.stdout)


def compare(a: Path, b: Path, *arguments: str | Path) -> tuple[int, dict]:
    """Exit status and report of `ngc-wgs compare` on two submissions."""
    done = subprocess.run(
        [sys.executable, "-m", "ngc_check.cli", "compare", a, b, "--json", *arguments],
        env={**os.environ, "PYTHONPATH": str(HOUSE / "scripts")},
        capture_output=True,
        text=True,
    )
    assert done.stdout, done.stderr
    return done.returncode, json.loads(done.stdout)


def tool(folder: Path, name: str, text: str) -> Path:
    """A command `name` of one's own in `folder`, to go first on PATH. `$REAL` in its text is the command it hides."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / name
    path.write_text("#!/bin/bash\n" + text.replace("$REAL", f"'{shutil.which(name)}'") + "\n")
    path.chmod(0o755)
    return path


# manta's way: configManta.py makes a script in --runDir, and that script calls.
_CONFIGURE_MANTA = """[[ $1 = --version ]] && {{ echo 1.6.0; exit; }}
echo "$*" >> '{said}'
while [[ $1 != --runDir ]]; do shift; done
mkdir -p "$2/results/variants"
printf '#!/bin/bash\\n%s\\n' "$(cat '{does}')" > "$2/runWorkflow.py"; chmod +x "$2/runWorkflow.py" """
_MANTA_HEADER = "\n".join(
    [
        "##fileformat=VCFv4.1",
        '##INFO=<ID=SVTYPE,Number=1,Type=String,Description="">',
        '##INFO=<ID=SVLEN,Number=.,Type=Integer,Description="">',
        '##INFO=<ID=END,Number=1,Type=Integer,Description="">',
        '##INFO=<ID=CIPOS,Number=2,Type=Integer,Description="">',
        '##INFO=<ID=CIEND,Number=2,Type=Integer,Description="">',
        '##INFO=<ID=MATEID,Number=.,Type=String,Description="">',
        '##INFO=<ID=SOMATICSCORE,Number=1,Type=Integer,Description="">',
        '##FORMAT=<ID=GT,Number=1,Type=String,Description="">',
        '##FORMAT=<ID=FT,Number=1,Type=String,Description="">',
        '##FORMAT=<ID=GQ,Number=1,Type=Integer,Description="">',
        '##FORMAT=<ID=PL,Number=G,Type=Integer,Description="">',
        '##FORMAT=<ID=PR,Number=.,Type=Integer,Description="">',
        '##FORMAT=<ID=SR,Number=.,Type=Integer,Description="">',
        "##contig=<ID=chr1,length={length}>",
        "#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\tFORMAT\t{samples}\n",
    ]
)


def manta(folder: Path, **calls: str) -> Path:
    """A stand-in for manta: the folder of configManta.py, for PATH.

    calls: by `diploid` and `somatic` the text of its VCF. `folder/said` has the arguments of each command; what the
    calling script does instead may be written to `folder/does`.
    """
    folder.mkdir(parents=True)
    said, does = folder / "said", folder / "does"
    for name, text in calls.items():
        (folder / f"{name}.vcf").write_text(text)
        pysam.tabix_compress(str(folder / f"{name}.vcf"), str(folder / f"{name}SV.vcf.gz"))
    does.write_text(f"""echo "$*" >> '{said}'; cp '{folder}'/*.vcf.gz "${{0%/*}}/results/variants/" """)
    return tool(folder / "bin", "configManta.py", _CONFIGURE_MANTA.format(said=said, does=does)).parent


def manta_vcf(directory: Path, samples: Sequence[str], *lines: str) -> str:
    """A VCF of chr1 as manta writes it."""
    with pysam.FastaFile(str(directory / "reference" / "genome.fa")) as fasta:
        length = fasta.get_reference_length("chr1")
    return _MANTA_HEADER.format(length=length, samples="\t".join(samples)) + "".join(f"{line}\n" for line in lines)
