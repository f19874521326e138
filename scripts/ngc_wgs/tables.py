"""The three tables and the configuration: read as text, judged in full before anything is computed.

`load_tables` is for the launching process: it judges every row of every table and reports all that is wrong in one
`TableError`. `read_tables` is for everyone after it: the same result from the same reader, unjudged, without the
second that importing pandas costs. Both split lines at tabs themselves, since pandas pads a short row silently and
drops the excess of a long one; pandas then holds the cells for the rules over columns and rows. Cells are judged by
jsonschema rather than pandera, because its errors point back into the schema, where each column's `mend` stands.

What a family, a parent's sex and a superseding submission must be is the profile's word (`samples` of its study
types, `sex` of its relations, `supersedes` of its submission types), so that what the final check would refuse is
refused here. In ngc-provisional a duo is an index and one relative, a trio an index and both parents and nobody else,
a family an index and more relatives; a tumour is always of the index, who may have several (diagnosis and relapse), and
beside them one normal or none. Relations are to the index alone, so that a table cannot hold a loop.
"""

from __future__ import annotations

import difflib
import filecmp
import os
import re
import stat
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache, cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from ngc_wgs.errors import Problem, TableError, holds_personal_number, mask, show

if TYPE_CHECKING:
    import pandas as pd

Row = dict[str, str]

TABLES = ("cases", "samples", "units")
UNIT_KEY = ["sample", "library", "flowcell", "lane"]
# Relations that several people of one case may have; of any other there is one person.
SEVERAL = {"sibling", "other"}
ANY_RELATIVE = "any/germline"
_LARGEST_TABLE = 100_000_000  # bytes; a hundred thousand units take a fifth of it
_ENDS_BYTES = 4096
_LISTED_CODES = 12


class Vocabularies(Protocol):
    """What the tables ask of a profile."""

    def vocabulary(self, name: str, on_date: str | None = None) -> list[str]:
        """Codes of a vocabulary valid on an ISO day, or all codes."""

    def entry(self, name: str, code: str) -> dict | None:
        """The entry of a code with its `valid_from` and `valid_to`, whatever the day."""


@dataclass(frozen=True)
class Tables:
    """The tables as look-ups, made once; every cell is the text of the file.

    cases, samples: rows by pseudonym. units: rows by unit id, `{sample}.{library}.{flowcell}.L{lane}`.
    samples_of_case, units_of_sample, units_of_case: ids in the order of the tables.
    files: path of each table by its name. lines: line number of each row, by table and id.
    warnings: what is worth a look but refuses nothing (`load_tables` only).
    """

    cases: dict[str, Row]
    samples: dict[str, Row]
    units: dict[str, Row]
    samples_of_case: dict[str, tuple[str, ...]]
    units_of_sample: dict[str, tuple[str, ...]]
    units_of_case: dict[str, tuple[str, ...]]
    files: dict[str, str]
    lines: dict[str, dict[str, int]]
    warnings: tuple[Problem, ...] = ()


def unit_id(row: Mapping[str, str]) -> str:
    """Id of a unit, which is its @RG ID too."""
    return f"{row['sample']}.{row['library']}.{row['flowcell']}.L{row['lane']}"


def split_list(cell: str) -> list[str]:
    """Items of a cell that holds a list (`phenotypes`, `diagnosis`); none for an empty cell."""
    return cell.split(";") if cell else []


# ---- the two ways in ------------------------------------------------------------------------


def load_tables(
    cases_path: str | os.PathLike,
    samples_path: str | os.PathLike,
    units_path: str | os.PathLike,
    profile: Vocabularies,
    *,
    check_files: bool = True,
) -> Tables:
    """Read and judge the three tables.

    Vocabularies are those of `profile` on the case's `analysis_date`. With `check_files`, FASTQ files must exist, be
    readable, regular, not empty, and no two the same file or of the same content; paths are relative to the working
    directory. Raises TableError with every problem of every table, in the order of tables and lines.
    """
    problems: list[Problem] = []
    warnings: list[Problem] = []
    sheets: dict[str, _Sheet] = {}
    for name, path in zip(TABLES, (cases_path, samples_path, units_path), strict=True):
        try:
            sheet = _Sheet.read(name, path)
        except TableError as error:
            problems += error.problems
            continue
        sheets[name] = sheet
        problems += _judge_shape(sheet)
        problems += _judge_personal_numbers(sheet)
        problems += _judge_cells(sheet)
        warnings += _warn_of_unknown_forms(sheet)
    days = _analysis_dates(sheets)
    for sheet in sheets.values():
        problems += _judge_vocabularies(sheet, days[sheet.name], profile)
    problems += _judge_keys(sheets)
    problems += _judge_cases(sheets, profile)
    problems += _judge_families(sheets, profile)
    problems += _judge_libraries(sheets)
    problems += _judge_fastqs(sheets, check_files)
    if problems:
        raise TableError(_in_order(problems, sheets), warnings)
    return _make_tables(sheets, warnings)


