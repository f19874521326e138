"""The report in a browser: all sections, figures as in the JSON, no console line, no request, nobody identified."""

import base64
import gzip
import json
import re
import shutil
import socket
from dataclasses import dataclass
from html.parser import HTMLParser
from pathlib import Path

import make_results
import pytest
import runs

import browser
import ngc_profile
from ngc_check import identifiers
from ngc_wgs import report

in_browser = pytest.mark.skipif(browser.CHROMIUM is None, reason=browser.MISSING)
SECTIONS = [
    "ngc_verdicts", "ngc_identity", "ngc_relations", "ngc_sex", "ngc_contamination", "ngc_coverage", "ngc_cumulative",
    "ngc_inserts", "ngc_duplicates", "ngc_q30", "ngc_variants", "ngc_family", "ngc_mitochondrion", "ngc_structural",
    "ngc_aneuploidies", "ngc_copy_number", "ngc_homozygosity", "ngc_versions", "ngc_definitions",
]  # fmt: skip
NATIVE = ["fastp", "samtools", "mosdepth", "bcftools"]


class Reader(HTMLParser):
    """Headings (h2) in order, table rows of each as texts of their cells, links, anchors and classes by id."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.headings: list[str] = []
        self.rows: dict[str, list[list[str]]] = {}
        self.links: set[str] = set()
        self.classes: dict[str, str] = {}
        self.cell = False
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        attributes = dict(attrs)
        if name := attributes.get("id"):
            self.classes[name] = attributes.get("class") or ""
            if tag == "h2":
                self.headings.append(name)
                self.rows[name] = []
        if tag == "a" and (attributes.get("href") or "").startswith("#NGC"):
            self.links.add(attributes["href"][1:])
        if tag == "tr" and self.headings:
            self.rows[self.headings[-1]].append([])
        if tag in ("td", "th") and self.headings:
            self.rows[self.headings[-1]][-1].append("")
            self.cell = True

    def handle_endtag(self, tag):
        self.cell = self.cell and tag not in ("td", "th")

    def handle_data(self, data):
        if self.cell:
            self.rows[self.headings[-1]][-1][-1] += f"{data}\n"


@dataclass(frozen=True)
class Opened:
    """A report: the file, what the browser made of it, and that read."""

    file: Path
    page: browser.Page
    read: Reader


def opened(file: Path, scratch: Path) -> Opened:
    alone = scratch / "alone.html"  # as an auditor has it: the file and nothing beside it
    shutil.copy(file, alone)
    page = browser.open_page(alone, scratch)
    return Opened(file, page, Reader(page.dom))


def write(facts: report.Facts, file: Path) -> Path:
    with open(file.with_suffix(".log"), "w") as log:
        report.write(report.sections(facts), "made", file, runs.HOUSE / "config" / "multiqc.yaml", log)
    return file


@pytest.fixture(scope="module")
def made(tmp_path_factory) -> make_results.Made:
    return make_results.make(tmp_path_factory.mktemp("made"), 6)


@pytest.fixture(scope="module")
def made_facts(made) -> report.Facts:
    return report.gather_run(report.Facts(made.profile), made.samples, made.units, made.results)


@pytest.fixture(scope="module")
def made_case(made, made_facts, tmp_path_factory) -> Opened:
    """A report with all that can be measured."""
    return opened(write(made_facts, made.results / "case.html"), tmp_path_factory.mktemp("browser"))


@pytest.fixture(scope="module")
def case_of_tiny(tiny_run, tmp_path_factory) -> Opened:
    """The report in the submission of the tiny demo."""
    (file,) = (tiny_run.directory / "results" / "submissions").glob("*/data/*.multiqc.html")
    return opened(file, tmp_path_factory.mktemp("browser"))


@pytest.fixture(scope="module")
def run_of_tiny(tiny_run, tmp_path_factory) -> Opened:
    """The report of the run of the tiny demo."""
    return opened(tiny_run.directory / "results" / "run.multiqc.html", tmp_path_factory.mktemp("browser"))


@pytest.fixture(params=["made_case", "case_of_tiny", "run_of_tiny"])
def any_report(request) -> Opened:
    return request.getfixturevalue(request.param)


@in_browser
def test_a_page_that_asks_and_complains_is_noticed(tmp_path):
    page = tmp_path / "page.html"
    page.write_text("<img src='http://example.org/a.png'><script>console.error('no')</script>")
    seen = browser.open_page(page, tmp_path)
    assert seen.requests == ["http://example.org/a.png"] and [text for _, _, text in seen.console] == ["no"]


@in_browser
def test_the_report_opens_without_network_and_without_a_console_line(any_report):
    assert (any_report.page.requests, any_report.page.console) == ([], [])


@in_browser
def test_every_section_is_there_and_the_verdicts_are_first(any_report):
    assert any_report.read.headings[: len(SECTIONS)] == SECTIONS


@in_browser
def test_the_modules_are_those_that_were_asked_for(case_of_tiny, run_of_tiny):
    assert case_of_tiny.read.headings[len(SECTIONS) :] == NATIVE
    assert run_of_tiny.read.headings[len(SECTIONS) :] == []


@in_browser
def test_every_plot_is_drawn(any_report, made_case):
    # Not those that MultiQC draws on demand only, beside its own tables.
    plots = {
        name: kind
        for name, kind in any_report.read.classes.items()
        if "hc-plot" in kind.split() and "hc-violin" not in kind and name != "table_scatter_plot"
    }
    assert plots
    assert all("js-plotly-plot" in kind and "not_loaded" not in kind for kind in plots.values()), plots
    if any_report is made_case:
        names = (
            "identity",
            "sex",
            "contamination",
            "coverage",
            "cumulative",
            "inserts",
            "duplicates",
            "q30",
            "variants",
            "mitochondrion",
        )
        assert set(plots) == {f"ngc_{name}_plot" for name in names}
    assert ">[object Object]<" not in any_report.page.dom  # a label; the scripts have the text too


@in_browser
def test_each_gate_leads_to_its_definition(any_report):
    assert any_report.read.links <= set(any_report.read.classes)


@in_browser
def test_the_sections_of_tumours_open_and_are_drawn(made, tmp_path):
    (tmp_path / "made").mkdir()
    with_tumours = make_results.add_tumours(make_results.make(tmp_path / "made", 1))
    facts = report.gather_run(
        report.Facts(made.profile), with_tumours.samples, with_tumours.units, with_tumours.results
    )
    shown = opened(write(facts, tmp_path / "case.html"), tmp_path)
    assert (shown.page.requests, shown.page.console) == ([], [])
    own = ["ngc_somatic", "ngc_somatic_fractions", "ngc_mutation_contexts", "ngc_tumours"]
    assert [name for name in shown.read.headings if name in own] == own
    for name in ("ngc_somatic_fractions_plot", "ngc_mutation_contexts_plot"):
        kind = shown.read.classes[name]
        assert "js-plotly-plot" in kind and "not_loaded" not in kind


def figures(read: Reader) -> dict[tuple[str, str], tuple[float | None, str]]:
    """(sample, metric) to value and status, as the gate table of a case shows them."""
    found = {}
    for row in read.rows["ngc_verdicts"][1:]:
        _, sample, gate, measured, _, status, _ = (cell.split("\n") for cell in row)
        number = re.match(r"-?[\d,]+(?:\.\d+)?(?:e[-+]\d+)?", measured[0])
        found[sample[0], gate[-2]] = (float(number[0].replace(",", "")) if number else None, status[0])
    return found


@in_browser
def test_the_figures_of_a_case_are_those_of_its_metrics_files(made_case, made, case_of_tiny, tiny_run):
    for shown, results in ((made_case, made.results), (case_of_tiny, tiny_run.directory / "results")):
        files = sorted((results / "qc").glob("*.metrics.json"))
        expected = {
            (file.name.split(".")[0], metric["name"]): (metric["value"], metric["status"])
            for file in files
            for metric in json.loads(file.read_text())["metrics"]
        }
        assert expected and figures(shown.read) == expected


def test_the_figures_of_the_plots_are_those_of_the_metrics_files(made_case, made_facts):
    packed = re.search(r'id="mqc_compressed_plotdata">([^<]+)<', made_case.file.read_text())[1]
    plots = json.loads(gzip.decompress(base64.b64decode(packed)))

    def lines(name: str) -> dict[str, list]:
        return {line["name"]: line["pairs"] for line in plots[f"ngc_{name}_plot"]["datasets"][0]["lines"]}

    def values(name: str) -> dict[str, float]:
        found = {sample: entries[name]["value"] for sample, (_, entries) in made_facts.samples.items()}
        return {sample: value for sample, value in found.items() if value is not None}

    for plot, name in (("contamination", "cross_contamination_rate"), ("duplicates", "pct_duplicate_reads")):
        shown = lines(plot)
        dots = [pair for label in ("FAIL", "WARN", "PASS") for pair in shown.get(label, [])]
        assert dict(map(tuple, dots)) == values(name)
        gates = {pair[1] for label, pairs in shown.items() if " if " in label for pair in pairs}
        assert gates == {gate["value"] for gate in made_facts.profile["metrics"][name]["gates"]}
    assert dict(map(tuple, lines("q30")["lane"])) == {unit["unit"]: unit["pct_q30"] for unit in made_facts.units}
    shown = lines("sex")
    ratios = {sample: [[values("ratio_x_autosomes")[sample], y]] for sample, y in values("ratio_y_autosomes").items()}
    assert {sample: shown[sample] for sample in ratios} == ratios
    for sample, pairs in lines("coverage").items():
        histogram = made_facts.coverage[sample]
        assert pairs and all(y == 100 * histogram[int(x)] / sum(histogram.values()) for x, y in pairs)


def test_nothing_identifies_a_person_a_place_or_a_machine(tiny_run, made_case, made):
    results = tiny_run.directory / "results"
    scanner, here = identifiers.scanner_for(ngc_profile.load()), identifiers.Scanner(deny=[socket.gethostname()])
    files = [*results.glob("submissions/*/data/*.multiqc.html"), results / "run.multiqc.html", made_case.file]
    assert len(files) == 3
    for file in files:
        found = list(identifiers.html_texts(file.read_text()))
        assert all(text is not None for _, text in found)
        assert [(place, identifiers.shown(m)) for place, text in found for m in scanner.scan(text)] == []
        # MultiQC's own scripts may have a variable of the name.
        assert not any(here.scan(text) for place, text in found if not place.startswith("script"))
        said = "\n".join(text for _, text in found)
        assert not any(word in said for word in (str(tiny_run.directory), str(made.results), "results/", "--file-list"))
    assert not list(results.rglob("*multiqc_data*"))


@in_browser
def test_the_report_of_a_run_names_each_case_with_its_verdict(run_of_tiny, tiny_run):
    with open(tiny_run.directory / "results" / "verdict.tsv") as table:
        expected = [line.split("\t")[:2] for line in table.read().splitlines()[1:]]
    shown = [[cell.strip() for cell in row[:2]] for row in run_of_tiny.read.rows["ngc_verdicts"][1 : 1 + len(expected)]]
    assert shown == expected


def test_a_refused_run_has_its_report_too(tiny):
    for file in (tiny / "reads").rglob("*R1*"):
        file.write_bytes(file.read_bytes()[:-20])
    done = runs.run_workflow(tiny)
    assert done.returncode != 0
    page = (tiny / "results" / "run.multiqc.html").read_text()
    assert "REFUSED" in page and "intake_gate" in page
