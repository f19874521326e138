"""Personal identifiers: found in any text, never echoed.

Danish civil registration (CPR) numbers, their electronic replacements, e-mail addresses, telephone numbers, paths of
a site, and the words of a site's own deny-list. Basis of the forms: CPR-kontoret (modulus 11 is no test of validity
since October 2007, so day and month decide and modulus 11 only raises the confidence), Sundhedsdatastyrelsen (X-eCPR
`DDMMYY[17][A-Z]{2}d`, D-eCPR `DDMMYY[056][A-Z]{2}d`).
"""

from __future__ import annotations

import base64
import binascii
import html
import json
import re
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from stdnum.dk import cpr

CPR, ECPR, EMAIL, PHONE, PATH, DENIED = (f"NGC-PII-{number:03d}" for number in range(1, 7))
_SHOWN = {
    CPR: "CPR number",
    ECPR: "eCPR number",
    EMAIL: "e-mail address",
    PHONE: "telephone number",
    PATH: "site path",
    DENIED: "word of the deny-list",
}
MAX_DATA = 12 << 20
"""Bytes of JSON that are taken apart at most: small pieces of it take thirty times their size in memory."""

_DASH = "-\u00ad\u2010\u2011\u2012\u2013\u2212"
_DATE = r"(?:0[1-9]|[12]\d|3[01])(?:0[1-9]|1[0-2])\d\d"
# A run of ten digits that belongs to a longer number (a decimal, a longer run) is not a token.
_CPR = re.compile(rf"(?<!\d)(?<!\d\.)({_DATE})([{_DASH}]|[ \u00a0](?=\d{{4}}))?(\d{{4}})(?!\d)(?!\.\d)")
_ECPR = re.compile(rf"(?<![A-Za-z0-9])({_DATE})[{_DASH}]?[01567][A-Z]{{2}}\d(?![A-Za-z0-9])")
_EMAIL = re.compile(r"(?<![\w.+%-])[\w.+%-]{1,64}@(?:[\w-]{1,63}\.){1,8}[A-Za-z]{2,24}(?![\w-])")
_PHONE = re.compile(
    r"(?:(?<![\w.+])(?:\+|00)45[ .\u00a0-]?"
    r"|(?i:(?<![A-Za-z])(?:tlf|telefon|tel|phone|mobil|mob)(?:nr)?\.?[ :=\u00a0]{1,3}))"
    r"(?:\d[ .\u00a0-]?){7}\d(?!\d)"
)
# Hexadecimal digests are made of digits and letters and would, now and then, hold a run of ten digits.
_DIGEST = re.compile(
    r"(?<![0-9A-Za-z])(?:[0-9a-f]{128}|[0-9a-f]{64}|[0-9a-f]{40}|[0-9a-f]{32}|SQ\.[\w-]{32})(?![0-9A-Za-z])"
)
_UUID = re.compile(r"(?<![0-9A-Za-z])[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}(?![0-9A-Za-z])")
_DATA_URL = re.compile(r"base64,[A-Za-z0-9+/=\s]{40,}")
_SCRIPT = re.compile(r"<(?:script|style)(?=[\s/>])", re.IGNORECASE)
_SCRIPT_END = re.compile(r"</(?:script|style)(?=[\s/>])", re.IGNORECASE)
_TYPE = re.compile(r"\stype\s*=\s*[\"']?([\w/+.-]+)", re.IGNORECASE)
# Drawings, sort keys and bar widths are figures, and long ones look like numbers of persons.
_NUMBER = r"[-+]?\d+(?:\.\d+)?(?:[eE][-+]?\d+)?"
_DRAWING = re.compile(
    rf"(?<=\s)(?:(?:data-sorting-val|val)=([\"']?){_NUMBER}\1(?=[\s/>])"
    r"|(?:d|points|viewbox)=\"[MmLlHhVvCcSsQqTtAaZz\d\s.,+eE-]*\"|transform=\"[\w\s.,()+-]*\")",
    re.IGNORECASE,
)
_LINE = re.compile(r"[^\r\n]+")
_WORD = re.compile(r"[^\W_]+")
_PACKED = "H4sI"
"""How base64 of gzip begins."""
_DIGITS = re.compile(r"\d{6}")


