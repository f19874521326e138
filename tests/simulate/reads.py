"""Read pairs without errors, straight from a genome: for what depth, lengths, qualities and strangers do to metrics.

The demo's own reads (make_demo.py) have variants and a sequencer's errors; these have neither, and take a second.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
from genome import Genome, Segment, segments

COMPLEMENT = bytes.maketrans(b"ACGT", b"TGCA")
Fragment = tuple[str, int, int]
"""Contig, start and end, 0-based half-open."""


@dataclass(frozen=True)
class Library:
    """How pairs are made. depth: of two copies, duplicates not counted. fragment: mean and deviation, bp.

    x, y, m: copies of X, Y and M. changes: (contig, start, end, copies) of stretches with other copies.
    duplicates, foreign: pairs that are copies of others, or of another genome (PhiX's size, like it in nothing else),
    for each pair of the person's.
    """

    depth: float = 38
    fragment: tuple[float, float] = (400, 60)
    read_length: int = 150
    quality: str = "F"
    x: int = 2
    y: int = 0
    m: int = 0
    changes: tuple[tuple[str, int, int, int], ...] = ()
    duplicates: float = 0.05
    foreign: float = 0.0


def pieces(genome: Genome, library: Library) -> Iterator[tuple[Segment, int]]:
    """Stretches of one copy number, and their copies. Those of Y's PARs lie on X."""
    copies = {"A": 2, "P": library.x + library.y, "X": library.x, "Y": library.y, "M": library.m}
    for segment in segments(genome):
        own = [change for change in library.changes if change[0] == segment.contig]
        inner = {edge for _, start, end, _ in own for edge in (start, end) if segment.start < edge < segment.end}
        cuts = [segment.start, *sorted(inner), segment.end]
        for start, end in zip(cuts, cuts[1:], strict=False):
            changed = [number for _, first, last, number in own if first <= start and end <= last]
            yield replace(segment, start=start, end=end), changed[0] if changed else copies[segment.kind]


def fragments(genome: Genome, library: Library, rng: np.random.Generator) -> Iterator[Fragment]:
    """Fragments at random over the genome, as deep as the library asks."""
    covered = min(2 * library.read_length, library.fragment[0])
    for segment, copies in pieces(genome, library):
        size = segment.end - segment.start
        count = rng.poisson(library.depth / 2 * copies * size / covered)
        lengths = np.clip(rng.normal(*library.fragment, count), library.read_length, size).astype(int)
        # Ends hang over, so that a segment is as deep at its ends as inside it.
        starts = segment.start - lengths + (rng.random(count) * (size + lengths)).astype(int)
        for start, length in zip(starts.tolist(), lengths.tolist(), strict=True):
            clipped = max(start, segment.start), min(start + length, segment.end)
            if clipped[1] - clipped[0] >= library.read_length:
                yield segment.contig, *clipped


def pairs(genome: Genome, library: Library, rng: np.random.Generator) -> Iterator[tuple[str, str, str, str]]:
    """Bases and qualities of the first and of the second read of each pair, in no order of place."""
    texts = {name: sequence.tobytes() for name, sequence in genome.sequences.items()}
    found = [texts[contig][start:end] for contig, start, end in fragments(genome, library, rng)]
    own = len(found)
    found += [found[i] for i in rng.integers(0, own, int(own * library.duplicates))]
    phage = bytes(rng.choice(np.frombuffer(b"ACGT", np.uint8), 5386))
    found += [phage[i : i + 400] for i in rng.integers(0, len(phage) - 400, int(own * library.foreign))]
    quality = library.quality * library.read_length
    for i in rng.permutation(len(found)):
        forward, reverse = found[i][: library.read_length], found[i][-library.read_length :]
        yield forward.decode(), quality, reverse.translate(COMPLEMENT)[::-1].decode(), quality
