"""What differs between two submissions, down to the field, the record and the column.

Content is compared, not bytes: headers and records of VCF, gVCF and alignments, values of JSON. `created` and the
digests and sizes of files are passed over, since clocks and compression change them; indexes and the report, which say
nothing that other files do not, are only noted.
"""

from __future__ import annotations

import contextlib
import io
import json
import os
import subprocess
import sys
import zlib
from collections import Counter, deque
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import BinaryIO

from isal import igzip, isal_zlib

import ngc_profile
from ngc_check import identifiers, seal
from ngc_check.bag import SIGNATURE, TAG_FILES, TAG_MANIFEST, Bag, walk
from ngc_check.digests import CHUNK, Unreadable, open_plain, read_facts
from ngc_check.findings import shorten
from ngc_check.manifest import NAME, BadJson, parse_json
from ngc_check.submission import CannotJudge, indexed_reference, kind_of
from ngc_check.vcf import MAX_HEADER, MAX_LINE

MAX_WAITING = 64 << 20
"""Bytes of records of one position that are kept at most while their like is looked for in the other file."""

SAME, DIFFERENT, UNCOMPARED = "SAME", "DIFFERENT", "COULD_NOT_BE_COMPARED"
EXIT = {SAME: 0, DIFFERENT: 1, UNCOMPARED: 2}

_ENVELOPE = {*TAG_FILES, TAG_MANIFEST, SIGNATURE}
_FOLLOWS = (".tbi", ".csi", ".crai", ".bai", ".html")
_KEYS = (
    *(("name",), ("path",), ("file_type", "sample"), ("sample",), ("library",), ("flowcell", "lane"), ("read",)),
    *(("id",), ("code",)),
)
"""Fields that tell the items of a list in manifest and metrics apart."""
_VCF_COLUMNS = ("CHROM", "POS", "ID", "REF", "ALT", "QUAL", "FILTER", "INFO", "FORMAT")
_SAM_COLUMNS = ("QNAME", "FLAG", "RNAME", "POS", "MAPQ", "CIGAR", "RNEXT", "PNEXT", "TLEN", "SEQ", "QUAL")
_WHICH_READ = 0x40 | 0x80 | 0x100 | 0x800
"""Flags of first, second, secondary and supplementary: with the name they tell which alignment of a read it is."""


@dataclass(frozen=True, slots=True)
class Difference:
    """One departure of B from A.

    file: path in the submission. place: JSON pointer, contig:position and alleles or read, or `header`. what: the
    column, key or tag that differs, or `value`, `only in A`, `only in B`, `order`, `bytes`. a, b: the two values, None
    where there is none.
    """

    file: str
    place: str
    what: str
    a: str | None = None
    b: str | None = None


@dataclass
class Comparison:
    """What was found: differences (at most `limit` of a file kept, all counted), and what could not be compared.

    same_content: files of other bytes whose content is the same, or follows from other files.
    """

    a: str
    b: str
    limit: int = 20
    mask: Callable[[str], str] = str
    differences: list[Difference] = field(default_factory=list)
    counts: Counter[str] = field(default_factory=Counter)
    uncompared: dict[str, str] = field(default_factory=dict)
    same_content: list[str] = field(default_factory=list)
    reason: str = ""

    def add(self, file: str, found: Iterator[Difference]) -> None:
        """Count and keep differences of one file."""
        for difference in found:
            self.counts[file] += 1
            if self.counts[file] <= self.limit:
                shown = {key: value and shorten(self.mask(value)) for key, value in asdict(difference).items()}
                self.differences.append(Difference(**shown))

    @property
    def verdict(self) -> str:
        """DIFFERENT where anything differs, else COULD_NOT_BE_COMPARED where anything was left out, else SAME."""
        if self.reason:
            return UNCOMPARED
        return DIFFERENT if self.counts else UNCOMPARED if self.uncompared else SAME

    @property
    def exit_code(self) -> int:
        """0 same content, 1 different, 2 could not be compared."""
        return EXIT[self.verdict]

    def as_dict(self) -> dict:
        """The comparison as JSON-ready data."""
        return {
            "compare_version": "1.0",
            "a": self.a,
            "b": self.b,
            "verdict": self.verdict,
            "exit_code": self.exit_code,
            "reason": self.reason,
            "counts": dict(self.counts),
            "differences": [asdict(difference) for difference in self.differences],
            "not_compared": self.uncompared,
            "same_content_other_bytes": self.same_content,
        }


