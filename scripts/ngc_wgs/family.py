"""Who is whose child in a case, as the tables have it."""

from __future__ import annotations

from collections.abc import Iterable

Row = dict[str, str]


def parents(rows: Iterable[Row]) -> dict[str, tuple[str | None, str | None]]:
    """Father and mother of each germline member, None where not in the case. rows: the case's rows of samples.tsv.

    The mother and the father are those of the index; a sibling is a full one, anybody else is nobody's child here.
    """
    germline = [row for row in rows if row["sample_type"] == "germline"]
    known = {row["relation"]: row["sample"] for row in germline}
    both = known.get("father"), known.get("mother")
    return {row["sample"]: both if row["relation"] in ("index", "sibling") else (None, None) for row in germline}


def trios(rows: Iterable[Row]) -> list[str]:
    """Children whose parents are both in the case."""
    return [child for child, both in parents(rows).items() if None not in both]


def pedigree(case: str, rows: Iterable[Row], profile) -> list[str]:
    """Lines of a PED file: family, person, father, mother, sex (1 with one X, else 2), phenotype (affected 2, not 1).

    Sex tells the tools how many X there are, so it follows the ploidy by which the person was called.
    """
    rows = list(rows)
    by_name, codes = {row["sample"]: row for row in rows}, {"yes": "2", "no": "1"}
    return [
        "\t".join(
            [
                case,
                person,
                father or "0",
                mother or "0",
                "1" if profile.ploidy(by_name[person]["sex"])["X"] == 1 else "2",
                codes.get(by_name[person]["affected"], "0"),
            ]
        )
        for person, (father, mother) in parents(rows).items()
    ]
