"""Structural variants: delly's calls of a case as records of the submission, and their counts for each sample.

delly gives the two bases that a junction joins. VCF wants POS to be the last base before the event and END its last
base, so that END - POS is its length: of a deletion END is one less than delly's, of a duplication POS, and of an
inversion's right junction (5to5) both.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

import pysam

from ngc_wgs import manta

SIZES = ((50, "50-299 bp"), (300, "300-999 bp"), (1_000, "1-9 kb"), (10_000, "10-99 kb"), (100_000, "100 kb and more"))
"""Least length (bp) and name of each class."""
NO_LENGTH = "two contigs"
BORDER = 50
"""bp from the end of a pseudoautosomal region that a breakend there may lie."""
MAX_GQ = 10_000
"""delly's own."""
_BREAKEND = re.compile(r"[A-Za-z]?([\[\]])([^\[\]:]+):([0-9]+)[\[\]][A-Za-z]?")

Genotype = tuple[str, int | None, tuple[str, ...]]
"""GT, GQ and filters; no GQ where there is no genotype."""


@dataclass(frozen=True)
class Place:
    """One record before its genotypes are written: a whole event, or one of the two ends of a breakend."""

    chrom: str
    pos: int
    name: str
    alt: str
    info: tuple[str, ...]


Line = tuple[int, int, str, list[str]]
"""Rank of the contig, POS, ID and the columns of a record."""


@dataclass(frozen=True)
class Event:
    """A variant with its records: two of a breakend, whose lower end is the first, else one."""

    kind: str
    ct: str
    chrom: str
    chrom2: str
    pos: int
    stop: int
    length: int
    """bp of an insertion; by `pos` and `stop` of others."""
    passes: bool
    precise: bool
    lines: list[Line]


def places(call: pysam.VariantRecord, base: Callable[[str, int], str], length: Mapping[str, int]) -> list[Place]:
    """Where a call of delly lies and what its INFO says of that. base: of the reference at a 1-based position.

    length: bases of each contig that records may lie on; nothing is given of a call that touches another.
    """
    kind, ct, start, end = call.info["SVTYPE"], call.info["CT"], call.pos, call.stop
    spans = {key: ",".join(map(str, call.info[key])) for key in ("CIPOS", "CIEND")}
    vague = ("IMPRECISE",) if "IMPRECISE" in call.info else ()
    if kind == "BND":
        side, chrom2, pos2 = _BREAKEND.fullmatch(call.alts[0]).groups()
        here, there = (call.chrom, start), (chrom2, int(pos2))
        if not {call.chrom, chrom2} <= length.keys():
            return []
        before = call.alts[0][0] not in "[]"  # whether the record's own base comes first
        # A piece that runs on to the right of the mate begins there with the mate's base, and so on.
        ends = (
            (here, there, side, before, spans["CIPOS"], ct, "1", "2"),
            (there, here, "]" if before else "[", side == "]", spans["CIEND"], _turned(ct), "2", "1"),
        )
        return [
            Place(
                *own,
                f"{call.id}_{number}",
                f"{base(*own)}{mark}{mate[0]}:{mate[1]}{mark}"
                if first
                else f"{mark}{mate[0]}:{mate[1]}{mark}{base(*own)}",
                ("SVTYPE=BND", f"MATEID={call.id}_{other}", *vague, f"CIPOS={span}", f"CT={joined}"),
            )
            for own, mate, mark, first, span, joined, number, other in ends
        ]
    if call.chrom not in length:
        return []
    if kind == "DUP" or ct == "5to5":
        start -= 1
    if kind == "DEL" or ct == "5to5":
        end -= 1
    start, end = max(start, 1), min(end, length[call.chrom])
    gained = {"DEL": start - end, "DUP": end - start, "INS": call.info.get("SVLEN", 0)}.get(kind)
    if kind == "INS":
        end, spans["CIEND"] = start, ""
    return [
        Place(
            call.chrom,
            start,
            call.id,
            f"<{kind}>",
            (
                f"SVTYPE={kind}",
                f"END={end}",
                *((f"SVLEN={gained}",) if gained is not None else ()),
                *vague,
                f"CIPOS={spans['CIPOS']}",
                *((f"CIEND={spans['CIEND']}",) if spans["CIEND"] else ()),
                f"CT={ct}",
            ),
        )
    ]


