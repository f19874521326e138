"""A simulated trio in one run with a single person: joint genotypes, ploidy, de novo variants, the mitochondrion.

Of the mother there are no reads around a variant that her child has of her (`Hole`).
"""

import csv
import gzip
import hashlib
import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import NamedTuple

import compare_family
import pysam
import pytest
import runs
import yaml

CASE, CHILD, MOTHER, FATHER = "T4DZKQ8RWMXN", "B6HNPT2WXKQD", "D3JRVX7ZMLGC", "F9KTWY4BNPHS"
SINGLE, EARLIER = "W5GZNPF2YMHB", "E2XKQ7TRWMZB"
SECOND, SECOND_CHILD = "N3VQXK8TRZWD", "R9DVH3NJX6LC"  # the single person, as another child of the mother


class Hole(NamedTuple):
    """Where the mother has no reads; start counts from 0. pos: of the variant that her child has of her."""

    contig: str
    start: int
    end: int
    pos: int


@pytest.fixture(scope="module")
def trio_and_hole(tmp_path_factory):
    directory = runs.make_demo(tmp_path_factory.mktemp("family") / "trio", "--tiny", "--trio")
    hole = find_hole(directory)
    take_out_reads(directory, MOTHER, hole)
    return directory, hole


@pytest.fixture(scope="module")
def trio_made(trio_and_hole):
    """A tiny trio with a single person as another case beside it, not run."""
    return trio_and_hole[0]


@pytest.fixture(scope="module")
def hole(trio_and_hole):
    return trio_and_hole[1]


def genotypes(directory, sample):
    """True genotypes by place of a person's autosomal SNVs."""
    with pysam.VariantFile(str(directory / "truth" / f"{sample}.vcf.gz")) as records:
        snvs = [r for r in records if r.chrom in ("chr1", "chr2") and {len(a) for a in r.alleles} == {1}]
        return {(r.chrom, r.pos): r.samples[0]["GT"] for r in snvs}


def find_hole(directory):
    """800 bases of unique sequence around the first SNV that only mother and child have, none of them planted."""
    child, mother, father = (genotypes(directory, sample) for sample in (CHILD, MOTHER, FATHER))
    with (directory / "truth" / "planted.tsv").open() as lines:
        planted = [(row["contig"], int(row["pos"])) for row in csv.DictReader(lines, delimiter="\t")]
    unique = [line.split("\t") for line in (directory / "truth" / "unique.bed").read_text().splitlines()]
    for place in sorted(child.keys() & mother.keys() - father.keys() - set(planted)):
        found = Hole(place[0], place[1] - 400, place[1] + 400, place[1])
        inside = any(c == found.contig and int(a) < found.start and found.end < int(b) for c, a, b in unique)
        apart = all(c != found.contig or not found.start - 300 < pos < found.end + 300 for c, pos in planted)
        if inside and apart:
            return found
    raise AssertionError("no place for a hole: other people were drawn")


def take_out_reads(directory, sample, hole):
    """Leave out of a person's FASTQ files every pair of which a read lies in the hole."""
    units = [row for row in runs.table(directory, "units") if row["sample"] == sample]
    for unit in units:
        files = [directory / unit[column] for column in ("fq1", "fq2")]
        bwa = ["bwa", "mem", "-v", "1", directory / "reference" / "genome.fa", *files]
        sam = subprocess.run(bwa, capture_output=True, text=True, check=True).stdout
        names = set()
        for line in sam.splitlines():
            name, flag, contig, pos, _, _, _, _, _, bases, *_ = line.split("\t") if line[0] != "@" else ["@"] * 10
            if contig == hole.contig and hole.start - len(bases) < int(pos) <= hole.end:
                names.add(name)
        assert names
        for file in files:
            lines = gzip.decompress(file.read_bytes()).decode().splitlines(keepends=True)
            reads = [lines[at : at + 4] for at in range(0, len(lines), 4)]
            kept = [line for read in reads if read[0][1:].split()[0] not in names for line in read]
            file.write_bytes(gzip.compress("".join(kept).encode(), mtime=0))


