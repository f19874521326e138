"""Collects what the tools measured of one sample under GA4GH's names and judges it by the profile's gates.

Each `read_*` function takes the text of one tool's report and returns metric name to `Measured`; names, definitions
and gates are the profile's (`metrics`). A report that is empty, cut off or of another tool raises BadReport.
"""

from __future__ import annotations

import gzip
import json
import math
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from ngc_wgs import __version__, errors

RANK = {"PASS": 0, "WARN": 1, "FAIL": 2}
WINDOW = 1000
"""Windows (bp) over which the depth of X and Y is taken, for a median that repeats cannot pull."""


@dataclass(frozen=True)
class Measured:
    """One measured value.

    value: None where it was not measured; `reason` then says why, else what stands behind the value (may be empty).
    denominator: what the value is a share or mean of (bases, reads, pairs, sites). error: standard error, or None.
    """

    value: float | None
    denominator: float | None = None
    error: float | None = None
    reason: str = ""


Values = dict[str, Measured]


class BadReport(Exception):
    """A tool's report that cannot be used; the message names the file and the mend."""


class Refused(Exception):
    """A case that a gate stops; the message is the gate's log."""


def read(reader: Callable[..., Values], *paths: str, also: tuple = ()) -> Values:
    """`reader` on the texts of reports (gzip by their ending), then on `also`. Raises BadReport naming the files."""
    try:
        texts = [
            gzip.decompress(Path(path).read_bytes()).decode() if path.endswith(".gz") else Path(path).read_text()
            for path in paths
        ]
        return reader(*texts, *also)
    except (OSError, EOFError, ValueError, LookupError, TypeError, AttributeError) as error:
        said = f"{type(error).__name__}: {error}"
        raise BadReport(
            f"{', '.join(paths)}: empty, cut off or not the report that it should be ({said}). "
            "Mend: delete it and start the same command again."
        ) from error


# ---- reports of the tools --------------------------------------------------------------------


def read_intake(*texts: str) -> Values:
    """Yield (bp), share of Q30 (%) and mean length (bp) of raw reads, from the intake reports of a sample's units."""
    units = [json.loads(text) for text in texts]
    bases = sum(unit["bases"] for unit in units)
    q30 = sum(unit["q30_bases"] for unit in units)
    reads = sum(2 * unit["pairs"] for unit in units)
    return {
        "yield_bp_q30": Measured(q30, bases),
        "pct_q30": _percent(q30, bases, "no bases"),
        "mean_read_length": _ratio(bases, reads, "no reads"),
    }


def read_samtools_stats(text: str) -> Values:
    """Mapped reads and improper pairs (%) and the median insert size (bp) of inward pairs, from `samtools stats`."""
    numbers, inserts = {}, []
    if "\n# GC-depth" not in text:
        raise ValueError("the last section, GC-depth, is missing")
    for line in text.splitlines():
        fields = line.split("\t")
        if fields[0] == "SN":
            numbers[fields[1].rstrip(":")] = float(fields[2])
        elif fields[0] == "IS":
            inserts.append((int(fields[1]), int(fields[3])))
    paired = numbers["reads paired"]
    pairs = sum(count for _, count in inserts)
    seen, median = 0, None
    for length, count in inserts:
        seen += count
        if seen and 2 * seen >= pairs:
            median = length
            break
    return {
        "pct_reads_mapped": _percent(numbers["reads mapped"], numbers["raw total sequences"], "no reads"),
        "pct_reads_improper_pairs": _percent(paired - numbers["reads properly paired"], paired, "no paired reads"),
        "median_insert_size": Measured(median, pairs, reason="" if pairs else "no inward-facing pairs"),
    }


def read_markdup(text: str) -> Values:
    """Share of duplicates among primary mapped reads (%), over the libraries of a `samtools markdup` JSON report."""
    counts = json.loads(text)
    return {"pct_duplicate_reads": _percent(counts["DUPLICATE PRIMARY TOTAL"], counts["EXAMINED"], "no mapped reads")}


def read_mosdepth(summary: str, thresholds: str, lengths: Mapping[str, int]) -> Values:
    """Mean depth and the shares of bases at 10x and 20x over the regions that mosdepth was given.

    lengths: bases of the regions on each contig that counts; mosdepth leaves a contig without reads out of its summary.
    thresholds: text of its `thresholds.bed`, bases of each region at 10X and 20X or more: its own distributions are
    rounded to a hundredth.
    """
    regions = _summary(summary)
    total = sum(lengths.values())
    bases = sum(regions.get(contig, 0) for contig in lengths)
    rows = [row for contig, row in _rows(thresholds.lstrip("#"), "chrom") if contig in lengths]
    if sum(int(row["end"]) - int(row["start"]) for row in rows) != total:
        raise ValueError("the thresholds are not of all regions")
    reason = "the evaluation regions hold no base of the sample's contigs"
    return {
        "mean_coverage": _ratio(bases, total, reason),
        **{
            f"pct_{depth}x": _ratio(sum(int(row[f"{depth}X"]) for row in rows), total, reason, digits=6)
            for depth in (10, 20)
        },
    }


