"""The VCF specification, versions 4.2 and 4.3, as tables and one exact judge per line.

Source: "The Variant Call Format (VCF) Version 4.2 Specification" and "VCFv4.3 and BCFv2.2" of samtools/hts-specs.
Where the text is silent, the specification's own test files decide; each such place is named in a comment.
Version 4.1 is read with the tables of 4.2. Nothing here knows of a profile.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from urllib.parse import urlsplit

JUDGED_VERSIONS = {"VCFv4.1": "4.2", "VCFv4.2": "4.2", "VCFv4.3": "4.3"}
COLUMNS = ("#CHROM", "POS", "ID", "REF", "ALT", "QUAL", "FILTER", "INFO")
MAX_META_LINES = 200_000
MAX_CONTIGS = 500_000
MAX_CACHED_TEXT = 400
"""Characters of a text that a cache may hold as a key: what is longer is worked out anew, so that memory stays flat."""

Emit = Callable[[str, int, str], None]
"""emit(rule id, line number from 1, what is wrong)"""

R_FILEFORMAT, R_TEXT, R_META = "VCF-SPEC-001", "VCF-SPEC-002", "VCF-SPEC-003"
R_INFO_DEF, R_FORMAT_DEF, R_FILTER_DEF = "VCF-SPEC-004", "VCF-SPEC-005", "VCF-SPEC-006"
R_ALT_DEF, R_CONTIG_DEF, R_SAMPLE_DEF = "VCF-SPEC-007", "VCF-SPEC-008", "VCF-SPEC-009"
R_COLUMNS, R_SAMPLES, R_FIELDS = "VCF-SPEC-010", "VCF-SPEC-011", "VCF-SPEC-012"
R_CHROM, R_POS, R_ID, R_REF, R_ALT = "VCF-SPEC-013", "VCF-SPEC-014", "VCF-SPEC-015", "VCF-SPEC-016", "VCF-SPEC-017"
R_QUAL, R_FILTER, R_INFO = "VCF-SPEC-018", "VCF-SPEC-019", "VCF-SPEC-020"
R_FORMAT, R_GENOTYPE = "VCF-SPEC-021", "VCF-SPEC-022"
R_ORDER, R_DUPLICATE, R_EMPTY, R_UNJUDGED = "VCF-SPEC-023", "VCF-SPEC-024", "VCF-SPEC-025", "VCF-SPEC-026"


@dataclass(frozen=True)
class Definition:
    """Number and Type of an INFO or FORMAT key; number None and types () mean that any is right."""

    number: str | None
    types: tuple[str, ...]

    @property
    def type(self) -> str:
        return self.types[0] if len(self.types) == 1 else ("Float" if "Float" in self.types else "String")


def _table(text: str) -> dict[str, Definition]:
    """Rows `KEY NUMBER TYPE`; `*` for a number or type that the specification leaves open."""
    rows = (row.split() for row in text.splitlines() if row)
    return {
        key: Definition(None if number == "*" else number, () if kind == "*" else tuple(kind.split("|")))
        for key, number, kind in rows
    }


# A Number of "." in the specification's structural keys is written `*`: a file may declare a narrower one
# (the test files declare SVLEN with Number=1).
_SV_INFO = """
IMPRECISE 0 Flag
NOVEL 0 Flag
SVTYPE 1 String
SVLEN * Integer
CIPOS 2 Integer
CIEND 2 Integer
HOMLEN * Integer
HOMSEQ * String
BKPTID * String
MEINFO 4 String
METRANS 4 String
DGVID 1 String
DBVARID 1 String
DBRIPID 1 String
MATEID * String
PARID 1 String
EVENT 1 String
CILEN 2 Integer
DPADJ * Integer
CN 1 Integer
CNADJ * Integer
CICN 2 Integer
CICNADJ * Integer
"""
_COMMON_INFO = """
AA 1 String
AC A Integer
AF A Float
AN 1 Integer
BQ 1 Float
CIGAR A String
DB 0 Flag
DP 1 Integer
END 1 Integer
H2 0 Flag
H3 0 Flag
MQ0 1 Integer
NS 1 Integer
SOMATIC 0 Flag
VALIDATED 0 Flag
1000G 0 Flag
"""
_COMMON_FORMAT = """
GT 1 String
DP 1 Integer
FT 1 String
GL G Float
GP G Float
GQ 1 Integer
HQ 2 Integer
MQ 1 Integer
PL G Integer
PQ 1 Integer
PS 1 Integer
EC A Integer
CN 1 Integer
CNQ 1 Float
CNL * Float
NQ 1 Integer
HAP 1 Integer
AHAP 1 Integer
"""
# Version 4.2 names MQ and SB without a type; 4.3 says of SB four Integers, but its own test files have one Float.
INFO_RESERVED = {
    "4.2": _table(_COMMON_INFO + _SV_INFO + "MQ 1 Integer|Float"),
    "4.3": _table(
        _COMMON_INFO + _SV_INFO + "MQ 1 Float\nAD R Integer\nADF R Integer\nADR R Integer",
    ),
}
FORMAT_RESERVED = {
    "4.2": _table(_COMMON_FORMAT + "GLE G String"),
    "4.3": _table(_COMMON_FORMAT + "AD R Integer\nADF R Integer\nADR R Integer\nPP G Integer"),
}
COUNTS = frozenset({"AC", "AF", "AN", "DP", "END", "MQ0", "NS", "AD", "ADF", "ADR", "EC", "PS"})
"""Reserved keys whose values count or measure something, so cannot be negative."""

INFO_TYPES = frozenset({"Integer", "Float", "Flag", "Character", "String"})
FORMAT_TYPES = INFO_TYPES - {"Flag"}

# Key of a structured line -> the keys that come first, in this order.
META_KEYS: dict[str, dict[str, tuple[str, ...]]] = {
    "4.2": {
        "INFO": ("ID", "Number", "Type", "Description"),
        "FORMAT": ("ID", "Number", "Type", "Description"),
        "FILTER": ("ID", "Description"),
        "ALT": ("ID", "Description"),
        "contig": ("ID",),
        "SAMPLE": ("ID", "Genomes", "Mixture", "Description"),
        "PEDIGREE": (),
    },
    "4.3": {
        "INFO": ("ID", "Number", "Type", "Description"),
        "FORMAT": ("ID", "Number", "Type", "Description"),
        "FILTER": ("ID", "Description"),
        "ALT": ("ID", "Description"),
        "contig": ("ID",),
        "SAMPLE": ("ID",),
        "PEDIGREE": ("ID",),
        "META": ("ID",),
    },
}
META_RULE = {
    "INFO": R_INFO_DEF,
    "FORMAT": R_FORMAT_DEF,
    "FILTER": R_FILTER_DEF,
    "ALT": R_ALT_DEF,
    "contig": R_CONTIG_DEF,
    "SAMPLE": R_SAMPLE_DEF,
    "PEDIGREE": R_SAMPLE_DEF,
    "META": R_SAMPLE_DEF,
}
QUOTED = ("Description", "Source", "Version")
# `*` and NON_REF stand for the unspecified allele of a gVCF (section 5.5). Version 4.3 asks these types of structural
# variants only; its test files have other names.
ALT_TYPES = frozenset({"DEL", "INS", "DUP", "INV", "CNV", "*", "NON_REF"})

_PAIR = re.compile(r'([^\s=,<>"]+)=("[^"\\]*(?:\\.[^"\\]*)*"|\[[^\]"<>]*\]|[^",<>\[\]\s]*)(,|$)')
_NUMBER = re.compile(r"[0-9]{1,9}|[ARG.]")
_CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\r]")
_CONTIG_43 = re.compile(r"[0-9A-Za-z!#$%&+./:;?@^_|~-][0-9A-Za-z!#$%&*+./:;=?@^_|~-]*")
_ALT_ID = re.compile(r"<ID=([^\s,<>]+),")
_GENOME_ID = re.compile(r"[A-Za-z0-9_.\-]+")
_VERSION = re.compile(r"VCFv[0-9]+\.[0-9]+")
_IPV4 = re.compile(r"(?:(?:25[0-5]|2[0-4][0-9]|1?[0-9]?[0-9])(?:\.(?!$)|$)){4}")

CHROM = {
    "4.2": re.compile(r"[^\s:,<>]+|<[^\s:,<>]+>"),
    "4.3": re.compile(rf"{_CONTIG_43.pattern}|<{_CONTIG_43.pattern}>"),
}
_BASES = r"[ACGTNacgtn*]+"
_CHROM_IN_BND = r"[^\s,<>\[\]]+|<[^\s,<>]+>"
ALT_ALLELE = re.compile(
    # The test files accept `.A` and `A.`: a single breakend.
    rf"{_BASES}|<[^\s,<>]+>|\.[ACGTNacgtn]+|[ACGTNacgtn]+\."
    rf"|[\[\]](?:{_CHROM_IN_BND}):[0-9]+[\[\]][ACGTNacgtn.]+|[ACGTNacgtn.]+[\[\]](?:{_CHROM_IN_BND}):[0-9]+[\[\]]"
)
REF_ALLELE = re.compile(r"[ACGTNacgtn]+")
INTEGER_TEXT = r"[-+]?[0-9]{1,10}"
FLOAT_TEXT = {
    "4.2": r"[-+]?(?:[0-9]*\.?[0-9]+|[0-9]+\.)(?:[eE][-+]?[0-9]+)?|[-+]?(?i:INF|INFINITY|NAN)",
    "4.3": r"[-+]?[0-9]*\.?[0-9]+(?:[eE][-+]?[0-9]+)?|[-+]?(?i:INF|INFINITY|NAN)",
}
INTEGER = re.compile(INTEGER_TEXT)
FLOAT = {version: re.compile(text) for version, text in FLOAT_TEXT.items()}
INFO_KEY = {
    "4.2": re.compile(r'[^\s;=,"]+'),
    "4.3": re.compile(r"[A-Za-z_][0-9A-Za-z_.]*|1000G"),
}
FORMAT_KEY = {
    "4.2": re.compile(r"[0-9A-Za-z]+"),
    "4.3": re.compile(r"[A-Za-z_][0-9A-Za-z_.]*"),
}
GENOTYPE = re.compile(r"(?:\.|[0-9]{1,6})(?:[/|](?:\.|[0-9]{1,6}))*")
CIGAR = re.compile(r"(?:[0-9]+[MIDNSHPX=])+")
_BAD_PERCENT = re.compile(r"%(?![0-9A-F]{2})")
_QUOTED_COMMA = re.compile(r'"[^"]*"|[^,"]+|,')
_POS = re.compile(r"[0-9]{1,10}")


@dataclass
class Header:
    """What the records are judged against. `lines` holds every meta line as (number, key, value)."""

    fileformat: str = ""
    version: str = "4.2"
    info: dict[str, Definition] = field(default_factory=dict)
    format: dict[str, Definition] = field(default_factory=dict)
    filters: set[str] = field(default_factory=set)
    alts: set[str] = field(default_factory=set)
    contigs: dict[str, dict[str, str]] = field(default_factory=dict)
    samples: list[str] = field(default_factory=list)
    columns: int = 0
    lines: list[tuple[int, str, str]] = field(default_factory=list)
    last_line: int = 0
    """Number of the column line, or of the last line read when there is none."""


@dataclass
class Record:
    """One data line in pieces, as far as it could be read. `info` maps key to its text (None for a bare key)."""

    line: int
    chrom: str
    pos: int
    ref: str
    alts: list[str]
    filter: str
    info: dict[str, str | None]
    format: list[str]
    samples: list[str]
    id: str = "."
    qual: str = "."


def text_fault(line: str, version: str) -> str | None:
    """Why a line breaks the specification's rules on characters (4.3, section 1.2), or None."""
    bad = _CONTROL.search(line)
    if bad is None:
        return None
    return f"control character U+{ord(bad.group()):04X} at column {bad.start() + 1}"


