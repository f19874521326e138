"""Collects what the tools measured of one sample under GA4GH's names and judges it by the profile's gates.

Each `read_*` function takes the text of one tool's report and returns metric name to value; names, definitions and
gates are the profile's (`metrics`).
"""

from __future__ import annotations

import json
from collections.abc import Iterable

RANK = {"PASS": 0, "WARN": 1, "FAIL": 2}


def read_intake(units: Iterable[dict]) -> dict[str, float]:
    """Yield (bp), share of Q30 (%) and mean length (bp) of raw reads, from the intake reports of a sample's units."""
    units = list(units)
    bases = sum(unit["bases"] for unit in units)
    q30 = sum(unit["q30_bases"] for unit in units)
    reads = sum(2 * unit["pairs"] for unit in units)
    return {
        "yield_bp_q30": q30,
        "pct_q30": round(100 * q30 / bases, 4),
        "mean_read_length": round(bases / reads, 4),
    }


def read_samtools_stats(text: str) -> dict[str, float]:
    """Mapped reads and improper pairs (%) and the median insert size (bp) of inward pairs, from `samtools stats`."""
    numbers, inserts = {}, []
    for line in text.splitlines():
        fields = line.split("\t")
        if fields[0] == "SN":
            numbers[fields[1].rstrip(":")] = float(fields[2])
        elif fields[0] == "IS":
            inserts.append((int(fields[1]), int(fields[3])))
    found = {"pct_reads_mapped": _percent(numbers["reads mapped"], numbers["raw total sequences"])}
    paired = numbers["reads paired"]
    found["pct_reads_improper_pairs"] = _percent(paired - numbers["reads properly paired"], paired)
    half, seen = sum(count for _, count in inserts) / 2, 0
    for length, count in inserts:
        seen += count
        if seen and seen >= half:
            found["median_insert_size"] = length
            break
    return found


def read_markdup(text: str) -> dict[str, float]:
    """Share of duplicates among primary mapped reads (%), over the libraries of a `samtools markdup` JSON report."""
    counts = json.loads(text)
    return {"pct_duplicate_reads": _percent(counts["DUPLICATE PRIMARY TOTAL"], counts["EXAMINED"])}


def read_mosdepth(summary: str, thresholds: str, lengths: dict[str, int]) -> dict[str, float]:
    """Mean depth and the shares of bases at 10x and 20x over the regions that mosdepth was given.

    lengths: bases of the regions on each contig that counts; mosdepth leaves a contig without reads out of its summary.
    thresholds: text of its `thresholds.bed`, bases of each region at 10X and 20X or more: its own distributions are
    rounded to a hundredth.
    """
    total = sum(lengths.values())
    if not total:
        return {}
    regions = dict(_rows(summary, "chrom"))
    bases = sum(int(regions[f"{contig}_region"]["bases"]) for contig in lengths if f"{contig}_region" in regions)
    rows = [row for contig, row in _rows(thresholds.lstrip("#"), "chrom") if contig in lengths]
    return {
        "mean_coverage": round(bases / total, 4),
        **{f"pct_{depth}x": round(sum(int(row[f"{depth}X"]) for row in rows) / total, 6) for depth in (10, 20)},
    }


def read_mitochondrion(summary: str, profile) -> dict[str, float]:
    """Mean depth of the mitochondrial contig, from mosdepth's summary, which leaves out a contig without reads.

    Nothing where the reference has none.
    """
    contig = next((contig["name"] for contig in profile.contigs("M")), None)
    row = dict(_rows(summary, "chrom")).get(contig, {"mean": "0"})
    return {} if contig is None else {"mean_mt_coverage": float(row["mean"])}


def read_wgs_metrics(text: str) -> dict[str, float]:
    """Mean and MAD of the autosomal depth (x) and the share at 15x (%), from Picard CollectWgsMetrics."""
    lines = text.splitlines()
    start = next(i for i, line in enumerate(lines) if line.startswith("GENOME_TERRITORY"))
    row = dict(zip(lines[start].split("\t"), lines[start + 1].split("\t"), strict=True))
    return {
        "mean_autosome_coverage": float(row["MEAN_COVERAGE"]),
        "mad_autosome_coverage": float(row["MAD_COVERAGE"]),
        "pct_autosomes_15x": round(100 * float(row["PCT_15X"]), 4),
    }


