"""The demo's genome and variants: pure functions of a plan and a seeded generator, no tools and no files.

Coordinates are 0-based half-open throughout; sequences are uint8 arrays of ASCII letters. What is imitated is what
troubles aligners and callers: uneven GC, homopolymers, tandem and dispersed repeats, segmental duplications,
satellites, runs of N, and a PAR whose Y copy is masked as in the GRCh38 analysis set.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.random import Generator

BASES = np.frombuffer(b"ACGT", dtype=np.uint8)
COMPLEMENT = np.zeros(256, dtype=np.uint8)
COMPLEMENT[list(b"ACGTN")] = list(b"TGCAN")
N = ord("N")
TRANSITION = {"A": "G", "G": "A", "C": "T", "T": "C"}
EDGE = 120  # bp at a segment's ends without variants: fewer reads reach there
SPACING = 25  # bp between the end of one site and the next, so that no indel can be shifted over its neighbour


@dataclass(frozen=True)
class Plan:
    """Sizes in bp: `par1`, `par2` the pseudoautosomal regions, `telomere` the N at each end, `gap` the N inside."""

    lengths: dict[str, int]
    par1: int
    par2: int
    telomere: int
    gap: int
    duplication: int


FULL = Plan(
    {"chr1": 240_000, "chr2": 180_000, "chrX": 70_000, "chrY": 40_000, "chrM": 16_500},
    15_000,
    4_000,
    1_000,
    3_000,
    6_000,
)
TRIO = Plan(
    {"chr1": 100_000, "chr2": 60_000, "chrX": 36_000, "chrY": 20_000, "chrM": 16_500}, 6_000, 3_000, 500, 1_000, 2_000
)
TINY = Plan({"chr1": 22_000, "chr2": 13_000, "chrX": 13_000, "chrY": 8_000, "chrM": 2_000}, 3_000, 1_500, 300, 500, 900)
TINY_TRIO = replace(TINY, lengths={**TINY.lengths, "chrM": 4_000})  # room for the heteroplasmies


@dataclass(frozen=True)
class Interval:
    contig: str
    start: int
    end: int


@dataclass(frozen=True)
class Segment(Interval):
    """A stretch without N that has one ploidy. `kind`: A autosome, P pseudoautosomal (on X), X, Y, M."""

    kind: str


@dataclass(frozen=True)
class Repeat(Interval):
    """A tandem repeat of `unit` bp (1: homopolymer), where length variants like to arise."""

    unit: int


@dataclass
class Genome:
    """`hard`: satellites and both copies of duplications, where a read's place is not certain."""

    sequences: dict[str, np.ndarray]
    par: list[tuple[Interval, Interval]]
    repeats: list[Repeat] = field(default_factory=list)
    hard: list[Interval] = field(default_factory=list)


@dataclass(frozen=True)
class Site:
    """A variable place. `alleles`: normalised (pos, ref, alt) of each ALT; `frequency`: of haplotypes with one."""

    segment: Segment
    alleles: tuple[tuple[int, str, str], ...]
    frequency: float

    @property
    def start(self) -> int:
        return min(pos for pos, _, _ in self.alleles)

    @property
    def end(self) -> int:
        return max(pos + len(ref) for pos, ref, _ in self.alleles)


# --- sequence ---------------------------------------------------------------------------------------------------------


def markov_tables(rng: Generator, order: int = 3, classes: int = 8) -> list[list[list[float]]]:
    """Cumulative transition probabilities [GC class][context][A, C, G], from poor in GC to rich, CpG at a fifth."""
    noise = rng.dirichlet([40.0] * 4, size=4**order) * 4
    tables = []
    for gc in np.linspace(0.28, 0.64, classes):
        weights = noise * np.array([(1 - gc) / 2, gc / 2, gc / 2, (1 - gc) / 2])
        weights[1::4, 2] *= 0.2  # contexts that end in C: G follows rarely
        tables.append(np.cumsum(weights / weights.sum(axis=1, keepdims=True), axis=1)[:, :3].tolist())
    return tables


