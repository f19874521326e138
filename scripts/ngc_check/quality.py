"""Quality: every status computed anew from value and profile, none trusted."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

from ngc_check.digests import FileFacts, canonical_json
from ngc_check.findings import Finding
from ngc_check.manifest import NAME, BadJson, parse_json, schema_faults
from ngc_profile import Profile

ORDER = ("PASS", "WARN", "FAIL")


def gates(metric: dict, sample_type: str, own_genome: bool = True) -> list[dict]:
    """The gates of a profile's metric that count for a sample type.

    own_genome: whether the whole genome of the profile's own reference was judged; some gates count only then.
    """
    return [
        gate
        for gate in metric["gates"]
        if gate["applies_to"] in ("all", sample_type) and (own_genome or gate.get("only") != "whole_genome")
    ]


def status_of(value: float | None, metric_gates: list[dict]) -> str:
    """PASS, WARN, FAIL or NOT_MEASURED: the worst gate that the value meets."""
    if value is None or (isinstance(value, float) and not math.isfinite(value)):
        return "NOT_MEASURED"
    met = [
        gate["status"]
        for gate in metric_gates
        if (value < gate["value"] if gate["op"] == "<" else value > gate["value"])
    ]
    return max(met, key=ORDER.index, default="PASS")


def check_samples(manifest: dict, profile: Profile) -> Iterator[Finding]:
    """Metrics of each sample of the manifest against the profile's gates."""
    own_genome = _own_genome(manifest["reference"]["evaluation_regions"], profile)
    day = manifest["legal"]["analysis_date"]
    for number, sample in enumerate(manifest["samples"]):
        about = _About(sample["sample_type"], manifest["study_type"], own_genome, day)
        yield from _check(sample["qc"], about, profile, NAME, f"/samples/{number}/qc")


@dataclass(frozen=True)
class _About:
    """What decides which gates and metrics count for a sample; study_type and day are None where nothing says them."""

    sample_type: str
    study_type: str | None
    own_genome: bool
    day: str | None


def _own_genome(evaluation_regions: dict, profile: Profile) -> bool:
    return evaluation_regions["id"] == "whole_genome" and profile.overlay_id is None


def _check(qc: dict, about: _About, profile: Profile, file: str, place: str) -> Iterator[Finding]:
    computed: dict[str, str] = {}
    for metric in qc["metrics"]:
        name, value = metric["name"], metric["value"]
        known = profile.data["metrics"].get(name)
        where = f"{place}/metrics/{name}"
        if name in computed:
            yield Finding("NGC-QC-001", file=file, place=where, evidence="is there twice")
        allowed = gates(known, about.sample_type, about.own_genome) if known else []
        status = status_of(value, allowed)
        computed[name] = status
        gate = metric["gate"]
        if metric["status"] != status:
            yield Finding("NGC-QC-001", file=file, place=where, evidence=f"{metric['status']}, is {status} at {value}")
        elif gate is not None and not any(
            all(gate[key] == known_gate[key] for key in ("op", "value", "status")) for known_gate in allowed
        ):
            yield Finding(
                "NGC-QC-001", file=file, place=where, evidence=f"gate {gate['op']} {gate['value']} is not the profile's"
            )
        elif status in ("WARN", "FAIL") and (gate is None or gate["status"] != status):
            yield Finding("NGC-QC-001", file=file, place=where, evidence=f"{status} without its gate")
        if known is None:
            yield Finding("NGC-QC-008", file=file, place=where, evidence="is no metric of the profile")
        for key in ("id", "unit") if known else ():
            if metric[key] != known[key]:
                yield Finding("NGC-QC-008", file=file, place=where, evidence=f"{key} {metric[key]}, is {known[key]}")
        waiver = metric["waiver"]
        if waiver is not None:
            for fault in _waiver_faults(waiver, metric["id"], status, profile, about.day):
                yield Finding("NGC-QC-007", file=file, place=f"{where}/waiver", evidence=fault)
        if status in ("FAIL", "WARN"):
            met = "; ".join(f"{g['op']} {g['value']}" for g in allowed if g["status"] == status)
            rule = "NGC-QC-003" if status == "FAIL" else "NGC-QC-005"
            waived = f", waived: {waiver['reason_code']} by {waiver['role']}" if waiver else ""
            evidence = f"{metric['id']} {value} {metric['unit']} ({status} where {met}{waived})"
            yield Finding(rule, file=file, place=where, evidence=evidence, mend=known["mend"])
    missing = []
    for name, known in profile.data["metrics"].items():
        if about.study_type is not None and about.study_type not in known.get("study_types", [about.study_type]):
            continue
        if about.sample_type not in known.get("sample_types", [about.sample_type]):
            continue
        where = f"{place}/metrics/{name}"
        if known["required"] and computed.get(name, "NOT_MEASURED") == "NOT_MEASURED":
            missing.append(name)
            yield Finding("NGC-QC-002", file=file, place=where, evidence="not measured")
        # A file by itself does not say of which study it is, or of which type of sample.
        of_all = "study_types" not in known and "sample_types" not in known
        if name not in computed and (about.study_type is not None or of_all):
            yield Finding("NGC-QC-008", file=file, place=where, evidence="is not there, must at least be NOT_MEASURED")
    worst = max((s for s in computed.values() if s in ORDER), key=ORDER.index, default="PASS")
    worst = max(worst, "WARN" if missing else "PASS", key=ORDER.index)
    if qc["status"] != worst:
        yield Finding("NGC-QC-006", file=file, place=f"{place}/status", evidence=f"{qc['status']}, is {worst}")


