"""What a run leaves for its report, made up from a seed: reports and metrics of any number of samples.

The shapes are those of the workflow, the figures are drawn. Shared by the tests and by tests/bench/report.py.
"""

from __future__ import annotations

import copy
import json
import math
import random
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import ngc_profile

LANES = 4
DRAWN = {  # mean and standard deviation
    "mean_coverage": (36, 1.5),
    "mean_autosome_coverage": (33, 1.5),
    "mad_autosome_coverage": (5, 0.3),
    "pct_autosomes_15x": (98.5, 0.4),
    "pct_10x": (0.985, 0.003),
    "pct_20x": (0.955, 0.008),
    "yield_bp_q30": (1.1e11, 4e9),
    "pct_q30": (92, 1.5),
    "mean_read_length": (150, 0),
    "cross_contamination_rate": (0.004, 0.002),
    "pct_reads_mapped": (99.5, 0.1),
    "pct_reads_improper_pairs": (2, 0.4),
    "pct_duplicate_reads": (9, 2),
    "median_insert_size": (420, 15),
    "sex_concordance": (1, 0),
    "sex_chromosome_aneuploidy": (0, 0),
    "identity_concordance": (1, 0),
    "kinship_concordance": (1, 0),
    "mendelian_error_rate": (0.01, 0.002),
    "count_snvs": (3.9e6, 1e5),
    "count_insertions": (4.2e5, 2e4),
    "count_deletions": (4.3e5, 2e4),
    "ratio_heterozygous_homozygous": (1.6, 0.1),
    "ratio_insertion_deletion": (0.97, 0.02),
    "ratio_transitions_transversions": (2.05, 0.02),
}
WHOLE = {"yield_bp_q30", "count_snvs", "count_insertions", "count_deletions", "median_insert_size", "mean_read_length"}
CONTAMINATED, NOT_MEASURED = 0.05, "too few sites with reads (12 of at least 100)"


@dataclass(frozen=True)
class Made:
    """A made run: its folder `results`, sample to case, the units' names and the profile's part of a report."""

    results: Path
    samples: dict[str, str]
    units: list[str]
    profile: dict


def profile() -> dict:
    """Id, version and metrics of the project's profile, the latter copied."""
    loaded = ngc_profile.load()
    return {"id": loaded.id, "version": loaded.version, "metrics": copy.deepcopy(loaded.data["metrics"])}


def make(folder: Path, number: int, seed: int = 20261122) -> Made:
    """Write `results` of `number` samples, three to a case, under `folder`.

    Sample 2 of each five is male. The first sample is contaminated (a FAIL), of the second contamination was not
    measured, and where there are four or more, a lane of the fourth is the third's.
    """
    rng, rules = random.Random(seed), profile()
    results = folder / "results"
    for name in ("qc", "intake", "identity", "family", "mitochondrion"):
        (results / name).mkdir(parents=True)
    samples = {f"S{index:05d}XY": f"C{index // 3:05d}K" for index in range(number)}
    units = {sample: [f"{sample}.LIB1.HFLOWDSX2.L{lane + 1}" for lane in range(LANES)] for sample in samples}
    for index, sample in enumerate(samples):
        _sample(results / "qc", sample, index, rules["metrics"], rng)
        for unit in units[sample]:
            report = {"unit": unit, "sample": sample, "pct_q30": round(rng.gauss(92, 1.5), 4)}
            (results / "intake" / f"{unit}.json").write_text(json.dumps(report))
    _identity(results / "identity", samples, units, rng)
    _families(results, samples)
    tools = [{"name": name, "version": "1.2", "pinned": "1.3"} for name in ("bwa", "samtools", "gatk", "multiqc")]
    (results / "intake" / "preflight.json").write_text(json.dumps({"tools": tools}))
    (results / "identity" / "population.json").write_text(
        json.dumps({"name": "made population", "version": "1", "sha256": "0123456789abcdef" * 4, "sites": 5000})
    )
    return Made(results, samples, [unit for names in units.values() for unit in names], rules)