def read_tables(
    cases_path: str | os.PathLike, samples_path: str | os.PathLike, units_path: str | os.PathLike
) -> Tables:
    """The tables that `load_tables` has accepted, read again without judging them: 8,000 units in a tenth of a second.

    Raises TableError if a file cannot be read or a row has too few or too many cells, KeyError if a column or a
    foreign key is missing: either way the tables were changed since they were judged.
    """
    sheets = {}
    for name, path in zip(TABLES, (cases_path, samples_path, units_path), strict=True):
        sheets[name] = sheet = _Sheet.read(name, path, with_schema=False)
        if sheet.ragged:
            raise TableError(_ragged_rows(sheet))
    return _make_tables(sheets)


def load_waivers(path: str | os.PathLike | None, tables: Tables, profile: Any) -> list[Row]:
    """Read and judge the table of waivers; no rows without a path.

    A waiver names a sample of the case, a metric of the profile that can warn for it, a reason and a role of the
    profile's vocabularies, and is valid on the case's analysis date. Raises TableError with every problem.
    """
    if path is None:
        return []
    sheet = _Sheet.read("waivers", path)
    problems = [*_judge_shape(sheet), *_judge_personal_numbers(sheet), *_judge_cells(sheet)]
    if problems:
        raise TableError(_in_order(problems, {"waivers": sheet}))
    rows = dict(sheet.rows())
    days = {
        line: tables.cases[row["case"]]["analysis_date"] for line, row in rows.items() if row["case"] in tables.cases
    }
    problems += _judge_vocabularies(sheet, days, profile)
    metrics = {metric["id"]: metric for metric in profile.data["metrics"].values()}
    firsts: dict[tuple[str, str], int] = {}
    for line, row in rows.items():
        case, sample, rule = row["case"], row["sample"], row["rule"]
        if case not in tables.cases:
            problems.append(sheet.problem(line, "case", case, "is not in the table of cases", "copy it from there"))
        elif sample not in tables.samples_of_case[case]:
            mend = "name a sample of the case, or the sample's own case"
            problems.append(sheet.problem(line, "sample", sample, "is not a sample of the case", mend))
        if rule not in metrics:
            mend = "copy the id of a metric from docs/profile.md"
            problems.append(sheet.problem(line, "rule", rule, "is not a metric of the profile", mend))
        else:
            kinds = ("all", tables.samples.get(sample, {}).get("sample_type", "all"))
            if not any(gate["status"] == "WARN" and gate["applies_to"] in kinds for gate in metrics[rule]["gates"]):
                message = "is a metric that never warns for this type of sample"
                mend = "take the row out: a FAIL cannot be waived"
                problems.append(sheet.problem(line, "rule", rule, message, mend))
        if row["valid_to"] < days.get(line, ""):
            message = f"is before the analysis date {days[line]}: the waiver has expired"
            mend = "have the warning looked at again, and write a waiver that counts, or take the row out"
            problems.append(sheet.problem(line, "valid_to", row["valid_to"], message, mend))
        if firsts.setdefault((sample, rule), line) != line:
            message = f"is already waived for this sample in row {firsts[sample, rule]}"
            problems.append(sheet.problem(line, "rule", rule, message, "keep one of the rows"))
    if problems:
        raise TableError(_in_order(problems, {"waivers": sheet}))
    return list(rows.values())


def read_waivers(path: str | os.PathLike | None) -> list[Row]:
    """The waivers that `load_waivers` has accepted, read again without judging them."""
    return [row for _, row in _Sheet.read("waivers", path, with_schema=False).rows()] if path else []


def by_sample(waivers: Iterable[Row]) -> dict[str, list[Row]]:
    """The waivers of each sample that has any, as a metric records them: rule, reason_code, role, valid_to."""
    found: dict[str, list[Row]] = defaultdict(list)
    for row in waivers:
        found[row["sample"]].append({name: row[name] for name in ("rule", "reason_code", "role", "valid_to")})
    return dict(found)


def load_config(config: Any, schema_path: str | os.PathLike) -> list[str]:
    """What is wrong with the run's configuration, one line each with key, value and mend; empty if nothing is.

    config: the merged configuration as Snakemake hands it over. An unknown key is named with the closest known one.
    """
    schema = _load_yaml(schema_path)
    errors = sorted(_validator(schema).iter_errors(config), key=lambda error: [str(part) for part in error.path])
    return [str(problem) for error in errors for problem in _config_problems(error)]


