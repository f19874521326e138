"""The demo: from FASTQ to accepted submissions, measured against the exact truth; what a change re-runs."""

import gzip
import hashlib
import os
import re
import stat
import subprocess
from collections import Counter

import bagit
import compare_somatic
import compare_truth
import pysam
import pytest
import runs
import yaml

FEMALE, FEMALE_CASE = "K7QXW2MZP4TB", "C8RTVX3LQKJD"
MALE, MALE_CASE = "R9DVH3NJX6LC", "W5GZNPF2YMHB"
PERSONS = [(FEMALE, FEMALE_CASE), (MALE, MALE_CASE)]
NORMAL, TUMOUR, PAIR_CASE = "M2LWGZ9CTRKV", "P7CBKX4HQNDF", "H3VXRT6MPWLZ"
ALONE, ALONE_CASE = "X5TJMH8RVYGW", "N8QKDJ4GYZBX"
TUMOURS = pytest.mark.parametrize(("sample", "case"), [(TUMOUR, PAIR_CASE), (ALONE, ALONE_CASE)], ids=["pair", "alone"])
both = pytest.mark.parametrize(("sample", "case"), PERSONS, ids=["female", "male"])


def vcf(run, case, sample, kind="vcf"):
    return runs.bag(run.directory, case) / "data" / f"{sample}.{kind}.gz"


def metrics(run, case):
    qc = runs.manifest(runs.bag(run.directory, case))["samples"][0]["qc"]
    return {metric["name"]: metric["value"] for metric in qc["metrics"]}


def pars(run):
    """Pseudoautosomal regions of the overlay: (contig, start, end), 0-based half-open."""
    overlay = yaml.safe_load((run.directory / "overlay.yaml").read_text())
    return [(par["contig"], par["start"], par["end"]) for par in overlay["reference"]["par"]]


# ---- the run -------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def demo_run(tmp_path_factory) -> runs.Run:
    """The full demo, run to its end with networking cut off."""
    directory = runs.make_demo(tmp_path_factory.mktemp("full") / "demo")
    yield runs.Run(directory, runs.run_workflow(directory, prefix=runs.CUT_OFF))
    runs.unseal(directory)


def test_all_cases_are_accepted(demo_run):
    assert demo_run.done.returncode == 0, demo_run.done.stderr
    assert "Verdict: 4 of 4 cases accepted" in demo_run.done.stderr
    assert "Removing temporary output" not in demo_run.done.stderr
    (log,) = (demo_run.directory / ".snakemake" / "log").iterdir()
    assert "Removing temporary output" in log.read_text()
    rows = runs.verdicts(demo_run.directory)
    assert {case: row["verdict"] for case, row in rows.items()} == dict.fromkeys(
        [FEMALE_CASE, MALE_CASE, PAIR_CASE, ALONE_CASE], "ACCEPTED"
    )
    for case, row in rows.items():
        assert (demo_run.directory / row["submission"]).samefile(runs.bag(demo_run.directory, case))


@both
def test_a_submission_is_a_valid_bag_that_nobody_can_write(demo_run, sample, case):
    folder = runs.bag(demo_run.directory, case)
    bagit.Bag(str(folder)).validate()
    modes = {path.is_dir(): stat.S_IMODE(path.stat().st_mode) for path in [folder, *folder.rglob("*")]}
    assert modes == {True: 0o555, False: 0o444}
    assert {path.name for path in (folder / "data").iterdir()} == {
        *(f"{sample}.{end}" for end in ("vcf.gz", "vcf.gz.tbi", "g.vcf.gz", "g.vcf.gz.tbi", "cram", "cram.crai")),
        *(f"{sample}.{kind}.vcf.gz{end}" for kind in ("mt", "cnv") for end in ("", ".tbi")),
        *(f"{case}.sv.vcf.gz{end}" for end in ("", ".tbi")),
        f"{sample}.metrics.json",
        f"{case}.multiqc.html",
    }
    assert [path.name for path in folder.parent.iterdir() if path.name.startswith(".")] == []