def _sample(folder: Path, sample: str, index: int, rules: dict, rng: random.Random) -> None:
    male = index % 5 == 2
    entries = []
    for name, metric in rules.items():
        if "germline" not in metric.get("sample_types", ["germline"]):
            continue
        mean, deviation = DRAWN.get(name, (0, 0))
        if name in ("ratio_x_autosomes", "ratio_y_autosomes"):
            mean, deviation = (0.5 if male else 1.0 if "_x_" in name else 0.0), 0.01
        value = abs(rng.gauss(mean, deviation))
        value = round(value) if name in WHOLE else round(value, 6)
        error = None
        if name == "cross_contamination_rate":
            error = 0.0012
            value = CONTAMINATED if index == 0 else None if index == 1 else value
        hits = [gate["status"] for gate in metric["gates"] if value is not None and _outside(value, gate)]
        status = "NOT_MEASURED" if value is None else "FAIL" if "FAIL" in hits else "WARN" if hits else "PASS"
        shown = next((gate for gate in metric["gates"] if gate["status"] == status), None)
        shown = shown or (metric["gates"][0] if metric["gates"] else None)
        entries.append(
            {
                "id": metric["id"],
                "name": name,
                "value": value,
                "unit": metric["unit"],
                "denominator": 2_400_000_000 if name == "pct_10x" else None,
                "error": None if value is None else error,
                "reason": NOT_MEASURED if value is None else "",
                "definition": metric["definition"],
                "tool": metric["tool"],
                "version": "1.2",
                "status": status,
                "gate": shown and {key: shown[key] for key in ("op", "value", "status", "basis")},
                "waiver": None,
            }
        )
    (folder / f"{sample}.metrics.json").write_text(json.dumps({"biosample": {"id": sample}, "metrics": entries}))
    depth = rng.gauss(33, 1.5)
    bell = [(x, round(2.6e9 * math.exp(-((x - depth) ** 2) / 60) / 13.7)) for x in range(251)]
    text = "GENOME_TERRITORY\n2600000000\n\n## HISTOGRAM\tjava.lang.Integer\ncoverage\thigh_quality_coverage_count\n"
    (folder / f"{sample}.wgs_metrics.txt").write_text(text + _rows("", bell))
    size = rng.gauss(420, 15)
    inserts = [(x, 0, round(1e6 * math.exp(-((x - size) ** 2) / 16000)), 0, 0) for x in range(1000)]
    (folder / f"{sample}.samtools_stats.txt").write_text("SN\tx:\t1\n" + _rows("IS\t", inserts))