@pytest.fixture(scope="module")
def family_run(tmp_path_factory, trio_made):
    directory = runs.copy(trio_made, tmp_path_factory.mktemp("batch") / "trio")
    yield runs.Run(directory, runs.run_workflow(directory))
    runs.unseal(directory)


@pytest.fixture
def duo(tmp_path, trio_made):
    """The child and its mother, another case of the same data, not run."""
    directory = runs.copy(trio_made, tmp_path / "late")
    write_family(directory, EARLIER, "duo", (CHILD, MOTHER))
    yield directory
    runs.unseal(directory)


def write_family(directory, case, study, samples):
    """Write the tables for one case of the trio's people, by the rows that the data came with."""
    (row,) = (row for row in runs.table(directory, "cases") if row["study_type"] != "single")
    kept = {name: directory / f"all.{name}.tsv" for name in ("samples", "units")}
    for name, path in kept.items():
        if not path.exists():
            shutil.copyfile(directory / f"{name}.tsv", path)
        rows = [row for row in runs.table(directory, f"all.{name}") if row["sample"] in samples]
        runs.write_table(directory, name, [{**row, "case": case} if name == "samples" else row for row in rows])
    runs.write_table(directory, "cases", [{**row, "case": case, "study_type": study}])


def joint(run):
    return runs.bag(run.directory, CASE) / "data" / f"{CASE}.family.vcf.gz"


def test_a_trio_and_a_single_are_accepted_in_one_run(family_run):
    assert family_run.done.returncode == 0, runs.said(family_run.done)
    assert {row["verdict"] for row in runs.verdicts(family_run.directory).values()} == {"ACCEPTED"}
    names = {path.name for path in (runs.bag(family_run.directory, CASE) / "data").iterdir()}
    assert {
        f"{CASE}.family.vcf.gz",
        f"{CASE}.sv.vcf.gz",
        *(f"{s}.{end}" for s in (CHILD, MOTHER, FATHER) for end in ("vcf.gz", "mt.vcf.gz")),
    } <= names
    assert (
        "FAMILY"
        not in "".join(path.name for path in (runs.bag(family_run.directory, SINGLE) / "data").iterdir()).upper()
    )


def test_each_member_has_the_ploidy_of_its_sex_side_by_side(family_run):
    overlay = yaml.safe_load((family_run.directory / "overlay.yaml").read_text())
    pars = [(par["contig"], par["start"], par["end"]) for par in overlay["reference"]["par"]]
    seen = {}
    with pysam.VariantFile(str(joint(family_run))) as records:
        assert list(records.header.samples) == sorted((CHILD, MOTHER, FATHER))
        for record in records:
            par = any(record.chrom == c and start <= record.start < end for c, start, end in pars)
            place = "PAR" if par else {"chr1": "A", "chr2": "A"}.get(record.chrom, record.chrom)
            for name, call in record.samples.items():
                if call["GT"] != (None,):
                    seen.setdefault((name, place), set()).add(len(call["GT"]))
    boys = {"A": {2}, "PAR": {2}, "chrX": {1}, "chrY": {1}}
    wanted = {CHILD: boys, FATHER: boys, MOTHER: {"A": {2}, "PAR": {2}, "chrX": {2}}}
    assert seen == {(name, place): found for name, places in wanted.items() for place, found in places.items()}


def test_new_variants_are_candidates_and_inherited_ones_are_not(family_run, record_property):
    result = compare_family.denovo(family_run.directory / "truth" / "planted.tsv", joint(family_run), CHILD)
    record_property("denovo", result)
    print(result)
    assert result["planted"] == 16
    assert result["recall"] >= 0.9
    assert result["precision"] >= 0.9


