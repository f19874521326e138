"""Metrics: what is read from each tool's report, and how the profile's gates judge it."""

import dataclasses
import gzip
import json

import jsonschema
import numpy as np
import pytest
from submission_fixture import VALUES, reference_section

import ngc_profile
from ngc_wgs import metrics, regions
from ngc_wgs.metrics import BadReport, Measured
from ngc_wgs.verdict import GATE_SAYS

PROFILE = ngc_profile.load()
REFERENCE = PROFILE.data["reference"]
WITHOUT_M = dataclasses.replace(
    PROFILE,
    data={
        **PROFILE.data,
        "reference": {**REFERENCE, "contigs": [contig for contig in REFERENCE["contigs"] if contig["role"] != "M"]},
    },
)
LIMITS = PROFILE.data["metrics"]["sex_concordance"]["parameters"]

SUMMARY = """chrom\tlength\tbases\tmean\tmin\tmax
chr1\t1000\t30000\t30.00\t0\t60
chr1_region\t800\t30000\t37.50\t0\t60
chrX\t500\t{x}\t30.00\t0\t60
chrX_region\t400\t{x}\t37.50\t0\t60
{y}total\t1500\t45000\t30.00\t0\t60
total_region\t1200\t45000\t37.50\t0\t60
"""
Y_ROWS = "chrY\t300\t4000\t30.00\t0\t60\nchrY_region\t200\t4000\t20.00\t0\t60\n"
THRESHOLDS = "#chrom\tstart\tend\tregion\t10X\t20X\nchr1\t0\t800\tunknown\t790\t700\nchrX\t0\t400\tunknown\t400\t380\n"
LENGTHS = {"chr1": 800, "chrX": 400, "chrY": 200}


def values(found):
    return {name: measured.value for name, measured in found.items()}


# ---- reports of the tools --------------------------------------------------------------------


def test_raw_reads_are_summed_over_units():
    units = [{"bases": 1000, "q30_bases": 900, "pairs": 5}, {"bases": 600, "q30_bases": 500, "pairs": 5}]
    found = metrics.read_intake(*map(json.dumps, units))
    assert values(found) == {"yield_bp_q30": 1400, "pct_q30": 87.5, "mean_read_length": 80.0}
    assert [measured.denominator for measured in found.values()] == [1600, 1600, 20]


STATS = (
    "SN\traw total sequences:\t200\nSN\treads mapped:\t190\n"
    "SN\treads paired:\t200\nSN\treads properly paired:\t180\n"
    "IS\t100\t9\t1\t8\t0\nIS\t300\t5\t5\t0\t0\nIS\t400\t4\t4\t0\t0\n# GC-depth.\n"
)


def test_samtools_stats_give_shares_and_the_median_of_inward_pairs():
    found = metrics.read_samtools_stats(STATS)
    assert values(found) == {"pct_reads_mapped": 95.0, "pct_reads_improper_pairs": 10.0, "median_insert_size": 300}
    assert [measured.denominator for measured in found.values()] == [200, 200, 10]


def test_without_inward_pairs_there_is_no_insert_size_and_it_says_why():
    found = metrics.read_samtools_stats("".join(line for line in STATS.splitlines(True) if line[:2] != "IS"))
    assert found["median_insert_size"] == Measured(None, 0, reason="no inward-facing pairs")


def test_duplicates_are_a_share_of_examined_reads():
    report = json.dumps({"EXAMINED": 400, "DUPLICATE PRIMARY TOTAL": 10})
    assert metrics.read_markdup(report) == {"pct_duplicate_reads": Measured(2.5, 400)}


def test_a_share_of_nothing_is_not_measured():
    report = json.dumps({"EXAMINED": 0, "DUPLICATE PRIMARY TOTAL": 0})
    assert metrics.read_markdup(report) == {"pct_duplicate_reads": Measured(None, 0, reason="no mapped reads")}