def add_tumours(made: Made, seed: int = 20261122) -> Made:
    """Add what is counted of two cases: diagnosis and relapse beside one normal, and a tumour alone.

    The tumours have no metrics of their own. Counts are drawn, and add up as those of the workflow do.
    """
    rng = random.Random(seed)
    pair, alone = ("T00001XY", "T00002XY"), "T00003XY"
    folder = made.results / "somatic"
    folder.mkdir()
    for tumour, normal in (*((name, "N00001XY") for name in pair), (alone, None)):
        passed, filtered = {"snv": 0, "insertion": 310, "deletion": 420, "mnv": 12}, {"snv": 2100, "insertion": 190}
        contexts = {}
        for change in ("C>A", "C>G", "C>T", "T>A", "T>C", "T>G"):
            for before in "ACGT":
                for after in "ACGT":
                    # Deamination of methylated cytosines, as in every tumour, over a low rest.
                    most = 400 if change == "C>T" and after == "G" else 40
                    contexts[f"{before}[{change}]{after}"] = rng.randrange(most // 2, most)
        without = 3 if tumour == alone else 0
        passed["snv"] = sum(contexts.values()) + without
        fractions = [0] * 20
        for _ in range(sum(passed.values())):
            fractions[min(19, int(20 * min(max(rng.gauss(0.35, 0.12), 0), 1)))] += 1
        transitions = sum(n for name, n in contexts.items() if name[2:5] in ("C>T", "T>C"))
        report = {
            "sample": tumour,
            "normal": normal,
            "counts": {kind: {"passed": n, "filtered": filtered.get(kind, 0)} for kind, n in passed.items()},
            "filters": {"weak_evidence": 1800, "germline": 400, "panel_of_normals": 90},
            "fractions": fractions,
            "transitions": transitions,
            "transversions": passed["snv"] - transitions,
            "contexts": contexts,
            "without_context": without,
            "burden": {"variants": sum(passed.values()), "bases": 2_700_000_000, "depth": 20},
        }
        report["burden"]["per_megabase"] = round(sum(passed.values()) / 2700, 4)
        (folder / f"{tumour}.json").write_text(json.dumps(report))
    sets = [(pair, 4100, 3600), (pair[:1], 300, 270), (pair[1:], 900, 800)]
    shared = {
        "case": "C90001K",
        "tumours": pair,
        "sets": [{"tumours": names, "variants": n, "snvs": of} for names, n, of in sets],
        "filtered": [{"passes": one, "filtered": other, "variants": 41} for one, other in (pair, pair[::-1])],
    }
    (folder / "C90001K.tumours.json").write_text(json.dumps(shared))
    cases = {pair[0]: "C90001K", pair[1]: "C90001K", alone: "C90002K"}
    return Made(made.results, {**made.samples, **cases}, made.units, made.profile)


def _rows(start: str, rows: Iterable[tuple]) -> str:
    return "".join(start + "\t".join(map(str, row)) + "\n" for row in rows)


def _outside(value: float, gate: dict) -> bool:
    if gate["applies_to"] == "tumour":
        return False
    return value < gate["value"] if gate["op"] == "<" else value > gate["value"]


def _families(results: Path, samples: dict[str, str]) -> None:
    """Trios of each three samples: index, father, mother; the last sample's mitochondrion holds a second haplotype."""
    for case in dict.fromkeys(samples.values()):
        own = [sample for sample in samples if samples[sample] == case]
        relations = (("index", "female", "yes"), ("father", "male", "no"), ("mother", "female", "no"))
        members = []
        for sample, (relation, sex, affected) in zip(own, relations, strict=False):
            child = relation == "index" and len(own) == 3
            member = {"sample": sample, "relation": relation, "sex": sex, "affected": affected}
            member |= {"father": own[1] if child else None, "mother": own[2] if child else None, "carried": 4_800_123}
            keys = ("denovo_high", "denovo_low", "mendelian_sites", "mendelian_errors")
            members.append(member | dict(zip(keys, (68, 412, 5_100_000, 20_400) if child else [None] * 4, strict=True)))
        counts = {"snvs": 5_230_001, "indels": 1_030_002, "filtered": 90_003}
        made = {"case": case, "variants": counts, "members": members}
        (results / "family" / f"{case}.json").write_text(json.dumps(made))
    for at, sample in enumerate(samples):
        mixed = at == len(samples) - 1
        low = [
            {"pos": 900 + 50 * n, "ref": "C", "alt": "T", "fraction": 0.04, "depth": 2500, "genotype": "0/1",
             "filters": ["low_heteroplasmy", *["mt_many_low_hets"] * mixed]}
            for n in range(5 if mixed else 1)
        ]  # fmt: skip
        made = {
            "sample": sample, "length": 16_569, "mean_depth": 2500.5, "step": 83,
            "depths": [2500 + 300 * math.sin(n / 9 + at) for n in range(200)],
            "variants": [
                {"pos": pos, "ref": "A", "alt": "G", "fraction": share, "depth": depth, "genotype": gt, "filters": []}
                for pos, share, depth, gt in ((263, 0.998, 2431, "1"), (3243, 0.312, 2502, "0/1"))
            ]
            + [
                *low,
            ],
            "low": len(low), "contaminated": mixed,
        }  # fmt: skip
        (results / "mitochondrion" / f"{sample}.json").write_text(json.dumps(made))


def _identity(folder: Path, samples: dict[str, str], units: dict[str, list[str]], rng: random.Random) -> None:
    names = list(samples)
    person = {unit: sample for sample in samples for unit in units[sample]}
    if len(names) > 3:
        person[units[names[3]][2]] = names[2]
    for case in dict.fromkeys(samples.values()):
        own = [sample for sample in samples if samples[sample] == case]
        lanes = [unit for sample in own for unit in units[sample]]
        pairs = [(left, right) for at, left in enumerate(lanes) for right in lanes[at + 1 :]]
        strange = [u for u in person if u not in lanes]
        pairs += [(left, right) for left in lanes for right in strange if person[left] == person[right]]
        lods = []
        for left, right in pairs:
            sign, status = (1, "same") if person[left] == person[right] else (-1, "different")
            lods.append({"left": left, "right": right, "lod": round(sign * rng.uniform(4, 9), 4), "status": status})
        relations = [
            {"a": own[0], "b": other, "declared": "parent and child", "observed": "parent and child", "kinship": 0.2481,
             "ibs0": 0.0002, "sites": 4800, "status": "PASS"}
            for other in own[1:]
        ]  # fmt: skip
        report = {"case": case, "sites": 5000, "lanes": [{"unit": u, "sample": u.split(".")[0]} for u in lanes]}
        report |= {"lods": lods, "relations": relations, "samples": {}}
        (folder / f"{case}.json").write_text(json.dumps(report))
