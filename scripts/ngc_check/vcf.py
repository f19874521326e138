"""Judges a VCF or gVCF, plain or bgzipped, in one read and bounded memory.

`check_vcf` is the whole surface. The specification's rules are in vcf_spec, the profile's in vcf_profile; vcf_fast
proves whole blocks of records clean at once, and only blocks it cannot prove are read line by line. Further threads
examine blocks ahead; one thread reads, and settles what was examined in file order.
"""

from __future__ import annotations

import gzip
import hashlib
import io
import re
import struct
import zlib as standard_zlib
from collections import Counter, deque
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from queue import SimpleQueue
from typing import TYPE_CHECKING

from isal import igzip
from isal import isal_zlib as zlib

from ngc_check import vcf_profile as pro
from ngc_check import vcf_spec as spec
from ngc_check.findings import Finding
from ngc_check.vcf_reference import Reference, ReferenceUnusable

if TYPE_CHECKING:
    from ngc_check.vcf_fast import Facts, Prover

BGZF_EOF = bytes.fromhex("1f8b08040000000000ff0600424302001b0003000000000000000000")
CHUNK = 1 << 20
BLOCK = 3 << 19
"""Bytes of record text judged at a time: large enough to vectorise, small enough that one odd record costs little."""
MAX_LINE = 8 << 20
MAX_HEADER = 64 << 20
KEPT_HEADER = 8 << 20
"""Bytes of header kept for the search for personal identifiers; a true header is some tens of kilobytes."""
MAX_RATIO = 300
"""Real VCFs shrink 3 to 30 times; a file that grows more than this beyond MAX_HEADER is made to fill memory or time."""
LEAF = 1 << 14
"""Bytes of records that are read line by line rather than halved again."""
MIN_FAST = 1 << 18
"""Bytes of records below which importing the fast path costs more than it saves."""
MAX_FINDINGS = 500_000
MAX_RAGGED = 10_000
"""Beyond so many findings, or so many lines without the right columns, more of the same helps nobody."""
CAP = 20
_RECORD = re.compile(rb"^[^#\r\n]", re.MULTILINE)


class _Stop(Exception):
    """The text cannot be judged any further; the reason has been reported."""


class _Unread(_Stop):
    """The text cannot be read any further; what was read can still be judged."""


class _Report:
    """Findings by rule, at most CAP kept per rule, the rest counted."""

    def __init__(self, file: str) -> None:
        self.file = file
        self.kept: list[Finding] = []
        self.counts: Counter[str] = Counter()
        self._last: dict[str, int] = {}

    def emit(self, rule: str, line: int, evidence: str, status: str = "") -> None:
        self.counts[rule] += 1
        if self.counts[rule] > CAP:
            return
        self._last[rule] = len(self.kept)
        place = f"line {line}" if line else ""
        severity = {"INFO": "info", "NOT_CHECKED": "info"}.get(status, "")
        self.kept.append(Finding(rule, severity, status, self.file, place, evidence[:400]))

    def findings(self) -> Iterator[Finding]:
        for at, finding in enumerate(self.kept):
            more = self.counts[finding.rule] - CAP
            if more > 0 and self._last[finding.rule] == at:
                finding = replace(finding, count=1 + more)
            yield finding


