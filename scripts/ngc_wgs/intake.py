"""FASTQ intake: everything that can be known of a unit's two files from one read of each.

Bad data never raises. What is wrong comes back as findings `{code, where, message, mend}`, as many as can be
known: both files are judged to their ends even where one of them breaks early.
"""

from __future__ import annotations

import gzip
import hashlib
import io
import os
import re
import shutil
import stat
import zlib
from collections import Counter
from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import Path

import dnaio
import numpy as np
from isal import igzip, igzip_threaded, isal_zlib

from .errors import holds_personal_number, mask, show

GZIP_MAGIC = b"\x1f\x8b"
BLOCK_RECORDS = 1024
"""Records judged together: enough to amortise Python's cost, few enough to stay in the processor's cache."""
STREAM_BYTES = 256 * 1024
"""Decompressed bytes per queue block; isal holds eight times as many compressed ones."""
Q30 = 33 + 30
QUALITY_LOWEST, QUALITY_HIGHEST = 33, 126
"""The printable characters that Phred+33 can use, `!` (Q0) to `~` (Q93)."""
PHRED64_FLOOR, PHRED64_CEILING = 59, 93
"""Phred+64 starts at `;` (Solexa Q-5) and passes `]`; Phred+33 that never falls below Q26 does not reach Q60."""
NEEDLES = 32
"""Flowcell and lane prefixes counted by plain search; a file with more of them is read name by name."""
DISK_FACTOR = 3.0
"""Bytes on disk at the peak over bytes of FASTQ: about 0.4 for the sorted lane CRAMs, 1.2 for the sort's own scratch
beside them, 0.7 for CRAM and gVCF, the rest for reports and safety. An estimate, to be replaced by a measurement."""

# Illumina's instrument:run:flowcell:lane:tile:x:y, at the start of a name or, where an archive put its own accession
# first, of a later word.
_ILLUMINA = re.compile(r"(?<!\S)[^\s:]+:\d+:([A-Za-z0-9-]+):(\d+):\d+:\d+:\d+(?=[\s:/#+_]|$)")
# The read number: `/1` at the end of the id, or the comment `1:N:0:...` of Illumina since Casava 1.8.
_MATE_DIGIT = re.compile(r"/([12])(?=\s|$)|\s([12]):[YN]:\d+:")
_GZIP_ERRORS = (EOFError, gzip.BadGzipFile, zlib.error, isal_zlib.error)


def finding(code: str, where: str, message: str, mend: str) -> dict[str, str]:
    """One finding as it is reported; personal numbers are masked, in paths too."""
    return {"code": code, "where": mask(where), "message": mask(message), "mend": mend}


def replaced(report: dict, row: dict[str, str]) -> list[str]:
    """FASTQ files of a unit's row that are no longer those that its report tells of, by size and time."""
    found = []
    for fastq, path in zip(report["fastq"], (row["fq1"], row["fq2"]), strict=True):
        status = os.stat(path)
        if (status.st_size, status.st_mtime_ns) != (fastq["bytes"], fastq["mtime_ns"]):
            found.append(path)
    return found


def line(finding: dict) -> str:
    """A finding as one line of text."""
    return f"{finding['code']} {finding['where']}: {finding['message']}. Mend: {finding['mend']}."


def unit_id(unit: dict) -> str:
    """Id of a row of units.tsv, also its read group: `{sample}.{library}.{flowcell}.L{lane}`."""
    return f"{unit['sample']}.{unit['library']}.{unit['flowcell']}.L{unit['lane']}"


