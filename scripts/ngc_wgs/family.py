"""Who is whose child in a case, as the tables have it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Container, Iterable

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


def summary(case: str, rows: Iterable[Row], records: Iterable[str], autosomes: Container[str]) -> dict:
    """What a case's report tells of its joint VCF. rows: the case's rows of samples.tsv.

    records: lines of number of records, contig, filter, type (bcftools), DENOVO_HIGH, DENOVO_LOW and a `SAMPLE=GT` for
    each column. Only PASS records count, but for `filtered`. carried: records of which a member has an allele that is
    not the reference's; mendelian_sites: autosomal ones where a child and both its parents are called, of these
    mendelian_errors where the parents cannot give what the child has. None of both for who has not both parents here.
    """
    rows = list(rows)
    of, children = parents(rows), trios(rows)
    variants = dict.fromkeys(("snvs", "indels", "filtered"), 0)
    carried, candidates, sites, errors = Counter(), Counter(), Counter(), Counter()
    for line in records:
        number, contig, filters, kind, high, low, *calls = line.rstrip("\n").split("\t")
        n = int(number)
        if filters not in ("PASS", "."):
            variants["filtered"] += n
            continue
        variants["snvs" if kind == "SNP" else "indels"] += n
        called = {}
        for sample, genotype in (call.split("=") for call in calls):
            called[sample] = genotype.replace("|", "/").split("/")
            carried[sample] += n * any(allele not in "0." for allele in called[sample])
        for level, names in (("high", high), ("low", low)):
            candidates.update({(name, level): n for name in names.split(",") if name != "."})
        for child in children if contig in autosomes else ():
            own, father, mother = (called[name] for name in (child, *of[child]))
            if "." in own + father + mother or len(own) != 2:
                continue
            sites[child] += n
            first, second = own
            given = (first in father and second in mother) or (second in father and first in mother)
            errors[child] += 0 if given else n
    members = []
    for row in rows:
        sample = row["sample"]
        if sample not in of:
            continue
        member = {key: row[key] for key in ("sample", "relation", "sex", "affected")}
        member |= dict(zip(("father", "mother"), of[sample], strict=True), carried=carried[sample])
        for key, value in (
            ("denovo_high", candidates[sample, "high"]),
            ("denovo_low", candidates[sample, "low"]),
            ("mendelian_sites", sites[sample]),
            ("mendelian_errors", errors[sample]),
        ):
            member[key] = value if sample in children else None
        members.append(member)
    return {"case": case, "variants": variants, "members": members}
