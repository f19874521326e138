"""The MultiQC report of a case or of a run, as custom content: JSON and tool reports in, sections out.

`gather` reads what is there, `sections` makes MultiQC's custom content of it, `write` runs MultiQC on that. Values,
statuses and gates are those of the metrics JSON: nothing is judged here, and what was not measured is named with its
reason. Standard library only, since it runs in MultiQC's environment.
"""

from __future__ import annotations

import json
import re
import subprocess
from collections import defaultdict
from collections.abc import Container, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from html import escape
from itertools import accumulate
from pathlib import Path
from tempfile import TemporaryDirectory

from ngc_wgs import SHOWN_LANES

RANK = {"FAIL": 0, "WARN": 1, "NOT_MEASURED": 2, "PASS": 3}
COLOURS = {"FAIL": "#c0392b", "WARN": "#d68910", "NOT_MEASURED": "#7f8c8d", "PASS": "#1e8449"}
BADGES = {"FAIL": "danger", "WARN": "warning", "NOT_MEASURED": "secondary", "PASS": "success"}
UNMEASURED = "this run did not measure it"
MAX_POINTS, DRAWN_FROM = 100, 0.02
"""Points of a line of a distribution, and the share (%) below which its tail is cut."""
MAX_LEGEND = 20
"""Samples that a legend names; of more, the pointer tells."""
MAX_ROWS = 40
"""Rows of a table that is shown at once where none of them is amiss."""
SHOWN_SAMPLES = 3
"""Samples with the same metric not measured for the same reason, in a row each; more of them share one row."""
SHOWN_CHROMOSOMES = 5
"""Chromosomes that are named with their runs of homozygosity."""
HUES = ("#1f77b4", "#2ca02c", "#9467bd", "#8c564b", "#e377c2", "#17becf", "#bcbd22", "#ff7f0e")
RULE_ID = re.compile(r"\b(?:NGC|VCF)-[A-Z]+-\d{3}\b")
WAYS = {"reads": "read pairs", "depth": "depth"}
COPY_SIZES = ((0, "below 10 kb"), (10_000, "10 kb to 100 kb"), (100_000, "100 kb to 1 Mb"), (1_000_000, "1 Mb or more"))
"""Least size (bp) and name of the classes that deletions and duplications are counted in."""
VARIANTS = {
    "count_snvs": "SNVs",
    "count_insertions": "Insertions",
    "count_deletions": "Deletions",
    "ratio_heterozygous_homozygous": "Het/hom",
    "ratio_insertion_deletion": "Ins/del",
    "ratio_transitions_transversions": "Ti/tv",
}
STRUCTURAL = ("DEL", "DUP", "INV", "INS", "BND")
STRUCTURAL_SIZES = ("50-299 bp", "300-999 bp", "1-9 kb", "10-99 kb", "100 kb and more", "two contigs")


class ReportError(Exception):
    """A file that a report needs cannot be read."""


@dataclass
class Facts:
    """What a report shows.

    profile: id, version and the `metrics` of the profile. verdicts: (case, verdict, reasons), in a run's report only.
    samples: per sample its case and its metrics JSON entries by name. units: intake reports. coverage: per sample bases
    by depth, autosomes, as mean_autosome_coverage counts. inserts: per sample inward pairs by insert size (bp).
    identity: results/identity/CASE.json of each case. families: results/family/CASE.json of each that has a joint VCF.
    mitochondria: results/mitochondrion/SAMPLE.json by sample. structural: results/qc/SAMPLE.sv.json of each.
    somatic_structural: results/sv/TUMOUR.somatic.json of each. somatic_copies: results/copy_number/TUMOUR.somatic.json.
    copies: per sample its results/copy_number/SAMPLE.json. dosage: results/qc/SAMPLE.dosage.json of each.
    somatic: per tumour its results/somatic/TUMOUR.json. tumours: results/somatic/CASE.tumours.json of each case with
    several tumours.
    homozygosity: per sample its results/qc/SAMPLE.homozygosity.json.
    unreadable: names of files that were there and could not be read.
    """

    profile: Mapping
    verdicts: Sequence[tuple[str, str, Sequence[str]]] = ()
    samples: dict[str, tuple[str, dict[str, dict]]] = field(default_factory=dict)
    units: list[dict] = field(default_factory=list)
    coverage: dict[str, dict[int, int]] = field(default_factory=dict)
    inserts: dict[str, dict[int, int]] = field(default_factory=dict)
    identity: list[dict] = field(default_factory=list)
    families: list[dict] = field(default_factory=list)
    mitochondria: dict[str, dict] = field(default_factory=dict)
    structural: list[dict] = field(default_factory=list)
    somatic_structural: list[dict] = field(default_factory=list)
    somatic_copies: dict[str, dict] = field(default_factory=dict)
    copies: dict[str, dict] = field(default_factory=dict)
    dosage: list[dict] = field(default_factory=list)
    homozygosity: dict[str, dict] = field(default_factory=dict)
    somatic: dict[str, dict] = field(default_factory=dict)
    tumours: list[dict] = field(default_factory=list)
    tools: list[dict] = field(default_factory=list)
    databases: list[dict] = field(default_factory=list)
    workflow: str = ""
    unreadable: list[str] = field(default_factory=list)


# ---- what is read --------------------------------------------------------------------------


def read_coverage(text: str) -> dict[int, int]:
    """Bases by depth from the histogram of Picard CollectWgsMetrics."""
    rows = text.split("\ncoverage\t", 1)[1].splitlines()[1:]
    return {int(depth): int(bases) for depth, bases in (row.split("\t")[:2] for row in rows if row)}


def read_inserts(text: str) -> dict[int, int]:
    """Inward read pairs by insert size (bp) from `samtools stats`."""
    rows = (line.split("\t") for line in text.splitlines() if line.startswith("IS\t"))
    return {int(row[1]): int(row[3]) for row in rows}


def gather(
    facts: Facts,
    cases: Mapping[str, str],
    metrics: Iterable[Path],
    units: Iterable[Path] = (),
    coverage: Iterable[Path] = (),
    inserts: Iterable[Path] = (),
    identity: Iterable[Path] = (),
    families: Iterable[Path] = (),
    mitochondria: Iterable[Path] = (),
    copies: Iterable[Path] = (),
    dosage: Iterable[Path] = (),
    homozygosity: Iterable[Path] = (),
    preflight: Iterable[Path] = (),
    databases: Iterable[Path] = (),
    structural: Iterable[Path] = (),
    somatic_structural: Iterable[Path] = (),
    somatic_copies: Iterable[Path] = (),
    somatic: Iterable[Path] = (),
    tumours: Iterable[Path] = (),
    forgive: bool = False,
) -> Facts:
    """Fill `facts` from files that are there.

    cases: case of each sample; of others nothing is told. metrics: of samples or of a case's alignments; of a sample
    that is in several, the last counts. forgive: note a file that cannot be read and go on, for the report of a run
    that failed; else ReportError.
    """

    def read(paths: Iterable[Path], parse):
        for path in map(Path, paths):
            try:
                yield path, parse(path.read_text())
            except (OSError, ValueError, KeyError, IndexError, TypeError) as error:
                if not forgive:
                    what = f"{type(error).__name__}: {error}"
                    raise ReportError(f"{path}: cannot be read ({what}). Mend: delete it and run again.") from None
                facts.unreadable.append(path.name)

    for _, found in read(metrics, _metrics):
        for sample, entries in found:
            facts.samples[sample] = (cases[sample], entries)
    facts.units += [unit for _, unit in read(units, json.loads)]
    facts.coverage |= {_sample(path): histogram for path, histogram in read(coverage, read_coverage)}
    facts.inserts |= {_sample(path): histogram for path, histogram in read(inserts, read_inserts)}
    facts.identity += [_among(cases, found) for _, found in read(identity, json.loads)]
    facts.families += [found for _, found in read(families, json.loads)]
    facts.mitochondria |= {found["sample"]: found for _, found in read(mitochondria, json.loads)}
    facts.structural += [found for _, found in read(structural, json.loads)]
    facts.somatic_structural += [found for _, found in read(somatic_structural, json.loads)]
    facts.somatic_copies |= {_sample(path): found for path, found in read(somatic_copies, json.loads)}
    facts.homozygosity |= {_sample(path): found for path, found in read(homozygosity, json.loads)}
    facts.somatic |= {_sample(path): found for path, found in read(somatic, json.loads)}
    facts.tumours += [found for _, found in read(tumours, json.loads)]
    facts.copies |= {_sample(path): found for path, found in read(copies, json.loads)}
    facts.dosage += [found for _, found in read(dosage, json.loads)]
    facts.databases += [found for _, found in read(databases, json.loads) if found["name"]]
    for _, found in read(preflight, json.loads):
        facts.tools = found["tools"]
    return facts


