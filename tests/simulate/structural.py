"""Structural variants of simulated people: pure functions of a genome and a seeded generator, no tools and no files.

Coordinates are 0-based half-open, as in genome.py. Each event lies apart from all others, its ends where a read can be
placed with certainty; small variants give way to it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

import genome as g
import numpy as np
from genome import Genome, Interval, Plan, Record, Segment, Site
from numpy.random import Generator

PLAN = Plan(
    {"chr1": 900_000, "chr2": 600_000, "chrX": 90_000, "chrY": 30_000, "chrM": 4_000}, 6_000, 3_000, 500, 1_000, 4_000
)
TINY = Plan({"chr1": 90_000, "chr2": 70_000, "chrX": 20_000, "chrY": 8_000, "chrM": 2_000}, 3_000, 1_500, 300, 500, 900)
SIZES = (60, 80, 100, 150, 200, 300, 500, 1_000, 2_000, 5_000, 20_000, 50_000)  # bp
OFTEN = 3  # events of a size up to 1,000 bp, one of a larger
INSERTED = (60, 80, 100, 150, 200, 300, 500)  # bp of new sequence
TRANSLOCATIONS = 4
ON_X = 1_500  # bp of each event on the son's one X
APART = 700  # bp between two events, and from an event's ends to the end of a segment: a fragment and more
CLEAR = 60  # bp around the ends of an event without a repeat

Haplotypes = tuple[int, ...]  # of each copy of a person, 1 where it carries the event


@dataclass(frozen=True)
class Event:
    """One planted variant. `kind`: DEL, DUP, INV, INS (at `start`, `inserted` long) or BND, the exchange of all that
    follows `start` with all that follows `mate.start`. carriers: of a trio child, mother, father."""

    kind: str
    contig: str
    start: int
    end: int
    carriers: tuple[Haplotypes, ...]
    inserted: str = ""
    mate: Interval | None = None

    @property
    def length(self) -> int:
        """bp that are lost, doubled, turned or new; 0 of an exchange."""
        return len(self.inserted) or self.end - self.start

    def record(self, text: str, haplotypes: Haplotypes) -> Record:
        """The event as alleles of bases. text: the contig's sequence."""
        before, inside = text[self.start - 1], text[self.start : self.end]
        turned = g.reverse_complement(np.frombuffer(inside.encode(), dtype=np.uint8)).tobytes().decode()
        ref, alt = {
            "DEL": (before + inside, before),
            "DUP": (before, before + inside),
            "INV": (before + inside, before + turned),
            "INS": (before, before + self.inserted),
        }[self.kind]
        return self.contig, self.start, ref, alt, "|".join(map(str, haplotypes))


def inherited(rng: Generator, kind: str) -> tuple[Haplotypes, ...]:
    """Haplotypes of son, mother and father at a place of a segment's kind, one event in eight new in the son.

    The son has the mother's haplotype first; of X he has no other.
    """
    while True:
        mother, father = (tuple(rng.integers(2, size=2).tolist()) for _ in range(2))
        if kind == "X":
            father = father[:1]
        if rng.random() < 0.125:
            mother, father = (0, 0), (0,) * len(father)
            child = (1, 0) if rng.random() < 0.5 or kind == "X" else (0, 1)
        else:
            child = int(rng.choice(mother)), int(rng.choice(father))
        child = child[:1] if kind == "X" else child
        if any(child + mother + father):
            return child, mother, father


Wanted = tuple[str, int, str]
"""Kind, size in bp and kind of segment of an event; of an exchange there are two, one for each of its ends."""


def of_trio(genome: Genome) -> list[Wanted]:
    """Events of each kind and size on the autosomes, and one of each kind on X; fewer, and none above 2 kb, on TINY."""
    tiny = len(genome.sequences["chr1"]) < PLAN.lengths["chr1"]
    often, sizes = (1, [size for size in SIZES if size <= 2_000]) if tiny else (OFTEN, SIZES)
    wanted: list[Wanted] = [("BND", 0, "A")] * (2 if tiny else 2 * TRANSLOCATIONS)
    for kind in ("DEL", "DUP", "INV"):
        wanted += [(kind, size, "A") for size in sizes for _ in range(often if size <= 1_000 else 1)]
    wanted += [("INS", size, "A") for size in INSERTED for _ in range(often)]
    return wanted + [(kind, ON_X, "X") for kind in ("DEL", "DUP", "INV")] + [("INS", 100, "X")]


