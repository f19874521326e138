"""Bins, copies of stretches and chromosomes, aneuploidies and VCF lines, on depths made up here."""

import dataclasses
import math

import numpy as np
import polars as pl
import pytest

import ngc_profile
from ngc_wgs import copy_number as cn

CONTIGS = {"chr1": 120_000, "chr2": 100_000, "chrX": 80_000, "chrY": 60_000}
ROLES = {"chr1": "autosome", "chr2": "autosome", "chrX": "X", "chrY": "Y"}
PAR = [("chrX", 0, 10_500), ("chrY", 0, 10_500)]
BIN = 1000


@pytest.fixture(scope="module")
def profile():
    shipped = ngc_profile.load()
    contigs = [{"name": n, "length": size, "md5": None, "role": ROLES[n]} for n, size in CONTIGS.items()]
    reference = {
        **shipped.reference,
        "contigs": contigs,
        "par": [dict(zip(("contig", "start", "end"), p, strict=True)) for p in PAR],
    }
    return dataclasses.replace(shipped, data={**shipped.data, "reference": reference})


@pytest.fixture
def limits(profile):
    return profile.data["copy_number"]


def depths(profile, sex, changes=(), x=None, y=None, depth=30, noise=0.05, seed=1):
    """Depths of a person; changes: (contig, first bin, last bin, copies)."""
    copies = {"X": profile.ploidy(sex)["X"] if x is None else x, "Y": profile.ploidy(sex)["Y"] if y is None else y}
    bins = cn.bins([(name, 0, size) for name, size in CONTIGS.items()], profile, BIN)
    contig, start, end = (np.array(column) for column in zip(*bins, strict=True))
    pseudo = (contig == "chrX") & (start < PAR[0][2])
    there = np.where(contig == "chrX", copies["X"], np.where(contig == "chrY", copies["Y"], 2.0))
    there[pseudo] = copies["X"] + copies["Y"]
    for name, first, last, number in changes:
        there[np.flatnonzero(contig == name)[first:last]] = number
    draw = np.random.default_rng(seed).normal(1, noise, len(bins))
    found = cn.Depths(
        contig.astype(object), start, end, depth / 2 * there * draw, np.full(len(bins), True), np.full(len(bins), 2),
        np.char.startswith(contig.astype(str), "chr1") | np.char.startswith(contig.astype(str), "chr2"),
    )  # fmt: skip
    wanted = profile.ploidy(sex)
    found.expected[contig == "chrX"], found.expected[contig == "chrY"] = wanted["X"], wanted["Y"]
    found.expected[pseudo] = wanted["X"] + wanted["Y"]
    return found


def judged(profile, found, cuts=()):
    """Calls, chromosomes and aneuploidies, with the segments that GATK would give: cuts at (contig, bin)."""
    limits = profile.data["copy_number"]
    factor = np.where(found.expected, 2 / np.where(found.expected, found.expected, 2), 1)
    with np.errstate(divide="ignore"):
        logs = np.log2(np.maximum(found.depth * factor / 30, 1e-9))
    denoised = pl.DataFrame({"CONTIG": found.contig.tolist(), "START": found.start + 1, "LOG2_COPY_RATIO": logs})
    rows = [(name, int(found.start[found.contig == name][at]) + 1) for name, at in cuts]
    rows += [(name, int(found.start[found.contig == name][0]) + 1) for name in CONTIGS]
    segments = pl.DataFrame(sorted(rows), schema={"CONTIG": pl.String, "START": pl.Int64}, orient="row")
    ratio = cn.copy_ratios(found, denoised)
    stretches = cn.stretches(found, ratio, segments, limits["gap"])
    whole = cn.chromosomes(found, ratio, stretches, profile)
    aneuploid = cn.aneuploidies(whole, profile, limits)
    return cn.named(stretches, whole, aneuploid), whole, aneuploid


def test_bins_are_whole_and_cross_no_pseudoautosomal_end(profile):
    bins = cn.bins([("chr1", 0, 700), ("chr1", 700, 2_500), ("chrX", 9_000, 13_000), ("chrY", 0, 13_000)], profile, BIN)
    assert bins == [
        ("chr1", 0, 1000), ("chr1", 1000, 2000),
        ("chrX", 9_000, 10_000), ("chrX", 10_500, 11_500), ("chrX", 11_500, 12_500),
        ("chrY", 10_500, 11_500), ("chrY", 11_500, 12_500),
    ]  # fmt: skip
    assert cn.bins([("chr1", 0, 700)], profile, BIN) == []