class _NotComparable(Exception):
    """One file that cannot be compared; the message says why."""


def compare(
    a: str | Path,
    b: str | Path,
    *,
    reference: str | Path | None = None,
    private_key: str | Path | None = None,
    limit: int = 20,
) -> Comparison:
    """Compare two submission folders.

    reference: indexed FASTA, needed where alignments differ in bytes. private_key: opens encrypted submissions. limit:
    differences of a file that are kept. Raises CannotJudge.
    """
    mask = identifiers.scanner_for(ngc_profile.load()).mask
    roots = [Path(path) for path in (a, b)]
    out = Comparison(*(mask(root.resolve().name) for root in roots), limit, mask)
    fasta = indexed_reference(reference)
    try:
        with contextlib.ExitStack() as scratch:
            key = seal.private_key(private_key) if private_key is not None else None
            bags = [_bag(root, key, scratch) for root in roots]
            for name in sorted(bags[0].files.keys() | bags[1].files.keys()):
                if name not in bags[0].files or name not in bags[1].files:
                    side = "A" if name in bags[0].files else "B"
                    out.add(name, iter([Difference(name, "", f"only in {side}")]))
                    continue
                _compare_file(out, name, bags[0].path(name), bags[1].path(name), fasta)
    except Unreadable as error:
        raise CannotJudge(str(error)) from None
    except OSError as error:
        raise CannotJudge(f"{Path(str(error.filename or '')).name}: cannot be read: {error.strerror}") from None
    return out


def _bag(root: Path, key: bytes | None, scratch: contextlib.ExitStack) -> Bag:
    """The files of a submission by path, decrypted where they are encrypted; bagit's own files are left out."""
    if not (root / NAME).is_file():
        raise CannotJudge(f"{root.name}: not a submission, it has no {NAME}")
    bag = Bag(root)
    for name, kind, _ in walk(root):
        if kind == "other":
            raise CannotJudge(f"{root.name}: {name} is a link or a special file; `ngc-wgs check` says more")
        if kind == "file" and name not in _ENVELOPE:
            bag.files[name] = None
    if sealed := seal.envelopes(bag):
        if key is None:
            raise CannotJudge(f"{root.name}: is encrypted. Mend: give --private-key, or compare what was encrypted")
        if failed := seal.open_envelopes(bag, key, scratch):
            raise CannotJudge(f"{root.name}: {failed[0].file}: {failed[0].evidence}")
        for name in sealed:
            del bag.files[name]
        bag.files.update(dict.fromkeys(bag.places))
    return bag


def _compare_file(out: Comparison, name: str, a: Path, b: Path, fasta: Path | None) -> None:
    """Compare a file that is in both."""
    if _same_bytes(a, b):
        return
    kind, before = kind_of(name), out.counts[name]
    try:
        if kind in ("manifest", "metrics"):
            out.add(name, _json(name, a, b))
        elif kind == "vcf":
            with _vcf_lines(a) as left, _vcf_lines(b) as right:
                out.add(name, _records(name, left, right, _VCF))
        elif kind == "alignment":
            with _sam_lines(a, fasta) as left, _sam_lines(b, fasta) as right:
                out.add(name, _records(name, left, right, _SAM))
        elif not name.endswith(_FOLLOWS):
            out.add(name, iter([Difference(name, "", "bytes")]))
    except _NotComparable as error:
        out.uncompared[name] = str(error)
    else:
        if out.counts[name] == before and kind != "manifest":
            out.same_content.append(name)


def _same_bytes(a: Path, b: Path) -> bool:
    with open_plain(a) as left, open_plain(b) as right:
        if os.fstat(left.fileno()).st_size != os.fstat(right.fileno()).st_size:
            return False
        left, right = io.BufferedReader(left, CHUNK), io.BufferedReader(right, CHUNK)
        while chunk := left.read(CHUNK):
            if chunk != right.read(CHUNK):
                return False
    return True


# --- JSON -------------------------------------------------------------------------------------------------------------