def _config_problems(error: Any) -> Iterator[Problem]:
    key = ".".join(str(part) for part in error.absolute_path)
    schema = error.schema
    # Of a mapping, only its keys are worth showing: its values have problems of their own.
    value = None if isinstance(error.instance, dict) else str(error.instance)
    if error.validator == "additionalProperties":
        known = list(schema["properties"])
        for unknown in sorted(str(name) for name in set(error.instance) - set(known)):
            place = f"{key}.{unknown}" if key else unknown
            closest = _closest(unknown, known)
            mend = f"write {closest}" if closest else f"remove it, known keys are {', '.join(known)}"
            yield Problem("config", None, place, None, "is not a known key", mend)
    elif error.validator == "required":
        # jsonschema reports each missing key by itself, and names it only in its message.
        missing = next(name for name in error.validator_value if error.message.startswith(repr(name)))
        place = f"{key}.{missing}" if key else missing
        yield Problem("config", None, place, None, "is missing", schema["properties"][missing]["mend"])
    else:
        yield Problem("config", None, key or None, value, f"is not {schema['description']}", schema["mend"])


# ---- reading --------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Sheet:
    """One table as it was read: the header and the cells of every line that is not blank, by line number."""

    name: str
    path: str
    header: list[str]
    cells: dict[int, list[str]]
    schema: dict[str, Any] = field(default_factory=dict, repr=False)

    @classmethod
    def read(cls, name: str, path: str | os.PathLike, with_schema: bool = True) -> _Sheet:
        """Raises TableError if there is no table to judge: no file, not text, no rows."""
        shown = os.fspath(path)
        lines = _read_text(shown).split("\n")
        cells = {number: line.split("\t") for number, line in enumerate(lines, start=1) if line.strip()}
        if not cells:
            raise _unusable(shown, "is empty", "write a header and at least one row")
        if 1 not in cells:
            raise _unusable(shown, "has a blank first line", "put the header on line 1", row=1)
        header = cells.pop(1)
        if not cells:
            raise _unusable(shown, "has a header and no rows", "write at least one row", row=1)
        return cls(name, shown, header, cells, _schema(name) if with_schema else {})

    @property
    def ragged(self) -> list[int]:
        """Lines with another number of cells than the header."""
        return [line for line, cells in self.cells.items() if len(cells) != len(self.header)]

    def rows(self) -> Iterator[tuple[int, Row]]:
        """Line number and row, for a table without ragged rows."""
        for line, cells in self.cells.items():
            yield line, dict(zip(self.header, cells, strict=True))

    @cached_property
    def frame(self) -> pd.DataFrame:
        """Cells of the known columns, indexed by line number, without ragged rows."""
        return self.frame_with_ragged.drop(index=self.ragged)

    @cached_property
    def frame_with_ragged(self) -> pd.DataFrame:
        """The same with ragged rows cut or padded, for where their keys must not count as missing.

        Of a column that is there twice, the first is taken.
        """
        import pandas as pd  # a second of start-up that only the judging process pays

        width = len(self.header)
        cells = [(row + [""] * width)[:width] for row in self.cells.values()]
        frame = pd.DataFrame(cells, index=list(self.cells), columns=range(width), dtype=str)
        known = {column: self.header.index(column) for column in self.schema["properties"] if column in self.header}
        frame = frame[list(known.values())]
        frame.columns = list(known)
        return frame

    def problem(self, line: int | None, column: str | None, value: str | None, message: str, mend: str) -> Problem:
        return Problem(self.path, line, column, value, message, mend)


def _unusable(path: str, message: str, mend: str, row: int | None = None) -> TableError:
    return TableError([Problem(path, row, None, None, message, mend)])


def _read_text(path: str) -> str:
    """Text of a table, byte order mark taken off and lines ended by \\n. Raises TableError."""
    try:
        status = os.stat(path)
        if not stat.S_ISREG(status.st_mode):
            raise _unusable(path, "is not a regular file", "name a tab-separated text file")
        if status.st_size > _LARGEST_TABLE:
            raise _unusable(path, "is too large for a table", "name the table, not a file of reads")
        raw = Path(path).read_bytes()
    except FileNotFoundError:
        raise _unusable(path, "does not exist", "write the table, or correct its path in the configuration") from None
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise _unusable(path, f"cannot be read ({reason})", "make the file readable, or correct its path") from None
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        row = raw.count(b"\n", 0, error.start) + 1
        mend = "save the table as tab-separated text in UTF-8, not as a spreadsheet or in UTF-16"
        raise _unusable(path, f"is not UTF-8 text (byte {error.start + 1})", mend, row) from None
    return text.replace("\r\n", "\n")


@cache
def _schema(name: str) -> dict[str, Any]:
    from ngc_profile import data_file

    return _load_yaml(data_file("schemas", f"{name}.schema.yaml"))


def _load_yaml(path: str | os.PathLike) -> dict[str, Any]:
    import yaml

    return yaml.safe_load(Path(path).read_text(encoding="utf-8"))


