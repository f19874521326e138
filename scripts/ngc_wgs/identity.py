"""Whose reads are these: the sites that are looked at, and the judgement of lanes, relations, contamination and Mendel.

The measuring is done by others: Picard CrosscheckFingerprints (LOD of two lanes being one person), plink2 (kinship and
IBS0 by KING-robust, Manichaikul et al. 2010, Bioinformatics 26:2867), GATK CalculateContamination or VerifyBamID2, and
Picard FindMendelianViolations. Limits are the profile's (`parameters` of the metric). What cannot be told says so with
its reason and is never an agreement. A measured value is {value, denominator, error, reason}.
"""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from itertools import combinations
from pathlib import Path
from typing import Any

from ngc_wgs import SHOWN_LANES

IDENTITY_FREQUENCY = (0.1, 0.9)
"""Allele frequency of the sites for lanes and relations: rarer ones tell few persons apart."""
COMMON_FREQUENCY = (0.01, 0.2)
"""Of the sites for contamination; the limits of GATK GetPileupSummaries."""
REACH = 5_000
"""bp from an identity site to a site for contamination, so that both lie in one container of the CRAM."""
MAP_SITES = 2_000
"""Sites of the haplotype map: far more than a LOD needs, few enough for the lanes of a thousand genomes in memory."""
NEAREST = 5
"""Samples that each lane is compared with in a run of more than SHOWN_LANES lanes."""
FEWEST_SITES = 20
"""For identity; below this the resource cannot serve and is refused. Few sites for contamination are NOT_MEASURED."""
GENOTYPE_QUALITY = 20
"""Phred: a genotype for kinship is this much likelier than the next."""
MEND_VCF = "name a bgzipped, indexed VCF of SNVs with INFO/AF, made on the reference of this run"
SEVERAL = {"sibling", "other"}
"""Relations that several persons of a case may have."""


class IdentityError(Exception):
    """A resource or a tool's output that cannot be used; the message names the place and the mend."""


def measured(value: float | None, denominator: float | None, error: float | None, reason: str) -> dict[str, Any]:
    """One measured value as it goes into a report; value None: not measured, for this reason."""
    return {"value": value, "denominator": denominator, "error": error, "reason": reason}


def read_fai(path: str | Path) -> dict[str, int]:
    """Contig lengths (bp) of a FASTA's index, in its order."""
    rows = (line.split("\t") for line in Path(path).read_text().splitlines())
    return {row[0]: int(row[1]) for row in rows}


# ---- the population's sites ------------------------------------------------------------------


def header_faults(
    vcf: str, lengths: Mapping[str, int | None], info: Iterable[str], reference: Mapping[str, int]
) -> list[str]:
    """What is wrong with a population VCF by its header: contigs of another build, or no allele frequency.

    lengths: contigs of its header; info: its INFO keys; reference: contig lengths of the run's FASTA.
    """
    faults = []
    shared = [name for name in lengths if name in reference]
    if not shared:
        theirs, ours = ", ".join(list(lengths)[:3]) or "none", ", ".join(list(reference)[:3])
        faults.append(f"{vcf}: no contig of the reference is in its header (it has {theirs}, the reference {ours})")
    for name in shared:
        if lengths[name] and lengths[name] != reference[name]:
            faults.append(
                f"{vcf}: another build: {name} has {lengths[name]} bp there and {reference[name]} in the reference"
            )
    if "AF" not in info:
        faults.append(f"{vcf}: has no INFO/AF")
    return [f"{fault}. Mend: {MEND_VCF}." for fault in faults[:5]]


def choose_sites(candidates, autosomes: Sequence[str], spacing: int, known: set[tuple[str, int]]):
    """(identity, contamination) sites of a polars frame chrom, pos, ref, alt, af; at most one of each in `spacing` bp.

    Of several the known ones go first, then the most informative: allele frequency nearest to one half, and for
    contamination the highest, within REACH of the identity site.
    """
    import polars as pl

    order = {name: number for number, name in enumerate(autosomes)}
    frame = candidates.filter(pl.col("chrom").is_in(list(order)))
    frame = frame.unique(["chrom", "pos"], keep="none", maintain_order=True).with_columns(
        contig=pl.col("chrom").replace_strict(order, default=None, return_dtype=pl.Int32),
        window=pl.col("pos") // spacing,
        maf=pl.min_horizontal("af", 1 - pl.col("af")),
        known=pl.struct("chrom", "pos").map_elements(lambda row: (row["chrom"], row["pos"]) in known, pl.Boolean)
        if known
        else pl.lit(False),
    )
    best = (
        frame.filter(pl.col("af").is_between(*IDENTITY_FREQUENCY))
        .sort(["known", "maf"], descending=True, maintain_order=True)
        .unique(["contig", "window"], keep="first", maintain_order=True)
        .sort("contig", "pos")
    )
    # Windows are cut at fixed places, so two neighbours may still be near.
    near = (pl.col("pos") - pl.col("pos").shift(1).over("contig")) < spacing // 2
    best = best.filter(~near.fill_null(False) | pl.col("known"))
    common = (
        frame.filter(pl.col("af").is_between(*COMMON_FREQUENCY))
        .sort("contig", "pos")
        .join_asof(
            best.select("contig", "pos", centre="pos"),
            on="pos",
            by="contig",
            strategy="nearest",
            check_sortedness=False,
        )
        .filter((pl.col("pos") - pl.col("centre")).abs() <= REACH)
        .sort("af", descending=True, maintain_order=True)
        .unique(["contig", "window"], keep="first", maintain_order=True)
        .sort("contig", "pos")
    )
    return best, common


