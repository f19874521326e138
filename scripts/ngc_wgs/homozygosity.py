"""Runs of homozygosity of a sample, and uniparental disomy of a child of a trio. Reported, not judged."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

import pysam

Genotype = tuple[int | None, ...]


@dataclass(frozen=True)
class Run:
    """A run of homozygosity, 0-based half-open. markers: sites in it; quality: mean phred score of its sites."""

    contig: str
    start: int
    end: int
    markers: int
    quality: float

    @property
    def length(self) -> int:
        return self.end - self.start


def read_runs(text: str, limits: Mapping) -> list[Run]:
    """Runs of `bcftools roh -O r` that reach the profile's limits of length, markers and quality."""
    found = []
    for line in text.splitlines():
        fields = line.split("\t")
        if fields[0] != "RG":
            continue
        contig, start, end, _, markers, quality = fields[2:8]
        found.append(Run(contig, int(start) - 1, int(end), int(markers), float(quality)))
    return [
        run
        for run in found
        if run.length >= limits["minimum_length"]
        and run.markers >= limits["minimum_markers"]
        and run.quality >= limits["minimum_quality"]
    ]


def summary(runs: Iterable[Run], lengths: Mapping[str, int]) -> dict:
    """Total and longest (bp), share of the autosomes, and bases by chromosome. lengths: bp of each autosome."""
    runs = list(runs)
    by_contig: Counter[str] = Counter()
    for run in runs:
        by_contig[run.contig] += run.length
    total = sum(by_contig.values())
    return {
        "runs": len(runs),
        "total": total,
        "longest": max((run.length for run in runs), default=0),
        "share": round(total / sum(lengths.values()), 6) if lengths else None,
        "chromosomes": {contig: by_contig[contig] for contig in lengths if by_contig[contig]},
    }


@dataclass(frozen=True)
class Disomy:
    """A chromosome of a child. sites: where its parents are homozygous for two alleles, so that it must have both.

    maternal, paternal: of these, where it has only the mother's, only the father's allele.
    """

    contig: str
    sites: int
    maternal: int
    paternal: int


def disomies(sites: Iterable[tuple[str, Genotype, Genotype, Genotype]]) -> list[Disomy]:
    """Per chromosome, whose alleles the child has. sites: contig and genotypes of child, father and mother.

    Only the sites count where both parents are homozygous, for different alleles: there a child of both is
    heterozygous, and one with two copies of the mother's chromosome has her allele twice, whether the two are one of
    hers (isodisomy) or both (heterodisomy). A child that lost one copy looks the same: see its copy number.
    """
    counted: dict[str, Counter[str]] = {}
    for contig, child, father, mother in sites:
        if any(len(genotype) != 2 or None in genotype for genotype in (child, father, mother)):
            continue
        if len(set(father)) > 1 or len(set(mother)) > 1 or father[0] == mother[0]:
            continue
        counts = counted.setdefault(contig, Counter())
        counts["sites"] += 1
        if set(child) == {mother[0]}:
            counts["maternal"] += 1
        elif set(child) == {father[0]}:
            counts["paternal"] += 1
    return [Disomy(contig, c["sites"], c["maternal"], c["paternal"]) for contig, c in counted.items()]


def told(item: Disomy, homozygous: int, length: int, limits: Mapping) -> str | None:
    """What a chromosome is named in the report, None where nothing speaks for uniparental disomy.

    homozygous: bases of the child's runs of homozygosity on it; length: its bp.
    """
    if item.sites < limits["disomy_sites"]:
        return None
    for parent, number in (("maternal", item.maternal), ("paternal", item.paternal)):
        if number / item.sites >= limits["disomy_share"]:
            extent = "" if number / item.sites >= limits["disomy_whole"] else "segmental "
            kind = "isodisomy" if homozygous >= number / item.sites * 0.8 * length else "heterodisomy or mixed"
            return f"{extent}{parent} uniparental disomy, {kind}"
    return None


def trio_sites(
    path: str, child: str, father: str, mother: str, contigs: Iterable[str], limits: Mapping
) -> Iterator[tuple]:
    """Sites of a joint VCF for `disomies`: PASS SNVs where all three have the profile's depth and quality."""
    with pysam.VariantFile(path) as records:
        records.subset_samples([child, father, mother])
        for contig in contigs:
            if contig not in records.header.contigs:
                continue
            for record in records.fetch(contig):
                if len(record.ref) != 1 or record.alts is None or any(len(alt) != 1 for alt in record.alts):
                    continue
                if "PASS" not in record.filter:
                    continue
                of = [record.samples[name] for name in (child, father, mother)]
                if all(
                    (call.get("DP") or 0) >= limits["minimum_dp"] and (call.get("GQ") or 0) >= limits["minimum_gq"]
                    for call in of
                ):
                    yield contig, *(call["GT"] for call in of)