def inspect_unit(unit: dict, fq1: str | Path, fq2: str | Path, threads: int = 2) -> dict:
    """Judge the FASTQ pair of one unit in one read of each file.

    unit: row of units.tsv (sample, library, flowcell, lane used). threads: from 2 on, each file is decompressed in a
    thread of its own beside the parser; 1 does everything in this thread.

    Returns {unit, sample, status, findings, pairs, bases, q30_bases, pct_q30 (%), mean_read_length, read_length_min,
    read_length_max (bases; None where there are none), names, fastq}. `bases` and `q30_bases` count both reads. `names`
    is MATCH, NOT_IN_NAMES or, in a refused unit, MISMATCH. `fastq` holds per file read, bytes, sha256 (of the file),
    reads, content_sha256 (of the decompressed text; None where it could not all be read). Figures of a refused unit
    cover what could be read. Never raises for what is in the files or for failing to read them.
    """
    files = (_Fastq(1, fq1, unit, threads), _Fastq(2, fq2, unit, threads))
    pairs = _Pairs(files)
    try:
        while sum(file.take() for file in files):
            for file in files:
                file.judge()
            pairs.judge()
    finally:
        for file in files:
            file.close()

    findings = [*files[0].findings(), *files[1].findings(), *pairs.findings()]
    reads = sum(file.reads for file in files)
    bases = sum(file.bases for file in files)
    q30_bases = sum(file.q30_bases for file in files)
    lengths = [n for file in files for n in (file.shortest, file.longest) if n is not None]
    states = {file.names_state() for file in files}
    return {
        "unit": unit_id(unit),
        "sample": unit["sample"],
        "status": "refused" if findings else "accepted",
        "findings": findings,
        "pairs": pairs.matched,
        "bases": bases,
        "q30_bases": q30_bases,
        "pct_q30": round(100 * q30_bases / bases, 4) if bases else None,
        "mean_read_length": round(bases / reads, 4) if reads else None,
        "read_length_min": min(lengths, default=None),
        "read_length_max": max(lengths, default=None),
        "names": next(state for state in ("MISMATCH", "NOT_IN_NAMES", "MATCH") if state in states),
        "fastq": [file.identity() for file in files],
    }


def judge_case(unit_reports: Iterable[dict]) -> list[dict]:
    """Findings over intake reports taken together: units refused, and reads that turn up in more than one unit.

    Files are compared by bytes and by decompressed content, so that a recompressed copy is recognised. The reports may
    be those of one case or of the whole run.
    """
    reports = list(unit_reports)
    findings = [
        finding(
            "UNIT_REFUSED",
            report["unit"],
            f"refused at intake: {', '.join(sorted({f['code'] for f in report['findings']}))}",
            "mend what the unit's own findings name",
        )
        for report in reports
        if report["status"] != "accepted"
    ]
    holders: dict[str, list[str]] = {}
    for report in reports:
        for fastq in report["fastq"]:
            for kind in ("content_sha256", "sha256"):
                if fastq.get(kind) and fastq["reads"]:
                    holders.setdefault(fastq[kind], []).append(f"{report['unit']} R{fastq['read']}")
    for places in dict.fromkeys(tuple(places) for places in holders.values()):
        if len({place.rsplit(" ", 1)[0] for place in places}) > 1:
            findings.append(
                finding(
                    "SAME_FASTQ",
                    ", ".join(places),
                    "the same reads are in more than one unit",
                    "give each unit its own files, and remove the row that repeats them",
                )
            )
    return findings


def estimate_disk(fastq_bytes: int, factor: float = DISK_FACTOR) -> dict:
    """Bytes a run needs at its peak for so many bytes of FASTQ: {fastq_bytes, factor, needed_bytes}."""
    return {"fastq_bytes": fastq_bytes, "factor": factor, "needed_bytes": int(fastq_bytes * factor)}


