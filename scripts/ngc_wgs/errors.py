"""What an operator is told about the input: one `Problem` per place, all of them in one `InputError`.

Every text that came from outside is masked here, when a `Problem` is made, so that no later print, log or
traceback can echo a personal number.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass

# CPR numbers DDMMYY-SSSS and the replacement numbers X-eCPR DDMMYY[17][A-Z]{2}N and D-eCPR DDMMYY[056][A-Z]{2}N
# (Danish health data network). Spreadsheets and word processors turn the hyphen into a dash or a space. Modulus 11
# is no test of validity since October 2007, so it is not asked for. Replacement numbers are bounded by letters too:
# in a random pseudonym their form would otherwise turn up by chance.
_SEPARATOR = "[-\u2010-\u2015 ]?"
_PERSONAL_NUMBER = re.compile(
    rf"(?<!\d)(?P<day>\d\d)(?P<month>\d\d)\d\d{_SEPARATOR}\d{{4}}(?!\d)"
    rf"|(?<![A-Za-z0-9])(?P<eday>\d\d)(?P<emonth>\d\d)\d\d{_SEPARATOR}[01567][A-Za-z]{{2}}\d(?![A-Za-z0-9])"
)
_DAYS_IN_MONTH = (31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)
_SHOWN_CHARACTERS = 80


def _has_valid_day(match: re.Match[str]) -> bool:
    day, month = int(match["day"] or match["eday"]), int(match["month"] or match["emonth"])
    return 1 <= month <= 12 and 1 <= day <= _DAYS_IN_MONTH[month - 1]


def holds_personal_number(text: str) -> bool:
    """True if `text` holds a token with the form of a CPR or replacement number and a day that exists."""
    return any(_has_valid_day(match) for match in _PERSONAL_NUMBER.finditer(text))


def mask(text: str) -> str:
    """`text` with every CPR-like number replaced by ten asterisks; nothing of the number is kept."""
    return _PERSONAL_NUMBER.sub(lambda match: "*" * 10 if _has_valid_day(match) else match[0], text)


def show(value: str) -> str:
    """`value` as it may be printed: masked, quoted, control characters escaped, cut to 80 characters."""
    masked = mask(value)
    if len(masked) > _SHOWN_CHARACTERS:
        masked = masked[: _SHOWN_CHARACTERS - 3] + "..."
    return repr(masked)


@dataclass(frozen=True)
class Problem:
    """One thing wrong at one place of the input.

    `row` is the line number in the file (the header is line 1) and `column` the column, or the dotted key of a
    config; either is None where the problem has no such place. All texts are masked on creation.
    """

    file: str
    row: int | None
    column: str | None
    value: str | None
    message: str
    mend: str

    def __post_init__(self) -> None:
        for name in ("file", "column", "value", "message", "mend"):
            text = getattr(self, name)
            if text is not None:
                object.__setattr__(self, name, mask(text))

    def __str__(self) -> str:
        """One line: `file: row R, column C, value V: message. Mend: mend.`"""
        place = []
        if self.row is not None:
            place.append(f"row {self.row}")
        if self.column is not None:
            place.append(f"column {_one_line(self.column)}" if self.row is not None else _one_line(self.column))
        if self.value is not None:
            place.append(f"value {show(self.value)}")
        parts = [_one_line(self.file), *([", ".join(place)] if place else []), _one_line(self.message)]
        return f"{': '.join(parts)}. Mend: {_one_line(self.mend)}."


def _one_line(text: str) -> str:
    """`text` as it is when it prints on one line, else escaped."""
    return text if text.isprintable() else repr(text)


class InputError(Exception):
    """Input that the operator must mend before anything is computed.

    Raised with every problem that was found, never only the first; the message has one line for each.
    """

    def __init__(self, problems: Iterable[Problem], warnings: Iterable[Problem] = ()) -> None:
        self.problems = tuple(problems)
        self.warnings = tuple(warnings)
        super().__init__("\n".join(str(problem) for problem in self.problems))


class TableError(InputError):
    """The tables of cases, samples and units cannot be used as they are."""


class SealError(Exception):
    """A submission or key that cannot be signed, encrypted or listed as it is; the message says what to do."""
