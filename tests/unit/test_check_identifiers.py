"""Personal identifiers: every form in every place is found, nothing is echoed, and data gives no false alarm."""

from __future__ import annotations

import json
import random
import time
from collections.abc import Callable

import pytest
from submission_fixture import CASE, FLOWCELL, SAMPLE, Submission, report_html

from ngc_check.cli import main, table
from ngc_check.identifiers import CPR, DENIED, ECPR, EMAIL, PATH, PHONE, Scanner, html_texts, strings

SCANNER = Scanner(["home", "data"], ["Hansen", "Aarhus Universitetshospital"])

# Published test person of MedCom and 1-January numbers; no real person's number is here.
PLANTED = [
    (CPR, "0201609995"),
    (CPR, "020160-9995"),
    (CPR, "020160\u20139995"),
    (CPR, "0101010001"),
    (CPR, "010165-1234"),
    (ECPR, "0201601AB3"),
    (ECPR, "0201607XY9"),
    (ECPR, "0201600QW1"),
    (ECPR, "0201605ZZ2"),
    (ECPR, "0201606KL4"),
    (EMAIL, "lab.person@hospital.example.dk"),
    (PHONE, "+45 12 34 56 78"),
    (PHONE, "+4512345678"),
    (PHONE, "004512345678"),
    (PHONE, "tlf. 12345678"),
    (PHONE, "Telefon: 12 34 56 78"),
    (PATH, "/home/person/run7"),
    (PATH, "/data/run7/x.fq.gz"),
    (PATH, "file:///scratch/run7"),
    (PATH, "C:\\Users\\person\\run7"),
    (DENIED, "hansen"),
    (DENIED, "AARHUS UNIVERSITETSHOSPITAL"),
]


@pytest.mark.parametrize(("rule", "text"), PLANTED)
@pytest.mark.parametrize("around", ["{}", "by {} today", "'{}',", "SM:{}\tLB:1", "a={};b"])
def test_each_form_is_found_and_masked(rule, text, around):
    whole = around.format(text)
    assert [match.rule for match in SCANNER.scan(whole)] == [rule]
    masked = SCANNER.mask(whole)
    assert text not in masked
    assert not SCANNER.scan(masked)


@pytest.mark.parametrize(
    "text",
    [
        "3201609995",  # no such day
        "0213609995",  # no such month
        "3002609995",  # no 30 February
        "12345678901",  # eleven digits
        "0.0201609995",  # a decimal
        "1504891234.5",  # a decimal
        "2026-11-22T10:00:00Z",
        "d2d1504891234abcdefd41d8cd98f00b",  # a digest that holds ten digits
        "SQ.aKF498dAxcJAqme6QYQ7EZ07-fiw8Kw2",
        "123e4567-e89b-12d3-a456-426614174000",
        "GCA_000001405.15",
        "chr1:248956422-248956999",
        "https://www.ga4gh.org/data/x",
        "../data/x",
        "data/K7QX2M9T4B.cram",
        "HansenX",
        "plotly@4.5.2.min.js",
        "12345678",  # eight digits that nothing announces
        "K7QX2M9T4B.LIB1.HXYZDSX2.L1",
    ],
)
def test_what_is_no_identifier_is_left_alone(text):
    assert SCANNER.scan(text) == []
    assert SCANNER.mask(text) == text


def test_modulus_11_only_raises_the_confidence():
    notes = {text: SCANNER.scan(text)[0].note for text in ("0101010001", "0201609995")}
    assert "day and month" in notes["0201609995"]
    with_eleven = next(f"010101{n:04d}" for n in range(10**4) if "modulus" in SCANNER.scan(f"010101{n:04d}")[0].note)
    assert SCANNER.scan(with_eleven)[0].note == "modulus 11 holds"


def test_illumina_read_names_give_no_false_alarm():
    rng = random.Random(4)
    names = (
        f"{rng.choice(['A00', 'LH00', 'VH00', 'M0'])}{rng.randrange(1000):03d}:{rng.randrange(1, 1000)}:"
        f"{rng.choice(['HXYZDSX', '000000000-', 'AAC'])}{rng.randrange(10**5):05d}:{rng.randrange(1, 9)}:"
        f"{rng.randrange(1101, 2679)}:{rng.randrange(1000, 60000)}:{rng.randrange(1000, 60000)}"
        for _ in range(100_000)
    )
    assert sum(bool(SCANNER.scan(name)) for name in names) == 0