def _turned(ct: str) -> str:
    first, second = ct.split("to")
    return f"{second}to{first}"


def size(place: Place) -> int | None:
    """Length of an event in bp; None of a breakend."""
    values = dict(entry.split("=") for entry in place.info if "=" in entry)
    if values["SVTYPE"] == "BND":
        return None
    return abs(int(values.get("SVLEN", int(values["END"]) - place.pos)))


def at_par_border(call: pysam.VariantRecord, profile) -> bool:
    """Whether a call joins X and Y at ends of pseudoautosomal regions: reads of Y's copy lie on X, beside Y's own."""
    found = _BREAKEND.fullmatch(call.alts[0])
    if found is None:
        return False
    ends = [(call.chrom, call.pos), (found[2], int(found[3]))]
    return ends[0][0] != ends[1][0] and all(
        any(abs(pos - edge) <= BORDER for par in profile.par(chrom) for edge in par) for chrom, pos in ends
    )


def genotype(likelihoods: Sequence[float] | None, alleles: Sequence[int | None], copies: int, least: int) -> Genotype:
    """A sample's genotype where it has so many copies. least: genotype quality below which it is filtered.

    likelihoods: delly's log10 of 0/0, 0/1 and 1/1. delly knows two copies only. Where there is one, the sample carries
    the variant if its reads are likelier with than without; reads of both alleles are right there of a duplication
    (its ends stay as they were) and suspect of anything else, which `record` tells by the type.
    """
    if copies == 0 or likelihoods is None or None in alleles or len(alleles) != 2:
        return ("." if copies < 2 else "./."), None, ()
    none, one, both = likelihoods
    if copies == 1:
        text, quality = ("1" if any(alleles) else "0"), abs(max(one, both) - none)
        filters = ("HetInHaploid",) if sum(alleles) == 1 else ()
    else:
        ranked = sorted(likelihoods, reverse=True)
        text, quality, filters = "/".join(map(str, sorted(alleles))), ranked[0] - ranked[1], ()
    phred = min(round(10 * quality), MAX_GQ)
    return text, phred, (*filters, *(("LowGQ",) if phred < least else ()))


def events(
    calls: Iterable[pysam.VariantRecord | manta.Call],
    columns: Sequence[str],
    sexes: Mapping[str, str],
    profile,
    base: Callable[[str, int], str],
) -> list[Event]:
    """Variants with their lines, from joint calls. columns: samples in the order of the header.

    Left out is what nobody carries, and what is shorter than the profile's least length: the germline VCF has that.
    """
    spec, limits = profile.data["structural_vcf"], profile.data["structural"]
    on = profile.contigs(*spec["record_roles"])
    length, rank = {c["name"]: c["length"] for c in on}, {c["name"]: at for at, c in enumerate(on)}
    found: list[Event] = []
    for call in calls:
        filtered = set(call.filter) - {"PASS"} | ({"ParBorder"} if at_par_border(call, profile) else set())
        support = {"PE": call.info.get("PE", 0), "SR": call.info.get("SR", 0)}
        if not isinstance(call, manta.Call):  # manta tells of none
            support["MAPQ"] = call.info.get("MAPQ" if support["PE"] else "SRMAPQ", 0)
        ends = places(call, base, length)
        made: list[Line] = []
        for place in ends:
            long = size(place)
            if long is not None and long < limits["minimum_length"]:
                continue
            behind = place.alt.startswith("<")  # such an event begins behind its POS
            cells, carried = [], []
            for name in columns:
                values = call.samples[name]
                copies = profile.copies(place.chrom, place.pos + behind, sexes[name])
                text, quality, filters = genotype(values["GL"], values["GT"], copies, limits["genotype_quality"])
                if call.info["SVTYPE"] == "DUP":
                    filters = tuple(item for item in filters if item != "HetInHaploid")
                if "1" in text:
                    carried.append(set(filters))
                if quality is None:
                    cells.append(text)
                    continue
                reads = (values[key] for key in ("DR", "DV", "RR", "RV", "RDCN"))
                shown = [text, str(quality), ";".join(filters) or "PASS", *(str(n) for n in reads)]
                cells.append(":".join("." if n in ("None", "-1") else n for n in shown))
            if not carried:
                continue
            ids = [item["id"] for key in ("filters", "manta_filters") for item in limits[key]]
            common = set.intersection(*carried) | filtered
            filters = ";".join(item for item in ids if item in common) or "PASS"
            info = ";".join([*place.info, *(f"{key}={value}" for key, value in support.items())])
            quality = "." if call.qual is None else f"{call.qual:g}"
            fields = [place.chrom, str(place.pos), place.name, base(place.chrom, place.pos), place.alt, quality]
            fields += [filters, info, "GT:GQ:FT:DR:DV:RR:RV:RDCN", *cells]
            made.append((rank[place.chrom], place.pos, place.name, fields))
        # Nobody carries the mate where it lies on the Y of women: a breakend alone says nothing.
        if made and len(made) == len(ends):
            found.append(event_of(call.info["SVTYPE"], sorted(made)))
    return found


