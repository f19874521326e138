"""The report's parts: what is read, what each section shows of it, and what is said where something is missing."""

import json
import os
import shutil
from html import escape

import make_results
import pytest

from ngc_wgs import report, structural


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    return make_results.make(tmp_path_factory.mktemp("report"), 6)


@pytest.fixture
def facts(made):
    return report.gather_run(report.Facts(made.profile), made.samples, made.units, made.results)


def section(facts, key):
    (found,) = [item for item in report.sections(facts) if item["id"] == key]
    return found


def text(item):
    """What a section says apart from its plot."""
    return item["description"] + item.get("extra", "") + (item["data"] if item["plot_type"] == "html" else "")


def test_a_histogram_of_picard_is_bases_by_depth():
    head = "## METRICS CLASS\nGENOME_TERRITORY\n1\n\n## HISTOGRAM\tjava.lang.Integer\n"
    assert report.read_coverage(f"{head}coverage\thigh_quality_coverage_count\n0\t7\n1\t9\n\n") == {0: 7, 1: 9}


def test_insert_sizes_are_those_of_inward_pairs():
    assert report.read_inserts("SN\tx\t1\nIS\t300\t9\t5\t4\t0\nIS\t301\t2\t2\t0\t0\n") == {300: 5, 301: 2}


def test_numbers_are_as_in_the_json_and_never_ten_digits_in_a_row():
    values = [0.05, 38, 150.0, 1.375, 85_000_000_000, 97.0061, -6.475]
    assert [report.number(value) for value in values] == [
        "0.05", "38", "150", "1.375", "85,000,000,000", "97.0061", "-6.475",
    ]  # fmt: skip


def test_every_section_is_there_when_nothing_was_measured(made):
    empty = report.Facts(made.profile, verdicts=[("C00000K", "STOPPED", ("not checked",))])
    keys = [item["id"] for item in report.sections(empty)]
    assert keys[0] == "ngc_verdicts" and keys[-1] == "ngc_definitions" and len(keys) == 21
    for item in report.sections(empty):
        assert item["plot_type"] == "html" and item["data"]
    assert "STOPPED" in text(section(empty, "ngc_verdicts"))


def test_a_profile_of_other_metrics_leaves_every_section(made):
    other = {**made.profile, "metrics": {}}
    facts = report.gather_run(report.Facts(other), made.samples, made.units, made.results)
    found = report.sections(facts)
    assert len(found) == 21 and "no zones" in text(found[3])
    assert "NOT_MEASURED cross_contamination_rate: the profile does not have it" in text(found[4])


def test_what_was_not_measured_is_named_with_its_reason_where_it_would_be_drawn(facts):
    for key in ("ngc_verdicts", "ngc_contamination"):
        said = text(section(facts, key))
        assert "S00001XY" in said and make_results.NOT_MEASURED in said
    drawn = {
        name for line in section(facts, "ngc_contamination")["pconfig"]["extra_series"] for name, _ in line["pairs"]
    }
    assert drawn == set(facts.samples) - {"S00001XY"}


def test_without_identity_and_with_nothing_measured_of_it_the_reason_is_said(facts):
    facts.identity.clear()
    for _, entries in facts.samples.values():
        entries["identity_concordance"] |= {
            "value": None,
            "status": "NOT_MEASURED",
            "reason": "no population VCF in the configuration",
        }
    said = text(section(facts, "ngc_identity"))
    assert "NOT_MEASURED identity_concordance: no population VCF in the configuration (6 samples)" in said


def test_a_metric_without_a_reason_is_still_not_measured(facts):
    entry = facts.samples["S00000XY"][1]["mean_coverage"]
    entry |= {"value": None, "status": "NOT_MEASURED", "reason": ""}
    assert report.UNMEASURED in text(section(facts, "ngc_verdicts"))


def of_germline(profile):
    """Names of the metrics of a germline sample."""
    return {name for name, one in profile["metrics"].items() if "germline" in one.get("sample_types", ["germline"])}