def test_numbers_in_json_are_data_and_strings_and_keys_are_text():
    data = {"bases": 1504891234, "0201609995": [1, {"note": "010101-0001"}]}
    found = [(place, text) for place, text in strings(data) if SCANNER.scan(text)]
    assert sorted(text for _, text in found) == ["010101-0001", "0201609995"]


def test_deep_json_is_walked_without_recursion():
    data: object = "0201609995"
    for _ in range(100_000):
        data = [data]
    assert [text for _, text in strings(data)] == ["0201609995"]


@pytest.mark.parametrize(
    "document",
    [
        "<p>0201609995</p>",
        "<p title='0201609995'>",
        "<!-- 0201609995 -->",
        "<p>020160&#45;9995</p>",
        "<script>var x = '0201609995';</script>",
        '<script type="application/json">{"x": ["0201609995"]}</script>',
        report_html(plot_data={"0201609995": 1}),
        "<style>.x{content:'0201609995'}</style>",
        "<td val='020160-9995'>",
        '<td data-sorting-val="0201609995x">',
        "<td title=1>0201609995",
        "<SCRIPT>0201609995</SCRIPT >",
        "</script>0201609995",
        "<script",
        "<script>var x = '0201609995'",
        "<p",
    ],
)
def test_every_part_of_a_report_is_read(document):
    found = [match.rule for _, text in html_texts(document) for match in SCANNER.scan(text or "")]
    assert found == ([CPR] if "9995" in document or document.startswith("<!doctype") else [])


@pytest.mark.parametrize(
    "document",
    [
        '<td data-sorting-val="1504891234">1.5 Gb</td>',
        "<td val=1504891234 >",
        '<path d="M0101010001 5L-3.5,1e9"/><g transform="translate(0101010001)">',
        "<img src='data:image/png;base64," + "0101010001" * 8 + "'>",
        "<p>A &amp; B</p><!-- <b -->",
    ],
)
def test_figures_of_drawings_and_pictures_are_no_identifiers(document):
    assert [match for _, text in html_texts(document) for match in SCANNER.scan(text or "")] == []


@pytest.mark.parametrize("piece", ["<a ", "<", "<!-- ", "<script>", "<script\n", "&#1", "</a ", ' d="M', "x\n"])
def test_a_page_made_for_it_takes_time_in_proportion(piece):
    started = time.process_time()
    for _, text in html_texts(piece * 300_000):
        SCANNER.scan(text or "")
    assert time.process_time() - started < 20


def test_lines_of_a_report_are_counted_through_scripts_and_pictures():
    picture = "data:image/png;base64," + "A\n" * 60
    document = f"<p>\n<script>\n\n</script>\n<img src='{picture}'>\n<p>0201609995"
    places = [place for place, text in html_texts(document) if SCANNER.scan(text or "")]
    assert places == [f"line {document.count(chr(10)) + 1}"]


def test_two_blocks_of_digits_count_only_where_modulus_11_holds():
    eleven = next(text for text in (f"010101{n:04d}" for n in range(10**4)) if SCANNER.scan(text)[0].note[0] == "m")
    assert [match.rule for match in SCANNER.scan(f"{eleven[:6]} {eleven[6:]}")] == [CPR]
    assert SCANNER.scan("020160 9995") == []


def test_packed_data_that_unfold_beyond_bounds_are_not_taken_for_clean():
    document = report_html(plot_data=["x" * 1000] * 20_000)
    assert None in [text for _, text in html_texts(document)]


def test_packed_data_that_cannot_be_unfolded_is_not_taken_for_clean():
    document = '<script type="text/plain">H4sIAAAAAAAA' + "A" * 40 + "</script>"
    assert [text for place, text in html_texts(document) if place.startswith("script")] == [None]


def _in_manifest(s: Submission, text: str) -> None:
    s.edit_manifest(lambda manifest: manifest["workflow"].update(version=text))


def _in_tag_file(s: Submission, text: str) -> None:
    s.rewrite_tag_file("bag-info.txt", (s.root / "bag-info.txt").read_text() + f"Note: {text}\n")


