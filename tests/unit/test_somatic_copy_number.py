"""GATK's segments of a tumour become records with ratio, lesser fraction and loss; and tell of tumour cells."""

import polars as pl
import pytest

import ngc_profile
from ngc_wgs import somatic_copy_number as scn

LIMITS = ngc_profile.load().data["somatic_copy_number"]


def segment(ratio=1.0, minor=0.49, call="0", *, contig="chr1", start=1000, end=9000, bins=100, sites=40, width=0.01):
    bounds = None if minor is None else (minor - width, minor, min(minor + width, 0.5))
    return scn.Segment(contig, start, end, bins, sites, (ratio - width, ratio, ratio + width), bounds, call)


def states(purity):
    """Ratio, lesser fraction and call of one copy lost, one haplotype twice, and one copy gained."""
    return {
        "loss": (1 - purity / 2, (1 - purity) / (2 - purity), "-"),
        "neutral": (1.0, (1 - purity) / 2, "0"),
        "gain": (1 + purity / 2, 1 / (2 + purity), "+"),
    }


def test_tables_of_gatk_are_joined_and_logarithms_undone():
    row = {"CONTIG": "chr1", "START": 1001, "END": 9000, "NUM_POINTS_COPY_RATIO": 16, "NUM_POINTS_ALLELE_FRACTION": 0}
    for name, values in (("LOG2_COPY_RATIO", (-1.0, 0.0, 1.0)), ("MINOR_ALLELE_FRACTION", (float("nan"),) * 3)):
        row |= {f"{name}_POSTERIOR_{part}": value for part, value in zip((10, 50, 90), values, strict=True)}
    called = pl.DataFrame([{"CONTIG": "chr1", "START": 1001, "CALL": "+"}])
    (found,) = scn.segments(pl.DataFrame([row]), called)
    assert found == scn.Segment("chr1", 1000, 9000, 16, 0, (0.5, 1.0, 2.0), None, "+")


@pytest.mark.parametrize("purity", [0.2, 0.5, 0.8])
def test_the_lesser_haplotype_is_lost_of_a_loss_and_where_one_is_there_twice_but_not_of_a_gain(purity):
    kinds = {
        name: scn.kind(segment(ratio, minor, call), LIMITS) for name, (ratio, minor, call) in states(purity).items()
    }
    assert kinds == {"loss": ("DEL", True), "neutral": ("CNV", True), "gain": ("DUP", False)}


def test_what_is_as_in_the_normal_has_no_record():
    assert scn.kind(segment(), LIMITS) == (None, False)
    assert scn.record(segment(), "A", 500, LIMITS) is None
    assert scn.kind(segment(minor=None), LIMITS) == (None, False)


def test_a_record_says_ratio_and_fraction_with_their_intervals():
    ratio, minor, call = states(0.5)["loss"]
    line = scn.record(segment(ratio, minor, call), "A", 500, LIMITS)
    assert line == (
        "chr1\t1000\t.\tA\t<DEL>\t.\tPASS\tIMPRECISE;SVTYPE=DEL;END=9000;SVLEN=-8000;CIPOS=-500,500;CIEND=-500,500;LOH\t"
        "CR:CRCI:MAF:MAFCI:BINS:SITES\t0.750:0.740,0.760:0.333:0.323,0.343:100:40\n"
    )
    without = scn.record(segment(1.3, None, "+", sites=0, start=0), "A", 500, LIMITS)
    assert without.startswith("chr1\t1\t") and without.endswith("\t1.300:1.290,1.310:.:.:100:0\n")
    assert ";SVLEN" not in scn.record(segment(*states(0.5)["neutral"]), "A", 500, LIMITS)


@pytest.mark.parametrize(
    ("given", "filters"),
    [
        (segment(0.75, 0.333, "-"), []),
        (segment(0.75, 0.333, "-", bins=3), ["few_bins"]),
        (segment(0.96, 0.4, "-", width=0.05), ["near_neutral"]),
        (segment(1.0, 0.25, sites=9), ["few_sites"]),
        (segment(1.0, 0.25, sites=10), []),
    ],
)
def test_filters(given, filters):
    assert scn.filters(given, scn.kind(given, LIMITS)[0], LIMITS) == filters


@pytest.mark.parametrize("purity", [0.2, 0.5, 0.8])
def test_the_share_of_tumour_cells_follows_from_what_they_lost(purity):
    made = [segment(bins=900), *(segment(*state) for state in states(purity).values())]
    told = scn.purity(made, LIMITS)
    assert told["share"] == pytest.approx(purity, abs=0.005) and told["low"] < purity < told["high"]


def test_a_loss_in_some_of_the_tumour_cells_does_not_lower_the_share():
    told = scn.purity([segment(bins=900), segment(*states(0.8)["loss"]), segment(*states(0.3)["loss"])], LIMITS)
    assert told["share"] == pytest.approx(0.8, abs=0.005)


def test_the_interval_has_the_error_of_the_baseline():
    """Segments of narrow intervals; where nothing is lost the product is 5 % off, and so it may be where one is."""
    lost = segment(*states(0.7)["neutral"], width=0.001)
    even = [segment(ratio=ratio, minor=0.5, width=0.001, bins=450) for ratio in (0.95, 1.05)]
    wide, narrow = (
        scn.purity([*others, lost], LIMITS) for others in (even, [segment(minor=0.5, width=0.001, bins=900)])
    )
    assert wide["share"] == narrow["share"] == pytest.approx(0.7, abs=0.001)
    assert narrow["high"] - narrow["low"] < 0.01
    off = 1.2816 * 0.05 * 0.3
    assert (0.7 - wide["low"], wide["high"] - 0.7) == (pytest.approx(off, abs=0.002), pytest.approx(off, abs=0.002))


@pytest.mark.parametrize(
    ("made", "reason"),
    [
        ([segment(), segment(*states(0.5)["gain"])], "no haplotype is lost"),
        ([segment(bins=900), segment(*states(0.5)["loss"], sites=9)], "no haplotype is lost"),
        ([segment(minor=None)], "less than half"),
        ([segment(bins=100), segment(*states(0.5)["neutral"], bins=900)], "less than half"),
    ],
)
def test_the_share_is_not_told_where_nothing_shows_it(made, reason):
    told = scn.purity(made, LIMITS)
    assert told["share"] is None and reason in told["reason"]


def test_the_document_has_every_segment():
    made = [segment(), segment(*states(0.5)["neutral"], contig="chr2")]
    rows = scn.document(made, 500, True, LIMITS)["segments"]
    assert [(row["contig"], row["type"], row["loh"]) for row in rows] == [("chr1", None, False), ("chr2", "CNV", True)]
