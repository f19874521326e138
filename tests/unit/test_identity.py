"""Lanes, relations, contamination and Mendel's laws, judged from what the tools said."""

import math
import random

import polars as pl
import pytest

import ngc_profile
from ngc_wgs import identity

METRICS = ngc_profile.load().data["metrics"]
LODS = METRICS["identity_concordance"]["parameters"]
KINSHIP = METRICS["kinship_concordance"]["parameters"]
CONTAMINATION = METRICS["cross_contamination_rate"]["parameters"]
MENDEL = METRICS["mendelian_error_rate"]["parameters"]


# ---- lanes -----------------------------------------------------------------------------------


def samples(**more):
    rows = {
        name: {"sample": name, "case": f"C{name}", "relation": "index", "sample_type": "germline"} for name in "ABD"
    }
    return {name: {**row, **more.get(name, {})} for name, row in rows.items()}


def lods_of(truth, same=10.0, different=-20.0, tumour=None):
    """LODs of all pairs of lanes by who they are really of; `tumour`: LOD where one of the two is a tumour's."""
    return {
        (one, other): (
            same if truth[one] == truth[other] else different,
            *([same if truth[one] == truth[other] else different] * 2 if tumour is None else [tumour] * 2),
        )
        for one in truth
        for other in truth
    }


def judged(truth, rows=None, known=(), lods=None, limits=LODS):
    """Values and reasons by sample; a lane A1 is labelled as A's, whoever it is of."""
    rows = rows or samples()
    lanes = {lane: lane[0] for lane in truth if lane not in known}
    found = {}
    for case in {rows[name]["case"] for name in lanes.values()}:
        found |= identity.judge_lanes(case, rows, lanes, lods or lods_of(truth), limits, known)
    return {name: (value["value"], value["reason"]) for name, value in found.items() if name in lanes.values()}


def people(text):
    """`A1=a A2=b`: lane -> person."""
    return dict(pair.split("=") for pair in text.split())


def test_lanes_of_one_person_each_agree():
    for value, reason in judged(people("A1=a A2=a A3=a B1=b B2=b")).values():
        assert value == 1
        assert reason in ("2 lanes compared with each other", "3 lanes compared with each other")


def test_what_a_lane_was_compared_with_is_said_and_counted():
    rows = samples(B={"case": "CA", "sample_type": "tumour"})
    truth = people("A1=a A2=a B1=a D1=d")
    lods = lods_of({**truth, "D": "d"})
    found = {}
    for case, known in (("CA", ()), ("CD", ()), ("known", ("D",))):
        of = {lane: lane[0] for lane in truth}
        judged_case = identity.judge_lanes("CD" if known else case, rows, of, lods, LODS, known)
        found |= {name if not known else "known": value for name, value in judged_case.items()}
    assert {name: (value["denominator"], value["reason"]) for name, value in found.items()} == {
        "A": (3, "2 lanes compared with each other and with sample B of the same person"),
        "B": (2, "one lane compared with sample A of the same person"),
        "D": (0, "one lane compared with those of other persons"),
        "known": (1, "one lane compared with its known genotypes"),
    }


def test_a_lane_swap_between_two_people_is_named_in_both():
    found = judged(people("A1=a A2=a A3=b B1=b B2=b B3=a"))
    assert found == {"A": (0, "lane A3 of A is B"), "B": (0, "lane B3 of B is A")}


def test_a_lane_of_nobody_here_is_told_as_such():
    found = judged(people("A1=a A2=a A3=x B1=b"))
    assert found["A"] == (0, "lane A3 of A is of a person of whom there is no sample here")
    assert found["B"][0] == 1


def test_a_lane_that_is_alike_to_a_single_lane_of_a_mixed_sample_is_named_by_that_lane():
    found = judged(people("A1=a A2=a A3=b B1=b B2=x"))
    assert found["A"] == (0, "lane A3 of A is of one person with lane B1")


def test_two_lanes_that_differ_cannot_say_which_is_right():
    value, reason = judged(people("A1=a A2=b B1=b B2=b"))["A"]
    assert value == 0
    assert (
        reason == "the lanes of A are of several persons: A1 is of a person of whom there is no sample here / A2 is B"
    )


