"""Tables and configuration: what is accepted, and for each bad input the file, row, column, value and mend named."""

import gzip
import os
import subprocess
import sys
import tempfile
import time
from contextlib import contextmanager
from pathlib import Path

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import ngc_profile
from ngc_wgs.errors import InputError, Problem, holds_personal_number, mask
from ngc_wgs.tables import (
    TableError,
    load_config,
    load_tables,
    load_waivers,
    read_tables,
    read_waivers,
    split_list,
)

HOUSE = Path(__file__).resolve().parents[2]
CONFIG_SCHEMA = HOUSE / "config" / "schemas" / "config.schema.yaml"
PROFILE = ngc_profile.load()

CASE, OTHER_CASE = "CASE0001AA", "CASE0002BB"
INDEX, MOTHER, FATHER, OTHER = "SAMPLEIX01", "SAMPLEMO02", "SAMPLEFA03", "SAMPLEOT04"

CASE_ROW = {
    "case": CASE,
    "submission_type": "initial",
    "supersedes": "",
    "legal_basis": "treatment",
    "analysis_date": "2026-11-22",
    "consent": "not_required",
    "patient_group": "kidney-failure",
    "requisition_id": "NGCWGS000001",
    "site": "wgs_west",
    "region": "1082",
    "requester_sor": "123456789012345",
    "study_type": "single",
    "phenotypes": "",
    "diagnosis": "",
}
SAMPLE_ROW = {
    "sample": INDEX,
    "case": CASE,
    "relation": "index",
    "sample_type": "germline",
    "sex": "female",
    "affected": "yes",
    "material": "blood",
    "conservation": "edta",
}
UNIT_ROW = {
    "sample": INDEX,
    "library": "LIB1",
    "flowcell": "HGFTYDSX7",
    "lane": "1",
    "fq1": "",
    "fq2": "",
    "platform": "ILLUMINA",
    "model": "NovaSeq 6000",
    "library_kit": "Illumina DNA PCR-Free",
    "pcr_free": "yes",
}