def test_a_man_s_x_and_y_are_counted_as_two_copies_so_that_nothing_changes_there(profile):
    found = depths(profile, "male", noise=0)
    assert set(cn.counts(found).tolist()) == {30 * BIN // cn.SCALE}
    assert set(found.expected[(found.contig == "chrX") & (found.start < 10_000)].tolist()) == {2}
    assert judged(profile, found)[0] == []


@pytest.mark.parametrize(
    ("copies", "kind", "genotype"), [(1, "DEL", "0/1"), (0, "DEL", "1/1"), (3, "DUP", "0/1"), (4, "DUP", "./1")]
)
def test_a_change_on_an_autosome_has_its_copies_and_genotype(copies, kind, genotype, profile, limits):
    found = depths(profile, "female", [("chr1", 40, 45, copies)])
    ((call,), _, aneuploid) = judged(profile, found, [("chr1", 40), ("chr1", 45)])
    assert (call.start, call.end, call.bins, call.copies, call.kind) == (40_000, 45_000, 5, copies, kind)
    assert call.low <= call.ratio <= call.high and aneuploid == {}
    assert cn.filters(call, limits) == []
    assert cn.genotype(call, profile.copies(call.contig, call.start + 1, "female")) == genotype


def test_what_is_lost_or_gained_on_a_man_s_x_is_told_against_one_copy(profile):
    found = depths(profile, "male", [("chrX", 30, 36, 0), ("chrX", 50, 58, 2), ("chrX", 2, 8, 3)])
    cuts = [("chrX", at) for at in (30, 36, 50, 58, 2, 8)]
    calls, _, _ = judged(profile, found, cuts)
    told = [
        (c.kind, c.copies, c.expected, cn.genotype(c, profile.copies(c.contig, c.start + 1, "male"))) for c in calls
    ]
    assert told == [("DUP", 3, 2, "0/1"), ("DEL", 0, 1, "1"), ("DUP", 2, 1, "1")]


def test_segments_of_one_copy_number_are_joined_unless_a_gap_is_between(profile):
    found = depths(profile, "female", [("chr1", 20, 40, 1)])
    cuts = [("chr1", 20), ("chr1", 27), ("chr1", 33), ("chr1", 40)]
    assert [(c.start, c.end) for c in judged(profile, found, cuts)[0]] == [(20_000, 40_000)]
    found.start[found.contig == "chr1"] += np.where(np.arange(120) >= 30, 200_000, 0)
    found.end[found.contig == "chr1"] += np.where(np.arange(120) >= 30, 200_000, 0)
    assert [(c.start, c.end) for c in judged(profile, found, cuts)[0]] == [(20_000, 30_000), (230_000, 240_000)]


def test_short_and_uncertain_calls_are_filtered(profile, limits):
    found = depths(profile, "female", [("chr1", 40, 43, 1)])
    ((call,), _, _) = judged(profile, found, [("chr1", 40), ("chr1", 43)])
    assert cn.filters(call, limits) == ["few_bins"]
    call = dataclasses.replace(call, bins=6, ratio=0.7, low=0.64, high=0.76)
    assert cn.filters(call, limits) == ["near_expected"]


@pytest.mark.parametrize(
    ("sex", "x", "y", "changes", "name"),
    [
        ("female", 2, 0, [("chr2", 0, 100, 3)], "trisomy chr2"),
        ("female", 2, 0, [("chr2", 0, 100, 1)], "monosomy chr2"),
        ("female", 1, 0, [], "monosomy X (X0)"),
        ("female", 3, 0, [], "trisomy X (XXX)"),
        ("male", 2, 1, [], "XXY"),
        ("male", 1, 2, [], "XYY"),
    ],
)
def test_an_aneuploidy_is_named_and_its_calls_with_it(sex, x, y, changes, name, profile):
    calls, whole, aneuploid = judged(profile, depths(profile, sex, changes, x, y))
    assert list(aneuploid.values()) == [name]
    assert {call.part_of for call in calls} == {name}
    assert {item.contig for item in whole} == set(CONTIGS)


@pytest.mark.parametrize(("sex", "x", "y"), [("female", 2, 0), ("male", 1, 1), ("unknown", 1, 1), ("other", 2, 0)])
def test_an_ordinary_karyotype_is_no_finding(sex, x, y, profile):
    found = depths(profile, sex, x=x, y=y)
    if sex in ("unknown", "other"):
        assert cn.expected_copies(found, profile, sex) == {"X": x, "Y": y}
        found.expected[found.contig == "chrX"], found.expected[found.contig == "chrY"] = x, y
        found.expected[(found.contig == "chrX") & (found.start < 10_500)] = 2
    calls, _, aneuploid = judged(profile, found)
    assert (calls, aneuploid) == ([], {})


def test_most_of_a_chromosome_is_not_the_whole(profile):
    found = depths(profile, "female", [("chr2", 0, 70, 3)])
    calls, _, aneuploid = judged(profile, found, [("chr2", 70)])
    assert aneuploid == {} and [call.part_of for call in calls] == [""]


def test_too_few_or_too_noisy_bins_are_a_reason_not_to_call(profile, limits):
    assert cn.too_little(depths(profile, "female"), limits) is None
    assert "varies by" in cn.too_little(depths(profile, "female", noise=0.5), limits)
    assert cn.too_little(depths(profile, "female", depth=0), limits) == "no depth on the autosomes"
    few = depths(profile, "female")
    few.mappable[:180] = False
    assert cn.too_little(few, limits) == "40 usable bins on autosomes, fewer than 50"


def test_bins_whose_reads_could_lie_elsewhere_are_not_used_but_empty_ones_are(profile, tmp_path):
    rows = [("chr1", at * BIN, 30.0, 30.0) for at in range(10)]
    rows += [("chr1", 10_000, 30.0, 20.0), ("chr1", 11_000, 0.1, 0.0)]
    for place, name in ((2, "all"), (3, "unique")):
        text = "".join(f"{row[0]}\t{row[1]}\t{row[1] + BIN}\t{row[place]}\n" for row in rows)
        (tmp_path / name).write_text(text)
    found = cn.read_depths(str(tmp_path / "all"), str(tmp_path / "unique"), profile, "female")
    assert found.mappable.tolist() == [True] * 10 + [False, True]
    (tmp_path / "all").write_text("")
    with pytest.raises(ValueError, match="other bins"):
        cn.read_depths(str(tmp_path / "all"), str(tmp_path / "unique"), profile, "female")
    (tmp_path / "unique").write_text("")
    empty = cn.read_depths(str(tmp_path / "all"), str(tmp_path / "unique"), profile, "female")
    assert cn.too_little(empty, profile.data["copy_number"]).startswith("0 usable bins")


def test_a_record_says_where_how_long_and_how_sure(limits):
    call = cn.Call("chr1", 40_000, 45_000, 5, 2, 0.5, 0.45, 0.55, "monosomy chr1")
    assert cn.record(call, "A", 2, BIN, limits).rstrip().split("\t") == [
        "chr1", "40000", ".", "A", "<DEL>", ".", "PASS",
        "IMPRECISE;SVTYPE=DEL;END=45000;SVLEN=-5000;CIPOS=-1000,1000;CIEND=-1000,1000;ANEUPLOIDY=monosomy_chr1",
        "GT:CN:ECN:CR:CRCI:BINS", "0/1:1:2:0.500:0.450,0.550:5",
    ]  # fmt: skip
    first = dataclasses.replace(call, start=0, end=5_000)
    assert cn.record(first, "A", 2, BIN, limits).split("\t")[1] == "1"
    assert "END=5000;SVLEN=-4999" in cn.record(first, "A", 2, BIN, limits)


def test_the_profile_for_the_plot_is_bounded_and_keeps_every_contig(profile):
    found = depths(profile, "female")
    ratio = found.depth / 30
    made = cn.points(found, ratio, most=40)
    assert made.keys() == set(CONTIGS)
    assert sum(map(len, made.values())) <= 40
    assert made["chr1"][0][1] == pytest.approx(2, abs=0.2)


def test_noise_is_that_of_neighbours_and_not_of_changes():
    draw = np.random.default_rng(3)
    ratio = np.concatenate([draw.normal(1, 0.1, 500), draw.normal(0.5, 0.1, 500)])
    assert cn.noise(ratio, np.array(["chr1"] * 1000)) == pytest.approx(0.1, rel=0.15)
    assert cn.noise(np.array([1.0]), np.array(["chr1"])) == math.inf