def _among(samples: Container[str], identity: dict) -> dict:
    """A case's identity without what it says of other samples: its report leaves the site, theirs may not."""
    lods = [row for row in identity["lods"] if _sample(row["left"]) in samples and _sample(row["right"]) in samples]
    relations = [row for row in identity["relations"] if row["a"] in samples and row["b"] in samples]
    return {**identity, "lods": lods, "relations": relations}


def gather_run(facts: Facts, cases: Mapping[str, str], units: Iterable[str], results: Path) -> Facts:
    """Fill `facts` from what a run left, whatever happened. cases: case of each sample; units: their names."""

    def there(pattern: str, names: Iterable[str]) -> list[Path]:
        return [path for name in names if (path := results / pattern.format(name)).is_file()]

    own = list(dict.fromkeys(cases.values()))
    aligned = there("gate/{}.aligned.json", own)
    made = {path.name.split(".", 1)[0]: path.stat().st_mtime_ns for path in aligned}
    # Metrics of calls, and a joint VCF, that are older than what the alignments were judged by are of an earlier run.
    called = [
        path
        for path in there("qc/{}.metrics.json", cases)
        if path.stat().st_mtime_ns >= made.get(cases[_sample(path)], 0)
    ]
    return gather(
        facts,
        cases,
        metrics=aligned + called,
        units=there("intake/{}.json", units),
        coverage=there("qc/{}.wgs_metrics.txt", cases),
        inserts=there("qc/{}.samtools_stats.txt", cases),
        identity=there("identity/{}.json", own),
        families=[path for path in there("family/{}.json", own) if path.stat().st_mtime_ns >= made.get(path.stem, 0)],
        mitochondria=there("mitochondrion/{}.json", cases),
        copies=there("copy_number/{}.json", cases),
        dosage=there("qc/{}.dosage.json", cases),
        homozygosity=there("qc/{}.homozygosity.json", cases),
        preflight=there("intake/{}.json", ["preflight"]),
        databases=there("identity/{}.json", ["population"]),
        structural=there("qc/{}.sv.json", cases),
        somatic_structural=there("sv/{}.somatic.json", cases),
        somatic_copies=there("copy_number/{}.somatic.json", cases),
        somatic=there("somatic/{}.json", cases),
        tumours=there("somatic/{}.tumours.json", own),
        forgive=True,
    )


def _metrics(text: str) -> list[tuple[str, dict[str, dict]]]:
    """Samples of a metrics file with their metrics by name."""
    data = json.loads(text)
    return [
        (item["biosample"]["id"], {metric["name"]: metric for metric in item["metrics"]})
        for item in data.get("samples", [data])
    ]


def _sample(path: Path | str) -> str:
    """The sample that a file or a unit is named after."""
    return Path(path).name.split(".", 1)[0]


# ---- sections ------------------------------------------------------------------------------


def sections(facts: Facts) -> list[dict]:
    """MultiQC's custom content, in the order of the report."""
    return [
        verdicts(facts),
        identity(facts),
        relations(facts),
        sex(facts),
        contamination(facts),
        coverage(facts),
        cumulative(facts),
        insert_size(facts),
        duplicates(facts),
        q30(facts),
        variants(facts),
        family(facts),
        mitochondrion(facts),
        structural(facts),
        aneuploidies(facts),
        copy_number(facts),
        dosage(facts),
        homozygosity(facts),
        *((somatic(facts), fractions(facts), contexts(facts)) if facts.somatic else ()),
        *((somatic_structural(facts), somatic_copy_number(facts)) if facts.somatic else ()),
        *([tumours(facts)] if facts.tumours else []),
        versions(facts),
        definitions(facts),
    ]


def verdicts(facts: Facts) -> dict:
    """Each case's verdict (run) and each gate: sample, measured, threshold, status, link to the definition."""
    about = "Every gate, what it measured and what the profile asks; the gate's name leads to its definition."
    parts = []
    if facts.verdicts:
        about += " Gates that passed are counted here and listed in the report of the case."
        headers = ("Case", "Verdict", "Why", *RANK)
        rows = _case_rows(facts)
        refused = [row for row in rows if row[1] != "ACCEPTED"]
        accepted = [row for row in rows if row[1] == "ACCEPTED"]
        parts.append(f"<p>{len(accepted)} of {len(rows)} cases accepted.</p>")
        parts += [table(headers, refused) if refused else "", folded(headers, accepted)]
    if facts.unreadable:
        names = escape(", ".join(sorted(facts.unreadable)))
        parts.append(f"<p><strong>Could not be read, and is missing below:</strong> {names}</p>")
    parts.append(table(("Case", "Sample", "Gate", "Measured", "Threshold", "Status", "Note"), _gate_rows(facts)))
    return _html("ngc_verdicts", "Verdicts", about, "".join(parts))


def _case_rows(facts: Facts) -> list[tuple[str, ...]]:
    """Case, verdict, why, and its gates by status; - where nothing of it was measured."""
    counts: dict[str, dict[str, int]] = defaultdict(lambda: dict.fromkeys(RANK, 0))
    for case, entries in facts.samples.values():
        for metric in entries.values():
            counts[case][metric["status"]] += 1
    return [
        (
            escape(case),
            escape(verdict),
            _public(reasons),
            *(str(counts[case][status]) if case in counts else "-" for status in RANK),
        )
        for case, verdict, reasons in facts.verdicts
    ]


def _public(reasons: Sequence[str]) -> str:
    """What a report may tell of a verdict's reasons: the step and the rules; the rest may hold paths."""
    said = [reason for reason in reasons if re.fullmatch(r"at \w+|not checked", reason)]
    ids = dict.fromkeys(name for reason in reasons for name in RULE_ID.findall(reason))
    return escape(", ".join([*said, *ids]) or ("see results/verdict.tsv" if reasons else ""))