class House:
    """Tables in a folder of their own, valid until a test spoils them."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.rows = {"cases": [dict(CASE_ROW)], "samples": [dict(SAMPLE_ROW)], "units": []}
        self.text: dict[str, bytes] = {}
        self.add_unit()

    def path(self, table: str) -> str:
        return str(self.folder / f"{table}.tsv")

    @property
    def paths(self) -> tuple[str, str, str]:
        return self.path("cases"), self.path("samples"), self.path("units")

    def fastq(self, name: str, content: str | None = None) -> str:
        path = self.folder / name
        path.write_bytes(gzip.compress((content or f"@{name}\nACGT\n+\nFFFF\n").encode(), mtime=0))
        return str(path)

    def add_unit(self, **cells: str) -> None:
        number = len(self.rows["units"]) + 1
        fastqs = {f"fq{read}": self.fastq(f"u{number}_R{read}.fastq.gz") for read in (1, 2)}
        self.rows["units"].append({**UNIT_ROW, "lane": str(number), **fastqs, **cells})

    def add_sample(self, sample: str, **cells: str) -> None:
        self.rows["samples"].append({**SAMPLE_ROW, "sample": sample, **cells})
        self.add_unit(sample=sample)

    def set(self, table: str, column: str, value: str, row: int = 2) -> None:
        self.rows[table][row - 2][column] = value

    def write(self) -> None:
        for table, rows in self.rows.items():
            header = list(rows[0]) if rows else []
            lines = ["\t".join(header), *("\t".join(row.values()) for row in rows)]
            content = self.text.get(table, ("\n".join(lines) + "\n").encode())
            Path(self.path(table)).write_bytes(content)

    def load(self, **options):
        self.write()
        return load_tables(*self.paths, PROFILE, **options)

    def problems(self, **options) -> tuple[Problem, ...]:
        with pytest.raises(TableError) as caught:
            self.load(**options)
        assert str(caught.value).count("\n") == len(caught.value.problems) - 1
        return caught.value.problems

    def only_problem(self, table: str, row: int | None, column: str | None, value: str | None, *words: str) -> Problem:
        """The one problem found; the line it prints names the file, row, column, value and mend."""
        (problem,) = self.problems()
        assert_names(problem, self.path(table), row, column, value, *words)
        return problem


def assert_names(problem: Problem, file: str, row: int | None, column: str | None, value: str | None, *words: str):
    line = str(problem)
    assert line.startswith(file)
    assert (problem.row, problem.column, problem.value) == (row, column, value), line
    assert row is None or f"row {row}" in line
    assert column is None or f"column {column}" in line
    assert value is None or f"value {value!r}"[:80] in line  # a long value is cut off
    assert ". Mend: " in line and len(problem.mend) > 10
    for word in words:
        assert word in line
    assert "\n" not in line


@pytest.fixture
def house(tmp_path) -> House:
    return House(tmp_path)


def make_trio(house: House) -> None:
    house.set("cases", "study_type", "trio")
    house.add_sample(MOTHER, relation="mother")
    house.add_sample(FATHER, relation="father", sex="male")


# ---- what is accepted -----------------------------------------------------------------------


def test_valid_tables_become_look_ups(house):
    make_trio(house)
    house.add_unit()
    tables = house.load()
    units = (f"{INDEX}.LIB1.HGFTYDSX7.L1", f"{INDEX}.LIB1.HGFTYDSX7.L4")
    assert tables.cases[CASE]["region"] == "1082"
    assert tables.samples[MOTHER]["relation"] == "mother"
    assert tables.samples_of_case == {CASE: (INDEX, MOTHER, FATHER)}
    assert tables.units_of_sample[INDEX] == units
    assert len(tables.units_of_case[CASE]) == 4
    assert tables.units[units[1]]["lane"] == "4"
    assert tables.lines["units"][units[1]] == 5
    assert tables.warnings == ()


def test_the_example_tables_are_valid():
    paths = [HOUSE / "config" / f"{name}.tsv" for name in ("cases", "samples", "units")]
    tables = load_tables(*paths, PROFILE, check_files=False)
    assert not tables.warnings


def test_fast_reading_gives_the_same_as_judging(house):
    make_trio(house)
    house.rows["cases"][0]["phenotypes"] = "HP:0001250;HP:0001263"
    judged = house.load()
    assert read_tables(*house.paths) == judged


def test_byte_order_mark_windows_lines_and_blank_lines_are_read_through(house):
    house.write()
    plain = Path(house.path("samples")).read_bytes()
    house.text["samples"] = b"\xef\xbb\xbf" + plain.replace(b"\n", b"\r\n") + b"\t\t\t\r\n\r\n"
    assert house.load().samples[INDEX]["conservation"] == "edta"


def test_columns_may_stand_in_any_order(house):
    house.rows["cases"] = [dict(reversed(CASE_ROW.items()))]
    assert house.load().cases[CASE]["site"] == "wgs_west"


def test_paths_with_spaces_and_danish_letters_work(house):
    folder = house.folder / "kørsel 1"
    folder.mkdir()
    house.set("units", "fq1", house.fastq("kørsel 1/prøve æ R1.fastq.gz"))
    assert "prøve æ" in house.load().units[f"{INDEX}.LIB1.HGFTYDSX7.L1"]["fq1"]


def test_relative_paths_are_relative_to_the_working_directory(house, monkeypatch):
    house.set("units", "fq1", "u1_R1.fastq.gz")
    monkeypatch.chdir(house.folder)
    house.load()


def test_unknown_requisition_form_only_warns(house):
    house.set("cases", "requisition_id", "REQ-42")
    (warning,) = house.load().warnings
    assert_names(warning, house.path("cases"), 2, "requisition_id", "REQ-42", "unknown form")


def test_lists_in_cells_are_split():
    assert split_list("") == []
    assert split_list("HP:0001250;HP:0001263") == ["HP:0001250", "HP:0001263"]


# ---- columns and files ----------------------------------------------------------------------


def test_refuses_a_missing_table(house):
    house.write()
    os.remove(house.path("samples"))
    with pytest.raises(TableError) as caught:
        load_tables(*house.paths, PROFILE)
    (problem,) = caught.value.problems
    assert_names(problem, house.path("samples"), None, None, None, "does not exist")


@pytest.mark.parametrize("content", [b"", b"\n \n", b"\xef\xbb\xbf"])
def test_refuses_an_empty_table(house, content):
    house.text["units"] = content
    house.only_problem("units", None, None, None, "is empty")


def test_refuses_a_table_without_rows(house):
    house.text["units"] = ("\t".join(UNIT_ROW) + "\n").encode()
    house.only_problem("units", 1, None, None, "no rows")


def test_refuses_a_table_that_starts_with_a_blank_line(house):
    house.write()
    house.text["units"] = b"\n" + Path(house.path("units")).read_bytes()
    house.only_problem("units", 1, None, None, "blank first line")


def test_refuses_a_folder_as_table(house):
    with pytest.raises(TableError, match="not a regular file"):
        read_tables(str(house.folder), house.path("samples"), house.path("units"))


def test_refuses_a_file_of_reads_as_table_without_reading_it(house):
    house.write()
    os.truncate(house.path("cases"), 10**12)
    with pytest.raises(TableError, match="too large for a table"):
        load_tables(*house.paths, PROFILE)


def test_refuses_an_unreadable_table(house):
    with unprivileged() as folder:
        closed = House(folder)
        closed.load()
        os.chmod(closed.path("cases"), 0)
        with as_nobody(), pytest.raises(TableError) as caught:
            load_tables(*closed.paths, PROFILE)
    (problem,) = caught.value.problems
    assert_names(problem, closed.path("cases"), None, None, None, "Permission denied")


@pytest.mark.parametrize("encoding", ["latin-1", "utf-16"])
def test_refuses_other_encodings_with_the_row(house, encoding):
    house.set("units", "model", "Prøve")
    house.write()
    house.text["units"] = Path(house.path("units")).read_text(encoding="utf-8").encode(encoding)
    house.only_problem("units", 2 if encoding == "latin-1" else 1, None, None, "not UTF-8", "save the table")


def test_refuses_commas_for_tabs(house):
    house.write()
    house.text["samples"] = Path(house.path("samples")).read_bytes().replace(b"\t", b",")
    problems = house.problems()
    assert_names(problems[0], house.path("samples"), 1, None, ",".join(SAMPLE_ROW), "not separated by tabs")
    assert len(problems) == 1


def test_refuses_an_unknown_column_and_suggests_the_known_one(house):
    house.rows["samples"] = [{("Sexx" if key == "sex" else key): value for key, value in SAMPLE_ROW.items()}]
    unknown, missing = sorted(house.problems(), key=lambda problem: problem.column)
    assert_names(unknown, house.path("samples"), 1, "Sexx", None, "not a known column", "rename it to sex")
    assert_names(missing, house.path("samples"), 1, "sex", None, "the column is missing", "add the column")


def test_refuses_a_column_without_a_name(house):
    house.rows["samples"] = [{**SAMPLE_ROW, "": ""}]
    (problem,) = house.problems()
    assert "column without a name" in str(problem)


def test_refuses_a_duplicated_column(house):
    house.write()
    lines = Path(house.path("samples")).read_text().splitlines()
    house.text["samples"] = "\n".join([lines[0] + "\tsex", lines[1] + "\tmale"]).encode()
    house.only_problem("samples", 1, "sex", None, "is there 2 times", "keep one")


def test_refuses_rows_with_too_few_or_too_many_cells(house):
    make_trio(house)
    house.write()
    lines = Path(house.path("samples")).read_text().splitlines()
    lines[2] = lines[2].rsplit("\t", 1)[0]
    lines[3] += "\textra"
    house.text["samples"] = "\n".join(lines).encode()
    short, long = house.problems()
    assert_names(short, house.path("samples"), 3, "conservation", MOTHER, "7 cells, the header 8", "one tab")
    assert_names(long, house.path("samples"), 4, None, FATHER, "9 cells, the header 8")


def test_a_table_of_ragged_rows_only_is_refused_by_rows(house):
    house.text["units"] = ("\t".join(UNIT_ROW) + f"\n{INDEX}\tLIB1\n").encode()
    house.only_problem("units", 2, "flowcell", INDEX, "2 cells")


def test_fast_reading_refuses_ragged_rows_too(house):
    house.text["units"] = ("\t".join(UNIT_ROW) + f"\n{INDEX}\tLIB1\n").encode()
    house.write()
    with pytest.raises(TableError, match="row 2"):
        read_tables(*house.paths)


# ---- cells ----------------------------------------------------------------------------------

MAY_BE_BLANK = {"supersedes", "phenotypes", "diagnosis"}
REQUIRED = [
    (table, column)
    for table, row in (("cases", CASE_ROW), ("samples", SAMPLE_ROW), ("units", UNIT_ROW))
    for column in row
    if column not in MAY_BE_BLANK
]


@pytest.mark.parametrize(("table", "column"), REQUIRED)
def test_refuses_a_blank_required_cell(house, table, column):
    house.set(table, column, "")
    (problem,) = [problem for problem in house.problems() if problem.value == ""]
    assert_names(problem, house.path(table), 2, column, "", "is blank where there must be")


@pytest.mark.parametrize(
    ("table", "column", "value", "words"),
    [
        ("units", "lane", "007", "without leading zeros"),
        ("units", "lane", "7.0", "lane number"),
        ("units", "lane", "0", "lane number"),
        ("units", "lane", "L1", "lane number"),
        ("units", "lane", "100", "from 1 to 99"),
        ("units", "lane", "٣", "lane number"),
        ("units", "library", "LIB.1", "letters, digits"),
        ("units", "library", "NGCWGS000001", "requisition id"),
        ("units", "flowcell", "-HGF", "starts with a letter or digit"),
        ("units", "model", "Nova`Seq", "model"),
        ("units", "library_kit", "kit;rm", "kit"),
        ("units", "pcr_free", "Yes", "yes or no"),
        ("units", "fq1", "reads.bam", "ends in .fastq"),
        ("units", "fq1", "$(x).fastq.gz", "none of"),
        ("units", "fq2", "-rf.fastq.gz", "start with a hyphen"),
        ("units", "fq2", "{sample}.fastq.gz", "none of"),
        ("cases", "analysis_date", "22-11-2026", "YYYY-MM-DD"),
        ("cases", "analysis_date", "2026-02-30", "a date that exists"),
        ("cases", "analysis_date", "20261122", "YYYY-MM-DD"),
        ("cases", "supersedes", "lower", "earlier submission"),
        ("cases", "requisition_id", "NGC WGS", "requisition id"),
        ("cases", "requester_sor", "1234567890", "11 or more digits"),
        ("cases", "requester_sor", "1234567890A", "SOR"),
        ("cases", "phenotypes", "HP:123", "'HP:123'"),
        ("cases", "phenotypes", "HP:0001250; HP:0001263", "without spaces"),
        ("cases", "phenotypes", "HP:0001250;HP:0001250", "different"),
        ("cases", "diagnosis", "DQ87.8C", "without the dot"),
        ("cases", "diagnosis", "Q878C", "'Q878C'"),
        ("cases", "diagnosis", "DQ878C;ORPHA:x", "'ORPHA:x'"),
    ],
)
def test_refuses_a_cell_without_its_form(house, table, column, value, words):
    house.set(table, column, value)
    problem = next(problem for problem in house.problems() if problem.column == column)
    assert_names(problem, house.path(table), 2, column, value, words)


def test_007_never_becomes_7(house):
    house.set("units", "lane", "007")
    house.only_problem("units", 2, "lane", "007", "never turned into a number")
    assert list(read_tables(*house.paths).units) == [f"{INDEX}.LIB1.HGFTYDSX7.L007"]


@pytest.mark.parametrize("diagnosis", ["DQ878C", "ORPHA:558", "DN18;ORPHA:730"])
def test_takes_sks_and_orpha_diagnoses(house, diagnosis):
    house.set("cases", "diagnosis", diagnosis)
    assert house.load().cases[CASE]["diagnosis"] == diagnosis


@pytest.mark.parametrize(
    "name",
    ["../x", "a b", "$(x)", "-rf", "SAMPLE01;ls", "sample01", "ABC", "A" * 33, "NGCWGS000001", "\x1b[31mRED", "'"],
)
@pytest.mark.parametrize("column", ["sample", "case"])
def test_refuses_a_hostile_name(house, name, column):
    house.set("samples", column, name)
    house.set("units", "sample", house.rows["samples"][0]["sample"])
    problems = house.problems()
    problem = next(problem for problem in problems if problem.file == house.path("samples"))
    assert_names(problem, house.path("samples"), 2, column, name, "opaque pseudonym" if column == "sample" else "")
    assert "\x1b" not in "".join(str(problem) for problem in problems)


def test_refuses_a_newline_in_a_sample_name(house):
    house.set("samples", "sample", "SAMPLE\nIX01")
    house.set("units", "sample", "SAMPLEIX01")
    problems = house.problems()
    first = next(problem for problem in problems if problem.file == house.path("samples"))
    assert_names(first, house.path("samples"), 2, "case", "SAMPLE", "no tab or line break inside a cell")


# ---- vocabularies ---------------------------------------------------------------------------

VOCABULARY_COLUMNS = [
    (table, column)
    for table in ("cases", "samples", "units")
    for column, properties in yaml.safe_load(
        (HOUSE / "config" / "schemas" / f"{table}.schema.yaml").read_text(encoding="utf-8")
    )["properties"].items()
    if "vocabulary" in properties
]


@pytest.mark.parametrize(("table", "column"), VOCABULARY_COLUMNS)
def test_refuses_an_unknown_code(house, table, column):
    house.set(table, column, "nonsense")
    problem = next(problem for problem in house.problems() if problem.column == column)
    assert_names(problem, house.path(table), 2, column, "nonsense", "of the profile")


@pytest.mark.parametrize(
    ("table", "column", "value", "meant"),
    [
        ("samples", "sex", "Female", "female"),
        ("samples", "sex", "femal", "female"),
        ("cases", "patient_group", "kidney_failure", "kidney-failure"),
        ("cases", "region", "Region Midtjylland", "1082"),
        ("units", "platform", "illumina", "ILLUMINA"),
    ],
)
def test_suggests_the_closest_valid_code(house, table, column, value, meant):
    house.set(table, column, value)
    house.only_problem(table, 2, column, value, f"did you mean {meant}?")


def test_refuses_an_expired_region_and_says_when_it_was_valid(house):
    house.set("cases", "region", "1084")
    house.set("cases", "analysis_date", "2026-12-31")
    house.load()
    house.set("cases", "analysis_date", "2027-01-01")
    house.only_problem(
        "cases", 2, "region", "1084", "until 2026-12-31", "not on the analysis date 2027-01-01", "1081, 1082, 1083"
    )


def test_refuses_a_code_that_is_not_yet_valid(house):
    house.set("cases", "analysis_date", "2019-06-30")
    house.only_problem("cases", 2, "legal_basis", "treatment", "is valid from 2019-07-01")


def test_codes_of_samples_and_units_are_held_against_the_date_of_their_case(house):
    class Dated:
        """A profile whose `blood` and `ILLUMINA` end with 2020."""

        ended = ("blood", "ILLUMINA")

        def vocabulary(self, name, on_date=None):
            codes = PROFILE.vocabulary(name, on_date)
            return [code for code in codes if code not in self.ended or (on_date or "") <= "2020-12-31"]

        def entry(self, name, code):
            entry = PROFILE.entry(name, code)
            return {**entry, "valid_to": "2020-12-31"} if code in self.ended else entry

    house.write()
    with pytest.raises(TableError) as caught:
        load_tables(*house.paths, Dated())
    material, platform = caught.value.problems
    assert_names(material, house.path("samples"), 2, "material", "blood", "until 2020-12-31", "2026-11-22")
    assert_names(platform, house.path("units"), 2, "platform", "ILLUMINA", "until 2020-12-31", "2026-11-22")


# ---- personal numbers -----------------------------------------------------------------------


@pytest.mark.parametrize(
    "number",
    [
        "0201609995",
        "020160-9995",
        "020160\u20119995",
        "020160 9995",
        "0101001234",
        "2902001234",
        "0201601AB1",
        "0201600AB1",
    ],
)
def test_knows_the_forms_of_personal_numbers(number):
    assert holds_personal_number(f"x_{number}_y")
    assert mask(f"x_{number}_y") == "x_**********_y"


@pytest.mark.parametrize(
    "text",
    [
        "3201609995",
        "3002609995",
        "0013609995",
        "10201609995",
        "02016099951",
        "020160-99951",
        "A0201601AB1",
        "2026-11-22",
    ],
)
def test_other_digits_are_no_personal_numbers(text):
    assert not holds_personal_number(text)
    assert mask(text) == text


@pytest.mark.parametrize(
    ("table", "column"),
    [
        (table, column)
        for table, row in (("cases", CASE_ROW), ("samples", SAMPLE_ROW), ("units", UNIT_ROW))
        for column in row
    ],
)
@pytest.mark.parametrize("number", ["0201609995", "020160-9995", "0201601AB1"])
def test_refuses_a_cpr_like_number_in_any_cell_and_never_echoes_it(house, table, column, number):
    house.set(table, column, number)
    house.write()
    with pytest.raises(TableError) as caught:
        load_tables(*house.paths, PROFILE)
    problem = next(problem for problem in caught.value.problems if "CPR" in problem.message)
    assert_names(problem, house.path(table), 2, column, "**********", "masked", "pseudonym")
    for text in (str(caught.value), repr(caught.value), *map(repr, caught.value.problems)):
        assert number not in text and number[-4:] not in text.replace(str(house.folder), "")


def test_finds_a_personal_number_in_a_header_a_ragged_row_and_a_path(house):
    house.rows["samples"] = [{**SAMPLE_ROW, "0201609995": "x"}]
    house.text["cases"] = ("\t".join(CASE_ROW) + "\nCASE0001AA\t020160-9995\n").encode()
    house.set("units", "fq1", "/data/0201609995/a_R1.fastq.gz")
    problems = [problem for problem in house.problems() if "CPR" in problem.message]
    assert [(problem.file, problem.row) for problem in problems] == [
        (house.path("cases"), 2),
        (house.path("samples"), 1),
        (house.path("units"), 2),
    ]
    assert "9995" not in "".join(map(str, house.problems()))


def test_a_personal_number_in_a_tables_own_path_is_masked(tmp_path):
    with pytest.raises(TableError) as caught:
        read_tables(tmp_path / "0201609995.tsv", "samples.tsv", "units.tsv")
    assert "9995" not in str(caught.value) + repr(caught.value)


def test_a_requisition_id_of_the_known_form_is_no_personal_number(house):
    house.set("cases", "requisition_id", "NGCWGS0201609995")
    assert house.load().warnings == ()


# ---- rows and tables together ---------------------------------------------------------------


def test_refuses_a_duplicate_case(house):
    house.rows["cases"].append(dict(CASE_ROW))
    house.only_problem("cases", 3, "case", CASE, "already used in row 2")


def test_refuses_a_sample_pseudonym_used_twice(house):
    house.set("cases", "study_type", "family")
    house.add_sample(OTHER, relation="sibling")
    house.rows["samples"].append({**SAMPLE_ROW, "sample": OTHER, "relation": "sibling"})
    house.only_problem(
        "samples", 4, "sample", OTHER, "already used in row 3. Mend: give every sample its own pseudonym"
    )


def test_refuses_a_mother_in_two_cases_and_says_how_both_are_made(house):
    house.set("cases", "study_type", "duo")
    house.add_sample(MOTHER, relation="mother")
    house.rows["cases"].append({**CASE_ROW, "case": OTHER_CASE, "study_type": "duo"})
    house.add_sample(OTHER, case=OTHER_CASE)
    house.rows["samples"].append({**SAMPLE_ROW, "sample": MOTHER, "case": OTHER_CASE, "relation": "mother"})
    words = (
        f"already used in row 3, in case '{CASE}': a run has each sample in one case. Mend: run that case first; then"
    )
    house.only_problem("samples", 5, "sample", MOTHER, words, "Two children of one mother may also be one family")


def test_refuses_a_mother_under_another_name_for_another_case(house):
    """What an operator may try next: the same reads by a second pseudonym."""
    house.set("cases", "study_type", "duo")
    house.add_sample(MOTHER, relation="mother")
    house.rows["cases"].append({**CASE_ROW, "case": OTHER_CASE, "study_type": "duo"})
    house.add_sample(OTHER, case=OTHER_CASE)
    house.add_sample("SAMPLEMO05", case=OTHER_CASE, relation="mother")
    house.rows["units"][-1] |= {key: house.rows["units"][1][key] for key in ("fq1", "fq2")}
    told = [str(problem) for problem in house.problems()]
    assert len(told) == 2 and all("the same file as column" in line and "of row 3" in line for line in told)


def test_refuses_a_person_who_would_be_her_own_mother(house):
    """The one loop that can be written: relations are to the index, and each pseudonym has one row."""
    house.set("cases", "study_type", "duo")
    house.rows["samples"].append({**SAMPLE_ROW, "sample": INDEX, "relation": "mother", "sex": "female"})
    assert any("already used in row 2" in str(problem) for problem in house.problems())


def test_refuses_a_duplicate_lane(house):
    house.add_unit(lane="1")
    house.only_problem("units", 3, "sample, library, flowcell, lane", f"{INDEX} LIB1 HGFTYDSX7 1", "used in row 2")


def test_a_lane_may_hold_two_samples(house):
    house.rows["cases"].append({**CASE_ROW, "case": OTHER_CASE})
    house.add_sample(OTHER, case=OTHER_CASE)
    house.set("units", "lane", "1", row=3)
    house.load()


def test_refuses_a_sample_of_an_unknown_case(house):
    house.rows["cases"].append({**CASE_ROW, "case": OTHER_CASE})
    house.add_sample(OTHER, case=OTHER_CASE)
    house.add_sample(MOTHER, case="CASE0009ZZ")
    house.only_problem("samples", 4, "case", "CASE0009ZZ", "is not in", "cases.tsv")


def test_refuses_a_unit_of_an_unknown_sample(house):
    house.add_unit(sample="SAMPLEZZ09")
    house.only_problem("units", 3, "sample", "SAMPLEZZ09", "is not in", "samples.tsv")


def test_refuses_a_case_without_samples(house):
    house.rows["cases"].append({**CASE_ROW, "case": OTHER_CASE})
    house.only_problem("cases", 3, "case", OTHER_CASE, "has no samples in", "samples.tsv")


def test_refuses_a_sample_without_units(house):
    house.rows["cases"].append({**CASE_ROW, "case": OTHER_CASE})
    house.rows["samples"].append({**SAMPLE_ROW, "sample": OTHER, "case": OTHER_CASE})
    house.only_problem("samples", 3, "sample", OTHER, "has no units in", "units.tsv")


def test_refuses_a_trio_with_a_parent_without_reads(house):
    make_trio(house)
    del house.rows["units"][1]
    house.only_problem("samples", 3, "sample", MOTHER, "has no units in", "units.tsv", "Mend: add its units")


def test_refuses_a_trio_with_a_parent_whose_file_of_reads_is_empty(house):
    make_trio(house)
    path = Path(house.rows["units"][2]["fq2"])
    path.write_bytes(b"")
    house.only_problem("units", 4, "fq2", str(path), "is an empty file")


@pytest.mark.parametrize("submission_type", ["initial", "test"])
def test_refuses_supersedes_where_nothing_is_superseded(house, submission_type):
    house.set("cases", "submission_type", submission_type)
    house.set("cases", "supersedes", "EARLIER001")
    house.only_problem("cases", 2, "supersedes", "EARLIER001", "must be empty", submission_type)


@pytest.mark.parametrize("submission_type", ["followup", "addition", "correction"])
def test_refuses_a_later_submission_that_names_no_earlier_one_or_itself(house, submission_type):
    house.set("cases", "submission_type", submission_type)
    house.only_problem("cases", 2, "supersedes", "", "must name the submission", "earlier")
    house.set("cases", "supersedes", CASE)
    house.only_problem("cases", 2, "supersedes", CASE, "cannot supersede itself")
    house.set("cases", "supersedes", "EARLIER001")
    house.load()


def test_refuses_research_without_consent(house):
    house.set("cases", "legal_basis", "research")
    house.only_problem("cases", 2, "consent", "not_required", "research needs", "leave the case out")
    house.set("cases", "consent", "yes")
    house.load()


def test_refuses_a_case_without_index(house):
    house.set("samples", "relation", "mother")
    house.only_problem("cases", 2, "case", CASE, "no index", "write index")


def test_refuses_a_case_with_two_index_samples(house):
    house.add_sample(OTHER)
    house.only_problem("samples", 3, "relation", "index", "in row 2 already", "exactly one index")


@pytest.fixture
def tumour_house(house):
    """A woman's normal (row 2) and her tumour (row 3)."""
    house.set("cases", "study_type", "tumour-normal")
    house.add_sample(OTHER, sample_type="tumour")
    return house