def read_mitochondrion(summary: str, profile) -> Values:
    """Mean depth of the mitochondrial contig, from mosdepth's summary, which leaves out a contig without reads."""
    _summary(summary)
    contig = next(iter(profile.contigs("M")), None)
    if contig is None:
        return {"mean_mt_coverage": Measured(None, reason="the reference has no mitochondrial contig")}
    row = dict(_rows(summary, "chrom")).get(contig["name"], {"mean": "0"})
    return {"mean_mt_coverage": Measured(float(row["mean"]), contig["length"])}


def read_wgs_metrics(text: str) -> Values:
    """Mean and MAD of the autosomal depth (x) and the share at 15x (%), from Picard CollectWgsMetrics."""
    lines = text.splitlines()
    start = next((i for i, line in enumerate(lines) if line.startswith("GENOME_TERRITORY")), None)
    if start is None:
        raise ValueError("no GENOME_TERRITORY")
    row = dict(zip(lines[start].split("\t"), lines[start + 1].split("\t"), strict=True))
    territory = int(row["GENOME_TERRITORY"])
    found = {
        "mean_autosome_coverage": float(row["MEAN_COVERAGE"]),
        "mad_autosome_coverage": float(row["MAD_COVERAGE"]),
        "pct_autosomes_15x": round(100 * float(row["PCT_15X"]), 4),
    }
    if not territory or not all(map(math.isfinite, found.values())):
        return {name: Measured(None, territory, reason="no autosomal bases to measure") for name in found}
    return {name: Measured(value, territory) for name, value in found.items()}


def read_bcftools_stats(text: str) -> Values:
    """Counts and ratios of autosomal PASS records, from `bcftools stats -s -`; a ratio to nothing is not measured."""
    columns: dict[str, list[str]] = {}
    rows: dict[str, list[dict[str, str]]] = {}
    for line in text.splitlines():
        fields = line.split("\t")
        if line.startswith("# ") and len(fields) > 2 and fields[1] == "[2]id":
            columns[fields[0][2:]] = [field.split("]", 1)[-1] for field in fields[1:]]
        elif fields[0] in columns:
            rows.setdefault(fields[0], []).append(dict(zip(columns[fields[0]], fields[1:], strict=False)))
    if missing := {"SN", "TSTV", "IDD", "PSC", "PSI"} - columns.keys():
        raise ValueError(f"without {', '.join(sorted(missing))}")
    insertions = deletions = 0
    for row in rows.get("IDD", []):
        length, sites = int(row["length (deletions negative)"]), int(row["number of sites"])
        insertions, deletions = insertions + sites * (length > 0), deletions + sites * (length < 0)
    numbers = {row["key"].rstrip(":"): int(row["value"]) for row in rows.get("SN", [])}
    changes, per_sample, indels = rows["TSTV"][0], rows["PSC"][0], rows["PSI"][0]
    het = sum(int(row[key]) for row, key in [(per_sample, "nHets"), (indels, "nInsHets"), (indels, "nDelHets")])
    hom = sum(
        int(row[key]) for row, key in [(per_sample, "nNonRefHom"), (indels, "nInsAltHoms"), (indels, "nDelAltHoms")]
    )
    return {
        "count_snvs": Measured(numbers["number of SNPs"]),
        "count_insertions": Measured(insertions),
        "count_deletions": Measured(deletions),
        "ratio_heterozygous_homozygous": _ratio(het, hom, "no homozygous variant"),
        "ratio_insertion_deletion": _ratio(insertions, deletions, "no deletion"),
        "ratio_transitions_transversions": _ratio(int(changes["ts"]), int(changes["tv"]), "no transversion"),
    }


def read_structural(text: str) -> Values:
    """Structural variants of a sample that pass, from its counts."""
    found = json.loads(text)
    if found["counts"] is None:
        return {"count_structural_variants": Measured(None, reason=f"not called: {found['not_called']}")}
    return {"count_structural_variants": Measured(sum(sum(of.values()) for of in found["counts"].values()))}