def test_the_gate_table_begins_with_the_worst(facts):
    rows = section(facts, "ngc_verdicts")["data"].split("<tr>")[2:]
    statuses = [next(status for status in report.RANK if f">{status}</span>" in row) for row in rows]
    assert statuses == sorted(statuses, key=report.RANK.__getitem__)
    assert len(rows) == 6 * len(of_germline(facts.profile))
    assert "0.05 &plusmn; 0.0012" in rows[0] and "FAIL if &gt; 0.03 (peer)" in rows[0]


def test_a_waiver_is_shown_and_the_status_stays(facts):
    waiver = {
        "rule": "NGC-MET-001",
        "reason_code": "no_more_material",
        "role": "quality_manager",
        "valid_to": "2027-01-01",
    }
    facts.samples["S00000XY"][1]["mean_coverage"] |= {"status": "WARN", "waiver": waiver}
    said = text(section(facts, "ngc_verdicts"))
    assert "Waived: no_more_material, by quality_manager, valid to 2027-01-01" in said and ">WARN</span>" in said


def test_a_run_leaves_out_what_passed_and_gathers_what_many_lack(facts):
    facts.verdicts = [("C00000K", "REFUSED", ()), ("C00001K", "ACCEPTED", ())]
    for _, entries in facts.samples.values():
        entries["identity_concordance"] |= {"value": None, "status": "NOT_MEASURED", "reason": "no population VCF"}
    said = text(section(facts, "ngc_verdicts"))
    assert ">PASS</span>" not in said
    assert said.count("no population VCF") == 1 and "6 samples</summary>" in said
    assert all(sample in said for sample in facts.samples)


def test_a_verdicts_reasons_lose_what_may_hold_a_path(made):
    reasons = ("at gatk_haplotypecaller", "logs/x.log:", "no /data/genomes/file on node17", "NGC-VCF-003 data/x.vcf.gz")
    said = text(section(report.Facts(made.profile, verdicts=[("C1", "STOPPED", reasons)]), "ngc_verdicts"))
    assert "at gatk_haplotypecaller, NGC-VCF-003" in said
    assert not any(word in said for word in ("genomes", "node17", "logs/", "data/"))


def test_names_and_reasons_are_text_and_never_markup(facts):
    facts.samples["S00000XY"][1]["mean_coverage"] |= {"reason": "<script>x</script>", "value": None}
    assert "<script>" not in json.dumps([text(item) for item in report.sections(facts)])


def test_swapped_lanes_are_named_once(facts):
    said = text(section(facts, "ngc_identity"))
    swapped = "S00003XY.LIB1.HFLOWDSX2.L3"
    assert said.count("two samples") == 4 and said.count("one sample") == 3
    assert all(swapped in row for row in said.split("<tr>")[2:])


def test_a_pair_that_was_not_told_apart_speaks_against_nobody(facts):
    for row in (row for case in facts.identity for row in case["lods"]):
        row["status"] = "NOT_MEASURED"
    assert "No pair speaks against" in text(section(facts, "ngc_identity"))


def test_two_samples_that_are_declared_one_person_are_no_swap(facts):
    tumour = {"a": "S00002XY", "b": "S00003XY", "declared": "same person", "observed": "same person", "status": "PASS"}
    facts.identity[0]["relations"].append({**tumour, "kinship": 0.5, "ibs0": 0.0, "sites": 4000})
    assert "two samples" not in text(section(facts, "ngc_identity"))


def test_a_relation_that_the_sheet_does_not_tell_is_shown(facts):
    facts.identity[0]["relations"][0] |= {"declared": None, "kinship": None}
    assert "not told" in text(section(facts, "ngc_relations"))


def test_the_matrix_is_symmetric_and_has_every_pair_of_the_json(facts):
    item = section(facts, "ngc_identity")
    lods = {(pair["left"], pair["right"]): pair["lod"] for case in facts.identity for pair in case["lods"]}
    at = {name.split(" ")[0]: row for row, name in enumerate(item["ycats"])}
    assert len(at) == len(item["xcats"]) == 24
    for left, right in lods:
        shown = {item["data"][at[left]][at[right]], item["data"][at[right]][at[left]]}
        assert len(shown) == 1 and shown <= {lods[left, right], lods.get((right, left))}
    assert sum(lod is not None for row in item["data"] for lod in row) == 2 * len(set(map(frozenset, lods)))