def test_a_sample_under_two_names_is_named_in_both():
    found = judged(people("A1=a A2=a B1=a B2=a D1=d"))
    assert found["A"] == (0, "samples A and B are one person")
    assert found["B"] == (0, "samples B and A are one person")
    assert found["D"][0] == 1


def test_samples_swapped_as_a_whole_are_found_by_known_genotypes_alone():
    truth = people("A1=b A2=b B1=a B2=a")
    assert [value for value, _ in judged(truth).values()] == [1, 1]
    found = judged({**truth, "A": "a", "B": "b"}, known=("A", "B"))
    assert found == {"A": (0, "sample A is B"), "B": (0, "sample B is A")}


def test_known_genotypes_decide_which_lanes_are_right():
    found = judged({**people("A1=a A2=b A3=b B1=b"), "A": "a"}, known=("A",))
    assert found["A"][1] == "lane A2 of A is B; lane A3 of A is B"


def test_a_tumour_is_compared_by_the_lod_that_allows_for_lost_alleles():
    rows = samples(B={"case": "CA", "sample_type": "tumour"})
    truth = people("A1=a A2=a B1=t B2=t")
    found = judged(truth, rows, lods=lods_of(truth, tumour=8.0))
    assert [value for value, _ in found.values()] == [1, 1]
    assert found["B"][1].endswith("compared with each other and with sample A of the same person")
    found = judged(truth, rows)
    assert found["A"] == (0, "samples A and B are of two persons, the sheet says one")


@pytest.mark.parametrize("lod", [-2.9, 0.0, 1.4])
def test_a_lod_between_the_limits_is_not_measured(lod):
    truth = people("A1=a A2=a B1=b")
    lods = lods_of(truth)
    lods["A1", "A2"] = lods["A2", "A1"] = (lod,) * 3
    value, reason = judged(truth, lods=lods)["A"]
    assert value is None
    assert "A1, A2" in reason


def test_a_weak_lane_is_joined_by_the_sum_of_its_lods_and_not_misjudged_for_a_swapped_neighbour():
    truth = people("A1=a A2=a A3=a A4=a A5=b B1=b B2=b")
    lods = lods_of(truth)
    for other in ("A2", "A3", "A4"):
        lods["A1", other] = lods[other, "A1"] = (1.2,) * 3
    assert judged(truth, lods=lods)["A"] == (0, "lane A5 of A is B")


def test_a_lone_lane_with_too_few_reads_is_not_measured():
    truth = people("A1=a B1=b")
    lods = {**lods_of(truth), ("A1", "A1"): (0.5,) * 3}
    assert judged(truth, lods=lods)["A"][0] is None
    assert judged(truth)["A"][0] == 1


@pytest.mark.parametrize(("sites", "value"), [(50, None), (5000, 0)])
def test_relatives_are_not_called_one_person_where_the_sites_are_too_few_for_a_kinship(sites, value):
    truth, rows = people("A1=a A2=a B1=a"), samples(B={"case": "CA", "relation": "father"})
    relations = identity.judge_relations("CA", rows, {frozenset("AB"): {**PARENT, "sites": sites}}, KINSHIP)
    relatives = identity.unproven_relatives(relations, KINSHIP)
    lanes = {lane: lane[0] for lane in truth}
    found = identity.judge_lanes("CA", rows, lanes, lods_of(truth), LODS, relatives=relatives)["A"]
    assert found["value"] == value
    assert ("relatives from one person" in found["reason"]) == (value is None)


@pytest.mark.parametrize("shown", [100, 3])
def test_all_pairs_are_listed_and_of_many_lanes_only_those_not_clearly_two_persons(shown, monkeypatch):
    monkeypatch.setattr(identity, "SHOWN_LANES", shown)
    truth = people("A1=a A2=a B1=b B2=a")
    rows = identity.lod_rows(lods_of(truth), ["A1", "A2"], LODS)
    notable = {("A1", "A2", "same"), ("A1", "B2", "same"), ("A2", "B2", "same")}
    clear = {("A1", "B1", "different"), ("A2", "B1", "different")} if shown > 4 else set()
    assert {(row["left"], row["right"], row["status"]) for row in rows} == notable | clear


# ---- relations -------------------------------------------------------------------------------