def site_faults(vcf: str, identity, common, base_at, spacing: int) -> list[str]:
    """Why the chosen sites cannot serve: too few of a kind, or a REF that is not the reference's base there.

    base_at: function of contig and 1-based position.
    """
    faults = []
    wrong = [
        f"{row['chrom']}:{row['pos']}"
        for frame in (identity, common)
        for row in frame.iter_rows(named=True)
        if base_at(row["chrom"], row["pos"]) not in (row["ref"], "N")
    ]
    if wrong:
        faults.append(
            f"{vcf}: another build: REF is not the reference's base at {len(wrong)} of {len(identity) + len(common)}"
            f" sites, the first is {wrong[0]}. Mend: {MEND_VCF}."
        )
    for frame, (low, high), use, fewest in (
        (identity, IDENTITY_FREQUENCY, "identity", FEWEST_SITES),
        (common, COMMON_FREQUENCY, "contamination", 1),
    ):
        if len(frame) < fewest:
            faults.append(
                f"{vcf}: {len(frame)} sites for {use} (autosomal SNVs with AF {low} to {high}, one in {spacing} bp),"
                f" at least {fewest} are needed. Mend: name a VCF with more variable sites, or for a small"
                " reference lower population.spacing."
            )
    return faults


def haplotype_map(identity, lengths: Mapping[str, int]) -> str:
    """Picard's haplotype map, every site its own block; at most MAP_SITES, spread evenly. MAF is that of ALT."""
    lines = ["@HD\tVN:1.6\tSO:unsorted", *(f"@SQ\tSN:{name}\tLN:{length}" for name, length in lengths.items())]
    lines.append("#CHROMOSOME\tPOSITION\tNAME\tMAJOR_ALLELE\tMINOR_ALLELE\tMAF\tANCHOR_SNP\tPANELS")
    step = -(-len(identity) // MAP_SITES)
    for row in identity[::step].iter_rows(named=True):
        place = f"{row['chrom']}:{row['pos']}"
        lines.append(f"{row['chrom']}\t{row['pos']}\t{place}\t{row['ref']}\t{row['alt']}\t{row['af']:.6g}\t\t")
    return "\n".join(lines) + "\n"


def common_vcf(common, lengths: Mapping[str, int]) -> str:
    """The sites for contamination as a VCF without genotypes, with INFO/AF."""
    lines = ["##fileformat=VCFv4.2", *(f"##contig=<ID={name},length={length}>" for name, length in lengths.items())]
    lines.append('##INFO=<ID=AF,Number=A,Type=Float,Description="Allele frequency in the population">')
    lines.append("#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO")
    for row in common.iter_rows(named=True):
        lines.append(f"{row['chrom']}\t{row['pos']}\t.\t{row['ref']}\t{row['alt']}\t.\t.\tAF={row['af']:.6g}")
    return "\n".join(lines) + "\n"


# ---- fingerprints and genotypes --------------------------------------------------------------


def genotype(likelihoods: Sequence[Sequence[int]]) -> str:
    """Copies of ALT (0, 1, 2) by the PLs of a sample's lanes together, or `.` where they do not tell."""
    sums = [sum(values) for values in zip(*likelihoods, strict=True)]
    if not sums:
        return "."
    first, second, _ = sorted(sums)
    return "." if second - first < GENOTYPE_QUALITY else str(sums.index(first))


Likelihoods = dict[tuple[str, int], list[list[int] | None]]
"""Contig and 1-based position -> PLs of each lane (0, 1, 2 copies of ALT), None where a lane has none."""


def read_fingerprint(lines: Iterable[str], place: str) -> tuple[list[str], Likelihoods]:
    """(lanes, their likelihoods at each site) of a fingerprint VCF: one column per lane, FORMAT/PL.

    Raises IdentityError where it is empty or ends inside a record.
    """
    lanes: list[str] = []
    found: Likelihoods = {}
    for line in lines:
        fields = line.rstrip("\n").split("\t")
        if line.startswith("#CHROM"):
            lanes = fields[9:]
        elif not line.startswith("#"):
            if len(fields) != 9 + len(lanes):
                raise unusable(place, "ends inside a record")
            keys = fields[8].split(":")
            index = keys.index("PL") if "PL" in keys else None
            likelihoods: list[list[int] | None] = []
            for cell in fields[9:]:
                values = cell.split(":")[index].split(",") if index is not None else []
                told = len(values) == 3 and "." not in values
                likelihoods.append([int(value) for value in values] if told else None)
            found[fields[0], int(fields[1])] = likelihoods
    if not lanes:
        raise unusable(place, "has no lanes")
    return lanes, found


def genotypes_of(likelihoods: Likelihoods, sites: Iterable[tuple[str, int]]) -> str:
    """A sample's genotypes by its lanes together, a character per site as `genotype` gives it."""
    return "".join(genotype([told for told in likelihoods.get(site, []) if told]) for site in sites)


def _codes(genotypes: Iterable[str]):
    """Samples x sites: copies of ALT, 3 where there is no genotype."""
    import numpy as np

    rows = [np.frombuffer(text.encode(), np.uint8) for text in genotypes]
    return np.minimum(np.stack(rows) - np.uint8(ord("0")), np.uint8(3))  # "." is below "0" and wraps around


def nearest(
    likelihoods: Likelihoods, sites: Sequence[tuple[str, int]], genotypes: Mapping[str, str], count: int
) -> set[str]:
    """The `count` samples for each lane whose genotypes explain its reads best, against those of a stranger.

    genotypes: a character per site, by sample. By log10 of the odds, alleles taken as equally frequent, which the sites
    are chosen to be: this says whom to compare with, and judges nobody.
    """
    import numpy as np

    if not genotypes:
        return set()
    names, codes = list(genotypes), _codes(genotypes.values())
    found: set[str] = set()
    for lane in range(len(next(iter(likelihoods.values()), []))):
        told = np.zeros((len(sites), 4))
        for number, site in enumerate(sites):
            if site in likelihoods and (values := likelihoods[site][lane]):
                told[number, :3] = values
        told[:, :3] /= -10
        told[:, :3] -= np.log10(10 ** told[:, :3] @ np.array([0.25, 0.5, 0.25]))[:, None]
        scores = told[np.arange(len(sites)), codes].sum(axis=1)
        found |= {names[number] for number in np.argsort(-scores, kind="stable")[:count]}
    return found


def genotypes_vcf(sites: Sequence[tuple[str, int]], genotypes: Mapping[str, str]) -> str:
    """All samples' genotypes as a VCF for plink2, which wants two at least: so there is `nobody`, never genotyped.

    genotypes: a character per site, as `genotype` gives it.
    """
    import numpy as np

    lines = ["##fileformat=VCFv4.2", '##FORMAT=<ID=GT,Number=1,Type=String,Description="Genotype">']
    lines.append(
        "\t".join(["#CHROM", "POS", "ID", "REF", "ALT", "QUAL", "FILTER", "INFO", "FORMAT", *genotypes, "nobody"])
    )
    cells = np.array([b"\t0/0", b"\t0/1", b"\t1/1", b"\t./."])[_codes(genotypes.values()).T]
    for (contig, pos), row in zip(sites, cells, strict=True):
        lines.append(f"{contig}\t{pos}\t{contig}:{pos}\tA\tC\t.\t.\t.\tGT{row.tobytes().decode()}\t./.")
    return "\n".join(lines) + "\n"


def king_pairs(own: Iterable[str], others: Iterable[str]) -> str:
    """The pairs that plink2 shall tell of: those of a case, and its samples with all others and `nobody`."""
    own = list(own)
    pairs = [*combinations(own, 2), *((a, b) for a in own for b in (*others, "nobody"))]
    return "".join(f"{a}\t{b}\n" for a, b in [("#IID1", "IID2"), *pairs])


def digest(text: str) -> str:
    """Which sites a fingerprint was made of: those of another set are not compared."""
    return hashlib.sha256(text.encode()).hexdigest()


def peers(own_case: str, cases: Iterable[str], sites: str, folder: Path) -> Iterator[dict]:
    """Genotype reports of the other cases that are there and were made of the same sites."""
    for case in cases:
        path = folder / f"{case}.genotypes.json"
        if case != own_case and path.is_file():
            report = json.loads(path.read_text())
            if report["sites_sha256"] == sites:
                yield report


# ---- what the tools say ----------------------------------------------------------------------


def unusable(place: str, what: str) -> IdentityError:
    """The error for a tool's output that is empty or broken."""
    return IdentityError(f"{place}: {what}. Mend: delete the file and start the same command again.")


def table(text: str, place: str, first: str) -> list[dict[str, str]]:
    """Rows of a tab-separated report whose header line starts with `first`, up to a blank line.

    Raises IdentityError where there is no such header or a row has another number of cells.
    """
    lines = text.splitlines()
    start = next((number for number, line in enumerate(lines) if line.startswith(first)), None)
    if start is None:
        raise unusable(place, f"has no line that starts with {first}")
    header, rows = lines[start].split("\t"), []
    for line in lines[start + 1 :]:
        if not line.strip():
            break
        cells = line.split("\t")
        if len(cells) != len(header):
            raise unusable(place, "ends inside a row")
        rows.append(dict(zip(header, cells, strict=True)))
    return rows


def only_row(text: str, place: str, first: str, columns: Mapping[str, type], what: str) -> list[Any]:
    """Cells of a report of one row, each of its type. Raises IdentityError, that it is not `what`, where one is not."""
    rows = table(text, place, first)
    try:
        (row,) = rows
        return [kind(row[name]) for name, kind in columns.items()]
    except (KeyError, ValueError):
        raise unusable(place, f"is not {what}") from None


def read_crosscheck(text: str, place: str, lanes: Iterable[str]) -> dict[tuple[str, str], tuple[float, float, float]]:
    """(left, right) lane -> LOD that both are one person: as they are, left being a tumour, right being one.

    lanes: those of the case; every pair of them must be there. Raises IdentityError where one is not.
    """
    try:
        found = {
            (row["LEFT_SAMPLE"], row["RIGHT_SAMPLE"]): (
                float(row["LOD_SCORE"]),
                float(row["LOD_SCORE_TUMOR_NORMAL"]),
                float(row["LOD_SCORE_NORMAL_TUMOR"]),
            )
            for row in table(text, place, "LEFT_GROUP_VALUE")
        }
    except (KeyError, ValueError):
        raise unusable(place, "is not a report of CrosscheckFingerprints") from None
    lanes = list(lanes)
    missing = [f"{left} and {right}" for left in lanes for right in lanes if (left, right) not in found]
    if missing:
        raise unusable(place, f"lacks {len(missing)} pairs of lanes, the first is {missing[0]}")
    return found


def read_king(text: str, place: str) -> dict[frozenset[str], dict[str, float]]:
    """Pair of samples -> sites, ibs0 (share of them) and kinship, of plink2's table."""
    try:
        return {
            frozenset((row["#IID1"], row["IID2"])): {
                "sites": int(row["NSNP"]),
                "ibs0": float(row["IBS0"]),
                "kinship": float(row["KINSHIP"]),
            }
            for row in table(text, place, "#IID1")
        }
    except (KeyError, ValueError):
        raise unusable(place, "is not a table of plink2 --make-king-table") from None


# ---- lanes -----------------------------------------------------------------------------------


def person_of(sample: Mapping[str, str]) -> tuple[str, ...]:
    """Who a sample is of, as the sheet says: samples of one index, mother or father of a case are of one person."""
    if sample["relation"] in SEVERAL:
        return (sample["case"], sample["relation"], sample["sample"])
    return (sample["case"], sample["relation"])


class Lanes:
    """The LODs of a case's lanes with all others, and what they say under the profile's limits.

    A sum of LODs is held against the limits where a group of lanes is compared: one lane of a few reads may not tell.
    """

    def __init__(
        self,
        lods: Mapping[tuple[str, str], tuple[float, float, float]],
        tumours: Iterable[str],
        limits: Mapping[str, Any],
    ) -> None:
        """tumours: lanes of tumour samples; with the rest they are compared by the LOD that allows for lost alleles."""
        self.lods, self.tumours = lods, set(tumours)
        self.same, self.different = limits["same_from"], limits["different_to"]

    def lod(self, left: str, right: str) -> float:
        """LOD of two lanes being one person; 0 where they were not compared."""
        if (left, right) not in self.lods:
            left, right = right, left
        plain, left_tumour, right_tumour = self.lods.get((left, right), (0.0, 0.0, 0.0))
        kinds = (left in self.tumours, right in self.tumours)
        return {(True, False): left_tumour, (False, True): right_tumour}.get(kinds, plain)

    def total(self, one: Iterable[str], other: Sequence[str]) -> float:
        """Sum over all pairs of two groups."""
        return sum(self.lod(left, right) for left in one for right in other)

    def groups(self, lanes: Iterable[str]) -> list[list[str]]:
        """Lanes joined to persons, largest group first: always the two groups that are most alike on average."""
        found = [[lane] for lane in lanes]
        while True:
            pairs = [
                (self.total(one, other) / (len(one) * len(other)), number, later)
                for (number, one), (later, other) in combinations(enumerate(found), 2)
                if self.total(one, other) >= self.same
            ]
            if not pairs:
                return sorted(found, key=len, reverse=True)
            _, number, later = max(pairs)
            found[number] += found.pop(later)

    def alike(self, group: Sequence[str], lanes: Sequence[str]) -> bool | None:
        """Whether a group is of the person that most of the lanes are of; None where it cannot be told."""
        totals = [self.total(group, [lane]) for lane in lanes]
        same, different = sum(t >= self.same for t in totals), sum(t <= self.different for t in totals)
        return None if same == different else same > different


def judge_lanes(
    case: str,
    samples: Mapping[str, Mapping[str, str]],
    lanes: Mapping[str, str],
    lods: Mapping[tuple[str, str], tuple[float, float, float]],
    limits: Mapping[str, Any],
    known: Iterable[str] = (),
    relatives: Container[frozenset[str]] = (),
) -> dict[str, dict[str, Any]]:
    """Sample of the case -> measured value: 1 where all its lanes are of its person, 0 where one is not or the sample
    is another's, None where the LODs do not tell.

    samples: rows of samples.tsv; lanes: lane -> sample, of all that were compared; known: samples with known genotypes;
    relatives: as `unproven_relatives` gives them. A sample is of the person of most of its lanes, or of its known
    genotypes where there are any.
    """
    of_sample = {name: [lane for lane, sample in lanes.items() if sample == name] for name in set(lanes.values())}
    known = set(known)
    told = Lanes(lods, (lane for lane, name in lanes.items() if samples[name]["sample_type"] == "tumour"), limits)

    def is_of(group: Sequence[str], other: str) -> bool | None:
        by_known = told.alike(group, [other]) if other in known else None
        return told.alike(group, of_sample.get(other, [])) if by_known is None else by_known

    def others(group: Sequence[str], own: str) -> list[str]:
        mine = person_of(samples[own])
        return [name for name, row in samples.items() if person_of(row) != mine and is_of(group, name)]

    def whose(group: Sequence[str], own: str) -> str:
        if found := others(group, own):
            return " and ".join(found)
        near = [lane for lane, name in lanes.items() if name != own and told.total(group, [lane]) >= told.same]
        return (
            f"of one person with lane {' and '.join(near)}" if near else "of a person of whom there is no sample here"
        )

    def judge(name: str) -> dict[str, Any]:
        groups = told.groups(of_sample[name])
        right: list[str] = []
        faults, wrong, unclear = [], [], []
        if name in known:
            for group in groups:
                {True: right.extend, False: wrong.append, None: unclear.extend}[told.alike(group, [name])](group)
        elif len(groups) > 1 and len(groups[0]) == len(groups[1]):
            if told.total(groups[0], groups[1]) <= told.different:
                parts = [f"{', '.join(group)} is {whose(group, name)}" for group in groups]
                faults.append(f"the lanes of {name} are of several persons: {' / '.join(parts)}")
            else:
                unclear = of_sample[name]
        else:
            right = groups[0]
            for group in groups[1:]:
                if told.total(group, right) <= told.different:
                    wrong.append(group)
                else:
                    unclear += group
        if len(right) == 1 and told.total(right, right) < told.same:
            unclear += right  # with as few reads it would be like anybody
        if wrong and not right and len(wrong) == 1:
            faults.append(f"sample {name} is {whose(wrong[0], name)}")
        else:
            faults += [f"lane {lane} of {name} is {whose([lane], name)}" for group in wrong for lane in group]
        alike = others(right, name) if right else []
        related = [other for other in alike if frozenset((name, other)) in relatives]
        faults += [f"samples {name} and {other} are one person" for other in alike if other not in related]
        same = [
            other
            for other, row in samples.items()
            if other != name and other in of_sample and person_of(row) == person_of(samples[name])
        ]
        for other in same if right else []:
            agrees = is_of(right, other)
            if agrees is False:
                faults.append(f"samples {name} and {other} are of two persons, the sheet says one")
            elif agrees is None:
                unclear += right
        # Compared: its lanes by twos, and each with its known genotypes and with the person's other samples.
        number = len(of_sample[name])
        pairs = number * (number - 1) // 2 + number * (name in known) + sum(number * len(of_sample[o]) for o in same)
        if faults:
            return measured(0.0, pairs, None, "; ".join(faults))
        if unclear:
            text = f"LOD between {told.different} and {told.same}, too few reads or sites, for lanes "
            return measured(None, pairs, None, text + ", ".join(dict.fromkeys(unclear)))
        if related:
            text = "too few sites to tell relatives from one person: LOD of one person with "
            return measured(None, pairs, None, text + ", ".join(related))
        # Not with how many others: that depends on the order of the run, and the text is part of a content digest.
        by = [
            *(["each other"] if len(right) > 1 else []),
            *(["its known genotypes"] if name in known else []),
            *(f"sample {other} of the same person" for other in sorted(same)),
        ]
        lanes_told = f"{len(right)} lanes" if len(right) > 1 else "one lane"
        text = f"{lanes_told} compared with " + (" and with ".join(by) or "those of other persons")
        return measured(1.0, pairs, None, text)

    return {name: judge(name) for name, row in samples.items() if row["case"] == case}


def lod_rows(
    lods: Mapping[tuple[str, str], tuple[float, float, float]], own: Iterable[str], limits: Mapping[str, Any]
) -> list[dict[str, Any]]:
    """All pairs of the case's lanes; against others all of a run that a matrix can show, else those not clearly two."""
    own = set(own)
    few = len({lane for pair in lods for lane in pair}) <= SHOWN_LANES
    rows = []
    for (left, right), (lod, _, _) in sorted(lods.items()):
        if left in own and (left < right if right in own else few or lod > limits["different_to"]):
            status = (
                "same"
                if lod >= limits["same_from"]
                else "different"
                if lod <= limits["different_to"]
                else "NOT_MEASURED"
            )
            rows.append({"left": left, "right": right, "lod": round(lod, 4), "status": status})
    return rows


# ---- relations -------------------------------------------------------------------------------

PARENTS = {"mother", "father"}


def declared_relation(one: Mapping[str, str], other: Mapping[str, str]) -> str | None:
    """What the sheet says that two samples are to each other; None where it says nothing (relation `other`)."""
    if one["case"] != other["case"]:
        return "unrelated"
    if person_of(one) == person_of(other):
        return "same person"
    kinds = {one["relation"], other["relation"]}
    if "other" in kinds:
        return None
    if kinds <= PARENTS:
        return "unrelated"
    return "parent and child" if kinds & PARENTS else "siblings"


def observed_relation(pair: Mapping[str, float], limits: Mapping[str, Any]) -> str:
    """What two samples are by kinship and IBS0; `undetermined` in the gaps that the profile leaves between zones."""
    if pair["sites"] < limits["minimum_sites"] or math.isnan(pair["kinship"]):
        return "undetermined"
    kinship, ibs0 = pair["kinship"], pair["ibs0"]
    if kinship >= limits["same_person_from"]:
        return "same person"
    low, high = limits["first_degree"]
    if low <= kinship <= high:
        if ibs0 <= limits["parent_child_ibs0_to"]:
            return "parent and child"
        return "siblings" if ibs0 >= limits["sibling_ibs0_from"] else "first degree"
    low, high = limits["second_degree"]
    if low <= kinship <= high:
        return "second degree"
    return "unrelated" if kinship <= limits["unrelated_to"] else "undetermined"


def relation_status(declared: str | None, observed: str) -> str:
    """PASS, WARN (relatives that the sheet does not tell of), FAIL, or NOT_MEASURED."""
    if observed == "undetermined" or (observed == "first degree" and declared in ("parent and child", "siblings")):
        return "NOT_MEASURED"
    if declared == observed or (declared is None and observed != "same person"):
        return "PASS"
    if declared == "unrelated" and observed != "same person":
        return "WARN"
    return "FAIL"


def judge_relations(
    case: str,
    samples: Mapping[str, Mapping[str, str]],
    king: Mapping[frozenset[str], Mapping[str, float]],
    limits: Mapping[str, Any],
) -> list[dict[str, Any]]:
    """Every pair of samples of the case, and of the case with others those that are related."""
    rows = []
    own = [name for name, row in samples.items() if row["case"] == case]
    pairs = list(combinations(own, 2)) + [(a, b) for a in own for b in samples if samples[b]["case"] != case]
    for a, b in pairs:
        pair = king.get(frozenset((a, b)), {"sites": 0, "ibs0": math.nan, "kinship": math.nan})
        declared, observed = declared_relation(samples[a], samples[b]), observed_relation(pair, limits)
        if samples[a]["case"] != samples[b]["case"] and observed in ("unrelated", "undetermined"):
            continue
        numbers = {key: None if math.isnan(pair[key]) else round(pair[key], 6) for key in ("kinship", "ibs0")}
        status = relation_status(declared, observed)
        # A tumour that lost alleles looks like a relative of itself: there the LOD that allows for it judges.
        tumour = "tumour" in (samples[a]["sample_type"], samples[b]["sample_type"])
        if tumour and status == "FAIL" and declared == "same person":
            status = "NOT_MEASURED"
        rows.append({"a": a, "b": b, "declared": declared, "observed": observed, **numbers,
                     "sites": pair["sites"], "status": status})  # fmt: skip
    return rows


def unproven_relatives(relations: Iterable[Mapping[str, Any]], limits: Mapping[str, Any]) -> set[frozenset[str]]:
    """Pairs of a case that may be relatives, with too few sites for a kinship.

    A LOD sets one person against two strangers. In a few places relatives can have the same genotypes, so there it
    proves nothing of them.
    """
    return {
        frozenset((row["a"], row["b"]))
        for row in relations
        if row["declared"] in (None, "parent and child", "siblings") and row["sites"] < limits["minimum_sites"]
    }


def child_of(trio: Sequence[str], relations: Iterable[Mapping[str, Any]]) -> str | None:
    """The one of three who is parent or child of both others, who are not of each other: the child of the two."""
    bonds = {frozenset((row["a"], row["b"])) for row in relations if row["observed"] == "parent and child"}
    for name in trio:
        others = [other for other in trio if other != name]
        if all(frozenset((name, other)) in bonds for other in others) and frozenset(others) not in bonds:
            return name
    return None


def judge_kinship(
    case: str,
    samples: Mapping[str, Mapping[str, str]],
    relations: Sequence[Mapping[str, Any]],
    limits: Mapping[str, Any],
) -> dict[str, dict[str, Any]]:
    """Sample of a case with relatives -> measured value: 1 where all its relations are as declared, 0 where one is not.

    In a duo, parent and child cannot be told from child and parent. In a trio the child is the one related to both.
    """
    germline = [name for name, row in samples.items() if row["case"] == case and row["sample_type"] == "germline"]
    if len(germline) < 2:
        return {}
    rows = [row for row in relations if row["a"] in germline and row["b"] in germline]
    index = next((name for name in germline if samples[name]["relation"] == "index"), None)
    parents = [name for name in germline if samples[name]["relation"] in PARENTS]
    child = child_of([index, *parents], rows) if index and len(parents) == 2 else None
    swapped = f"the child is {child}, declared {samples[child]['relation']}" if child and child != index else ""
    result = {}
    for name in germline:
        mine = [row for row in rows if name in (row["a"], row["b"]) and row["declared"] is not None]
        sites = min((row["sites"] for row in mine), default=0)
        bad = [_relation_text(row, samples) for row in mine if row["status"] == "FAIL"]
        unclear = [row for row in mine if row["status"] == "NOT_MEASURED"]
        if bad or swapped:
            result[name] = measured(0.0, sites, None, "; ".join([*bad, *filter(None, [swapped])]))
        elif not mine:
            result[name] = measured(None, None, None, "the sheet declares no relation that could be judged")
        elif unclear:
            few = f"{sites} sites with genotypes of both, {limits['minimum_sites']} are needed"
            between = "; ".join(_relation_text(row, samples) for row in unclear)
            result[name] = measured(None, sites, None, few if sites < limits["minimum_sites"] else between)
        else:
            result[name] = measured(1.0, sites, None, "; ".join(_relation_text(row, samples) for row in mine))
    return result


def _relation_text(row: Mapping[str, Any], samples: Mapping[str, Mapping[str, str]]) -> str:
    who = " and ".join(f"{samples[row[key]]['relation']} {row[key]}" for key in ("a", "b"))
    return (
        f"{who}: declared {row['declared']}, observed {row['observed']} (kinship {row['kinship']}, IBS0 {row['ibs0']})"
    )


# ---- contamination ---------------------------------------------------------------------------


def sampling_error(sites: Iterable[tuple[int, float]], contamination: float) -> float:
    """Standard error (fraction) of an estimate from homozygous sites, as GATK's ContaminationModel calculates it.

    sites: depth, and population frequency of the allele that the person lacks. Infinite where there is nothing to see.
    """
    sites = list(sites)
    weight = sum(depth * other for depth, other in sites)
    if not weight:
        return math.inf
    spread = sum(
        other * depth * contamination * ((1 - contamination) + (1 - other) * depth * contamination)
        for depth, other in sites
    )
    return math.sqrt(spread) / weight


def judge_contamination(
    value: float,
    error: float,
    pileups: Sequence[Mapping[str, str]],
    limits: Mapping[str, Any],
    matched: Sequence[Mapping[str, str]] | None = None,
) -> dict[str, Any]:
    """Measured contamination. value, error: as CalculateContamination gives them; pileups: rows of GetPileupSummaries.

    matched: those of a tumour's normal, which says where the person is homozygous; the depth is the tumour's.
    GATK's own error goes to 0 with the estimate, however few sites there are. So it is held against the error that
    the same formula gives for these sites at a contamination of `error_at`: with more than `maximum_error` an estimate
    says nothing, unless it lies above `error_at` by more than its error.
    """
    depths = {(row["contig"], row["position"]): int(row["ref_count"]) + int(row["alt_count"]) for row in pileups}
    alt, ref = [], []
    for row in pileups if matched is None else matched:
        counts = int(row["ref_count"]), int(row["alt_count"])
        depth, frequency = depths.get((row["contig"], row["position"]), 0), float(row["allele_frequency"])
        if not depth or not sum(counts):
            continue
        if counts[1] / sum(counts) > 0.8:
            alt.append((depth, 1 - frequency))
        elif counts[1] / sum(counts) < 0.2:
            ref.append((depth, frequency))
    at = limits["error_at"]
    # GATK prefers sites where ALT is homozygous and falls back to those where REF is.
    honest = max(error, min(sampling_error(alt, max(value, at)), sampling_error(ref, max(value, at))))
    sites = len(alt) + len(ref)
    if sites < limits["minimum_sites"]:
        return measured(None, sites, None, f"{sites} homozygous sites with reads, {limits['minimum_sites']} are needed")
    if honest > limits["maximum_error"] and value - honest <= at:
        reason = (
            f"estimate {value:.4f} with error {honest:.4f}, more than {limits['maximum_error']}: too few sites or reads"
        )
        return measured(None, sites, round(honest, 6), reason)
    return measured(
        round(value, 6), sites, round(honest, 6), f"{len(alt)} sites homozygous for ALT, {len(ref)} for REF"
    )


def read_gatk_contamination(
    text: str, pileups: str, place: str, limits: Mapping[str, Any], matched: str | None = None
) -> dict[str, Any]:
    """Measured contamination from the tables of CalculateContamination and GetPileupSummaries.

    matched: the latter of a tumour's normal.
    """
    what = "a table of CalculateContamination with one sample"
    value, error = only_row(text, place, "sample\t", {"contamination": float, "error": float}, what)
    place = place.replace(".gatk.contamination", ".pileups.table")
    sites = table(pileups, place, "contig\t")
    normal = table(matched, "the normal's table of GetPileupSummaries", "contig\t") if matched is not None else None
    try:
        return judge_contamination(value, error, sites, limits, normal)
    except (KeyError, ValueError):
        raise unusable(place, "is not a table of GetPileupSummaries") from None


def read_verifybamid2(text: str, place: str, limits: Mapping[str, Any]) -> dict[str, Any]:
    """Measured contamination (FREEMIX) from VerifyBamID2's selfSM, which gives no error."""
    what = "a selfSM of VerifyBamID2 with one sample"
    sites, value = only_row(text, place, "#SEQ_ID", {"#SNPS": int, "FREEMIX": float}, what)
    if sites < limits["minimum_sites"]:
        return measured(None, sites, None, f"{sites} sites with reads, {limits['minimum_sites']} are needed")
    return measured(round(value, 6), sites, None, "FREEMIX of VerifyBamID2, which gives no error")


# ---- Mendel ----------------------------------------------------------------------------------


def read_mendel(text: str, place: str, limits: Mapping[str, Any]) -> dict[str, Any]:
    """Measured share of the index's sites that break Mendel's laws, from FindMendelianViolations with one trio."""
    columns = {"NUM_VARIANT_SITES": int, "TOTAL_MENDELIAN_VIOLATIONS": int}
    what = "a report of FindMendelianViolations with one trio"
    sites, broken = only_row(text, place, "FAMILY_ID\t", columns, what)
    if sites < limits["minimum_sites"]:
        return measured(
            None, sites, None, f"{sites} sites with genotypes of all three, {limits['minimum_sites']} are needed"
        )
    rate = broken / sites
    error = math.sqrt(rate * (1 - rate) / sites)
    return measured(round(rate, 6), sites, round(error, 6), f"{broken} of {sites} sites")