class _Source:
    """The decompressed bytes of a file in chunks, with the sha256 of the file as it lies on disk."""

    def __init__(self, path: Path, report: _Report) -> None:
        self.handle = path.open("rb")
        self.report = report
        self.tell: Callable[[Callable[[], None]], None] = _now
        """Who reads ahead of what is judged puts its own here, to do later what tells of a fault."""
        self.sha256 = hashlib.sha256()
        self.read_bytes = 0
        self.given_bytes = 0
        self.header = b""
        """The text up to the first record, at most KEPT_HEADER bytes of it."""
        self.header_ended = False
        self._stream = self._chunks()
        self.container = "plain"
        self.tail = b""
        self.damaged = False

    def _read(self) -> bytes:
        data = self.handle.read(CHUNK)
        self.sha256.update(data)
        self.read_bytes += len(data)
        self.tail = (self.tail + data)[-len(BGZF_EOF) :]
        return data

    def _keep(self, chunk: bytes) -> None:
        before = len(self.header)
        self.header += chunk[: KEPT_HEADER - before]
        if record := _RECORD.search(self.header, max(0, before - 1)):
            self.header = self.header[: record.start()]
        self.header_ended = record is not None or len(self.header) == KEPT_HEADER

    def finish(self) -> str:
        """Read what is left for the header and for the digest; sha256 of the file."""
        try:
            while not self.header_ended and next(self._stream, None) is not None:
                pass
        except _Stop:
            pass
        while self._read():
            pass
        self.handle.close()
        return self.sha256.hexdigest()

    def chunks(self) -> Iterator[bytes]:
        """Decompressed chunks, each of bounded size. Damage is reported and ends the chunks."""
        return self._stream

    def _chunks(self) -> Iterator[bytes]:
        first = self._read()
        if first[:2] != b"\x1f\x8b":
            inner = self._plain(first)
        elif _bgzf_size(first, 0):
            self.container = "bgzf"
            inner = self._bgzf(first)
        else:
            self.container = "gzip"
            inner = self._gzip(first)
        for chunk in inner:
            self.given_bytes += len(chunk)
            if self.given_bytes > MAX_HEADER and self.given_bytes > MAX_RATIO * self.read_bytes:
                self._fault(f"the file expands more than {MAX_RATIO}-fold: not read further")
                raise _Unread
            if not self.header_ended:
                self._keep(chunk)
            yield chunk

    def _plain(self, data: bytes) -> Iterator[bytes]:
        while data:
            yield data
            data = self._read()

    def _fault(self, text: str, damaged: bool = False) -> None:
        def told() -> None:
            self.damaged = damaged
            self.report.emit(spec.R_TEXT, 0, text)

        self.tell(told)

    def _damage(self, what: str) -> None:
        self._fault(f"the compressed data are damaged: {what}", damaged=True)

    def _gzip(self, data: bytes) -> Iterator[bytes]:
        # The library's reader, since many small members one after the other would cost a copy of the rest each.
        file = io.BufferedReader(_Again(data, self._read), 1 << 16)
        try:
            with igzip.IGzipFile(fileobj=file) as text:
                while out := text.read(CHUNK):
                    yield out
        except EOFError:
            return self._damage("cut short")
        except (OSError, zlib.error, standard_zlib.error):
            return self._damage(f"near byte {self.read_bytes}")
        return None

    def _bgzf(self, data: bytes) -> Iterator[bytes]:
        parts: list[bytes] = []
        held, at, start = 0, 0, 0
        crc32, inflate_object = zlib.crc32, zlib.decompressobj
        while True:
            size = _bgzf_size(data, at)
            if size == 0 or at + size > len(data):
                if size == 0 and len(data) - at >= 4096:
                    yield b"".join(parts)
                    return self._damage(f"no BGZF block at byte {start + at}")
                more = self._read()
                if not more:
                    break
                data, start, at = data[at:] + more, start + at, 0
                continue
            crc, length = struct.unpack_from("<II", data, at + size - 8)
            extra = struct.unpack_from("<H", data, at + 10)[0]
            try:
                if length > 65536:
                    raise zlib.error
                out = inflate_object(-15).decompress(data[at + 12 + extra : at + size - 8], 65537) if length else b""
            except zlib.error:
                out = None
            if out is None or len(out) != length or crc32(out) != crc:
                yield b"".join(parts)
                return self._damage(f"block at byte {start + at}")
            at += size
            parts.append(out)
            held += length
            if held >= CHUNK:
                yield b"".join(parts)
                parts, held = [], 0
        yield b"".join(parts)
        if at < len(data):
            self._damage(f"cut short at byte {start + at}")
        return None


def _now(action: Callable[[], None]) -> None:
    action()


class _Again(io.RawIOBase):
    """A file whose first bytes have been read: they come again, then what `more` gives."""

    def __init__(self, first: bytes, more: Callable[[], bytes]) -> None:
        self._held, self._more = first, more

    def readable(self) -> bool:
        return True

    def readinto(self, buffer) -> int:
        if not self._held:
            self._held = self._more()
        size = min(len(buffer), len(self._held))
        buffer[:size], self._held = self._held[:size], self._held[size:]
        return size


def _bgzf_size(data: bytes, at: int) -> int:
    """Size in bytes of the BGZF block at an offset, 0 where there is none (or its header is not all there)."""
    if data[at : at + 4] != b"\x1f\x8b\x08\x04" or len(data) < at + 18:
        return 0
    extra = int.from_bytes(data[at + 10 : at + 12], "little")
    field, end = at + 12, at + 12 + extra
    while field + 4 <= end <= len(data):
        length = int.from_bytes(data[field + 2 : field + 4], "little")
        if data[field : field + 2] == b"BC" and length == 2:
            size = int.from_bytes(data[field + 4 : field + 6], "little") + 1
            return size if size >= extra + 20 else 0
        field += 4 + length
    return 0