UNRELATED = {"kinship": 0.0, "ibs0": 0.08, "sites": 5000}
PARENT = {"kinship": 0.25, "ibs0": 0.0004, "sites": 5000}
SIBLING = {"kinship": 0.25, "ibs0": 0.03, "sites": 5000}
SAME = {"kinship": 0.49, "ibs0": 0.0, "sites": 5000}


def trio(**pairs):
    """Relations and kinship values of a trio I (index), M, F; pairs by letters, IM=PARENT."""
    rows = {
        letter: {"sample": letter, "case": "T", "relation": relation, "sample_type": "germline"}
        for letter, relation in zip("IMF", ("index", "mother", "father"), strict=True)
    }
    king = {frozenset(pair): value for pair, value in {"IM": PARENT, "IF": PARENT, "MF": UNRELATED, **pairs}.items()}
    relations = identity.judge_relations("T", rows, king, KINSHIP)
    values = identity.judge_kinship("T", rows, relations, KINSHIP)
    return relations, {name: (value["value"], value["reason"]) for name, value in values.items()}


def test_right_parents_agree():
    relations, values = trio()
    assert [row["status"] for row in relations] == ["PASS"] * 3
    assert [value for value, _ in values.values()] == [1, 1, 1]


def test_a_wrong_father_is_named_and_the_mother_is_right():
    _, values = trio(IF=UNRELATED)
    assert values["I"][0] == values["F"][0] == 0
    assert "index I and father F: declared parent and child, observed unrelated" in values["F"][1]
    assert values["M"][0] == 1


def test_swapped_generations_are_told_by_who_is_the_child():
    _, values = trio(IM=UNRELATED, MF=PARENT)
    assert {value for value, _ in values.values()} == {0}
    assert all("the child is F, declared father" in reason for _, reason in values.values())


def test_a_sister_as_the_mother_is_told_by_ibs0():
    _, values = trio(IM=SIBLING)
    assert values["M"][0] == 0
    assert "observed siblings" in values["M"][1]


def test_parents_who_are_related_warn_and_do_not_fail():
    relations, values = trio(MF={**SIBLING, "kinship": 0.13})
    assert [row["status"] for row in relations] == ["PASS", "PASS", "WARN"]
    assert [value for value, _ in values.values()] == [1, 1, 1]


@pytest.mark.parametrize(
    ("pair", "reason"),
    [
        ({**PARENT, "sites": 999}, "999 sites with genotypes of both, 1000 are needed"),
        ({**PARENT, "kinship": 0.18}, "observed undetermined"),
        ({**PARENT, "ibs0": 0.006}, "observed first degree"),
        ({"kinship": math.nan, "ibs0": math.nan, "sites": 0}, "0 sites"),
    ],
)
def test_what_lies_between_the_zones_or_on_too_few_sites_is_not_measured(pair, reason):
    relations, values = trio(IF=pair)
    assert values["F"][0] is None
    assert reason in values["F"][1]
    assert "NOT_MEASURED" in [row["status"] for row in relations]


def test_a_pair_that_plink_left_out_is_not_measured():
    rows = {
        letter: {"sample": letter, "case": "T", "relation": r, "sample_type": "germline"}
        for letter, r in (("I", "index"), ("M", "mother"))
    }
    relations = identity.judge_relations("T", rows, {}, KINSHIP)
    assert identity.judge_kinship("T", rows, relations, KINSHIP)["I"]["value"] is None


def test_a_tumour_that_lost_alleles_is_no_relative_of_its_normal():
    rows = {
        letter: {"sample": letter, "case": "T", "relation": "index", "sample_type": kind}
        for letter, kind in (("N", "germline"), ("T", "tumour"))
    }
    told = {}
    for name, pair in (("lost", {"kinship": 0.25, "ibs0": 0.02, "sites": 5000}), ("whole", SAME)):
        (row,) = identity.judge_relations("T", rows, {frozenset("NT"): pair}, KINSHIP)
        told[name] = row["status"]
    assert told == {"lost": "NOT_MEASURED", "whole": "PASS"}