@dataclass(frozen=True, slots=True)
class Match:
    """One identifier in a text: rule, start and end (characters), and what makes it likely."""

    rule: str
    start: int
    end: int
    note: str


class Scanner:
    """Looks for personal identifiers in text.

    path_roots: first folders of absolute paths that count as a site's own. deny: words that must not be there, found
    without regard to case, as whole words.
    """

    def __init__(self, path_roots: Iterable[str] = (), deny: Iterable[str] = ()) -> None:
        roots = "|".join(re.escape(root) for root in sorted(set(path_roots)))
        self._path = re.compile(
            r"file://[^\s\"'<>]+"
            + (rf"|(?<![\w/.~@)\]-])/(?:{roots})/[^\s\"'<>,;]+" if roots else "")
            + r"|(?<![A-Za-z])[A-Za-z]:\\(?:Users|Documents)[^\s\"'<>]+"
        )
        deny = {word.strip().casefold() for word in deny} - {""}
        self._words = {word for word in deny if _WORD.fullmatch(word)}
        phrases = sorted(deny - self._words, key=len, reverse=True)
        pattern = "|".join(re.escape(phrase) for phrase in phrases)
        self._phrases = re.compile(rf"(?<![^\W_])(?:{pattern})(?![^\W_])", re.IGNORECASE) if phrases else None

    def scan(self, text: str) -> list[Match]:
        """Every identifier in a text, in order of place; an e-mail hides what lies within it."""
        found: list[Match] = []
        if _DIGITS.search(text):
            clean = _UUID.sub(_blank, _DIGEST.sub(_blank, text))
            found += self._numbers(clean)
        if "@" in text:
            found += [Match(EMAIL, *m.span(), "") for m in _EMAIL.finditer(text) if not _is_package(m.group())]
        if "/" in text or ":\\" in text:
            found += [Match(PATH, *m.span(), "") for m in self._path.finditer(text)]
        found += [Match(PHONE, *m.span(), "") for m in _PHONE.finditer(text)]
        if self._words:
            words = _WORD.finditer(text)
            found += [Match(DENIED, *m.span(), "") for m in words if m.group().casefold() in self._words]
        if self._phrases:
            found += [Match(DENIED, *m.span(), "") for m in self._phrases.finditer(text)]
        return sorted(found, key=lambda match: (match.start, match.rule))

    @staticmethod
    def _numbers(text: str) -> Iterator[Match]:
        for m in _CPR.finditer(text):
            eleven = cpr.checksum(m.group(1) + m.group(3)) == 0
            # Two blocks of digits with a space between them are common; they need modulus 11 to count.
            if m.group(2) in (" ", "\u00a0") and not eleven:
                continue
            if not _day_exists(m.group(1)):
                continue
            yield Match(CPR, *m.span(), "modulus 11 holds" if eleven else "day and month are valid")
        for m in _ECPR.finditer(text):
            if _day_exists(m.group(1)):
                yield Match(ECPR, *m.span(), "day and month are valid")

    def mask(self, text: str) -> str:
        """The text with every identifier replaced by what it is."""
        out, end = [], 0
        for match in self.scan(text):
            if match.start < end:
                end = max(end, match.end)
                continue
            out += [text[end : match.start], f"[{_SHOWN[match.rule]}]"]
            end = match.end
        return "".join(out) + text[end:]


def shown(match: Match) -> str:
    """What may be shown of a match: its kind and confidence, never its characters."""
    return f"[{_SHOWN[match.rule]}]" + (f" ({match.note})" if match.note else "")