def _gate_rows(facts: Facts) -> list[tuple[str, ...]]:
    """Rows of the gate table, the worst first. A run's leaves out what passed and gathers what was not measured."""
    run, rows = bool(facts.verdicts), []
    alike: dict[tuple[str, str], list[str]] = defaultdict(list)
    for sample, (case, entries) in facts.samples.items():
        for metric in entries.values():
            if run and metric["status"] == "PASS":
                continue
            if run and metric["status"] == "NOT_MEASURED":
                alike[metric["name"], _reason(metric)].append(sample)
            rows.append((sample, case, metric))
    shared = {key for key, samples in alike.items() if len(samples) > SHOWN_SAMPLES}
    out = []
    for sample, case, metric in sorted(rows, key=lambda row: RANK[row[2]["status"]]):
        names = (escape(case), escape(sample))
        if metric["status"] == "NOT_MEASURED" and (key := (metric["name"], _reason(metric))) in shared:
            if sample != alike[key][0]:
                continue
            folded = f"<details><summary>{len(alike[key])} samples</summary>{escape(' '.join(alike[key]))}</details>"
            names = ("", folded)
        out.append((*names, _link(metric), _measured(metric), _threshold(metric), _badge(metric), _note(metric)))
    return out


def _link(metric: Mapping) -> str:
    key = escape(metric["id"])
    return f'<a href="#{key}">{key}</a><br>{escape(metric["name"])}'


def _measured(metric: Mapping) -> str:
    if metric["value"] is None:
        return ""
    error, of = metric["error"], metric["denominator"]
    unit = "" if metric["unit"] in ("fraction", "ratio", "count", "agreement") else f" {escape(metric['unit'])}"
    text = number(metric["value"]) + (f" &plusmn; {number(error)}" if error is not None else "") + unit
    return text + (f'<br><small class="text-muted">of {number(of)}</small>' if of is not None else "")


def _threshold(metric: Mapping) -> str:
    gate = metric["gate"]
    if not gate:
        return "none, reported"
    return escape(f"{_asks(gate)} ({gate['basis']})")


def _asks(gate: Mapping) -> str:
    """A gate in words."""
    return f"{gate['status']} if {gate['op']} {number(gate['value'])}"


def _badge(metric: Mapping) -> str:
    status = metric["status"]
    return f'<span class="badge text-bg-{BADGES[status]}">{status}</span>'


def _reason(metric: Mapping) -> str:
    return metric["reason"] or (UNMEASURED if metric["value"] is None else "")


def _note(metric: Mapping) -> str:
    waiver = metric["waiver"]
    waived = f"Waived: {waiver['reason_code']}, by {waiver['role']}, valid to {waiver['valid_to']}" if waiver else ""
    return "<br>".join(escape(text) for text in (_reason(metric), waived) if text)


def identity(facts: Facts) -> dict:
    """Matrix of LOD scores over lanes: above 0 the same person, below 0 another."""
    key, title = "ngc_identity", "Identity of the lanes"
    about = "LOD score of each pair of lanes: above 0 speaks for the same person, below 0 for two persons."
    above = _unmeasured(facts, ["identity_concordance"])
    owner = {lane["unit"]: lane["sample"] for item in facts.identity for lane in item["lanes"]}
    lods = {}
    said = {}
    for row in (row for item in facts.identity for row in item["lods"]):
        pair = tuple(sorted((row["left"], row["right"])))
        lods[pair], said[pair] = row["lod"], row["status"]
    for unit in (unit for pair in lods for unit in pair):
        owner.setdefault(unit, _sample(unit))
    if not lods:
        return _html(key, title, about, f"{above}<p>No pair of lanes was compared.</p>")
    declared = {
        frozenset((row["a"], row["b"])): row["declared"] for item in facts.identity for row in item["relations"]
    }
    against = []
    for pair, status in said.items():
        samples = frozenset(owner[unit] for unit in pair)
        told = "one sample" if len(samples) == 1 else declared.get(samples) or "two samples"
        if status != "NOT_MEASURED" and (status == "same") != (told in ("one sample", "same person")):
            against.append((pair, told))
    drawn = set(owner)
    if len(owner) > SHOWN_LANES:
        drawn = {unit for pair, _ in against for unit in pair}
        about += f" There are {len(owner)} lanes: only the {len(drawn)} are drawn that a pair speaks against."
    rows = [(*map(escape, pair), escape(told), f"{said[pair]} person", number(lods[pair])) for pair, told in against]
    above += "<p>Pairs that are not as the lanes' names say:</p>" if rows else ""
    above += (
        table(("Lane", "Lane", "Declared", "Observed", "LOD"), rows)
        if rows
        else "<p>No pair speaks against the names.</p>"
    )
    units = sorted(drawn, key=lambda unit: (owner[unit], unit))
    if not units:
        return _html(key, title, about, above)
    both = {**lods, **{(right, left): lod for (left, right), lod in lods.items()}}
    limit = max(1, *(abs(lod) for lod in lods.values()))
    pconfig = {
        "xcats_samples": False,
        "ycats_samples": False,
        "square": False,
        "height": 260 + 18 * len(units),
        "min": -limit,
        "max": limit,
        "colstops": [[0, COLOURS["FAIL"]], [0.5, "#f7f7f7"], [1, "#2166ac"]],
        "cluster_rows": False,
        "cluster_cols": False,
        "display_values": len(units) <= 16,
        "tt_decimals": 1,
        "xlab": "Lane",
        "ylab": "Lane",
        "zlab": "LOD",
    }
    data = [[both.get((row, column)) for column in units] for row in units]
    rows = [f"{unit} #{at}" for at, unit in enumerate(units, 1)]
    columns = [f"#{at}" for at in range(1, len(units) + 1)]
    return {**_plot(key, title, about, above, "heatmap", pconfig, data), "xcats": columns, "ycats": rows}


def relations(facts: Facts) -> dict:
    """Kinship: declared against observed relations."""
    rows = [
        (
            escape(row["a"]),
            escape(row["b"]),
            escape(row["declared"] or "not told"),
            escape(row["observed"]),
            *("" if row[key] is None else number(row[key]) for key in ("kinship", "ibs0", "sites")),
            _badge(row),
        )
        for item in facts.identity
        for row in item["relations"]
    ]
    about = "Relations that the sample sheet declares, and what the genotypes say (KING kinship)."
    body = _unmeasured(facts, ["kinship_concordance", "mendelian_error_rate"])
    headers = ("Sample", "Sample", "Declared", "Observed", "Kinship", "IBS0", "Sites", "Status")
    other = [row for row in rows if ">PASS<" not in row[-1]]
    body += table(headers, other) if other else ""
    body += folded(headers, [row for row in rows if row not in other])
    body += "" if rows else "<p>No relation was compared.</p>"
    return _html("ngc_relations", "Relations", about, body)