def _validator(schema: Mapping[str, Any]) -> Any:
    from jsonschema import Draft202012Validator

    return Draft202012Validator(schema, format_checker=Draft202012Validator.FORMAT_CHECKER)


def _make_tables(sheets: Mapping[str, _Sheet], warnings: Iterable[Problem] = ()) -> Tables:
    keys = {"cases": lambda row: row["case"], "samples": lambda row: row["sample"], "units": unit_id}
    rows: dict[str, dict[str, Row]] = {name: {} for name in TABLES}
    lines: dict[str, dict[str, int]] = {name: {} for name in TABLES}
    for name, key in keys.items():
        for line, row in sheets[name].rows():
            rows[name][key(row)] = row
            lines[name][key(row)] = line
    samples_of_case: dict[str, list[str]] = {case: [] for case in rows["cases"]}
    units_of_sample: dict[str, list[str]] = {sample: [] for sample in rows["samples"]}
    units_of_case: dict[str, list[str]] = {case: [] for case in rows["cases"]}
    for sample, row in rows["samples"].items():
        samples_of_case[row["case"]].append(sample)
    for unit, row in rows["units"].items():
        units_of_sample[row["sample"]].append(unit)
        units_of_case[rows["samples"][row["sample"]]["case"]].append(unit)
    return Tables(
        **rows,
        samples_of_case={case: tuple(ids) for case, ids in samples_of_case.items()},
        units_of_sample={sample: tuple(ids) for sample, ids in units_of_sample.items()},
        units_of_case={case: tuple(ids) for case, ids in units_of_case.items()},
        files={name: sheet.path for name, sheet in sheets.items()},
        lines=lines,
        warnings=tuple(warnings),
    )


def _in_order(problems: Iterable[Problem], sheets: Mapping[str, _Sheet]) -> list[Problem]:
    """Problems by table, line and column, as a reader goes through the files."""
    paths = {mask(sheet.path): number for number, sheet in enumerate(sheets.values())}
    headers = {mask(sheet.path): sheet.header for sheet in sheets.values()}

    def place(problem: Problem) -> tuple[int, int, int]:
        header = headers.get(problem.file, [])
        column = header.index(problem.column) if problem.column in header else len(header)
        # A table that could not be read at all comes first: it explains the others.
        return paths.get(problem.file, -1), problem.row or 0, column

    return sorted(problems, key=place)


# ---- one table ------------------------------------------------------------------------------


def _judge_shape(sheet: _Sheet) -> Iterator[Problem]:
    """Columns and number of cells."""
    known = list(sheet.schema["properties"])
    if len(sheet.header) == 1 and sheet.header[0] not in known:
        mend = f"write the header as {', '.join(known)} with one tab between them, and the rows likewise"
        yield sheet.problem(1, None, sheet.header[0], "is not separated by tabs", mend)
        return
    for column, times in Counter(sheet.header).items():
        if not column.strip():
            mend = "name it, or remove the tabs at the ends of the lines"
            yield sheet.problem(1, column, None, "there is a column without a name", mend)
        elif column not in known:
            closest = _closest(column, [name for name in known if name not in sheet.header])
            mend = f"rename it to {closest}" if closest else f"remove it, the columns are {', '.join(known)}"
            yield sheet.problem(1, column, None, "is not a known column", mend)
        elif times > 1:
            yield sheet.problem(1, column, None, f"the column is there {times} times", "keep one of them")
    for column in sheet.schema["required"]:
        if column not in sheet.header:
            mend = f"add the column: {sheet.schema['properties'][column]['description']}"
            yield sheet.problem(1, column, None, "the column is missing", mend)
    yield from _ragged_rows(sheet)


def _ragged_rows(sheet: _Sheet) -> Iterator[Problem]:
    width = len(sheet.header)
    mend = "put exactly one tab between two columns, and no tab or line break inside a cell"
    for line in sheet.ragged:
        cells = sheet.cells[line]
        first_without = sheet.header[len(cells)] if len(cells) < width else None
        message = f"the row has {len(cells)} cells, the header {width}"
        yield sheet.problem(line, first_without, cells[0], message, mend)


def _judge_personal_numbers(sheet: _Sheet) -> Iterator[Problem]:
    """CPR-like numbers in any cell, header and ragged rows included; a requisition id of the known form is none."""
    exempt = {
        sheet.header.index(column): re.compile(properties["known_form"])
        for column, properties in sheet.schema["properties"].items()
        if "known_form" in properties and column in sheet.header
    }
    mend = "replace it by a pseudonym that says nothing about the person"
    for line, cells in [(1, sheet.header), *sheet.cells.items()]:
        if not holds_personal_number("\t".join(cells)):
            continue
        for number, cell in enumerate(cells):
            if number in exempt and exempt[number].fullmatch(cell):
                continue
            if holds_personal_number(cell):
                column = sheet.header[number] if number < len(sheet.header) else None
                yield sheet.problem(line, column, cell, "holds what looks like a CPR number (masked here)", mend)