def markov_sequence(rng: Generator, length: int, tables: list[list[list[float]]], window: int = 4_000) -> np.ndarray:
    """Random sequence of `length` bp whose GC class drifts from window to window."""
    mask = len(tables[0]) - 1
    walk = len(tables) // 3 + np.cumsum(rng.integers(-2, 3, size=length // window + 1))
    top = len(tables) - 1
    levels = top - np.abs(walk % (2 * top) - top)  # reflected at both ends
    codes = bytearray(length)
    context = int(rng.integers(mask + 1))
    for i, u in enumerate(rng.random(length).tolist()):
        a, c, g = tables[levels[i // window]][context]
        code = (u > a) + (u > c) + (u > g)
        codes[i] = code
        context = (context << 2 | code) & mask
    return BASES[np.frombuffer(bytes(codes), dtype=np.uint8)]


def mutate(rng: Generator, sequence: np.ndarray, divergence: float) -> np.ndarray:
    """A copy of `sequence` with a share `divergence` of its bases substituted."""
    copy = sequence.copy()
    hit = rng.random(len(copy)) < divergence
    old = np.searchsorted(BASES, copy[hit])
    copy[hit] = BASES[(old + rng.integers(1, 4, size=len(old))) % 4]
    return copy


def reverse_complement(sequence: np.ndarray) -> np.ndarray:
    return COMPLEMENT[sequence[::-1]]


def tandem(rng: Generator, unit: np.ndarray, copies: int, divergence: float) -> np.ndarray:
    return mutate(rng, np.tile(unit, copies), divergence)


def lay_dispersed(rng: Generator, sequences: dict[str, np.ndarray], tables: list[list[list[float]]]) -> None:
    """Write copies of four repeat families, on both strands, each 2-15 % from its founder."""
    tail = np.full(18, ord("A"), dtype=np.uint8)
    families = [np.concatenate([markov_sequence(rng, n, tables), tail]) for n in (280, 300, 450, 1_400)]
    for name, sequence in sequences.items():
        if name == "chrM":
            continue
        for _ in range(len(sequence) // 2_200):
            copy = families[int(rng.choice(4, p=[0.4, 0.25, 0.2, 0.15]))]
            copy = copy[int(rng.integers(len(copy) // 2)) if len(copy) > 400 else 0 :]  # the long ones are truncated
            copy = mutate(rng, copy, rng.uniform(0.02, 0.15))
            if rng.random() < 0.5:
                copy = reverse_complement(copy)
            start = int(rng.integers(len(sequence) - len(copy)))
            sequence[start : start + len(copy)] = copy


def lay_tandem(rng: Generator, sequences: dict[str, np.ndarray]) -> list[Repeat]:
    """Write homopolymers (6-20 bp), dinucleotides, short and long tandem repeats; return where they are."""
    found = []
    for name, sequence in sequences.items():
        density = 3_000 if name == "chrM" else 900
        for _ in range(len(sequence) // density):
            kind = rng.random()
            if kind < 0.6 or name == "chrM":
                unit = np.frombuffer(rng.choice([b"A", b"T", b"C", b"G"], p=[0.4, 0.4, 0.1, 0.1]), dtype=np.uint8)
                copies, divergence = 6 + min(int(rng.geometric(0.25)), 14), 0.0
            elif kind < 0.8:
                unit = np.frombuffer(rng.choice([b"CA", b"TG", b"TA", b"GA"]), dtype=np.uint8)
                copies, divergence = int(rng.integers(6, 19)), 0.0
            elif kind < 0.94:
                unit = BASES[rng.integers(4, size=int(rng.integers(3, 7)))]
                copies, divergence = int(rng.integers(4, 11)), 0.0
            else:
                unit = BASES[rng.integers(4, size=int(rng.integers(12, 41)))]
                copies, divergence = int(rng.integers(3, 7)), 0.03
            run = tandem(rng, unit, copies, divergence)
            start = int(rng.integers(len(sequence) - len(run)))
            sequence[start : start + len(run)] = run
            if len(unit) <= 6:
                found.append(Repeat(name, start, start + len(run), len(unit)))
    return found


def lay_duplications(rng: Generator, sequences: dict[str, np.ndarray], plan: Plan) -> list[Interval]:
    """A segmental duplication chr1 to chr2, an inverted one within chr1, X-like sequence on Y, a piece of M on chr2."""
    size, hard = plan.duplication, []

    def place(name: str, share: float, length: int) -> Interval:
        start = int(len(sequences[name]) * share)
        return Interval(name, start, start + length)

    for source, target, divergence, inverted in (
        (place("chr1", 0.20, size), place("chr2", 0.70, size), 0.02, False),
        (place("chr1", 0.65, size // 3), place("chr1", 0.85, size // 3), 0.04, True),
        (place("chrX", 0.75, size // 2), place("chrY", 0.70, size // 2), 0.05, False),
        (place("chrM", 0.30, size // 12), place("chr2", 0.15, size // 12), 0.12, False),
    ):
        copy = mutate(rng, sequences[source.contig][source.start : source.end], divergence)
        sequences[target.contig][target.start : target.end] = reverse_complement(copy) if inverted else copy
        hard += [i for i in (source, target) if i.contig != "chrM"]
    return hard


def lay_gaps(rng: Generator, sequences: dict[str, np.ndarray], plan: Plan) -> list[Interval]:
    """Write telomeres (N, then TTAGGG), and in each middle a gap of N between satellite arrays of a 171 bp unit."""
    satellite, hard = BASES[rng.integers(4, size=171)], []
    cap = np.tile(np.frombuffer(b"CCCTAA", dtype=np.uint8), plan.telomere // 12)
    for name in ("chr1", "chr2", "chrX", "chrY"):
        sequence = sequences[name]
        sequence[: plan.telomere] = N
        sequence[-plan.telomere :] = N
        if name in ("chr1", "chr2"):  # the sex chromosomes' ends are pseudoautosomal
            start = plan.telomere
            sequence[start : start + len(cap)] = mutate(rng, cap, 0.02)
            hard.append(Interval(name, start, start + len(cap)))
        middle = len(sequence) // 2 - plan.gap // 2
        arms = 171 * (plan.gap // 500)
        for start in (middle - arms, middle + plan.gap):
            sequence[start : start + arms] = tandem(rng, satellite, arms // 171, 0.04)
            hard.append(Interval(name, start, start + arms))
        sequence[middle : middle + plan.gap] = N
    return hard


def make_genome(plan: Plan, rng: Generator) -> Genome:
    """Reference sequences of `plan`, upper case; the PARs of Y are N, so that their reads map to X."""
    tables = markov_tables(rng)
    sequences = {name: markov_sequence(rng, length, tables) for name, length in plan.lengths.items()}
    lay_dispersed(rng, sequences, tables)
    repeats = lay_tandem(rng, sequences)
    hard = lay_duplications(rng, sequences, plan)
    hard += lay_gaps(rng, sequences, plan)
    x, y = plan.lengths["chrX"], plan.lengths["chrY"]
    first, last = plan.telomere, plan.telomere + plan.par2
    par = [
        (Interval("chrX", first, first + plan.par1), Interval("chrY", first, first + plan.par1)),
        (Interval("chrX", x - last, x - plan.telomere), Interval("chrY", y - last, y - plan.telomere)),
    ]
    for _, masked in par:
        sequences["chrY"][masked.start : masked.end] = N
    return Genome(sequences, par, repeats, hard)


# --- segments ---------------------------------------------------------------------------------------------------------


def runs_without_n(sequence: np.ndarray) -> list[tuple[int, int]]:
    edges = np.flatnonzero(np.diff(np.concatenate([[False], sequence != N, [False]]).astype(np.int8)))
    return [(int(start), int(end)) for start, end in edges.reshape(-1, 2)]


def segments(genome: Genome) -> list[Segment]:
    """The genome without N, cut at the PAR borders, in reference order."""
    kinds = {"chrX": "X", "chrY": "Y", "chrM": "M"}
    par = [on_x for on_x, _ in genome.par]
    found = []
    for name, sequence in genome.sequences.items():
        for start, end in runs_without_n(sequence):
            inner = {edge for p in par if p.contig == name for edge in (p.start, p.end) if start < edge < end}
            cuts = [start, *sorted(inner), end]
            for a, b in zip(cuts, cuts[1:], strict=False):
                pseudo = any(p.contig == name and p.start <= a and b <= p.end for p in par)
                found.append(Segment(name, a, b, "P" if pseudo else kinds.get(name, "A")))
    return found


def subtract(wanted: list[Interval], removed: list[Interval]) -> list[Interval]:
    """Parts of `wanted` outside `removed`, in the order of `wanted`."""
    left = []
    for interval in wanted:
        start = interval.start
        for hole in sorted((h for h in removed if h.contig == interval.contig), key=lambda h: h.start):
            if hole.end <= start or hole.start >= interval.end:
                continue
            if hole.start > start:
                left.append(Interval(interval.contig, start, hole.start))
            start = max(start, hole.end)
        if start < interval.end:
            left.append(Interval(interval.contig, start, interval.end))
    return left


# --- variants ---------------------------------------------------------------------------------------------------------


def normalise(sequence: str, pos: int, ref: str, alt: str) -> tuple[int, str, str]:
    """Left-aligned, parsimonious form of a variant (Tan, Abecasis and Kang 2015, Bioinformatics 31:2202)."""
    while ref[-1] == alt[-1] and (len(ref) > 1 or len(alt) > 1):
        ref, alt = ref[:-1], alt[:-1]
        if not ref or not alt:
            pos -= 1
            ref, alt = sequence[pos] + ref, sequence[pos] + alt
    while len(ref) > 1 and len(alt) > 1 and ref[0] == alt[0]:
        pos, ref, alt = pos + 1, ref[1:], alt[1:]
    return pos, ref, alt


def random_bases(rng: Generator, length: int) -> str:
    return BASES[rng.integers(4, size=length)].tobytes().decode()


def snv(rng: Generator, base: str) -> str:
    """Another base, a transition twice out of three."""
    if rng.random() < 2 / 3:
        return TRANSITION[base]
    return str(rng.choice([b for b in "ACGT" if b not in (base, TRANSITION[base])]))


def indel(rng: Generator, sequence: str, pos: int) -> tuple[str, str]:
    """REF and ALT of a deletion, a random insertion or a tandem duplication behind `pos`, 1-40 bp, mostly short."""
    size = int(rng.integers(8, 41)) if rng.random() < 0.25 else min(int(rng.geometric(0.4)), 40)
    anchor, following = sequence[pos], sequence[pos + 1 : pos + 1 + size]
    kind = rng.random()
    if kind < 0.5:
        return anchor + following, anchor
    return anchor, anchor + (random_bases(rng, size) if kind < 0.75 else following)


def repeat_indel(rng: Generator, sequence: str, repeat: Repeat) -> tuple[int, str, str]:
    """One or two units more or fewer in a tandem repeat."""
    pos, size = repeat.start - 1, repeat.unit * int(rng.choice([1, 2], p=[0.75, 0.25]))
    anchor, units = sequence[pos], sequence[repeat.start : repeat.start + size]
    return (pos, anchor + units, anchor) if rng.random() < 0.55 else (pos, anchor, anchor + units)


def candidates(
    rng: Generator, sequence: str, segment: Segment, repeats: list[Repeat]
) -> Iterator[list[tuple[int, str, str]]]:
    """Variants of one segment with one or two ALTs each, not yet normalised nor spaced.

    SNVs every 420 bp, indels every 2.5 kb and in a third of the short tandem repeats: a person carries about half.
    """
    for pos in np.flatnonzero(rng.random(segment.end - segment.start) < 1 / 420) + segment.start:
        base = sequence[pos]
        first = snv(rng, base)
        other = str(rng.choice([b for b in "ACGT" if b not in (base, first)]))
        yield [(int(pos), base, alt) for alt in ((first, other) if rng.random() < 0.02 else (first,))]
    for pos in np.flatnonzero(rng.random(segment.end - segment.start) < 1 / 2_500) + segment.start:
        yield [(int(pos), *indel(rng, sequence, int(pos))) for _ in range(2 if rng.random() < 0.05 else 1)]
    for repeat in repeats:
        if repeat.contig == segment.contig and segment.start < repeat.start < segment.end and rng.random() < 0.3:
            yield [repeat_indel(rng, sequence, repeat)]


def make_sites(genome: Genome, rng: Generator) -> list[Site]:
    """Variable sites of the population, in reference order, at least SPACING apart, each with an allele frequency."""
    texts = {name: sequence.tobytes().decode() for name, sequence in genome.sequences.items()}
    chosen: list[Site] = []
    for segment in segments(genome):
        text = texts[segment.contig]
        sites = []
        for variants in candidates(rng, text, segment, genome.repeats):
            alleles = {normalise(text, *variant) for variant in variants if variant[1] != variant[2]}
            # Two ALTs are common alleles, so that a person often carries both.
            low, high = (0.05, 0.6) if len(alleles) == 1 else (0.6, 0.95)
            sites.append(Site(segment, tuple(sorted(alleles)), float(rng.uniform(low, high))))
        last = segment.start + EDGE
        for site in sorted(sites, key=lambda s: (s.start, s.alleles)):
            if site.start >= last and site.end <= segment.end - EDGE:
                chosen.append(site)
                last = site.end + SPACING
    return chosen


def ploidy(kind: str, sex: str) -> int:
    """Copies of a segment of this kind: M is one, since the demo's mitochondria are homoplasmic."""
    return {"A": 2, "P": 2, "X": 2 if sex == "female" else 1, "Y": 0 if sex == "female" else 1, "M": 1}[kind]


Genotype = list[int | None]  # of each copy of a site, the index of its ALT or None for REF
Record = tuple[str, int, str, str, str]  # contig, 1-based POS, REF, ALT, phased GT


def draw_genotypes(sites: list[Site], sex: str, rng: Generator) -> list[Genotype]:
    """What one person of the population carries at each site."""
    return [
        [int(rng.integers(len(site.alleles))) if rng.random() < site.frequency else None for _ in range(2)][
            : ploidy(site.segment.kind, sex)
        ]
        for site in sites
    ]


def genotype_records(sites: list[Site], genotypes: list[Genotype]) -> list[Record]:
    """What one person carries as records: ALTs split, haploid where one copy is."""
    records = []
    for site, genotype in zip(sites, genotypes, strict=True):
        for index, (pos, ref, alt) in enumerate(site.alleles):
            if index in genotype:
                gt = "|".join("1" if allele == index else "0" for allele in genotype)
                records.append((site.segment.contig, pos + 1, ref, alt, gt))
    return records


# --- a family ---------------------------------------------------------------------------------------------------------


def inherit(sites: list[Site], mother: list[Genotype], father: list[Genotype], rng: Generator) -> list[Genotype]:
    """Genotypes of a son, one crossover of the mother's (and, on autosomes, the father's) haplotypes in each segment.

    The second pseudoautosomal copy of a male lies on his Y, so it comes from there.
    """
    child: list[Genotype] = []
    for segment in sorted({site.segment for site in sites}, key=lambda s: (s.contig, s.start)):
        first = rng.integers(2, size=2).tolist()
        where = rng.integers(segment.start, segment.end, size=2).tolist()

        def copy_of(parent: Genotype, who: int, pos: int, first=first, where=where) -> int | None:
            return parent[(first[who] + (pos > where[who])) % len(parent)]

        for site, hers, his in zip(sites, mother, father, strict=True):
            if site.segment != segment:
                continue
            from_mother = [copy_of(hers, 0, site.start)] if hers else []
            from_father = {"A": [copy_of(his, 1, site.start)], "P": his[1:], "Y": his}.get(segment.kind, [])
            child.append(from_mother * (segment.kind != "Y") + from_father)
    order = sorted(range(len(sites)), key=lambda at: (sites[at].segment.contig, sites[at].segment.start))
    return [genotype for _, genotype in sorted(zip(order, child, strict=True), key=lambda pair: pair[0])]


@dataclass(frozen=True)
class Planted:
    """A planted variant of the child. `what`: denovo, mosaic, shared_error or low_parent."""

    what: str
    kind: str
    contig: str
    pos: int
    ref: str
    alt: str

    def record(self, genotype: str) -> Record:
        return self.contig, self.pos + 1, self.ref, self.alt, genotype


PLANTED = (  # what, kind of segment, SNVs, indels of TRIO
    ("low_parent", "A", 6, 0),
    ("denovo", "A", 34, 16),
    ("denovo", "X", 4, 2),
    ("denovo", "P", 3, 1),
    ("mosaic", "A", 8, 0),
    ("shared_error", "A", 8, 0),
)
HOLE = 400  # bp on either side of a low_parent variant where the parent gives few reads
APART = 150  # bp between a planted variant and any other


def plant(genome: Genome, sites: list[Site], rng: Generator) -> list[Planted]:
    """Variants that no parent has in every cell, away from others and where a read's place is certain.

    On a genome smaller than TRIO's there are as many fewer.
    """
    share = min(1.0, len(genome.sequences["chr1"]) / TRIO.lengths["chr1"])
    taken = [(s.segment.contig, s.start, s.end) for s in sites]
    taken += [(i.contig, i.start, i.end) for i in [*genome.hard, *genome.repeats]]
    texts = {name: sequence.tobytes().decode() for name, sequence in genome.sequences.items()}
    planted: list[Planted] = []
    for what, kind, *counts in PLANTED:
        snvs, indels = (math.ceil(count * share) for count in counts)
        room = [s for s in segments(genome) if s.kind == kind]
        sizes = np.array([s.end - s.start for s in room])
        for number in range(snvs + indels):
            while True:
                segment = room[int(rng.choice(len(room), p=sizes / sizes.sum()))]
                pos, text = int(rng.integers(segment.start + 200, segment.end - 200)), texts[segment.contig]
                if all(c != segment.contig or pos + 60 + APART < a or b + APART < pos for c, a, b in taken):
                    break
            ref, alt = (text[pos], snv(rng, text[pos])) if number < snvs else indel(rng, text, pos)
            pos, ref, alt = normalise(text, pos, ref, alt)
            planted.append(Planted(what, kind, segment.contig, pos, ref, alt))
            reach = HOLE if what == "low_parent" else 0
            taken.append((segment.contig, pos - reach, pos + len(ref) + reach))
    return planted


HETEROPLASMIES = (0.01, 0.02, 0.05, 0.10, 0.50)


def plant_mitochondrion(genome: Genome, rng: Generator) -> dict[float, list[Record]]:
    """SNVs of M by the share of molecules that carry them: 1.0 near the origin, the others anywhere."""
    text = genome.sequences["chrM"].tobytes().decode()
    runs = [(r.start - 20, r.end + 20) for r in genome.repeats if r.contig == "chrM"]

    def record(near: int) -> Record:
        pos = next(p for p in range(near, near + 200) if not any(a < p < b for a, b in runs))
        return "chrM", pos + 1, text[pos], snv(rng, text[pos]), "1"

    ends = [20, 120, 220, len(text) - 30, len(text) - 130, len(text) - 230]
    planted = {1.0: [record(at) for at in [*ends, len(text) // 3, len(text) * 2 // 3]]}
    for number, share in enumerate(HETEROPLASMIES):
        planted[share] = [record(len(text) * at // 100 + len(text) * number // 70) for at in (18, 42, 72)]
        planted[share].append(record(len(text) - 530 + 60 * number))
    return planted