@both
def test_the_bag_alone_conforms_and_without_the_reference_says_what_is_not_checked(demo_run, tmp_path, sample, case):
    alone = runs.copy(runs.bag(demo_run.directory, case), tmp_path / "received" / case)
    status, report = runs.check(alone, "--reference", demo_run.directory / "reference" / "genome.fa")
    assert (status, report["verdict"]) == (0, "CONFORMS")
    assert {finding["status"] for finding in report["findings"]} <= {"WARN", "INFO"}
    status, report = runs.check(alone)
    assert (status, report["verdict"]) == (0, "CONFORMS")
    unchecked = {finding["rule"] for finding in report["findings"] if finding["status"] == "NOT_CHECKED"}
    assert "NGC-VCF-008" in unchecked
    assert "FAIL" not in {finding["status"] for finding in report["findings"]}
    runs.unseal(alone)


def test_a_second_run_does_nothing(demo_run):
    again = runs.run_workflow(demo_run.directory)
    assert again.returncode == 0, again.stderr
    assert "Nothing to be done" in runs.said(again)
    assert runs.planned(demo_run.directory) == set()


# ---- against the truth ---------------------------------------------------------------------


@both
def test_calls_agree_with_the_exact_truth(demo_run, tmp_path, record_property, sample, case):
    truth = demo_run.directory / "truth"
    nuclear = tmp_path / "nuclear.bed"
    lines = (truth / "genome.bed").read_text().splitlines(keepends=True)
    nuclear.write_text("".join(line for line in lines if not line.startswith("chrM")))
    fasta = demo_run.directory / "reference" / "genome.fa"
    true, called = (
        compare_truth.read_records(path, fasta, nuclear, None)
        for path in (truth / f"{sample}.vcf.gz", vcf(demo_run, case, sample))
    )
    result = compare_truth.compare(true, called)
    record_property("accuracy", result)
    print(sample, result, *compare_truth.misses(true, called), sep="\n")
    assert result["snv"]["truth"] > 400 and result["indel"]["truth"] > 80
    assert result["snv"]["recall"] >= 0.99
    assert result["indel"]["recall"] >= 0.98
    assert min(result["snv"]["precision"], result["indel"]["precision"]) >= 0.99
    assert min(result["snv"]["genotype_concordance"], result["indel"]["genotype_concordance"]) >= 0.98


@both
def test_the_planted_duplicates_are_found(demo_run, sample, case):
    planted = pairs = 0
    for unit in runs.table(demo_run.directory, "units"):
        if unit["sample"] == sample:
            ends = [gzip.decompress((demo_run.directory / unit[fq]).read_bytes()).split(b"\n") for fq in ("fq1", "fq2")]
            seen = Counter(zip(ends[0][1::4], ends[1][1::4], strict=True))
            planted += sum(count - 1 for count in seen.values())
            pairs += sum(seen.values())
    assert planted > 1000
    # A few fragments fall on the same place by chance and are duplicates for any program.
    assert metrics(demo_run, case)["pct_duplicate_reads"] == pytest.approx(100 * planted / pairs, rel=0.05)


def test_ploidy_follows_the_sex_and_the_pseudoautosomal_regions(demo_run):
    def ploidies(case, sample):
        found = {}
        with pysam.VariantFile(str(vcf(demo_run, case, sample))) as records:
            for record in records:
                in_par = any(record.chrom == c and start <= record.start < end for c, start, end in pars(demo_run))
                place = "PAR" if in_par else record.chrom
                found.setdefault(place, set()).add(len(record.samples[0]["GT"]))
        return found

    assert ploidies(MALE_CASE, MALE) == {"chr1": {2}, "chr2": {2}, "PAR": {2}, "chrX": {1}, "chrY": {1}}
    assert ploidies(FEMALE_CASE, FEMALE) == {"chr1": {2}, "chr2": {2}, "PAR": {2}, "chrX": {2}}