def _judge_cells(sheet: _Sheet) -> Iterator[Problem]:
    """Every cell against its column's schema; each different value is judged once."""
    frame = sheet.frame
    for column in frame.columns:
        properties = sheet.schema["properties"][column]
        validator = _validator(properties)
        faults = {value: _cell_fault(value, properties, validator) for value in frame[column].unique()}
        faults = {value: fault for value, fault in faults.items() if fault}
        for line, value in frame.loc[frame[column].isin(faults.keys()), column].items():
            yield sheet.problem(line, column, value, faults[value], properties["mend"])


def _cell_fault(value: str, properties: Mapping[str, Any], validator: Any) -> str | None:
    """What is wrong with a cell by its column's schema, None if nothing is."""
    is_list = properties["type"] == "array"
    error = next(validator.iter_errors(split_list(value) if is_list else value), None)
    if error is None:
        return None
    if not value:
        return f"is blank where there must be {properties['description']}"
    message = f"is not {properties['description']}"
    if value != value.strip():
        message += " (mind the space around it)"
    if is_list and error.validator != "uniqueItems":
        message += f" (see {show(error.instance)})"
    return message


def _warn_of_unknown_forms(sheet: _Sheet) -> Iterator[Problem]:
    frame = sheet.frame
    for column in frame.columns:
        properties = sheet.schema["properties"][column]
        if "known_form" not in properties:
            continue
        unknown = ~frame[column].str.fullmatch(properties["known_form"]) & frame[column].ne("")
        for line, value in frame.loc[unknown, column].items():
            yield sheet.problem(line, column, value, "has an unknown form, it is used as it is", properties["mend"])


def _analysis_dates(sheets: Mapping[str, _Sheet]) -> dict[str, dict[int, str]]:
    """ISO analysis date of each row's case, by table and line number; rows without a valid one are left out."""
    days: dict[str, dict[int, str]] = {name: {} for name in TABLES}
    day_of_case: dict[str, str] = {}
    case_of_sample: dict[str, str] = {}
    cases = _columns(sheets, "cases", "case", "analysis_date")
    if cases is not None:
        properties = sheets["cases"].schema["properties"]["analysis_date"]
        validator = _validator(properties)
        for line, case, day in cases.itertuples():
            if not _cell_fault(day, properties, validator):
                days["cases"][line] = day
                day_of_case.setdefault(case, day)
    samples = _columns(sheets, "samples", "sample", "case")
    if samples is not None:
        for line, sample, case in samples.itertuples():
            case_of_sample.setdefault(sample, case)
            if case in day_of_case:
                days["samples"][line] = day_of_case[case]
    units = _columns(sheets, "units", "sample")
    if units is not None:
        for line, sample in units.itertuples():
            case = case_of_sample.get(sample)
            if case in day_of_case:
                days["units"][line] = day_of_case[case]
    return days


def _judge_vocabularies(sheet: _Sheet, days: Mapping[int, str], profile: Vocabularies) -> Iterator[Problem]:
    """Codes against the profile's vocabularies on the case's analysis date, or on any day where there is no date."""
    frame = sheet.frame
    for column in frame.columns:
        properties = sheet.schema["properties"][column]
        name = properties.get("vocabulary")
        if name is None:
            continue
        judged: dict[tuple[str, str | None], tuple[str, str] | None] = {}
        for line, code in frame.loc[frame[column].ne(""), column].items():
            key = (code, days.get(line))
            if key not in judged:
                judged[key] = _code_fault(*key, name, properties, profile)
            if judged[key]:
                yield sheet.problem(line, column, code, *judged[key])


def _code_fault(
    code: str, day: str | None, name: str, properties: Mapping[str, Any], profile: Vocabularies
) -> tuple[str, str] | None:
    """Message and mend for a code that is not valid on a day, None for one that is."""
    valid = profile.vocabulary(name, day)
    if code in valid:
        return None
    listed = f" (valid: {', '.join(valid)})" if len(valid) <= _LISTED_CODES else ""
    entry = profile.entry(name, code)
    if entry is not None:
        since, until = entry.get("valid_from"), entry.get("valid_to")
        span = " ".join([*([f"from {since}"] if since else []), *([f"until {until}"] if until else [])])
        return f"is valid {span}, not on the analysis date {day}", f"write a code that is valid that day{listed}"
    # A reader may have written the label instead of the code.
    names = {code: code for code in valid}
    for valid_code in valid:
        labels = (profile.entry(name, valid_code) or {}).items()
        names |= {str(text): valid_code for key, text in labels if key.startswith("label_") and text}
    closest = _closest(code, names)
    meant = f"did you mean {names[closest]}? Else " if closest else ""
    return f"is not {properties['description']}", f"{meant}{properties['mend']}{listed}"