def test_where_a_parent_has_no_reads_there_is_no_genotype_and_no_candidate(family_run, hole):
    """The checker accepted these files: the trio's verdict is ACCEPTED."""
    with pysam.VariantFile(str(joint(family_run))) as records:
        found = {r.pos: r for r in records.fetch(hole.contig, hole.start, hole.end)}
    record = found[hole.pos]
    assert set(record.samples[CHILD]["GT"]) == {0, 1} and set(record.samples[FATHER]["GT"]) == {0}
    assert {r.samples[MOTHER]["GT"] for r in found.values()} == {(None, None)}
    assert not any(CHILD in r.info.get(level, ()) for r in found.values() for level in ("DENOVO_HIGH", "DENOVO_LOW"))
    data = runs.bag(family_run.directory, CASE) / "data"
    with pysam.VariantFile(str(data / f"{MOTHER}.vcf.gz")) as records:
        assert not list(records.fetch(hole.contig, hole.start, hole.end))
    with pysam.VariantFile(str(data / f"{MOTHER}.g.vcf.gz")) as records:
        (block,) = records.fetch(hole.contig, hole.pos - 1, hole.pos)
        assert (block.samples[MOTHER]["DP"], block.samples[MOTHER]["GQ"]) == (0, 0)


def test_posteriors_are_beside_the_caller_s_genotypes(family_run):
    with pysam.VariantFile(str(joint(family_run))) as records:
        both = [r.samples[CHILD] for r in records if r.chrom == "chr1" and "PP" in r.format]
    assert len(both) > 20
    assert all(call["GT"] == (None, None) or "PL" in call for call in both)


def test_heteroplasmy_is_measured_and_the_ends_of_the_contig_are_called(family_run, record_property):
    path = runs.bag(family_run.directory, CASE) / "data" / f"{CHILD}.mt.vcf.gz"
    result = compare_family.heteroplasmy(family_run.directory / "truth" / "heteroplasmy.tsv", path)
    record_property("heteroplasmy", result)
    print(*result["rows"], sep="\n")
    assert result["ends_found"] == result["ends"] == 6
    assert [row for row in result["rows"] if row["planted"] >= 0.02 and row["measured"] is None] == []
    assert [row for row in result["rows"] if row["measured"] is not None and not row["within"]] == []
    assert {row["genotype"] for row in result["rows"] if row["planted"] == 1} == {"1"}
    assert {row["genotype"] for row in result["rows"] if row["planted"] == 0.5} == {"0/1"}


def test_the_germline_vcf_says_nothing_of_the_mitochondrion(family_run):
    for kind in ("vcf", "g.vcf"):
        with pysam.VariantFile(str(runs.bag(family_run.directory, CASE) / "data" / f"{CHILD}.{kind}.gz")) as records:
            assert not any(record.chrom == "chrM" for record in records)


# ---- a relative who comes later ----------------------------------------------------------------


def of_members(directory, samples):
    """Time, inode and digest of what was aligned and called of people, indexes included, headers for it left out."""
    found = (directory.glob(f"results/{part}/{s}.*") for s in samples for part in ("alignment", "conform"))
    paths = [path for several in found for path in several if path.suffix != ".header"]
    return {p.name: (p.stat().st_mtime_ns, p.stat().st_ino, hashlib.sha256(p.read_bytes()).hexdigest()) for p in paths}


def planned_work(directory):
    """Samples of which the next run would align or call anything."""
    paths = [path for path in runs.planned(directory) if path.split("/")[1] in ("alignment", "calling", "conform")]
    names = {Path(path).name.split(".")[0] for path in paths}
    return names & {CHILD, MOTHER, FATHER}


def test_a_relation_that_the_genotypes_disprove_stops_the_case(family_run, tmp_path):
    """Told so by the measured values: the simulated genome has too few sites to measure kinship."""
    directory = runs.copy(family_run.directory, tmp_path / "trio")
    measured = directory / "results" / "gate" / f"{CASE}.measured.json"
    found = json.loads(measured.read_text())
    reason = "F9KTWY4BNPHS: declared parent and child, observed unrelated"
    found["samples"][CHILD]["values"]["kinship_concordance"] |= {"value": 0, "reason": reason}
    measured.write_text(json.dumps(found))
    (directory / "results" / "gate" / f"{CHILD}.cleared").unlink()
    called = of_members(directory, (CHILD, MOTHER, FATHER))
    done = runs.run_workflow(directory, f"results/check/{CASE}.accepted")
    assert done.returncode == 1
    row = runs.verdicts(directory)[CASE]
    assert row["verdict"] == "REFUSED" and "at alignment_gate" in row["reasons"]
    assert f"kinship_concordance 0 agreement ({reason}): FAIL" in runs.said(done)
    assert of_members(directory, (CHILD, MOTHER, FATHER)) == called
    runs.unseal(directory)


