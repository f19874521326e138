"""Tumours: the resources of the somatic caller, tumour in normal, and swapped tumour and normal."""

import math
import random

import pysam
import pytest

import ngc_profile
from ngc_wgs import identity, somatic
from ngc_wgs.somatic import Candidate

METRICS = ngc_profile.load().data["metrics"]
SHARE = METRICS["tumour_in_normal"]["parameters"]
ORDER = METRICS["tumour_normal_order"]["parameters"]
BASES = "".join(random.Random(7).choices("ACGT", k=3000))


# ---- resources -------------------------------------------------------------------------------


@pytest.fixture
def fasta(tmp_path):
    path = tmp_path / "genome.fa"
    path.write_text(f">chr1\n{BASES}\n")
    pysam.faidx(str(path))
    return str(path)


def vcf(path, places=(100, 200), length=3000, contig="chr1", declared=True, frequency="AF=0.1", shift=0):
    """A bgzipped, indexed VCF of SNVs; shift: bases by which its REF is another place's."""
    lines = ["##fileformat=VCFv4.2", f"##contig=<ID={contig},length={length}>"]
    lines += ['##INFO=<ID=AF,Number=A,Type=Float,Description="">'] * declared
    lines.append("#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO")
    for place in places:
        ref = BASES[place - 1 + shift]
        lines.append(
            f"{contig}\t{place}\t.\t{ref}\t{'A' if ref != 'A' else 'C'}\t.\t.\t{frequency if declared else '.'}"
        )
    path.write_text("\n".join(lines) + "\n")
    pysam.tabix_index(str(path), preset="vcf", force=True)
    return f"{path}.gz"


def faults(fasta, key, path):
    return somatic.resource_faults({key: path}, fasta)


def test_resources_of_this_reference_are_taken(tmp_path, fasta):
    path = vcf(tmp_path / "good.vcf")
    both = {somatic.PANEL: vcf(tmp_path / "panel.vcf", declared=False), somatic.RESOURCE: path}
    assert somatic.resource_faults(both, fasta) == []
    assert somatic.resource_faults({somatic.PANEL: None, somatic.RESOURCE: None}, fasta) == []


@pytest.mark.parametrize(
    ("key", "options", "said"),
    [
        (somatic.PANEL, {"places": (), "declared": False}, "has no record on a contig of the reference"),
        (somatic.PANEL, {"contig": "1"}, "has no record on a contig of the reference"),
        (somatic.PANEL, {"length": 2999}, "another build: chr1 has 2999 bp there and 3000 here"),
        (somatic.RESOURCE, {"length": 2999}, "another build: chr1 has 2999 bp there and 3000 here"),
        (somatic.RESOURCE, {"shift": 5, "places": range(100, 140)}, "another build: REF of chr1:1"),
        (somatic.RESOURCE, {"declared": False}, "has no INFO/AF"),
        (somatic.RESOURCE, {"frequency": "."}, "has no INFO/AF in its records"),
        (somatic.RESOURCE, {"places": ()}, "has no record on a contig of the reference"),
    ],
)
def test_a_resource_that_cannot_serve_is_told_in_one_line_with_its_mend(tmp_path, fasta, key, options, said):
    path = vcf(tmp_path / "other.vcf", **options)
    (line,) = faults(fasta, key, path)
    assert line.startswith(f"config: somatic.{key}: {path}: ") and "\n" not in line
    assert said in line and line.endswith(f"Mend: {somatic.MENDS[key]}.")


@pytest.mark.parametrize("text", ["", "no VCF\n"])
def test_a_file_that_is_no_vcf_is_told(tmp_path, fasta, text):
    path = tmp_path / "panel.vcf.gz"
    path.write_text(text)
    (line,) = faults(fasta, somatic.PANEL, str(path))
    assert "cannot be read as a VCF" in line


# ---- tumour in normal ------------------------------------------------------------------------


def drawn(rng, chance, depth):
    return sum(rng.random() < chance for _ in range(depth))


def pair(share, number, depths=(90, 30), purity=0.7, artefacts=0, seed=1):
    """What Mutect2 leaves of `number` clonal SNVs where `share` of the normal's reads are the tumour's."""
    rng, found = random.Random(seed), []
    for at in range(number + artefacts):
        fraction = purity / 2 if at < number else 0.15
        tumour, normal = (round(rng.gauss(depth, math.sqrt(depth))) for depth in depths)
        alt = drawn(rng, fraction, tumour)
        of_normal = drawn(rng, (share if at < number else 1) * fraction + 0.0005, normal)
        if of_normal <= somatic.most_reads(normal):
            found.append(Candidate(alt, tumour, of_normal, normal, True))
    return found


