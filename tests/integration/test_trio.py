"""A simulated trio in one run with a single person: joint genotypes, ploidy, de novo variants, the mitochondrion."""

import hashlib
import json
import os
import shutil
from pathlib import Path

import compare_family
import pysam
import pytest
import runs
import yaml

CASE, CHILD, MOTHER, FATHER = "T4DZKQ8RWMXN", "B6HNPT2WXKQD", "D3JRVX7ZMLGC", "F9KTWY4BNPHS"
SINGLE, EARLIER = "W5GZNPF2YMHB", "E2XKQ7TRWMZB"


@pytest.fixture(scope="module")
def trio_made(tmp_path_factory):
    """A tiny trio with a single person as another case beside it, not run."""
    return runs.make_demo(tmp_path_factory.mktemp("family") / "trio", "--tiny", "--trio")


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