def free_disk(path: str | Path, needed_bytes: int) -> dict:
    """Whether the disk under `path` (which need not exist yet) can take `needed_bytes`.

    Returns {path, free_bytes, needed_bytes, findings}; findings are DISK_FULL and DISK_READ_ONLY.
    """
    folder = Path(path).absolute()
    while not folder.exists():
        folder = folder.parent
    free = shutil.disk_usage(folder).free
    findings = []
    if not os.access(folder, os.W_OK):
        findings.append(
            finding("DISK_READ_ONLY", str(path), "cannot be written to", "make it writable, or run in another folder")
        )
    if free < needed_bytes:
        findings.append(
            finding(
                "DISK_FULL",
                str(path),
                f"{free / 1e9:,.1f} GB are free, the run is estimated to need {needed_bytes / 1e9:,.1f} GB",
                "free space, or run in a folder on a larger disk",
            )
        )
    return {"path": str(path), "free_bytes": free, "needed_bytes": needed_bytes, "findings": findings}


class _Tee(io.RawIOBase):
    """A stream that counts and hashes the bytes read through it."""

    def __init__(self, stream) -> None:
        self._stream = stream
        self._hash = hashlib.sha256()
        self.bytes = 0

    def readable(self) -> bool:
        return True

    def readinto(self, buffer) -> int:
        count = self._stream.readinto(buffer)
        self._hash.update(memoryview(buffer)[:count])
        self.bytes += count
        return count

    def drain(self) -> None:
        """Read on to the end."""
        buffer = bytearray(STREAM_BYTES)
        while self.readinto(buffer):
            pass

    def sha256(self) -> str:
        return self._hash.hexdigest()


