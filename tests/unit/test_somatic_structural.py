"""delly's calls of a tumour and its normal become records with reads, shares and the filters that follow from them."""

import dataclasses

import pysam
import pytest

import ngc_profile
from ngc_wgs import somatic_structural, structural

LENGTHS = {"chr1": 10_000, "chrX": 10_000, "chrY": 10_000, "chrM": 1_000}
ROLES = {"chr1": "autosome", "chrX": "X", "chrY": "Y", "chrM": "M"}
INFO = (
    ("SVTYPE", 1, "String"), ("CT", 1, "String"), ("CIPOS", 2, "Integer"), ("CIEND", 2, "Integer"),
    ("END", 1, "Integer"), ("PE", 1, "Integer"), ("SR", 1, "Integer"), ("MAPQ", 1, "Integer"),
    ("SRMAPQ", 1, "Integer"), ("SVLEN", 1, "Integer"), ("IMPRECISE", 0, "Flag"), ("PRECISE", 0, "Flag"),
)  # fmt: skip
HEADER = "\n".join(
    [
        "##fileformat=VCFv4.2",
        '##FILTER=<ID=LowQual,Description="">',
        *(f'##INFO=<ID={key},Number={n},Type={kind},Description="">' for key, n, kind in INFO),
        *(f'##FORMAT=<ID={key},Number=1,Type=Integer,Description="">' for key in ("DR", "DV", "RR", "RV")),
        *(f"##contig=<ID={name},length={length}>" for name, length in LENGTHS.items()),
        # delly's order is that of the CRAMs; names alone tell which is which.
        "#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\tFORMAT\tTUM\tNOR\n",
    ]
)


@pytest.fixture(scope="module")
def profile():
    contigs = [{"name": name, "length": n, "md5": None, "role": ROLES[name]} for name, n in LENGTHS.items()]
    par = [{"contig": name, "start": 0, "end": 2_000} for name in ("chrX", "chrY")]
    shipped = ngc_profile.load()
    return dataclasses.replace(
        shipped, data={**shipped.data, "reference": {**shipped.reference, "contigs": contigs, "par": par}}
    )


def call(kind="DEL", pos=1000, end=1201, ct="3to5", *, chrom="chr1", alt=None, tumour="9:0:30:10", normal="9:0:30:0",
         info="PRECISE", quality="900", filters="PASS", name="S1"):  # fmt: skip
    entries = f"{info};SVTYPE={kind};END={end};CT={ct};CIPOS=-3,4;CIEND=-5,6;MAPQ=60;SRMAPQ=50;PE=9;SR=5"
    fields = [chrom, str(pos), name, "N", alt or f"<{kind}>", quality, filters, entries, "DR:DV:RR:RV", tumour, normal]
    return "\t".join(fields)


@pytest.fixture
def made(tmp_path, profile):
    """Function: lines of the somatic structural VCF, as lists of columns, of delly's calls."""

    def records(*calls, sex="male"):
        path = tmp_path / "delly.vcf"
        path.write_text(HEADER + "".join(f"{line}\n" for line in calls))
        with pysam.VariantFile(str(path)) as vcf:
            events = somatic_structural.events(vcf, "TUM", "NOR", sex, profile, lambda contig, pos: "ACGT"[pos % 4])
            lines = structural.merged({"delly": events}, profile.data["structural"])
        return [line.split("\t") for line in lines]

    return records


def test_the_normal_comes_first_and_both_have_their_reads_and_share(made):
    (fields,) = made(call())
    assert fields[:7] == ["chr1", "1000", "S1", "A", "<DEL>", "900", "PASS"]
    assert fields[7] == "SVTYPE=DEL;END=1200;SVLEN=-200;CIPOS=-3,4;CIEND=-5,6;CT=3to5;PE=9;SR=5;MAPQ=60"
    assert fields[8:] == ["DR:DV:RR:RV:AF", "9:0:30:0:0.000", "9:0:30:10:0.250"]


def test_where_no_split_read_tells_the_base_the_pairs_count(made):
    (fields,) = made(call(info="IMPRECISE", tumour="30:10:0:0", normal="30:0:0:0"))
    assert fields[9:] == ["30:0:0:0:0.000", "30:10:0:0:0.250"]


@pytest.mark.parametrize(
    ("given", "filters"),
    [
        ({}, "PASS"),
        ({"filters": "LowQual"}, "LowQual"),
        ({"quality": "299"}, "weak_evidence"),
        ({"quality": "300"}, "PASS"),
        ({"tumour": "9:0:97:3"}, "PASS"),
        ({"tumour": "9:0:98:2"}, "low_fraction"),
        ({"tumour": "9:0:4:5"}, "few_reads"),
        ({"tumour": "9:0:5:5"}, "PASS"),
        ({"normal": "99:0:9:0"}, "few_reads"),
        ({"normal": "9:0:39:1"}, "PASS"),  # 1 of 40 beside 10 of 40: as 10 % of tumour cells in the normal
        ({"normal": "9:0:38:1"}, "in_normal"),
        ({"normal": "9:1:40:0"}, "in_normal"),  # pairs of the normal count too
        ({"quality": "10", "filters": "LowQual", "tumour": "9:0:2:1"}, "LowQual;weak_evidence;few_reads"),
    ],
)
def test_filters_follow_from_the_reads(made, given, filters):
    (fields,) = made(call(**given))
    assert fields[6] == filters


def test_a_breakend_has_its_mate_with_the_same_reads_and_filters(made):
    first, second = made(call("BND", 1500, 1501, chrom="chrX", alt="N[chr1:3000[", quality="10"))
    assert first[:5] == ["chr1", "3000", "S1_2", "A", "]chrX:1500]A"]
    assert second[:5] == ["chrX", "1500", "S1_1", "A", "A[chr1:3000["]
    assert first[6] == second[6] == "weak_evidence" and first[8:] == second[8:]


def test_what_is_short_or_on_a_contig_without_records_is_left_out(made):
    assert made(call(end=1050), call(chrom="chrM", end=901, pos=500)) == []


def test_of_a_woman_nothing_touches_y(made):
    joined = call("BND", 5000, 5001, chrom="chrY", alt="N[chr1:3000[")
    assert made(call(chrom="chrY", pos=5000, end=5301), joined, sex="female") == []
    assert len(made(call(chrom="chrY", pos=5000, end=5301), joined)) == 3


def test_the_border_of_a_masked_pseudoautosomal_region_is_no_translocation(made):
    assert [f[6] for f in made(call("BND", 2010, 2011, chrom="chrY", alt="N[chrX:1990["))] == ["ParBorder"] * 2


def test_the_report_counts_what_passes_and_each_filter_once_a_breakend(made):
    lines = ["\t".join(fields) for fields in made(
        call(), call("DUP", 4000, 5000, "5to3", name="S2"), call("INV", 6000, 6300, "3to3", name="S3", quality="9"),
        call("BND", 1500, 1501, chrom="chrX", alt="N[chr1:3000[", name="S4"),
        call("BND", 1700, 1701, chrom="chrX", alt="N[chr1:3500[", name="S5", quality="9"),
    )]  # fmt: skip
    assert somatic_structural.report(lines) == {
        "counts": {"DEL": {"50-299 bp": 1}, "DUP": {"1-9 kb": 1}, "BND": {"two contigs": 1}},
        "filtered": {"weak_evidence": 2},
    }


def test_every_filter_that_is_written_is_the_profiles(profile):
    ids = [item["id"] for item in profile.data["somatic_structural"]["filters"]]
    assert ids == ["LowQual", "weak_evidence", "low_fraction", "few_reads", "in_normal", "ParBorder"]