def _closest(text: str, candidates: Iterable[str]) -> str | None:
    """The candidate most like `text`, capitals aside, or None if none is alike."""
    by_form = {candidate.casefold(): candidate for candidate in candidates}
    found = difflib.get_close_matches(text.strip().casefold()[:64], by_form, n=1)
    return by_form[found[0]] if found else None


# ---- rows and tables together ---------------------------------------------------------------


def _columns(sheets: Mapping[str, _Sheet], name: str, *columns: str, with_ragged: bool = False) -> pd.DataFrame | None:
    """These columns of a table, or None where the table or a column is missing (which is reported by itself)."""
    if name not in sheets:
        return None
    frame = sheets[name].frame_with_ragged if with_ragged else sheets[name].frame
    return frame[list(columns)] if set(columns) <= set(frame.columns) else None


def _judge_keys(sheets: Mapping[str, _Sheet]) -> Iterator[Problem]:
    """Unique rows, and foreign keys in both directions."""
    for name, key, mend in (
        ("cases", ["case"], "keep one row per case"),
        ("samples", ["sample"], "give every sample its own pseudonym, and one row"),
        ("units", UNIT_KEY, "keep one row per sample, library, flowcell and lane"),
    ):
        frame = _columns(sheets, name, *key)
        if frame is None:
            continue
        frame = frame[frame.ne("").all(axis="columns")]
        first = frame.index.to_series().groupby([frame[column] for column in key]).transform("first")
        for line in first.index[first != first.index]:
            value = " ".join(frame.loc[line])
            message, how = f"is already used in row {first[line]}", mend
            if name == "samples" and "case" in sheets[name].frame:
                earlier, case = sheets[name].frame.loc[[first[line], line], "case"]
                if earlier != case:
                    message += f", in case {show(earlier)}: a run has each sample in one case"
                    how = (
                        "run that case first; then take its rows out of the tables and start again with this one:"
                        " nothing of the sample is made anew, and the first submission stays. Two children of one"
                        " mother may also be one family"
                    )
            yield sheets[name].problem(line, ", ".join(key), value, message, how)
    for parent, child, key in (("cases", "samples", "case"), ("samples", "units", "sample")):
        parents, children = (_columns(sheets, name, key, with_ragged=True) for name in (parent, child))
        if parents is None or children is None:
            continue
        whole_parents, whole_children = (_columns(sheets, name, key)[key] for name in (parent, child))
        mend = f"add the {key} to {sheets[parent].path}, or correct the name"
        orphans = whole_children[~whole_children.isin(parents[key]) & whole_children.ne("")]
        for line, value in orphans.items():
            message = f"is not in {sheets[parent].path}"
            yield sheets[child].problem(line, key, value, message, mend)
        mend = f"add its {child} to {sheets[child].path}, or remove the {key}"
        childless = whole_parents[~whole_parents.isin(children[key]) & whole_parents.ne("")]
        for line, value in childless.items():
            message = f"has no {child} in {sheets[child].path}"
            yield sheets[parent].problem(line, key, value, message, mend)


def _judge_cases(sheets: Mapping[str, _Sheet], profile: Vocabularies) -> Iterator[Problem]:
    """What a submission supersedes, and consent to research."""
    cases = _columns(sheets, "cases", "case", "submission_type", "supersedes")
    for line, case, submission_type, supersedes in () if cases is None else cases.itertuples():
        follows = (profile.entry("submission_types", submission_type) or {}).get("supersedes")
        if follows is False and supersedes:
            message = f"must be empty, as submission type {submission_type} supersedes nothing"
            mend = "empty the cell, or write the submission type that follows an earlier one"
        elif follows and not supersedes:
            message = f"is blank where submission type {submission_type} must name the submission it follows"
            mend = "write the earlier submission's id"
        elif follows and supersedes == case:
            message = "a submission cannot supersede itself"
            mend = "write the earlier submission's id, and give this one an id of its own"
        else:
            continue
        yield sheets["cases"].problem(line, "supersedes", supersedes, message, mend)
    cases = _columns(sheets, "cases", "legal_basis", "consent")
    for line, legal_basis, consent in () if cases is None else cases.itertuples():
        if legal_basis == "research" and consent and consent != "yes":
            mend = "leave the case out, or correct consent or legal basis"
            yield sheets["cases"].problem(line, "consent", consent, "research needs the participant's consent", mend)