def strings(value: object, place: str = "") -> Iterator[tuple[str, str]]:
    """(place, text) of every string and key in JSON data; numbers are data, not text, and are left out.

    Iterative, so that deep data cannot exhaust the stack.
    """
    stack: list[tuple[str, object]] = [(place, value)]
    while stack:
        where, item = stack.pop()
        if isinstance(item, str):
            yield where, item
        elif isinstance(item, dict):
            for key, inner in item.items():
                yield f"{where}/(key)", str(key)
                stack.append((f"{where}/{key}", inner))
        elif isinstance(item, list):
            stack.extend((f"{where}/{index}", inner) for index, inner in enumerate(item))


def html_texts(document: str) -> Iterator[tuple[str, str | None]]:
    """(place, text) of all that an HTML report holds: text, attributes, comments, scripts, and MultiQC's packed data.

    Data of type JSON, plain or gzip and base64, is unfolded and given string by string. The text is None where
    packed data cannot be unfolded, so that nobody takes it for looked through. The document is not parsed as a tree:
    the standard library's parser takes quadratic time on a page made for it, and what a tag is does not matter here.
    """
    at, number = 0, 1
    while opened := _SCRIPT.search(document, at):
        inside = document.find(">", opened.end()) + 1
        if not inside:
            break
        yield from _markup(document[at:inside], number)
        number += document.count("\n", at, inside)
        closed = _SCRIPT_END.search(document, inside)
        at = closed.start() if closed else len(document)
        kind = _TYPE.search(document, opened.end(), inside)
        text, place = document[inside:at], f"script at line {number}"
        number += text.count("\n")
        data = _unfold(text, kind.group(1) if kind else "")
        if data is not None:
            yield from strings(data, "embedded data")
        elif text.strip().startswith(_PACKED):
            yield place, None
        else:
            yield place, _DATA_URL.sub("base64,", text)
    yield from _markup(document[at:], number)


def _markup(text: str, first: int) -> Iterator[tuple[str, str]]:
    """(place, text) of each line of markup, without the figures of drawings and the bytes of pictures."""
    text = _DATA_URL.sub(_line_ends, text)
    for place, line in lines(_DRAWING.sub(_line_ends, text), first):
        yield place, html.unescape(line)


def _line_ends(match: re.Match) -> str:
    return "\n" * match.group().count("\n") or " "


def lines(text: str, first: int = 1) -> Iterator[tuple[str, str]]:
    """(place, text) of each line that is not empty, one at a time; the first has the number `first`."""
    number, done = first, 0
    for match in _LINE.finditer(text):
        number += text.count("\n", done, match.start())
        done = match.start()
        yield f"line {number}", match.group()


def _unfold(text: str, kind: str) -> object | None:
    """JSON of a data block, None where it is something else."""
    packed = text.strip()
    try:
        if kind == "application/json" and len(packed) <= MAX_DATA:
            return json.loads(packed)
        if packed.startswith(_PACKED):
            inflater = zlib.decompressobj(wbits=47)
            raw = inflater.decompress(base64.b64decode(packed, validate=True), MAX_DATA)
            return json.loads(raw) if inflater.eof else None
    except (ValueError, RecursionError, binascii.Error, zlib.error, MemoryError):
        return None
    return None


def _blank(match: re.Match) -> str:
    return "x" * len(match.group())


def _day_exists(ddmmyy: str) -> bool:
    day, month = int(ddmmyy[:2]), int(ddmmyy[2:4])
    return day <= (31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)[month - 1]


def _is_package(text: str) -> bool:
    """`name@1.2.js` is a versioned file of a script library, not an address."""
    return text.rsplit("@", 1)[1][0].isdigit() and text.rsplit(".", 1)[1].lower() in ("js", "css", "min", "mjs", "map")


def scanner_for(profile, deny: Iterable[str] = ()) -> Scanner:
    """The scanner that a profile asks for."""
    return Scanner(profile.data.get("personal_identifiers", {}).get("path_roots", ()), deny)