class _Fastq:
    """One FASTQ file while it is read: the current block of records and what was seen up to it."""

    def __init__(self, read: int, path: str | Path, unit: dict, threads: int) -> None:
        self.read = read
        self.path = str(path)
        self._modified_ns: int | None = None
        self.sheet = (unit["flowcell"], unit["lane"])
        self.threads = threads
        self.block: list[dnaio.SequenceRecord] = []
        self.names: list[str] = []
        self.ended = False
        self.reads = self.bases = self.q30_bases = 0
        self.shortest: int | None = None
        self.longest: int | None = None
        self._raw: _Tee | None = None
        self._content: _Tee | None = None
        self._opened: list = []
        self._records: Iterator[dnaio.SequenceRecord] | None = None
        self._intact = True
        self._whole = True
        self._stops: list[dict] = []
        self._tally: dict[str, list[int]] = {}
        self._quality = [255, 0]
        self._lanes: Counter[tuple[str, str]] = Counter()
        self._needles: dict[str, tuple[str, str]] = {}
        self._wrong_lane: int | None = None

    # ---- reading ---------------------------------------------------------------------------

    def take(self) -> int:
        """Read the next block; its size, 0 at the end and after the first thing that stops the parser."""
        self.block = []
        self.names = []
        if self.ended:
            return 0
        try:
            if self._records is None:
                self._records = self._open()
            # extend keeps the records before an error, which list() would lose
            self.block.extend(islice(self._records, BLOCK_RECORDS))
            self.ended = len(self.block) < BLOCK_RECORDS
        except (dnaio.FileFormatError, OSError, *_GZIP_ERRORS) as error:
            self.ended = True
            self._stop(error)
        return len(self.block)

    def intact(self) -> bool:
        """True while nothing has stopped the parser: the records are all of the file's, in its order."""
        return self._intact

    def _open(self) -> Iterator[dnaio.SequenceRecord]:
        status = os.stat(self.path)
        if not stat.S_ISREG(status.st_mode):
            raise OSError(None, "not a regular file")
        self._modified_ns = status.st_mtime_ns
        file = io.FileIO(self.path)
        self._opened.append(file)
        head = file.read(2)
        file.seek(0)
        self._raw = _Tee(file)
        if head == GZIP_MAGIC:
            if self.threads > 1:
                stream = igzip_threaded.open(self._raw, "rb", threads=1, block_size=STREAM_BYTES)
            else:
                stream = igzip.open(self._raw, "rb")
            self._opened.append(stream)
            self._content = _Tee(stream)
        else:
            self._content = self._raw
            if head:
                self._add(
                    "NOT_GZIP", "", "the file is not gzip", "compress it with bgzip or gzip, or give the .fastq.gz file"
                )
            if head and head[:1] != b"@":
                self._intact = False
                self._content.drain()
                return iter(())
        return iter(dnaio.FastqReader(self._content))

    def _stop(self, error: Exception) -> None:
        """Note what stopped the parser, then read on: the rest still counts for gzip integrity and digests."""
        self._intact = False
        self._explain(error)
        try:
            if isinstance(error, dnaio.FileFormatError):
                try:
                    self._content.drain()
                except _GZIP_ERRORS as later:
                    self._explain(later)
            if self._raw is not None:
                self._raw.drain()
        except OSError as later:
            self._explain(later)

    def _explain(self, error: Exception) -> None:
        last = self.reads + len(self.block)
        place = f", after record {last}" if last else ""
        if isinstance(error, dnaio.FileFormatError):
            number = last + 1 if error.line is None else error.line // 4 + 1
            self._explain_format(error, f", record {number}", place)
            return
        self._whole = False
        if isinstance(error, EOFError):
            self._add(
                "GZIP_TRUNCATED",
                place,
                "the gzip stream ends before its end mark: the file is truncated",
                "copy the file again from the sequencer and compare its size and checksum",
            )
        elif isinstance(error, gzip.BadGzipFile) and "Not a gzipped file" in str(error):
            self._add(
                "GZIP_TRAILING",
                place,
                "bytes that are not gzip follow a complete gzip stream",
                "copy the file again from the sequencer; nothing but gzip may follow",
            )
        elif isinstance(error, _GZIP_ERRORS):
            self._add(
                "GZIP_CORRUPT",
                place,
                "the gzip data are corrupted: they do not decompress to what their own checksum says",
                "copy the file again from the sequencer and compare its checksum",
            )
        elif isinstance(error, FileNotFoundError):
            self._add("FILE_MISSING", "", "there is no such file", "correct the path in units.tsv")
        else:
            self._raw = None  # a digest of part of a file would pass for one of the file
            self._add(
                "FILE_UNREADABLE",
                place,
                f"cannot be read: {error.strerror or error}",
                "check the path, its permissions and the disk",
            )

    def _explain_format(self, error: dnaio.FileFormatError, at: str, after: str) -> None:
        """Findings for dnaio's errors. Its own texts quote the record, so only their kind is used."""
        text = error.message
        again = "write the file again from the sequencer's data"
        if "Premature end" in text:
            self._add("FASTQ_TRUNCATED", at, "the file ends within a record, which takes four lines", again)
        elif "Length of sequence and qualities differ" in text:
            self._add("LENGTH_MISMATCH", at, "sequence and quality differ in length", again)
        elif "Non-ASCII" in text:
            self._add("NOT_ASCII", after, "a record holds characters that are not ASCII", again)
        elif "expected to start with '@'" in text:
            self._add("FASTQ_STRUCTURE", at, "a record's first line does not start with @", again)
        elif "expected to start with '+'" in text:
            self._add("FASTQ_STRUCTURE", at, "a record's third line does not start with +", again)
        elif "descriptions don't match" in text:
            self._add("FASTQ_STRUCTURE", at, "a record's third line repeats another name than its first", again)
        else:
            self._add("FASTQ_STRUCTURE", at, "the record is not four lines of FASTQ", again)

    def close(self) -> None:
        """Close everything that was opened, the decompressing thread first."""
        while self._opened:
            self._opened.pop().close()

    # ---- judging ---------------------------------------------------------------------------

    def judge(self) -> None:
        """Take the current block into account."""
        if not self.block:
            return
        self.names = [record.name for record in self.block]
        qualities = [record.qualities for record in self.block]
        lengths = [len(quality) for quality in qualities]
        self._judge_names("\n" + "\n".join(self.names) + "\n")
        if not min(lengths):
            empty = [index for index, length in enumerate(lengths) if not length]
            self._note("READ_EMPTY", empty[0], len(empty))
        self._judge_qualities(qualities)
        self.shortest = min(lengths if self.shortest is None else (self.shortest, *lengths))
        self.longest = max(lengths if self.longest is None else (self.longest, *lengths))
        self.bases += sum(lengths)
        self.reads += len(lengths)

    def _judge_qualities(self, qualities: list[str]) -> None:
        values = np.frombuffer("".join(qualities).encode("ascii"), dtype=np.uint8)
        if not values.size:
            return
        self.q30_bases += int(np.count_nonzero(values >= Q30))
        low, high = int(values.min()), int(values.max())
        self._quality = [min(low, self._quality[0]), max(high, self._quality[1])]
        if low < QUALITY_LOWEST or high > QUALITY_HIGHEST:
            bad = [
                index
                for index, quality in enumerate(qualities)
                if any(not QUALITY_LOWEST <= ord(character) <= QUALITY_HIGHEST for character in set(quality))
            ]
            self._note("QUALITY_RANGE", bad[0], len(bad))

    def _judge_names(self, joined: str) -> None:
        """Judge the block's names: `joined` holds each between two newlines, for searches in C."""
        if "\n\n" in joined:
            nameless = [index for index, name in enumerate(self.names) if not name]
            self._note("NAME_EMPTY", nameless[0], len(nameless))
        other = 3 - self.read
        if any(f" {other}:{flag}:" in joined for flag in "YN") or any(f"/{other}{end}" in joined for end in "\n "):
            wrong = [index for index, name in enumerate(self.names) if _mate_digit(name) == other]
            if wrong:
                self._note("MATE_SWAPPED", wrong[0], len(wrong))
        self._judge_lanes(joined)
        if not self.reads:
            personal = [
                index
                for index, name in enumerate(self.names)
                # x and y of a name are digits by the dozen: they are coordinates, not numbers of persons
                if holds_personal_number(_ILLUMINA.sub(" ", name))
            ]
            if personal:
                self._note("PERSONAL_NUMBER", personal[0], len(personal))
            # a place-holder for a name; callers tell mates and templates apart by their names
            if len(set(self.names)) < len(self.names):
                first_of = dict(zip(reversed(self.names), reversed(range(len(self.names))), strict=True))
                again = [index for index, name in enumerate(self.names) if first_of[name] != index]
                self._note("NAMES_REPEATED", again[0], len(again))

    def _judge_lanes(self, joined: str) -> None:
        counts = {needle: joined.count(needle) for needle in self._needles}
        if sum(counts.values()) == len(self.names):
            for needle, count in counts.items():
                self._lanes[self._needles[needle]] += count
            return
        # most renamed reads have no colon, and counting them costs less than the pattern
        if joined.count(":") < 6 or _ILLUMINA.search(joined) is None:
            return
        for index, name in enumerate(self.names):
            match = _ILLUMINA.search(name)
            if match is None:
                continue
            lane = (match[1], match[2])
            self._lanes[lane] += 1
            if lane != self.sheet and self._wrong_lane is None:
                self._wrong_lane = self.reads + index + 1
            if len(self._needles) < NEEDLES:
                before = name[match.start() - 1] if match.start() else "\n"
                self._needles[f"{before}{name[match.start() : match.end(2)]}:"] = lane

    def _note(self, code: str, index: int, count: int) -> None:
        """Remember `count` records with a fault, the first at `index` of the current block."""
        first_and_count = self._tally.setdefault(code, [self.reads + index + 1, 0])
        first_and_count[1] += count

    def _add(self, code: str, place: str, message: str, mend: str) -> None:
        self._stops.append(finding(code, self.path + place, f"R{self.read}: {message}", mend))

    # ---- what came of it -------------------------------------------------------------------

    def identity(self) -> dict:
        """The file as the report names it."""
        content = self._content.sha256() if self._content is not None and self._whole else None
        return {
            "read": self.read,
            "mtime_ns": self._modified_ns,
            "bytes": self._raw.bytes if self._raw is not None else None,
            "sha256": self._raw.sha256() if self._raw is not None else None,
            "reads": self.reads,
            "content_sha256": content,
        }

    def names_state(self) -> str:
        """MATCH, NOT_IN_NAMES or MISMATCH: flowcell and lane of all read names against the sheet."""
        if not self._lanes:
            return "NOT_IN_NAMES"
        return "MATCH" if self._lanes == {self.sheet: self.reads} else "MISMATCH"

    def findings(self) -> list[dict]:
        """Everything wrong with this file, once it was read."""
        found = list(self._stops)
        if self._raw is not None and self._intact and not self.reads:
            found.append(
                finding(
                    "FASTQ_EMPTY",
                    self.path,
                    f"R{self.read}: the file holds no read ({self._raw.bytes} bytes)",
                    "give the file that holds the reads, or remove the unit's row",
                )
            )
        for code, (first, count) in self._tally.items():
            message, mend = _RECORD_FAULTS[code]
            seen = min(self.reads, BLOCK_RECORDS) if code in _FIRST_BLOCK_FAULTS else self.reads
            found.append(
                finding(
                    code,
                    f"{self.path}, record {first}",
                    f"R{self.read}: {message.format(other=3 - self.read)} ({count:,} of {seen:,} records looked at)",
                    mend,
                )
            )
        low, high = self._quality
        if low >= PHRED64_FLOOR and PHRED64_CEILING < high <= QUALITY_HIGHEST:
            found.append(
                finding(
                    "QUALITY_PHRED64",
                    self.path,
                    f"R{self.read}: qualities lie between {chr(low)} and {chr(high)}, as in the old Phred+64 coding",
                    "write the file again with Phred+33 qualities",
                )
            )
        return found + self._lane_findings()

    def _lane_findings(self) -> list[dict]:
        found = []
        flowcell, lane = self.sheet
        sheet = f"units.tsv says flowcell {flowcell} lane {lane}"
        named = sum(self._lanes.values())
        if 0 < named < self.reads:
            found.append(
                finding(
                    "NAMES_MIXED",
                    self.path,
                    f"R{self.read}: {self.reads - named:,} of {self.reads:,} read names carry no flowcell and lane, "
                    "the others do",
                    "give the file as the sequencer wrote it, not reads of several sources put together",
                )
            )
        if self._wrong_lane is None:
            return found
        where = f"{self.path}, record {self._wrong_lane}"
        if len(self._lanes) > 1:
            common = [f"flowcell {f} lane {n}: {count:,}" for (f, n), count in self._lanes.most_common(20)]
            if len(self._lanes) > len(common):
                common.append(f"and {len(self._lanes) - len(common)} more")
            found.append(
                finding(
                    "LANES_MIXED",
                    where,
                    f"R{self.read}: the reads are of several lanes ({'; '.join(common)} reads), {sheet}",
                    "split the files by flowcell and lane, and give each pair its own row in units.tsv",
                )
            )
            return found
        (seen_flowcell, seen_lane), count = next(iter(self._lanes.items()))
        seen = f"R{self.read}: {count:,} read names say flowcell {seen_flowcell} lane {seen_lane}, {sheet}"
        mend = "correct the {} in units.tsv to that of the read names, or give the files of that {}"
        if seen_flowcell != flowcell:
            found.append(finding("FLOWCELL_MISMATCH", where, seen, mend.format("flowcell", "flowcell")))
        if seen_lane != lane:
            found.append(finding("LANE_MISMATCH", where, seen, mend.format("lane", "lane")))
        return found