def read_somatic(text: str) -> Values:
    """PASS SNVs and indels of a tumour and its mutational burden, from its counts."""
    found = json.loads(text)
    counts, burden = found["counts"], found["burden"]
    few = f"no base of the evaluation regions is covered by {burden['depth']} reads of the tumour"
    return {
        "tumour_mutational_burden": Measured(
            burden["per_megabase"], burden["bases"], reason="" if burden["bases"] else few
        ),
        "somatic_snvs": Measured(counts["snv"]["passed"]),
        "somatic_indels": Measured(counts["insertion"]["passed"] + counts["deletion"]["passed"]),
    }


# ---- sex -------------------------------------------------------------------------------------


def read_sex(summary: str, windows: str, profile, read_length: float) -> Values:
    """Depth of X and Y over that of the autosomes, and that of the autosomes (`autosome_depth`, x).

    summary, windows: text of mosdepth's summary and `regions.bed` (contig, start, end, mean depth), whose regions on X
    and Y are windows of at most WINDOW bp that no end of a pseudoautosomal region cuts. read_length: bp, for the
    counting error.
    """
    rows = [line.split("\t") for line in windows.splitlines()]
    autosomes = {contig["name"] for contig in profile.contigs("autosome")}
    covered = _summary(summary)
    territory = sum(int(row[2]) - int(row[1]) for row in rows if row[0] in autosomes)
    depth = _ratio(
        sum(covered.get(name, 0) for name in autosomes), territory, "the evaluation regions hold no autosome"
    )
    found = {"autosome_depth": depth}
    for role in ("X", "Y"):
        name = f"ratio_{role.lower()}_autosomes"
        contigs = {contig["name"]: profile.par(contig["name"]) for contig in profile.contigs(role)}
        own = [
            (float(row[-1]), int(row[2]) - int(row[1]))
            for row in rows
            if row[0] in contigs and not any(start <= int(row[1]) < end for start, end in contigs[row[0]])
        ]
        bases = sum(length for _, length in own)
        if not bases or not depth.value:
            found[name] = Measured(
                None, bases, reason=f"no depth on the autosomes, or no {role} in the evaluation regions"
            )
            continue
        # Fragments fall at random: the error of a count is its square root, that of a median a quarter more. Where
        # none fell, one might have.
        fragments = max(1.0, _median(own) * bases / (2 * read_length))
        error = 1.25 * math.sqrt(fragments) * 2 * read_length / bases / depth.value
        found[name] = Measured(round(_median(own) / depth.value, 4), bases, round(error, 4))
    return found


def tell_sex(values: Mapping[str, Measured], profile, sex: str, sample_type: str = "germline") -> Values:
    """The karyotype that the depths of `read_sex` show, and whether the declared sex agrees with it.

    A karyotype is named only where both ratios lie, by their error, inside its zone in the profile. Tumours lose
    chromosomes and gain none that the person has not: one without Y may be a man's, one with Y is no woman's.
    """
    limits = profile.data["metrics"]["sex_concordance"]["parameters"]
    names = ("sex_concordance", "sex_chromosome_aneuploidy")
    autosomes, x, y = (values[name] for name in ("autosome_depth", "ratio_x_autosomes", "ratio_y_autosomes"))
    for needed in (autosomes, x, y):
        if needed.value is None:
            return dict.fromkeys(names, Measured(None, reason=needed.reason))
    if autosomes.value < limits["minimum_depth"]:
        said = f"the autosomes have {autosomes.value:.2f}x, too little to tell (less than {limits['minimum_depth']}x)"
        return dict.fromkeys(names, Measured(None, reason=said))
    shown = f"X {x.value:.2f}, Y {y.value:.2f} of the autosomal depth"
    karyotype = next(
        (
            name
            for name, zone in limits["karyotypes"].items()
            if _inside(x, zone["x"], limits["errors"]) and _inside(y, zone["y"], limits["errors"])
        ),
        None,
    )
    if karyotype is None:
        said = f"undetermined: {shown}, in or too near the gaps between the karyotypes"
        return dict.fromkeys(names, Measured(None, reason=said))
    reason = f"{karyotype}: {shown}"
    seen = limits["karyotypes"][karyotype]["sex"]
    agrees = Measured(float(seen == sex), reason=reason)
    if (sample_type, sex, seen) == ("tumour", "male", "female"):
        agrees = Measured(None, reason=f"{reason}: the tumour lost Y, or is not this man's; identity_concordance tells")
    if sex not in ("female", "male"):
        agrees = Measured(None, reason=f"the sheet says neither female nor male; {reason}")
    return dict(zip(names, (agrees, Measured(float(karyotype not in ("XX", "XY")), reason=reason)), strict=True))