def test_takes_several_tumours_with_one_normal_or_none(tumour_house):
    tumour_house.load()
    tumour_house.add_sample("RELAPSE005", sample_type="tumour")
    assert tumour_house.load().samples_of_case[CASE] == (INDEX, OTHER, "RELAPSE005")
    tumour_house.set("cases", "study_type", "tumour-only")
    tumour_house.set("samples", "sample_type", "tumour")
    assert len(tumour_house.load().samples) == 3


def test_refuses_a_tumour_without_normal_in_a_paired_study(tumour_house):
    del tumour_house.rows["samples"][0], tumour_house.rows["units"][0]
    said = "1 index/germline, 1 to 9 index/tumour; this case has index/tumour", "add the normal", "tumour-only"
    tumour_house.only_problem("cases", 2, "study_type", "tumour-normal", *said)


def test_refuses_a_normal_in_a_study_of_tumours_only(tumour_house):
    tumour_house.set("cases", "study_type", "tumour-only")
    said = "this case has index/germline, index/tumour"
    tumour_house.only_problem("cases", 2, "study_type", "tumour-only", said)


def test_refuses_two_normals(tumour_house):
    tumour_house.add_sample("NORMAL0006")
    said = "germline sample of its index in row 2 already", "tumours of one person share one normal"
    tumour_house.only_problem("samples", 4, "relation", "index", *said)


