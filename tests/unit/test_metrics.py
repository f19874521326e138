"""Metrics: what is read from each tool's report, and how the profile's gates judge it."""

import json

import pytest

import ngc_profile
from ngc_wgs import metrics

PROFILE = ngc_profile.load()

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


def test_raw_reads_are_summed_over_units():
    units = [{"bases": 1000, "q30_bases": 900, "pairs": 5}, {"bases": 600, "q30_bases": 500, "pairs": 5}]
    assert metrics.read_intake(units) == {"yield_bp_q30": 1400, "pct_q30": 87.5, "mean_read_length": 80.0}


def test_samtools_stats_give_shares_and_the_median_of_inward_pairs():
    text = (
        "SN\traw total sequences:\t200\nSN\treads mapped:\t190\n"
        "SN\treads paired:\t200\nSN\treads properly paired:\t180\n"
        "IS\t100\t9\t1\t8\t0\nIS\t300\t5\t5\t0\t0\nIS\t400\t4\t4\t0\t0\n"
    )
    assert metrics.read_samtools_stats(text) == {
        "pct_reads_mapped": 95.0,
        "pct_reads_improper_pairs": 10.0,
        "median_insert_size": 300,
    }


def test_duplicates_are_a_share_of_examined_reads():
    report = json.dumps({"EXAMINED": 400, "DUPLICATE PRIMARY TOTAL": 10})
    assert metrics.read_markdup(report) == {"pct_duplicate_reads": 2.5}


def test_a_contig_without_reads_counts_as_uncovered_though_mosdepth_leaves_it_out():
    found = metrics.read_mosdepth(SUMMARY.format(x=15000, y=""), THRESHOLDS, LENGTHS)
    assert found == {"mean_coverage": round(45000 / 1400, 4), "pct_10x": 0.85, "pct_20x": round(1080 / 1400, 6)}


def test_only_contigs_of_the_sex_count():
    found = metrics.read_mosdepth(SUMMARY.format(x=15000, y=Y_ROWS), THRESHOLDS, {"chr1": 800, "chrX": 400})
    assert found["mean_coverage"] == 37.5


def test_the_mitochondrion_has_its_depth_and_none_without_reads():
    row = "chrM\t16569\t2000000\t120.71\t0\t300\n"
    assert metrics.read_mitochondrion(SUMMARY.format(x=15000, y=row), PROFILE) == {"mean_mt_coverage": 120.71}
    assert metrics.read_mitochondrion(SUMMARY.format(x=15000, y=""), PROFILE) == {"mean_mt_coverage": 0.0}


@pytest.mark.parametrize(
    ("sex", "x", "y", "concordant"),
    [
        ("female", 15000, "", 1.0),
        ("female", 7500, Y_ROWS, 0.0),
        ("male", 7500, Y_ROWS, 1.0),
        ("male", 15000, "", 0.0),
        ("male", 15000, Y_ROWS, 0.0),
    ],
)
def test_sex_is_concordant_only_with_the_depth_of_x_and_y(sex, x, y, concordant):
    found = metrics.sex_concordance(SUMMARY.format(x=x, y=y), LENGTHS, PROFILE, sex)
    assert found == {"sex_concordance": concordant}


@pytest.mark.parametrize(("sex", "lengths"), [("unknown", LENGTHS), ("female", {"chr1": 800})])
def test_sex_is_not_measured_without_a_declared_sex_or_without_x_and_y(sex, lengths):
    assert metrics.sex_concordance(SUMMARY.format(x=15000, y=""), lengths, PROFILE, sex) == {}


def test_wgs_metrics_are_read_by_column_name():
    text = "## METRICS CLASS\nGENOME_TERRITORY\tMEAN_COVERAGE\tMAD_COVERAGE\tPCT_15X\n1000\t31.5\t4\t0.987654\n"
    assert metrics.read_wgs_metrics(text) == {
        "mean_autosome_coverage": 31.5,
        "mad_autosome_coverage": 4.0,
        "pct_autosomes_15x": 98.7654,
    }


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
    assert metrics.read_bcftools_stats(CALLS.format(tv=10)) == {
        "count_snvs": 30,
        "count_insertions": 6,
        "count_deletions": 3,
        "ratio_heterozygous_homozygous": 2.0,
        "ratio_insertion_deletion": 2.0,
        "ratio_transitions_transversions": 2.0,
    }


def test_a_ratio_to_nothing_is_left_out():
    assert "ratio_transitions_transversions" not in metrics.read_bcftools_stats(CALLS.format(tv=0))


VERSIONS = dict.fromkeys(("intake", "samtools", "mosdepth", "picard", "bcftools", "gatk"), "1.0")


def judged(**values):
    return {m["name"]: m for m in metrics.judge(values, PROFILE, "germline", "single", VERSIONS)}


def test_a_missing_metric_is_never_pass_and_names_no_version():
    metric = judged()["mean_coverage"]
    assert (metric["status"], metric["value"], metric["version"]) == ("NOT_MEASURED", None, None)


@pytest.mark.parametrize(("value", "status"), [(29.99, "FAIL"), (30, "PASS")])
def test_germline_coverage_is_held_against_the_law(value, status):
    metric = judged(mean_coverage=value)["mean_coverage"]
    assert metric["status"] == status
    assert metric["gate"] == {"op": "<", "value": 30, "status": "FAIL", "basis": "law"}


@pytest.mark.parametrize(("value", "status"), [(0.01, "PASS"), (0.02, "WARN"), (0.04, "FAIL")])
def test_the_worst_gate_that_is_crossed_decides(value, status):
    assert judged(cross_contamination_rate=value)["cross_contamination_rate"]["status"] == status


def test_metrics_of_other_study_types_are_left_out():
    assert "mendelian_error_rate" not in judged()


def test_a_sample_is_as_bad_as_its_worst_metric():
    # Everything required measured and good, then one warning, then one failure.
    good = {name: 1e12 for name, metric in PROFILE.data["metrics"].items() if metric["required"]}
    good["pct_duplicate_reads"] = 0
    assert metrics.worst(judged(**good).values(), PROFILE) == "PASS"
    assert metrics.worst(judged(**good, pct_10x=0.5).values(), PROFILE) == "WARN"
    assert metrics.worst(judged(**{**good, "mean_coverage": 1}, pct_10x=0.5).values(), PROFILE) == "FAIL"


def test_a_required_metric_that_was_not_measured_warns():
    assert metrics.worst(judged().values(), PROFILE) == "WARN"