def sex(facts: Facts) -> dict:
    """Coverage of X against Y over the autosomes', with the profile's karyotype zones."""
    about = "Depth of X and of Y over that of the autosomes; a dot is a sample, coloured by the status of"
    about += " sex_concordance. Framed: the profile's zones of karyotypes; between them it is undetermined."
    above = _unmeasured(facts, ["ratio_x_autosomes", "ratio_y_autosomes", "sex_concordance"])
    points = []
    for sample, (_, entries) in facts.samples.items():
        x, y = (_value(entries, f"ratio_{name}_autosomes") for name in "xy")
        if x is not None and y is not None:
            colour = COLOURS[_status(entries, "sex_concordance")]
            dot = {"symbol": "circle", "color": colour, "width": 3}
            points.append({"name": sample, "pairs": [[x, y]], "color": colour, "marker": dot, "showlegend": False})
    if not points:
        return _html("ngc_sex", "Sex", about, f"{above}<p>No sample was measured.</p>")
    zones = facts.profile["metrics"].get("sex_concordance", {}).get("parameters", {}).get("karyotypes")
    if not zones:
        return _html("ngc_sex", "Sex", about, f"{above}<p>The profile has no zones of karyotypes.</p>")
    corners, outlines = {}, []
    for name, zone in zones.items():
        (left, right), (low, high) = zone["x"], zone["y"]
        corners[name] = [[left, low]]
        ring = [[left, low], [right, low], [right, high], [left, high], [left, low]]
        outlines.append({"name": name, "pairs": ring, "color": _hue(len(outlines)), "width": 1, "showlegend": False})
    pconfig = {
        "xlab": "X over autosomes",
        "ylab": "Y over autosomes",
        "xmin": 0,
        "ymin": 0,
        "style": "lines+markers",
        "colors": {name: _hue(at) for at, name in enumerate(zones)},
        "extra_series": outlines + points,
        "showlegend": True,
        "height": 560,
    }
    return _plot("ngc_sex", "Sex", about, above, "linegraph", pconfig, [corners])


def _hue(number: int) -> str:
    return HUES[number % len(HUES)]


def contamination(facts: Facts) -> dict:
    """Share of reads from another person, with its error."""
    about = "Estimated share of reads from another person; blue: the ends of the estimate's error."
    return _dots(facts, "ngc_contamination", "Contamination", about, "cross_contamination_rate")


def duplicates(facts: Facts) -> dict:
    """Duplicates of each sample."""
    about = "Share of primary mapped reads marked as duplicates."
    return _dots(facts, "ngc_duplicates", "Duplicates", about, "pct_duplicate_reads")


def q30(facts: Facts) -> dict:
    """Q30 of each lane, raw reads."""
    about = "Share of raw bases of quality 30 or more, by lane; the gate is held against the sample's total."
    values = {unit["unit"]: (unit["pct_q30"], None, "") for unit in facts.units if unit.get("pct_q30") is not None}
    return _dot_plot(facts, "ngc_q30", "Q30 by lane", about, "pct_q30", values)


def _dots(facts: Facts, key: str, title: str, about: str, name: str) -> dict:
    """A metric of each sample, coloured by its status."""
    values = {
        sample: (entries[name]["value"], entries[name]["error"], entries[name]["status"])
        for sample, (_, entries) in facts.samples.items()
        if _value(entries, name) is not None
    }
    return _dot_plot(facts, key, title, about, name, values)


def _dot_plot(facts: Facts, key: str, title: str, about: str, name: str, values: Mapping[str, tuple]) -> dict:
    """A column per sample or lane with its value and the ends of its error; dashed, the profile's gates.

    values: value, error (None where there is none) and status of each. One trace for many columns: a browser draws that
    at once.
    """
    above = _unmeasured(facts, [name])
    if not values:
        return _html(key, title, about, f"{above}<p>Nothing was measured.</p>")
    metric = facts.profile["metrics"].get(name, {"unit": "", "gates": []})
    dots = defaultdict(list)
    for column, (value, error, status) in values.items():
        dots[status or "lane"].append([column, value])
        if error is not None:
            dots["less the error"].append([column, max(0.0, value - error)])
            dots["plus the error"].append([column, value + error])
    gates = {_asks(gate): [[column, gate["value"]] for column in values] for gate in metric["gates"]}
    colours = {_asks(gate): COLOURS[gate["status"]] for gate in metric["gates"]}
    ends = [y for pairs in (*dots.values(), *gates.values()) for _, y in pairs]
    margin = 0.05 * (max(ends) - min(ends)) or 1
    pconfig = {
        "categories": True,
        "colors": colours,
        "dash_styles": dict.fromkeys(gates, "dash"),
        "style": "lines+markers" if len(values) == 1 else "lines",
        "showlegend": True,
        "xlab": "",
        "ylab": f"{name} ({metric['unit']})",
        # Of names by their number; where they are not given, MultiQC makes a column more.
        "xmin": -0.5,
        "xmax": len(values) - 0.5,
        "ymin": max(0.0, min(ends) - margin),
        "ymax": max(ends) + margin,
    }
    if gates:
        pconfig["extra_series"] = [_dots_of(label, pairs) for label, pairs in dots.items()]
    return _plot(key, title, about, above, "linegraph", pconfig, [gates or dots])


def _dots_of(label: str, pairs: list) -> dict:
    """A series of dots without a line."""
    colour = COLOURS.get(label, "#2e86c1")
    marker = {"symbol": "circle", "color": colour, "width": 1}
    return {"name": label, "pairs": pairs, "color": colour, "width": 0, "marker": marker}


def variants(facts: Facts) -> dict:
    """Counts and ratios of calls, against the profile's bands."""
    about = "Autosomal PASS calls of each sample, and where each lies in the profile's band (0: its lower end, 1: its"
    about += " upper end), which is of whole genomes."
    metrics, bands = facts.profile["metrics"], {}
    titles = {name: title for name, title in VARIANTS.items() if name in metrics}
    for name, title in titles.items():
        limits = {gate["op"]: gate["value"] for gate in metrics[name]["gates"]}
        if len(limits) == 2:
            bands[name] = (title, limits["<"], limits[">"])
    rows, lines = [], {}
    asked = [("", *(_gates(metrics[name]) for name in titles))]
    for sample, (_, entries) in facts.samples.items():
        found = {name: entries[name]["value"] for name in titles if _value(entries, name) is not None}
        if found:
            marks = {name: "" if entries[name]["status"] == "PASS" else _badge(entries[name]) for name in found}
            cells = (f"{number(found[name])} {marks[name]}" if name in found else "" for name in titles)
            rows.append((escape(sample), *cells))
        within = [[title, (found[n] - low) / (high - low)] for n, (title, low, high) in bands.items() if n in found]
        if within:
            lines[sample] = within
    headers = ("Sample", *titles.values())
    above = _unmeasured(facts, VARIANTS) + folded(headers, asked + rows)
    if not lines:
        return _html("ngc_variants", "Variants", about, above)
    pconfig = {
        "categories": True,
        "style": "lines+markers",
        "ylab": "Place in the band",
        "xlab": "",
        "xmin": -0.5,
        "xmax": len(bands) - 0.5,
        "ymin": min(-0.1, *(place for line in lines.values() for _, place in line)),
        "ymax": max(1.1, *(place for line in lines.values() for _, place in line)),
        "y_lines": [{"value": end, "color": COLOURS["WARN"], "dash": "dot"} for end in (0, 1)],
        "showlegend": len(lines) <= MAX_LEGEND,
    }
    return _plot("ngc_variants", "Variants", about, above, "linegraph", pconfig, [lines])


def structural(facts: Facts) -> dict:
    """Structural variants of each sample by type and class of size."""
    about = (
        "Structural variants that each sample carries, where variant and genotype pass. An inversion counts at each of"
    )
    about += " its two junctions, an adjacency of two contigs once."
    rows, reasons = [], []
    for item in facts.structural:
        if item["counts"] is None:
            reasons.append(f"<p>{escape(item['sample'])}: not called: {escape(item['not_called'])}</p>")
            continue
        for kind in STRUCTURAL:
            of_kind = item["counts"].get(kind, {})
            cells = [str(of_kind.get(name, 0)) for name in STRUCTURAL_SIZES]
            rows.append((escape(item["sample"]), kind, str(sum(of_kind.values())), *cells))
    body = "".join(reasons) + folded(("Sample", "Type", "All", *STRUCTURAL_SIZES), rows)
    return _html("ngc_structural", "Structural variants", about, body or "<p>Nothing was called.</p>")


