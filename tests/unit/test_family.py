"""Who is whose child: pedigrees from the table's rows."""

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