@pytest.mark.parametrize("purity", [0.4, 0.7])
@pytest.mark.parametrize("share", [0.0, 0.03, 0.1])
def test_the_share_of_the_tumour_in_its_normal_is_measured(share, purity):
    found = somatic.tumour_in_normal(pair(share, 2000, purity=purity), SHARE)
    assert found["value"] == pytest.approx(share, abs=0.015), found
    assert 0 < found["error"] <= 0.01
    gates = [gate["value"] for gate in METRICS["tumour_in_normal"]["gates"] if gate["status"] == "FAIL"]
    assert (found["value"] > gates[0]) == (share > 0.05)


def test_much_of_the_tumour_is_far_above_the_limit_though_most_alleles_are_left_out():
    assert somatic.tumour_in_normal(pair(0.3, 2000), SHARE)["value"] > 0.15


def test_artefacts_of_both_samples_are_no_tumour_in_the_normal():
    assert somatic.tumour_in_normal(pair(0, 500, artefacts=50), SHARE)["value"] <= 0.01
    assert somatic.tumour_in_normal(pair(0.1, 500, artefacts=50), SHARE)["value"] == pytest.approx(0.1, abs=0.04)


def test_few_alleles_are_not_measured_and_say_so():
    found = somatic.tumour_in_normal([Candidate(30, 90, 0, 30, True)] * 19, SHARE)
    assert (found["value"], found["reason"]) == (None, "19 alleles of the tumour alone, 20 are needed")
    thin = [Candidate(10, 90, at < 2, 24, True) for at in range(22)]
    found = somatic.tumour_in_normal(thin, SHARE)
    assert found["value"] is None and found["error"] > 0.02
    assert found["reason"].startswith("estimate 0.0") and "more than 0.02" in found["reason"]


def test_a_normal_too_thin_for_any_read_of_the_tumour_says_nothing():
    assert somatic.most_reads(10) < 1 <= somatic.most_reads(30)
    assert somatic.tumour_in_normal(pair(0, 500, depths=(90, 8)), SHARE)["value"] is None


# ---- swapped ---------------------------------------------------------------------------------


def het(number, ref=15, alt=15):
    return {("chr1", at): (ref, alt) for at in range(number)}


def test_a_tumour_with_alleles_of_its_own_is_the_tumour():
    found = somatic.order(pair(0, 300), het(1000, 45, 45), het(1000), ORDER)
    assert found["value"] == 1.0
    assert "alleles of the tumour alone, 0 of the normal alone" in found["reason"]


def test_alleles_that_only_the_normal_has_tell_of_a_swap():
    tumour = het(1300, 45, 45) | {("chr1", at): (40, 0) for at in range(300)}
    found = somatic.order([], tumour, het(1300), ORDER)
    assert (found["value"], found["reason"]) == (
        0.0, "0 alleles of the tumour alone, 300 of the normal alone: tumour and normal are swapped",
    )  # fmt: skip


def test_a_tumour_that_lost_a_copy_lacks_one_allele_as_often_as_the_other():
    lost = {("chr1", at): (90, 0) if at % 2 else (0, 90) for at in range(1000)}
    assert somatic.order(pair(0, 300), lost, het(1000), ORDER)["value"] == 1.0
    assert somatic.order([], lost, het(1000), ORDER)["value"] is None


@pytest.mark.parametrize("number", [10, 19])
def test_too_few_alleles_do_not_tell(number):
    found = somatic.order(pair(0, number), {}, {}, ORDER)
    assert found["value"] is None and "too few" in found["reason"]


def test_allelic_counts_are_read_and_an_empty_table_has_none():
    lines = [
        "@HD\tVN:1.6",
        "CONTIG\tPOSITION\tREF_COUNT\tALT_COUNT\tREF_NUCLEOTIDE\tALT_NUCLEOTIDE",
        "chr1\t7\t3\t4\tA\tC",
    ]
    assert somatic.read_allelic_counts(lines) == {("chr1", 7): (3, 4)}
    assert somatic.read_allelic_counts([]) == {}


# ---- contamination ---------------------------------------------------------------------------


def test_of_a_tumour_the_normal_says_where_the_person_is_homozygous():
    """A tumour that lost one copy everywhere looks homozygous where its normal is not: there nothing is counted."""
    limits = METRICS["cross_contamination_rate"]["parameters"]

    def rows(ref, alt):
        return [
            {
                "contig": "chr1",
                "position": str(at),
                "ref_count": str(ref),
                "alt_count": str(alt),
                "allele_frequency": "0.1",
            }
            for at in range(2000)
        ]

    tumour = rows(90, 0)
    assert identity.judge_contamination(0.01, 0.001, tumour, limits)["value"] == 0.01
    found = identity.judge_contamination(0.01, 0.001, tumour, limits, rows(15, 15))
    assert found["value"] is None and "0 homozygous sites" in found["reason"]
    assert identity.judge_contamination(0.01, 0.001, tumour, limits, rows(30, 0))["denominator"] == 2000
