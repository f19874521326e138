"""Who is whose child: pedigrees from the table's rows."""

import itertools

import ngc_profile
from ngc_wgs import family

PROFILE = ngc_profile.load()


def person(sample, relation, sex="male", affected="no", sample_type="germline"):
    return {"sample": sample, "relation": relation, "sex": sex, "affected": affected, "sample_type": sample_type}


TRIO = [person("KID", "index", affected="yes"), person("MUM", "mother", "female"), person("DAD", "father")]


def test_an_index_and_siblings_are_the_parents_children_and_nobody_else_is():
    rows = [*TRIO, person("SIS", "sibling", "female"), person("UNCLE", "other")]
    both, none = ("DAD", "MUM"), (None, None)
    assert family.parents(rows) == {"KID": both, "MUM": none, "DAD": none, "SIS": both, "UNCLE": none}
    assert family.trios(rows) == ["KID", "SIS"]


def test_a_duo_has_no_trio():
    assert family.parents(TRIO[:2])["KID"] == (None, "MUM")
    assert family.trios(TRIO[:2]) == []


def test_a_tumour_is_no_member_of_the_family():
    rows = [*TRIO, person("CANCER", "index", sample_type="tumour")]
    assert family.parents(rows).keys() == {"KID", "MUM", "DAD"}


def test_the_sex_of_a_pedigree_follows_the_copies_of_x():
    rows = [*TRIO[1:], person("KID", "index", "unknown", "unknown")]
    assert family.pedigree("CASE", rows, PROFILE) == [
        "CASE\tMUM\t0\t0\t2\t1",
        "CASE\tDAD\t0\t0\t1\t1",
        "CASE\tKID\tDAD\tMUM\t2\t0",
    ]


def line(number, *, contig="chr1", filters="PASS", kind="SNP", high=".", low=".", kid="0/1", mum="0/1", dad="0/0"):
    """Records as bcftools counts them."""
    calls = (f"{name}={genotype}" for name, genotype in (("DAD", dad), ("KID", kid), ("MUM", mum)))
    return "\t".join([str(number), contig, filters, kind, high, low, *calls]) + "\n"


def test_a_summary_counts_variants_candidates_and_what_the_parents_cannot_give():
    records = [
        line(7),
        line(2, kid="1|1", kind="INDEL"),  # against Mendel: the father has no alternative allele
        line(3, mum="0/0", high="KID"),  # new in the child
        line(1, mum="0/0", low="KID", filters="QD2"),
        line(5, mum="./.", contig="chr2"),
        line(4, contig="chrX", kid="1", dad="0"),
        line(6, contig="chrX", kid="0", mum="0/0", dad="1"),
    ]
    found = family.summary("CASE", TRIO, records, {"chr1", "chr2"})
    assert found["case"] == "CASE"
    assert found["variants"] == {"snvs": 25, "indels": 2, "filtered": 1}
    kid, mum, dad = found["members"]
    assert kid == {
        "sample": "KID", "relation": "index", "sex": "male", "affected": "yes", "father": "DAD", "mother": "MUM",
        "carried": 21, "denovo_high": 3, "denovo_low": 0, "mendelian_sites": 12, "mendelian_errors": 5,
    }  # fmt: skip
    assert (mum["carried"], mum["denovo_high"], mum["mendelian_sites"]) == (13, None, None)
    assert (dad["carried"], dad["father"]) == (6, None)


def test_a_duo_has_no_candidates_and_no_mendel():
    records = ["3\tchr1\tPASS\tSNP\t.\t.\tKID=1/1\tMUM=0/0\n"]
    kid, mum = family.summary("CASE", TRIO[:2], records, {"chr1"})["members"]
    assert (kid["mother"], kid["carried"], kid["denovo_high"], kid["mendelian_errors"]) == ("MUM", 3, None, None)
    assert mum["carried"] == 0


def test_no_table_can_hold_a_loop():
    """Whatever the relations are, nobody is an ancestor of himself: only an index and siblings have parents."""
    relations = [entry["code"] for entry in PROFILE.data["vocabularies"]["relations"]]
    for chosen in itertools.product(relations, repeat=3):
        rows = [person(f"P{at}", relation) for at, relation in enumerate(chosen)]
        parents = family.parents(rows)
        for child, both in parents.items():
            for parent in filter(None, both):
                assert parent != child and parents[parent] == (None, None)