def test_refuses_more_tumours_than_the_profile_has(tumour_house):
    for number in range(9):
        tumour_house.add_sample(f"TUMOUR000{number}", sample_type="tumour")
    tumour_house.only_problem("cases", 2, "study_type", "tumour-normal", "1 to 9 index/tumour")


@pytest.mark.parametrize("relation", ["mother", "sibling"])
def test_refuses_the_tumour_of_a_relative(tumour_house, relation):
    tumour_house.set("samples", "relation", relation, 3)
    tumour_house.only_problem("samples", 3, "relation", relation, "must be the index's", "a case of its own")


def test_refuses_a_tumour_in_a_germline_study(tumour_house):
    tumour_house.set("cases", "study_type", "single")
    said = "a single has 1 index/germline; this case has index/germline, index/tumour"
    tumour_house.only_problem("cases", 2, "study_type", "single", said)


def test_refuses_two_sexes_for_one_person(tumour_house):
    house = tumour_house
    house.set("samples", "sex", "male", 3)
    house.only_problem("samples", 3, "sex", "male", "'female' in row 2", "one person has one sex")


def test_siblings_may_differ_in_sex(house):
    house.set("cases", "study_type", "duo")
    house.add_sample(OTHER, relation="sibling", sex="male")
    house.load()


@pytest.mark.parametrize(("relation", "sex", "needed"), [("mother", "male", "female"), ("father", "unknown", "male")])
def test_refuses_a_parent_of_the_wrong_sex(house, relation, sex, needed):
    house.set("cases", "study_type", "duo")
    house.add_sample(OTHER, relation=relation, sex=sex)
    house.only_problem("samples", 3, "sex", sex, f"the {relation} must be {needed}")


