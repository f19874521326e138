"""Counts of a tumour's somatic variants: types, filters, fractions, mutational burden, the 96 mutation contexts.

Behind scripts/count_somatic.py and scripts/compare_tumours.py; all but `read_calls` are pure.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass

import pysam

KINDS = ("snv", "insertion", "deletion", "mnv")
BINS = 20
"""Classes of equal width that fractions of PASS variants are counted in."""
COMPLEMENT = str.maketrans("ACGT", "TGCA")
CONTEXTS = tuple(
    f"{before}[{change}]{after}"
    for change in ("C>A", "C>G", "C>T", "T>A", "T>C", "T>G")
    for before in "ACGT"
    for after in "ACGT"
)
"""The 96 contexts of substitutions in COSMIC's order."""
TRANSITIONS = {"AG", "GA", "CT", "TC"}


@dataclass(frozen=True)
class Call:
    """A record of a somatic VCF with one ALT: 1-based position; fraction and depth (reads) in the tumour."""

    chrom: str
    pos: int
    ref: str
    alt: str
    filters: tuple[str, ...]
    fraction: float
    depth: int

    @property
    def passed(self) -> bool:
        """Whether no filter was set."""
        return not self.filters

    @property
    def kind(self) -> str:
        """snv, insertion, deletion or mnv (several bases for as many, or for others)."""
        if len(self.ref) == len(self.alt):
            return "snv" if len(self.ref) == 1 else "mnv"
        longer, shorter = sorted((self.ref, self.alt), key=len, reverse=True)
        if not longer.startswith(shorter):
            return "mnv"
        return "deletion" if longer == self.ref else "insertion"


class Evaluated:
    """Regions in which coverage was judged, and how many of their bases the tumour covers.

    regions: (contig, start, end, bases covered by at least `depth` reads), 0-based half-open.
    """

    def __init__(self, regions: Iterable[tuple[str, int, int, int]], depth: int) -> None:
        self.depth, self.bases = depth, 0
        self._ends: dict[str, list[tuple[int, int]]] = {}
        for contig, start, end, covered in regions:
            self.bases += covered
            self._ends.setdefault(contig, []).append((start, end))
        for ends in self._ends.values():
            ends.sort()

    def holds(self, call: Call) -> bool:
        """Whether a call lies in the regions, at a depth that counts."""
        ends = self._ends.get(call.chrom, [])
        at = bisect_right(ends, (call.pos - 1, float("inf"))) - 1
        return at >= 0 and call.pos - 1 < ends[at][1] and call.depth >= self.depth


def read_calls(vcf: str, tumour: str) -> Iterator[Call]:
    """Calls of a submission's somatic VCF, fraction and depth by the tumour's column."""
    with pysam.VariantFile(vcf) as records:
        for record in records:
            values = record.samples[tumour]
            filters = tuple(name for name in record.filter if name != "PASS")
            fraction, depth = values["AF"][0] or 0.0, values["DP"] or 0
            yield Call(record.chrom, record.pos, record.ref, record.alts[0], filters, fraction, depth)


def read_thresholds(text: str, contigs: Iterable[str], depth: int) -> Evaluated:
    """Evaluated regions on these contigs, from mosdepth's `thresholds.bed`, which must have a column of this depth."""
    lines = text.splitlines()
    column = lines[0].lstrip("#").split("\t").index(f"{depth}X")
    kept = set(contigs)
    rows = (line.split("\t") for line in lines[1:])
    return Evaluated(((row[0], int(row[1]), int(row[2]), int(row[column])) for row in rows if row[0] in kept), depth)


def context(around: str, alt: str) -> str | None:
    """Context of a substitution, written on the strand of the pyrimidine; None beside an N or a contig's end.

    around: the base before, the one that is changed, and the one after.
    """
    if len(around) != 3 or not set(around + alt) <= set("ACGT"):
        return None
    if around[1] in "AG":
        around, alt = around[::-1].translate(COMPLEMENT), alt.translate(COMPLEMENT)
    return f"{around[0]}[{around[1]}>{alt}]{around[2]}"


def count(calls: Iterable[Call], evaluated: Evaluated, bases: Callable[[str, int, int], str]) -> dict:
    """What is counted of a tumour's calls.

    bases: reference of a contig's 0-based half-open interval, in upper case, fewer letters beyond the contig's end.
    """
    counts = {kind: {"passed": 0, "filtered": 0} for kind in KINDS}
    filters: Counter[str] = Counter()
    contexts: Counter[str] = Counter()
    fractions, changes = [0] * BINS, Counter()
    burden = 0
    for call in calls:
        counts[call.kind]["passed" if call.passed else "filtered"] += 1
        filters.update(call.filters)
        if not call.passed:
            continue
        fractions[min(int(call.fraction * BINS), BINS - 1)] += 1
        burden += evaluated.holds(call)
        if call.kind == "snv":
            changes["transitions" if call.ref + call.alt in TRANSITIONS else "transversions"] += 1
            contexts[context(bases(call.chrom, max(0, call.pos - 2), call.pos + 1), call.alt) or ""] += 1
    megabases = evaluated.bases / 1e6
    return {
        "counts": counts,
        "filters": dict(sorted(filters.items())),
        "fractions": fractions,
        "transitions": changes["transitions"],
        "transversions": changes["transversions"],
        "contexts": {name: contexts[name] for name in CONTEXTS},
        "without_context": contexts[""],
        "burden": {
            "variants": burden,
            "bases": evaluated.bases,
            "depth": evaluated.depth,
            "per_megabase": round(burden / megabases, 4) if megabases else None,
        },
    }


def table(contexts: Mapping[str, int]) -> str:
    """The table of mutation contexts as the submission has it: context and count, in COSMIC's order."""
    return "context\tcount\n" + "".join(f"{name}\t{contexts[name]}\n" for name in CONTEXTS)


def compare(calls: Mapping[str, Iterable[Call]]) -> dict:
    """Which PASS variants a person's tumours share.

    calls: by tumour. `sets`: for each group of tumours that has a variant that no other has, how many variants and how
    many of them SNVs. `filtered`: of the variants that pass in one tumour and not in the other, how many are filtered
    there; such a variant is no proof that the tumours differ. Most tumours first, then by name.
    """
    owners: dict[tuple, list[str]] = {}
    hidden: dict[str, set[tuple]] = {}
    for tumour in sorted(calls):
        hidden[tumour] = set()
        for call in calls[tumour]:
            key = (call.chrom, call.pos, call.ref, call.alt)
            if call.passed:
                owners.setdefault(key, []).append(tumour)
            else:
                hidden[tumour].add(key)
    sets: dict[tuple[str, ...], dict] = {}
    for key, names in owners.items():
        found = sets.setdefault(tuple(names), {"tumours": names, "variants": 0, "snvs": 0})
        found["variants"] += 1
        found["snvs"] += len(key[2]) == len(key[3]) == 1
    filtered = [
        {"passes": one, "filtered": other, "variants": sum(one in owners.get(key, ()) for key in hidden[other])}
        for one in hidden
        for other in hidden
        if one != other
    ]
    order = sorted(sets.values(), key=lambda found: (-len(found["tumours"]), found["tumours"]))
    return {"tumours": sorted(hidden), "sets": order, "filtered": filtered}