def check_vcf(
    path: str | Path,
    profile=None,
    *,
    kind: str = "vcf",
    sample: str | Collection[str] | None = None,
    sex: str | Mapping[str, str] | None = None,
    columns: Mapping[str, str] | None = None,
    reference: str | Path | None = None,
    index: str | Path | None = None,
    spec_only: bool = False,
    digests: dict[str, str | None] | None = None,
    contexts: dict[str, int] | None = None,
    name: str | None = None,
    fast: bool = True,
    threads: int = 1,
) -> Iterable[Finding]:
    """Every departure of one VCF from the specification and from the profile's section `kind` (`vcf`, `gvcf`, ...).

    profile: a `ngc_profile.Profile`; may be None with `spec_only`. sample: the manifest's pseudonym, of a joint VCF
    those of all columns; sex: a code of the vocabulary, of a joint VCF by pseudonym; columns: names of a tumour's
    VCF by role, `tumour` and `normal`; reference: an indexed FASTA;
    index: the `.tbi` (default: beside the file). What is left out gives one finding NOT_CHECKED for its rule.
    name: the file as findings call it (default: its base name).
    digests: filled with `sha256` of the file and `vcf-records-sha256` (over decompressed lines that do not start
    with `##`; None where the text could not be read to its end) and `header` (the text up to the first record), all
    from the same single read.
    contexts: filled with the number of PASS SNVs by mutation context, of a somatic VCF that was read to its end.
    fast: prove blocks clean by columns where possible; threads: that judge, the one that reads included. The findings
    are the same, in the same order, whatever these two say.
    Never raises for what is in the file; raises OSError where the file itself cannot be opened.
    """
    path = Path(path)
    report = _Report(name or path.name)
    if profile is None:
        spec_only = True
    source = _Source(path, report)
    content = hashlib.sha256()
    found: dict[str, int] = {}
    whole = False
    try:
        whole = _check(
            source,
            content,
            report,
            profile,
            path,
            kind,
            sample,
            sex,
            columns,
            reference,
            spec_only,
            fast,
            threads,
            found,
        )
    except _Stop:
        pass
    finally:
        sha256 = source.finish()
    if contexts is not None and whole:
        contexts.update(found)
    if digests is not None:
        digests["sha256"] = sha256
        digests["vcf-records-sha256"] = content.hexdigest() if whole else None
        digests["header"] = source.header.decode("utf-8", "replace")
    if not spec_only:
        _container(source, path, index, report)
    return report.findings()


def _container(source: _Source, path: Path, index: str | Path | None, report: _Report) -> None:
    if source.container != "bgzf":
        report.emit(pro.P_CONTAINER, 0, f"{source.container}, not BGZF")
    elif source.tail != BGZF_EOF and not source.damaged:
        report.emit(pro.P_CONTAINER, 0, "BGZF without its end-of-file block: it may be cut short")
    elif not path.name.endswith(".gz"):
        report.emit(pro.P_CONTAINER, 0, "BGZF, but the name does not end in .gz")
    beside = Path(index) if index is not None else Path(f"{path}.tbi")
    try:
        stat = beside.stat()
        with gzip.open(beside, "rb") as handle:
            magic = handle.read(4)
        if magic != b"TBI\x01":
            report.emit(pro.P_INDEX, 0, f"{beside.name} is no tabix index")
        elif stat.st_mtime_ns < path.stat().st_mtime_ns:
            report.emit(pro.P_INDEX, 0, f"{beside.name} is older than its VCF")
    except (OSError, EOFError, standard_zlib.error):
        report.emit(pro.P_INDEX, 0, f"{beside.name} is missing or cannot be read")


