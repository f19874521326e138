"""manta's calls in the shape of delly's, so that `structural.events` and `somatic_structural.events` take both.

By manta's user guide (1.6): POS and END as VCF has them; deletions and insertions below 1 kb spelt in REF and ALT,
longer ones named; an inversion is a pair of breakends on one contig for each junction; a breakend's ALT may hold
inserted bases; PR and SR are pairs and split reads of (reference, variant). Somatic calls have no QUAL and no genotype
but SOMATICSCORE.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import pysam

_BREAKEND = re.compile(r"(?P<before>[A-Za-z]*)(?P<side>[\[\]])(?P<chrom>[^\[\]]+):(?P<pos>[0-9]+)[\[\]][A-Za-z]*")
_JOINED = {("[", True): "3to5", ("]", False): "5to3", ("]", True): "3to3", ("[", False): "5to5"}
"""Ends that are joined, by bracket and whether the record's own base comes first."""
# Worked out anew: of a genotype by the copies that a sample has, of the score by the profile's least.
ANEW = {"PASS", "MinGQ", "HomRef", "SampleFT", "MinSomaticScore"}


@dataclass(frozen=True)
class Call:
    """A call with the fields that are read of a record of delly's."""

    chrom: str
    pos: int
    stop: int
    id: str
    alts: tuple[str]
    qual: float | None
    filter: tuple[str, ...]
    info: Mapping[str, object]
    samples: Mapping[str, Mapping[str, object]]


def calls(records: Iterable[pysam.VariantRecord], excluded: Mapping[str, Sequence[tuple[int, int]]]) -> Iterator[Call]:
    """Calls in delly's coordinates: the two bases that a junction joins. A pair of breakends is one call.

    excluded: intervals by contig (0-based half-open) where no end may lie. Left out are insertions whose length manta
    does not know. Two calls that are told apart by inserted bases only become one. ValueError: not a type of manta 1.6.
    """
    found = list(records)
    by_id = {record.id: record for record in found}
    done, seen = set(), set()
    for record in found:
        if record.id in done:
            continue
        if record.info["SVTYPE"] == "BND":
            mate = by_id.get(_one(record.info.get("MATEID")))
            done.add(mate and mate.id)
            call = _breakend(record, mate)
        else:
            call = _event(record)
        ends = [(call.chrom, call.pos), (call.info["CHR2"], call.stop)] if call else []
        if not ends or any(low < pos <= high for chrom, pos in ends for low, high in excluded.get(chrom, ())):
            continue
        key = (*ends, call.info["SVTYPE"], call.info["CT"], call.info.get("SVLEN"))
        if key not in seen:
            seen.add(key)
            yield call


def read(path: str, exclude: str) -> list[Call]:
    """Calls of a file of manta's. exclude: path of delly's list of regions where no end may lie, see `calls`."""
    with pysam.VariantFile(path) as records, open(exclude) as lines:
        return list(calls(records, excluded(lines)))


def excluded(lines: Iterable[str]) -> dict[str, list[tuple[int, int]]]:
    """Intervals of delly's list of regions: contig, or contig, start and end."""
    found: dict[str, list[tuple[int, int]]] = {}
    for line in lines:
        contig, *ends = line.split()
        found.setdefault(contig, []).append((int(ends[0]), int(ends[1])) if ends else (0, 2**31))
    return found


def _event(record: pysam.VariantRecord) -> Call | None:
    kind, pos, stop = record.info["SVTYPE"], record.pos, record.stop
    joined = {"DEL": "3to5", "DUP": "5to3", "INS": "NtoN"}.get(kind)
    if joined is None:
        raise ValueError(
            f"manta's record {record.id} has SVTYPE {kind}. Mend: use manta 1.6, without convertInversion.py"
        )
    info = {}
    if kind == "INS":
        length = _one(record.info.get("SVLEN"))
        if length is None:
            return None
        info["SVLEN"] = int(length)
    elif kind == "DEL":
        stop += 1
    else:
        pos += 1
    return _call(record, kind, joined, pos, stop, f"<{kind}>", record.chrom, record.info.get("CIEND"), info)


def _breakend(record: pysam.VariantRecord, mate: pysam.VariantRecord | None) -> Call:
    found = _BREAKEND.fullmatch(record.alts[0])
    side, before, chrom, at = found["side"], bool(found["before"]), found["chrom"], int(found["pos"])
    joined, pos, span = _JOINED[side, before], record.pos, None
    if mate is not None:
        # Where bases at both ends are alike each record stands at its own leftmost place, so the mate's may be another.
        span = tuple(bound + mate.pos - at for bound in mate.info.get("CIPOS", (0, 0)))
    if chrom == record.chrom and joined in ("3to3", "5to5"):
        if at < pos:
            pos, at = at, pos
            return _call(record, "INV", joined, pos, at, "<INV>", chrom, record.info.get("CIPOS"), {}, span)
        return _call(record, "INV", joined, pos, at, "<INV>", chrom, span, {})
    alt = f"N{side}{chrom}:{at}{side}" if before else f"{side}{chrom}:{at}{side}N"
    return _call(record, "BND", joined, pos, at, alt, chrom, span, {})


def _call(record, kind, joined, pos, stop, alt, chrom2, ciend, info, cipos=None) -> Call:
    kept = {key: record.info[key] for key in ("IMPRECISE", "SOMATICSCORE") if key in record.info}
    samples = {name: _sample(values) for name, values in record.samples.items()}
    reads = {ours: sum(values[key] for values in samples.values()) for ours, key in (("PE", "DV"), ("SR", "RV"))}
    spans = {"CIPOS": cipos or record.info.get("CIPOS", (0, 0)), "CIEND": ciend or (0, 0)}
    # An interval holds its own place, also after a shift.
    spans = {key: (min(low, 0), max(high, 0)) for key, (low, high) in spans.items()}
    filters = tuple(sorted(set(record.filter) - ANEW))
    return Call(
        record.chrom, pos, stop, record.id, (alt,), record.qual, filters,
        {"SVTYPE": kind, "CT": joined, "CHR2": chrom2, **spans, **kept, **reads, **info}, samples,
    )  # fmt: skip


def _sample(values) -> dict[str, object]:
    """A sample's values by delly's keys; GL is log10, where PL is -10 times that."""
    likelihoods = values.get("PL")
    counts = [values.get(key) or (None,) for key in ("PR", "SR")]
    pairs, splits = ((0, 0) if None in count else count for count in counts)
    return {
        "GT": values.get("GT", (None,)),
        "GL": None if likelihoods is None or None in likelihoods else tuple(-one / 10 for one in likelihoods),
        "DR": pairs[0], "DV": pairs[1], "RR": splits[0], "RV": splits[1], "RDCN": None,
    }  # fmt: skip


def _one(value):
    """The only value of an INFO key whose Number pysam reads as a list."""
    return value[0] if isinstance(value, tuple) else value