class _Pairs:
    """What is judged of R1 and R2 together."""

    def __init__(self, files: tuple[_Fastq, _Fastq]) -> None:
        self.files = files
        self.compared = 0
        self.matched = 0
        self._first: tuple[int, str, str] | None = None

    def judge(self) -> None:
        """Compare the names of the current blocks, as far as both files have records."""
        one, two = (file.names for file in self.files)
        count = min(len(one), len(two))
        if not count:
            return
        one, two = one[:count], two[:count]
        matched = count
        if not _same_names(one, two):
            wrong = [index for index in range(count) if _pair_id(one[index]) != _pair_id(two[index])]
            if wrong and self._first is None:
                self._first = (self.compared + wrong[0] + 1, one[wrong[0]], two[wrong[0]])
            matched -= len(wrong)
        self.compared += count
        self.matched += matched

    def findings(self) -> list[dict]:
        """Everything wrong between the two files, once they were read."""
        one, two = self.files
        both = f"{one.path} and {two.path}"
        found = []
        if one.intact() and two.intact() and one.reads != two.reads and one.reads and two.reads:
            found.append(
                finding(
                    "PAIR_COUNT",
                    both,
                    f"R1 holds {one.reads:,} reads, R2 holds {two.reads:,}",
                    "give the two files of one run as the sequencer wrote them, none of them cut or filtered alone",
                )
            )
        if self._first is not None:
            record, name1, name2 = self._first
            found.append(
                finding(
                    "PAIR_NAMES",
                    f"{both}, record {record}",
                    f"R1 and R2 are out of step: {show(name1)} stands against {show(name2)} "
                    f"({self.compared - self.matched:,} of {self.compared:,} pairs)",
                    "give the two files of one run in the same order; the names of mates may differ only in /1 and /2 "
                    "or in what follows the first space",
                )
            )
        contents = [file.identity()["content_sha256"] for file in self.files]
        if one.reads and contents[0] and contents[0] == contents[1]:
            found.append(
                finding(
                    "SAME_CONTENT",
                    both,
                    "R1 and R2 hold the same reads",
                    "give the file of the other read",
                )
            )
        return found