def test_of_many_lanes_only_those_are_drawn_that_a_pair_speaks_against(tmp_path):
    many = make_results.make(tmp_path, 30)
    facts = report.gather_run(report.Facts(many.profile), many.samples, many.units, many.results)
    item = section(facts, "ngc_identity")
    drawn = {name.split(".")[0] for name in item["ycats"]}
    assert drawn == {"S00002XY", "S00003XY"} and "There are 120 lanes" in item["description"]


def test_the_sex_plot_has_the_zones_of_the_profile_and_each_sample(facts):
    item = section(facts, "ngc_sex")
    zones = facts.profile["metrics"]["sex_concordance"]["parameters"]["karyotypes"]
    series = {line["name"]: line["pairs"] for line in item["pconfig"]["extra_series"]}
    for name, zone in zones.items():
        assert {x for x, _ in series[name]} == set(zone["x"]) and {y for _, y in series[name]} == set(zone["y"])
    for sample, (_, entries) in facts.samples.items():
        assert series[sample] == [[entries[f"ratio_{name}_autosomes"]["value"] for name in "xy"]]


def test_coverage_is_a_share_and_its_sum_from_above(facts):
    (shares,), (sums,) = (section(facts, key)["data"] for key in ("ngc_coverage", "ngc_cumulative"))
    for sample, histogram in facts.coverage.items():
        whole = sum(histogram.values())
        at_least = {depth: 100 * sum(n for d, n in histogram.items() if d >= depth) / whole for depth in histogram}
        assert all(share == 100 * histogram[depth] / whole for depth, share in shares[sample])
        assert all(share == pytest.approx(at_least[depth]) for depth, share in sums[sample])
        assert sums[sample][0] == [0, 100]


def test_each_lane_has_its_q30(facts):
    (lanes,) = section(facts, "ngc_q30")["pconfig"]["extra_series"]
    assert dict(lanes["pairs"]) == {unit["unit"]: unit["pct_q30"] for unit in facts.units}


def test_the_bands_of_the_profile_are_0_to_1(facts):
    (lines,) = section(facts, "ngc_variants")["data"]
    low, high = (gate["value"] for gate in facts.profile["metrics"]["count_snvs"]["gates"])
    for sample, (_, entries) in facts.samples.items():
        place = dict(lines[sample])["SNVs"]
        assert place * (high - low) + low == pytest.approx(entries["count_snvs"]["value"])
        assert 0 < place < 1


def test_structural_variants_are_counted_by_type_and_size_or_said_not_to_be_called(facts):
    facts.structural = [
        {
            "sample": "S000001",
            "not_called": None,
            "counts": {"DEL": {"50-299 bp": 3, "1-9 kb": 2}, "BND": {"two contigs": 1}},
        },
        {"sample": "S000002", "not_called": "too few read pairs", "counts": None},
    ]
    said = text(section(facts, "ngc_structural"))
    assert "S000002: not called: too few read pairs" in said
    assert "<td>S000001</td><td>DEL</td><td>5</td><td>3</td><td>0</td><td>2</td><td>0</td><td>0</td><td>0</td>" in said
    assert "<td>S000001</td><td>BND</td><td>1</td><td>0</td><td>0</td><td>0</td><td>0</td><td>0</td><td>1</td>" in said
    assert "<td>S000001</td><td>DUP</td><td>0</td>" in said and "<td>S000002</td>" not in said


def test_the_classes_of_size_are_those_that_are_counted():
    counted = (*(name for _, name in structural.SIZES), structural.NO_LENGTH)
    assert counted == report.STRUCTURAL_SIZES


