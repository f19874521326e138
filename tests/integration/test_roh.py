"""Runs of homozygosity and uniparental disomy of simulated genotypes, by the workflow's own rules."""

import json
import subprocess

import make_demo
import numpy as np
import pytest
import runs
import yaml

LENGTHS = {"chr1": 40_000_000, "chr2": 30_000_000, "chr3": 30_000_000}
CHILD, FATHER, MOTHER, CASE = "ROHCHILD", "ROHFATHER", "ROHMOTHER", "ROHCASEONE"
RULES = ("population_header", "bcftools_population_sites", "population_frequencies", "bcftools_roh", "homozygosity")
RUN = ("chr1", 5_000_000, 15_000_000)
STEP, ERROR = 4_000, 0.001


def genotypes(rng):
    """Per contig positions, haplotypes (sites x 2) of the three, and frequencies.

    In RUN the child has one haplotype twice; of chr2 one of its father's, of chr3 both of its mother's.
    """
    for contig, length in LENGTHS.items():
        positions = np.arange(1_000, length, STEP)
        frequency = rng.uniform(0.1, 0.6, len(positions))[:, None]
        father, mother = ((rng.random((len(positions), 2)) < frequency).astype(int) for _ in range(2))
        child = np.column_stack([father[:, 0], mother[:, 0]])
        if contig == RUN[0]:
            inside = (positions >= RUN[1]) & (positions < RUN[2])
            # Both parents carry the haplotype of a common ancestor.
            mother[inside, 0] = father[inside, 0]
            child[inside, 1] = child[inside, 0]
        if contig == "chr2":
            child = np.column_stack([father[:, 0], father[:, 0]])
        if contig == "chr3":
            child = mother.copy()
        wrong = rng.random(len(positions)) < ERROR
        child[wrong, 1] = 1 - child[wrong, 1]
        yield contig, positions, {CHILD: child, FATHER: father, MOTHER: mother}, frequency[:, 0]


def write_vcf(path, names, rows):
    lines = ["##fileformat=VCFv4.2", *(f"##contig=<ID={name},length={size}>" for name, size in LENGTHS.items())]
    lines += ['##INFO=<ID=AF,Number=A,Type=Float,Description="">']
    formats = (("GT", "String"), ("DP", "Integer"), ("GQ", "Integer"))
    lines += [f'##FORMAT=<ID={key},Number=1,Type={kind},Description="">' for key, kind in formats]
    columns = ["#CHROM", "POS", "ID", "REF", "ALT", "QUAL", "FILTER", "INFO", *(["FORMAT", *names] if names else [])]
    text = "\n".join([*lines, "\t".join(columns), *rows]) + "\n"
    subprocess.run(["bgzip", "-c"], input=text.encode(), stdout=path.open("wb"), check=True)
    subprocess.run(["tabix", "-p", "vcf", path], check=True)