def test_a_contig_without_reads_counts_as_uncovered_though_mosdepth_leaves_it_out():
    thresholds = THRESHOLDS + "chrY\t0\t200\tunknown\t0\t0\n"
    found = metrics.read_mosdepth(SUMMARY.format(x=15000, y=""), thresholds, LENGTHS)
    shares = {"mean_coverage": round(45000 / 1400, 4), "pct_10x": 0.85, "pct_20x": round(1080 / 1400, 6)}
    assert values(found) == shares
    assert {measured.denominator for measured in found.values()} == {1400}


def test_only_contigs_of_the_sex_count():
    found = metrics.read_mosdepth(SUMMARY.format(x=15000, y=Y_ROWS), THRESHOLDS, {"chr1": 800, "chrX": 400})
    assert found["mean_coverage"].value == 37.5


def test_the_mitochondrion_has_its_depth_and_none_without_reads():
    row = "chrM\t16569\t2000000\t120.71\t0\t300\n"
    for text, depth in ((row, 120.71), ("", 0.0)):
        found = metrics.read_mitochondrion(SUMMARY.format(x=15000, y=text), PROFILE)
        assert found == {"mean_mt_coverage": Measured(depth, 16569)}


def test_a_reference_without_mitochondrion_has_no_depth_of_it_and_says_why():
    found = metrics.read_mitochondrion(SUMMARY.format(x=15000, y=""), WITHOUT_M)["mean_mt_coverage"]
    assert found == Measured(None, reason="the reference has no mitochondrial contig")


WGS = "## METRICS CLASS\nGENOME_TERRITORY\tMEAN_COVERAGE\tMAD_COVERAGE\tPCT_15X\n{territory}\t{mean}\t4\t0.987654\n"


def test_wgs_metrics_are_read_by_column_name():
    found = metrics.read_wgs_metrics(WGS.format(territory=1000, mean=31.5))
    assert values(found) == {
        "mean_autosome_coverage": 31.5,
        "mad_autosome_coverage": 4.0,
        "pct_autosomes_15x": 98.7654,
    }


@pytest.mark.parametrize(("territory", "mean"), [(0, 0), (1000, "NaN"), (1000, "?")])
def test_wgs_metrics_of_nothing_are_not_measured_or_refused(territory, mean):
    text = WGS.format(territory=territory, mean=mean)
    if mean == "?":
        with pytest.raises(ValueError):
            metrics.read_wgs_metrics(text)
    else:
        assert set(values(metrics.read_wgs_metrics(text)).values()) == {None}


CALLS = """# SN\t[2]id\t[3]key\t[4]value
SN\t0\tnumber of SNPs:\t30
# TSTV\t[2]id\t[3]ts\t[4]tv\t[5]ts/tv
TSTV\t0\t20\t{tv}\t2.00
# IDD\t[2]id\t[3]length (deletions negative)\t[4]number of sites\t[5]number of genotypes\t[6]mean VAF
IDD\t0\t-2\t3\t0\t.
IDD\t0\t1\t6\t0\t.
# PSC\t[2]id\t[3]sample\t[4]nRefHom\t[5]nNonRefHom\t[6]nHets
PSC\t0\tS\t0\t10\t20
# PSI\t[2]id\t[3]sample\t[4]in-frame\t[8]nInsHets\t[9]nDelHets\t[10]nInsAltHoms\t[11]nDelAltHoms
PSI\t0\tS\t0\t4\t2\t2\t1
"""


def test_counts_and_ratios_of_calls_cover_snvs_and_indels():
    assert values(metrics.read_bcftools_stats(CALLS.format(tv=10))) == {
        "count_snvs": 30,
        "count_insertions": 6,
        "count_deletions": 3,
        "ratio_heterozygous_homozygous": 2.0,
        "ratio_insertion_deletion": 2.0,
        "ratio_transitions_transversions": 2.0,
    }


def test_a_ratio_to_nothing_is_not_measured_and_says_why():
    found = metrics.read_bcftools_stats(CALLS.format(tv=0))["ratio_transitions_transversions"]
    assert found == Measured(None, 0, reason="no transversion")