def _check(
    source: _Source,
    content,
    report: _Report,
    profile,
    path: Path,
    kind: str,
    sample: str | None,
    sex: str | None,
    columns: Mapping[str, str] | None,
    reference: str | Path | None,
    spec_only: bool,
    fast: bool,
    threads: int,
    contexts: dict[str, int],
) -> bool:
    """Judge header and records; True when the text was read to its end. Raises _Stop after a fatal finding.

    contexts: filled with the mutation contexts of a somatic VCF.
    """
    chunks = source.chunks()
    reader = spec.HeaderReader(report.emit)
    rest, number, found = _header(chunks, reader, content, report)
    header = reader.header
    if not number:
        report.emit(spec.R_FILEFORMAT, 0, "the file is empty")
        return True
    unjudged = header.fileformat not in spec.JUDGED_VERSIONS and header.fileformat
    if not spec_only and header.fileformat and header.fileformat not in profile.data[kind]["versions"]:
        wanted = ", ".join(profile.data[kind]["versions"])
        report.emit(pro.P_VERSION, 1, f"{header.fileformat}, where the profile accepts {wanted}")
    if unjudged:
        # The lines were read leniently as 4.3; what that found is not this version's.
        report.kept = [f for f in report.kept if f.rule in (spec.R_TEXT, pro.P_VERSION)]
        report.emit(spec.R_UNJUDGED, 1, f"{unjudged}: only 4.1, 4.2 and 4.3 are judged", "NOT_CHECKED")
        _digest_rest(rest, chunks, content)
        return not source.damaged
    if not found:
        if not reader.hopeless:
            report.emit(spec.R_COLUMNS, number, "no column line '#CHROM POS ID REF ALT QUAL FILTER INFO'")
        raise _Stop
    bases = None
    judge = None
    extra: frozenset[str] = frozenset()
    if not spec_only:
        bases = _open_reference(reference, report)
        if (columns if profile.data[kind]["samples"] == "tumour" else sample) is None:
            report.emit(pro.P_SAMPLE, 0, "no manifest at hand: the sample's name is not compared", "NOT_CHECKED")
        if sex is None:
            report.emit(pro.P_PLOIDY, 0, "no manifest at hand: the sex is not known", "NOT_CHECKED")
        judge = pro.ProfileJudge(
            profile, header, report.emit, kind=kind, sample=sample, sex=sex, reference=bases, columns=columns
        )
        judge.judge_header()
        # GATK's MIN_DP has an underscore, which 4.2 does not allow in FORMAT; the profile names it, so it may stand.
        extra = frozenset(profile.data[kind]["format"])
    if reader.hopeless:
        raise _Stop
    records = spec.RecordJudge(header, report.emit, extra)
    if judge is not None:
        records.exact_duplicate = judge.exact_duplicate
    body = _Body(number, records, judge, fast, report, threads)
    try:
        seen = _records(rest, source, body, content, report)
        if judge is not None:
            judge.finish()
            if judge.somatic is not None:
                contexts.update(judge.somatic.contexts)
    finally:
        body.close()
        if bases is not None:
            bases.close()
    if not seen:
        report.emit(spec.R_EMPTY, 0, "a header without records: valid, and says that nothing was called", "INFO")
    return not source.damaged


def _open_reference(reference: str | Path | None, report: _Report) -> Reference | None:
    why = "no reference at hand: REF is not compared"
    if reference is not None:
        try:
            return Reference(Path(reference))
        except (ReferenceUnusable, OSError) as error:
            why = str(error)
    report.emit(pro.P_REFERENCE, 0, why, "NOT_CHECKED")
    return None


def _header(chunks: Iterator[bytes], reader: spec.HeaderReader, content, report: _Report) -> tuple[bytes, int, bool]:
    """Feed lines up to the column line. Rest of the text, number of lines read, whether the column line came."""
    held, number, total = b"", 0, 0
    ended = False
    while True:
        at = 0
        while (end := held.find(b"\n", at)) >= 0 or (ended and at < len(held)):
            raw = held[at : end + 1] if end >= 0 else held[at:]
            at += len(raw)
            number += 1
            if number > spec.MAX_META_LINES:
                report.emit(spec.R_TEXT, number, f"more than {spec.MAX_META_LINES} header lines: not read further")
                raise _Stop
            if not raw.startswith(b"##"):
                content.update(raw if raw.endswith(b"\n") else raw + b"\n")
            if reader.feed(_text(raw, number, reader.header, report), number):
                if end < 0:
                    _unended(reader.header.version, number, report)
                return held[at:], number, True
            if reader.hopeless:
                return held[at:], number, False
        held = held[at:]
        if ended:
            return b"", number, False
        chunk = next(chunks, None)
        if chunk is None:
            ended = True
            continue
        total += len(chunk)
        held += chunk
        if total > MAX_HEADER or (len(held) > MAX_LINE and held.find(b"\n", 0, MAX_LINE) < 0):
            limit = f"the header is over {MAX_HEADER} bytes" if total > MAX_HEADER else f"a line over {MAX_LINE} bytes"
            report.emit(spec.R_TEXT, number + 1, f"{limit}: not read further")
            raise _Stop


