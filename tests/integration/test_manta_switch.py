"""manta beside delly, chosen by one switch: through the workflow with a stand-in, and with manta where it is there."""

import json
import shutil

import pysam
import pytest
import runs

DELETION = "chr1\t5000\tDEL1\tN\t<DEL>\t500\tPASS\tEND=6000;SVTYPE=DEL;SVLEN=-1000\tGT:FT:GQ:PL:PR:SR\t"
DELETION += "0/1:PASS:99:200,0,300:20,9:15,5"


@pytest.fixture
def switched(finished):
    """The finished tiny run, to be called by both: directory, sample, case."""
    runs.configure(finished, structural_callers=["delly", "manta"])
    (row,) = runs.table(finished, "samples")
    return finished, row["sample"], row["case"]


def test_the_switch_calls_manta_and_its_calls_are_sealed_beside_dellys(switched, tmp_path):
    directory, sample, case = switched
    stand_in = tmp_path / "manta"
    tools = runs.manta(stand_in, diploid=runs.manta_vcf(directory, [sample], DELETION))
    done = runs.run_workflow(directory, first_on_path=tools)
    assert done.returncode == 0, runs.said(done)
    configured, ran = (stand_in / "said").read_text().splitlines()
    assert configured.startswith(
        f"--bam results/alignment/{sample}.cram --referenceFasta reference/genome.fa --runDir "
    )
    assert ran.startswith("-m local -j ") and " -g " in ran
    submission = runs.bag(directory, case)
    with pysam.VariantFile(str(submission / "data" / f"{case}.sv.vcf.gz")) as records:
        (found,) = [record for record in records if "manta" in record.info["CALLERS"]]
    assert (found.pos, found.stop, found.info["CALLERS"], found.samples[sample]["GT"]) == (
        5000,
        6000,
        ("manta",),
        (0, 1),
    )
    assert {tool["name"]: tool["version"] for tool in runs.manifest(submission)["tools"]}["manta"] == "1.6.0"

    # Refused by manta, delly's calls do not stand alone: the case says that it was not called.
    (stand_in / "does").write_text(
        "echo \"Too few high-confidence read pairs (7) in bam file 'x/" + sample + ".cram'\"; exit 1"
    )
    files = [f"results/sv/{case}.{name}" for name in ("sv.vcf.gz", "not_called.json")]
    done = runs.run_workflow(directory, *files, "--forcerun", "manta_call", first_on_path=tools)
    assert done.returncode == 0, runs.said(done)
    assert (directory / files[0]).read_bytes() == b""
    (entry,) = json.loads((directory / files[1]).read_text())
    assert entry["reason"].startswith(f"too few read pairs of {sample} ")


def test_a_run_that_names_manta_is_refused_before_compute_where_it_is_not_there(switched, tmp_path):
    directory, _, case = switched
    tools = runs.tool(tmp_path / "tools", "configManta.py", "exit 127").parent
    done = runs.run_workflow(directory, first_on_path=tools)
    assert done.returncode == 1
    assert "manta" in (directory / "logs" / "intake" / "preflight.log").read_text()
    assert not (directory / "results" / "sv" / f"{case}.manta.vcf.gz").exists()


@pytest.mark.skipif(shutil.which("configManta.py") is None, reason="manta is not on PATH")
def test_manta_gives_an_accepted_submission(switched):
    directory, _, case = switched
    done = runs.run_workflow(directory)
    assert done.returncode == 0, runs.said(done)
    assert "manta" in {tool["name"] for tool in runs.manifest(runs.bag(directory, case))["tools"]}