def test_structural_variants_are_counted_over_types_and_sizes():
    counts = {"DEL": {"50-299 bp": 3, "1-9 kb": 2}, "BND": {"two contigs": 1}}
    found = metrics.read_structural(json.dumps({"counts": counts, "not_called": None}))
    assert found == {"count_structural_variants": Measured(6)}


def test_structural_variants_that_were_not_called_are_not_measured():
    (found,) = metrics.read_structural(json.dumps({"counts": None, "not_called": "too few read pairs"})).values()
    assert (found.value, found.reason) == (None, "not called: too few read pairs")


REPORTS = {
    metrics.read_intake: ([json.dumps({"bases": 1000, "q30_bases": 900, "pairs": 5})], ()),
    metrics.read_samtools_stats: ([STATS], ()),
    metrics.read_markdup: ([json.dumps({"DUPLICATE PRIMARY TOTAL": 10, "EXAMINED": 400})], ()),
    metrics.read_mosdepth: ([SUMMARY.format(x=15000, y=""), THRESHOLDS], ({"chr1": 800, "chrX": 400},)),
    metrics.read_structural: ([json.dumps({"counts": {"DEL": {"50-299 bp": 1}}, "not_called": None})], ()),
    metrics.read_mitochondrion: ([SUMMARY.format(x=15000, y="")], (PROFILE,)),
    metrics.read_wgs_metrics: ([WGS.format(territory=1000, mean=31.5)], ()),
    metrics.read_bcftools_stats: ([CALLS.format(tv=10)], ()),
    metrics.read_identity: ([json.dumps({"samples": {"S": {"identity_concordance": {"value": 1.0}}}})], ("S",)),
    metrics.read_measured: ([json.dumps({"cross_contamination_rate": {"value": 0.01, "error": 0.002}})], ()),
}


