"""A simulated trio in one run with a single person: joint genotypes, ploidy, de novo variants, the mitochondrion."""

import shutil
import sys
from pathlib import Path

import pysam
import pytest
import runs
import yaml

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "simulate"))
import compare_family

CASE, CHILD, MOTHER, FATHER = "T4DZKQ8RWMXN", "B6HNPT2WXKQD", "D3JRVX7ZMLGC", "F9KTWY4BNPHS"
SINGLE = "W5GZNPF2YMHB"


@pytest.fixture(scope="module")
def family_run(tmp_path_factory, tiny_made):
    """The tiny trio with the tiny demo's person beside it: of one seed, the two have one genome."""
    directory = runs.make_demo(tmp_path_factory.mktemp("family") / "trio", "--tiny", "--trio")
    for path in (tiny_made / "reads").iterdir():
        shutil.copy2(path, directory / "reads")
    for name in ("cases", "samples", "units"):
        runs.write_table(directory, name, [*runs.table(directory, name), *runs.table(tiny_made, name)])
    yield runs.Run(directory, runs.run_workflow(directory))
    runs.unseal(directory)


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


def test_a_case_has_the_same_digests_alone_and_in_a_batch(family_run, tiny_run):
    alone, batch = (runs.contents(runs.bag(run.directory, SINGLE)) for run in (tiny_run, family_run))
    assert len(alone) == 6
    assert batch == alone


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
