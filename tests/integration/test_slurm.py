"""Faults on a real Slurm of one controller and three nodes: what is killed is done again, to the same content.

The tools do the real work of the tiny demo; only first attempts are made to hang, or to take more memory than they were
given, so that there is something to kill.
"""

import hashlib
import json
import os
import re
import signal
import subprocess
import time
from pathlib import Path

import psutil
import pytest
import runs

from slurm import cluster as slurm

SAMPLE = "R9DVH3NJX6LC"
UNITS = (f"{SAMPLE}.LIB2.HDEMODSX7.L3", f"{SAMPLE}.LIB3.HDEMODSX7.L4")
PRODUCTS = (f"results/alignment/{SAMPLE}.cram", *(f"results/qc/{unit}.fastp.json" for unit in UNITS))
OPTIONS = ("--slurm-status-command", "squeue", "--slurm-init-seconds-before-status-checks", "2")
HALF = 1000  # bytes of a report that is not whole
# At their first attempt bwa hangs, and fastp of the second unit with half a report; fastp of the first unit takes
# 2.5 GB each time.
TOOLS = {
    "bwa": """
unit=$(grep -o 'ID:[^\\\\]*' <<< "$*" | head -n 1)
if [[ $1 = mem && ! -e "$HOLD/${unit}" ]]; then
    $REAL "$@" | head -c 100000
    touch "$HOLD/${unit}"
    sleep 600
fi
exec $REAL "$@"
""",
    "fastp": f"""
if [[ $* = *L3_R1* ]]; then
    python -c 'import time; block = b"x" * 2_600_000_000; time.sleep(4)'
elif [[ ! -e $HOLD/time ]]; then
    $REAL "$@"
    for file in results/qc/*L4.fastp.json; do truncate -s {HALF} "$file"; done
    touch "$HOLD/time"
    sleep 600
fi
exec $REAL "$@"
""",
}


@pytest.fixture(scope="module")
def cluster():
    if reason := slurm.why_not():
        pytest.skip(reason)
    with slurm.Cluster() as running:
        yield running


@pytest.fixture
def profile(tmp_path) -> Path:
    """profiles/slurm on this cluster: nothing is changed but the two lines of the site."""
    text = (runs.HOUSE / "profiles" / "slurm" / "config.yaml").read_text()
    text, accounts = re.subn(r"^  - slurm_account=.*\n", "", text, flags=re.M)
    text, partitions = re.subn(r"(?m)^(  - slurm_partition=)\S+", r"\1main", text)
    assert (accounts, partitions) == (1, 1)
    folder = tmp_path / "profile"
    folder.mkdir()
    (folder / "config.yaml").write_text(text)
    return folder


def launch(directory: Path, profile: Path, tools: Path, log: Path, *arguments: str) -> subprocess.Popen:
    """Start the workflow on the cluster as an operator does, and do not wait for it."""
    command = ["snakemake", "--workflow-profile", str(profile), "--configfile", f"{directory}/config.yaml"]
    return subprocess.Popen(
        [*command, "--directory", str(directory), *OPTIONS, *arguments],
        cwd=runs.HOUSE,
        env={**runs.environment(tools), "HOLD": str(tools.parent / "hold")},
        stdin=subprocess.DEVNULL,
        stdout=log.open("w"),
        stderr=subprocess.STDOUT,
        start_new_session=True,
    )


def jobs(rule: str, unit: str = "", states: str = "all") -> list[dict[str, str]]:
    """Slurm's record of each job of a rule, oldest first."""
    listed = subprocess.run(
        ["squeue", "-h", f"--states={states}", "--format=%A %k"], capture_output=True, text=True, check=True
    )
    ids = [line.split()[0] for line in listed.stdout.splitlines() if f"rule_{rule}_" in line and unit in line]
    texts = [
        subprocess.run(["scontrol", "-o", "show", "job", one], capture_output=True, text=True, check=True).stdout
        for one in sorted(ids, key=int)
    ]
    return [dict(re.findall(r"(\S+?)=(\S*)", text)) for text in texts]