def _judge_families(sheets: Mapping[str, _Sheet], profile: Vocabularies) -> Iterator[Problem]:
    """Sexes and relations of a case's samples, and whether they are what the study type says."""
    samples = _columns(sheets, "samples", "case", "relation", "sample_type", "sex", with_ragged=True)
    if samples is None:
        return
    sheet = sheets["samples"]
    ragged = set(sheet.ragged)
    sexes = {code: (profile.entry("relations", code) or {}).get("sex") for code in profile.vocabulary("relations")}
    types = set(profile.vocabulary("sample_types"))
    for line, _case, relation, _type, sex in samples.drop(index=sheet.ragged).itertuples():
        needed = sexes.get(relation)
        if needed and sex and sex != needed:
            mend = f"write {needed}, or correct the relation"
            yield sheet.problem(line, "sex", sex, f"the {relation} must be {needed}", mend)
    cases = _columns(sheets, "cases", "case", "study_type")
    studies = {} if cases is None else {case: (line, study) for line, case, study in cases.itertuples()}
    for case, family in samples[samples["case"].ne("")].groupby("case", sort=False):
        members = list(family.itertuples())
        # The family of a row that cannot be understood is unknown; that row is reported by itself.
        if ragged.intersection(family.index) or not all(
            member.relation in sexes and member.sample_type in types for member in members
        ):
            continue
        misplaced = [*_judge_repeated_relations(sheet, members), *_judge_tumours(sheet, members)]
        yield from misplaced
        yield from _judge_sexes(sheet, members)
        if case in studies and not misplaced:
            yield from _judge_study(sheets["cases"], case, *studies[case], members, profile)


def _judge_repeated_relations(sheet: _Sheet, members: list[Any]) -> Iterator[Problem]:
    """One index, mother and father per case, each with one germline sample; of tumours there may be several."""
    seen: dict[str, int] = {}
    for member in members:
        if member.sample_type != "germline":
            continue
        if member.relation in seen and member.relation not in SEVERAL:
            message = f"the case has a germline sample of its {member.relation} in row {seen[member.relation]} already"
            mend = "a case has exactly one index and one of each parent: correct the relation, or make it two cases"
            if any(other.sample_type == "tumour" for other in members):
                mend = "tumours of one person share one normal: leave one of the two out, or correct the sample type"
            yield sheet.problem(member.Index, "relation", member.relation, message, mend)
        seen.setdefault(member.relation, member.Index)


def _judge_tumours(sheet: _Sheet, members: list[Any]) -> Iterator[Problem]:
    """A tumour is of the person that the case is about."""
    for member in members:
        if member.sample_type == "tumour" and member.relation != "index":
            mend = "write index, or give this person's tumour a case of its own"
            yield sheet.problem(member.Index, "relation", member.relation, "a tumour must be the index's", mend)


def _judge_sexes(sheet: _Sheet, members: list[Any]) -> Iterator[Problem]:
    """One sex per person, who is known by case and relation; siblings may be many, so they are not compared."""
    firsts: dict[str, Any] = {}
    for member in members:
        first = firsts.setdefault(member.relation, member)
        if member.relation not in SEVERAL and member.sex and first.sex and member.sex != first.sex:
            message = f"the {member.relation} of this case is {show(first.sex)} in row {first.Index}"
            yield sheet.problem(member.Index, "sex", member.sex, message, "one person has one sex: correct one of them")


def _judge_study(
    sheet: _Sheet, case: str, line: int, study: str, members: list[Any], profile: Vocabularies
) -> Iterator[Problem]:
    """Numbers of samples by `relation/sample_type`, at least and at most, as the profile gives them for the study."""
    if not any(member.relation == "index" for member in members):
        mend = "write index as the relation of the sample the case is about"
        yield sheet.problem(line, "case", case, "has no index sample", mend)
        return
    wanted = (profile.entry("study_types", study) or {}).get("samples")
    if wanted is None:
        return
    found: Counter[str] = Counter()
    for member in members:
        role = f"{member.relation}/{member.sample_type}"
        is_any = role not in wanted and member.relation != "index" and member.sample_type == "germline"
        found[ANY_RELATIVE if is_any and ANY_RELATIVE in wanted else role] += 1
    if found.keys() <= wanted.keys() and all(low <= found[role] <= high for role, (low, high) in wanted.items()):
        return
    needed = ", ".join(
        f"{low if low == high else f'{low} to {high}'} {role.replace('any/', 'relative/')}"
        for role, (low, high) in wanted.items()
    )
    there = ", ".join(f"{member.relation}/{member.sample_type}" for member in members)
    message = f"a {study} has {needed}; this case has {there}"
    mend = "correct the study type, or the case's samples"
    if study == "tumour-normal" and not found["index/germline"]:
        mend = "add the normal (index, germline), or write tumour-only"
    yield sheet.problem(line, "study_type", study, message, mend)


