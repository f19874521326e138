"""Somatic copy number: GATK's segments of a tumour as records of the submission, and the share of tumour cells.

Copy ratios are the tumour's depth over its normal's, 1 where the tumour has the copies of most of its genome. Where the
normal has two haplotypes, `2 * ratio * minor allele fraction` is how many copies of the lesser one a cell has on
average; below 1 some cells have lost it (loss of heterozygosity), whatever the whole number of copies is.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import polars as pl

Interval = tuple[float, float, float]
"""Bounds and middle: 10 %, 50 % and 90 % of the posterior."""


@dataclass(frozen=True)
class Segment:
    """A stretch of one copy ratio. start, end: 0-based half-open. minor: fraction of the lesser allele, None unknown.

    call: of CallCopyRatioSegments: `+`, `-` or `0`.
    """

    contig: str
    start: int
    end: int
    bins: int
    sites: int
    ratio: Interval
    minor: Interval | None
    call: str

    @property
    def lost(self) -> Interval | None:
        """Share of cells that lost the lesser haplotype, if none has another copy of it, with its bounds."""
        if self.minor is None:
            return None
        low, middle, high = (1 - 2 * self.ratio[at] * self.minor[at] for at in (2, 1, 0))
        return low, middle, high


def segments(modelled: pl.DataFrame, called: pl.DataFrame) -> list[Segment]:
    """Segments of ModelSegments (modelFinal.seg) with the calls of CallCopyRatioSegments."""
    calls = {(row["CONTIG"], row["START"]): row["CALL"] for row in called.iter_rows(named=True)}
    found = []
    for row in modelled.iter_rows(named=True):
        ratio, minor = (
            tuple(float(row[f"{name}_POSTERIOR_{part}"]) for part in (10, 50, 90))
            for name in ("LOG2_COPY_RATIO", "MINOR_ALLELE_FRACTION")
        )
        if any(math.isnan(value) for value in ratio):
            continue
        found.append(
            Segment(
                row["CONTIG"],
                row["START"] - 1,
                row["END"],
                row["NUM_POINTS_COPY_RATIO"],
                row["NUM_POINTS_ALLELE_FRACTION"],
                tuple(2**value for value in ratio),
                None if any(math.isnan(value) for value in minor) else minor,
                str(calls.get((row["CONTIG"], row["START"]), "0")),
            )
        )
    return found


def kind(segment: Segment, limits: Mapping) -> tuple[str | None, bool]:
    """Type of the record, None of none, and whether heterozygosity is lost. limits: the profile's section."""
    lost, middle = segment.lost, rounded(segment.ratio)[1]
    gone = lost is not None and lost[0] > limits["lost_share"]
    if segment.call in "+-" and middle != 1:
        return ("DUP" if middle > 1 else "DEL"), gone
    return ("CNV" if gone else None), gone


def filters(segment: Segment, named: str, limits: Mapping) -> list[str]:
    """Filters of a record, none where it passes."""
    low, _, high = rounded(segment.ratio)
    near = named != "CNV" and low <= 1 <= high
    few = named == "CNV" and segment.sites < limits["minimum_sites"]
    return ["few_bins"] * (segment.bins < limits["minimum_bins"]) + ["near_neutral"] * near + ["few_sites"] * few


def rounded(values: Interval) -> Interval:
    """As they are written."""
    low, middle, high = (round(value, 3) for value in values)
    return low, middle, high


QUANTILE = 1.2816
"""Standard deviations from the middle of a normal distribution to its 90 %."""


def baseline_error(even: Sequence[Segment]) -> float:
    """By which part `2 * ratio * minor` is off, as a standard deviation: how far it is from 1 where nothing is lost.

    even: segments with two even haplotypes, at least one. Bins, GC and the choice of sites move whole segments; GATK's
    intervals, made of the scatter within each, do not show that.
    """
    off = sum(s.bins * (2 * s.ratio[1] * s.minor[1] - 1) ** 2 for s in even)
    return math.sqrt(off / sum(s.bins for s in even))