def _in_vcf_header(s: Submission, text: str) -> None:
    s.edit_vcf(lambda vcf: vcf.replace("##source=ngc-wgs", f"##source={text}"))


def _in_gvcf_header(s: Submission, text: str) -> None:
    s.edit_vcf(lambda vcf: vcf.replace("##source=ngc-wgs", f"##source={text}"), "g.vcf.gz")


def _in_read_group(s: Submission, text: str) -> None:
    s.reheader(lambda header: header.replace("@RG\t", f"@RG\tCN:{text}\t", 1))


def _in_comment(s: Submission, text: str) -> None:
    s.reheader(lambda header: header + f"@CO\t{text}\n")


def _in_program(s: Submission, text: str) -> None:
    s.reheader(lambda header: header + f"@PG\tID:x\tCL:bwa {text}\n")


def _in_metrics(s: Submission, text: str) -> None:
    s.write_metrics(s.manifest(), lambda data: data["metrics"][0].update(tool=text))


def _in_report(s: Submission, text: str) -> None:
    (s.data / f"{CASE}.multiqc.html").write_text(report_html(f"<p>{text}</p>"), encoding="utf-8")


def _in_report_data(s: Submission, text: str) -> None:
    (s.data / f"{CASE}.multiqc.html").write_text(report_html(plot_data={"x": text}), encoding="utf-8")


def _in_log(s: Submission, text: str) -> None:
    (s.data / "run.log").write_text(f"ran {text}\n", encoding="utf-8")


PLACES = [
    _in_manifest,
    _in_tag_file,
    _in_vcf_header,
    _in_gvcf_header,
    _in_read_group,
    _in_comment,
    _in_program,
    _in_metrics,
    _in_report,
    _in_report_data,
    _in_log,
]
FORMS = [
    (CPR, "020160-9995"),
    (ECPR, "0201601AB3"),
    (EMAIL, "a.b@c.example.dk"),
    (PATH, "/home/person/x"),
    (DENIED, "Hansen"),
]


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Submission:
    return Submission.build(tmp_path_factory.mktemp("submission"))


@pytest.mark.parametrize("place", PLACES)
def test_each_place_is_looked_at_and_nothing_is_echoed(place: Callable, template, tmp_path, capsys):
    s = template.copy_to(tmp_path / "copy")
    rules, texts = [rule for rule, _ in FORMS], [text for _, text in FORMS]
    if place is _in_tag_file:
        s.finish()
    place(s, " and ".join(texts))
    if place is not _in_tag_file:
        s.finish()
    s.deny = ("Hansen",)
    report = s.judge()
    assert report.rules("FAIL") >= set(rules)
    shown = table(report) + json.dumps(report.as_dict())
    assert not [text for text in texts if text.casefold() in shown.casefold()]


@pytest.mark.parametrize("text", ["0201609995", "020160-9995", "0101010001"])
def test_an_identifier_in_a_file_name_is_found_and_masked(text, template, tmp_path):
    s = template.copy_to(tmp_path / "copy")
    (s.data / f"{text}.txt").write_text("x\n")
    s.finish()
    report = s.judge()
    assert CPR in report.rules("FAIL")
    assert text not in table(report) + json.dumps(report.as_dict())


@pytest.mark.parametrize("text", ["0201609995", "010101-0001", "0201601AB3"])
def test_an_identifier_in_one_read_name_is_found(text, template, tmp_path):
    s = template.copy_to(tmp_path / "copy")
    s.write_cram(name=lambda number: f"A00123:45:{FLOWCELL}:1:1101:{number}:{text if number == 7 else 1}")
    s.finish()
    assert s.judge().rules("FAIL") <= {CPR, ECPR} and s.judge().rules("FAIL")


def test_an_identifier_as_sample_name_is_masked_wherever_it_shows(template, tmp_path, capsys):
    s = template.copy_to(tmp_path / "copy")
    s.edit_vcf(lambda vcf: vcf.replace(f"FORMAT\t{SAMPLE}", "FORMAT\t0201609995"))
    s.finish()
    main(["check", str(s.root), "--profile", str(s.profile_path), "--json"])
    main(["check", str(s.path("vcf.gz")), "--profile", str(s.profile_path)])
    shown = capsys.readouterr().out
    assert CPR in shown
    assert "0201609995" not in shown