@both
def test_genotypes_of_the_sex_chromosomes_are_right(demo_run, record_property, sample, case):
    fasta = demo_run.directory / "reference" / "genome.fa"
    paths = demo_run.directory / "truth" / f"{sample}.vcf.gz", vcf(demo_run, case, sample)
    places = compare_truth.by_place(*(compare_truth.read_records(p, fasta, None, None) for p in paths), pars(demo_run))
    record_property("places", places)
    print(sample, places)
    for place in ("PAR", "chrX", *["chrY"] * (sample == MALE)):
        counts = places[place]
        assert counts["truth"] >= 5
        assert counts["right"] >= 0.95 * counts["truth"] and counts["right"] >= 0.95 * counts["calls"]
    assert sample == MALE or "chrY" not in places


def test_a_female_has_nothing_on_y_and_a_male_has(demo_run):
    for kind in ("vcf", "g.vcf"):
        for sample, case, present in ((FEMALE, FEMALE_CASE, False), (MALE, MALE_CASE, True)):
            with pysam.VariantFile(str(vcf(demo_run, case, sample, kind))) as records:
                assert any(record.chrom == "chrY" for record in records) is present


@TUMOURS
def test_a_tumours_calls_agree_with_what_was_planted(demo_run, record_property, sample, case):
    result = compare_somatic.compare(demo_run.directory, sample, vcf(demo_run, case, sample, "somatic.vcf"))
    record_property("accuracy", result)
    print(sample, result)
    snv = result["snv"]
    assert snv["planted_sure"] > 150 and snv["recall_sure"] >= 0.95
    assert snv["false_other"] == []
    assert snv["precision"] >= (0.95 if sample == TUMOUR else 0.75)  # without a normal some germline variants pass
    assert result["indel"]["planted_sure"] > 30 and result["indel"]["recall_sure"] >= 0.85


def test_tumours_have_no_germline_files_and_their_normal_has_them(demo_run):
    germline = ("vcf.gz", "g.vcf.gz", "mt.vcf.gz", "cnv.vcf.gz")
    for sample, case in ((TUMOUR, PAIR_CASE), (ALONE, ALONE_CASE)):
        names = {path.name for path in (runs.bag(demo_run.directory, case) / "data").iterdir()}
        own = ("cram", "cram.crai", "metrics.json", "contexts.tsv", "somatic.vcf.gz", "somatic.vcf.gz.tbi")
        assert {f"{sample}.{end}" for end in own} <= names
        assert names.isdisjoint(f"{sample}.{end}" for end in germline)
        assert (f"{case}.sv.vcf.gz" in names) is (sample == TUMOUR)
        if sample == TUMOUR:
            assert {f"{NORMAL}.{end}" for end in germline} <= names
            assert f"{TUMOUR}.somatic.sv.vcf.gz" in names


# ---- what the submission says of itself -----------------------------------------------------


@both
def test_the_manifest_names_the_versions_that_ran_beside_those_pinned(demo_run, sample, case):
    manifest = runs.manifest(runs.bag(demo_run.directory, case))
    tools = {tool["name"]: tool for tool in manifest["tools"]}
    pins = yaml.safe_load((runs.HOUSE / "envs" / "tools.yaml").read_text())
    assert tools.keys() == {*pins, "picard"} - {"bwa-mem2", "manta", "verifybamid2"}
    for command, name, pattern in (
        (["samtools", "--version"], "samtools", r"samtools (\S+)"),
        (["bwa"], "bwa", r"Version: ([\d.]+)"),
        (["multiqc", "--version"], "multiqc", r"version ([\d.]+)"),
    ):
        done = subprocess.run(command, capture_output=True, text=True, errors="replace")
        assert tools[name]["version"] == re.search(pattern, done.stdout + done.stderr)[1]
        assert tools[name]["pinned"] == pins[name]["pinned"]
    assert all(tool["as_pinned"] == (tool["version"] == tool["pinned"]) for tool in tools.values())
    assert manifest["pinned_environment"] == all(tool["as_pinned"] for tool in tools.values())
    assert manifest["conforms"] is True