def url_is_valid(text: str) -> bool:
    """`scheme://host[:port]/...`; a host of digits only must be an IPv4 address (RFC 3986, 3.2.2)."""
    try:
        parts = urlsplit(text)
        host, _ = parts.hostname, parts.port
    except ValueError:
        return False
    if not re.fullmatch(r"[A-Za-z][A-Za-z0-9+.\-]*", parts.scheme) or re.search(r"\s", text):
        return False
    if not host:
        return parts.scheme == "file" and bool(parts.path)
    if host.split(".")[-1].isdigit():
        return _IPV4.fullmatch(host) is not None
    return re.fullmatch(r"[A-Za-z0-9_:%.\-]+", host) is not None


def structured(value: str) -> list[tuple[str, str]] | None:
    """`<key=value,...>` as pairs in order, quoted values with their quotes; None when it is not well-formed."""
    if not (value.startswith("<") and value.endswith(">")):
        return None
    pairs, at, body = [], 0, value[1:-1]
    while True:
        match = _PAIR.match(body, at)
        if match is None:
            return None
        pairs.append((match[1], match[2]))
        at = match.end()
        if not match[3]:
            return pairs if at == len(body) else None


class HeaderReader:
    """Takes the lines before the records one by one. `header` is complete once `feed` has returned True."""

    def __init__(self, emit: Emit) -> None:
        self.emit = emit
        self.header = Header()
        self.hopeless = False
        """Set when going on would only repeat that this is no VCF."""
        self._ids: set[tuple[str, str]] = set()

    def feed(self, line: str, number: int) -> bool:
        """Judge one line (without its line end); True when it was the column line."""
        header = self.header
        header.last_line = number
        if number == 1:
            self._fileformat(line)
            return False
        fault = text_fault(line, header.version)
        if fault:
            self.emit(R_TEXT, number, fault)
        if line.startswith("##"):
            self._meta(line, number)
            return False
        if line.startswith("#"):
            self._column_line(line, number)
            return True
        if line.count("\t") >= 7:
            self.emit(R_COLUMNS, number, "a record before the column line '#CHROM POS ID ...'")
            self.hopeless = True
        else:
            self.emit(R_META, number, f"neither a meta line nor the column line: {line[:60]!r}")
        return False

    def _fileformat(self, line: str) -> None:
        value = line.removeprefix("##fileformat=") if line.startswith("##fileformat=") else None
        if value is None or not _VERSION.fullmatch(value):
            self.emit(R_FILEFORMAT, 1, f"the first line must read '##fileformat=VCFv4.x', not {line[:60]!r}")
            self.hopeless = not line.startswith("#")
            return
        self.header.fileformat = value
        self.header.version = JUDGED_VERSIONS.get(value, "4.3")
        self.header.lines.append((1, "fileformat", value))

    def _meta(self, line: str, number: int) -> None:
        key, equals, value = line[2:].partition("=")
        if not equals or not key or not value or re.search(r"\s", key):
            self.emit(R_META, number, f"not '##key=value': {line[:60]!r}")
            return
        self.header.lines.append((number, key, value))
        version = self.header.version
        if key == "fileformat":
            self.emit(R_FILEFORMAT, number, "a second fileformat line")
        elif key in ("assembly", "pedigreeDB"):
            url = value[1:-1] if key == "pedigreeDB" and value.startswith("<") and value.endswith(">") else value
            if not url_is_valid(url):
                self.emit(R_SAMPLE_DEF, number, f"{key} is not a valid URL: {value[:60]!r}")
        elif key in META_KEYS[version]:
            self._definition(key, value, number)
        elif version == "4.3" and value.startswith("<"):
            pairs = structured(value)
            if pairs is None or "ID" not in dict(pairs):
                self.emit(R_META, number, f"{key}: a structured line must be well-formed and have an ID")
            elif (key, dict(pairs)["ID"]) in self._ids:
                self.emit(R_META, number, f"{key}: ID {dict(pairs)['ID']!r} is defined twice")
            else:
                self._ids.add((key, dict(pairs)["ID"]))

    def _definition(self, key: str, value: str, number: int) -> None:
        rule, version = META_RULE[key], self.header.version
        odd = _ALT_ID.match(value) if key == "ALT" and version == "4.3" else None
        if odd is None:
            pairs = structured(value)
        elif (pairs := structured("<" + value[odd.end() :])) is not None:
            pairs.insert(0, ("ID", odd[1]))
        if pairs is None:
            self.emit(rule, number, f"{key}: not a well-formed '<key=value,...>': {value[:80]!r}")
            return
        wanted = META_KEYS[version][key]
        if tuple(k for k, _ in pairs[: len(wanted)]) != wanted:
            self.emit(rule, number, f"{key}: must begin with {', '.join(wanted)} in this order")
            return
        values = dict(pairs)
        if len(values) != len(pairs):
            self.emit(rule, number, f"{key}: a key is given twice")
        for name, text in pairs:
            quoted = text.startswith('"')
            if name in QUOTED and not quoted and (name == "Description" or key in ("INFO", "FORMAT")):
                self.emit(rule, number, f"{key}: {name} must be in double quotes")
                return
            if quoted and name in ("ID", "Number", "Type", "Genomes", "Mixture"):
                self.emit(rule, number, f"{key}: {name} must not be quoted")
                return
            if not text:
                self.emit(rule, number, f"{key}: {name} is empty")
                return
        name = values.get("ID", "")
        if version == "4.3":
            if (key, name) in self._ids:
                self.emit(rule, number, f"{key}: ID {name!r} is defined twice")
            self._ids.add((key, name))
        more = {
            "INFO": self._info,
            "FORMAT": self._format,
            "FILTER": self._filter,
            "ALT": self._alt,
            "contig": self._contig,
            "PEDIGREE": self._pedigree,
        }.get(key)
        if more is not None:
            more(name, values, number)

    def _info(self, name: str, values: dict[str, str], number: int) -> None:
        self._typed("INFO", name, values, number, INFO_TYPES, INFO_RESERVED, self.header.info)

    def _format(self, name: str, values: dict[str, str], number: int) -> None:
        self._typed("FORMAT", name, values, number, FORMAT_TYPES, FORMAT_RESERVED, self.header.format)

    def _typed(
        self,
        key: str,
        name: str,
        values: dict[str, str],
        number: int,
        types: frozenset[str],
        reserved: dict[str, dict[str, Definition]],
        into: dict[str, Definition],
    ) -> None:
        rule, version = META_RULE[key], self.header.version
        count, kind = values["Number"], values["Type"]
        if version == "4.3" and not (INFO_KEY if key == "INFO" else FORMAT_KEY)["4.3"].fullmatch(name):
            self.emit(rule, number, f"{key} {name!r}: not a valid key")
        if not _NUMBER.fullmatch(count):
            self.emit(rule, number, f"{key} {name}: Number {count!r} is not a whole number, A, R, G or '.'")
            return
        if kind not in types:
            self.emit(rule, number, f"{key} {name}: Type {kind!r} is not one of {', '.join(sorted(types))}")
            return
        known = reserved[version].get(name)
        if known is not None:
            if known.number is not None and count != known.number:
                self.emit(rule, number, f"{key} {name}: reserved with Number={known.number}, declared with {count}")
            if known.types and kind not in known.types:
                self.emit(rule, number, f"{key} {name}: reserved with Type={known.type}, declared with {kind}")
        into.setdefault(name, Definition(count, (kind,)))

    def _filter(self, name: str, values: dict[str, str], number: int) -> None:
        if name == "0" or ";" in name:
            self.emit(R_FILTER_DEF, number, f"FILTER ID {name!r} is reserved or holds a semicolon")
        self.header.filters.add(name)

    def _alt(self, name: str, values: dict[str, str], number: int) -> None:
        if self.header.version == "4.2" and name.split(":")[0] not in ALT_TYPES:
            self.emit(R_ALT_DEF, number, f"ALT {name!r}: the first level type must be DEL, INS, DUP, INV or CNV")
        self.header.alts.add(name)

    def _contig(self, name: str, values: dict[str, str], number: int) -> None:
        if self.header.version == "4.3" and not _CONTIG_43.fullmatch(name):
            self.emit(R_CONTIG_DEF, number, f"contig {name!r}: characters that a contig name may not have")
        length = values.get("length")
        if length is not None and not re.fullmatch(r"[0-9]{1,10}", length):
            self.emit(R_CONTIG_DEF, number, f"contig {name}: length {length!r} is not a whole number")
            values = {k: v for k, v in values.items() if k != "length"}
        # Version 4.2 does not forbid a second line (the test files have one); the fuller one counts.
        self.header.contigs[name] = {**self.header.contigs.get(name, {}), **values}

    def _pedigree(self, name: str, values: dict[str, str], number: int) -> None:
        for text in values.values():
            if not _GENOME_ID.fullmatch(text):
                self.emit(R_SAMPLE_DEF, number, f"PEDIGREE: {text[:40]!r} is not a genome ID")

    def _column_line(self, line: str, number: int) -> None:
        header, columns = self.header, line.split("\t")
        header.columns, header.samples = len(columns), columns[9:]
        if tuple(columns[:8]) != COLUMNS or (len(columns) > 8 and columns[8] != "FORMAT"):
            self.emit(R_COLUMNS, number, f"the column line must be {' '.join(COLUMNS)} [FORMAT sample ...] by tabs")
            self.hopeless = len(columns) < 8
            return
        if len(columns) == 9:
            self.emit(R_COLUMNS, number, "FORMAT without a sample")
        if len(set(header.samples)) != len(header.samples):
            self.emit(R_SAMPLES, number, "sample names are not unique")
        if not all(header.samples):
            self.emit(R_SAMPLES, number, "a sample name is empty (a tab too many?)")