def test_versions_and_definitions_are_complete(facts):
    versions, definitions = (text(section(facts, key)) for key in ("ngc_versions", "ngc_definitions"))
    assert "made population" in versions and facts.profile["version"] in versions and "gatk" in versions
    assert all(escape(metric["definition"]) in definitions for metric in facts.profile["metrics"].values())


@pytest.mark.parametrize("name", ["qc/S00000XY.metrics.json", "qc/S00000XY.wgs_metrics.txt", "identity/C00000K.json"])
@pytest.mark.parametrize("content", ["", '{"metrics"'])
def test_an_empty_or_cut_off_file_stops_a_cases_report_and_is_named_in_the_runs(tmp_path, name, content):
    made = make_results.make(tmp_path, 2)
    path = made.results / name
    path.write_text(content)
    run = report.gather_run(report.Facts(made.profile), made.samples, made.units, made.results)
    assert run.unreadable == [path.name]
    assert path.name in text(section(run, "ngc_verdicts"))
    kind = {"metrics.json": "metrics", "wgs_metrics.txt": "coverage", "json": "identity"}[path.name.split(".", 1)[1]]
    with pytest.raises(report.ReportError, match=f"{path.name}: cannot be read .*Mend: "):
        report.gather(report.Facts(made.profile), made.samples, **{"metrics": [], kind: [path]})


def test_of_a_case_that_stopped_the_alignments_metrics_are_shown(tmp_path):
    made = make_results.make(tmp_path, 1)
    called = made.results / "qc" / "S00000XY.metrics.json"
    document = json.loads(called.read_text())
    document["metrics"] = [metric for metric in document["metrics"] if metric["name"] == "mean_coverage"]
    (made.results / "gate").mkdir()
    (made.results / "gate" / "C00000K.aligned.json").write_text(json.dumps({"samples": [document]}))

    def names():
        facts = report.gather_run(report.Facts(made.profile), made.samples, made.units, made.results)
        return set(facts.samples["S00000XY"][1])

    assert names() == {"mean_coverage"}  # those of the calls are older: of an earlier run
    called.touch()
    assert names() == of_germline(made.profile)


def test_the_report_of_a_case_says_nothing_of_other_samples(tmp_path):
    """It leaves the site; theirs may not."""
    lanes = [{"unit": f"AAAA.L.F.L{lane}", "sample": "AAAA"} for lane in (1, 2)]
    pairs = [("AAAA.L.F.L1", "AAAA.L.F.L2"), ("AAAA.L.F.L1", "BBBB.L.F.L1")]
    lods = [{"left": left, "right": right, "lod": 5.0, "status": "same"} for left, right in pairs]
    relation = {
        "declared": None,
        "observed": "siblings",
        "kinship": 0.25,
        "ibs0": 0.02,
        "sites": 2000,
        "status": "WARN",
    }
    relations = [{"a": "AAAA", "b": "BBBB", **relation}]
    path = tmp_path / "C.json"
    path.write_text(json.dumps({"case": "C", "lanes": lanes, "lods": lods, "relations": relations, "samples": {}}))
    facts = report.gather(report.Facts({"metrics": {}}), {"AAAA": "C"}, metrics=[], identity=[path])
    assert facts.identity[0]["lods"] == lods[:1]
    assert facts.identity[0]["relations"] == []
    of_run = report.gather(report.Facts({"metrics": {}}), {"AAAA": "C", "BBBB": "D"}, metrics=[], identity=[path])
    assert (of_run.identity[0]["lods"], of_run.identity[0]["relations"]) == (lods, relations)


def rows_of(item):
    """Rows of a section's tables as texts."""
    body = item.get("extra", "") + (item["data"] if item["plot_type"] == "html" else "")
    return [row.replace("</td>", "").split("<td>")[1:] for row in body.split("<tr>") if "<td>" in row]