@both
def test_the_manifest_names_each_fastq_as_it_lies_on_disk(demo_run, sample, case):
    described = {
        (library["library"], run["lane"], fastq["read"]): fastq
        for library in runs.manifest(runs.bag(demo_run.directory, case))["samples"][0]["libraries"]
        for run in library["runs"]
        for fastq in run["fastq"]
    }
    units = [unit for unit in runs.table(demo_run.directory, "units") if unit["sample"] == sample]
    assert len(described) == 2 * len(units)
    for unit in units:
        for read in (1, 2):
            content = (demo_run.directory / unit[f"fq{read}"]).read_bytes()
            entry = described[unit["library"], unit["lane"], read]
            assert (entry["sha256"], entry["bytes"]) == (hashlib.sha256(content).hexdigest(), len(content))


# ---- what a change re-runs ------------------------------------------------------------------


@pytest.fixture(scope="module")
def changeable(demo_run, tmp_path_factory):
    """A copy of the finished demo."""
    directory = runs.copy(demo_run.directory, tmp_path_factory.mktemp("changed") / "demo")
    yield directory
    runs.unseal(directory)


def unit_of(directory, sample):
    return next(unit for unit in runs.table(directory, "units") if unit["sample"] == sample)


def test_changing_reads_of_one_person_re_runs_what_depends_on_them_and_nothing_else(changeable):
    unit = unit_of(changeable, MALE)
    name = "{sample}.{library}.{flowcell}.L{lane}".format(**unit)
    before = {fq: (changeable / unit[fq]).stat() for fq in ("fq1", "fq2")}
    originals = {fq: (changeable / unit[fq]).read_bytes() for fq in ("fq1", "fq2")}
    for fq, content in originals.items():
        lines = gzip.decompress(content).splitlines(keepends=True)
        (changeable / unit[fq]).write_bytes(gzip.compress(b"".join(lines[:-400]), compresslevel=1))
    planned = runs.planned(changeable)
    for fq, content in originals.items():
        (changeable / unit[fq]).write_bytes(content)
        os.utime(changeable / unit[fq], ns=(before[fq].st_atime_ns, before[fq].st_mtime_ns))
    assert {
        f"results/intake/{name}.json",
        f"results/alignment/{name}.cram",
        f"results/alignment/{MALE}.cram",
        f"results/conform/{MALE}.vcf.gz",
        f"results/package/{MALE_CASE}.json",
        f"results/check/{MALE_CASE}.accepted",
    } <= planned
    assert [path for path in planned if FEMALE in path or FEMALE_CASE in path] == []
    assert [path for path in planned if path.startswith(("results/intake/tools", "results/intake/ref"))] == []
    assert runs.planned(changeable) == set()


def test_touching_reads_of_one_person_leaves_the_other_alone(changeable):
    path = changeable / unit_of(changeable, FEMALE)["fq1"]
    status = path.stat()
    path.touch()
    planned = runs.planned(changeable)
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))
    assert planned
    assert [path for path in planned if MALE in path or MALE_CASE in path] == []


# ---- habits ---------------------------------------------------------------------------------


@pytest.mark.skipif(not runs.NO_NETWORK, reason="no network namespace can be made here")
def test_it_ran_without_network(demo_run):
    assert demo_run.done.args[: len(runs.NO_NETWORK)] == list(runs.NO_NETWORK)


@pytest.mark.parametrize("command", ["snakefmt --check Snakefile rules", "ruff check", "ruff format --check"])
def test_the_project_is_clean_for(command):
    done = subprocess.run(command.split(), cwd=runs.HOUSE, env=runs.environment(), capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_workflow_is_clean_for_snakemakes_own_lint(tiny_made):
    done = runs.run_workflow(tiny_made, "--lint")
    assert done.returncode == 0, runs.said(done)
    assert "in a good condition" in runs.said(done)