@pytest.mark.parametrize("reader", REPORTS, ids=lambda reader: reader.__name__)
@pytest.mark.parametrize("spoil", ["whole", "empty", "cut", "other", "gone"])
def test_a_report_that_is_empty_cut_off_of_another_tool_or_gone_is_refused_by_name(reader, spoil, tmp_path):
    texts, also = REPORTS[reader]
    for number, text in enumerate(texts):
        spoiled = {"empty": "", "cut": text[: len(text) // 2], "other": "<html></html>\n"}.get(spoil, text)
        if spoil != "gone":
            (tmp_path / f"{number}.txt").write_text(spoiled)
    paths = [str(tmp_path / f"{number}.txt") for number in range(len(texts))]
    if spoil == "whole":
        assert metrics.read(reader, *paths, also=also)
        return
    with pytest.raises(BadReport, match=r"0\.txt.*Mend: delete it and start the same command again") as refused:
        metrics.read(reader, *paths, also=also)
    assert "cut off" in str(refused.value)


def test_a_cut_off_gzip_report_is_refused(tmp_path):
    summary, thresholds = tmp_path / "summary.txt", tmp_path / "thresholds.bed.gz"
    summary.write_text(SUMMARY.format(x=15000, y=""))
    thresholds.write_bytes(gzip.compress(THRESHOLDS.encode())[:-12])
    with pytest.raises(BadReport):
        metrics.read(metrics.read_mosdepth, str(summary), str(thresholds), also=({"chr1": 800, "chrX": 400},))


def test_thresholds_that_end_after_a_whole_line_are_refused_too():
    with pytest.raises(ValueError, match="not of all regions"):
        metrics.read_mosdepth(
            SUMMARY.format(x=15000, y=""), THRESHOLDS.rsplit("chrX", 1)[0], {"chr1": 800, "chrX": 400}
        )


def test_an_identity_without_value_must_say_why():
    with pytest.raises(ValueError, match="without reason"):
        metrics.read_measured(json.dumps({"cross_contamination_rate": {"value": None}}))


# ---- sex -------------------------------------------------------------------------------------

COPIES = {"XX": (2, 0), "XY": (1, 1), "X0": (1, 0), "XXY": (2, 1), "XXX": (3, 0), "XYY": (1, 2)}
TINY = dataclasses.replace(PROFILE, data={**PROFILE.data, "reference": reference_section()}, overlay_id="tiny")


def sex_of(summary, windows, profile, sex, sample_type="germline"):
    found = metrics.read_sex(summary, windows, profile, 150)
    return found | metrics.tell_sex(found, profile, sex, sample_type)


def mosdepth_text(genome, depths, rng=None, read_length=150):
    """Summary and windows of mosdepth at true depths (X, Y, autosomes), drawn at random where `rng` is given.

    genome: evaluation windows by contig, bp.
    """
    summary, rows = ["chrom\tlength\tbases\tmean\tmin\tmax"], []
    for contig, windows in genome.items():
        bases = 0
        for start, end in windows:
            depth = depths.get(contig, depths["autosome"])
            if rng is not None:  # both reads of a pair fall together
                depth = rng.poisson(depth * (end - start) / (2 * read_length)) * 2 * read_length / (end - start)
            rows.append(f"{contig}\t{start}\t{end}\t{depth:.2f}")
            bases += round(depth * (end - start))
        if bases:  # as mosdepth does
            summary.append(f"{contig}_region\t0\t{bases}\t0\t0\t0")
    summary.append("total_region\t0\t0\t0\t0\t0")
    return "\n".join(summary) + "\n", "\n".join(rows) + "\n"


def cut(length, start=0):
    return [(at, min(at + metrics.WINDOW, length)) for at in range(start, length, metrics.WINDOW)]


SMALL = {"chr1": cut(6000), "chr2": cut(4000), "chrX": cut(4000), "chrY": cut(3000, 1000)}
"""The regions of the tests' tiny reference, whose PARs are the first 1,000 bases of X and Y."""
LARGE = {"chr1": cut(400_000), "chrX": cut(3_150_000, 3_000_000), "chrY": cut(3_060_000, 3_000_000)}


@pytest.mark.parametrize("karyotype", COPIES)
@pytest.mark.parametrize("sex", ["female", "male", "unknown"])
def test_a_clear_karyotype_is_named_and_the_declared_sex_held_against_it(karyotype, sex):
    x, y = COPIES[karyotype]
    text = mosdepth_text(SMALL, {"autosome": 300, "chrX": 150 * x, "chrY": 150 * y})
    found = sex_of(*text, TINY, sex)
    assert found["ratio_x_autosomes"].value == pytest.approx(x / 2)
    assert found["ratio_y_autosomes"].value == pytest.approx(y / 2)
    assert found["sex_chromosome_aneuploidy"].value == float(karyotype not in ("XX", "XY"))
    assert found["sex_concordance"].reason.split(": ")[-2].split("; ")[-1] == karyotype
    true_sex = "male" if y else "female"
    assert found["sex_concordance"].value == (None if sex == "unknown" else float(sex == true_sex))


def test_the_pseudoautosomal_regions_of_x_are_left_out():
    genome = {**SMALL, "chrX": [(0, 1000)] * 50 + SMALL["chrX"][1:]}
    text = mosdepth_text(genome, {"autosome": 300, "chrX": 150, "chrY": 150})
    text = (text[0], text[1].replace("chrX\t0\t1000\t150", "chrX\t0\t1000\t300"))
    assert sex_of(*text, TINY, "male")["ratio_x_autosomes"].value == 0.5


def test_a_pile_of_reads_on_repeats_of_y_makes_no_male():
    summary, windows = mosdepth_text(LARGE, {"autosome": 30, "chrX": 30, "chrY": 0})
    rows = windows.splitlines()
    piled = [row.replace("\t0.00", "\t900.00") if number % 5 == 0 else row for number, row in enumerate(rows)]
    found = sex_of(summary, "\n".join(piled) + "\n", PROFILE, "female")
    assert (found["sex_concordance"].value, found["ratio_y_autosomes"].value) == (1.0, 0.0)


def test_between_the_zones_nothing_is_guessed():
    text = mosdepth_text(LARGE, {"autosome": 30, "chrX": 0.75 * 30, "chrY": 0.3})
    found = sex_of(*text, PROFILE, "female")
    for name in ("sex_concordance", "sex_chromosome_aneuploidy"):
        assert found[name].value is None
        assert found[name].reason.startswith("undetermined: X 0.75, Y 0.01")


def test_too_little_depth_and_regions_without_x_or_y_are_not_measured():
    text = mosdepth_text(LARGE, {"autosome": 1.9, "chrX": 1.9, "chrY": 0})
    assert "too little" in sex_of(*text, PROFILE, "female")["sex_concordance"].reason
    for gone in ("chrX", "chrY", "chr1"):
        genome = {name: windows for name, windows in LARGE.items() if name != gone}
        found = sex_of(*mosdepth_text(genome, {"autosome": 30}), PROFILE, "female")
        for name in ("sex_concordance", "sex_chromosome_aneuploidy"):
            assert found[name].value is None and "evaluation regions" in found[name].reason


@pytest.mark.parametrize(
    ("sex", "x", "y", "agrees"),
    [
        ("male", 15, 0, None),
        ("male", 30, 0, None),
        ("male", 15, 15, 1.0),
        ("female", 15, 0, 1.0),
        ("female", 30, 15, 0),
    ],
)
def test_a_tumour_may_have_lost_y_and_cannot_have_gained_it(sex, x, y, agrees):
    text = mosdepth_text(LARGE, {"autosome": 30, "chrX": x, "chrY": y})
    found = sex_of(*text, PROFILE, sex, "tumour")["sex_concordance"]
    assert found.value == agrees
    assert ("lost Y" in found.reason) == (agrees is None)
    if agrees is None:
        assert sex_of(*text, PROFILE, sex)["sex_concordance"].value == 0.0


def test_a_tumour_s_coverage_is_held_against_its_normal_s():
    found = metrics.tumour_over_normal(Measured(62.0), Measured(80.0))
    assert (found.value, found.reason) == (0.775, "tumour 62x, normal 80x")
    assert metrics.tumour_over_normal(Measured(62.0), Measured(0.0)).value is None


@pytest.mark.parametrize("genome", [SMALL, LARGE], ids=["17 kb", "610 kb"])
@pytest.mark.parametrize("depth", [5, 15, 30])
@pytest.mark.parametrize("karyotype", ["XX", "XY", "X0", "XXY"])
def test_a_simulated_karyotype_is_right_or_undetermined_and_never_wrong(karyotype, depth, genome):
    rng = np.random.default_rng([depth, *karyotype.encode(), len(genome["chrX"])])
    profile = TINY if genome is SMALL else PROFILE
    x, y = COPIES[karyotype]
    truth = {"autosome": depth, "chrX": depth * x / 2, "chrY": depth * y / 2}
    told = []
    for _ in range(200 if genome is SMALL else 20):
        found = sex_of(*mosdepth_text(genome, truth, rng), profile, "female")
        reason = found["sex_chromosome_aneuploidy"].reason
        told.append(reason.split(":")[0])
    assert set(told) <= {karyotype, "undetermined"}
    if genome is LARGE:
        assert told.count(karyotype) >= (10 if depth == 5 else 20)


def test_zones_of_karyotypes_never_meet():
    zones = [(zone["x"], zone["y"]) for zone in LIMITS["karyotypes"].values()]
    for number, one in enumerate(zones):
        for other in zones[number + 1 :]:
            gaps = [max(a[0], b[0]) - min(a[1], b[1]) for a, b in zip(one, other, strict=True)]
            assert max(gaps) >= 0.0999, (one, other)


def test_windows_end_at_edges_and_are_as_large_as_the_regions():
    intervals = [("chrX", 300, 5250), ("chrY", 0, 900)]
    cut = regions.windows(intervals, 1000, [("chrX", 3000), ("chrX", 9000), ("chrZ", 700)])
    assert cut == [
        ("chrX", 300, 1300),
        ("chrX", 1300, 2300),
        ("chrX", 2300, 3000),
        ("chrX", 3000, 4000),
        ("chrX", 4000, 5000),
        ("chrX", 5000, 5250),
        ("chrY", 0, 900),
    ]


# ---- gates -----------------------------------------------------------------------------------

VERSIONS = dict.fromkeys(("intake", "samtools", "mosdepth", "picard", "bcftools", "gatk", "plink2", "delly"), "1.0")
GOOD = {**VALUES, "mendelian_error_rate": 0.001, "kinship_concordance": 1, "tumour_over_normal_coverage": 3}
GOOD |= {"tumour_in_normal": 0.001, "tumour_normal_order": 1}
GOOD |= {"tumour_mutational_burden": 4.2, "somatic_snvs": 9000, "somatic_indels": 1200}  # reported, without a gate
TRIPS = {  # a value that trips the gate, for each gate of the profile
    ("mean_coverage", "germline", "<", 30): 29.99,
    ("mean_coverage", "tumour", "<", 60): 59.9,
    ("mean_coverage", "tumour", "<", 90): 89.9,
    ("pct_autosomes_15x", "germline", "<", 95): 94.9,
    ("pct_10x", "all", "<", 0.95): 0.949,
    ("pct_20x", "all", "<", 0.9): 0.899,
    ("mean_mt_coverage", "germline", "<", 100): 99.9,
    ("yield_bp_q30", "all", "<", 85e9): 84e9,
    ("pct_q30", "all", "<", 85): 84.9,
    ("mean_read_length", "all", "<", 70): 69.9,
    ("cross_contamination_rate", "all", ">", 0.03): 0.031,
    ("cross_contamination_rate", "all", ">", 0.015): 0.016,
    ("pct_reads_mapped", "all", "<", 95): 94.9,
    ("pct_reads_improper_pairs", "all", ">", 5): 5.1,
    ("pct_duplicate_reads", "all", ">", 20): 20.1,
    ("median_insert_size", "all", "<", 250): 249,
    ("sex_concordance", "all", "<", 1): 0,
    ("tumour_over_normal_coverage", "tumour", "<", 1): 0.99,
    ("tumour_in_normal", "tumour", ">", 0.05): 0.06,
    ("tumour_in_normal", "tumour", ">", 0.02): 0.03,
    ("tumour_normal_order", "tumour", "<", 1): 0,
    ("sex_chromosome_aneuploidy", "germline", ">", 0): 1,
    ("identity_concordance", "all", "<", 1): 0,
    ("kinship_concordance", "all", "<", 1): 0,
    ("mendelian_error_rate", "germline", ">", 0.06): 0.061,
    ("count_snvs", "germline", "<", 3.2e6): 3.1e6,
    ("count_snvs", "germline", ">", 5e6): 5.1e6,
    ("count_insertions", "germline", "<", 2e5): 1.9e5,
    ("count_insertions", "germline", ">", 7e5): 7.1e5,
    ("count_deletions", "germline", "<", 2e5): 1.9e5,
    ("count_deletions", "germline", ">", 7e5): 7.1e5,
    ("ratio_heterozygous_homozygous", "germline", "<", 1.2): 1.1,
    ("ratio_heterozygous_homozygous", "germline", ">", 2.4): 2.5,
    ("ratio_insertion_deletion", "germline", "<", 0.75): 0.7,
    ("ratio_insertion_deletion", "germline", ">", 1.25): 1.3,
    ("ratio_transitions_transversions", "germline", "<", 1.9): 1.8,
    ("ratio_transitions_transversions", "germline", ">", 2.2): 2.3,
}
GATES = [
    (name, gate["applies_to"], gate["op"], gate["value"], gate["status"], gate.get("only"))
    for name, metric in PROFILE.data["metrics"].items()
    for gate in metric["gates"]
]


def judged(measured=None, kind="germline", study="trio", own_genome=True, waivers=None, **values):
    measured = measured or {name: Measured(value) for name, value in {**GOOD, **values}.items()}
    return {
        metric["name"]: metric
        for stage in ("alignment", "calling")
        for metric in metrics.judge(
            measured,
            PROFILE,
            stage=stage,
            sample_type=kind,
            study_type=study,
            versions=VERSIONS,
            whole_genome=own_genome,
            waivers=waivers,
        )
    }


def test_nothing_trips_on_good_values():
    assert {metric["status"] for metric in judged().values()} == {"PASS"}


@pytest.mark.parametrize(("name", "applies_to", "op", "value", "status", "only"), GATES)
def test_each_gate_is_tripped_by_its_own_metric_and_trips_no_other(name, applies_to, op, value, status, only):
    trips = TRIPS[name, applies_to, op, value]
    kind = "germline" if applies_to == "all" else applies_to
    of = {"kind": kind, "study": "tumour-normal" if kind == "tumour" else "trio"}
    tumour = {"mean_coverage": 95} if kind == "tumour" else {}
    tripped = {n: m for n, m in judged(**of, **{**tumour, name: trips}).items() if m["status"] != "PASS"}
    assert tripped.keys() == {name}
    assert tripped[name]["status"] == status
    assert (tripped[name]["gate"]["op"], tripped[name]["gate"]["value"]) == (op, value)
    at_threshold = judged(**of, **{**tumour, name: value})[name]
    assert (at_threshold["gate"]["value"], at_threshold["status"]) != (value, status), "the threshold itself is within"
    if only:
        assert judged(kind=kind, own_genome=False, **{name: trips})[name]["status"] == "PASS"


def test_every_gate_of_the_profile_has_a_case_and_every_case_a_gate():
    assert {gate[:4] for gate in GATES} == TRIPS.keys()


def test_every_metric_has_its_own_id_and_a_mend():
    ids = [metric["id"] for metric in PROFILE.data["metrics"].values()]
    assert len(ids) == len(set(ids))
    assert all(metric["mend"] for metric in PROFILE.data["metrics"].values())


def test_an_overlay_s_genome_has_no_bands():
    found = metrics.counts({"applies_to": "all", "only": "whole_genome"}, TINY, "germline", True)
    assert found is False


@pytest.mark.parametrize("name", PROFILE.data["metrics"])
def test_a_missing_metric_is_never_pass_and_says_why(name):
    measured = {key: Measured(value) for key, value in GOOD.items() if key != name}
    only = PROFILE.data["metrics"][name]
    of = {"kind": only.get("sample_types", ["germline"])[0], "study": only.get("study_types", ["trio"])[-1]}
    metric = judged(measured, **of)[name]
    assert (metric["status"], metric["value"], metric["version"]) == ("NOT_MEASURED", None, None)
    assert metric["reason"]


def test_value_denominator_error_and_reason_are_kept():
    measured = {"cross_contamination_rate": Measured(0.04, 812, 0.004, "lane 3")}
    metric = judged(measured)["cross_contamination_rate"]
    assert [metric[key] for key in ("value", "denominator", "error", "reason", "status")] == [
        0.04, 812, 0.004, "lane 3", "FAIL",
    ]  # fmt: skip


def test_metrics_of_other_study_types_are_left_out():
    assert "mendelian_error_rate" not in judged(study="single")


def test_a_sample_is_as_bad_as_its_worst_metric():
    assert metrics.worst(judged().values(), PROFILE) == "PASS"
    assert metrics.worst(judged(pct_10x=0.5).values(), PROFILE) == "WARN"
    assert metrics.worst(judged(pct_10x=0.5, mean_coverage=1).values(), PROFILE) == "FAIL"


def test_a_required_metric_that_was_not_measured_warns():
    assert metrics.worst(judged({"pct_10x": Measured(1.0)}).values(), PROFILE) == "WARN"


WAIVERS = {
    id_: {"rule": id_, "reason_code": "no_more_material", "role": "quality_manager", "valid_to": "2026-12-31"}
    for id_ in ("NGC-MET-001", "NGC-MET-008", "NGC-MET-013")
}


def test_a_waiver_is_recorded_where_a_metric_warns_and_changes_nothing():
    found = judged(waivers=WAIVERS, mean_coverage=12, pct_q30=80)
    assert found["pct_q30"]["waiver"] == WAIVERS["NGC-MET-008"]
    assert found["pct_q30"]["status"] == "WARN"
    assert found["mean_coverage"]["waiver"] is None  # a FAIL
    assert found["pct_duplicate_reads"]["waiver"] is None  # a PASS


ROW = {"sample": "K7QX2M9T4B", "sample_type": "germline", "sex": "male"}


def documents(waivers=(), stages=("alignment", "calling"), **values):
    """Metrics of one sample, from what alignment_metrics and bcftools stats measured."""
    given = {**GOOD, "autosome_depth": 34, **values}
    measured = {
        "evaluation_regions": {"id": "whole_genome", "sha256": None, "bases": 1000},
        "values": {
            name: dataclasses.asdict(Measured(value, error=0.01, reason="" if value else "none"))
            for name, value in given.items()
        },
    }
    preflight = {"tools": [{"name": name, "version": version} for name, version in VERSIONS.items()]}
    return [metrics.document(ROW, "trio", measured, PROFILE, preflight=preflight, waivers=waivers, stages=stages)]


def test_a_sample_s_metrics_are_as_their_schema_has_them():
    schema = json.loads(ngc_profile.data_file("schemas", "metrics.schema.json").read_text())
    (document,) = documents(waivers=WAIVERS.values(), pct_q30=80, mean_coverage=None)
    jsonschema.Draft202012Validator(schema).validate(document)
    assert document["biosample"] == {"id": "K7QX2M9T4B"}
    assert document["wgs_qc_metrics"]["pct_q30"] == 80
    assert document["wgs_qc_metrics"]["mean_coverage"] is None


def test_a_gate_tells_id_sample_value_threshold_and_mend():
    said = metrics.failures(documents(mean_coverage=12.5, pct_q30=80), PROFILE)
    assert said == [
        "NGC-MET-001 K7QX2M9T4B mean_coverage 12.5 x: FAIL where < 30. "
        "Mend: Sequence the sample again, to more depth (top-up)."
    ]


def test_before_calling_only_the_alignment_is_judged_and_after_it_everything():
    failing = {"mean_coverage": 12.5, "mendelian_error_rate": 0.2}
    for stages, ids in (("alignment",), ["NGC-MET-001"]), (("alignment", "calling"), ["NGC-MET-001", "NGC-MET-021"]):
        said = metrics.failures(documents(stages=stages, **failing), PROFILE)
        assert [line[:11] for line in said] == ids


def test_a_gate_stops_a_case_or_runs_on_where_it_was_told_to():
    assert metrics.gate("alignment", "CASE", [], False) == "passed\n"
    with pytest.raises(metrics.Refused, match=f"The alignment gate{GATE_SAYS}case CASE:\nNGC-MET-001"):
        metrics.gate("alignment", "CASE", ["NGC-MET-001 ..."], False)
    assert "its submission stays refused" in metrics.gate("alignment", "CASE", ["NGC-MET-001 ..."], True)


def test_a_gate_writes_its_output_only_where_it_lets_the_case_pass(tmp_path):
    output = tmp_path / "CASE.called"
    with pytest.raises(SystemExit, match="The calling gate refuses case CASE:\nNGC-MET-001"):
        metrics.end_gate("calling", "CASE", ["NGC-MET-001 ..."], False, output)
    assert not output.exists()
    metrics.end_gate("calling", "CASE", [], False, output)
    assert output.read_text() == "passed\n"


def test_a_waiver_of_a_failure_is_void_and_the_gate_says_so():
    waivers = {"K7QX2M9T4B": [WAIVERS["NGC-MET-001"]]}
    said = metrics.failures(documents(mean_coverage=12.5), PROFILE, waivers)
    assert len(said) == 2 and "its waiver is void, only a WARN can be waived" in said[1]