def test_a_family_is_told_with_its_relations_candidates_and_mendelian_errors(facts):
    del facts.families[1:]
    counts, child, father, mother = rows_of(section(facts, "ngc_family"))
    assert [cell.partition("</tr>")[0] for cell in counts] == ["C00000K", "5,230,001", "1,030,002", "90,003"]
    observed = 'parent and child <span class="badge text-bg-success">PASS</span>'
    assert child[:9] == ["C00000K", "S00000XY", "index", "female", "yes", "", "4,800,123", "68", "412"]
    assert child[9].startswith("20,400 of 5,100,000 (0.40%)")
    assert father[5] == mother[5] == observed and father[7:9] == ["", ""]
    facts.identity.clear()
    assert rows_of(section(facts, "ngc_family"))[2][5] == "not compared"


def test_a_child_without_any_site_of_mendel_divides_nothing(facts):
    facts.families[0]["members"][0] |= {"mendelian_sites": 0, "mendelian_errors": 0}
    assert "0 of 0<" in text(section(facts, "ngc_family"))


def test_heteroplasmy_is_told_by_variant_and_a_second_haplotype_is_flagged(facts):
    item = section(facts, "ngc_mitochondrion")
    (one,) = (row for row in rows_of(item) if row[0] == "S00000XY" and row[1] == "3243 A&gt;G")
    assert one[2:5] == ["0.312", "2,502", "heteroplasmic"] and one[5].startswith("PASS")
    counted = {row[0]: row for row in rows_of(item)[:6]}
    assert counted["S00000XY"][1:5] == ["2,500.5", "1", "1", "1"]
    assert counted["S00000XY"][5].startswith("1 of low fraction<")
    assert "<strong>5 of low fraction: more than one person has" in counted["S00005XY"][5]
    assert item["data"][0]["S00000XY"][1][0] == 84 and len(item["data"][0]) == 6


def test_a_run_tells_the_number_of_mitochondrial_variants_only(facts):
    facts.verdicts = [("C00000K", "ACCEPTED", ())]
    assert len(rows_of(section(facts, "ngc_mitochondrion"))) == 6


def test_a_joint_vcf_of_an_earlier_run_is_not_shown(made):
    gate = made.results / "gate"
    gate.mkdir()
    (gate / "C00000K.aligned.json").write_text(json.dumps({"samples": []}))
    later = 10**9 + (made.results / "family" / "C00000K.json").stat().st_mtime_ns
    os.utime(gate / "C00000K.aligned.json", ns=(later, later))
    found = report.gather_run(report.Facts(made.profile), made.samples, made.units, made.results)
    shutil.rmtree(gate)
    assert [item["case"] for item in found.families] == ["C00001K"]


# ---- copy number ---------------------------------------------------------------------------


COPIES = {
    "noise": 0.08,
    "mappable_bins": 1234567890,
    "chromosomes": [{"contig": "chr21", "bins": 9, "expected": 2, "copies": 2.98, "error": 0.01}],
    "aneuploidies": [{"name": "trisomy chr21", "contigs": ["chr21"]}],
    "calls": [
        {"contig": "chr21", "start": 0, "end": size, "type": kind, "copies": 3, "expected": 2, "filters": filters}
        for size, kind, filters in (
            (9_999, "DEL", []), (10_000, "DEL", []), (10_000, "DUP", []), (2_000_000, "DUP", []),
            (500, "DUP", ["few_bins"]),
        )
    ],
    "points": {"chr20": [[1.0, 2.0], [3.5, 2.1]], "chr21": [[0.5, 3.0], [2.0, 2.9]]},
}  # fmt: skip


def test_aneuploidies_and_counts_by_size_are_told_and_who_was_not_called(facts):
    facts.copies = {"S1": COPIES, "S2": {"not_called": "the depth of a bin varies by 49 %, more than 30 %"}}
    said = text(section(facts, "ngc_aneuploidies"))
    assert "<strong>trisomy chr21</strong></td><td>chr21 2.98 &plusmn; 0.01 of 2" in said
    cells = ["S1", 1, 1, 0, 0, 0, 1, 0, 1, 1, 0.08, "1,234,567,890"]
    assert "<tr>" + "".join(f"<td>{cell}</td>" for cell in cells) + "</tr>" in said
    assert "S2: not called, the depth of a bin varies by 49 %" in said
    facts.copies = {"S1": {**COPIES, "aneuploidies": []}}
    assert "No aneuploidy was found" in text(section(facts, "ngc_aneuploidies"))