_RECORD_FAULTS = {
    "READ_EMPTY": ("a record holds no base", "remove the trimming step: reads are given as sequenced"),
    "NAME_EMPTY": ("a record has no name", "write the file again from the sequencer's data"),
    "QUALITY_RANGE": (
        "a quality is outside the printable characters of Phred+33, ! to ~",
        "write the file again from the sequencer's data",
    ),
    "MATE_SWAPPED": (
        "read names say that these are reads {other} of their pairs",
        "exchange fq1 and fq2 in units.tsv, or give the right file",
    ),
    "PERSONAL_NUMBER": (
        "a read name holds what looks like a CPR number",
        "rename the reads, and find out which step wrote the number there",
    ),
    "NAMES_REPEATED": (
        "a read has the name of an earlier one",
        "give the file as the sequencer wrote it: each read pair has a name of its own",
    ),
}
_FIRST_BLOCK_FAULTS = {"PERSONAL_NUMBER", "NAMES_REPEATED"}
"""Looked for in the first block of records only."""


def _mate_digit(name: str) -> int | None:
    """1 or 2 as the read name says, None where it does not."""
    match = _MATE_DIGIT.search(name)
    return int(match[1] or match[2]) if match else None


def _pair_id(name: str) -> str:
    """What mates have in common: the name up to white space without /1 or /2.

    This is what bwa compares; dnaio's own test also ignores a last digit that belongs to a coordinate.
    """
    words = name.split(None, 1)
    stem = words[0] if words else ""
    return stem[:-2] if stem.endswith(("/1", "/2")) else stem


def _same_names(one: list[str], two: list[str]) -> bool:
    """True if all names pair up in one of the usual ways; False says only that they must be compared one by one."""
    if one == two:
        return True
    joined = "\n".join(one) + "\n"
    return joined.replace(" 1:", " 2:").replace("/1\n", "/2\n") == "\n".join(two) + "\n"