def _json(name: str, *paths: Path) -> Iterator[Difference]:
    """Values that differ, by place; `order` where only the order of a list does."""
    sides = []
    for path in paths:
        facts = read_facts(path, "text")
        try:
            data = parse_json(facts.text, facts.problem)
        except BadJson as error:
            raise _NotComparable(str(error)) from None
        sides.append(_without_transport(data) if name == NAME else data)
    a, b = (dict(_leaves(data)) for data in sides)
    differ = [place for place in sorted(a.keys() | b.keys()) if a.get(place) != b.get(place)]
    for place in differ:
        yield Difference(name, place, "value", a.get(place), b.get(place))
    if not differ and sides[0] != sides[1]:
        yield Difference(name, "/", "order")


def _without_transport(manifest: object) -> object:
    """A manifest without its clock, and without the sizes and digests of bytes that content digests stand for."""
    if not isinstance(manifest, dict):
        return manifest
    files = manifest.get("files")
    if isinstance(files, list):
        passed = ("sha256", "bytes", "encrypted_sha256")
        files = [
            {key: value for key, value in entry.items() if key not in passed} if isinstance(entry, dict) else entry
            for entry in files
        ]
    return {key: files if key == "files" else value for key, value in manifest.items() if key != "created"}


def _leaves(value: object, place: str = "") -> Iterator[tuple[str, str]]:
    """(place, JSON text) of each value that holds no others; items of lists are named by what tells them apart."""
    if isinstance(value, dict) and value:
        for key, inner in value.items():
            yield from _leaves(inner, f"{place}/{key}")
    elif isinstance(value, list) and value:
        for label, inner in zip(_labels(value), value, strict=True):
            yield from _leaves(inner, f"{place}/{label}")
    else:
        yield place, json.dumps(value, ensure_ascii=False)


def _labels(items: list) -> list[str]:
    for keys in _KEYS:
        if all(isinstance(item, dict) and item.keys() >= set(keys) for item in items):
            labels = [".".join(str(item[key]) for key in keys) for item in items]
            if len(set(labels)) == len(labels):
                return labels
    return [str(number) for number in range(len(items))]


# --- records ----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Format:
    """How lines of a format are read.

    header: how a header line begins. contig: where the name of a contig is in a header line. where: (contig, position)
    columns. ident: tells records of one position apart. alike: pairs what is left over. place: a record, for people.
    columns: (name, value) of all that a record says.
    """

    header: bytes
    contig: Callable[[bytes], bytes | None]
    where: tuple[int, int]
    ident: Callable[[list[bytes]], tuple]
    alike: Callable[[list[bytes]], object]
    place: Callable[[list[bytes]], str]
    columns: Callable[[list[bytes]], dict[str, bytes]]


def _between(line: bytes, prefix: bytes, before: bytes, after: tuple[bytes, ...]) -> bytes | None:
    if not line.startswith(prefix) or before not in line:
        return None
    text = line.split(before, 1)[1]
    for end in after:
        text = text.split(end, 1)[0]
    return text


def _vcf_columns(fields: list[bytes]) -> dict[str, bytes]:
    named = dict(zip(_VCF_COLUMNS[:7], fields, strict=False))
    for item in fields[7].split(b";") if len(fields) > 7 else ():
        key, _, value = item.partition(b"=")
        named[f"INFO/{key.decode('utf-8', 'replace')}"] = value
    keys = fields[8].split(b":") if len(fields) > 8 else []
    for number, sample in enumerate(fields[9:], 1):
        of = "" if len(fields) == 10 else f"sample {number} "
        for key, value in zip(keys, sample.split(b":"), strict=False):
            named[f"{of}FORMAT/{key.decode('utf-8', 'replace')}"] = value
    return named


def _sam_columns(fields: list[bytes]) -> dict[str, bytes]:
    named = dict(zip(_SAM_COLUMNS, fields, strict=False))
    return named | {tag[:2].decode("ascii", "replace"): tag[3:] for tag in fields[11:]}


def _text(*parts: bytes) -> str:
    return b"".join(parts).decode("utf-8", "replace")


def _read_end(flag: bytes) -> bytes:
    bits = int(flag)
    return (b"/1" if bits & 0x40 else b"/2" if bits & 0x80 else b"") + (
        b" secondary" if bits & 0x100 else b" supplementary" if bits & 0x800 else b""
    )