@pytest.mark.parametrize(
    ("study", "relatives"),
    [
        ("single", []),
        ("duo", ["mother"]),
        ("duo", ["father"]),
        ("trio", ["mother", "father"]),
        ("family", ["mother", "father", "sibling", "sibling"]),
        ("family", ["sibling", "other"]),
    ],
)
def test_takes_a_family_that_fits_its_study(house, study, relatives):
    house.set("cases", "study_type", study)
    for number, relation in enumerate(relatives):
        house.add_sample(f"RELATIVE{number}", relation=relation, sex="male" if relation == "father" else "female")
    assert len(house.load().samples) == 1 + len(relatives)


@pytest.mark.parametrize(
    ("study", "relatives"),
    [
        ("single", ["mother"]),
        ("duo", []),
        ("duo", ["mother", "father"]),
        ("trio", ["mother"]),
        ("trio", ["mother", "father", "sibling"]),
        ("trio", ["mother", "sibling"]),
        ("family", ["mother"]),
        ("tumour-only", []),
    ],
)
def test_refuses_a_family_that_does_not_fit_its_study(house, study, relatives):
    house.set("cases", "study_type", study)
    for number, relation in enumerate(relatives):
        house.add_sample(f"RELATIVE{number}", relation=relation, sex="male" if relation == "father" else "female")
    there = ", ".join(f"{relation}/germline" for relation in ["index", *relatives])
    house.only_problem("cases", 2, "study_type", study, f"this case has {there}", "correct the study type")