def test_undeclared_relatives_and_duplicates_across_cases_are_listed():
    rows = samples()
    king = {frozenset("AB"): PARENT, frozenset("AD"): SAME, frozenset("BD"): UNRELATED}
    found = [(row["b"], row["observed"], row["status"]) for row in identity.judge_relations("CA", rows, king, KINSHIP)]
    assert found == [("B", "parent and child", "WARN"), ("D", "same person", "FAIL")]
    assert identity.judge_kinship("CA", rows, [], KINSHIP) == {}


# ---- contamination and Mendel ----------------------------------------------------------------


def pileups(sites, depth=30, frequency=0.15, alt=0):
    row = {"ref_count": str(depth - alt), "alt_count": str(alt), "allele_frequency": str(frequency)}
    return [{**row, "contig": "chr1", "position": str(number)} for number in range(sites)]


def test_an_estimate_of_nothing_from_few_sites_is_not_measured_though_gatk_gives_it_no_error():
    found = identity.judge_contamination(0.0, 4.8e-7, pileups(60), CONTAMINATION)
    assert found["value"] is None
    assert found["error"] > CONTAMINATION["maximum_error"]
    assert "too few sites" in found["reason"]


def test_the_same_estimate_from_many_sites_is_measured_with_an_error_that_is_not_nothing():
    found = identity.judge_contamination(0.0, 4.8e-7, pileups(4000), CONTAMINATION)
    assert found["value"] == 0
    assert 0.0005 < found["error"] < 0.003


def test_a_contamination_far_above_the_gate_counts_whatever_its_error():
    assert identity.judge_contamination(0.2, 0.05, pileups(300), CONTAMINATION)["value"] == 0.2
    assert identity.judge_contamination(0.06, 0.05, pileups(300), CONTAMINATION)["value"] is None


def test_fewer_sites_than_the_profile_wants_are_not_measured():
    found = identity.judge_contamination(0.3, 0.01, pileups(19), CONTAMINATION)
    assert (found["value"], found["reason"]) == (None, "19 homozygous sites with reads, 20 are needed")


def test_gatk_tables_are_read_with_their_sites():
    table = "sample\tcontamination\terror\nS\t0.05\t0.002\n"
    summary = "#<METADATA>SAMPLE=S\ncontig\tposition\tref_count\talt_count\tother_alt_count\tallele_frequency\n"
    summary += "".join(f"chr1\t{number}\t1\t29\t0\t0.15\n" for number in range(400))
    found = identity.read_gatk_contamination(table, summary, "x.gatk.contamination", CONTAMINATION)
    assert (found["value"], found["denominator"]) == (0.05, 400)


def test_freemix_is_read():
    text = "#SEQ_ID\tRG\tCHIP_ID\t#SNPS\t#READS\tAVG_DP\tFREEMIX\nS\tNA\tNA\t100000\t3000000\t30\t0.021\n"
    assert identity.read_verifybamid2(text, "x", CONTAMINATION)["value"] == 0.021
    assert identity.read_verifybamid2(text.replace("100000", "10"), "x", CONTAMINATION)["value"] is None


VIOLATIONS = "## x\nFAMILY_ID\tNUM_VARIANT_SITES\tTOTAL_MENDELIAN_VIOLATIONS\nT\t{}\t{}\n\n"


def test_mendelian_errors_are_a_share_with_its_error():
    found = identity.read_mendel(VIOLATIONS.format(10_000, 100), "x", MENDEL)
    assert found == {"value": 0.01, "denominator": 10_000, "error": 0.000995, "reason": "100 of 10000 sites"}
    found = identity.read_mendel(VIOLATIONS.format(99, 0), "x", MENDEL)
    assert (found["value"], found["reason"]) == (None, "99 sites with genotypes of all three, 100 are needed")


CROSSCHECK = "LEFT_GROUP_VALUE\tLOD_SCORE\tLOD_SCORE_TUMOR_NORMAL\tLOD_SCORE_NORMAL_TUMOR\tLEFT_SAMPLE\tRIGHT_SAMPLE\n"