def test_a_relative_who_comes_later_has_nobody_aligned_or_called_again(duo, family_run):
    done = runs.run_workflow(duo)
    assert done.returncode == 0, runs.said(done)
    members = of_members(duo, (CHILD, MOTHER))
    assert {f"{CHILD}.cram", f"{CHILD}.g.vcf.gz", f"{MOTHER}.mt.vcf.gz"} <= members.keys()

    # In the case as it is, or in a later one: only the new relative is aligned and called.
    for case in (EARLIER, CASE):
        write_family(duo, case, "trio", (CHILD, MOTHER, FATHER))
        assert planned_work(duo) == {FATHER}

    # A change of what the others came of is seen though their gates are made anew: their reads, a setting.
    reads = duo / next(row["fq1"] for row in runs.table(duo, "units") if row["sample"] == CHILD)
    status = reads.stat()
    os.utime(reads, ns=(status.st_atime_ns, status.st_mtime_ns - 10**9))
    assert planned_work(duo) == {CHILD, FATHER}
    os.utime(reads, ns=(status.st_atime_ns, status.st_mtime_ns))
    runs.configure(duo, optical_distance=100)
    assert planned_work(duo) == {CHILD, MOTHER, FATHER}
    runs.configure(duo, optical_distance=2500)
    # A family is never of two references: of another one, all are aligned to it.
    runs.copy(duo / "reference", duo / "other")
    runs.configure(duo, reference={"fasta": "other/genome.fa"})
    assert planned_work(duo) == {CHILD, MOTHER, FATHER}
    runs.configure(duo, reference={"fasta": "reference/genome.fa"})

    done = runs.run_workflow(duo)
    assert done.returncode == 0, runs.said(done)
    assert of_members(duo, (CHILD, MOTHER)) == members
    alone, batch = (runs.contents(runs.bag(directory, CASE)) for directory in (duo, family_run.directory))
    assert {f"data/{CASE}.family.vcf.gz", f"data/{FATHER}.mt.vcf.gz", f"data/{CHILD}.cram"} <= alone.keys()
    assert alone == batch, "a case by itself, and grown, has the digests that it has in a batch"


def test_a_mother_moves_to_another_childs_case_and_nothing_of_her_is_made_again(family_run, tmp_path):
    """Her child's case is done and leaves the tables; her gVCF is genotyped with the second child's."""
    directory = runs.copy(family_run.directory, tmp_path / "moved")
    first = runs.contents(runs.bag(directory, CASE))
    people = (SECOND_CHILD, MOTHER)
    before, rows = of_members(directory, people), runs.table(directory, "samples")
    single = next(row for row in runs.table(directory, "cases") if row["case"] == SINGLE)
    runs.write_table(directory, "cases", [{**single, "case": SECOND, "study_type": "duo"}])
    kept = [{**row, "case": SECOND} for row in rows if row["sample"] in people]
    runs.write_table(directory, "samples", sorted(kept, key=lambda row: row["relation"]))
    runs.edit(
        directory, "units", lambda units: units.__setitem__(slice(None), [u for u in units if u["sample"] in people])
    )
    assert not any(
        Path(path).name.startswith(people)
        for path in runs.planned(directory)
        if "alignment/" in path or "calling/" in path
    )
    done = runs.run_workflow(directory)
    assert done.returncode == 0, runs.said(done)
    assert of_members(directory, people) == before
    second = runs.contents(runs.bag(directory, SECOND))
    assert f"data/{SECOND}.family.vcf.gz" in second
    hers = {name for name in first if Path(name).name.startswith(MOTHER)} - {f"data/{MOTHER}.metrics.json"}
    assert {f"data/{MOTHER}.cram", f"data/{MOTHER}.g.vcf.gz", f"data/{MOTHER}.vcf.gz"} <= hers <= second.keys()
    assert {name: first[name] for name in hers} == {name: second[name] for name in hers}, "one person, the same digests"
    assert runs.contents(runs.bag(directory, CASE)) == first
    assert runs.check(runs.bag(directory, CASE), "--reference", directory / "reference" / "genome.fa")[0] == 0
    runs.unseal(directory)