@pytest.mark.parametrize(("column", "value"), [("library_kit", "TruSeq Nano"), ("pcr_free", "no")])
def test_refuses_a_library_made_in_two_ways(house, column, value):
    house.add_unit(**{column: value})
    house.only_problem("units", 3, column, value, "the same library has", "row 2")


# ---- FASTQ files ----------------------------------------------------------------------------


def test_refuses_a_fastq_used_by_two_units(house):
    path = house.rows["units"][0]["fq2"]
    house.add_unit(fq2=path)
    house.only_problem("units", 3, "fq2", path, "the same file as column fq2 of row 2", "use each FASTQ once")


@pytest.mark.parametrize("link", [os.symlink, os.link])
def test_refuses_a_fastq_used_again_through_a_link(house, link):
    path = str(house.folder / "other.fastq.gz")
    link(house.rows["units"][0]["fq1"], path)
    house.add_unit(fq1=path)
    house.only_problem("units", 3, "fq1", path, "the same file as column fq1 of row 2")


def test_refuses_a_fastq_used_again_under_another_spelling(house):
    path = f"{house.folder}/./u1_R1.fastq.gz"
    house.add_unit(fq1=path)
    house.only_problem("units", 3, "fq1", path, "the same file as column fq1 of row 2")


def test_a_fastq_used_again_is_found_without_looking_at_files(house):
    path = house.rows["units"][0]["fq1"]
    os.remove(path)
    house.add_unit(fq1=path)
    (problem,) = house.problems(check_files=False)
    assert_names(problem, house.path("units"), 3, "fq1", path, "the same file as column fq1 of row 2")


def test_refuses_a_copy_of_a_fastq_under_another_name(house):
    path = house.fastq("copy.fastq.gz", content="@u1_R1.fastq.gz\nACGT\n+\nFFFF\n")
    house.add_unit(fq1=path)
    house.only_problem("units", 3, "fq1", path, "the same content as column fq1 of row 2")


def test_files_of_one_size_and_the_same_ends_are_told_apart(house):
    for number, middle in enumerate((b"A", b"C"), start=1):
        path = house.folder / f"long{number}.fastq.gz"
        path.write_bytes(b"x" * 5000 + middle + b"y" * 5000)
        house.add_unit(fq1=str(path))
    house.load()


def test_refuses_the_same_file_as_r1_and_r2(house):
    path = house.rows["units"][0]["fq1"]
    house.set("units", "fq2", path)
    house.only_problem("units", 2, "fq2", path, "R1 and R2 are the same file", "fq1")


def test_refuses_the_same_content_as_r1_and_r2(house):
    path = house.fastq("copy.fastq.gz", content="@u1_R1.fastq.gz\nACGT\n+\nFFFF\n")
    house.set("units", "fq2", path)
    house.only_problem("units", 2, "fq2", path, "R1 and R2 are the same content")


def test_refuses_missing_files_all_at_once(house):
    house.set("units", "fq1", "/nowhere/a_R1.fastq.gz")
    house.set("units", "fq2", "/nowhere/a_R2.fastq.gz")
    first, second = house.problems()
    assert_names(first, house.path("units"), 2, "fq1", "/nowhere/a_R1.fastq.gz", "does not exist", "working directory")
    assert_names(second, house.path("units"), 2, "fq2", "/nowhere/a_R2.fastq.gz", "does not exist")


def test_refuses_a_dangling_link(house):
    path = str(house.folder / "link.fastq.gz")
    os.symlink("/nowhere", path)
    house.set("units", "fq1", path)
    house.only_problem("units", 2, "fq1", path, "a link that leads nowhere")


