"""What the report is told of a mitochondrion."""

import pytest

from ngc_wgs import mitochondrion


def test_the_ends_come_from_the_turned_contig_and_the_middle_from_the_straight_one():
    """Ten bases, turned by half: base 1 of the turned contig is base 6."""
    straight = [f"chrM\t{pos}\t{pos}\n" for pos in range(1, 11)]
    turned = [f"chrM_shifted\t{pos}\t{100 + (pos - 1 + 5) % 10 + 1}\n" for pos in range(1, 11)]
    found = mitochondrion.depths(straight + turned, "chrM", 10, 2)
    assert found == [101, 102, 3, 4, 5, 6, 7, 8, 109, 110]
    assert mitochondrion.depths(turned + straight, "chrM", 10, 2) == found


def variant(*filters):
    return {"filters": list(filters)}


def test_a_plot_has_no_more_points_than_asked_and_means_of_whole_bins():
    found = mitochondrion.summary("S", [2, 4] * 150, [])
    assert (found["step"], found["depths"], found["mean_depth"]) == (3, [2.7, 3.3] * 50, 3.0)
    assert mitochondrion.summary("S", [5] * 7, [])["depths"] == [5.0] * 7


@pytest.mark.parametrize(
    ("variants", "low", "contaminated"),
    [
        ([], 0, False),
        ([variant(), variant("low_heteroplasmy"), variant("low_heteroplasmy", "strand_bias")], 1, False),
        ([variant("low_heteroplasmy", "mt_many_low_hets")] * 4, 4, True),
    ],
)
def test_variants_of_low_fraction_alone_tell_of_a_second_haplotype(variants, low, contaminated):
    found = mitochondrion.summary("S", [1], variants)
    assert (found["low"], found["contaminated"]) == (low, contaminated)