def aneuploidies(facts: Facts) -> dict:
    """Whole chromosomes gained or lost; deletions and duplications of each sample by size, or why none was called."""
    about = "Copies of whole chromosomes and of parts of them, by read depth. Sizes count PASS calls."
    found, rows, refused = [], [], []
    for sample, item in facts.copies.items():
        if reason := item.get("not_called"):
            refused.append(f"<li>{escape(sample)}: not called, {escape(reason)}</li>")
            continue
        for aneuploid in item["aneuploidies"]:
            copies = ", ".join(
                f"{escape(row['contig'])} {number(row['copies'])} &plusmn; {number(row['error'])} of {row['expected']}"
                for row in item["chromosomes"]
                if row["contig"] in aneuploid["contigs"]
            )
            found.append((escape(sample), f"<strong>{escape(aneuploid['name'])}</strong>", copies))
        counts = {kind: [0] * len(COPY_SIZES) for kind in ("DEL", "DUP")}
        for call in item["calls"]:
            if not call["filters"]:
                size = call["end"] - call["start"]
                counts[call["type"]][sum(size >= limit for limit, _ in COPY_SIZES) - 1] += 1
        filtered = sum(bool(call["filters"]) for call in item["calls"])
        cells = [str(count) for kind in counts.values() for count in kind]
        rows.append((escape(sample), *cells, str(filtered), number(item["noise"]), number(item["mappable_bins"])))
    headers = ("Sample", *(f"{kind} {label}" for kind in ("DEL", "DUP") for _, label in COPY_SIZES))
    parts = [f"<ul>{''.join(refused)}</ul>" if refused else ""]
    if rows:
        parts.append(table(("Sample", "Aneuploidy", "Copies, measured of expected"), found) if found else "")
        parts.append("" if found else "<p>No aneuploidy was found.</p>")
        parts.append(folded((*headers, "Filtered", "Noise of a bin", "Bins used"), rows))
    return _html("ngc_aneuploidies", "Copy number", about, "".join(parts) or "<p>Nothing was measured.</p>")


def copy_number(facts: Facts) -> dict:
    """Copies along the genome, in the report of a case only: of a run they would be too many."""
    key, title = "ngc_copy_number", "Copy-number profile"
    about = (
        "Copies along the chromosomes, each point the median of neighbouring bins; dashed, where a chromosome begins."
    )
    drawn = {sample: item["points"] for sample, item in facts.copies.items() if "points" in item}
    if facts.verdicts or not drawn:
        where = "The report of each case has its profile." if facts.verdicts else "No sample was measured."
        return _html(key, title, about, f"<p>{where}</p>")
    ends: dict[str, float] = {}
    for contigs in drawn.values():
        for contig, points in contigs.items():
            ends[contig] = max(ends.get(contig, 0.0), points[-1][0])
    offsets = dict(zip(ends, accumulate([0.0, *ends.values()]), strict=False))
    data = {
        sample: [[round(offsets[contig] + x, 4), y] for contig, points in contigs.items() for x, y in points]
        for sample, contigs in drawn.items()
    }
    pconfig = {
        "xlab": "Position on the genome (Mb)",
        "ylab": "Copies",
        "ymin": 0,
        "ymax": min(8.0, max(4.0, *(y for line in data.values() for _, y in line))),
        "style": "lines",
        "showlegend": len(data) <= MAX_LEGEND,
        "x_lines": [
            {"value": round(start, 4), "color": "#7f8c8d", "dash": "dot", "width": 1, "label": contig}
            for contig, start in offsets.items()
        ],
    }
    return _plot(key, title, about, "", "linegraph", pconfig, [data])


def dosage(facts: Facts) -> dict:
    """Deletions and duplications by read pairs beside those by depth: counts, and in a case's report each of them."""
    about = (
        "Deletions and duplications that pass by read pairs, by depth, or by both. What read pairs alone tell may lie"
        " where depth tells nothing; what depth alone tells has its ends in repeats, or is none."
    )
    body, counts, rows = "", [], []
    for item in facts.dosage:
        sample = escape(item["sample"])
        for way, reason in item["not_called"].items():
            body += f"<p>{sample}: not called by {WAYS[way]}: {escape(reason)}</p>"
        found = [
            "both" if row["reads"] and row["depth"] else "reads" if row["reads"] else "depth"
            for row in item["variants"]
        ]
        counts.append((sample, number(item["least"]), *(str(found.count(way)) for way in ("both", "reads", "depth"))))
        rows += [
            (
                sample,
                row["type"],
                escape(_place(row)),
                number(row["end"] - row["start"]),
                _by_reads(row),
                _by_depth(row),
            )
            for row in item["variants"]
        ]
    body += folded(("Sample", "From, bp", "Both", "Read pairs alone", "Depth alone"), counts)
    if not facts.verdicts:
        body += folded(("Sample", "Type", "Place", "bp", "By read pairs", "By depth"), rows)
    return _html("ngc_dosage", "Deletions and duplications", about, body or "<p>Nothing was called.</p>")


def _place(row: Mapping) -> str:
    return f"{row['contig']}:{row['start'] + 1:,}-{row['end']:,}"


def _by_reads(row: Mapping) -> str:
    found = row["reads"]
    return found and escape(" ".join([found["genotype"], found["id"], *found["filters"]])) or ""


def _by_depth(row: Mapping) -> str:
    found = row["depth"]
    return found and escape(" ".join([f"{found['copies']} of {found['expected']} copies", *found["filters"]])) or ""


def somatic_structural(facts: Facts) -> dict:
    """Structural variants that each tumour has and its normal has not, by type and size; and what was filtered."""
    about = "Structural variants of each tumour that its normal does not have. An inversion counts at each of its two"
    about += " junctions, an adjacency of two contigs once."
    rows, said = [], []
    for item in facts.somatic_structural:
        if item["not_called"]:
            said.append(f"<p>{escape(item['sample'])}: not called: {escape(item['not_called'])}</p>")
            continue
        for kind in STRUCTURAL:
            of_kind = item["counts"].get(kind, {})
            cells = [str(of_kind.get(name, 0)) for name in STRUCTURAL_SIZES]
            rows.append((escape(item["sample"]), kind, str(sum(of_kind.values())), *cells))
        filtered = ", ".join(f"{escape(name)} {count}" for name, count in sorted(item["filtered"].items()))
        said.append(f"<p>{escape(item['sample'])}: filtered: {filtered or 'none'}</p>")
    body = folded(("Tumour", "Type", "All", *STRUCTURAL_SIZES), rows) if rows else ""
    text = body + "".join(said) or "<p>No tumour with a normal.</p>"
    return _html("ngc_somatic_structural", "Somatic structural variants", about, text)