def test_refuses_an_empty_file(house):
    path = house.folder / "empty.fastq.gz"
    path.touch()
    house.set("units", "fq1", str(path))
    house.only_problem("units", 2, "fq1", str(path), "is an empty file")


@pytest.mark.parametrize("make", [os.mkdir, os.mkfifo])
def test_refuses_what_is_not_a_regular_file(house, make):
    path = str(house.folder / "odd.fastq.gz")
    make(path)
    house.set("units", "fq1", path)
    house.only_problem("units", 2, "fq1", path, "not a regular file")


def test_refuses_an_unreadable_file(house):
    with unprivileged() as folder:
        closed = House(folder)
        closed.load()
        path = closed.rows["units"][0]["fq1"]
        os.chmod(path, 0)
        with as_nobody(), pytest.raises(TableError) as caught:
            load_tables(*closed.paths, PROFILE)
    (problem,) = caught.value.problems
    assert_names(problem, closed.path("units"), 2, "fq1", path, "Permission denied", "right to read")


@contextmanager
def unprivileged():
    """A folder that every account may enter, which pytest's own is not."""
    with tempfile.TemporaryDirectory() as folder:
        os.chmod(folder, 0o755)
        yield Path(folder)


@contextmanager
def as_nobody():
    """Root reads everything, so where the tests run as root, drop its rights for a moment."""
    was_root = os.geteuid() == 0
    if was_root:
        os.seteuid(65534)
    try:
        yield
    finally:
        if was_root:
            os.seteuid(0)


# ---- all at once, and nothing else ----------------------------------------------------------


def test_all_errors_of_all_tables_come_in_one_exception_in_reading_order(house):
    make_trio(house)
    house.set("cases", "region", "9999")
    house.set("cases", "requester_sor", "12")
    house.set("samples", "sex", "femle", row=3)
    house.set("samples", "material", "", row=4)
    house.set("units", "lane", "007")
    house.set("units", "fq1", "/nowhere/x.fastq.gz", row=4)
    problems = house.problems()
    assert [(Path(problem.file).name, problem.row, problem.column) for problem in problems] == [
        ("cases.tsv", 2, "region"),
        ("cases.tsv", 2, "requester_sor"),
        ("samples.tsv", 3, "sex"),
        ("samples.tsv", 3, "sex"),
        ("samples.tsv", 4, "material"),
        ("units.tsv", 2, "lane"),
        ("units.tsv", 4, "fq1"),
    ]


def test_errors_of_the_other_tables_come_with_a_missing_one(house):
    house.set("units", "lane", "007")
    house.write()
    os.remove(house.path("cases"))
    with pytest.raises(InputError) as caught:
        load_tables(*house.paths, PROFILE)
    assert [Path(problem.file).name for problem in caught.value.problems] == ["cases.tsv", "units.tsv"]


def test_every_row_of_a_large_wrong_table_is_reported(house):
    house.rows["samples"] = [{**SAMPLE_ROW, "sample": f"SAMPLE{number:04d}", "sex": "x"} for number in range(300)]
    problems = [problem for problem in house.problems() if problem.column == "sex" and "profile" in problem.message]
    assert [problem.row for problem in problems] == list(range(2, 302))


CELL = st.one_of(
    st.text(max_size=40),
    st.from_regex(r"[0-9A-Z;:\-\./ ]{0,30}", fullmatch=True),
    st.sampled_from(
        ["", CASE, INDEX, "index", "mother", "germline", "tumour", "trio", "007", "nan", "NA", "0201609995"]
    ),
)
SPOILS = st.lists(
    st.tuples(st.sampled_from(["cases", "samples", "units"]), st.integers(0, 2), st.integers(0, 14), CELL)
)
QUIET = settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


@QUIET
@given(spoils=SPOILS)
def test_garbage_in_cells_raises_nothing_but_table_errors(tmp_path, spoils):
    house = House(tmp_path)
    make_trio(house)
    for table, row, column, value in spoils:
        cells = house.rows[table][row % len(house.rows[table])]
        cells[list(cells)[column % len(cells)]] = value
    try:
        judged = house.load()
    except TableError as error:
        assert error.problems
        assert len(str(error).splitlines()) == len(error.problems)
        assert not holds_personal_number(str(error))
    else:
        assert read_tables(*house.paths) == judged or judged.warnings


@QUIET
@given(content=st.binary(max_size=300), table=st.sampled_from(["cases", "samples", "units"]))
def test_garbage_for_a_table_raises_nothing_but_table_errors(tmp_path, content, table):
    house = House(tmp_path)
    house.text[table] = content
    with pytest.raises(TableError):
        house.load()


# ---- cost -----------------------------------------------------------------------------------