_VCF = _Format(
    header=b"#",
    contig=lambda line: _between(line, b"##contig=", b"ID=", (b",", b">")),
    where=(0, 1),
    ident=lambda fields: (fields[3], fields[4]),
    alike=lambda fields: None,
    place=lambda fields: _text(fields[0], b":", fields[1], b" ", fields[3], b">", fields[4]),
    columns=_vcf_columns,
)
_SAM = _Format(
    header=b"@",
    contig=lambda line: _between(line, b"@SQ", b"\tSN:", (b"\t", b"\n")),
    where=(2, 3),
    ident=lambda fields: (fields[0], int(fields[1]) & _WHICH_READ),
    alike=lambda fields: fields[0],
    place=lambda fields: _text(fields[2], b":", fields[3], b" ", fields[0], _read_end(fields[1])),
    columns=_sam_columns,
)


class _Stream:
    """Lines of one side: header first, then records, one looked at ahead."""

    def __init__(self, lines: Iterator[bytes], form: _Format, ranks: dict[bytes, int]) -> None:
        self.lines, self.form, self.ranks = lines, form, ranks
        self.header: list[bytes] = []
        self.last = (-1, -1)
        size = 0
        for line in lines:
            if not line.startswith(form.header):
                break
            size += len(line)
            if size > MAX_HEADER:
                raise _NotComparable(f"a header of more than {MAX_HEADER} bytes")
            self.header.append(line)
            name = form.contig(line)
            if name is not None:
                ranks.setdefault(name, len(ranks))
        else:
            line = b""
        self.line = line

    def step(self) -> None:
        self.line = next(self.lines, b"")

    def fields(self) -> list[bytes]:
        return self.line.rstrip(b"\n").split(b"\t")

    def key(self) -> tuple[float, int]:
        """Place of the record in the order of the file; past everything at its end."""
        if not self.line:
            return float("inf"), 0
        fields = self.fields()
        try:
            contig, position = fields[self.form.where[0]], int(fields[self.form.where[1]])
            self.form.ident(fields)
        except (IndexError, ValueError):
            raise _NotComparable("a line that is no record; `ngc-wgs check` says more") from None
        # Reads without a place come last.
        key = (1 << 60, 0) if contig == b"*" else (self.ranks.setdefault(contig, len(self.ranks)), position)
        if key < self.last:
            raise _NotComparable("records out of order; `ngc-wgs check` says more")
        self.last = key
        return key


def _records(name: str, left: Iterator[bytes], right: Iterator[bytes], form: _Format) -> Iterator[Difference]:
    """Headers and records that differ. Both sides are sorted, so each is read once and only one position is held."""
    ranks: dict[bytes, int] = {}
    a, b = _Stream(left, form, ranks), _Stream(right, form, ranks)
    yield from _headers(name, a.header, b.header)
    while a.line or b.line:
        if a.line == b.line:
            a.step()
            b.step()
        else:
            yield from _position(name, a, b, form)


def _headers(name: str, a: list[bytes], b: list[bytes]) -> Iterator[Difference]:
    counts = Counter(a)
    counts.subtract(Counter(b))
    for line in [line for line in dict.fromkeys([*a, *b]) if counts[line]]:
        text = _text(line.rstrip(b"\n").replace(b"\t", b" "))
        if counts[line] > 0:
            yield Difference(name, "header", "only in A", a=text)
        else:
            yield Difference(name, "header", "only in B", b=text)
    if a != b and not any(counts.values()):
        yield Difference(name, "header", "order")