def _waiver_faults(waiver: dict, rule: str, status: str, profile: Profile, day: str | None) -> Iterator[str]:
    if status != "WARN":
        yield f"of a {status}, only a WARN can be waived"
    if waiver["rule"] != rule:
        yield f"of rule {waiver['rule']}, not of {rule}"
    for key, vocabulary in (("reason_code", "waiver_reasons"), ("role", "waiver_roles")):
        if waiver[key] not in profile.vocabulary(vocabulary, day):
            yield f"{key} {waiver[key]} is not in {vocabulary}" + (f" on {day}" if day else "")
    if day is not None and waiver["valid_to"] < day:
        yield f"expired on {waiver['valid_to']}, before the analysis date {day}"


def read_metrics(file: str, facts: FileFacts) -> tuple[dict | None, list[Finding]]:
    """A metrics file and what its own form gives to report; fills in the file's content digest."""
    rule = "NGC-QC-004"
    try:
        data = parse_json(facts.text, facts.problem)
    except BadJson as error:
        return None, [Finding(rule, file=file, evidence=str(error))]
    facts.content = canonical_json(data)
    found = list(schema_faults(data, "metrics", rule, file))
    return (None if found else data), found


def check_agreement(file: str, metrics: dict, sample: dict, manifest: dict) -> Iterator[Finding]:
    """A sample's metrics file against what the manifest says of the sample."""
    rule = "NGC-QC-004"
    if metrics["biosample"]["id"] != sample["sample"]:
        evidence = "another sample than the file's name and the manifest say"
        yield Finding(rule, file=file, place="/biosample/id", evidence=evidence)
    for key in ("id", "version"):
        if metrics["profile"][key] != manifest["profile"][key]:
            yield Finding(rule, file=file, place=f"/profile/{key}", evidence="another profile than the manifest's")
    if metrics["evaluation_regions"] != manifest["reference"]["evaluation_regions"]:
        yield Finding(rule, file=file, place="/evaluation_regions", evidence="others than the manifest's")
    stated = {metric["name"]: metric for metric in sample["qc"]["metrics"]}
    mine = {metric["name"]: metric for metric in metrics["metrics"]}
    for name in sorted(stated.keys() | mine.keys()):
        one, other = mine.get(name), stated.get(name)
        if one is None or other is None:
            evidence = "only in " + ("the manifest" if one is None else "the metrics file")
            yield Finding(rule, file=file, place=f"/metrics/{name}", evidence=evidence)
            continue
        if differing := [key for key in other if one[key] != other[key]]:
            evidence = f"{', '.join(differing)} differ from the manifest"
            yield Finding(rule, file=file, place=f"/metrics/{name}", evidence=evidence)
    if metrics["wgs_qc_metrics"] != {name: metric["value"] for name, metric in mine.items()}:
        yield Finding(rule, file=file, place="/wgs_qc_metrics", evidence="other values than in /metrics")
    if metrics["status"] != sample["qc"]["status"]:
        yield Finding(
            rule, file=file, place="/status", evidence=f"{metrics['status']}, manifest {sample['qc']['status']}"
        )


def check_metrics_file(file: str, metrics: dict, profile: Profile) -> Iterator[Finding]:
    """A metrics file by itself, as of a germline sample."""
    about = _About("germline", None, _own_genome(metrics["evaluation_regions"], profile), None)
    yield from _check(metrics, about, profile, file, "")