def _text(raw: bytes, number: int, header: spec.Header, report: _Report) -> str:
    """One line as text without its line end; a line that is not UTF-8 is reported and read as Latin-1."""
    body = raw[:-1] if raw.endswith(b"\n") else raw
    if body.endswith(b"\r"):
        body = body[:-1]
        # Version 4.3 allows CR+LF in words; 4.2 knows LF only.
        if header.version == "4.2" and number > 1:
            report.emit(spec.R_TEXT, number, "the line ends with CR+LF")
    try:
        return body.decode("utf-8")
    except UnicodeDecodeError as error:
        report.emit(spec.R_TEXT, number, f"not UTF-8 at byte {error.start + 1} of the line")
        return body.decode("latin-1")


def _unended(version: str, number: int, report: _Report) -> None:
    if version == "4.3":
        report.emit(spec.R_TEXT, number, "the last line has no line end")


def _digest_rest(rest: bytes, chunks: Iterator[bytes], content) -> None:
    """Content digest over text that is not judged."""
    held = rest
    while True:
        cut = held.rfind(b"\n") + 1
        _digest(held[:cut], content)
        held = held[cut:]
        chunk = next(chunks, None)
        if chunk is None:
            break
        held += chunk
        if len(held) > MAX_LINE + CHUNK:
            raise _Stop
    _digest(held, content)


def _digest(block: bytes, content) -> None:
    """Add whole lines to the content digest, leaving out what starts with `##`."""
    if not block:
        return
    if block.startswith(b"##") or b"\n##" in block:
        block = b"".join(line for line in block.splitlines(keepends=True) if not line.startswith(b"##"))
    content.update(block)
    if block and not block.endswith(b"\n"):
        content.update(b"\n")


def _blocks(rest: bytes, chunks: Iterator[bytes]) -> Iterator[bytes]:
    """Text in blocks of whole lines, about BLOCK bytes each; only the last may lack its line end.

    A line that has not ended after MAX_LINE bytes ends the blocks with a block that long and no line end.
    """
    held, size = [rest], len(rest)
    for chunk in chunks:
        held.append(chunk)
        size += len(chunk)
        if size < BLOCK:
            continue
        text = b"".join(held)
        cut = text.rfind(b"\n") + 1
        held, size = [text[cut:]], len(text) - cut
        if cut:
            yield text[:cut]
        elif size > MAX_LINE:
            yield text
            return
    text = b"".join(held)
    if text:
        yield text


