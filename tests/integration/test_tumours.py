"""A tumour beside the tiny demo's finished person: called, sealed, and refused where the two are swapped."""

import json

import genome as g
import make_demo as demo
import numpy as np
import pysam
import pytest
import runs

NORMAL = demo.TINY_MALE
TUMOUR = demo.Person(
    "T5XWGK3ZQNRB", NORMAL.case, "male", (demo.Unit("LIB7", "2", 1, "ACTAAGAT+CCGCGGTT", demo.FREE, "yes"),)
)
CLONE, REST = 1.75, 0.75
"""Depth of the clone and of the person's own cells, in those of the demo: 92x at a purity of 0.7."""
SPACING = 300


def plant(genome, truth):
    """A heterozygous SNV in each SPACING bp of autosomes outside repeats, away from what the person carries."""
    taken = {}
    for contig, pos, ref, *_ in demo.read_records(truth):
        taken.setdefault(contig, []).append((pos, pos + len(ref)))
    autosomes = [s for s in g.segments(genome) if s.kind == "A"]
    hard = {(i.contig, at) for i in genome.hard for at in range(i.start, i.end)}
    for segment in autosomes:
        for at in range(segment.start + SPACING, segment.end - SPACING, SPACING):
            near = any(start - 30 <= at <= end + 30 for start, end in taken.get(segment.contig, []))
            if not near and (segment.contig, at) not in hard:
                base = chr(genome.sequences[segment.contig][at])
                other = "ACGT"["ACGT".index(base) ^ 1 + at // SPACING % 3]
                yield segment.contig, at + 1, base, other, "1|0" if at // SPACING % 2 else "0|1"


@pytest.fixture(scope="module")
def paired(tmp_path_factory, tiny_run):
    """The tiny demo's person, finished as a single case, with a tumour: run again."""
    assert tiny_run.done.returncode == 0, tiny_run.done.stderr
    directory = runs.copy(tiny_run.directory, tmp_path_factory.mktemp("tumour") / "tiny")
    genome = g.make_genome(g.TINY, np.random.default_rng([1, 1]))
    fasta, truth = directory / "reference" / "genome.fa", directory / "truth" / f"{NORMAL.sample}.vcf.gz"
    planted = tuple(plant(genome, truth))
    layers = [demo.Layer(REST), demo.Layer(CLONE, planted)]
    demo.person_reads(TUMOUR, genome, fasta, truth, 1, directory, layers)
    runs.edit(
        directory,
        "cases",
        lambda rows: rows[0].update(study_type="tumour-normal", patient_group="haematological-cancer"),
    )
    (unit,) = TUMOUR.units
    fq1, fq2 = demo.fastq_names(TUMOUR, unit)
    row = {"sample": TUMOUR.sample, "library": unit.library, "lane": unit.lane, "fq1": fq1, "fq2": fq2}
    runs.edit(directory, "units", lambda rows: rows.append({**rows[0], **row}))
    runs.edit(
        directory, "samples", lambda rows: rows.append({**rows[0], "sample": TUMOUR.sample, "sample_type": "tumour"})
    )
    before = runs.contents(runs.bag(directory))
    yield runs.Run(directory, runs.run_workflow(directory)), planted, before
    runs.unseal(directory)


def test_a_tumour_and_its_normal_are_called_and_sealed(paired):
    run, planted, before = paired
    assert run.done.returncode == 0, runs.said(run.done)
    assert [row["verdict"] for row in runs.verdicts(run.directory).values()] == ["ACCEPTED"]
    bag = runs.bag(run.directory)
    names = {path.name for path in (bag / "data").iterdir()}
    of_tumour = {name for name in names if name.startswith(TUMOUR.sample)}
    assert {f"{TUMOUR.sample}.{end}" for end in ("somatic.vcf.gz", "contexts.tsv", "cram", "metrics.json")} <= of_tumour
    assert not {f"{TUMOUR.sample}.{end}" for end in ("vcf.gz", "g.vcf.gz", "mt.vcf.gz", "cnv.vcf.gz")} & of_tumour
    after = runs.contents(bag)
    germline = [f"data/{NORMAL.sample}.{end}" for end in ("vcf.gz", "g.vcf.gz", "mt.vcf.gz", "cram")]
    assert {path: after[path] for path in germline} == {path: before[path] for path in germline}

    (entry,) = (file for file in runs.manifest(bag)["files"] if file["type"] == "somatic_vcf")
    assert entry["columns"] == {"tumour": TUMOUR.sample, "normal": NORMAL.sample}
    with pysam.VariantFile(str(bag / entry["path"])) as records:
        assert list(records.header.samples) == [NORMAL.sample, TUMOUR.sample]
        passed = {
            (r.chrom, r.pos, r.ref, r.alts[0]): r.samples[TUMOUR.sample]["AF"][0] for r in records if "PASS" in r.filter
        }
    wanted = {(contig, pos, ref, alt) for contig, pos, ref, alt, _ in planted}
    print(f"planted {len(wanted)}, passed {len(passed)}, both {len(wanted & passed.keys())}")
    assert len(wanted) > 40
    assert len(wanted & passed.keys()) >= 0.95 * len(wanted)
    assert len(wanted & passed.keys()) >= 0.95 * len(passed)
    fractions = [passed[place] for place in wanted & passed.keys()]
    assert 0.3 < sum(fractions) / len(fractions) < 0.4, "half of a purity of 0.7"


def test_tumour_and_normal_are_measured_against_each_other(paired):
    run, *_ = paired
    found = {
        sample["sample"]: {metric["name"]: metric for metric in sample["qc"]["metrics"]}
        for sample in runs.manifest(runs.bag(run.directory))["samples"]
    }
    tumour = found[TUMOUR.sample]
    assert 2 < tumour["tumour_over_normal_coverage"]["value"] < 3
    assert tumour["tumour_in_normal"]["value"] < 0.02 and tumour["tumour_in_normal"]["status"] == "PASS"
    assert tumour["tumour_normal_order"]["value"] == 1
    assert tumour["identity_concordance"]["value"] == 1
    assert not {"count_snvs", "count_structural_variants"} & tumour.keys()
    assert "tumour_in_normal" not in found[NORMAL.sample]


def test_swapped_tumour_and_normal_are_named_and_refused(paired, tmp_path):
    run, *_ = paired
    directory = runs.copy(run.directory, tmp_path / "swapped")

    def swap(rows):
        rows[0]["sample_type"], rows[1]["sample_type"] = rows[1]["sample_type"], rows[0]["sample_type"]

    runs.edit(directory, "samples", swap)
    done = runs.run_workflow(directory, f"results/check/{NORMAL.case}.accepted")
    assert done.returncode == 1
    (row,) = runs.verdicts(directory).values()
    assert row["verdict"] == "REFUSED" and "at alignment_gate" in row["reasons"]
    assert f"NGC-MET-030 {NORMAL.sample} tumour_over_normal_coverage" in row["reasons"]
    assert "See whether tumour and normal are swapped" in row["reasons"]
    assert not (directory / "results" / "conform" / f"{NORMAL.sample}.somatic.vcf.gz").exists()
    runs.unseal(directory)


def test_manta_by_its_switch_calls_the_tumour_beside_its_normal(paired, tmp_path):
    """By a stand-in: both its files are written, the tumour's is merged with delly's and sealed."""
    run, *_ = paired
    directory = runs.copy(run.directory, tmp_path / "manta")
    runs.configure(directory, structural_callers=["delly", "manta"])
    lost = (
        "chr1\t5000\tD\tN\t<DEL>\t.\tPASS\tEND=6000;SVTYPE=DEL;SVLEN=-1000;SOMATICSCORE=40\tPR:SR\t30,0:20,0\t60,9:40,8"
    )
    tools = runs.manta(
        tmp_path / "stand_in",
        diploid=runs.manta_vcf(directory, [NORMAL.sample]),
        somatic=runs.manta_vcf(directory, [NORMAL.sample, TUMOUR.sample], lost),
    )
    done = runs.run_workflow(directory, first_on_path=tools)
    assert done.returncode == 0, runs.said(done)
    told = (tmp_path / "stand_in" / "said").read_text()
    normal, tumour = (f"results/alignment/{sample}.cram" for sample in (NORMAL.sample, TUMOUR.sample))
    assert f"--normalBam {normal} --tumorBam {tumour} --referenceFasta" in told and f"--bam {normal} --ref" in told
    with pysam.VariantFile(str(runs.bag(directory) / "data" / f"{TUMOUR.sample}.somatic.sv.vcf.gz")) as records:
        (found,) = [record for record in records if "manta" in record.info["CALLERS"]]
    assert (found.pos, found.stop, found.info["SOMATICSCORE"], list(found.filter)) == (5000, 6000, 40, ["PASS"])
    assert (found.samples[NORMAL.sample]["RV"], found.samples[TUMOUR.sample]["RV"]) == (0, 8)

    # Refused by manta for the tumour, delly's calls of it do not stand alone.
    few = f"Too few high-confidence read pairs (7) in bam file 'x/{TUMOUR.sample}.cram'"
    (tmp_path / "stand_in" / "does").write_text(f'echo "{few}"; exit 1')
    files = [f"results/sv/{TUMOUR.sample}.somatic.{end}" for end in ("sv.vcf.gz", "not_called.json")]
    done = runs.run_workflow(directory, *files, "--forcerun", "manta_call_somatic", first_on_path=tools)
    assert done.returncode == 0, runs.said(done)
    assert (directory / files[0]).read_bytes() == b""
    (entry,) = json.loads((directory / files[1]).read_text())
    assert (entry["file_type"], entry["sample"]) == ("somatic_structural_vcf", TUMOUR.sample)
    assert entry["reason"].startswith(f"too few read pairs of {TUMOUR.sample} ")
    runs.unseal(directory)


@pytest.mark.parametrize(
    ("key", "said"), [("panel_of_normals", "has no record"), ("germline_resource", "has no INFO/AF")]
)
def test_a_resource_that_cannot_serve_stops_the_run_before_any_job(tiny, key, said):
    fai = (tiny / "reference" / "genome.fa.fai").read_text().splitlines()
    contigs = [f"##contig=<ID={row.split()[0]},length={row.split()[1]}>" for row in fai]
    text = "\n".join(["##fileformat=VCFv4.2", *contigs, "#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO"]) + "\n"
    (tiny / "other.vcf").write_text(text)
    pysam.tabix_index(str(tiny / "other.vcf"), preset="vcf", force=True)
    runs.configure(tiny, somatic={**dict.fromkeys(("panel_of_normals", "germline_resource")), key: "other.vcf.gz"})
    done = runs.run_workflow(tiny, "-n")
    lines = [line for line in runs.said(done).splitlines() if f"somatic.{key}" in line]
    assert done.returncode == 1 and len(lines) == 1, runs.said(done)
    assert said in lines[0] and "Mend:" in lines[0]


def test_the_panel_of_normals_is_planned_of_the_normals_alone(paired):
    run, *_ = paired
    plan = runs.planned(run.directory, "results/panel_of_normals/panel.vcf.gz")
    made = {path for path in plan if path.startswith("results/panel_of_normals/")}
    assert {"results/panel_of_normals/panel.vcf.gz", f"results/panel_of_normals/{NORMAL.sample}.001.vcf.gz"} <= made
    assert not [path for path in made if TUMOUR.sample in path]