def purity(found: Iterable[Segment], limits: Mapping) -> dict:
    """Share of tumour cells by the segments that lost a haplotype most completely; None with a reason where untold.

    Those of the largest share, and those whose intervals meet its interval, are taken for losses in all tumour cells.
    The interval has the segments' own and, as an error beside it, that of the baseline.
    """
    method = "1 - 2 x copy ratio x minor allele fraction of the segments that lost most"
    whole = list(found)
    neutral = [s for s in whole if s.call == "0" and s.minor is not None]
    even = [s for s in neutral if s.lost is not None and s.lost[0] <= limits["lost_share"]]
    if not even or 2 * sum(s.bins for s in even) < sum(s.bins for s in whole if s.minor is not None):
        reason = "less than half of the genome has two even haplotypes at the usual ratio, which may not be two copies"
        return {"share": None, "low": None, "high": None, "reason": reason, "method": method}
    lost = [
        s
        for s in whole
        if kind(s, limits)[1] and s.sites >= limits["minimum_sites"] and s.bins >= limits["minimum_bins"]
    ]
    if not lost:
        return {"share": None, "low": None, "high": None, "reason": "no haplotype is lost", "method": method}
    top = max(lost, key=lambda s: s.lost[0])
    alike = [s for s in lost if s.lost[2] >= top.lost[0]]
    weight = sum(s.sites for s in alike)
    low, share, high = (sum(s.lost[at] * s.sites for s in alike) / weight for at in range(3))
    error = QUANTILE * baseline_error(even) * (1 - share)
    low, high = share - math.hypot(share - low, error), share + math.hypot(high - share, error)
    told = {"share": round(share, 3), "low": round(max(low, 0.0), 3), "high": round(min(high, 1.0), 3)}
    return {**told, "reason": None, "method": method}


def record(segment: Segment, base: str, bin_length: int, limits: Mapping) -> str | None:
    """A VCF line, None of a segment that is as in the normal. base: of the reference at the position before it."""
    named, gone = kind(segment, limits)
    if named is None:
        return None
    pos = max(segment.start, 1)
    length = segment.end - pos
    info = ["IMPRECISE", f"SVTYPE={named}", f"END={segment.end}"]
    if named != "CNV":
        info.append(f"SVLEN={-length if named == 'DEL' else length}")
    info += [f"CIPOS=-{bin_length},{bin_length}", f"CIEND=-{bin_length},{bin_length}"]
    if gone:
        info.append("LOH")
    ratio, minor = rounded(segment.ratio), segment.minor and rounded(segment.minor)
    values = [
        f"{ratio[1]:.3f}",
        f"{ratio[0]:.3f},{ratio[2]:.3f}",
        f"{minor[1]:.3f}" if minor else ".",
        f"{minor[0]:.3f},{minor[2]:.3f}" if minor else ".",
        str(segment.bins),
        str(segment.sites),
    ]
    passed = ";".join(filters(segment, named, limits)) or "PASS"
    place = f"{segment.contig}\t{pos}\t.\t{base}\t<{named}>\t.\t{passed}"
    return f"{place}\t{';'.join(info)}\tCR:CRCI:MAF:MAFCI:BINS:SITES\t{':'.join(values)}\n"


def document(found: Sequence[Segment], bin_length: int, matched: bool, limits: Mapping) -> dict:
    """What the report shows of a tumour: purity, and each segment with ratio, minor fraction and what it is called."""
    rows = []
    for segment in found:
        named, gone = kind(segment, limits)
        rows.append(
            {
                "contig": segment.contig,
                "start": segment.start,
                "end": segment.end,
                "ratio": rounded(segment.ratio),
                "minor": segment.minor and rounded(segment.minor),
                "type": named,
                "loh": gone,
                "filters": filters(segment, named, limits) if named else [],
            }
        )
    return {"bin": bin_length, "normal": matched, "purity": purity(found, limits), "segments": rows}
