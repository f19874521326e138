"""Quality: every status computed anew from value and profile, none trusted."""

from __future__ import annotations

import math
from collections.abc import Iterator

from ngc_check.digests import FileFacts, canonical_json
from ngc_check.findings import Finding
from ngc_check.manifest import NAME, BadJson, parse_json, schema_faults
from ngc_profile import Profile

ORDER = ("PASS", "WARN", "FAIL")


def gates(metric: dict, sample_type: str) -> list[dict]:
    """The gates of a profile's metric that count for a sample type."""
    return [gate for gate in metric["gates"] if gate["applies_to"] in ("all", sample_type)]


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
    for number, sample in enumerate(manifest["samples"]):
        place = f"/samples/{number}/qc"
        yield from _check(sample["qc"], sample["sample_type"], manifest["study_type"], profile, NAME, place)


def _check(
    qc: dict, sample_type: str, study_type: str | None, profile: Profile, file: str, place: str
) -> Iterator[Finding]:
    computed: dict[str, str] = {}
    for metric in qc["metrics"]:
        name, value = metric["name"], metric["value"]
        known = profile.data["metrics"].get(name)
        where = f"{place}/metrics/{name}"
        if name in computed:
            yield Finding("NGC-QC-001", file=file, place=where, evidence="is there twice")
        allowed = gates(known, sample_type) if known else []
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
        if status in ("FAIL", "WARN"):
            met = "; ".join(f"{g['op']} {g['value']}" for g in allowed if g["status"] == status)
            rule = "NGC-QC-003" if status == "FAIL" else "NGC-QC-005"
            yield Finding(rule, file=file, place=where, evidence=f"{value} {metric['unit']} ({status} where {met})")
    missing = []
    for name, known in profile.data["metrics"].items():
        if study_type is not None and study_type not in known.get("study_types", [study_type]):
            continue
        if known["required"] and computed.get(name, "NOT_MEASURED") == "NOT_MEASURED":
            missing.append(name)
            yield Finding("NGC-QC-002", file=file, place=f"{place}/metrics/{name}", evidence="not measured")
    worst = max((s for s in computed.values() if s in ORDER), key=ORDER.index, default="PASS")
    worst = max(worst, "WARN" if missing else "PASS", key=ORDER.index)
    if qc["status"] != worst:
        yield Finding("NGC-QC-006", file=file, place=f"{place}/status", evidence=f"{qc['status']}, is {worst}")


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
    if metrics["sample"] != sample["sample"]:
        yield Finding(
            rule, file=file, place="/sample", evidence="another sample than the file's name and the manifest say"
        )
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
        elif any(one[key] != other[key] for key in ("value", "unit", "status", "gate")):
            yield Finding(
                rule,
                file=file,
                place=f"/metrics/{name}",
                evidence="value, unit, status or gate differ from the manifest",
            )
    if metrics["status"] != sample["qc"]["status"]:
        yield Finding(
            rule, file=file, place="/status", evidence=f"{metrics['status']}, manifest {sample['qc']['status']}"
        )


def check_metrics_file(file: str, metrics: dict, profile: Profile) -> Iterator[Finding]:
    """A metrics file by itself, as of a germline sample."""
    yield from _check(
        {"status": metrics["status"], "metrics": metrics["metrics"]}, "germline", "single", profile, file, ""
    )