@pytest.mark.parametrize(
    "text", ["", "## only comments\n", "{header}", "{header}broken\n", "{header}a\tb\tc\td\te\tf\n"]
)
def test_an_empty_or_broken_output_of_a_tool_is_an_error_and_nothing_passes(text):
    for read, header in (
        (lambda text: identity.read_crosscheck(text, "place", ["A1"]), CROSSCHECK),
        (lambda text: identity.read_king(text, "place"), None),
        (lambda text: identity.read_mendel(text, "place", MENDEL), VIOLATIONS.splitlines()[1] + "\n"),
        (lambda text: identity.read_verifybamid2(text, "place", CONTAMINATION), "#SEQ_ID\t#SNPS\tFREEMIX\n"),
        (
            lambda text: identity.read_gatk_contamination(text, "", "place", CONTAMINATION),
            "sample\tcontamination\terror\n",
        ),
    ):
        if header is None and "{header}" in text:
            continue
        with pytest.raises(identity.IdentityError, match=r"^place: .* Mend: "):
            read(text.format(header=header))


def test_a_report_that_lacks_a_pair_of_the_cases_lanes_is_an_error():
    text = CROSSCHECK + "x\t9\t8\t7\tA1\tA1\n"
    assert identity.read_crosscheck(text, "place", ["A1"]) == {("A1", "A1"): (9, 8, 7)}
    with pytest.raises(identity.IdentityError, match="lacks 3 pairs of lanes, the first is A1 and A2"):
        identity.read_crosscheck(text, "place", ["A1", "A2"])


def test_a_fingerprint_that_ends_inside_a_record_is_an_error():
    head = "##x\n#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\tFORMAT\tA1\tA2\n"
    line = "chr1\t5\t.\tA\tC\t.\t.\t.\tGT:PL\t0/1:30,0,40\t0/0:0,3,30\n"
    lanes, found = identity.read_fingerprint((head + line).splitlines(), "p")
    assert (lanes, found) == (["A1", "A2"], {("chr1", 5): [[30, 0, 40], [0, 3, 30]]})
    assert identity.genotypes_of(found, [("chr1", 4), ("chr1", 5)]) == ".1"
    for text in (head + line[:-14], "##x\n", ""):
        with pytest.raises(identity.IdentityError, match=r"^p: "):
            identity.read_fingerprint(text.splitlines(), "p")


# ---- the population's sites ------------------------------------------------------------------


def candidates(rows):
    return pl.DataFrame(rows, schema=["chrom", "pos", "ref", "alt", "af"], orient="row")


def even(count=100, frequency=0.4, step=100):
    return candidates([("chr1", step * number + 10, "A", "C", frequency) for number in range(count)])


def test_one_site_in_each_window_the_most_informative_or_the_known_one():
    frame = candidates(
        [
            ("chr1", 10, "A", "C", 0.2),
            ("chr1", 60, "A", "C", 0.45),
            ("chr1", 130, "A", "C", 0.3),
            ("chrX", 7, "A", "C", 0.5),
        ]
    )
    assert identity.choose_sites(frame, ["chr1"], 100, set())[0]["pos"].to_list() == [60, 130]
    assert identity.choose_sites(frame, ["chr1"], 100, {("chr1", 10)})[0]["pos"].to_list() == [10, 130]


def test_sites_for_contamination_are_rare_and_near_a_site_for_identity():
    frame = candidates(
        [
            ("chr1", 500, "A", "C", 0.5),
            ("chr1", 700, "A", "C", 0.05),
            ("chr1", 800, "A", "C", 0.15),
            ("chr1", 90_000, "A", "C", 0.15),
            ("chr1", 95_500, "A", "C", 0.09),
        ]
    )
    chosen, common = identity.choose_sites(frame, ["chr1"], 10_000, set())
    assert chosen["pos"].to_list() == [500, 90_000]
    assert common["pos"].to_list() == [800, 90_000]
    far = identity.choose_sites(frame.filter(pl.col("pos") != 90_000), ["chr1"], 10_000, set())[1]
    assert far["pos"].to_list() == [800]


@pytest.mark.parametrize(
    ("frame", "said"),
    [
        (even(count=1), "1 sites for identity"),
        (even(frequency=1.0), "0 sites for identity"),
        (even(frequency=0.0), "0 sites for identity"),
        (even(frequency=0.4), "0 sites for contamination"),
    ],
)
def test_a_map_of_one_site_and_a_monomorphic_panel_are_refused(frame, said):
    chosen, common = identity.choose_sites(frame, ["chr1"], 100, set())
    faults = identity.site_faults("p.vcf.gz", chosen, common, lambda *_: "A", 100)
    assert any(fault.startswith(f"p.vcf.gz: {said}") and "Mend: " in fault for fault in faults)


