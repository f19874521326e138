"""The copy-number rules on people whose copies are known, one of them with too few reads."""

import gzip
import json
import shutil
import subprocess
from pathlib import Path

import copies
import genome as g
import numpy as np
import pytest
import runs
import yaml

import ngc_profile
from ngc_wgs import regions

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


# ---- panel of normals ----------------------------------------------------------------------

NORMALS = tuple(
    copies.Person(f"NORMALX{letter}", sex, depth=0.1, x=x, y=2 - x)
    for letter, (sex, x) in zip("ABCDEF", (("male", 1), ("female", 2)) * 3, strict=True)
)
CASE = copies.Person("BIASEDCASE", "male", depth=0.1)
BEHIND_DEPTHS = ("copy_number_counts", "gatk_copy_panel", "gatk_copy_segments", "copy_number")
LOST = ("chr2", 100_000, 106_000)
"""What the case has one copy of."""


def lay_depths(folder: Path, people, bins, bias, random) -> None:
    """Depths as mosdepth's: 30x of two copies times each bin's bias, with 5 % of noise; the case has its deletion."""
    profile = ngc_profile.load(None, folder / "overlay.yaml")
    for person in people:
        lines = []
        for (contig, start, end), usual in zip(bins, bias, strict=True):
            number = profile.copies(contig, start + 1, person.sex)
            number -= person is CASE and contig == LOST[0] and LOST[1] <= start and end <= LOST[2]
            lines.append(f"{contig}\t{start}\t{end}\t{15 * number * usual * random.normal(1, 0.05):.2f}\n")
        for kind in ("all", "unique"):
            with gzip.open(result(folder, person, f"{kind}.regions.bed.gz"), "wt") as out:
                out.writelines(lines)


@pytest.fixture(scope="module")
def panel(tmp_path_factory) -> Path:
    """A panel of six people, and beside it the folder of one who is not in it: in all, bins differ by a fifth."""
    place = tmp_path_factory.mktemp("panel of six")
    normals, case, made = place / "normals", place / "case", "results/panel_of_normals/copy_number.hdf5"
    for folder, people in ((normals, NORMALS), (case, [CASE])):
        copies.lay(folder, people, seed=6, plan=PLAN)
    done = runs.run_workflow(normals, "--allowed-rules", *copies.RULES, "--", "results/copy_number/bins.bed")
    assert done.returncode == 0, runs.said(done)
    bins = regions.read_bed(normals / "results" / "copy_number" / "bins.bed")
    random = np.random.default_rng(6)
    bias = random.lognormal(0, 0.2, len(bins))
    for room in ("copy_number", "intake"):
        shutil.copytree(normals / "results" / room, case / "results" / room, dirs_exist_ok=True)
    for folder, people in ((normals, NORMALS), (case, [CASE])):
        lay_depths(folder, people, bins, bias, random)
    done = runs.run_workflow(normals, "--allowed-rules", *BEHIND_DEPTHS, "--", made)
    assert done.returncode == 0, runs.said(done)
    for end in ("", ".bins.bed"):
        shutil.copyfile(normals / f"{made}{end}", place / f"copy_number.hdf5{end}")
    return place


def use(folder: Path, panel: str | None) -> None:
    config = yaml.safe_load((folder / "config.yaml").read_text())
    (folder / "config.yaml").write_text(yaml.safe_dump(config | {"copy_number_panel": panel}))


def test_a_panel_of_normals_takes_away_what_everybody_has(panel):
    folder = panel / "case"

    def called_with(path):
        use(folder, path)
        done = runs.run_workflow(folder, "--allowed-rules", *BEHIND_DEPTHS, "--", *copies.targets([CASE]))
        assert done.returncode == 0, runs.said(done)
        passed = [call for call in copies.calls(result(folder, CASE, "cnv.vcf.gz")) if call[4] == "PASS"]
        return passed, json.loads(result(folder, CASE, "json").read_text())["noise"]

    found, noise = called_with("../copy_number.hdf5")
    assert [(contig, number) for contig, _, _, number, _ in found] == [(LOST[0], 1)]
    assert abs(found[0][1] - LOST[1]) <= 1000 and abs(found[0][2] - LOST[2]) <= 1000
    assert noise < 0.1
    _, without = called_with(None)
    assert without > 2 * noise


def test_a_panel_of_other_bins_or_without_them_is_refused(panel):
    folder, bed = panel / "case", panel / "copy_number.hdf5.bins.bed"
    use(folder, "../copy_number.hdf5")
    bed.write_text(bed.read_text().split("\n", 1)[1])
    done = runs.run_workflow(
        folder, "--allowed-rules", "copy_number_bins", "--forcerun", "copy_number_bins", "--",
        "results/copy_number/bins.bed",
    )  # fmt: skip
    assert done.returncode == 1 and "its bins are not those of this run" in runs.said(done)
    bed.write_text("chr77\t0\t1000\n")
    assert "the reference has no contig chr77" in runs.said(runs.run_workflow(folder, "-n"))
    bed.unlink()
    assert "copy_number.hdf5.bins.bed: there is no such file" in runs.said(runs.run_workflow(folder, "-n"))
