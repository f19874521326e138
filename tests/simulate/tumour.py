"""Tumours of simulated people: pure functions of a genome and a seeded generator, no tools and no files.

A tumour is cells of three clones, each with all that its forerunner has, among the person's own cells; `layers` gives
their shares. Small variants, changes of copies and structural variants lie apart from each other (small variants lie
within changes of copies too), where a read can be placed with certainty. Coordinates are 0-based half-open.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass, field

import genome as g
import numpy as np
import structural
from genome import Genome, Interval, Record, Site
from numpy.random import Generator

CLONES = (0.5, 0.3, 0.2)
"""Share of the tumour's cells that are of the first clone and no later one, of the second, of the third."""
PER_CLONE = (0.5, 0.3, 0.2)  # of the small variants
SNV_EVERY, INDEL_EVERY = 1_500, 6_000  # bp of autosomes and X
GERMLINE = 50  # bp between a somatic variant and a place where people differ
APART = 200  # bp between two somatic variants
CHANGES = (  # contig, from and to as shares of its length, copies of either haplotype, clone
    ("chr1", 0.54, 0.78, (0, 2), 0),  # loss of heterozygosity without a change of copies
    ("chr1", 0.82, 0.97, (1, 2), 0),
    ("chr2", 0.06, 0.30, (0, 1), 0),
    ("chr2", 0.76, 0.96, (1, 3), 1),
)
EVENTS = (*[("BND", 0, "A")] * 4, ("DEL", 3_000, "A"), ("DEL", 800, "A"), ("DUP", 2_000, "A"), ("INV", 2_000, "A"))


@dataclass(frozen=True)
class Change(Interval):
    """A stretch where cells have `copies` of haplotypes 1 and 2."""

    copies: tuple[int, int]
    clone: int


@dataclass(frozen=True)
class Small:
    """An SNV or indel on a haplotype (1 or 2) of the cells of a clone and of those that follow it."""

    contig: str
    pos: int
    ref: str
    alt: str
    haplotype: int
    clone: int

    def record(self, haploid: bool) -> Record:
        genotype = "1" if haploid else ("1|0", "0|1")[self.haplotype - 1]
        return self.contig, self.pos + 1, self.ref, self.alt, genotype


@dataclass(frozen=True)
class Tumour:
    small: tuple[Small, ...]
    changes: tuple[Change, ...]
    events: tuple[structural.Event, ...]
    haploid: frozenset[str] = field(default=frozenset())
    """Contigs of which the person has one copy."""


def layers(purity: float) -> list[tuple[float, int]]:
    """Share of all cells and number of clones that they carry: 0 are the person's own cells."""
    return [(1 - purity, 0), *((purity * share, number) for number, share in enumerate(CLONES, start=1))]


def copies_at(changes: Iterable[Change], contig: str, start: int, end: int) -> tuple[int, int]:
    """Copies of haplotypes 1 and 2 of a stretch that no change cuts."""
    return next((c.copies for c in changes if c.contig == contig and c.start <= start and end <= c.end), (1, 1))


def fraction(tumour: Tumour, variant: Small, purity: float) -> float:
    """Expected share of the reads at a variant that carry it."""
    with_it = total = 0.0
    for share, clones in layers(purity):
        changes = [change for change in tumour.changes if change.clone < clones]
        copies = copies_at(changes, variant.contig, variant.pos, variant.pos + 1)
        if variant.contig in tumour.haploid:
            copies = (1, 0)
        total += share * sum(copies)
        with_it += share * copies[variant.haplotype - 1] * (variant.clone < clones)
    return with_it / total


def plant(genome: Genome, sites: list[Site], sex: str, rng: Generator) -> Tumour:
    """What a tumour has beyond its person. sites: where people differ; those that an event touches are the caller's to
    leave out of the person (`structural.without_small`)."""
    changes = tuple(
        Change(contig, int(len(genome.sequences[contig]) * start), int(len(genome.sequences[contig]) * end), *rest)
        for contig, start, end, *rest in CHANGES
    )

    def on_one(rng: Generator, _: str) -> tuple[structural.Haplotypes, ...]:
        return ((1, 0) if rng.random() < 0.5 else (0, 1),)

    events = tuple(structural.plant(genome, rng, EVENTS, on_one, changes))
    haploid = frozenset(["chrX"] if sex == "male" else [])
    return Tumour(tuple(_small(genome, sites, changes, events, haploid, rng)), changes, events, haploid)


def _small(
    genome: Genome, sites: list[Site], changes: tuple[Change, ...], events: tuple[structural.Event, ...],
    haploid: frozenset[str], rng: Generator,
) -> list[Small]:  # fmt: skip
    texts = {name: sequence.tobytes().decode() for name, sequence in genome.sequences.items()}
    free: dict[str, np.ndarray] = {name: np.zeros(len(text), dtype=bool) for name, text in texts.items()}
    room = [s for s in g.segments(genome) if s.kind in ("A", "X")]
    for s in room:
        free[s.contig][s.start + 200 : s.end - 200] = True
    taken = [Interval(s.segment.contig, s.start - GERMLINE, s.end + GERMLINE) for s in sites]
    taken += [Interval(i.contig, i.start - GERMLINE, i.end + GERMLINE) for i in [*genome.hard, *genome.repeats]]
    taken += structural.around(events, structural.APART)
    # A change's ends are no junctions here, so no pair of reads spans them.
    taken += [Interval(c.contig, at - 600, at + 600) for c in changes for at in (c.start, c.end)]
    for i in taken:
        free[i.contig][max(i.start, 0) : i.end] = False
    size = sum(s.end - s.start for s in room)
    snvs, indels = math.ceil(size / SNV_EVERY), math.ceil(size / INDEL_EVERY)
    small = []
    contigs = sorted({s.contig for s in room})
    for number in range(snvs + indels):
        lengths = np.array([free[contig].sum() for contig in contigs], dtype=float)
        contig = contigs[int(rng.choice(len(contigs), p=lengths / lengths.sum()))]
        pos, text = int(rng.choice(np.flatnonzero(free[contig]))), texts[contig]
        ref, alt = (text[pos], g.snv(rng, text[pos])) if number < snvs else g.indel(rng, text, pos)
        if ref == alt:
            continue
        pos, ref, alt = g.normalise(text, pos, ref, alt)
        clone = int(rng.choice(len(CLONES), p=PER_CLONE))
        copies = copies_at([c for c in changes if c.clone == 0], contig, pos, pos + 1)
        haplotypes = [1] if contig in haploid else [h for h in (1, 2) if copies[h - 1]]
        small.append(Small(contig, pos, ref, alt, int(rng.choice(haplotypes)), clone))
        free[contig][max(pos - APART, 0) : pos + len(ref) + APART] = False
    return sorted(small, key=lambda v: (v.contig, v.pos))


def rows(tumour: Tumour, purity: float) -> list[str]:
    """Lines of truth/SAMPLE.copies.tsv: changes of copies, with the mean copies of all cells and the share of them that
    are of the first haplotype."""
    lines = ["contig\tstart\tend\thaplotype_1\thaplotype_2\tcells\tmean_copies\tfirst_haplotype"]
    for c in tumour.changes:
        cells = sum(share for share, clones in layers(purity) if c.clone < clones)
        first, second = (1 - cells + cells * copies for copies in c.copies)
        told = f"{cells:.4f}", f"{first + second:.4f}", f"{first / (first + second):.4f}"
        lines.append("\t".join(map(str, (c.contig, c.start, c.end, *c.copies, *told))))
    return lines