def trimmed(pos: int, ref: str, alt: str) -> tuple[int, str, str]:
    """The change itself: common suffix, then common prefix taken off (both may become empty), upper case."""
    ref, alt = ref.upper(), alt.upper()
    end, shortest = 0, min(len(ref), len(alt))
    while end < shortest and ref[-1 - end] == alt[-1 - end]:
        end += 1
    start = 0
    while start < shortest - end and ref[start] == alt[start]:
        start += 1
    return pos + start, ref[start : len(ref) - end], alt[start : len(alt) - end]


class Duplicates:
    """Finds one change written twice. Holds only changes at or after the current position of one contig."""

    LIMIT = 20_000

    def __init__(self) -> None:
        self._seen: dict[tuple[int, str | int, str | int], int] = {}
        self._floor = 0

    def clear(self) -> None:
        """Forget everything: another contig begins."""
        self._seen = {}
        self._floor = 0

    def snapshot(self) -> tuple[dict, int]:
        """What is held, for `restore`."""
        return dict(self._seen), self._floor

    def restore(self, saved: tuple[dict, int]) -> None:
        """Hold again what was held at `snapshot`."""
        self._seen, self._floor = saved

    def add(self, pos: int, ref: str, alt: str, line: int) -> int | None:
        """Line of the first writing of this change, or None. Symbolic alleles, breakends and `*` are exempt."""
        if not alt.isalpha():
            return None
        at, gone, come = trimmed(pos, ref, alt)
        # A long allele is held as its hash: memory must not follow allele length.
        key = (at, gone if len(gone) < 200 else hash(gone), come if len(come) < 200 else hash(come))
        earlier = self._seen.get(key)
        if earlier is None:
            self._seen[key] = line
        if len(self._seen) > 256 and pos > self._floor:
            self._seen = {k: v for k, v in self._seen.items() if k[0] >= pos}
            self._floor = pos
        if len(self._seen) > self.LIMIT:
            self._seen.clear()
        return earlier