def read_bcftools_stats(text: str) -> dict[str, float]:
    """Counts and ratios of autosomal PASS records, from `bcftools stats -s -`; a ratio to nothing is left out."""
    columns: dict[str, list[str]] = {}
    rows: dict[str, list[dict[str, str]]] = {}
    for line in text.splitlines():
        fields = line.split("\t")
        if line.startswith("# ") and len(fields) > 2 and fields[1] == "[2]id":
            columns[fields[0][2:]] = [field.split("]", 1)[-1] for field in fields[1:]]
        elif fields[0] in columns:
            rows.setdefault(fields[0], []).append(dict(zip(columns[fields[0]], fields[1:], strict=False)))
    insertions = deletions = 0
    for row in rows.get("IDD", []):
        length, sites = int(row["length (deletions negative)"]), int(row["number of sites"])
        insertions, deletions = insertions + sites * (length > 0), deletions + sites * (length < 0)
    numbers = {row["key"].rstrip(":"): int(row["value"]) for row in rows.get("SN", [])}
    changes, per_sample, indels = rows["TSTV"][0], rows.get("PSC", [{}])[0], rows.get("PSI", [{}])[0]
    het = sum(int(row.get(key, 0)) for row, key in [(per_sample, "nHets"), (indels, "nInsHets"), (indels, "nDelHets")])
    hom = sum(
        int(row.get(key, 0))
        for row, key in [(per_sample, "nNonRefHom"), (indels, "nInsAltHoms"), (indels, "nDelAltHoms")]
    )
    ratios = {
        "ratio_heterozygous_homozygous": (het, hom),
        "ratio_insertion_deletion": (insertions, deletions),
        "ratio_transitions_transversions": (int(changes["ts"]), int(changes["tv"])),
    }
    return {
        "count_snvs": numbers["number of SNPs"],
        "count_insertions": insertions,
        "count_deletions": deletions,
        **{name: round(top / bottom, 4) for name, (top, bottom) in ratios.items() if bottom},
    }


def sex_concordance(summary: str, lengths: dict[str, int], profile, sex: str) -> dict[str, float]:
    """1 where the depth of X and Y, over that of the autosomes, agrees with the declared sex, 0 where it does not.

    Nothing where the sex is not declared as female or male, or the regions leave out X, Y or the autosomes. lengths: as
    for `read_mosdepth`, of all contigs. The limits are the profile's.
    """
    if sex not in ("female", "male"):
        return {}
    regions = dict(_rows(summary, "chrom"))

    def depth(role: str) -> float | None:
        names = [contig["name"] for contig in profile.contigs(role) if contig["name"] in lengths]
        bases = sum(int(regions[f"{name}_region"]["bases"]) for name in names if f"{name}_region" in regions)
        return bases / sum(lengths[name] for name in names) if names else None

    autosomes, x, y = depth("autosome"), depth("X"), depth("Y")
    if not autosomes or x is None or y is None:
        return {}
    limits = profile.data["metrics"]["sex_concordance"]["parameters"]
    seen = (x / autosomes > limits["two_x_above"], y / autosomes > limits["y_above"])
    return {"sex_concordance": float(seen == {"female": (True, False), "male": (False, True)}[sex])}


def judge(values: dict[str, float], profile, sample_type: str, study_type: str, versions: dict[str, str]) -> list[dict]:
    """One entry per metric of the profile: value, definition, tool and version, gate and status.

    A metric that was not measured says so and is never PASS. versions: tool name to the version that ran.
    """
    judged = []
    for name, metric in profile.data["metrics"].items():
        if study_type not in metric.get("study_types", [study_type]):
            continue
        value = values.get(name)
        gates = [gate for gate in metric["gates"] if gate["applies_to"] in ("all", sample_type)]
        hit = max(
            (gate for gate in gates if _outside(value, gate)), key=lambda gate: RANK[gate["status"]], default=None
        )
        gate = hit or (gates[0] if gates else None)
        judged.append(
            {
                "name": name,
                "value": value,
                "unit": metric["unit"],
                "definition": metric["definition"],
                "tool": metric["tool"],
                "version": None if value is None else versions[metric["tool"].split()[0]],
                "status": "NOT_MEASURED" if value is None else hit["status"] if hit else "PASS",
                "gate": gate and {key: gate[key] for key in ("op", "value", "status", "basis")},
            }
        )
    return judged


def worst(judged: Iterable[dict], profile) -> str:
    """PASS, WARN or FAIL: the worst status of all metrics. One that the profile requires and nobody measured warns."""
    required = {name for name, metric in profile.data["metrics"].items() if metric["required"]}
    statuses = ["WARN" if m["status"] == "NOT_MEASURED" and m["name"] in required else m["status"] for m in judged]
    return max((status for status in statuses if status != "NOT_MEASURED"), key=RANK.__getitem__, default="PASS")


def _outside(value: float | None, gate: dict) -> bool:
    return value is not None and (value < gate["value"] if gate["op"] == "<" else value > gate["value"])


def _percent(part: float, whole: float) -> float:
    return round(100 * part / whole, 4) if whole else 0.0


def _rows(text: str, key: str):
    lines = [line.split("\t") for line in text.splitlines()]
    for fields in lines[1:]:
        row = dict(zip(lines[0], fields, strict=True))
        yield row[key], row