def _inside(ratio: Measured, zone: list[float], errors: float) -> bool:
    low, high = zone
    return max(0.0, ratio.value - errors * ratio.error) >= low and ratio.value + errors * ratio.error <= high


def _median(weighted: list[tuple[float, int]]) -> float:
    """Median of values by their weights; 0 of nothing."""
    half, seen = sum(weight for _, weight in weighted) / 2, 0
    for value, weight in sorted(weighted):
        seen += weight
        if seen >= half:
            return value
    return 0.0


def tumour_over_normal(tumour: Measured, normal: Measured) -> Measured:
    """Mean coverage of a tumour over that of its normal."""
    if tumour.value is None or not normal.value:
        return Measured(None, reason="without the coverage of both")
    ratio = _ratio(tumour.value, normal.value, "")
    return Measured(ratio.value, ratio.denominator, reason=f"tumour {tumour.value:.4g}x, normal {normal.value:.4g}x")


# ---- identity --------------------------------------------------------------------------------


def read_identity(text: str, sample: str) -> Values:
    """A sample's measured values in the identity report of its case (`samples`)."""
    return _measured(json.loads(text)["samples"][sample])


def read_measured(text: str) -> Values:
    """Measured values of a report that holds nothing else: contamination of a sample, Mendelian errors of a case."""
    return _measured(json.loads(text))


def _measured(values: dict) -> Values:
    found = {name: Measured(**item) for name, item in values.items()}
    for name, item in found.items():
        if item.value is None and not item.reason:
            raise ValueError(f"{name}: without value and without reason")
    return found


# ---- judging ---------------------------------------------------------------------------------


def judge(
    values: Mapping[str, Measured],
    profile,
    *,
    stage: str,
    sample_type: str,
    study_type: str,
    versions: Mapping[str, str],
    whole_genome: bool,
    waivers: Mapping[str, dict] | None = None,
    absent: str = "this run does not measure it",
) -> list[dict]:
    """One entry per metric of a stage of the profile, as `metrics` of metrics.schema.json has it.

    A metric without a value is NOT_MEASURED, never PASS; `absent` is the reason where `values` lacks it. versions: tool
    name to the version that ran. whole_genome: whether coverage was judged over the whole genome. waivers: by metric
    id; one is recorded where the metric warns, and changes no status.
    """
    judged = []
    for name, metric in profile.data["metrics"].items():
        if metric["stage"] != stage or study_type not in metric.get("study_types", [study_type]):
            continue
        if sample_type not in metric.get("sample_types", [sample_type]):
            continue
        found = values.get(name) or Measured(None, reason=absent)
        value = found.value
        gates = [gate for gate in metric["gates"] if counts(gate, profile, sample_type, whole_genome)]
        hit = max(
            (gate for gate in gates if _outside(value, gate)), key=lambda gate: RANK[gate["status"]], default=None
        )
        gate = hit or (gates[0] if gates else None)
        status = "NOT_MEASURED" if value is None else hit["status"] if hit else "PASS"
        judged.append(
            {
                "id": metric["id"],
                "name": name,
                "value": value,
                "unit": metric["unit"],
                "denominator": found.denominator,
                "error": found.error,
                "reason": errors.mask(found.reason),
                "status": status,
                "gate": gate and {key: gate[key] for key in ("op", "value", "status", "basis")},
                "waiver": (waivers or {}).get(metric["id"]) if status == "WARN" else None,
                "stage": stage,
                "definition": metric["definition"],
                "tool": metric["tool"],
                "version": None if value is None else versions[metric["tool"].split()[0]],
            }
        )
    return judged


def counts(gate: dict, profile, sample_type: str, whole_genome: bool) -> bool:
    """Whether a gate counts: for the sample's type and, where it asks, for the whole of the profile's own genome."""
    if gate.get("only") == "whole_genome" and (not whole_genome or profile.overlay_id is not None):
        return False
    return gate["applies_to"] in ("all", sample_type)


def worst(judged: Iterable[dict], profile) -> str:
    """PASS, WARN or FAIL: the worst status of all metrics. One that the profile requires and nobody measured warns."""
    required = {name for name, metric in profile.data["metrics"].items() if metric["required"]}
    statuses = ["WARN" if m["status"] == "NOT_MEASURED" and m["name"] in required else m["status"] for m in judged]
    return max((status for status in statuses if status != "NOT_MEASURED"), key=RANK.__getitem__, default="PASS")