class RecordJudge:
    """Judges data lines in file order; the state that crosses lines (order, duplicates) is public for a fast path."""

    def __init__(self, header: Header, emit: Emit, extra_format_keys: frozenset[str] = frozenset()) -> None:
        self.header, self.emit = header, emit
        self.version = header.version
        self.extra_format_keys = extra_format_keys
        self.contig = ""
        self.pos = -1
        self.reach = 0
        """First position after the last base that any record of this contig has named."""
        self.done: set[str] = set()
        self.duplicates = Duplicates()
        self.lengths = {name: int(c["length"]) for name, c in header.contigs.items() if "length" in c}
        self._formats: dict[str, tuple[list[str], list[tuple[str, Definition | None]], list[str]]] = {}
        self.exact_duplicate: Callable[[Record], bool] | None = None
        self._float = FLOAT[self.version]

    def judge(self, line: str, number: int) -> Record | None:
        """Emit every fault of one line; the record in pieces, or None when it has not the right columns."""
        fields, emit = line.split("\t"), self.emit
        if len(fields) != self.header.columns:
            emit(R_FIELDS, number, f"{len(fields)} columns where the column line has {self.header.columns}")
            return None
        if "" in fields:
            emit(R_FIELDS, number, f"column {fields.index('') + 1} is empty: a missing value is '.'")
            return None
        fault = text_fault(line, self.version)
        if fault:
            emit(R_TEXT, number, fault)
        chrom, pos_text, ids, ref, alt, qual, filters, info = fields[:8]
        if not CHROM[self.version].fullmatch(chrom):
            emit(R_CHROM, number, f"CHROM {chrom[:40]!r} is not a contig name")
        pos = self._position(chrom, pos_text, number)
        for name in ids.split(";") if ids != "." else ():
            if not name or re.search(r"\s", name):
                emit(R_ID, number, f"ID {ids[:40]!r} has an empty part or white space")
                break
        if self.version == "4.3" and len(set(ids.split(";"))) != ids.count(";") + 1:
            emit(R_ID, number, f"ID {ids[:40]!r} holds a value twice")
        if not REF_ALLELE.fullmatch(ref):
            emit(R_REF, number, f"REF {ref[:40]!r} is not made of A C G T N")
        alts = alt.split(",")
        self._alleles(ref, alt, alts, number)
        self._quality(qual, number)
        self._filters(filters, number)
        read_info = self._info(info, alts, pos, number)
        keys, samples = [], fields[9:]
        if len(fields) > 9:
            keys = self._genotypes(fields[8], samples, alts, number)
        at = -1 if pos is None else pos
        record = Record(number, chrom, at, ref, alts, filters, read_info, keys, samples, ids, qual)
        if pos is not None:
            self._order(chrom, pos, number)
            self._duplicate(record)
        return record

    def _position(self, chrom: str, text: str, number: int) -> int | None:
        if not _POS.fullmatch(text) or int(text) > 2**31 - 1:
            self.emit(R_POS, number, f"POS {text[:20]!r} is not a position (0 or a positive 32-bit number)")
            return None
        pos, length = int(text), self.lengths.get(chrom)
        if length is not None and pos > length + 1:
            self.emit(R_POS, number, f"POS {pos} lies beyond the end of {chrom} ({length})")
        return pos

    def _alleles(self, ref: str, alt: str, alts: list[str], number: int) -> None:
        if alt == ".":
            return
        upper = ref.upper()
        for allele in alts:
            if not ALT_ALLELE.fullmatch(allele):
                self.emit(R_ALT, number, f"ALT {allele[:40]!r} is not bases, '*', '<ID>' or a breakend")
            elif allele.upper() == upper:
                self.emit(R_ALT, number, f"ALT {allele[:40]!r} is the same as REF")

    def _quality(self, qual: str, number: int) -> None:
        if qual == ".":
            return
        if not self._float.fullmatch(qual):
            self.emit(R_QUAL, number, f"QUAL {qual[:20]!r} is not a number")
        elif qual.startswith("-"):
            self.emit(R_QUAL, number, f"QUAL {qual[:20]!r} is negative")

    def _filters(self, text: str, number: int) -> None:
        if text == ".":
            return
        names = text.split(";")
        if re.search(r"\s", text) or any(name in ("", "0", ".") for name in names):
            self.emit(R_FILTER, number, f"FILTER {text[:40]!r} has an empty, missing, spaced or reserved part")
        elif self.version == "4.3" and len(set(names)) != len(names):
            self.emit(R_FILTER, number, f"FILTER {text[:40]!r} holds a value twice")

    def _info(self, text: str, alts: list[str], pos: int | None, number: int) -> dict[str, str | None]:
        found: dict[str, str | None] = {}
        if text == ".":
            return found
        version, declared, reserved = self.version, self.header.info, INFO_RESERVED[self.version]
        valid_key = INFO_KEY[version].fullmatch
        if version == "4.2" and re.search(r"\s", text):
            self.emit(R_INFO, number, "INFO has white space")
        for entry in text.split(";"):
            key, equals, value = entry.partition("=")
            if not valid_key(key):
                self.emit(R_INFO, number, f"INFO key {key[:40]!r} is not valid")
                continue
            if key in found:
                self.emit(R_INFO, number, f"INFO key {key} is given twice")
            found[key] = value if equals else None
            definition = declared.get(key) or reserved.get(key)
            fault = self._info_fault(key, value if equals else None, definition, alts)
            if fault is None and key == "END" and pos is not None and INTEGER.fullmatch(value) and int(value) < pos:
                fault = f"{value} lies before POS"
            if fault:
                self.emit(R_INFO, number, f"INFO {key}: {fault}")
        return found

    def _info_fault(self, key: str, value: str | None, definition: Definition | None, alts: list[str]) -> str | None:
        if value is None:
            if definition is not None and definition.types and "Flag" not in definition.types:
                return "has no value but is no Flag"
            return None
        if definition is not None and definition.types == ("Flag",):
            # The text lets a flag say what a site does not have (`H2=0`); the test files accept 0 and 1.
            return None if value in ("0", "1") else f"a Flag with value {value[:20]!r}"
        if '"' in value:
            values = list(_split_quoted(value))
        else:
            if "=" in value:
                return "an equals sign in the value"
            values = value.split(",")
        if "" in values:
            return "an empty value"
        if definition is None:
            return None if self.version == "4.2" else _percent_fault(values)
        if values != ["."] and not _count_is_right(len(values), definition.number, alts, None):
            return f"{len(values)} values, Number={definition.number}"
        return self._values_fault(key, values, definition)

    def _values_fault(self, key: str, values: list[str], definition: Definition) -> str | None:
        kind = definition.type if definition.types else "String"
        if kind == "Integer":
            for value in values:
                if value != ".":
                    if not INTEGER.fullmatch(value) or not -(2**31) + 8 <= int(value) <= 2**31 - 1:
                        return f"{value[:20]!r} is not a 32-bit Integer"
                    if value[0] == "-" and key in COUNTS:
                        return f"{value[:20]!r} is negative"
        elif kind == "Float":
            for value in values:
                if value != ".":
                    if not self._float.fullmatch(value):
                        return f"{value[:20]!r} is not a Float"
                    if value[0] == "-" and key in COUNTS:
                        return f"{value[:20]!r} is negative"
        elif kind == "Character":
            for value in values:
                if len(value) != 1 and not (self.version == "4.3" and re.fullmatch("%[0-9A-F]{2}", value)):
                    return f"{value[:20]!r} is not one Character"
        else:
            if key == "CIGAR" and not all(v == "." or CIGAR.fullmatch(v) for v in values):
                return f"{values[0][:20]!r} is not a CIGAR string"
            if self.version == "4.3":
                return _percent_fault(values)
        return None

    def format_keys(self, text: str) -> tuple[list[str], list[tuple[str, Definition | None]], list[str]]:
        """Keys of one FORMAT string, each with its definition, and the faults of the string itself. Cached."""
        known = self._formats.get(text)
        if known is not None:
            return known
        keys, faults = text.split(":"), []
        for key in keys:
            if not FORMAT_KEY[self.version].fullmatch(key) and key not in self.extra_format_keys:
                faults.append(f"key {key[:40]!r} is not valid")
        if len(set(keys)) != len(keys):
            faults.append("a key is given twice")
        if "GT" in keys[1:]:
            faults.append("GT must come first")
        declared, reserved = self.header.format, FORMAT_RESERVED[self.version]
        known = keys, [(key, declared.get(key) or reserved.get(key)) for key in keys], faults
        if len(self._formats) < 10_000 and len(text) < MAX_CACHED_TEXT:
            self._formats[text] = known
        return known

    def _genotypes(self, text: str, samples: list[str], alts: list[str], number: int) -> list[str]:
        keys, definitions, faults = self.format_keys(text)
        for fault in faults:
            self.emit(R_FORMAT, number, f"FORMAT {text[:40]!r}: {fault}")
        for sample, column in zip(self.header.samples, samples, strict=False):
            fault = self._genotype_fault(column.split(":"), definitions, alts)
            if fault:
                self.emit(R_GENOTYPE, number, f"sample {sample[:40]}: {fault}")
        return keys

    def _genotype_fault(
        self, values: list[str], definitions: list[tuple[str, Definition | None]], alts: list[str]
    ) -> str | None:
        if len(values) > len(definitions):
            return f"{len(values)} fields where FORMAT has {len(definitions)}"
        ploidies: tuple[int, ...] = (2,)
        for (key, definition), value in zip(definitions, values, strict=False):
            if not value:
                return f"{key} is empty"
            if key == "GT":
                if not GENOTYPE.fullmatch(value):
                    return f"GT {value[:20]!r} is not a genotype"
                alleles = value.replace("|", "/").split("/")
                # The test files count the missing ALT `.` as one allele, other writers as none: both are read.
                if any(allele != "." and int(allele) > len(alts) for allele in alleles):
                    return f"GT {value[:20]!r} names an allele that ALT does not have"
                ploidies = (1, 2) if value == "." else (len(alleles),)
                continue
            if definition is None or value == ".":
                if definition is None and " " in value and self.version == "4.2":
                    return f"{key} has white space"
                continue
            parts = value.split(",")
            if "" in parts:
                return f"{key} has an empty value"
            if not any(_count_is_right(len(parts), definition.number, alts, ploidy) for ploidy in ploidies):
                return f"{key} has {len(parts)} values, Number={definition.number}"
            fault = self._values_fault(key, parts, definition)
            if fault:
                return f"{key}: {fault}"
        return None

    def _order(self, chrom: str, pos: int, number: int) -> None:
        # `<1>` and `1` are one contig to the test files.
        name = chrom[1:-1] if chrom.startswith("<") else chrom
        if name != self.contig:
            if name in self.done:
                self.emit(R_ORDER, number, f"{name} comes back after another contig")
            if self.contig and len(self.done) < MAX_CONTIGS:
                self.done.add(self.contig)
                if len(self.done) == MAX_CONTIGS:
                    self.emit(R_ORDER, number, f"records on {MAX_CONTIGS} contigs: their order is not followed further")
            self.contig, self.pos, self.reach = name, -1, 0
            self.duplicates.clear()
        if pos < self.pos:
            self.emit(R_ORDER, number, f"POS {pos} comes after {self.pos} on {name}")
            self.duplicates.clear()
        self.pos = pos

    def _duplicate(self, record: Record) -> None:
        self.reach = max(self.reach, record.pos + len(record.ref))
        exact = self.exact_duplicate is not None and self.exact_duplicate(record)
        for allele in record.alts:
            earlier = self.duplicates.add(record.pos, record.ref, allele, record.line)
            if earlier is not None and not exact:
                self.emit(R_DUPLICATE, record.line, f"the change to {allele[:40]!r} is already in line {earlier}")