def somatic_copy_number(facts: Facts) -> dict:
    """Copy ratio and lesser allele fraction along the genome of each tumour, and its share of tumour cells."""
    key, title = "ngc_somatic_copy_number", "Somatic copy number"
    about = "Copy ratio of each tumour to its normal (without one, to itself), and the fraction of the lesser allele"
    about += " where the normal has two. The share of tumour cells is that of their most complete loss of a haplotype:"
    about += " too low where no loss is in all of them."
    said, rows = [], []
    for sample, item in facts.somatic_copies.items():
        name = escape(sample)
        if reason := item.get("not_called"):
            said.append(f"<li>{name}: not called, {escape(reason)}</li>")
            continue
        told = item["purity"]
        if told["share"] is None:
            said.append(f"<li>{name}: share of tumour cells not told, {escape(told['reason'])}</li>")
        else:
            bounds = f"{100 * told['low']:.0f} to {100 * told['high']:.0f} %"
            said.append(f"<li>{name}: share of tumour cells {100 * told['share']:.0f} % ({bounds})</li>")
        for row in item["segments"]:
            if row["type"]:
                loss = "loss of heterozygosity" if row["loh"] else ""
                minor = "" if row["minor"] is None else f"{row['minor'][1]:.3f}"
                place = f"{escape(row['contig'])}:{row['start'] + 1}-{row['end']}"
                passed = ", ".join(row["filters"]) or "PASS"
                rows.append((name, place, row["type"], f"{row['ratio'][1]:.3f}", minor, loss, passed))
    headers = ("Tumour", "Place", "Type", "Copy ratio", "Lesser fraction", "", "Filter")
    above = (f"<ul>{''.join(said)}</ul>" if said else "") + (folded(headers, rows) if rows else "")
    drawn = {sample: item["segments"] for sample, item in facts.somatic_copies.items() if item.get("segments")}
    if facts.verdicts or not drawn:
        return _html(key, title, about, above or "<p>No tumour was measured.</p>")
    ends: dict[str, int] = {}
    for found in drawn.values():
        for row in found:
            ends[row["contig"]] = max(ends.get(row["contig"], 0), row["end"])
    offsets = dict(zip(ends, accumulate([0, *ends.values()]), strict=False))
    data: dict[str, list[list[float]]] = {}
    for sample, found in drawn.items():
        for row in found:
            places = [round((offsets[row["contig"]] + at) / 1e6, 4) for at in (row["start"], row["end"])]
            data.setdefault(f"{sample} copy ratio", []).extend([at, row["ratio"][1]] for at in places)
            if row["minor"] is not None:
                data.setdefault(f"{sample} lesser fraction", []).extend([at, row["minor"][1]] for at in places)
    pconfig = {
        "xlab": "Position on the genome (Mb)",
        "ylab": "Copy ratio, lesser allele fraction",
        "ymin": 0,
        "ymax": min(8.0, max(2.0, *(y for line in data.values() for _, y in line))),
        "style": "lines",
        "showlegend": len(data) <= MAX_LEGEND,
        "x_lines": [
            {"value": round(start / 1e6, 4), "color": "#7f8c8d", "dash": "dot", "width": 1, "label": contig}
            for contig, start in offsets.items()
        ],
    }
    return _plot(key, title, about, above, "linegraph", pconfig, [data])


def homozygosity(facts: Facts) -> dict:
    """Runs of homozygosity of each sample; chromosomes of a child that came from one parent."""
    about = (
        "Long runs of homozygosity on the autosomes, as related parents or isodisomy give, and, of a child with both"
    )
    about += " parents, chromosomes of which it has one parent's alleles only. Reported, nothing is judged by them."
    rows, found, asked = [], [], []
    for sample, item in facts.homozygosity.items():
        runs = item["runs_of_homozygosity"]
        most = sorted(runs["chromosomes"].items(), key=lambda pair: -pair[1])[:SHOWN_CHROMOSOMES]
        where = ", ".join(f"{escape(contig)} {_mb(bases)}" for contig, bases in most)
        share = "" if runs["share"] is None else f"{100 * runs['share']:.2f} %"
        rows.append((escape(sample), number(runs["runs"]), _mb(runs["total"]), share, _mb(runs["longest"]), where))
        if item["disomies"] is None:
            continue
        sites = sum(row["sites"] for row in item["disomies"])
        alone = sum(row["maternal"] + row["paternal"] for row in item["disomies"])
        asked.append(f"<li>{escape(sample)}: one parent's allele only at {number(alone)} of {number(sites)} sites</li>")
        found += [
            (
                escape(sample),
                escape(row["contig"]),
                f"<strong>{escape(row['told'])}</strong>",
                *(number(row[key]) for key in ("sites", "maternal", "paternal")),
            )
            for row in item["disomies"]
            if row["told"]
        ]
    if not rows:
        return _html("ngc_homozygosity", "Homozygosity and disomy", about, "<p>Nothing was measured.</p>")
    parts = [folded(("Sample", "Runs", "Total", "Of the autosomes", "Longest", "Most on"), rows)]
    parts.append(f"<ul>{''.join(asked)}</ul>" if asked else "")
    if found:
        headers = ("Child", "Chromosome", "Found", "Sites", "Mother's only", "Father's only")
        parts.append(table(headers, found))
    return _html("ngc_homozygosity", "Homozygosity and disomy", about, "".join(parts))


def _mb(bases: int) -> str:
    return f"{bases / 1e6:.1f} Mb"


def somatic(facts: Facts) -> dict:
    """Somatic variants of each tumour by type, its burden, and how often each filter was set."""
    about = "Somatic SNVs, insertions, deletions and substitutions of several bases (MNV) that pass, + those that are"
    about += (
        " filtered; burden: PASS variants per megabase that the tumour covers. Reported, nothing is judged by them."
    )
    about += " Of a tumour without its normal, rare germline variants are among them."
    rows, filters = [], []
    for sample, item in facts.somatic.items():
        beside = escape(item["normal"]) if item["normal"] else "<strong>none: tumour only</strong>"
        cells = [f"{number(of['passed'])} + {number(of['filtered'])}" for of in item["counts"].values()]
        changes, burden = (item["transitions"], item["transversions"]), item["burden"]
        ratio = f"{changes[0] / changes[1]:.2f}" if changes[1] else ""
        rate = f"not measured: no base with {burden['depth']} reads" if burden["per_megabase"] is None else ""
        rate = rate or f"{burden['per_megabase']:.2f} per Mb: {number(burden['variants'])} in {_mb(burden['bases'])}"
        rows.append((escape(sample), beside, *cells, ratio, rate))
        often = sorted(item["filters"].items(), key=lambda pair: (-pair[1], pair[0]))
        filters += [(escape(sample), escape(name), number(count)) for name, count in often]
    headers = ("Tumour", "Normal", "SNVs", "Insertions", "Deletions", "MNVs", "Ti/tv", "Burden")
    body = folded(headers, rows) + folded(("Tumour", "Filter", "Variants"), filters)
    return _html("ngc_somatic", "Somatic variants", about, body)


def fractions(facts: Facts) -> dict:
    """PASS somatic variants of each tumour by the fraction of the allele."""
    key, title = "ngc_somatic_fractions", "Fractions of somatic variants"
    about = "PASS somatic variants by the fraction of the allele in the tumour, in classes of equal width."
    lines = {
        sample: [[(at + 0.5) / len(item["fractions"]), n] for at, n in enumerate(item["fractions"])]
        for sample, item in facts.somatic.items()
    }
    pconfig = {"xlab": "Fraction of the allele", "ylab": "PASS variants", "xmin": 0, "xmax": 1, "ymin": 0}
    pconfig |= {"style": "lines+markers", "showlegend": len(lines) <= MAX_LEGEND}
    return _plot(key, title, about, "", "linegraph", pconfig, [lines])


