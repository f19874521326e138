"""Real reads through the whole workflow, under an overlay of the slice they were cut to."""

import csv
import json
import shutil
import subprocess
from pathlib import Path

import compare_truth
import measure
import pytest
import runs
import yaml

pytestmark = pytest.mark.skipif(not runs.DATA.is_dir(), reason=f"the real reads are not there: {runs.DATA}")

CASE_ROW = {
    "submission_type": "test",
    "supersedes": "",
    "legal_basis": "treatment",
    "analysis_date": "2026-06-01",
    "consent": "not_required",
    "patient_group": "rare-disease-adult",
    "site": "wgs_west_test",
    "region": "1082",
    "requester_sor": "999999999999999",
    "study_type": "single",
    "phenotypes": "",
    "diagnosis": "",
}
SAMPLE_ROW = {
    "relation": "index",
    "sample_type": "germline",
    "affected": "unknown",
    "material": "blood",
    "conservation": "edta",
}


def add_person(directory: Path, number: int, sex: str, stem: Path, model: str) -> tuple[str, str]:
    """Lay one person's reads, split by lane, and rows of the tables: (pseudonym, case)."""
    sample, case = f"PSEUDONYM{number}", f"REALCASE{number}"
    reads = directory / "reads" / sample
    reads.mkdir(parents=True)
    units = [
        {
            "sample": sample,
            "library": f"LIB{number}",
            "flowcell": flowcell,
            "lane": lane,
            "fq1": str(paths[0].relative_to(directory)),
            "fq2": str(paths[1].relative_to(directory)),
            "platform": "ILLUMINA",
            "model": model,
            "library_kit": "TruSeq DNA PCR-Free",
            "pcr_free": "yes",
        }
        for (flowcell, lane), paths in measure.split_by_lane(stem, reads).items()
    ]
    case_row = {"case": case, "requisition_id": f"NGCWGS{number}", **CASE_ROW}
    for name, rows in (
        ("cases", [case_row]),
        ("samples", [{"sample": sample, "case": case, "sex": sex, **SAMPLE_ROW}]),
        ("units", units),
    ):
        earlier = runs.table(directory, name) if (directory / f"{name}.tsv").exists() else []
        runs.write_table(directory, name, [*earlier, *rows])
    return sample, case


def lay_reference(directory: Path, fasta: Path, regions: str | None) -> None:
    """The slice with its indexes, the overlay that accepts it, and the configuration."""
    measure.prepare_reference(fasta, directory, "slice")
    if regions:
        (directory / "regions.bed").write_text(regions)
    config = {
        "cases": "cases.tsv",
        "samples": "samples.tsv",
        "units": "units.tsv",
        "overlay": "overlay.yaml",
        "reference": {"fasta": "reference/genome.fa"},
        "evaluation_regions": "regions.bed" if regions else None,
        "calling": {"scatter": 2},
        "java_options": "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC",
    }
    (directory / "config.yaml").write_text(yaml.safe_dump(config))


def compare(run: runs.Run, case: str, sample: str, truth: Path, bed: Path | None) -> dict:
    """Recall and precision of a submission, with its misses on standard output."""
    fasta = run.directory / "reference" / "genome.fa"
    calls = runs.bag(run.directory, case) / "data" / f"{sample}.vcf.gz"
    true, called = (compare_truth.read_records(path, fasta, bed, None) for path in (truth, calls))
    result = compare_truth.compare(true, called)
    print(result, *compare_truth.misses(true, called), sep="\n")
    return result


def metrics(run: runs.Run, case: str) -> dict[str, dict]:
    return {m["name"]: m for m in runs.manifest(runs.bag(run.directory, case))["samples"][0]["qc"]["metrics"]}


# ---- NA12878, 51x, 100 kb of chromosome 20 --------------------------------------------------


@pytest.fixture(scope="module")
def na12878(tmp_path_factory):
    source = runs.DATA / "na12878_chr20"
    directory = tmp_path_factory.mktemp("na12878") / "run"
    directory.mkdir()
    regions = (source / "region.bed").read_text()
    lay_reference(directory, runs.DATA / "ref" / "hg19_chr20_9995001_11095000.fa", regions)
    person = add_person(directory, 1, "female", source / "NA12878", "HiSeq 2000")
    yield runs.Run(directory, runs.run_workflow(directory)), *person
    runs.unseal(directory)