def plant(
    genome: Genome, rng: Generator, wanted: Iterable[Wanted],
    carry: Callable[[Generator, str], tuple[Haplotypes, ...]] = inherited, avoid: Iterable[Interval] = (),
) -> list[Event]:  # fmt: skip
    """The events that are wanted, none of them in `avoid`. carry: who has an event in a kind of segment."""
    shy = [Interval(r.contig, r.start - CLEAR, r.end + CLEAR) for r in [*genome.hard, *genome.repeats]]
    taken: list[Interval] = list(avoid)
    events: list[Event] = []
    halves: dict[str, list[Interval]] = {"chr1": [], "chr2": []}
    for kind, size, where in sorted(wanted, key=lambda w: (w[0] != "BND", -w[1])):
        span = 0 if kind == "INS" else size
        room = [s for s in g.segments(genome) if s.kind == where and s.end - s.start > span + 4 * APART]
        if kind == "BND":
            room = [s for s in room if s.contig == ("chr1" if len(halves["chr1"]) <= len(halves["chr2"]) else "chr2")]
        weights = np.array([s.end - s.start - span for s in room], dtype=float)
        for _ in range(20_000):
            segment = room[int(rng.choice(len(room), p=weights / weights.sum()))]
            start = int(rng.integers(segment.start + APART, segment.end - APART - span))
            ends = [Interval(segment.contig, at, at + 1) for at in (start, start + span)]
            around = Interval(segment.contig, start - APART, start + span + APART)
            if not any(_meets(end, shy) for end in ends) and not _meets(around, taken):
                break
        else:
            raise ValueError(f"no room for {kind} of {size} bp on this genome")
        taken.append(around)
        if kind == "BND":
            halves[segment.contig].append(Interval(segment.contig, start, start))
            continue
        new = g.random_bases(rng, size) if kind == "INS" else ""
        events.append(Event(kind, segment.contig, start, start + span, carry(rng, where), new))
    # In order on both, so that no piece is joined to itself.
    by_start = (sorted(halves[contig], key=lambda at: at.start) for contig in ("chr1", "chr2"))
    for one, other in zip(*by_start, strict=True):
        events.append(Event("BND", one.contig, one.start, one.end, carry(rng, "A"), mate=other))
    return sorted(events, key=lambda e: (e.contig, e.start))


def _meets(one: Interval, others: list[Interval]) -> bool:
    return any(o.contig == one.contig and o.start < one.end and one.start < o.end for o in others)


def around(events: Iterable[Event], reach: int) -> list[Interval]:
    """What lies within `reach` bp of an event."""
    places = [Interval(e.contig, e.start, e.end) for e in events] + [e.mate for e in events if e.mate]
    return [Interval(place.contig, place.start - reach, place.end + reach) for place in places]


def without_small(sites: list[Site], events: list[Event]) -> list[Site]:
    """Sites that no event touches."""
    near = around(events, CLEAR)
    return [s for s in sites if not _meets(Interval(s.segment.contig, s.start, s.end), near)]


def cut_at(cut: list[Segment], exchanges: Iterable[Event], changes: Iterable[Interval] = ()) -> list[Segment]:
    """Segments cut where an exchange begins, and at the ends of changes of copies."""
    places = {(at.contig, at.start) for e in exchanges for at in (e, e.mate)}
    places |= {(c.contig, at) for c in changes for at in (c.start, c.end)}
    pieces = []
    for s in cut:
        inside = sorted(at for contig, at in places if contig == s.contig and s.start < at < s.end)
        edges = [s.start, *inside, s.end]
        pieces += [Segment(s.contig, a, b, s.kind) for a, b in zip(edges, edges[1:], strict=False)]
    return pieces


def rows(events: Iterable[Event], people: Iterable[str] = ("child", "mother", "father")) -> list[str]:
    """Lines of truth/structural.tsv; POS is the last base before the event, END its last base (of INS: POS).

    people: names of the columns of carriers.
    """
    lines = ["\t".join(["kind\tcontig\tpos\tend\tlength\tmate\tmate_pos", *people])]
    for e in events:
        mate = (e.mate.contig, e.mate.start) if e.mate else (".", ".")
        carriers = ("|".join(map(str, haplotypes)) for haplotypes in e.carriers)
        lines.append("\t".join(map(str, (e.kind, e.contig, e.start, e.end, e.length, *mate, *carriers))))
    return lines
