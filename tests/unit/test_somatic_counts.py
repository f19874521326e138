"""What is counted of somatic variants, by cases worked out by hand."""

import json

import pysam
import pytest

from ngc_wgs import metrics
from ngc_wgs import somatic_counts as sc

GENOME = {"chr1": "ACGTTGCANNACG", "chr2": "TACGGT"}


def bases(contig: str, start: int, end: int) -> str:
    return GENOME[contig][start:end]


def call(pos=2, ref="C", alt="T", filters=(), fraction=0.3, depth=90, chrom="chr1"):
    return sc.Call(chrom, pos, ref, alt, tuple(filters), fraction, depth)


EVERYWHERE = sc.Evaluated([("chr1", 0, 13, 2_000_000)], 20)


@pytest.mark.parametrize(
    ("around", "alt", "wanted"),
    [
        ("ACG", "T", "A[C>T]G"),  # a pyrimidine stands as it is
        ("CGT", "A", "A[C>T]G"),  # the same change seen from the other strand
        ("AAA", "C", "T[T>G]T"),
        ("TTT", "G", "T[T>G]T"),
        ("NCG", "T", None),
        ("ACN", "T", None),
        ("CG", "T", None),  # at the end of a contig
    ],
)
def test_a_context_is_written_on_the_pyrimidine_s_strand(around, alt, wanted):
    assert sc.context(around, alt) == wanted


def test_the_contexts_are_96_in_the_order_of_cosmic():
    assert len(set(sc.CONTEXTS)) == 96
    assert sc.CONTEXTS[:5] == ("A[C>A]A", "A[C>A]C", "A[C>A]G", "A[C>A]T", "C[C>A]A")
    assert (sc.CONTEXTS[16], sc.CONTEXTS[-1]) == ("A[C>G]A", "T[T>G]T")


@pytest.mark.parametrize(
    ("ref", "alt", "kind"),
    [("A", "C", "snv"), ("A", "AT", "insertion"), ("AT", "A", "deletion"), ("AC", "GT", "mnv"), ("ACG", "TT", "mnv")],
)
def test_types_of_variants(ref, alt, kind):
    assert call(ref=ref, alt=alt).kind == kind


def test_every_count_of_a_few_calls():
    calls = [
        call(2, "C", "T"),  # A[C>T]G
        call(3, "G", "A", fraction=0.999),  # its other strand, C[G>A]T: A[C>T]G too
        call(5, "T", "G", fraction=1.0),  # T[T>G]G
        call(1, "A", "G", fraction=0.0),  # no base before it
        call(8, "A", "C"),  # an N after it
        call(6, "G", "GA", depth=19),  # too few reads for the burden
        call(7, "CA", "C"),
        call(4, "T", "C", filters=("germline", "weak_evidence")),
    ]
    found = sc.count(calls, EVERYWHERE, bases)
    assert found["counts"] == {
        "snv": {"passed": 5, "filtered": 1},
        "insertion": {"passed": 1, "filtered": 0},
        "deletion": {"passed": 1, "filtered": 0},
        "mnv": {"passed": 0, "filtered": 0},
    }
    assert found["filters"] == {"germline": 1, "weak_evidence": 1}
    assert {name: n for name, n in found["contexts"].items() if n} == {"A[C>T]G": 2, "T[T>G]G": 1}
    assert found["without_context"] == 2
    assert (found["transitions"], found["transversions"]) == (3, 2)
    assert found["fractions"][0] == 1 and found["fractions"][6] == 4 and found["fractions"][19] == 2
    assert sum(found["fractions"]) == 7
    assert found["burden"] == {"variants": 6, "bases": 2_000_000, "depth": 20, "per_megabase": 3.0}


def test_only_what_lies_in_the_evaluated_regions_is_burden():
    evaluated = sc.Evaluated([("chr1", 4, 6, 2), ("chr1", 0, 2, 2), ("chr2", 0, 6, 6)], 20)
    inside = [pos for pos in range(1, 9) if evaluated.holds(call(pos))]
    assert inside == [1, 2, 5, 6]
    assert not evaluated.holds(call(1, chrom="chr3"))
    assert evaluated.bases == 10


def test_covered_bases_are_those_of_mosdepth_s_column():
    text = "#chrom\tstart\tend\tregion\t10X\t20X\nchr1\t0\t13\tunknown\t12\t7\nchrM\t0\t90\tunknown\t90\t90\n"
    assert sc.read_thresholds(text, ["chr1"], 20).bases == 7
    assert sc.read_thresholds(text, ["chr1"], 10).bases == 12
    with pytest.raises(ValueError, match="30X"):
        sc.read_thresholds(text, ["chr1"], 30)


def test_a_tumour_without_covered_bases_has_no_burden_and_says_why():
    found = sc.count([], sc.Evaluated([("chr1", 0, 13, 0)], 20), bases)
    assert found["burden"]["per_megabase"] is None

    values = metrics.read_somatic(json.dumps(found))
    assert values["tumour_mutational_burden"].value is None
    assert "covered by 20 reads" in values["tumour_mutational_burden"].reason
    assert (values["somatic_snvs"].value, values["somatic_indels"].value) == (0, 0)


def test_the_table_has_a_row_for_each_context_also_where_none_was_found():
    text = sc.table(dict.fromkeys(sc.CONTEXTS, 0) | {"A[C>A]C": 3})
    assert text.splitlines()[:3] == ["context\tcount", "A[C>A]A\t0", "A[C>A]C\t3"]
    assert text.count("\n") == 97


def test_what_tumours_share_and_what_is_only_filtered_in_one():
    found = sc.compare(
        {
            "RELAPSE": [call(2), call(5, "T", "G"), call(7, "CA", "C"), call(8, "A", "C", ("germline",))],
            "FIRST": [call(2), call(5, "T", "G", ("weak_evidence",)), call(8, "A", "C")],
        }
    )
    assert found["tumours"] == ["FIRST", "RELAPSE"]
    assert found["sets"] == [
        {"tumours": ["FIRST", "RELAPSE"], "variants": 1, "snvs": 1},
        {"tumours": ["FIRST"], "variants": 1, "snvs": 1},
        {"tumours": ["RELAPSE"], "variants": 2, "snvs": 1},
    ]
    assert found["filtered"] == [
        {"passes": "FIRST", "filtered": "RELAPSE", "variants": 1},
        {"passes": "RELAPSE", "filtered": "FIRST", "variants": 1},
    ]


def test_calls_are_read_by_the_tumour_s_name_not_by_place(tmp_path):
    path = tmp_path / "x.vcf"
    path.write_text(
        "##fileformat=VCFv4.2\n##contig=<ID=chr1,length=13>\n"
        '##FILTER=<ID=germline,Description="">\n'
        '##FORMAT=<ID=AF,Number=A,Type=Float,Description="">\n##FORMAT=<ID=DP,Number=1,Type=Integer,Description="">\n'
        "#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\tFORMAT\tT\tN\n"
        "chr1\t2\t.\tC\tT\t.\tPASS\t.\tAF:DP\t0.25:80\t0.01:40\n"
        "chr1\t5\t.\tT\tG\t.\tgermline\t.\tAF:DP\t0.5:80\t0.5:40\n"
    )
    pysam.tabix_compress(str(path), f"{path}.gz")
    of_tumour, of_normal = (list(sc.read_calls(f"{path}.gz", name)) for name in ("T", "N"))
    assert [(c.pos, c.filters, c.fraction, c.depth) for c in of_tumour] == [
        (2, (), 0.25, 80),
        (5, ("germline",), 0.5, 80),
    ]
    assert [c.depth for c in of_normal] == [40, 40]