def test_na12878_is_accepted(na12878):
    run, _, case = na12878
    assert run.done.returncode == 0, run.done.stderr
    assert runs.verdicts(run.directory)[case]["verdict"] == "ACCEPTED"


def test_na12878_is_called_as_its_truth_says_in_the_region(na12878, record_property):
    run, sample, case = na12878
    source = runs.DATA / "na12878_chr20"
    result = compare(run, case, sample, source / "truth.vcf.gz", source / "region.bed")
    record_property("region", result)
    assert result["snv"]["truth"] == 186
    assert result["snv"]["recall"] == 1.0
    assert result["indel"]["recall"] >= 0.94
    # Most of the region has no confident truth: what is called beyond it need not be wrong.
    assert result["snv"]["precision"] >= 0.92
    assert result["snv"]["genotype_concordance"] == 1.0


def test_na12878_is_called_without_a_fault_where_the_truth_is_confident(na12878, record_property):
    run, sample, case = na12878
    source = runs.DATA / "na12878_chr20"
    result = compare(run, case, sample, source / "truth.vcf.gz", source / "truth_confident_first10kb.bed")
    record_property("confident", result)
    assert [result[kind][what] for kind in ("snv", "indel") for what in ("precision", "recall")] == [1.0] * 4


def test_na12878_is_judged_over_the_evaluation_regions_and_says_so(na12878):
    run, _, case = na12878
    manifest = runs.manifest(runs.bag(run.directory, case))
    assert manifest["reference"]["evaluation_regions"]["id"] == "regions"
    assert manifest["reference"]["evaluation_regions"]["bases"] == 100_000
    assert manifest["profile"]["overlay"]["id"] == "slice"
    coverage = metrics(run, case)["mean_autosome_coverage"]
    assert 45 < coverage["value"] < 56
    assert coverage["status"] == "PASS"


def test_a_reference_without_mitochondrion_has_no_file_of_it_and_says_why(na12878):
    """The slice is of chr20 alone: accepted, with a metric that is NOT_MEASURED and nothing that claims a result."""
    run, sample, case = na12878
    told = json.loads((runs.bag(run.directory, case) / "data" / f"{sample}.metrics.json").read_text())["metrics"]
    (depth,) = (metric for metric in told if metric["name"] == "mean_mt_coverage")
    assert (depth["status"], depth["value"]) == ("NOT_MEASURED", None)
    assert depth["reason"] == "the reference has no mitochondrial contig"
    assert not [path.name for path in (runs.bag(run.directory, case) / "data").iterdir() if ".mt." in path.name]
    assert not (run.directory / "results" / "mitochondrion").exists()


def test_the_slice_conforms_for_a_test_and_for_nothing_else(na12878, tmp_path):
    run, _, case = na12878
    directory = runs.copy(run.directory, tmp_path / "run")
    runs.edit(directory, "cases", lambda rows: rows[0].__setitem__("submission_type", "initial"))
    done = runs.run_workflow(directory)
    assert done.returncode == 1
    row = runs.verdicts(directory)[case]
    assert row["verdict"] == "REFUSED", row
    runs.unseal(directory)


# ---- two unrelated persons in one run -------------------------------------------------------


@pytest.fixture(scope="module")
def unrelated(tmp_path_factory):
    source = runs.DATA / "unrelated"
    directory = tmp_path_factory.mktemp("unrelated") / "run"
    directory.mkdir()
    lay_reference(directory, runs.DATA / "ref" / "GRCh38_chr21_chr22_16570000_16610000.fa", None)
    people = [
        add_person(directory, n, sex, source / name, "NovaSeq 6000")
        for n, (name, sex) in enumerate([("NA12878", "female"), ("NA19401", "unknown")], start=1)
    ]
    yield runs.Run(directory, runs.run_workflow(directory)), people
    runs.unseal(directory)


def test_two_persons_of_many_lanes_are_each_judged_in_one_run(unrelated):
    run, people = unrelated
    rows = runs.verdicts(run.directory)
    assert {case: row["verdict"] for case, row in rows.items()} == {case: "ACCEPTED" for _, case in people}
    assert run.done.returncode == 0, run.done.stderr
    for _, case in people:
        assert len(runs.manifest(runs.bag(run.directory, case))["samples"][0]["libraries"][0]["runs"]) == 12


