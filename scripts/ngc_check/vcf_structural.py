"""The profile's rules on alleles that are named, not spelt: symbolic alleles, breakends and what their INFO must say.

A VCF content with `alts` in the profile holds such alleles and no others; every other content holds none.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable

from ngc_check.vcf_spec import INTEGER, Emit, Header, Record

S_ALLELE, S_TYPE, S_LENGTH = "NGC-SV-001", "NGC-SV-002", "NGC-SV-003"
S_MATE, S_INTERVAL, S_CALLERS = "NGC-SV-004", "NGC-SV-005", "NGC-SV-006"
BREAKEND = re.compile(
    r"(?P<before>[ACGTN]?)(?P<side>[\[\]])(?P<chrom>[^\[\]:]+):(?P<pos>[0-9]{1,10})(?P=side)(?P<after>[ACGTN]?)"
)
MAX_MATES = 200_000
"""Breakends that are held until their mate comes; a genome has some hundreds."""
MAX_TEXT = 500
"""Characters of what is held of a breakend: memory must not follow the length of names."""
Place = tuple[str, int, str | None, tuple[str, int, str, bool]]
"""CHROM, POS, MATEID, and of the ALT: CHROM, POS, bracket, whether the record's own base comes first."""


def breakend(alt: str) -> tuple[str, int, str, bool] | None:
    """CHROM, POS and bracket of the mate, and whether the own base comes first; None where there is no mate."""
    found = BREAKEND.fullmatch(alt)
    if not found or bool(found["before"]) == bool(found["after"]):
        return None
    return found["chrom"], int(found["pos"]), found["side"], bool(found["before"])


def not_spelt(alts: Iterable[str]) -> str | None:
    """The first allele that is symbolic or a breakend, or None."""
    return next((alt for alt in alts if len(alt) > 1 and (alt[0] in "<[]." or alt[-1] in "[].")), None)


