"""Regions derived from the reference: where coverage is judged, where calling is scattered, and which ploidy rules.

All intervals are (contig, start, end), 0-based half-open, in the order of the reference.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from pathlib import Path

import pysam

Interval = tuple[str, int, int]

SHORTEST_GAP = 100
"""Runs of N of at least this length (bp) part two calling intervals; reads span the shorter ones."""


def without_n(fasta: str, contigs: Iterable[str], shortest: int = 1) -> list[Interval]:
    """Intervals of the contigs outside runs of N that are at least `shortest` bp long."""
    pattern = re.compile(f"[Nn]{{{shortest},}}")
    found: list[Interval] = []
    with pysam.FastaFile(fasta) as reference:
        for contig in contigs:
            sequence = reference.fetch(contig)
            start = 0
            for run in pattern.finditer(sequence):
                if run.start() > start:
                    found.append((contig, start, run.start()))
                start = run.end()
            if start < len(sequence):
                found.append((contig, start, len(sequence)))
    return found


def size(intervals: Iterable[Interval]) -> int:
    """Bases in the intervals."""
    return sum(end - start for _, start, end in intervals)


def sizes(intervals: Iterable[Interval]) -> dict[str, int]:
    """Bases in the intervals of each contig that has any."""
    found: dict[str, int] = {}
    for contig, start, end in intervals:
        found[contig] = found.get(contig, 0) + end - start
    return found


def intersect(left: Iterable[Interval], right: Iterable[Interval]) -> list[Interval]:
    """Bases that are in both; overlapping intervals of one side count once."""
    merged = _merged(right)
    return [
        (contig, max(start, s), min(end, e))
        for contig, start, end in left
        for s, e in merged.get(contig, [])
        if max(start, s) < min(end, e)
    ]


def subtract(left: Iterable[Interval], right: Iterable[Interval]) -> list[Interval]:
    """Bases that are in `left` and not in `right`."""
    left, right = list(left), _merged(right)
    ends = {contig: max(end for name, _, end in left if name == contig) for contig, _, _ in left}
    outside = []
    for contig, end in ends.items():
        start = 0
        for taken_start, taken_end in [*right.get(contig, []), (end, end)]:
            if taken_start > start:
                outside.append((contig, start, taken_start))
            start = max(start, taken_end)
    return intersect(left, outside)


def joined(intervals: Iterable[Interval]) -> list[Interval]:
    """The intervals of each contig with those that touch or overlap made one; contigs in the order they first come."""
    return [(contig, start, end) for contig, parts in _merged(intervals).items() for start, end in parts]


def _merged(intervals: Iterable[Interval]) -> dict[str, list[tuple[int, int]]]:
    by_contig: dict[str, list[tuple[int, int]]] = {}
    for contig, start, end in intervals:
        by_contig.setdefault(contig, []).append((start, end))
    return {contig: _merge(parts) for contig, parts in by_contig.items()}


def _merge(parts: list[tuple[int, int]]) -> list[tuple[int, int]]:
    joined: list[tuple[int, int]] = []
    for start, end in sorted(parts):
        if joined and start <= joined[-1][1]:
            joined[-1] = (joined[-1][0], max(end, joined[-1][1]))
        else:
            joined.append((start, end))
    return joined


def windows(intervals: Iterable[Interval], longest: int, edges: Iterable[tuple[str, int]]) -> list[Interval]:
    """The intervals cut at `edges` (contig, position) and into windows of at most `longest` bp."""
    edges = sorted(edges)
    found = []
    for contig, start, end in intervals:
        for stop in [*(place for name, place in edges if name == contig and start < place < end), end]:
            found += [(contig, at, min(at + longest, stop)) for at in range(start, stop, longest)]
            start = stop
    return found


def cut_x_and_y(intervals: Iterable[Interval], profile, longest: int) -> list[Interval]:
    """The intervals, those of X and Y cut at the pseudoautosomal regions and into windows of at most `longest` bp.

    Sex is told by the windows; a sum over the intervals is the same however they are cut.
    """
    names = {contig["name"] for contig in profile.contigs("X", "Y")}
    edges = [(name, place) for name in names for par in profile.par(name) for place in par]
    return [
        part
        for interval in intervals
        for part in (windows([interval], longest, edges) if interval[0] in names else [interval])
    ]


def scatter(intervals: list[Interval], parts: int) -> list[list[Interval]]:
    """Cut the intervals, in order, into `parts` non-empty lists of nearly equal size.

    A cut falls into the gap (a run of N) nearest to its ideal place where one lies within a tenth of a part, since no
    variant spans it; otherwise at the ideal base. Raises ValueError where there are fewer bases than parts.
    """
    total = size(intervals)
    if total < parts:
        raise ValueError(f"{total} bases cannot be cut into {parts} parts; lower calling/scatter")
    gaps, position = [], 0
    for interval in intervals:
        position += size([interval])
        gaps.append(position)
    cuts: list[int] = []
    for k in range(1, parts):
        ideal = total * k // parts
        nearest = min(gaps, key=lambda gap: abs(gap - ideal))
        near = abs(nearest - ideal) * 10 <= total // parts and (cuts[-1] if cuts else 0) < nearest < total
        cuts.append(nearest if near else ideal)
    return list(_cut(intervals, cuts))


def _cut(intervals: list[Interval], cuts: list[int]) -> Iterator[list[Interval]]:
    bounds = iter([*cuts, size(intervals)])
    bound = next(bounds)
    part: list[Interval] = []
    position = 0
    for contig, start, end in intervals:
        while position + (end - start) >= bound:
            middle = start + bound - position
            if middle > start:
                part.append((contig, start, middle))
            yield part
            part, position, start = [], bound, middle
            bound = next(bounds, None)
            if bound is None:
                return
        if end > start:
            part.append((contig, start, end))
            position += end - start


def scatter_by_ploidy(
    intervals: list[Interval], one_copy: list[Interval], parts: int
) -> list[tuple[int, list[Interval]]]:
    """Cut the intervals into `parts` parts of one ploidy each: (ploidy, intervals), diploid parts first.

    A part of one ploidy needs no rule for its inside: HaplotypeCaller's --ploidy-regions decides by active region, so
    that bases beside a pseudoautosomal border got the ploidy of the other side. Each ploidy gets parts by its share of
    bases. Raises ValueError where there are fewer parts than ploidies.
    """
    single = intersect(intervals, one_copy)
    double = subtract(intervals, one_copy)
    if not single or not double:
        return [(1 if single else 2, part) for part in scatter(intervals, parts)]
    if parts < 2:
        raise ValueError("the reference has regions of one copy and of two: set calling/scatter to 2 or more")
    singles = min(max(1, round(parts * size(single) / size(intervals))), parts - 1)
    return [(2, part) for part in scatter(double, parts - singles)] + [(1, part) for part in scatter(single, singles)]


def haploid(profile, sex: str) -> list[Interval]:
    """Where a sex of the vocabulary has one copy: X or Y outside the pseudoautosomal regions."""
    found = []
    for role, ploidy in profile.ploidy(sex).items():
        for contig in profile.contigs(role) if ploidy == 1 else []:
            start = 0
            for par_start, par_end in [*sorted(profile.par(contig["name"])), (contig["length"], contig["length"])]:
                if par_start > start:
                    found.append((contig["name"], start, par_start))
                start = par_end
    return found


def present(profile, sex: str) -> list[str]:
    """Names of the autosomes, X and Y that a sex has; M is not among them."""
    ploidy = {"autosome": 2, **profile.ploidy(sex)}
    return [contig["name"] for contig in profile.contigs("autosome", "X", "Y") if ploidy[contig["role"]]]


def read_bed(path: str) -> list[Interval]:
    """First three columns of a BED file; raises ValueError naming the line that is not BED."""
    found = []
    for number, line in enumerate(Path(path).read_text().splitlines(), 1):
        if not line.strip() or line.startswith(("#", "track", "browser")):
            continue
        fields = line.split("\t")
        try:
            contig, start, end = fields[0], int(fields[1]), int(fields[2])
        except (IndexError, ValueError):
            raise ValueError(f"{path}: line {number}: not BED (contig, start, end, tab-separated)") from None
        if not 0 <= start < end:
            raise ValueError(f"{path}: line {number}: start {start} and end {end} are no interval")
        found.append((contig, start, end))
    return found


def bed_faults(path: str, fai: str) -> list[str]:
    """Why a BED file of the configuration cannot be of this reference: one line a fault, each with its mend."""
    lengths = {row.split("\t")[0]: int(row.split("\t")[1]) for row in Path(fai).read_text().splitlines()}
    try:
        intervals = read_bed(path)
    except (ValueError, UnicodeDecodeError) as error:
        return [f"config: {error}. Mend: give a BED file."]
    mend = "Mend: give the BED file of this reference."
    for contig, _, end in intervals:
        if contig not in lengths:
            return [f"config: {path}: the reference has no contig {contig}. {mend}"]
        if end > lengths[contig]:
            return [f"config: {path}: {contig}:{end} lies beyond the contig's end, {lengths[contig]}. {mend}"]
    return []


def write_bed(path: str, intervals: Iterable[Interval], *columns: str) -> None:
    """Write BED; `columns` are added to each line."""
    lines = ["\t".join([contig, str(start), str(end), *columns]) for contig, start, end in intervals]
    Path(path).write_text("".join(f"{line}\n" for line in lines))


def write_interval_list(path: str, sam_header: str, intervals: Iterable[Interval]) -> None:
    """Write a Picard interval list (SAM header, then 1-based closed intervals)."""
    lines = [f"{contig}\t{start + 1}\t{end}\t+\t." for contig, start, end in intervals]
    Path(path).write_text(sam_header + "".join(f"{line}\n" for line in lines))
