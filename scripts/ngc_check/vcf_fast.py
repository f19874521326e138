"""Proves whole blocks of VCF records clean by columns; what it cannot prove is left to the exact judge.

In two steps, so that blocks can be examined side by side: `examine` looks at a block alone, in any thread; `joins`, in
file order, holds what it found against the records before and leaves the state that crosses blocks as the exact judge
would.
One-sided by design: a block passes both only where the exact judge would find nothing. Anything unusual (lower case,
breakends, GT `.`, many samples, an undeclared key) makes it fail, which costs time, never correctness.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import polars as pl

from ngc_check import vcf_profile as pro
from ngc_check import vcf_spec as spec
from ngc_check.vcf_reference import WINDOW, Reference

MAX_COLUMNS = 16
MAX_ALTS = 8
_FLOAT = r"[0-9]*\.?[0-9]+(?:[eE][-+]?[0-9]+)?"
_INTEGER = "[0-9]{1,9}"
# Printable ASCII less what delimits values; the percent sign goes too, so that 4.3 needs no second look.
_INFO_TEXT = r"[!#$&-+\--:<>-~]+"
_SAMPLE_TEXT = r"[!-$&-+\--9;-~]+"
_ALT_SPEC = r"^(?:\.|(?:[ACGTN*]+|<[!-+\--;=?-~]+>)(?:,(?:[ACGTN*]+|<[!-+\--;=?-~]+>))*)$"
_ALT_PROFILE = {False: r"^(?:\.|[ACGTN*]+(?:,[ACGTN*]+)*)$", True: r"^(?:[ACGTN*]+,)*<NON_REF>$"}


class _NotProven(Exception):
    """The block is left to the exact judge."""


@dataclass
class Facts:
    """What `examine` proved of a block, and what `joins` needs of it; all but `runs` and `covered` by row.

    runs: (contig, first row, row after the last). sequences: whether any ALT is no symbolic allele.
    covered: by run, the last position that its records cover (gVCF only).
    """

    runs: list[tuple[str, int, int]]
    pos: np.ndarray
    lengths: np.ndarray
    refs: list[str]
    alts: list[str]
    sequences: np.ndarray
    covered: list[int]


class Prover:
    """Works for a `RecordJudge` and, with a profile, a `ProfileJudge`. Each thread has its own.

    `examine` reads nothing of their state; `joins` does and is for one thread alone. `reference` is this prover's own.
    """

    def __init__(self, records: spec.RecordJudge, judge: pro.ProfileJudge | None, reference: Reference | None) -> None:
        self.records, self.judge, self.reference = records, judge, reference
        self.header = records.header
        self.gvcf = judge is not None and judge.gvcf
        self.usable = 8 <= self.header.columns <= MAX_COLUMNS and len(self.header.samples) == self.header.columns - 9
        self.usable = self.usable or self.header.columns == 8
        if judge is not None and (judge.structural is not None or judge.somatic is not None):
            self.usable = False  # few records, and rules of their own
        self._faults: list[str] = []
        self._quiet = spec.RecordJudge(self.header, lambda rule, line, text: self._faults.append(text))
        self._quiet.extra_format_keys = records.extra_format_keys
        self._values: dict[tuple[str, str], bool] = {}
        self._info_patterns: dict[int, str] = {}
        self._sample_patterns: dict[tuple[str, int, int], str] = {}

    def examine(self, block: bytes) -> Facts | None:
        """What whole lines hold where they are clean as far as they alone can tell, else None."""
        if not self.usable or not block.isascii() or b"\r" in block:
            return None
        try:
            return self._examine(block)
        except (_NotProven, pl.exceptions.PolarsError):
            return None

    def joins(self, facts: Facts, number: int) -> bool:
        """Whether a block, of which the first line is `number + 1`, is clean behind all that was judged before it.

        If so it has been judged; if not, nothing has changed.
        """
        try:
            self._follows(facts)
            covered = self._reaches(facts) if self.gvcf else 0
            self._commit(facts, number)
        except _NotProven:
            return False
        if self.judge is not None:
            self.judge.contig, self.judge.covered = facts.runs[-1][0], covered
        return True

    def _examine(self, block: bytes) -> Facts:
        table = pl.read_csv(
            block, has_header=False, separator="\t", quote_char=None, infer_schema=False, null_values=None
        )
        rows = block.count(b"\n")
        if table.height != rows or table.width != self.header.columns:
            raise _NotProven
        columns = table.get_columns()
        if any(column.null_count() for column in columns):
            raise _NotProven
        chrom, pos_text, ids, ref, alt, qual, filters, info = columns[:8]
        runs = self._runs(chrom)
        _all(pos_text, "^[1-9][0-9]{0,8}$")
        pos = pos_text.cast(pl.Int64).to_numpy()
        self._positions(runs, pos)
        _all(ref, "^[ACGTN]+$")
        _all(alt, _ALT_SPEC if self.judge is None else _ALT_PROFILE[self.gvcf])
        _all(qual, r"^(?:\.|[0-9]+(?:\.[0-9]+)?(?:[eE][-+]?[0-9]+)?)$")
        if not (ids == ".").all():
            _all(ids, r"^[!-:<-~]+$" if self.records.version == "4.3" else r"^[!-:<-~]+(?:;[!-:<-~]+)*$")
        for text in filters.unique():
            self._once("FILTER", text, self._filter_is_clean)
        n_alt = self._allele_counts(alt)
        lengths = ref.str.len_bytes().to_numpy().astype(np.int64)
        refs, alts = ref.to_list(), alt.to_list()
        if (ref == alt).any():
            raise _NotProven
        self._alleles(refs, alts, n_alt, pos, (lengths > 1) | (alt.str.len_bytes() > 1).to_numpy())
        self._info(info, n_alt)
        if self.header.columns > 8:
            self._genotypes(columns[8], columns[9:], n_alt, runs, pos)
        end = pos + lengths - 1
        if b"END=" in block:
            end = self._ends(info, pos, end)
        if self.reference is not None:
            self._reference(runs, pos, lengths, refs)
        covered = self._coverage(runs, pos, end, info, alt) if self.gvcf else []
        # A symbolic allele alone is never a duplicate to the specification; a gVCF is full of them.
        sequences = ~(alt.str.starts_with("<").to_numpy() & (n_alt == 1))
        return Facts(runs, pos, lengths, refs, alts, sequences, covered)

    # --- single columns
    def _runs(self, chrom: pl.Series) -> list[tuple[str, int, int]]:
        """(contig, first row, row after the last) of each stretch on one contig; their order is checked."""
        table = chrom.rle().struct.unnest()
        names, sizes = table["value"].to_list(), table["len"].to_list()
        if len(set(names)) != len(names):
            raise _NotProven
        runs, at, before = [], 0, -1
        for name, size in zip(names, sizes, strict=True):
            runs.append((name, at, at + size))
            at += size
            version = self.records.version
            if name.startswith("<") or not spec.CHROM[version].fullmatch(name) or spec.text_fault(name, version):
                raise _NotProven
            if self.judge is not None:
                rank = self.judge.rank.get(name, -1)
                if name not in self.judge.record_contigs or rank <= before:
                    raise _NotProven
                before = rank
        return runs

    def _positions(self, runs: list[tuple[str, int, int]], pos: np.ndarray) -> None:
        for name, start, stop in runs:
            here = pos[start:stop]
            length = self.records.lengths.get(name)
            if (np.diff(here) < 0).any() or (length is not None and here[-1] > length):
                raise _NotProven

    def _once(self, column: str, text: str, is_clean: Callable[[str], bool]) -> None:
        key = (column, text)
        known = self._values.get(key)
        if known is None:
            known = is_clean(text)
            if len(self._values) < 100_000 and len(text) < spec.MAX_CACHED_TEXT:
                self._values[key] = known
        if not known:
            raise _NotProven

    def _filter_is_clean(self, text: str) -> bool:
        self._faults.clear()
        self._quiet._filters(text, 0)
        if self._faults or spec.text_fault(text, self.records.version):
            return False
        if self.judge is None or self.gvcf:
            return True
        return text != "." and all(name == "PASS" or name in self.header.filters for name in text.split(";"))

    def _format_is_clean(self, text: str) -> bool:
        if text.startswith(":") or spec.text_fault(text, self.records.version):
            return False
        keys, _, faults = self._quiet.format_keys(text)
        if faults:
            return False
        if self.judge is None:
            return True
        return set(self.judge.required_format) <= set(keys) and all(key in self.header.format for key in keys)

    def _keys_are_clean(self, text: str) -> bool:
        keys = [] if text == "." else text.split(";")
        if len(set(keys)) != len(keys):
            return False
        return self.judge is None or set(self.judge.required_info) <= set(keys)

    # --- alleles
    def _allele_counts(self, alt: pl.Series) -> np.ndarray:
        """ALT alleles per row, 0 for `.`."""
        count = alt.str.count_matches(",", literal=True).to_numpy().astype(np.int64) + 1
        count[(alt == ".").to_numpy()] = 0
        if count.max(initial=0) > MAX_ALTS or (self.judge is not None and not self.gvcf and (count > 1).any()):
            raise _NotProven
        return count

    def _alleles(self, refs: list[str], alts: list[str], n_alt: np.ndarray, pos: np.ndarray, long: np.ndarray) -> None:
        """No ALT of several is REF; with the profile of a VCF, each change is in normal form."""
        for at in np.flatnonzero(n_alt > 1).tolist():
            if refs[at] in alts[at].split(","):
                raise _NotProven
        if self.judge is not None and not self.gvcf:
            for at in np.flatnonzero(long).tolist():
                if pro.not_normal(int(pos[at]), refs[at], alts[at]):
                    raise _NotProven

    # --- INFO
    def _info(self, info: pl.Series, n_alt: np.ndarray) -> None:
        for count in np.unique(n_alt):
            pattern = self._info_patterns.get(int(count))
            if pattern is None:
                pattern = self._info_patterns[int(count)] = self._info_pattern(int(count))
            _all(_rows(info, n_alt == count), pattern)
        for text in info.str.replace_all("=[^;]*", "").unique():
            self._once("INFO", text, self._keys_are_clean)

    def _info_pattern(self, n_alt: int) -> str:
        declared = dict(self.header.info)
        if self.judge is None:
            declared = {**spec.INFO_RESERVED[self.records.version], **declared}
        entries = []
        for key, definition in declared.items():
            if not spec.INFO_KEY[self.records.version].fullmatch(key) or key == "CIGAR" or not key.isascii():
                continue
            name = re.escape(key)
            if definition.types == ("Flag",):
                entries.append(f"{name}(?:=[01])?")
                continue
            value = _value(key, definition, _INFO_TEXT, "[!#$&-+\\--:<>-~]")
            entries.append(f"{name}=(?:{_counted(value, definition.number, n_alt, None)})")
        if not entries:
            return r"^\.$"
        entry = "(?:" + "|".join(entries) + ")"
        return rf"^(?:\.|{entry}(?:;{entry})*)$"

    def _ends(self, info: pl.Series, pos: np.ndarray, end: np.ndarray) -> np.ndarray:
        """Last position of each record where INFO has END, else as given."""
        text = info.str.extract("(?:^|;)END=([0-9]{1,9})(?:;|$)")
        given = text.is_not_null().to_numpy()
        if not given.any():
            return end
        values = text.cast(pl.Int64).fill_null(0).to_numpy()
        if (values[given] < pos[given]).any():
            raise _NotProven
        return np.where(given, values, end)

    # --- genotypes
    def _genotypes(
        self,
        formats: pl.Series,
        samples: list[pl.Series],
        n_alt: np.ndarray,
        runs: list[tuple[str, int, int]],
        pos: np.ndarray,
    ) -> None:
        texts = formats.unique().to_list()
        for text in texts:
            self._once("FORMAT", text, self._format_is_clean)
        ploidy = self._ploidy(runs, pos)
        for text in texts:
            of_format = (formats == text).to_numpy() if len(texts) > 1 else np.ones(len(pos), dtype=bool)
            codes = np.where(of_format, n_alt * 4 + ploidy, -1)
            for code in np.unique(codes[of_format]):
                key = (text, int(code) // 4, int(code) % 4)
                pattern = self._sample_patterns.get(key)
                if pattern is None:
                    if len(self._sample_patterns) > 2000 or len(text) >= spec.MAX_CACHED_TEXT:
                        raise _NotProven
                    pattern = self._sample_patterns[key] = self._sample_pattern(*key)
                mask = codes == code
                for sample in samples:
                    _all(_rows(sample, mask), pattern)

    def _ploidy(self, runs: list[tuple[str, int, int]], pos: np.ndarray) -> np.ndarray:
        """Ploidy wanted at each row, 3 where any of 1 to 3 is right."""
        wanted = np.full(len(pos), 3, dtype=np.int64)
        judge = self.judge
        if judge is None:
            return wanted
        for name, start, stop in runs:
            role = judge.role.get(name)
            if role not in ("X", "Y"):
                flat = judge.expected_ploidy(name, 1)
                wanted[start:stop] = 3 if flat is None else flat
                continue
            for at in range(start, stop):
                here = judge.expected_ploidy(name, int(pos[at]))
                if here == 0:
                    raise _NotProven
                wanted[at] = 3 if here is None else here
        return wanted

    def _sample_pattern(self, text: str, n_alt: int, ploidy: int) -> str:
        _, definitions, _ = self._quiet.format_keys(text)
        if definitions[0][0] != "GT":
            return "^(?:" + self._fields(definitions, n_alt, 2) + ")$"
        options = (1, 2, 3) if ploidy == 3 else (ploidy,)
        allele = f"[0-{max(n_alt, 1)}.]"
        alternatives = []
        for p in options:
            # GT `.` may stand for any ploidy: left to the exact judge.
            genotype = f"[0-{max(n_alt, 1)}]" if p == 1 else allele + rf"(?:[/|]{allele}){{{p - 1}}}"
            rest = self._fields(definitions[1:], n_alt, p)
            alternatives.append(genotype + (f"(?::{rest})?" if rest else ""))
        return "^(?:" + "|".join(alternatives) + ")$"

    def _fields(self, definitions: list, n_alt: int, ploidy: int) -> str:
        """Fields of a sample column; those at the end may be missing."""
        pattern = ""
        for key, definition in reversed(definitions):
            if definition is None:
                value = r"[!-9;-~]+"
            else:
                one = _value(key, definition, _SAMPLE_TEXT, "[!-$&-+\\--9;-~]")
                value = _counted(one, definition.number, n_alt, ploidy)
            pattern = f"(?:{value})" + (f"(?::{pattern})?" if pattern else "")
        return pattern

    # --- reference and coverage
    def _reference(
        self, runs: list[tuple[str, int, int]], pos: np.ndarray, lengths: np.ndarray, refs: list[str]
    ) -> None:
        reference = self.reference
        joined = np.frombuffer("".join(refs).encode(), dtype=np.uint8)
        first = joined[np.cumsum(lengths) - lengths]
        for name, start, stop in runs:
            length = reference.length(name)
            if length is None or pos[stop - 1] > length:
                raise _NotProven
            window = (pos[start:stop] - 1) // WINDOW
            cuts = np.flatnonzero(np.diff(window)) + 1
            for a, b in zip([0, *cuts.tolist()], [*cuts.tolist(), stop - start], strict=True):
                number = int(window[a])
                bases = reference.window(name, number)
                at = pos[start + a : start + b] - 1 - number * WINDOW
                # 0xDF makes a letter upper case.
                if ((np.frombuffer(bases, dtype=np.uint8)[at] & 0xDF) != first[start + a : start + b]).any():
                    raise _NotProven
                for row in np.flatnonzero(lengths[start + a : start + b] > 1).tolist():
                    text, offset = refs[start + a + row], int(at[row])
                    if bases[offset : offset + len(text)].upper() != text.encode():
                        raise _NotProven

    def _coverage(
        self, runs: list[tuple[str, int, int]], pos: np.ndarray, end: np.ndarray, info: pl.Series, alt: pl.Series
    ) -> list[int]:
        """Reference blocks have END and no gap lies between records; by run, the last position that is covered."""
        block = (alt == pro.NON_REF).to_numpy()
        if not info.str.contains(r"(?:^|;)END=[0-9]").to_numpy()[block].all():
            raise _NotProven
        covered = []
        for name, start, stop in runs:
            length = self.records.lengths.get(name)
            reach = np.maximum.accumulate(end[start:stop])
            if length is None or reach[-1] > length or (pos[start + 1 : stop] > reach[:-1] + 1).any():
                raise _NotProven
            covered.append(int(reach[-1]))
        return covered

    # --- what crosses blocks
    def _follows(self, facts: Facts) -> None:
        """Contigs and positions go on where the records before ended."""
        records, judge, runs = self.records, self.judge, facts.runs
        first = runs[0][0]
        if len(records.done) + len(runs) >= spec.MAX_CONTIGS:
            raise _NotProven
        if first == records.contig and facts.pos[0] < records.pos:
            raise _NotProven
        for at, (name, _, _) in enumerate(runs):
            if name in records.done or (at and name == records.contig):
                raise _NotProven
        if judge is not None and judge.rank[first] < judge.rank.get(judge.contig, -1):
            raise _NotProven

    def _reaches(self, facts: Facts) -> int:
        """Last position that is covered behind the block; no gap lies before it."""
        before = self.judge.covered if facts.runs[0][0] == self.judge.contig else 0
        if before and facts.pos[0] > before + 1:
            raise _NotProven
        return max(before, facts.covered[0]) if len(facts.runs) == 1 else facts.covered[-1]

    def _commit(self, facts: Facts, number: int) -> None:
        """Look for duplicates among rows that touch another row, then leave the state as the exact judge would."""
        records, judge, pos, lengths = self.records, self.judge, facts.pos, facts.lengths
        held = records.duplicates
        saved, reach = held.snapshot(), records.reach
        exact = judge is not None and not self.gvcf
        here = dict(judge.here) if exact else {}
        here_pos = judge.here_pos if exact else -1
        contig = records.contig
        try:
            for name, start, stop in facts.runs:
                if name != contig:
                    held.clear()
                    reach, contig, here_pos = 0, name, -1
                    here.clear()
                rows = np.arange(start, stop) if exact else start + np.flatnonzero(facts.sequences[start:stop])
                if not len(rows):
                    continue
                at_pos, own = pos[rows], pos[rows] + lengths[rows]
                before = np.maximum.accumulate(np.concatenate(([reach], own)))
                touches = at_pos <= before[:-1]
                touches[:-1] |= at_pos[1:] <= own[:-1]
                # What ends at or after the last row may meet the next block's first.
                touches |= own >= pos[stop - 1]
                reach = int(before[-1])
                for at in rows[touches].tolist():
                    place, ref, alt, line = int(pos[at]), facts.refs[at], facts.alts[at], number + 1 + at
                    for allele in alt.split(","):
                        if held.add(place, ref, allele, line) is not None:
                            raise _NotProven
                    if exact:
                        if place != here_pos:
                            here_pos = place
                            here.clear()
                        if len(ref) + len(alt) > 400 or (ref, alt.upper()) in here:
                            raise _NotProven
                        here[(ref, alt.upper())] = line
        except _NotProven:
            held.restore(saved)
            raise
        for name, _, _ in facts.runs:
            if name != records.contig:
                if records.contig:
                    records.done.add(records.contig)
                records.contig = name
        records.pos, records.reach = int(pos[-1]), reach
        if exact:
            judge.here, judge.here_pos = here, here_pos


def _all(column: pl.Series, pattern: str) -> None:
    if not column.str.contains(pattern).all():
        raise _NotProven


def _rows(column: pl.Series, mask: np.ndarray) -> pl.Series:
    return column if mask.all() else column.filter(pl.Series(mask))


def _value(key: str, definition: spec.Definition, text: str, character: str) -> str:
    """Pattern of one value that is surely right; narrower than what the exact judge accepts."""
    kind = definition.type if definition.types else "String"
    sign = "" if key in spec.COUNTS else "[-+]?"
    if kind == "Integer":
        return rf"(?:{sign}{_INTEGER}|\.)"
    if kind == "Float":
        return rf"(?:{sign}{_FLOAT}|\.|NaN|nan|Infinity|inf)"
    return character if kind == "Character" else text


def _counted(value: str, number: str | None, n_alt: int, ploidy: int | None) -> str:
    """As many values as Number wants, or one missing value; `n_alt` 0 stands for ALT `.`, read as none or one."""
    if number is None or number == "." or (number == "G" and ploidy is None):
        return f"{value}(?:,{value})*"
    alternatives = [r"\."]
    for count in (0, 1) if n_alt == 0 else (n_alt,):
        if number == "A":
            wanted = count
        elif number == "R":
            wanted = count + 1
        elif number == "G":
            wanted = math.comb(count + ploidy, ploidy)
        else:
            wanted = int(number)
        if 0 < wanted <= 64:
            alternatives.append(f"{value}(?:,{value}){{{wanted - 1}}}" if wanted > 1 else value)
    return "|".join(alternatives)