def contexts(facts: Facts) -> dict:
    """PASS SNVs of each tumour in the 96 contexts, in the report of a case only: of a run they would be too many."""
    key, title = "ngc_mutation_contexts", "Mutation contexts"
    about = (
        "PASS somatic SNVs by substitution and neighbouring bases, on the strand of the pyrimidine, in COSMIC's order."
    )
    about += " The table is in the submission."
    if facts.verdicts:
        return _html(key, title, about, "<p>The report of each case has its contexts.</p>")
    datasets, without = [], []
    for sample, item in facts.somatic.items():
        # One bar for each context, coloured by its substitution.
        datasets.append({name: {name[2:5]: n} for name, n in item["contexts"].items()})
        if item["without_context"]:
            without.append(f"<li>{escape(sample)}: {number(item['without_context'])} SNVs beside an N have none</li>")
    names = list(facts.somatic)
    pconfig = {
        "ylab": "PASS SNVs",
        "data_labels": [{"name": name, "ylab": "PASS SNVs"} for name in names],
        "sort_samples": False,
        "cpswitch": False,
        "use_legend": True,
        "height": 1300,
    }
    above = f"<ul>{''.join(without)}</ul>" if without else ""
    return _plot(key, title, about, above, "bargraph", pconfig, datasets)


def tumours(facts: Facts) -> dict:
    """Which somatic variants a person's tumours share."""
    about = (
        "Several tumours of one person: PASS variants that a group of them has and no other. A variant that passes in"
    )
    about += " one and is filtered in another is no proof that they differ."
    rows, hidden = [], []
    for item in facts.tumours:
        case = escape(item["case"])
        for group in item["sets"]:
            what = "shared by all" if group["tumours"] == item["tumours"] else "shared by some"
            what = "private" if len(group["tumours"]) == 1 else what
            names = escape(", ".join(group["tumours"]))
            rows.append((case, what, names, number(group["variants"]), number(group["snvs"])))
        for pair in item["filtered"]:
            hidden.append((case, escape(pair["passes"]), escape(pair["filtered"]), number(pair["variants"])))
    body = folded(("Case", "", "Tumours", "Variants", "of which SNVs"), rows)
    body += folded(("Case", "Passes in", "Filtered in", "Variants"), hidden)
    return _html("ngc_tumours", "Tumours of one person", about, body or "<p>No variant passes.</p>")


def coverage(facts: Facts) -> dict:
    """Share of the autosomes at each depth."""
    lines = {
        sample: {depth: 100 * bases / sum(histogram.values()) for depth, bases in sorted(histogram.items())}
        for sample, histogram in facts.coverage.items()
    }
    about = "Share of non-gap autosomal bases at each depth, counted as mean_autosome_coverage is."
    return _lines(facts, "ngc_coverage", "Coverage", about, lines, "Depth (x)", "% of bases", "mean_autosome_coverage")


def cumulative(facts: Facts) -> dict:
    """Share of the autosomes at each depth or more."""
    lines = {}
    for sample, histogram in facts.coverage.items():
        depths, whole = sorted(histogram), sum(histogram.values())
        left = accumulate(histogram[depth] for depth in reversed(depths))
        at_least = dict(zip(reversed(depths), left, strict=True))
        lines[sample] = {depth: 100 * at_least[depth] / whole for depth in depths}
    about = "Share of non-gap autosomal bases with that depth or more; pct_autosomes_15x is the point at 15."
    name = "pct_autosomes_15x"
    return _lines(facts, "ngc_cumulative", "Cumulative coverage", about, lines, "Depth (x)", "% of bases", name)


def insert_size(facts: Facts) -> dict:
    """Share of inward pairs at each insert size."""
    lines = {}
    for sample, histogram in facts.inserts.items():
        whole = sum(histogram.values())
        if whole:
            lines[sample] = {size: 100 * pairs / whole for size, pairs in sorted(histogram.items())}
    about = "Inward-facing read pairs on one contig, by insert size."
    name = "median_insert_size"
    return _lines(facts, "ngc_inserts", "Insert size", about, lines, "Insert size (bp)", "% of pairs", name)


