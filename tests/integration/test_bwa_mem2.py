"""The other aligner, chosen by one switch."""

import shutil
import subprocess

import pytest
import runs
import yaml

FAKE_CONDA = """case "$*" in
    --version) echo conda 25.1.0 ;;
    "info --json") echo '{"conda_prefix": "/nowhere", "platform": "linux-64"}' ;;
    *channel_priority*) echo '{"get": {"channel_priority": "strict"}}' ;;
    *) echo '{}' ;;
esac"""


@pytest.fixture
def switched(tiny):
    """The tiny demo for bwa-mem2; its indexes are dummies but for the files that bwa has too."""
    path = tiny / "config.yaml"
    path.write_text(yaml.safe_dump({**yaml.safe_load(path.read_text()), "aligner": "bwa-mem2"}))
    for suffix in ("0123", "bwt.2bit.64"):
        (tiny / "reference" / f"genome.fa.{suffix}").touch()
    return tiny


def test_bwa_mem2_needs_its_own_index_and_not_that_of_bwa(switched):
    for suffix in ("bwt", "sa"):
        (switched / "reference" / f"genome.fa.{suffix}").unlink()
    assert runs.run_workflow(switched, "-n").returncode == 0
    (switched / "reference" / "genome.fa.0123").unlink()
    done = runs.run_workflow(switched, "-n")
    assert done.returncode == 1
    assert "genome.fa.0123: there is no such file. Mend: run: bwa-mem2 index reference/genome.fa." in done.stderr


def test_bwa_mem2_is_in_its_own_environment_and_bwa_in_none(switched, tmp_path):
    conda = runs.tool(tmp_path, "conda", FAKE_CONDA).parent
    listed = ["--list-conda-envs", "--software-deployment-method", "conda"]
    done = runs.run_workflow(switched, *listed, first_on_path=conda)
    assert done.returncode == 0, done.stderr
    assert "envs/bwa-mem2.yaml" in done.stdout
    assert "envs/bwa.yaml" not in done.stdout


def test_the_switch_calls_bwa_mem2_with_the_arguments_of_bwa(switched, tmp_path):
    said = tmp_path / "arguments"
    real = shutil.which("bwa")
    record = f"""echo "$*" >> '{said}'; exec '{real}' "$@" """
    fake = f"[[ $1 = version ]] && {{ echo 2.3; exit; }}; {record}"
    tools = runs.tool(tmp_path / "tools", "bwa-mem2", fake).parent
    runs.tool(tools, "bwa", "exit 99")
    done = runs.run_workflow(switched, "--until", "bwa_mem", first_on_path=tools)
    assert sorted(path.name for path in (switched / "results" / "alignment").glob("*.L*.cram")), done.stderr
    calls = said.read_text().splitlines()
    assert len(calls) == len(runs.table(switched, "units"))
    assert all(call.startswith("mem -t 2 -K 100000000 -Y -R @RG") for call in calls)
    assert not (switched / "results" / "intake" / "tools" / "bwa.txt").exists()


@pytest.mark.skipif(shutil.which("bwa-mem2") is None, reason="bwa-mem2 is not on PATH")
def test_bwa_mem2_gives_an_accepted_submission(switched):
    subprocess.run(["bwa-mem2", "index", "genome.fa"], cwd=switched / "reference", check=True, capture_output=True)
    done = runs.run_workflow(switched)
    assert done.returncode == 0, done.stderr
    tools = {tool["name"] for tool in runs.manifest(runs.bag(switched))["tools"]}
    assert "bwa-mem2" in tools and "bwa" not in tools