def _judge_libraries(sheets: Mapping[str, _Sheet]) -> Iterator[Problem]:
    """A library of a sample was made once, so all its units have one kit and one answer to PCR."""
    units = _columns(sheets, "units", "sample", "library", "library_kit", "pcr_free")
    if units is None:
        return
    key = [units["sample"], units["library"]]
    lines = units.index.to_series().groupby(key).transform("first")
    for column in ("library_kit", "pcr_free"):
        first = units[column].groupby(key).transform("first")
        differs = first.ne(units[column]) & first.ne("") & units[column].ne("")
        for line in units.index[differs]:
            message = f"the same library has {show(first[line])} in row {lines[line]}"
            mend = "one library of a sample was made in one way: correct the cell, or name another library"
            yield sheets["units"].problem(line, column, units.loc[line, column], message, mend)


# ---- FASTQ files ----------------------------------------------------------------------------


@dataclass(frozen=True)
class _Fastq:
    """One mention of a file; `size` in bytes, None where the file was not looked at or cannot be used."""

    line: int
    column: str
    path: str
    identity: Any
    size: int | None


def _judge_fastqs(sheets: Mapping[str, _Sheet], check_files: bool) -> Iterator[Problem]:
    """Each FASTQ usable and used once: by path, by the file that a path leads to, and by content."""
    if "units" not in sheets:
        return
    sheet = sheets["units"]
    frame = sheet.frame
    mentions: list[_Fastq] = []
    for column in [name for name in frame.columns if sheet.schema["properties"][name].get("fastq")]:
        properties = sheet.schema["properties"][column]
        validator = _validator(properties)
        for line, path in frame[column].items():
            if _cell_fault(path, properties, validator):
                continue
            identity, size, fault = os.path.normpath(path), None, None
            if check_files:
                identity, size, fault = _look_at(path)
            if fault:
                yield sheet.problem(line, column, path, *fault)
            mentions.append(_Fastq(line, column, path, identity, size))
    mentions.sort(key=lambda mention: (mention.line, mention.column))
    firsts: dict[Any, _Fastq] = {}
    for mention in mentions:
        first = firsts.setdefault(mention.identity, mention)
        if first is not mention:
            yield _used_twice(sheet, first, mention, "the same file")
    for first, second in _same_content([mention for mention in firsts.values() if mention.size]):
        yield _used_twice(sheet, first, second, "the same content")


def _used_twice(sheet: _Sheet, first: _Fastq, second: _Fastq, what: str) -> Problem:
    if first.line == second.line:
        message = f"R1 and R2 are {what}"
        mend = "write the file of the first reads in fq1 and that of the second reads in fq2"
    else:
        message = f"is {what} as column {first.column} of row {first.line}"
        mend = "use each FASTQ once: correct the path, or remove the row that repeats the reads"
    return sheet.problem(second.line, second.column, second.path, message, mend)


def _look_at(path: str) -> tuple[Any, int | None, tuple[str, str] | None]:
    """Identity, size in bytes and fault (message, mend) of a FASTQ.

    The identity is device and inode, so that links and other spellings of one file are one; the path where there is
    no file.
    """
    unknown = os.path.normpath(path)
    try:
        status = os.stat(path)
        identity = (status.st_dev, status.st_ino)
        if not stat.S_ISREG(status.st_mode):
            return identity, None, ("is not a regular file", "name a FASTQ file, not a folder or a device")
        if status.st_size == 0:
            return identity, None, ("is an empty file", "deliver the file again, or remove the unit")
        with open(path, "rb") as file:
            file.read(1)
    except (FileNotFoundError, NotADirectoryError):
        dangling = " (a link that leads nowhere)" if os.path.islink(path) else ""
        mend = f"correct the path, it is relative to the working directory {show(os.getcwd())}"
        return unknown, None, (f"does not exist{dangling}", mend)
    except OSError as error:
        mend = "give the account that runs this the right to read it"
        return unknown, None, (f"cannot be read ({error.strerror})", mend)
    return identity, status.st_size, None


def _same_content(fastqs: Iterable[_Fastq]) -> Iterator[tuple[_Fastq, _Fastq]]:
    """Pairs (first, later) of files with the same bytes.

    Only files of one size are opened at all, and only those with the same ends are compared byte by byte: a gzip file
    ends with the checksum of what it holds.
    """
    alike: dict[Any, list[_Fastq]] = defaultdict(list)
    for fastq in fastqs:
        alike[fastq.size].append(fastq)
    for same_size in alike.values():
        if len(same_size) == 1:
            continue
        same_ends: dict[bytes, list[_Fastq]] = defaultdict(list)
        for fastq in same_size:
            with open(fastq.path, "rb") as file:
                ends = file.read(_ENDS_BYTES)
                file.seek(max(0, fastq.size - _ENDS_BYTES))
                same_ends[ends + file.read(_ENDS_BYTES)].append(fastq)
        for candidates in same_ends.values():
            different: list[_Fastq] = []
            for fastq in candidates:
                first = next((one for one in different if filecmp.cmp(one.path, fastq.path, shallow=False)), None)
                if first is None:
                    different.append(fastq)
                else:
                    yield first, fastq