def test_two_persons_have_the_coverage_that_was_sequenced(unrelated):
    run, people = unrelated
    for sample, case in people:
        depth = subprocess.run(
            ["samtools", "depth", "-a", "-J", "--reference", run.directory / "reference" / "genome.fa"]
            + [runs.bag(run.directory, case) / "data" / f"{sample}.cram"],
            capture_output=True,
            text=True,
            check=True,
        )
        depths = [int(line[2]) for line in csv.reader(depth.stdout.splitlines(), delimiter="\t")]
        coverage = metrics(run, case)["mean_coverage"]
        print(sample, coverage, sum(depths) / len(depths))
        assert coverage["value"] == pytest.approx(sum(depths) / len(depths), rel=0.12)


def test_of_two_persons_na12878_has_her_own_truth(unrelated, record_property):
    run, ((own, own_case), (other, other_case)) = unrelated
    truth = runs.DATA / "unrelated" / "NA12878_GIABv4.2.1_chr22.vcf.gz"
    bed = run.directory / "chr22.bed"
    bed.write_text("chr22\t1200\t38200\n")
    result = compare(run, own_case, own, truth, bed)
    record_property("chr22", result)
    assert result["snv"]["recall"] == result["indel"]["recall"] == 1.0
    assert result["snv"]["genotype_concordance"] == 1.0
    # The truth comes without its confident regions, so precision is a lower bound.
    assert result["snv"]["precision"] >= 0.92
    assert compare(run, other_case, other, truth, bed)["snv"]["recall"] < 0.5


# ---- broken files ---------------------------------------------------------------------------


BROKEN = [
    (
        "paired_end_failing_read1.differring_line_count.fastq.gz",
        "paired_end_failing_read2.differring_line_count.fastq.gz",
        ["PAIR_COUNT", "R1 holds 1,000 reads, R2 holds 999"],
    ),
    (
        "single_end_failing.line_count.fastq.gz",
        "paired_end_passing_read2.fastq.gz",
        ["FASTQ_TRUNCATED", "the file ends within a record, which takes four lines"],
    ),
    (
        "test_corrupted_30reads_R1.fastq.gz",
        "test_corrupted_30reads_R2.fastq.gz",
        ["GZIP_CORRUPT", "LENGTH_MISMATCH", "test_corrupted_30reads_R2.fastq.gz, record 23"],
    ),
    ("test_truncated_clean.fastq", "test_truncated_halfway.fastq", ["NOT_GZIP", "FASTQ_TRUNCATED"]),
    (
        "test_quality_mismatch.fastq",
        "single_end_failing.inconsistent_read_length.fastq.gz",
        ["LENGTH_MISMATCH", "sequence and quality differ in length"],
    ),
]


def test_each_broken_file_is_refused_with_its_message(tiny):
    cases, samples, units = (runs.table(tiny, name)[0] for name in ("cases", "samples", "units"))
    made = {"cases": [], "samples": [], "units": []}
    for number, (*names, _) in enumerate(BROKEN):
        case, sample = f"BROKEN{number}CASE", f"BROKEN{number}PERSON"
        for name in names:
            shutil.copyfile(runs.DATA / "broken_fastq" / name, tiny / "reads" / name)
        made["cases"].append({**cases, "case": case, "requisition_id": f"NGCWGS{number}"})
        made["samples"].append({**samples, "sample": sample, "case": case})
        made["units"].append({**units, "sample": sample, "fq1": f"reads/{names[0]}", "fq2": f"reads/{names[1]}"})
    for name, rows in made.items():
        runs.write_table(tiny, name, rows)
    done = runs.run_workflow(tiny)
    assert done.returncode == 1
    assert "Traceback" not in runs.said(done)
    assert runs.nothing_computed(tiny)
    for number, (*_, texts) in enumerate(BROKEN):
        assert runs.verdicts(tiny)[f"BROKEN{number}CASE"]["verdict"] == "REFUSED"
        log = (tiny / "logs" / "intake" / f"BROKEN{number}CASE.log").read_text()
        assert [text for text in texts if text not in log] == []
        assert all(line in done.stderr for line in log.splitlines()[:2])