class StructuralJudge:
    """Judges the records of one file with structural variants; `finish` once all have come.

    kinds: the types that the profile's content names (`alts`); `BND` stands for breakends. callers: what CALLERS
    may name.
    """

    def __init__(self, header: Header, emit: Emit, kinds: dict[str, str], callers: Collection[str]) -> None:
        self.header, self.emit, self.kinds, self.callers = header, emit, kinds, callers
        self.with_callers: bool | None = None
        """Whether the first record has CALLERS."""
        self.breakends: dict[str, tuple[int, Place]] = {}

    def judge(self, record: Record) -> None:
        """Every rule of one record, mates apart."""
        n, alt, where = record.line, record.alts[0], f"{record.chrom}:{record.pos}"
        mate = breakend(alt)
        kind = "BND" if mate else alt[1:-1] if alt.startswith("<") else None
        if kind not in self.kinds or len(record.alts) > 1 or len(record.ref) > 1:
            text = f"{where} {record.ref[:20]} to {alt[:40]}: not one base of REF and one of {', '.join(self.kinds)}"
            self.emit(S_ALLELE, n, text)
            return
        if record.info.get("SVTYPE") != kind:
            self.emit(S_TYPE, n, f"{where} SVTYPE {record.info.get('SVTYPE')} of an allele {alt[:40]}")
        self._length(record, kind, where)
        self._intervals(record, kind, where)
        self._callers(record, where)
        if mate is None:
            return
        place: Place = (record.chrom, record.pos, record.info.get("MATEID"), mate)
        if record.id in self.breakends or record.id == ".":
            self.emit(S_MATE, n, f"{where} a breakend without an ID of its own")
        elif len(record.id) + len(alt) + len(place[2] or "") > MAX_TEXT:
            self.emit(S_MATE, n, f"{where} a breakend whose ID, MATEID and ALT have over {MAX_TEXT} characters")
        elif len(self.breakends) < MAX_MATES:
            self.breakends[record.id] = (n, place)
            if len(self.breakends) == MAX_MATES:
                self.emit(S_MATE, n, f"{MAX_MATES} breakends: further ones are not followed")

    def _length(self, record: Record, kind: str, where: str) -> None:
        """END and SVLEN say the same (VCF 4.2, section 3): bases lost are negative, an insertion ends at POS."""
        values = {key: _integer(record.info.get(key)) for key in ("END", "SVLEN")}
        end, length, fault = values["END"], values["SVLEN"], None
        last = int(self.header.contigs.get(record.chrom, {}).get("length", 2**31))
        if kind == "BND":
            fault = "END or SVLEN of a breakend" if values != {"END": None, "SVLEN": None} else None
        elif end is None:
            fault = "no END"
        elif end > last:
            fault = f"END {end} lies beyond the contig"
        elif kind == "INS":
            if end != record.pos or length is None or length < 1:
                fault = f"END {end} and SVLEN {length} of an insertion, must be POS and its length"
        elif end <= record.pos:
            fault = f"END {end} is not after POS"
        elif kind in ("DEL", "DUP", "CNV"):
            wanted = record.pos - end if kind == "DEL" else end - record.pos
            if length != wanted and not (kind == "CNV" and length is None):
                fault = f"SVLEN {length}, must be {wanted} by END {end}"
        if fault:
            self.emit(S_LENGTH, record.line, f"{where} {fault}")

    def _intervals(self, record: Record, kind: str, where: str) -> None:
        """What is imprecise says how far; every interval holds its own place."""
        needed = ("CIPOS",) if kind in ("BND", "INS") else ("CIPOS", "CIEND")
        for key in ("CIPOS", "CIEND"):
            text = record.info.get(key)
            if text is None:
                if "IMPRECISE" in record.info and key in needed:
                    self.emit(S_INTERVAL, record.line, f"{where} IMPRECISE without {key}")
                continue
            bounds = [_integer(part) for part in text.split(",")]
            if len(bounds) != 2 or None in bounds or not bounds[0] <= 0 <= bounds[1]:
                self.emit(S_INTERVAL, record.line, f"{where} {key} {text[:40]} is no interval around the place")

    def _callers(self, record: Record, where: str) -> None:
        """Callers are known ones, and named in all records of a file or in none."""
        text = record.info.get("CALLERS")
        if self.with_callers is None:
            self.with_callers = text is not None
        if (text is not None) != self.with_callers:
            self.emit(S_CALLERS, record.line, f"{where} CALLERS {str(text)[:40]}, other than in the records before")
            return
        names = text.split(",") if isinstance(text, str) else []
        if text is not None and (not names or len(set(names)) < len(names) or not set(names) <= set(self.callers)):
            allowed = ", ".join(self.callers)
            self.emit(S_CALLERS, record.line, f"{where} CALLERS {str(text)[:40]}: not each once of {allowed}")

    def finish(self) -> None:
        """Every breakend has its mate, and the two say of each other where they are."""
        for name, (n, (chrom, pos, mate_id, (to, at, side, first))) in self.breakends.items():
            text = f"{chrom}:{pos} {name[:40]}"
            if mate_id not in self.breakends or mate_id == name:
                self.emit(S_MATE, n, f"{text}: its mate {str(mate_id)[:40]} is not in the file")
                continue
            its_chrom, its_pos, back, (its_to, its_at, its_side, its_first) = self.breakends[mate_id][1]
            # A piece that goes on to the right of the mate (`[`) is joined there by what comes before it, and so on.
            agrees = (side == "[") == (not its_first) and (its_side == "[") == (not first)
            if (its_chrom, its_pos, back) != (to, at, name) or (its_to, its_at) != (chrom, pos) or not agrees:
                self.emit(S_MATE, n, f"{text}: its mate {mate_id[:40]} tells of another adjacency")


def _integer(text: str | None) -> int | None:
    return int(text) if text is not None and INTEGER.fullmatch(text) else None