def document(
    row: Mapping[str, str],
    study_type: str,
    measured: Mapping,
    profile,
    *,
    preflight: Mapping,
    waivers: Iterable[dict],
    stages: Iterable[str],
) -> dict:
    """A sample's metrics of some stages, judged, as metrics.schema.json has them.

    row: the sample's row of samples.tsv. measured: its `evaluation_regions` and `values` as alignment_metrics wrote
    them, with those of later stages. preflight: the report that names the versions that ran. waivers: the sample's.
    """
    values = _measured(measured["values"])
    values |= tell_sex(values, profile, row["sex"], row["sample_type"])
    versions = {"intake": __version__, **{tool["name"]: tool["version"] for tool in preflight["tools"]}}
    judged = [
        metric
        for stage in stages
        for metric in judge(
            values,
            profile,
            stage=stage,
            sample_type=row["sample_type"],
            study_type=study_type,
            versions=versions,
            whole_genome=measured["evaluation_regions"]["id"] == "whole_genome",
            waivers={waiver["rule"]: waiver for waiver in waivers},
        )
    ]
    return {
        "biosample": {"id": row["sample"]},
        "metrics_version": "2.0",
        "profile": {"id": profile.id, "version": profile.version},
        "evaluation_regions": measured["evaluation_regions"],
        "wgs_qc_metrics": {metric["name"]: metric["value"] for metric in judged},
        "metrics": judged,
        "status": worst(judged, profile),
    }


# ---- gates -----------------------------------------------------------------------------------


def failures(documents: Iterable[dict], profile, waivers: Mapping[str, list[dict]] | None = None) -> list[str]:
    """What stops a case: a line per failed metric, with id, sample, value, threshold and mend.

    waivers: rows by sample; one for a failed metric is told to be void.
    """
    said = []
    for document in documents:
        sample = document["biosample"]["id"]
        waived = {row["rule"] for row in (waivers or {}).get(sample, [])}
        for metric in document["metrics"]:
            if metric["status"] == "FAIL":
                said.append(line(sample, metric, profile))
                if metric["id"] in waived:
                    said.append(
                        f"{metric['id']} {sample}: its waiver is void, only a WARN can be waived. "
                        "Mend: take the row out of the table of waivers."
                    )
    return said


def gate(name: str, case: str, said: list[str], proceed: bool) -> str:
    """What a gate writes where it lets a case pass; raises Refused with the reasons where it does not."""
    if not said:
        return "passed\n"
    text = "\n".join([f"The {name} gate refuses case {case}:", *said])
    if not proceed:
        raise Refused(text)
    return f"{text}\nproceed_on_fail: it runs on, and its submission stays refused.\n"


def end_gate(name: str, case: str, said: list[str], proceed: bool, output: Path) -> None:
    """Write a gate's output and its log, or end the process with the reasons where it refuses."""
    try:
        passed = gate(name, case, said, proceed)
    except Refused as refusal:
        sys.exit(str(refusal))
    print(passed, end="", file=sys.stderr)
    output.write_text(passed)


def line(sample: str, metric: dict, profile) -> str:
    """A metric that met its gate, as one line: `ID sample name value unit: STATUS where op threshold. Mend: ...`."""
    gate = metric["gate"]
    reason = f" ({metric['reason']})" if metric["reason"] else ""
    return (
        f"{metric['id']} {sample} {metric['name']} {metric['value']:.10g} {metric['unit']}{reason}: "
        f"{metric['status']} where {gate['op']} {gate['value']:.10g}. "
        f"Mend: {profile.data['metrics'][metric['name']]['mend']}."
    )


def _outside(value: float | None, gate: dict) -> bool:
    return value is not None and (value < gate["value"] if gate["op"] == "<" else value > gate["value"])


def _ratio(part: float, whole: float, reason: str, digits: int = 4) -> Measured:
    return Measured(round(part / whole, digits), whole) if whole else Measured(None, whole, reason=reason)


def _percent(part: float, whole: float, reason: str) -> Measured:
    return Measured(round(100 * part / whole, 4), whole) if whole else Measured(None, whole, reason=reason)


def _summary(text: str) -> dict[str, int]:
    """Bases of reads in the regions of each contig, from mosdepth's summary; its last line is the total's."""
    regions = {name: int(row["bases"]) for name, row in _rows(text, "chrom") if name.endswith("_region")}
    if "total_region" not in regions:
        raise ValueError("the last line, total_region, is missing")
    return {name.removesuffix("_region"): bases for name, bases in regions.items()}


def _rows(text: str, key: str) -> Iterator[tuple[str, dict[str, str]]]:
    lines = [line.split("\t") for line in text.splitlines()]
    for fields in lines[1:]:
        row = dict(zip(lines[0], fields, strict=True))
        yield row[key], row
