"""The resources of identity and contamination: refused where they cannot serve, named in the manifest where they do."""

import gzip
import json
import subprocess

import pytest
import runs

SITES = "results/identity/population.json"


def rewrite(directory, change):
    """Change the text of the population VCF, and index it again."""
    path = directory / "population" / "population.vcf.gz"
    text = change(gzip.decompress(path.read_bytes()).decode())
    path.write_bytes(subprocess.run(["bgzip", "-c"], input=text.encode(), capture_output=True, check=True).stdout)
    subprocess.run(["bcftools", "index", "-f", "-t", path], capture_output=True, check=False)


def of_another_sequence(text):
    turned = str.maketrans("ACGT", "CATG")
    rows = (line.split("\t") for line in text.splitlines() if not line.startswith("#"))
    head = [line for line in text.splitlines() if line.startswith("#")]
    return (
        "\n".join([*head, *("\t".join([*r[:3], *(x.translate(turned) for x in r[3:5]), *r[5:]]) for r in rows)]) + "\n"
    )


def without_frequencies(text):
    return text.replace("ID=AF,", "ID=XF,").replace("AF=", "XF=")


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (of_another_sequence, "another build: REF is not the reference's base at"),
        (without_frequencies, "has no INFO/AF"),
    ],
)
def test_a_population_that_cannot_serve_is_refused_before_any_compute(tiny, change, said):
    rewrite(tiny, change)
    done = runs.run_workflow(tiny, "--until", "bwa_mem")
    assert done.returncode == 1
    assert f"population/population.vcf.gz: {said}" in runs.said(done)
    assert runs.nothing_computed(tiny)
    assert {row["verdict"] for row in runs.verdicts(tiny).values()} == {"REFUSED"}


def test_a_resource_that_is_not_there_or_has_no_index_or_no_name_is_told_at_once(tiny):
    (tiny / "population" / "population.vcf.gz.tbi").unlink()
    done = runs.run_workflow(tiny, "-n")
    assert (
        "population.vcf.gz.tbi: there is no such file. Mend: run: bcftools index -t population/population"
        in done.stderr
    )
    runs.configure(tiny, population={"vcf": "nowhere.vcf.gz", "name": None})
    assert "population.name" in runs.run_workflow(tiny, "-n").stderr
    runs.configure(tiny, population={"name": "x"}, known_genotypes="nobody.vcf.gz")
    done = runs.run_workflow(tiny, "-n")
    for name in ("nowhere.vcf.gz", "nobody.vcf.gz"):
        assert f"{name}: there is no such file" in done.stderr
    runs.configure(tiny, contamination="verifybamid2")
    assert "verifybamid2_resource" in runs.run_workflow(tiny, "-n").stderr


def test_known_genotypes_of_nobody_in_the_run_are_refused(tiny):
    vcf = tiny / "truth" / f"{runs.table(tiny, 'samples')[0]['sample']}.vcf.gz"
    header = subprocess.run(["bcftools", "view", "-h", vcf], capture_output=True, text=True, check=True).stdout
    other = tiny / "other.vcf.gz"
    text = header.rstrip("\n").rsplit("\t", 1)[0] + "\tSOMEBODY\n"
    other.write_bytes(subprocess.run(["bgzip", "-c"], input=text.encode(), capture_output=True, check=True).stdout)
    subprocess.run(["bcftools", "index", "-t", other], check=True)
    runs.configure(tiny, known_genotypes="other.vcf.gz")
    done = runs.run_workflow(tiny, SITES)
    assert done.returncode == 1
    assert "other.vcf.gz: cannot be used (no column is named after a sample of this run)" in runs.said(done)


def test_without_a_population_nothing_of_identity_is_planned(tiny):
    runs.configure(tiny, population={"vcf": None})
    planned = {path for path in runs.planned(tiny) if path.startswith("results/identity/")}
    assert not {path for path in planned if "/sites/" not in path and path != SITES}


def test_the_tiny_demo_names_its_population_in_the_manifest(tiny_run):
    assert tiny_run.done.returncode == 0, tiny_run.done.stderr
    population = json.loads((tiny_run.directory / SITES).read_text())
    (database,) = runs.manifest(runs.bag(tiny_run.directory))["databases"]
    assert database == {key: population[key] for key in ("name", "version", "sha256")}


VERIFYBAMID2 = """[[ $1 = --help ]] && {{ echo ' Version:2.0.1'; exit; }}
echo "$*" > '{said}'
while [[ $1 != --Output ]]; do shift; done
printf '#SEQ_ID\\tRG\\tCHIP_ID\\t#SNPS\\t#READS\\tAVG_DP\\tFREEMIX\\n' > "$2.selfSM"
printf 'S\\tNA\\tNA\\t90000\\t1\\t30\\t0.0042\\n' >> "$2.selfSM"
"""


def test_the_switch_calls_verifybamid2_with_its_resource_and_takes_freemix(tiny, tmp_path):
    for suffix in ("UD", "mu", "bed"):
        (tiny / f"panel.{suffix}").touch()
    runs.configure(tiny, contamination="verifybamid2", verifybamid2_resource="panel")
    said = tmp_path / "arguments"
    tools = runs.tool(tmp_path / "tools", "verifybamid2", VERIFYBAMID2.format(said=said)).parent
    sample = runs.table(tiny, "samples")[0]["sample"]
    report = f"results/identity/{sample}.contamination.json"
    done = runs.run_workflow(tiny, report, first_on_path=tools)
    assert done.returncode == 0, runs.said(done)
    assert said.read_text().startswith(
        f"--SVDPrefix panel --Reference reference/genome.fa --BamFile results/alignment/{sample}.cram"
    )
    value = json.loads((tiny / report).read_text())["cross_contamination_rate"]
    assert (value["value"], value["denominator"]) == (0.0042, 90_000)
    assert not list((tiny / "results" / "identity").glob("*.gatk.contamination"))