def write_many(house: House, samples: int, units: int) -> None:
    """Tables of `samples` cases of one sample and `units` units, with FASTQ files of one size."""
    house.rows = {"cases": [], "samples": [], "units": []}
    for number in range(samples):
        case, sample = f"CASE{number:06d}", f"SAMP{number:06d}"
        house.rows["cases"].append({**CASE_ROW, "case": case, "requisition_id": f"NGCWGS{number}"})
        house.rows["samples"].append({**SAMPLE_ROW, "sample": sample, "case": case})
    for number in range(units):
        fastqs = {}
        for read in ("fq1", "fq2"):
            path = house.folder / f"{number:05d}_{read}.fastq.gz"
            path.write_bytes(path.name.encode())
            fastqs[read] = str(path)
        sample = f"SAMP{number % samples:06d}"
        house.rows["units"].append({**UNIT_ROW, "sample": sample, "lane": str(number // samples + 1), **fastqs})


def test_a_thousand_cases_are_judged_within_three_cpu_seconds(house):
    write_many(house, 1000, 2000)
    start = time.process_time()
    assert len(house.load().units) == 2000
    assert time.process_time() - start < 3


def test_eight_thousand_units_are_read_without_pandas_in_well_under_a_second(house):
    write_many(house, 1000, 8000)
    house.write()
    program = (
        "import sys, time; start = time.process_time(); from ngc_wgs.tables import read_tables;"
        "print(len(read_tables(*sys.argv[1:]).units), 'pandas' in sys.modules, time.process_time() - start)"
    )
    command = [sys.executable, "-c", program, *house.paths]
    environment = {**os.environ, "PYTHONPATH": str(HOUSE / "scripts")}
    answer = subprocess.run(command, env=environment, capture_output=True, text=True, check=True).stdout.split()
    assert answer[:2] == ["8000", "False"]
    assert float(answer[2]) < 0.8


# ---- configuration --------------------------------------------------------------------------


@pytest.fixture
def config() -> dict:
    return yaml.safe_load((HOUSE / "config" / "config.yaml").read_text(encoding="utf-8"))


def test_the_shipped_configuration_is_valid(config):
    assert load_config(config, CONFIG_SCHEMA) == []


def test_an_unknown_key_is_named_with_the_closest_known_one(config):
    config["alinger"] = config.pop("aligner")
    missing, unknown = sorted(load_config(config, CONFIG_SCHEMA))[::-1]
    assert "alinger: is not a known key. Mend: write aligner." in unknown + missing
    assert "aligner: is missing" in unknown + missing


def test_an_unknown_key_inside_a_section_is_named_with_its_path(config):
    config["calling"]["scater"] = 4
    (line,) = load_config(config, CONFIG_SCHEMA)
    assert "calling.scater: is not a known key. Mend: write scatter." in line


@pytest.mark.parametrize(
    ("path", "value", "words"),
    [
        (["aligner"], "bowtie", "bwa or bwa-mem2"),
        (["structural_callers"], ["delly", "lumpy"], "[delly] or [delly, manta]"),
        (["structural_callers"], [], "[delly] or [delly, manta]"),
        (["structural_callers"], "manta", "[delly] or [delly, manta]"),
        (["optical_distance"], -1, "0 or more"),
        (["optical_distance"], "2500", "whole number"),
        (["calling", "mode"], "deepvariant", "default or dragen"),
        (["calling", "scatter"], 0, "1 or more"),
        (["calling", "scatter"], True, "1 or more"),
        (["calling", "filters", "default"], "QUAL", "list of filters"),
        (["calling", "filters", "dragen", 0, "id"], "PASS", "FILTER id"),
        (["calling", "filters", "dragen", 0, "id"], "a;b", "FILTER id"),
        (["calling", "filters", "dragen", 0, "expression"], "", "expression"),
        (["calling", "filters", "dragen", 0, "description"], 'say "x"', "without double quotes"),
        (["reference"], "genome.fa", "mapping"),
        (["reference", "fasta"], None, "path"),
        (["overlay"], 3, "or null"),
        (["evaluation_regions"], "", "or null"),
        (["java_options"], "-XX:+UseSerialGC; rm", "options"),
        (["java_options"], "-Xmx4g", "without -Xmx"),
        (["units"], None, "table of units"),
    ],
)
def test_refuses_a_wrong_value_in_the_configuration(config, path, value, words):
    section = config
    for key in path[:-1]:
        section = section[key]
    section[path[-1]] = value
    (line,) = load_config(config, CONFIG_SCHEMA)
    assert line.startswith(f"config: {'.'.join(map(str, path))}, value ")
    assert words in line and ". Mend: " in line


def test_a_configuration_that_is_no_mapping_is_refused():
    (line,) = load_config(None, CONFIG_SCHEMA)
    assert "is not the whole run's configuration" in line


def test_a_missing_section_says_what_to_write(config):
    del config["reference"]
    (line,) = load_config(config, CONFIG_SCHEMA)
    assert "reference: is missing. Mend: write the reference as" in line


def test_a_personal_number_in_the_configuration_is_not_echoed(config):
    config["aligner"] = "0201609995"
    assert "9995" not in "".join(load_config(config, CONFIG_SCHEMA))


# ---- waivers -------------------------------------------------------------------------------

WAIVER = {
    "case": CASE,
    "sample": INDEX,
    "rule": "NGC-MET-008",
    "reason_code": "no_more_material",
    "role": "quality_manager",
    "valid_to": "2026-11-22",
}


def write_waivers(folder, *rows):
    path = folder / "waivers.tsv"
    path.write_text("".join("\t".join(cells) + "\n" for cells in (WAIVER, *(row.values() for row in rows))))
    return path


def test_a_waiver_counts_on_the_day_on_which_it_ends(house, tmp_path):
    path = write_waivers(tmp_path, WAIVER)
    assert load_waivers(path, house.load(), PROFILE) == read_waivers(path) == [WAIVER]


def test_without_a_table_there_are_no_waivers(house):
    assert load_waivers(None, house.load(), PROFILE) == read_waivers(None) == []


@pytest.mark.parametrize(
    ("changes", "column", "message"),
    [
        ({"rule": "NGC-MET-001"}, "rule", "is a metric that never warns for this type of sample"),
        ({"rule": "NGC-MET-009"}, "rule", "is a metric that never warns for this type of sample"),
        ({"rule": "NGC-MET-999"}, "rule", "is not a metric of the profile"),
        ({"rule": "NGC-QC-003"}, "rule", "is not the id of a metric"),
        ({"reason_code": "because"}, "reason_code", "is not a reason of the profile"),
        ({"role": "Dr Hansen"}, "role", "is not a role of the profile"),
        ({"valid_to": "2026-11-21"}, "valid_to", "the waiver has expired"),
        ({"valid_to": "31-12-2026"}, "valid_to", "is not a day written"),
        ({"valid_to": ""}, "valid_to", "is blank"),
        ({"case": OTHER_CASE}, "case", "is not in the table of cases"),
        ({"sample": OTHER}, "sample", "is not a sample of the case"),
        ({"role": "0201609995"}, "role", "holds what looks like a CPR number"),
    ],
)
def test_a_waiver_that_cannot_count_is_refused_with_its_place(changes, column, message, house, tmp_path):
    path = write_waivers(tmp_path, {**WAIVER, **changes})
    with pytest.raises(TableError) as caught:
        load_waivers(path, house.load(), PROFILE)
    problem = caught.value.problems[0]
    assert (problem.file, problem.row, problem.column) == (str(path), 2, column)
    assert message in problem.message and problem.mend
    assert "0201609995" not in str(caught.value)


def test_the_same_warning_is_waived_once(house, tmp_path):
    with pytest.raises(TableError, match="is already waived for this sample in row 2"):
        load_waivers(write_waivers(tmp_path, WAIVER, WAIVER), house.load(), PROFILE)