def digests(folder: Path) -> dict[str, str]:
    files = (path for path in folder.rglob("*") if path.is_file())
    return {str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


def test_a_configuration_is_taken_away_only_where_it_is_ours_and_nothing_of_it_runs(tmp_path):
    ours = f"{slurm.MARK}StateSaveLocation={tmp_path}/cluster/state\n"
    assert not slurm.is_left_over("ClusterName=site\n")
    assert slurm.is_left_over(ours)
    with subprocess.Popen(["tail", "-f", "/dev/null", f"{tmp_path}/cluster/key"]) as alive:
        try:
            while not psutil.Process(alive.pid).cmdline():  # for a moment a new program has none
                time.sleep(0.01)
            assert not slurm.is_left_over(ours)
        finally:
            alive.kill()


def test_what_slurm_kills_is_done_again_to_the_same_content(cluster, profile, finished, tiny_run, tmp_path):
    for name in ("alignment", "calling", "conform", "qc", "package", "check"):
        for path in (finished / "results" / name).glob("*"):
            path.unlink()
    sealed = runs.bag(finished)
    before = digests(sealed)
    hold = tmp_path / "hold"
    hold.mkdir()
    for name, text in TOOLS.items():
        tools = runs.tool(tmp_path / "tools", name, text).parent
    log = tmp_path / "launcher.log"

    # The launcher is killed. Its jobs go on, and until they are gone nobody else may write here.
    launcher = launch(finished, profile, tools, log, PRODUCTS[0])
    slurm.wait_until(lambda: len(list(hold.glob("ID:*"))) == 2, "both lanes in bwa", 300)
    os.killpg(launcher.pid, signal.SIGKILL)
    launcher.wait()
    assert runs.run_workflow(finished, "--unlock").returncode == 0
    second = runs.run_workflow(finished)
    left = [job["JobId"] for job in jobs("bwa_mem", states="running")]
    assert second.returncode == 1
    assert len(left) == 2
    assert "jobs of an earlier run still work here. Mend: wait for them, or scancel " in second.stderr
    assert set(left) == set(re.search(r"scancel ([\d ]+),", second.stderr)[1].split())
    assert "locked" not in second.stderr
    subprocess.run(["scancel", *left], check=True)
    slurm.wait_until(lambda: not cluster.squeue("--me"), "an empty queue")
    for path in hold.iterdir():
        path.unlink()

    # All at once: too much memory, too much time, a node without power, scancel, and no scheduler for a while.
    launcher = launch(finished, profile, tools, log, *PRODUCTS)
    slurm.wait_until(
        lambda: len(list(hold.glob("ID:*"))) == 2 and (hold / "time").exists(), "three jobs that hang", 300
    )
    lost, cancelled = (jobs("bwa_mem", unit, "running")[0] for unit in UNITS)
    late = jobs("fastp", UNITS[1], "running")[0]
    assert len({job["NodeList"] for job in (lost, cancelled, late)}) == 3
    subprocess.run(["scontrol", "update", f"JobId={late['JobId']}", "TimeLimit=1"], check=True)
    subprocess.run(["scancel", cancelled["JobId"]], check=True)
    cluster.kill(lost["NodeList"])
    cluster.kill("slurmctld", signal.SIGTERM)
    assert (finished / f"results/qc/{UNITS[1]}.fastp.json").stat().st_size == HALF
    time.sleep(3)
    cluster.start("slurmctld")
    slurm.wait_until(lambda: cluster.states().get(lost["NodeList"], "").startswith("down"), "a node that is down", 120)
    cluster.start(lost["NodeList"])
    assert launcher.wait(timeout=900) == 0, log.read_text()

    def told(rule: str, unit: str, *keys: str) -> list[tuple[str, ...]]:
        return [tuple(job[key] for key in keys) for job in jobs(rule, unit) if job["JobId"] not in left]

    asked = ("JobState", "MinMemoryNode")
    assert told("fastp", UNITS[0], *asked) == [("FAILED", "2500M"), ("COMPLETED", "4500M")]
    asked = ("JobState", "TimeLimit")
    assert told("fastp", UNITS[1], *asked) == [("TIMEOUT", "00:01:00"), ("COMPLETED", "01:00:00")]
    asked = ("JobState", "Restarts")
    assert told("bwa_mem", UNITS[0], *asked) == [("COMPLETED", "1")]
    assert [state for state, _ in told("bwa_mem", UNITS[1], *asked)] in (
        ["FAILED", "COMPLETED"],
        ["CANCELLED", "COMPLETED"],
    )
    kept = [path for path in (finished / ".snakemake" / "slurm_logs").rglob("*.log") if "markdup" in str(path)]
    assert len(kept) == 1, "the log of a successful job is kept"

    # The rest needs no cluster. What was sealed before stayed as it was until its successor took its place.
    assert digests(sealed) == before
    done = runs.run_workflow(finished)
    assert done.returncode == 0, done.stderr
    assert runs.contents(sealed) == runs.contents(runs.bag(tiny_run.directory))
    for unit in UNITS:  # apart from the command, which names the stand-in's path
        name = f"results/qc/{unit}.fastp.json"
        ours, theirs = (json.loads((folder / name).read_text()) for folder in (finished, tiny_run.directory))
        assert {**ours, "command": ""} == {**theirs, "command": ""}


def test_a_node_that_is_drained_ends_its_job_and_gets_no_other(cluster, profile, finished, tiny_run, tmp_path):
    reports = [f"results/qc/{unit}.fastp.json" for unit in UNITS]
    for name in reports:
        (finished / name).unlink()
    hold = tmp_path / "hold"
    hold.mkdir()
    wait = 'touch "$HOLD/runs"; until [[ -e $HOLD/drained ]]; do sleep 0.2; done; exec $REAL "$@"\n'
    log = tmp_path / "launcher.log"
    # One job at a time, so that the second is handed out when the node is drained.
    launcher = launch(
        finished, profile, runs.tool(tmp_path / "tools", "fastp", wait).parent, log, *reports, "--jobs", "1"
    )

    def ours() -> list[dict[str, str]]:
        return [job for job in jobs("fastp") if job["StdOut"].startswith(str(finished))]

    slurm.wait_until((hold / "runs").exists, "a job that waits", 300)
    (job,) = ours()
    subprocess.run(
        ["scontrol", "update", f"NodeName={job['NodeList']}", "State=DRAIN", "Reason=a new disk"], check=True
    )
    assert cluster.states()[job["NodeList"]] == "draining"
    try:
        (hold / "drained").touch()
        assert launcher.wait(timeout=300) == 0, log.read_text()
        first, second = ours()
        assert [one["JobState"] for one in (first, second)] == ["COMPLETED", "COMPLETED"]
        assert (first["JobId"], first["Restarts"], first["NodeList"]) == (job["JobId"], "0", job["NodeList"])
        assert second["NodeList"] != job["NodeList"]
        assert cluster.states()[job["NodeList"]] == "drained"
    finally:
        subprocess.run(["scontrol", "update", f"NodeName={job['NodeList']}", "State=RESUME"], check=True)
    for name in reports:  # apart from the command, which names the stand-in's path
        made, expected = (json.loads((folder / name).read_text()) for folder in (finished, tiny_run.directory))
        assert {**made, "command": ""} == {**expected, "command": ""}


@pytest.mark.proof
def test_a_whole_run_on_the_cluster_has_the_content_of_a_local_one(cluster, profile, tiny, tiny_run, tmp_path):
    log = tmp_path / "launcher.log"
    assert launch(tiny, profile, tmp_path, log).wait() == 0, log.read_text()
    assert runs.contents(runs.bag(tiny)) == runs.contents(runs.bag(tiny_run.directory))