def test_the_profile_of_a_case_lays_chromosomes_end_to_end_and_a_run_has_none(facts):
    facts.copies = {"S1": COPIES, "S2": {"not_called": "too few"}}
    drawn = section(facts, "ngc_copy_number")
    assert drawn["data"] == [{"S1": [[1.0, 2.0], [3.5, 2.1], [4.0, 3.0], [5.5, 2.9]]}]
    assert [(line["label"], line["value"]) for line in drawn["pconfig"]["x_lines"]] == [("chr20", 0.0), ("chr21", 3.5)]
    facts.verdicts = [("C1", "ACCEPTED", ())]
    assert "report of each case" in text(section(facts, "ngc_copy_number"))


def test_homozygosity_and_disomy_are_told_with_their_figures(facts):
    runs = {
        "runs": 3,
        "total": 62_000_000,
        "longest": 41_250_000,
        "share": 0.0215,
        "chromosomes": {"chr2": 20, "chr6": 99},
    }
    rows = [
        {
            "contig": "chr6",
            "sites": 900,
            "maternal": 0,
            "paternal": 895,
            "told": "paternal uniparental disomy, isodisomy",
        },
        {"contig": "chr7", "sites": 1000, "maternal": 1, "paternal": 2, "told": None},
    ]
    facts.homozygosity = {"S1": {"runs_of_homozygosity": runs, "disomies": rows}}
    said = text(section(facts, "ngc_homozygosity"))
    assert "<td>62.0 Mb</td><td>2.15 %</td><td>41.2 Mb</td><td>chr6 0.0 Mb, chr2 0.0 Mb</td>" in said
    assert "S1: one parent's allele only at 898 of 1,900 sites" in said
    assert "paternal uniparental disomy, isodisomy" in said and "chr7" not in said
    facts.homozygosity = {"S1": {"runs_of_homozygosity": {**runs, "share": None}, "disomies": None}}
    assert "one parent" not in text(section(facts, "ngc_homozygosity")).split("<table")[1]


@pytest.fixture(scope="module")
def with_tumours(tmp_path_factory):
    made = make_results.add_tumours(make_results.make(tmp_path_factory.mktemp("tumours"), 2))
    return lambda **more: report.gather_run(report.Facts(made.profile, **more), made.samples, made.units, made.results)


def test_sections_of_tumours_are_there_where_there_is_one(facts, with_tumours):
    own = {"ngc_somatic", "ngc_somatic_fractions", "ngc_mutation_contexts", "ngc_tumours"}
    assert {item["id"] for item in report.sections(with_tumours())} >= own
    assert not {item["id"] for item in report.sections(facts)} & own


def test_a_tumour_without_its_normal_is_named_so(with_tumours):
    body = section(with_tumours(), "ngc_somatic")["data"]
    rows = {row[4:12]: row for row in body.split("</table>")[0].split("<tr>") if row.startswith("<td>T0")}
    assert "tumour only" in rows["T00003XY"] and "N00001XY" not in rows["T00003XY"]
    assert "N00001XY" in rows["T00001XY"] and "tumour only" not in rows["T00001XY"]
    assert "310 + 190" in rows["T00001XY"]


def test_a_burden_that_was_not_measured_says_why(with_tumours):
    facts = with_tumours()
    facts.somatic["T00003XY"]["burden"] |= {"per_megabase": None, "bases": 0}
    assert "not measured: no base with 20 reads" in section(facts, "ngc_somatic")["data"]


