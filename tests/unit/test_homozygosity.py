"""What is counted of runs of homozygosity, and whose alleles a child has."""

import pytest

import ngc_profile
from ngc_wgs import homozygosity as hz

LIMITS = ngc_profile.load().data["homozygosity"]
ROH = "# RG\t[2]Sample\nRG\tS\tchr1\t1000001\t{end}\t{length}\t{markers}\t{quality}\nST\tS\tchr1\t5\t1\t30.0\n"


def row(length=2_000_000, markers=900, quality=60.0):
    return ROH.format(end=1_000_000 + length, length=length, markers=markers, quality=quality)


def test_a_run_counts_from_the_profile_s_limits_on():
    (run,) = hz.read_runs(row(), LIMITS)
    assert (run.contig, run.start, run.length, run.markers) == ("chr1", 1_000_000, 2_000_000, 900)
    assert hz.read_runs(row(length=LIMITS["minimum_length"] - 1), LIMITS) == []
    assert hz.read_runs(row(markers=LIMITS["minimum_markers"] - 1), LIMITS) == []
    assert hz.read_runs(row(quality=LIMITS["minimum_quality"] - 1), LIMITS) == []


def test_runs_are_summed_by_chromosome_and_over_the_autosomes():
    places = (("chr2", 0, 3_000_000), ("chr1", 0, 1_000_000), ("chr2", 4_000_000, 5_000_000))
    runs = [hz.Run(*place, 9, 50) for place in places]
    assert hz.summary(runs, {"chr1": 20_000_000, "chr2": 30_000_000}) == {
        "runs": 3, "total": 5_000_000, "longest": 3_000_000, "share": 0.1,
        "chromosomes": {"chr1": 1_000_000, "chr2": 4_000_000},
    }  # fmt: skip
    assert hz.summary([], {"chr1": 9})["longest"] == 0
    assert hz.summary([], {})["share"] is None


def test_only_sites_where_the_parents_must_give_two_alleles_count():
    sites = [
        ("chr1", (0, 1), (0, 0), (1, 1)),  # both
        ("chr1", (1, 1), (0, 0), (1, 1)),  # the mother's alone
        ("chr1", (0, 0), (0, 0), (1, 1)),  # the father's alone
        ("chr1", (1, 1), (0, 1), (1, 1)),  # a parent is heterozygous
        ("chr1", (1, 1), (1, 1), (1, 1)),  # the parents are alike
        ("chr1", (None, None), (0, 0), (1, 1)),
        ("chr1", (1,), (0, 0), (1, 1)),
        ("chr2", (1, 1), (1, 1), (0, 0)),
    ]
    assert hz.disomies(sites) == [hz.Disomy("chr1", 3, 1, 1), hz.Disomy("chr2", 1, 0, 1)]


@pytest.mark.parametrize(
    ("maternal", "paternal", "homozygous", "name"),
    [
        (0, 0, 0, None),
        (3, 2, 0, None),
        (98, 0, 0, "maternal uniparental disomy, heterodisomy or mixed"),
        (98, 0, 95, "maternal uniparental disomy, isodisomy"),
        (0, 30, 30, "segmental paternal uniparental disomy, isodisomy"),
    ],
)
def test_a_chromosome_is_named_by_parent_extent_and_kind(maternal, paternal, homozygous, name):
    assert hz.told(hz.Disomy("chr1", 100, maternal, paternal), homozygous, 100, LIMITS) == name


def test_few_sites_say_nothing():
    sites = LIMITS["disomy_sites"]
    assert hz.told(hz.Disomy("chr1", sites - 1, sites - 1, 0), 0, 100, LIMITS) is None
    assert hz.told(hz.Disomy("chr1", sites, sites, 0), 0, 100, LIMITS) is not None