def _lines(facts: Facts, key: str, title: str, about: str, lines: dict, xlab: str, ylab: str, metric: str) -> dict:
    """A distribution per sample, cut where all have ended and thinned to every nth value."""
    above = _unmeasured(facts, [metric])
    if not lines:
        return _html(key, title, about, f"{above}<p>No sample was measured.</p>")
    end = max((x for line in lines.values() for x, y in line.items() if y >= DRAWN_FROM), default=1)
    step = -(-max(end, 1) // MAX_POINTS)
    if step > 1:
        about += f" One value in {step} is drawn."
    data = {name: [[x, y] for x, y in line.items() if x <= end and x % step == 0] for name, line in lines.items()}
    pconfig = {"xlab": xlab, "ylab": ylab, "ymin": 0, "style": "lines", "showlegend": len(data) <= MAX_LEGEND}
    return _plot(key, title, about, above, "linegraph", pconfig, [data])


def family(facts: Facts) -> dict:
    """Members of each case of several people, with what the joint VCF says of them."""
    about = "Cases of several people, by their joint VCF: PASS variants that each member carries, de novo candidates of"
    about += " high and low confidence, and autosomal variants of a child that its parents cannot give it. Observed:"
    about += " what the genotypes say of each relation to the index."
    seen = {}
    for row in (row for item in facts.identity for row in item["relations"]):
        seen[row["a"], row["b"]] = seen[row["b"], row["a"]] = f"{escape(row['observed'])} {_badge(row)}"
    counts, rows = [], []
    for item in facts.families:
        index = next((member["sample"] for member in item["members"] if member["relation"] == "index"), None)
        found = item["variants"]
        counts.append((escape(item["case"]), *(number(found[key]) for key in ("snvs", "indels", "filtered"))))
        for member in item["members"]:
            of, errors = member["mendelian_sites"], member["mendelian_errors"]
            rows.append(
                (
                    escape(item["case"]),
                    escape(member["sample"]),
                    escape(member["relation"]),
                    escape(member["sex"]),
                    escape(member["affected"]),
                    "" if member["sample"] == index else seen.get((index, member["sample"]), "not compared"),
                    number(member["carried"]),
                    *("" if member[key] is None else number(member[key]) for key in ("denovo_high", "denovo_low")),
                    "" if of is None else f"{number(errors)} of {number(of)}" + (f" ({errors / of:.2%})" if of else ""),
                )
            )
    if not rows:
        return _html("ngc_family", "Families", about, "<p>No case has more than one person.</p>")
    body = folded(("Case", "SNVs", "Indels", "Filtered"), counts)
    headers = ("Case", "Sample", "Relation", "Sex", "Affected", "Observed", "Carried", "De novo, high", "De novo, low")
    body += folded((*headers, "Against Mendel"), rows)
    return _html("ngc_family", "Families", about, body)


def mitochondrion(facts: Facts) -> dict:
    """Depth along the mitochondrion, and its variants with the share of molecules that carry them."""
    about = "Depth along the mitochondrial contig, reads across its origin included, and the variants by the share of"
    about += " molecules that carry them; in a run's report only their number."
    found = facts.mitochondria
    if not found:
        return _html("ngc_mitochondrion", "Mitochondrion", about, "<p>No mitochondrion was called.</p>")
    rows, variants = [], []
    for sample, item in found.items():
        passed = [one for one in item["variants"] if not one["filters"]]
        whole = sum(one["genotype"] == "1" for one in passed)
        told = f"{item['low']} of low fraction"
        told += ": more than one person has, a second haplotype?" if item["contaminated"] else ""
        filtered = len(item["variants"]) - len(passed)
        numbers = (item["mean_depth"], whole, len(passed) - whole, filtered)
        rows.append(
            (escape(sample), *map(number, numbers), f"<strong>{told}</strong>" if item["contaminated"] else told)
        )
        for one in item["variants"] if not facts.verdicts else ():
            kind = "homoplasmic" if one["genotype"] == "1" else "heteroplasmic"
            name = f"{one['pos']} {escape(one['ref'])}&gt;{escape(one['alt'])}"
            said = escape(", ".join(one["filters"]) or "PASS")
            variants.append((escape(sample), name, number(one["fraction"]), number(one["depth"]), kind, said))
    headers = ("Sample", "Mean depth", "Homoplasmic", "Heteroplasmic", "Filtered", "Contamination")
    above = folded(headers, rows)
    above += folded(("Sample", "Variant", "Fraction", "Depth", "", "Filter"), variants)
    data = {
        sample: [[at * item["step"] + 1, depth] for at, depth in enumerate(item["depths"])]
        for sample, item in found.items()
    }
    pconfig = {"xlab": "Position (bp)", "ylab": "Depth (x)", "ymin": 0, "style": "lines"}
    pconfig["showlegend"] = len(data) <= MAX_LEGEND
    return _plot("ngc_mitochondrion", "Mitochondrion", about, above, "linegraph", pconfig, [data])


def versions(facts: Facts) -> dict:
    """Profile, workflow, tools and databases."""
    rows = [("profile", escape(facts.profile["id"]), escape(facts.profile["version"]), "")]
    rows += [("workflow", "ngc-wgs", escape(facts.workflow), "")]
    rows += [
        ("tool", escape(tool["name"]), escape(str(tool["version"])), f"pinned {escape(str(tool['pinned']))}")
        for tool in facts.tools
    ]
    for item in facts.databases:
        digest = f"sha256 {escape(item['sha256'])}" if item.get("sha256") else ""
        rows.append(("database", escape(str(item["name"])), escape(str(item.get("version") or "")), digest))
    about = "What ran, beside what is pinned; a database is named by its digest."
    about += "" if facts.databases else " No population database was used."
    return _html("ngc_versions", "Versions", about, table(("Kind", "Name", "Version", ""), rows))


def definitions(facts: Facts) -> dict:
    """What each metric of the profile means, with all its gates."""
    rows = []
    for name, metric in facts.profile["metrics"].items():
        key = escape(metric["id"])
        rows.append(
            (
                f'<span id="{key}">{key}</span><br>{escape(name)}',
                escape(metric["definition"]),
                escape(metric["unit"]),
                _gates(metric),
                escape(metric["tool"]),
                escape(metric["source"]),
                escape(metric["mend"]),
            )
        )
    about = "The profile's metrics. Basis: law, ngc-observed (seen at the centre), peer (another programme), own."
    headers = ("Gate", "Definition", "Unit", "Thresholds", "Tool", "Source", "Mend")
    return _html("ngc_definitions", "Definitions", about, table(headers, rows))


def _gates(metric: Mapping) -> str:
    """All gates of a profile's metric."""
    texts = [
        escape(f"{_asks(gate)} ({', '.join(gate[key] for key in ('applies_to', 'only', 'basis') if gate.get(key))})")
        for gate in metric["gates"]
    ]
    return "<br>".join(texts) or "none, reported"


# ---- parts ---------------------------------------------------------------------------------


def number(value: float) -> str:
    """A number as the JSON has it, with commas at the thousands: ten digits in a row look like a person's number."""
    return f"{int(value):,}" if value == int(value) else f"{value:,.12g}"


def table(headers: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """An HTML table; the cells are HTML already."""
    head = "".join(f"<th>{header}</th>" for header in headers)
    body = "".join("<tr>" + "".join(f"<td>{cell}</td>" for cell in row) + "</tr>" for row in rows)
    start = '<div class="table-responsive"><table class="table table-sm">'
    return f"{start}<thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>"


def folded(headers: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A table that is opened by hand where it is long; nothing where it has no row."""
    if len(rows) <= MAX_ROWS:
        return table(headers, rows) if rows else ""
    return f"<details><summary>{len(rows)} rows</summary>{table(headers, rows)}</details>"


def _value(entries: Mapping[str, dict], name: str) -> float | None:
    return entries[name]["value"] if name in entries else None


def _status(entries: Mapping[str, dict], name: str) -> str:
    return entries[name]["status"] if name in entries else "NOT_MEASURED"


def _unmeasured(facts: Facts, names: Iterable[str]) -> str:
    """The samples that a section's metrics are not measured of, with the reasons; nothing where all are."""
    found: dict[tuple[str, str], list[str]] = defaultdict(list)
    for name in names:
        for sample, (_, entries) in facts.samples.items():
            if name in entries and entries[name]["value"] is None:
                found[name, _reason(entries[name])].append(sample)
        if name not in facts.profile["metrics"]:
            found[name, "the profile does not have it"] = []
    items = []
    for (name, reason), samples in found.items():
        whom = f"{len(samples)} samples" if len(samples) > SHOWN_SAMPLES else ", ".join(samples)
        items.append(f"<li>NOT_MEASURED {escape(name)}: {escape(reason)}{f' ({escape(whom)})' if whom else ''}</li>")
    return f"<ul>{''.join(items)}</ul>" if items else ""


def _html(key: str, title: str, about: str, body: str) -> dict:
    """A section of text and tables."""
    return {"id": key, "section_name": title, "description": about, "plot_type": "html", "data": body}


def _plot(key: str, title: str, about: str, above: str, kind: str, pconfig: dict, data: list) -> dict:
    """A section with a plot. above: HTML between the description and the plot."""
    # A list, not a dict: MultiQC would shorten the names that a dict has as keys.
    pconfig = {"id": f"{key}_plot", "title": title, "series_label": False, **pconfig}
    section = {"id": key, "section_name": title, "description": about, "extra": above, "plot_type": kind}
    return {**section, "pconfig": pconfig, "data": data}


# ---- MultiQC -------------------------------------------------------------------------------


# MultiQC's script asks a server for a paper's title when a reader points at its DOI. With this the browser refuses.
NO_NETWORK = (
    "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src data: blob: 'unsafe-inline' 'unsafe-eval'; "
    "base-uri 'none'; form-action 'none'\">"
)


def write(content: list[dict], title: str, output: Path, config: Path, log, files: Iterable[Path] = (), scratch=None):
    """Run MultiQC on the sections and on tool reports, and on nothing else. log: open file for its messages."""
    with TemporaryDirectory(dir=scratch) as folder:
        place = Path(folder)
        for section in content:
            (place / f"{section['id']}_mqc.json").write_text(json.dumps(section))
        order = {"custom_content": {"order": [section["id"] for section in content]}}
        (place / "order.yaml").write_text(json.dumps(order))
        given = [*sorted(place.glob("*_mqc.json")), *files]
        (place / "files.txt").write_text("".join(f"{path}\n" for path in given))
        command = ["multiqc", "--force", "--no-data-dir", "--no-ansi"]
        command += ["--config", str(config), "--config", str(place / "order.yaml"), "--title", title]
        command += ["--file-list", str(place / "files.txt")]
        command += ["--outdir", str(output.parent), "--filename", output.name]
        subprocess.run(command, stdout=log, stderr=log, check=True)
    before, head, after = output.read_text(encoding="utf-8").partition("<head>")
    if not head:
        raise ReportError(f"{output}: MultiQC's report has no <head> to forbid the network in")
    output.write_text(before + head + NO_NETWORK + after, encoding="utf-8")
