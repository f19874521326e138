"""Intervals: N runs, scatter, ploidy."""

from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ngc_wgs import regions


@pytest.fixture
def fasta(tmp_path):
    path = tmp_path / "ref.fa"
    path.write_text(">one\n" + "N" * 150 + "ACGT" * 100 + "N" * 5 + "acgt" * 50 + "N" * 120 + "\n>two\nACGTN\n")
    return str(path)


def test_every_n_is_left_out_where_coverage_is_judged(fasta):
    assert regions.without_n(fasta, ["one", "two"]) == [("one", 150, 550), ("one", 555, 755), ("two", 0, 4)]


def test_short_runs_of_n_stay_inside_a_calling_interval(fasta):
    assert regions.without_n(fasta, ["one"], shortest=100) == [("one", 150, 755)]


def test_scatter_cuts_at_a_gap_that_is_near_and_else_at_the_ideal_base():
    near = [("a", 0, 510), ("a", 800, 1290)]
    assert regions.scatter(near, 2) == [[("a", 0, 510)], [("a", 800, 1290)]]
    far = [("a", 0, 700), ("a", 800, 1100)]
    assert regions.scatter(far, 2) == [[("a", 0, 500)], [("a", 500, 700), ("a", 800, 1100)]]


def test_scatter_refuses_more_parts_than_bases():
    with pytest.raises(ValueError, match="lower calling/scatter"):
        regions.scatter([("a", 0, 3)], 4)


INTERVALS = st.lists(st.tuples(st.integers(1, 400), st.integers(1, 300)), min_size=1, max_size=12).map(
    lambda steps: [
        ("a", sum(g + n for g, n in steps[:i]) + gap, sum(g + n for g, n in steps[: i + 1]))
        for i, (gap, _) in enumerate(steps)
    ]
)


@given(INTERVALS, st.integers(1, 30))
def test_scatter_keeps_every_base_once_in_order_and_no_part_empty(intervals, parts):
    if regions.size(intervals) < parts:
        return
    cut = regions.scatter(intervals, parts)
    assert len(cut) == parts
    assert all(regions.size(part) for part in cut)
    bases = [(contig, base) for part in cut for contig, start, end in part for base in range(start, end)]
    assert bases == [(contig, base) for contig, start, end in intervals for base in range(start, end)]


@given(INTERVALS, INTERVALS)
def test_intersection_and_difference_part_the_left_side(left, right):
    def bases(intervals):
        return {base for _, start, end in intervals for base in range(start, end)}

    both, only = bases(regions.intersect(left, right)), bases(regions.subtract(left, right))
    assert both == bases(left) & bases(right)
    assert only == bases(left) - bases(right)


def test_each_part_has_one_ploidy_and_diploid_parts_come_first():
    parts = regions.scatter_by_ploidy([("1", 0, 600), ("X", 0, 400)], [("X", 100, 400)], 4)
    assert [ploidy for ploidy, _ in parts] == [2, 2, 2, 1]
    assert parts[-1][1] == [("X", 100, 400)]
    assert regions.size([interval for _, part in parts for interval in part]) == 1000


def test_two_ploidies_need_two_parts():
    with pytest.raises(ValueError, match="calling/scatter to 2"):
        regions.scatter_by_ploidy([("1", 0, 600), ("X", 0, 400)], [("X", 100, 400)], 1)


PROFILE = SimpleNamespace(
    ploidy=lambda sex: {"female": {"X": 2, "Y": 0}, "male": {"X": 1, "Y": 1}}[sex],
    par=lambda contig: {"X": [(900, 1000), (10, 20)], "Y": [(0, 5)]}[contig],
    contigs=lambda *roles: [
        contig
        for contig in (
            {"name": "1", "length": 50, "role": "autosome"},
            {"name": "X", "length": 1000, "role": "X"},
            {"name": "Y", "length": 30, "role": "Y"},
            {"name": "M", "length": 9, "role": "M"},
        )
        if contig["role"] in roles
    ],
)


def test_males_have_one_copy_of_x_and_y_outside_the_pars():
    assert regions.haploid(PROFILE, "male") == [("X", 0, 10), ("X", 20, 900), ("Y", 5, 30)]
    assert regions.haploid(PROFILE, "female") == []


def test_females_have_no_y_and_nobody_is_called_on_m():
    assert regions.present(PROFILE, "female") == ["1", "X"]
    assert regions.present(PROFILE, "male") == ["1", "X", "Y"]


@pytest.mark.parametrize("line", ["chr1\t5", "chr1 5 10", "chr1\tx\t10", "chr1\t10\t10", "chr1\t-1\t10"])
def test_refuses_a_line_that_is_not_bed_with_its_number(tmp_path, line):
    path = tmp_path / "regions.bed"
    path.write_text(f"# comment\nchr1\t0\t5\n{line}\n")
    with pytest.raises(ValueError, match="line 3"):
        regions.read_bed(str(path))


def test_interval_lists_count_from_one_and_bed_from_zero(tmp_path):
    regions.write_bed(str(tmp_path / "a.bed"), [("chr1", 0, 5)], "1")
    assert (tmp_path / "a.bed").read_text() == "chr1\t0\t5\t1\n"
    assert regions.read_bed(str(tmp_path / "a.bed")) == [("chr1", 0, 5)]
    regions.write_interval_list(str(tmp_path / "a.list"), "@HD\tVN:1.6\n", [("chr1", 0, 5)])
    assert (tmp_path / "a.list").read_text() == "@HD\tVN:1.6\nchr1\t1\t5\t+\t.\n"


@pytest.mark.parametrize(
    ("bed", "said"),
    [
        ("# comment\nchr1\t0\t100\tname\n", None),
        ("chr1\t1\n", "line 1: not BED"),
        ("1\t10\t20\n", "the reference has no contig 1"),
        ("chr1\t10\t101\n", "chr1:101 lies beyond the contig's end, 100"),
    ],
)
def test_a_bed_of_the_configuration_must_be_of_the_reference(tmp_path, bed, said):
    (tmp_path / "x.bed").write_text(bed)
    (tmp_path / "x.fai").write_text("chr1\t100\t6\t60\t61\n")
    faults = regions.bed_faults(str(tmp_path / "x.bed"), str(tmp_path / "x.fai"))
    assert faults == [] if said is None else said in faults[0] and "Mend:" in faults[0]