def event_of(kind: str, lines: list[Line]) -> Event:
    """A variant by its records, which are in their order."""
    first, last = lines[0][-1], lines[-1][-1]
    info = dict(entry.partition("=")[::2] for entry in first[7].split(";"))
    return Event(
        kind, info["CT"], first[0], last[0], int(first[1]), int(info.get("END", last[1])),
        abs(int(info.get("SVLEN", 0))), first[6] == "PASS", "IMPRECISE" not in info, lines,
    )  # fmt: skip


def merged(found: Mapping[str, Iterable[Event]], limits: Mapping) -> list[str]:
    """Lines of a VCF in its order from the variants of one caller, or of several with INFO/CALLERS in each record.

    limits: the profile's `structural`, of which reciprocal_overlap and distance make two calls one variant,
    `likeness`. Of two the one that passes is written, of such the one with the exact place, else that of the caller
    named first; CALLERS begins with the caller of what is written.
    """
    kept: list[tuple[Event, tuple[str, ...]]] = []
    for caller, events_of_one in found.items():
        others = list(events_of_one)
        near: dict[tuple[str, ...], list[int]] = {}
        for at, event in enumerate(others):
            near.setdefault((event.kind, event.ct, event.chrom, event.chrom2), []).append(at)
        fits = []
        for one, (event, _) in enumerate(kept):
            for other in near.get((event.kind, event.ct, event.chrom, event.chrom2), []):
                alike = likeness(event, others[other], limits["reciprocal_overlap"], limits["distance"])
                if alike > 0:
                    fits.append((-alike, one, other))
        partner = _best(fits)
        for one, other in partner.items():
            (event, callers), another = kept[one], others[other]
            if (another.passes, another.precise) > (event.passes, event.precise):
                kept[one] = another, (caller, *callers)
            else:
                kept[one] = event, (*callers, caller)
        both = set(partner.values())
        kept += [(event, (caller,)) for at, event in enumerate(others) if at not in both]
    written: list[Line] = []
    for event, callers in kept:
        named = f";CALLERS={','.join(callers)}" if len(found) > 1 else ""
        for *place, fields in event.lines:
            written.append((*place, [*fields[:7], fields[7] + named, *fields[8:]]))
    return ["\t".join(fields) for *_, fields in sorted(written)]


def likeness(one: Event, other: Event, overlap: float, distance: int) -> float:
    """How alike two variants of one type on the same contigs are, above 0 where they are the same one, at most 1."""
    if one.kind in ("DEL", "DUP", "INV"):
        both = _shared(one, other)
        return both if both >= overlap else 0
    far = max(abs(one.pos - other.pos), abs(one.stop - other.stop))
    lengths = sorted((one.length, other.length))
    if far > distance or lengths[0] < overlap * lengths[1]:
        return 0
    return 1 - far / (distance + 1)


def _best(fits: Iterable[tuple[float, int, int]]) -> dict[int, int]:
    """Partners from (minus likeness, one, other): those that fit best are joined first, each once."""
    partner: dict[int, int] = {}
    taken = set()
    for _, one, other in sorted(fits):
        if one not in partner and other not in taken:
            partner[one] = other
            taken.add(other)
    return partner