def _halves(block: bytes) -> tuple[bytes, bytes] | None:
    """Whole lines in two parts; None where they are too few to be worth it."""
    middle = block.find(b"\n", len(block) // 2) + 1
    return None if len(block) < 2 * LEAF or not 0 < middle < len(block) else (block[:middle], block[middle:])


class _Body:
    """The data lines: each block is proven clean at once, or halved until the odd lines are few, and those are read.

    A block is examined by itself, which takes most of the time and is where threads share the work, and then settled
    behind the blocks before it. All that emits findings happens in file order, in the thread that reads.
    """

    def __init__(
        self,
        number: int,
        records: spec.RecordJudge,
        judge: pro.ProfileJudge | None,
        fast: bool,
        report: _Report,
        threads: int,
    ) -> None:
        self.number = number
        """Number of the last line that was judged."""
        self.records, self.judge, self.fast, self.report, self.threads = records, judge, fast, report, threads
        self.prover: Prover | None = None
        self.failures = 0
        """Small blocks in a row that could not be proven: where all are odd, halving only costs time."""
        self._waiting: deque[Callable[[], None] | Future] = deque()
        """What is to be done in file order: an action, or the examination of a block that then is settled."""
        self._pool: ThreadPoolExecutor | None = None
        self._provers: SimpleQueue[Prover] = SimpleQueue()

    def later(self, action: Callable[[], None]) -> None:
        """Do something once every block that was taken has been settled."""
        self._waiting.append(action)

    def take(self, block: bytes, ahead: bool) -> None:
        """Judge whole lines, later where `ahead` lets others be read first. Raises _Stop when going on is no use."""
        if self.fast and self.prover is None and len(block) >= MIN_FAST:
            self._start()
        busy = sum(isinstance(entry, Future) and not entry.done() for entry in self._waiting)
        if ahead and self._pool is not None and busy < 2 * (self.threads - 1):
            self._waiting.append(self._pool.submit(self._examined, block))
        else:
            pieces = self._pieces(self.prover, block)
            self.later(lambda: self._settle(pieces))
        self._go_on(4 * self.threads if ahead else 0)

    def finish(self) -> None:
        """Settle all that was taken."""
        self._go_on(0)

    def close(self) -> None:
        """End the threads; what they have in hand is not settled any more."""
        if self._pool is not None:
            self._pool.shutdown(cancel_futures=True)
        while not self._provers.empty():
            if (reference := self._provers.get().reference) is not None:
                reference.close()

    def _start(self) -> None:
        from ngc_check.vcf_fast import Prover

        bases = self.judge.reference if self.judge is not None else None
        self.prover = Prover(self.records, self.judge, bases)
        for _ in range(self.threads - 1):
            own = Reference(bases.path) if bases is not None else None
            self._provers.put(Prover(self.records, self.judge, own))
        if self.threads > 1:
            self._pool = ThreadPoolExecutor(self.threads - 1)

    def _go_on(self, most: int) -> None:
        """Do what is ready, and wait for what is not while more than `most` wait."""
        waiting = self._waiting
        while waiting:
            first = waiting[0]
            if isinstance(first, Future):
                if len(waiting) <= most and not first.done():
                    return
                waiting.popleft()
                self._settle(first.result())
            else:
                waiting.popleft()
                first()

    def _examined(self, block: bytes) -> list[tuple[bytes, Facts | None]]:
        prover = self._provers.get()
        try:
            return self._pieces(prover, block)
        finally:
            self._provers.put(prover)

    def _pieces(self, prover: Prover | None, block: bytes) -> list[tuple[bytes, Facts | None]]:
        """Lines in parts, as few as can be, each with what was proven of it; None where it is to be read."""
        pieces, todo, failures = [], [block], self.failures
        while todo:
            part = todo.pop()
            facts = prover.examine(part) if prover is not None else None
            if facts is None and prover is not None and failures <= 16 and (halves := _halves(part)):
                todo += halves[::-1]
                continue
            failures = 0 if facts is not None else failures + 1
            pieces.append((part, facts))
        return pieces

    def _settle(self, pieces: list[tuple[bytes, Facts | None]]) -> None:
        todo = pieces[::-1]
        while todo:
            part, facts = todo.pop()
            if facts is not None and self.prover.joins(facts, self.number):
                self.number += len(facts.pos)
                self.failures = 0
            elif facts is not None and self.failures <= 16 and (halves := _halves(part)):
                for half in halves[::-1]:
                    todo += self._pieces(self.prover, half)[::-1]
            else:
                self._read(part)
                self.failures += 1
        if self.report.counts.total() > MAX_FINDINGS:
            self.report.emit(spec.R_TEXT, self.number, f"over {MAX_FINDINGS} findings: not read further")
            raise _Stop

    def _read(self, block: bytes) -> None:
        records, judge, report = self.records, self.judge, self.report
        for raw in block.split(b"\n")[:-1]:
            self.number += 1
            record = records.judge(_text(raw, self.number, records.header, report), self.number)
            if record is None:
                if report.counts[spec.R_FIELDS] > MAX_RAGGED:
                    text = f"{MAX_RAGGED} lines without the right columns: not read further"
                    report.emit(spec.R_TEXT, self.number, text)
                    raise _Stop
            elif judge is not None:
                judge.judge(record)


def _records(rest: bytes, source: _Source, body: _Body, content, report: _Report) -> bool:
    """Judge every data line, block by block; True when there was any."""
    seen = False

    def too_long() -> None:
        report.emit(spec.R_TEXT, body.number + 1, f"a line over {MAX_LINE} bytes: not read further")
        raise _Stop

    source.tell = body.later
    try:
        for block in _blocks(rest, source.chunks()):
            if len(block) > MAX_LINE and not block.endswith(b"\n"):
                body.later(too_long)
                break
            seen = True
            _digest(block, content)
            if not block.endswith(b"\n"):
                last = block.count(b"\n") + 1
                body.later(lambda last=last: _unended(body.records.version, body.number + last, report))
                block += b"\n"
            # While the kept header goes on, an early end would read on for it: nothing may have been read ahead then.
            body.take(block, ahead=source.header_ended)
    except _Unread:
        body.finish()
        raise
    finally:
        source.tell = _now
    body.finish()
    return seen
