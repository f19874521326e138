"""The copy-number rules on people whose copies are known, one of them with too few reads."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
import runs

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "simulate"))
import copies
import genome as g

PLAN = g.Plan(
    {"chr1": 400_000, "chr2": 300_000, "chr3": 60_000, "chrX": 100_000, "chrY": 60_000, "chrM": 3_000},
    par1=10_000, par2=4_000, telomere=500, gap=1_000, duplication=2_000,
)  # fmt: skip
MAN = copies.Person(
    "MANOFSMALL", "male",
    (
        ("chr1", 30_000, 35_000, 1), ("chr1", 60_000, 66_000, 0), ("chr2", 30_000, 38_000, 3),
        ("chrX", 60_000, 68_000, 2),
    ),
    x=1, y=1,
)  # fmt: skip
WOMAN = copies.Person(
    "WOMANOFALL", "female", (("chr3", 0, 60_000, 3),), x=1, whole=("monosomy X (X0)", "trisomy chr3"),
    contigs=("chr3", "chrX"),
)  # fmt: skip
THIN = copies.Person("THINSAMPLE", "female", depth=1)
PEOPLE = (MAN, WOMAN, THIN)


@pytest.fixture(scope="module")
def called(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("copies")
    copies.lay(folder, PEOPLE, seed=5, plan=PLAN)
    done = runs.run_workflow(folder, "--allowed-rules", *copies.RULES, "--", *copies.targets(PEOPLE))
    assert done.returncode == 0, runs.said(done)
    return folder


def result(folder: Path, person: copies.Person, ending: str) -> Path:
    return folder / "results" / "copy_number" / f"{person.sample}.{ending}"


@pytest.mark.parametrize("person", [MAN, WOMAN], ids=lambda person: person.sample)
def test_what_was_planted_is_called_and_nothing_else(person, called):
    missed, false = copies.score(person, copies.calls(result(called, person, "cnv.vcf.gz")))
    assert missed == []
    assert false == []
    found = json.loads(result(called, person, "json").read_text())
    assert sorted(item["name"] for item in found["aneuploidies"]) == list(person.whole)
    assert json.loads(result(called, person, "not_called.json").read_text()) == []


def test_a_whole_chromosome_is_one_record_that_names_it(called):
    found = [call for call in copies.calls(result(called, WOMAN, "cnv.vcf.gz")) if call[0] == "chr3"]
    assert [(contig, number, passed) for contig, _, _, number, passed in found] == [("chr3", 3, "PASS")]
    assert found[0][2] - found[0][1] > 55_000


@pytest.mark.parametrize("person", [MAN, WOMAN], ids=lambda person: person.sample)
def test_the_judge_accepts_the_file(person, called):
    path, fasta = result(called, person, "cnv.vcf.gz"), called / "reference" / "genome.fa"
    options = ["--reference", fasta, "--overlay", called / "overlay.yaml", "--json"]
    done = subprocess.run(["ngc-wgs", "check", path, *options], capture_output=True, text=True, check=False)
    findings = {(item["rule"], item["status"]) for item in json.loads(done.stdout)["findings"]}
    # Name and sex are the manifest's.
    assert (done.returncode, findings) == (0, {("NGC-VCF-017", "NOT_CHECKED"), ("NGC-VCF-018", "NOT_CHECKED")})


def test_too_few_reads_give_a_reason_and_no_file_that_looks_like_none(called):
    (entry,) = json.loads(result(called, THIN, "not_called.json").read_text())
    assert (entry["file_type"], entry["sample"]) == ("copy_number_vcf", THIN.sample)
    assert entry["reason"].startswith("the depth of a bin varies by")
    assert [result(called, THIN, f"cnv.vcf.gz{end}").stat().st_size for end in ("", ".tbi")] == [0, 0]


def test_a_submission_without_copy_number_is_accepted_and_says_why(finished):
    runs.configure(finished, copy_number={"bin": 5000})
    done = runs.run_workflow(finished)
    assert done.returncode == 0, runs.said(done)
    bag = runs.bag(finished)
    assert [path.name for path in (bag / "data").iterdir() if ".cnv." in path.name] == []
    (entry,) = runs.manifest(bag)["not_called"]
    assert entry["file_type"] == "copy_number_vcf" and "usable bins on autosomes" in entry["reason"]
    status, report = runs.check(bag, "--reference", finished / "reference" / "genome.fa")
    assert status == 0
    assert [f["evidence"] for f in report["findings"] if f["rule"] == "NGC-MAN-029"] == [
        f"copy_number_vcf of {entry['sample']} was not called: {entry['reason']}"
    ]
    assert f"not called, {entry['reason']}" in (bag / "data" / f"{bag.name}.multiqc.html").read_text()