def _position(name: str, a: _Stream, b: _Stream, form: _Format) -> Iterator[Difference]:
    """Differences among the records of the next position, from the first line that differs to its end.

    Records are paired by what tells them apart, as they come; what is left over is paired by what is alike.
    """
    key = min(a.key(), b.key())
    waiting: tuple[dict, dict] = ({}, {})
    number, held, newest, disorder = [0, 0], [0, 0], [0, 0], None
    while True:
        moved = False
        for own, stream in enumerate((a, b)):
            if not stream.line or stream.key() != key:
                continue
            moved = True
            fields, size = stream.fields(), len(stream.line)
            number[own] += 1
            stream.step()
            ident = form.ident(fields)
            queue = waiting[1 - own].get(ident)
            if not queue:
                waiting[own].setdefault(ident, deque()).append((number[own], size, fields))
                held[own] += size
                if held[own] > MAX_WAITING:
                    raise _NotComparable(f"more than {MAX_WAITING} bytes of records without their like at one position")
                continue
            there, size, other = queue.popleft()
            held[1 - own] -= size
            if not queue:
                del waiting[1 - own][ident]
            at = (number[own], there) if own == 0 else (there, number[own])
            if at[0] < newest[0] or at[1] < newest[1]:
                disorder = disorder or fields
            newest = [max(at[0], newest[0]), max(at[1], newest[1])]
            yield from _columns(name, *((fields, other) if own == 0 else (other, fields)), form)
        if not moved:
            break
    if disorder:
        yield Difference(name, form.place(disorder), "order")
    yield from _left_over(name, waiting, form)


def _left_over(name: str, waiting: tuple[dict, dict], form: _Format) -> Iterator[Difference]:
    rest: list[dict[object, list]] = [{}, {}]
    for own in (0, 1):
        for queue in waiting[own].values():
            for *_, fields in queue:
                rest[own].setdefault(form.alike(fields), []).append(fields)
    for like in dict.fromkeys([*rest[0], *rest[1]]):
        mine, theirs = rest[0].get(like, []), rest[1].get(like, [])
        if len(mine) == len(theirs):
            for pair in zip(mine, theirs, strict=True):
                yield from _columns(name, *pair, form)
        else:
            yield from (Difference(name, form.place(fields), "only in A") for fields in mine)
            yield from (Difference(name, form.place(fields), "only in B") for fields in theirs)


def _columns(name: str, a: list[bytes], b: list[bytes], form: _Format) -> Iterator[Difference]:
    """Columns, keys and tags in which two records differ."""
    if a == b:
        return
    left, right = form.columns(a), form.columns(b)
    place, differ = form.place(a), False
    for what in dict.fromkeys([*left, *right]):
        if left.get(what) != right.get(what):
            differ = True
            shown = [None if value is None else _text(value) for value in (left.get(what), right.get(what))]
            yield Difference(name, place, what, *shown)
    if not differ:
        yield Difference(name, place, "order", _text(b"\t".join(a[7:])), _text(b"\t".join(b[7:])))


@contextlib.contextmanager
def _vcf_lines(path: Path) -> Iterator[Iterator[bytes]]:
    """Lines of a compressed VCF."""
    with open_plain(path) as raw, igzip.IGzipFile(fileobj=io.BufferedReader(raw, CHUNK)) as text:
        yield _lines(io.BufferedReader(text, CHUNK))


@contextlib.contextmanager
def _sam_lines(path: Path, fasta: Path | None) -> Iterator[Iterator[bytes]]:
    """Lines of an alignment as SAM text, header first, by samtools in a process of its own."""
    if fasta is None and path.name.endswith(".cram"):
        raise _NotComparable("other bytes; give --reference, and its records are compared")
    program = "import sys, pysam; pysam.view(*sys.argv[1:], catch_stdout=False)"
    arguments = ["-h", "--no-PG"] + (["-T", str(fasta)] if fasta else []) + ["-"]
    environment = {**os.environ, "REF_PATH": ":", "REF_CACHE": ":"}  # never ask the network for a reference
    with (
        open_plain(path) as raw,
        subprocess.Popen(
            [sys.executable, "-c", program, *arguments],
            stdin=raw,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=environment,
        ) as process,
    ):

        def lines() -> Iterator[bytes]:
            yield from _lines(process.stdout)
            if process.wait():
                raise _NotComparable("the alignment cannot be decoded; is --reference its reference?")

        try:
            yield lines()
        finally:
            process.kill()


def _lines(file: BinaryIO) -> Iterator[bytes]:
    """Lines of at most MAX_LINE bytes."""
    try:
        while line := file.readline(MAX_LINE + 1):
            if len(line) > MAX_LINE:
                raise _NotComparable(f"a line over {MAX_LINE} bytes")
            yield line
    except (EOFError, OSError, zlib.error, isal_zlib.error) as error:
        raise _NotComparable(f"the compressed data are damaged: {error}") from None