def class_of(kind: str, long: int) -> str:
    """Name of the class of size of an event of `long` bp; of a breakend there is one."""
    return (
        NO_LENGTH
        if kind == "BND"
        else max((least, title) for least, title in SIZES if least <= max(long, SIZES[0][0]))[1]
    )


def counts(calls: Iterable[pysam.VariantRecord], sample: str) -> dict[str, dict[str, int]]:
    """Variants that a sample carries by type and class of size, where record and genotype pass.

    Of a breakend one of its two records counts, of an inversion each of its two junctions.
    """
    found: dict[str, dict[str, int]] = {}
    for call in calls:
        values = call.samples[sample]
        if set(call.filter) != {"PASS"} or values["FT"] != "PASS" or 1 not in values["GT"]:
            continue
        kind = call.info["SVTYPE"]
        if kind == "BND" and call.id > call.info["MATEID"]:
            continue
        name = class_of(kind, abs(call.info["SVLEN"]) if "SVLEN" in call.info else call.stop - call.pos)
        of_kind = found.setdefault(kind, {})
        of_kind[name] = of_kind.get(name, 0) + 1
    return found


def beside_depth(
    calls: Iterable[pysam.VariantRecord],
    depth: Iterable[pysam.VariantRecord],
    sample: str,
    overlap: float,
    least: int,
) -> list[dict]:
    """Deletions and duplications of a sample that pass by read pairs or by depth, one row where both mean the same one.

    calls, depth: records of its structural VCF and of its copy-number VCF. Two of one type are the same where each
    covers at least the share `overlap` of the other; those that fit best are joined first. least: bp from which depth
    can see a variant; shorter calls by read pairs are left out.

    A row has contig, start, end (0-based half-open; those of read pairs where there are both), type, and `reads` (id,
    genotype, filters) and `depth` (copies, expected, filters), None where that way found nothing.
    """
    by_reads = [
        call
        for call in calls
        if call.info["SVTYPE"] in ("DEL", "DUP") and 1 in call.samples[sample]["GT"] and call.stop - call.pos >= least
    ]
    by_depth = list(depth)
    near: dict[tuple[str, str], list[int]] = {}
    for at, call in enumerate(by_depth):
        near.setdefault((call.contig, call.info["SVTYPE"]), []).append(at)
    fits = []
    for one, call in enumerate(by_reads):
        for other in near.get((call.contig, call.info["SVTYPE"]), []):
            both = _shared(call, by_depth[other])
            if both >= overlap:
                fits.append((-both, one, other))
    partner = _best(fits)
    pairs = [(call, by_depth[partner[at]] if at in partner else None) for at, call in enumerate(by_reads)]
    pairs += [(None, call) for at, call in enumerate(by_depth) if at not in partner.values()]
    rows = []
    for reads, bins in pairs:
        place = reads or bins
        row = {
            "contig": place.contig,
            "start": place.pos,
            "end": place.stop,
            "type": place.info["SVTYPE"],
            "reads": reads
            and {"id": reads.id, "genotype": _genotype(reads, sample), "filters": _filters(reads, sample)},
            "depth": bins
            and {
                "copies": bins.samples[sample]["CN"],
                "expected": bins.samples[sample]["ECN"],
                "filters": _filters(bins, sample),
            },
        }
        if any(found is not None and not found["filters"] for found in (row["reads"], row["depth"])):
            rows.append((place.rid, place.pos, place.stop, row["type"], row))
    return [row for *_, row in sorted(rows, key=lambda entry: entry[:4])]


def _shared(one: pysam.VariantRecord | Event, other: pysam.VariantRecord | Event) -> float:
    both = min(one.stop, other.stop) - max(one.pos, other.pos)
    return both / max(one.stop - one.pos, other.stop - other.pos)


def _genotype(call: pysam.VariantRecord, sample: str) -> str:
    return "/".join("." if allele is None else str(allele) for allele in call.samples[sample]["GT"])


def _filters(call: pysam.VariantRecord, sample: str) -> list[str]:
    """Filters of a record and of its genotype, none where both pass."""
    own = call.samples[sample].get("FT") or "PASS"
    return sorted({*call.filter, *own.split(";")} - {"PASS"})