@pytest.fixture(scope="module", params=["default frequency", "population"])
def found(request, tmp_path_factory):
    folder = tmp_path_factory.mktemp("homozygosity")
    (folder / "results" / "conform").mkdir(parents=True)
    (folder / "genome.fa").write_text(">chr1\nA\n")
    (folder / "genome.fa.fai").write_text("".join(f"{n}\t{size}\t6\t60\t61\n" for n, size in LENGTHS.items()))
    for ending in ("dict", *(f"fa.{suffix}" for suffix in ("amb", "ann", "bwt", "pac", "sa"))):
        (folder / f"genome.{ending}").touch()
    contigs = [{"name": n, "length": size, "md5": None, "role": "autosome"} for n, size in LENGTHS.items()]
    reference = {"id": "r", "accession": None, "assembly": None, "par": [], "contigs": contigs}
    overlay = {"overlay_of": "ngc-provisional", "id": "r", "reference": reference}
    (folder / "overlay.yaml").write_text(yaml.safe_dump(overlay))
    alone, joint, frequencies = {name: [] for name in (CHILD, FATHER, MOTHER)}, [], []
    for contig, positions, people, frequency in genotypes(np.random.default_rng(7)):
        for at, position in enumerate(positions.tolist()):
            calls = {name: "/".join(map(str, sorted(people[name][at].tolist()))) for name in alone}
            line = f"{contig}\t{position}\t.\tA\tC\t50\tPASS\tAF=0.5\tGT:DP:GQ"
            joint.append("\t".join([line, *(f"{call}:30:99" for call in calls.values())]))
            for name, call in calls.items():
                if call != "0/0":
                    alone[name].append(f"{line}\t{call}:30:99")
            frequencies.append(f"{contig}\t{position}\t.\tA\tC\t.\tPASS\tAF={frequency[at]:.4f}")
    for name, rows in alone.items():
        write_vcf(folder / "results" / "conform" / f"{name}.vcf.gz", [name], rows)
    write_vcf(folder / "results" / "conform" / f"{CASE}.family.vcf.gz", list(alone), joint)
    population = {"vcf": None, "name": None, "version": None, "spacing": 250000}
    if request.param == "population":
        write_vcf(folder / "population.vcf.gz", [], frequencies)
        population |= {"vcf": "population.vcf.gz", "name": "simulated", "version": "1"}
    config = make_demo.config() | {"population": population, "reference": {"fasta": "genome.fa"}}
    (folder / "config.yaml").write_text(yaml.safe_dump(config))
    case = {**make_demo.CASE, **make_demo.CASES[make_demo.TRIO_CASE], "case": CASE}
    make_demo.write_table(folder / "cases.tsv", make_demo.CASE_COLUMNS, [case])
    roles = ((CHILD, "index", "male"), (FATHER, "father", "male"), (MOTHER, "mother", "female"))
    people = [
        {**make_demo.SAMPLE, "sample": name, "case": CASE, "relation": role, "sex": sex, "affected": "no"}
        for name, role, sex in roles
    ]
    make_demo.write_table(folder / "samples.tsv", make_demo.SAMPLE_COLUMNS, people)
    units = []
    for number, (name, _, _) in enumerate(roles):
        for read in (1, 2):
            (folder / f"{name}.R{read}.fastq.gz").write_text(f"{name}{read}")
        units.append(
            {"sample": name, "library": "LIB", "flowcell": f"F{number}", "lane": "1", "platform": "ILLUMINA",
             "fq1": f"{name}.R1.fastq.gz", "fq2": f"{name}.R2.fastq.gz", "model": "NovaSeq 6000",
             "library_kit": make_demo.FREE, "pcr_free": "yes"}
        )  # fmt: skip
    make_demo.write_table(folder / "units.tsv", make_demo.UNIT_COLUMNS, units)
    targets = {name: f"results/qc/{name}.homozygosity.json" for name in alone}
    done = runs.run_workflow(folder, "--allowed-rules", *RULES, "--", *targets.values())
    assert done.returncode == 0, runs.said(done)
    return {name: json.loads((folder / path).read_text()) for name, path in targets.items()}


def test_the_run_of_related_parents_and_the_chromosome_of_one_haplotype_are_found(found):
    by_contig = found[CHILD]["runs_of_homozygosity"]["chromosomes"]
    assert by_contig["chr1"] == pytest.approx(RUN[2] - RUN[1], rel=0.1)
    assert by_contig["chr2"] == pytest.approx(LENGTHS["chr2"], rel=0.1)
    assert "chr3" not in by_contig
    for parent in (FATHER, MOTHER):
        assert found[parent] == {
            "runs_of_homozygosity": {"runs": 0, "total": 0, "longest": 0, "share": 0.0, "chromosomes": {}},
            "disomies": None,
        }


def test_disomy_of_either_kind_is_told_and_shared_ancestry_is_not_taken_for_it(found):
    told = {row["contig"]: row["told"] for row in found[CHILD]["disomies"]}
    assert told == {
        "chr1": None,
        "chr2": "paternal uniparental disomy, isodisomy",
        "chr3": "maternal uniparental disomy, heterodisomy or mixed",
    }