def test_a_panel_that_serves_has_no_fault_and_one_of_another_sequence_has():
    chosen, common = identity.choose_sites(even(frequency=0.15), ["chr1"], 100, set())
    assert identity.site_faults("p", chosen, common, lambda *_: "A", 100) == []
    (fault,) = identity.site_faults("p", chosen, common, lambda *_: "G", 100)
    assert "another build: REF is not the reference's base at 200 of 200 sites, the first is chr1:10" in fault


@pytest.mark.parametrize(
    ("lengths", "info", "said"),
    [
        ({"chr1": 1000}, ["AF"], None),
        ({"chr1": None}, ["AF"], None),
        ({"chr1": 999}, ["AF"], "another build: chr1 has 999 bp there and 1000 in the reference"),
        ({"1": 1000}, ["AF"], "no contig of the reference is in its header"),
        ({}, ["AF"], "no contig of the reference is in its header"),
        ({"chr1": 1000}, ["AC", "AN"], "has no INFO/AF"),
    ],
)
def test_a_population_of_another_build_or_without_frequencies_is_refused(lengths, info, said):
    faults = identity.header_faults("p.vcf.gz", lengths, info, {"chr1": 1000})
    assert bool(faults) == bool(said)
    assert all(said in fault and fault.startswith("p.vcf.gz: ") and "Mend: " in fault for fault in faults)


def test_the_map_holds_no_more_sites_than_a_lod_needs_and_they_are_spread():
    frame = even(count=5000).with_columns(contig=pl.lit(0))
    sites = [line.split("\t")[1] for line in identity.haplotype_map(frame, {"chr1": 10}).splitlines()[3:]]
    assert len(sites) == 1667
    assert sites[:2] == ["10", "310"]


def test_genotypes_are_called_from_all_lanes_together():
    assert identity.genotype([[0, 12, 90], [0, 12, 100]]) == "0"
    assert identity.genotype([[0, 12, 90]]) == "."
    assert identity.genotype([[90, 0, 90]]) == "1"
    assert identity.genotype([]) == "."


def test_the_vcf_for_plink_has_a_column_of_nobody():
    lines = identity.genotypes_vcf([("chr1", 5)], {"A": "1"}).splitlines()
    assert lines[-2].endswith("FORMAT\tA\tnobody")
    assert lines[-1].endswith("GT\t0/1\t./.")


def test_the_vcf_for_plink_has_every_sample_at_every_site_and_pairs_of_the_case_only():
    text = identity.genotypes_vcf([("chr1", 5), ("chr1", 9)], {"A": "02", "B": ".1"})
    assert [line.split("\t")[9:] for line in text.splitlines()[-2:]] == [["0/0", "./.", "./."], ["1/1", "0/1", "./."]]
    pairs = identity.king_pairs(["A", "B"], ["C"]).splitlines()[1:]
    assert pairs == ["A\tB", "A\tC", "A\tnobody", "B\tC", "B\tnobody"]


def test_of_a_large_run_each_lane_is_compared_with_the_samples_that_explain_its_reads_best():
    sites = [("chr1", number) for number in range(60)]
    rng = random.Random(5)
    people = {f"P{number}": "".join(rng.choices("0112", k=60)) for number in range(40)}
    weak = {"0": [0, 3, 25], "1": [20, 0, 20], "2": [25, 3, 0]}
    lanes = {site: [weak[people["P7"][n]], weak[people["P31"][n]], None] for n, site in enumerate(sites)}
    blank = {**people, "EMPTY": "." * 60}
    assert identity.nearest(lanes, sites, blank, 1) >= {"P7", "P31"}
    assert len(identity.nearest(lanes, sites, blank, 3)) <= 9
    assert identity.nearest(lanes, sites, {}, 3) == set()


def test_only_other_cases_with_the_same_sites_are_compared(tmp_path):
    for case, sites in (("A", "s"), ("B", "s"), ("D", "other")):
        (tmp_path / f"{case}.genotypes.json").write_text(f'{{"case": "{case}", "sites_sha256": "{sites}"}}')
    assert [report["case"] for report in identity.peers("A", ["A", "B", "D", "E"], "s", tmp_path)] == ["B"]