def _split_quoted(value: str) -> Iterator[str]:
    """Values by comma, commas inside double quotes kept (as the test files have them)."""
    part: list[str] = []
    for token in _QUOTED_COMMA.findall(value):
        if token == ",":
            yield "".join(part)
            part = []
        else:
            part.append(token)
    yield "".join(part)


def _percent_fault(values: list[str]) -> str | None:
    """Version 4.3, section 1.2: a percent sign only begins a capitalised encoding."""
    for value in values:
        if "%" in value and _BAD_PERCENT.search(value):
            return f"{value[:20]!r} has a percent sign that is not a percent encoding"
    return None


def _count_is_right(count: int, number: str | None, alts: list[str], ploidy: int | None) -> bool:
    """Whether `count` values fit Number; `ploidy` None for INFO, where Number=G is not defined."""
    if number is None or number == ".":
        return True
    if number.isascii() and number.isdigit():  # isdigit alone takes `²` as well
        return count == int(number)
    if number == "G" and ploidy is None:
        return True
    # ALT `.` stands for no allele; the test files give its one value all the same.
    options = (0, 1) if alts == ["."] else (len(alts),)
    for n_alt in options:
        if number == "A" and count == n_alt:
            return True
        if number == "R" and count == n_alt + 1:
            return True
        # Beyond 30 of both, more genotypes than any line could hold: not worth the arithmetic.
        small = number == "G" and ploidy is not None and min(n_alt, ploidy) <= 30
        if small and count == math.comb(n_alt + ploidy, min(n_alt, ploidy)):
            return True
    return False