def test_fractions_and_contexts_are_drawn_as_counted(with_tumours):
    facts = with_tumours()
    (drawn,) = section(facts, "ngc_somatic_fractions")["data"]
    assert [y for _, y in drawn["T00001XY"]] == facts.somatic["T00001XY"]["fractions"]
    assert drawn["T00001XY"][0][0] == pytest.approx(0.025)
    found = section(facts, "ngc_mutation_contexts")
    names = [label["name"] for label in found["pconfig"]["data_labels"]]
    of_one = found["data"][names.index("T00003XY")]
    assert len(of_one) == 96
    assert {name: sum(bar.values()) for name, bar in of_one.items()} == facts.somatic["T00003XY"]["contexts"]
    assert "T00003XY: 3 SNVs beside an N" in found["extra"]
    assert list(of_one["A[C&gt;T]G" if "A[C&gt;T]G" in of_one else "A[C>T]G"]) == ["C>T"]


def test_the_report_of_a_run_leaves_contexts_to_those_of_its_cases(with_tumours):
    facts = with_tumours(verdicts=[("C90001K", "ACCEPTED", ())])
    assert section(facts, "ngc_mutation_contexts")["plot_type"] == "html"


def test_what_tumours_share_is_told_by_group(with_tumours):
    body = section(with_tumours(), "ngc_tumours")["data"]
    rows = [row.replace("</td>", "").split("<td>")[1:] for row in body.split("<tr>")]
    assert ["C90001K", "shared by all", "T00001XY, T00002XY", "4,100", "3,600"] in [
        [cell.removesuffix("</tr>") for cell in row[:5]] for row in rows
    ]
    assert body.count("private") == 2


SOMATIC_COPIES = {
    "purity": {"share": 0.686, "low": 0.657, "high": 0.71, "reason": None},
    "segments": [
        {"contig": "chr1", "start": 0, "end": 2_000_000, "ratio": [0.99, 1.0, 1.01], "minor": [0.47, 0.49, 0.5],
         "type": None, "loh": False, "filters": []},
        {"contig": "chr2", "start": 0, "end": 1_000_000, "ratio": [0.64, 0.65, 0.66], "minor": [0.22, 0.23, 0.24],
         "type": "DEL", "loh": True, "filters": []},
        {"contig": "chr2", "start": 1_000_000, "end": 1_500_000, "ratio": [1.2, 1.3, 1.4], "minor": None,
         "type": "DUP", "loh": False, "filters": ["few_bins"]},
    ],
}  # fmt: skip


def test_a_tumours_copies_are_drawn_with_the_share_of_its_cells():
    facts = report.Facts({}, somatic_copies={"T1": SOMATIC_COPIES, "T2": {"not_called": "9 usable bins"}})
    made = report.somatic_copy_number(facts)
    assert made["data"][0]["T1 copy ratio"] == [[0, 1.0], [2.0, 1.0], [2.0, 0.65], [3.0, 0.65], [3.0, 1.3], [3.5, 1.3]]
    assert made["data"][0]["T1 lesser fraction"] == [[0, 0.49], [2.0, 0.49], [2.0, 0.23], [3.0, 0.23]]
    text = made["extra"]
    assert "69 % (66 to 71 %)" in text and "T2: not called, 9 usable bins" in text
    assert "chr2:1-1000000" in text and "loss of heterozygosity" in text and "few_bins" in text


def test_a_share_of_tumour_cells_that_is_not_told_has_its_reason():
    purity = {"share": None, "low": None, "high": None, "reason": "no haplotype is lost"}
    facts = report.Facts({}, somatic_copies={"T1": {"purity": purity, "segments": []}})
    assert "not told, no haplotype is lost" in str(report.somatic_copy_number(facts))


def test_a_tumours_structural_variants_are_counted_beside_what_was_filtered():
    called = {"sample": "T1", "not_called": None, "counts": {"DEL": {"1-9 kb": 3}}, "filtered": {"in_normal": 2}}
    refused = {"sample": "T2", "not_called": "too few read pairs of N1"}
    text = str(report.somatic_structural(report.Facts({}, somatic_structural=[called, refused])))
    assert "T1: filtered: in_normal 2" in text and "T2: not called: too few read pairs of N1" in text
    assert "<td>DEL</td><td>3</td>" in text
