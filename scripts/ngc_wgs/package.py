"""A case's products as one sealed BagIt bag (RFC 8493) with its manifest.

The payload is hard-linked and hashed once, by `bagit`; `manifest.json` is a tag file, so it can quote those hashes.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import stat
from datetime import UTC, datetime
from pathlib import Path

import bagit
import jsonschema
import pysam
from isal import igzip

import ngc_profile
from ngc_wgs import __version__, release, signing

METRIC_FIELDS = ("id", "name", "value", "unit", "denominator", "error", "status", "gate", "waiver")
"""What the manifest takes over of a metric: nothing that is text of its own."""


def content_digest(path: Path, method: str | None, fasta: str) -> dict | None:
    """Digest of what a file says, whatever its compression: {method, value}, None for a file type without one.

    method: `vcf-records-sha256` (lines that do not start with `##`), `sam-records-sha256` (SAM text without header,
    decoded with the reference) or `json-canonical-sha256` (sorted keys, no spaces, UTF-8).
    """
    if method is None:
        return None
    digest = hashlib.sha256()
    if method == "vcf-records-sha256":
        with igzip.open(path, "rb") as lines:
            for line in lines:
                if not line.startswith(b"##"):
                    digest.update(line)
    elif method == "sam-records-sha256":
        with pysam.AlignmentFile(str(path), reference_filename=fasta, threads=2) as records:
            for record in records:
                digest.update(record.to_string().encode() + b"\n")
    elif method == "json-canonical-sha256":
        digest.update(canonical(json.loads(path.read_text(encoding="utf-8"))))
    else:
        raise ValueError(f"{method}: no such content digest")
    return {"method": method, "value": digest.hexdigest()}


def canonical(value: object) -> bytes:
    """JSON with sorted keys and no spaces."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def columns(spec: dict, sample: str | None, rows: list[dict], profile: ngc_profile.Profile) -> dict[str, str] | None:
    """Samples of the columns of a tumour's VCF by role (`tumour`, `normal`); None for another file.

    spec: the profile's entry of the file type. rows: the case's rows of samples.tsv.
    """
    if "content" not in spec or spec["sample_types"] != ["tumour"]:
        return None
    names = {"tumour": sample}
    if profile.data[spec["content"]]["samples"] == "tumour":
        for row in rows:
            if (row["relation"], row["sample_type"]) == ("index", "germline"):
                names["normal"] = row["sample"]
    return names


def file_entries(bag: bagit.Bag, rows: list[dict], case: str, profile: ngc_profile.Profile, fasta: str) -> list[dict]:
    """Manifest entries of the payload, in the order of their paths; raises ValueError for a file of no known type.

    rows: the case's rows of samples.tsv.
    """
    samples = [row["sample"] for row in rows]
    known = {}
    for kind, spec in profile.data["files"].items():
        for sample in samples if spec["per"] == "sample" else [None]:
            known[spec["name"].format(sample=sample, case=case)] = (kind, spec, sample)
    entries = []
    for path, digests in sorted(bag.payload_entries().items()):
        if path not in known:
            raise ValueError(f"{path}: the profile knows no such file")
        kind, spec, sample = known[path]
        source = Path(bag.path) / path
        entries.append(
            {
                "path": path,
                "type": kind,
                "edam": spec["edam"],
                "bytes": source.stat().st_size,
                "sha256": digests["sha256"],
                "content_digest": content_digest(source, spec["digest"], fasta),
                "sample": sample,
                "encrypted_sha256": None,
            }
        )
        if roles := columns(spec, sample, rows, profile):
            entries[-1]["columns"] = roles
    return entries


def left_out(not_called: list[dict], case: str, profile: ngc_profile.Profile) -> set[str]:
    """Names of the files, and of their indexes, that were not called: what lies in their place is no result.

    not_called: entries as the manifest has them ({file_type, sample, reason}).
    """
    return {
        Path(spec["name"].format(sample=entry["sample"], case=case)).name
        for entry in not_called
        for kind, spec in profile.data["files"].items()
        if entry["file_type"] in (kind, spec.get("index_of"))
    }


def sample_entry(row: dict, units: dict[str, dict], intake: dict[str, dict], qc: dict) -> dict:
    """A sample's part of the manifest, from its row, its units' rows and intake reports, and its metrics."""
    libraries: dict[str, dict] = {}
    for unit, unit_row in units.items():
        report = intake[unit]
        library = libraries.setdefault(
            unit_row["library"],
            {
                "library": unit_row["library"],
                "kit": unit_row["library_kit"],
                "pcr_free": unit_row["pcr_free"] == "yes",
                "layout": "paired",
                "read_length": report["read_length_max"],
                "runs": [],
            },
        )
        library["read_length"] = max(library["read_length"], report["read_length_max"])
        library["runs"].append(
            {
                **{key: unit_row[key] for key in ("flowcell", "lane", "platform", "model")},
                "fastq": [
                    {key: fastq[key] for key in ("read", "sha256", "bytes", "reads")} for fastq in report["fastq"]
                ],
            }
        )
    fields = ("sample", "relation", "sample_type", "sex", "affected", "material", "conservation")
    return {
        **{key: row[key] for key in fields},
        "libraries": list(libraries.values()),
        "qc": {
            "status": qc["status"],
            "metrics": [{key: metric[key] for key in METRIC_FIELDS} for metric in qc["metrics"]],
        },
    }


def case_entry(case: dict, profile: ngc_profile.Profile) -> dict:
    """What the manifest says of the case itself, from its row of cases.tsv."""

    def listed(cell: str) -> list[str]:
        return [item.strip() for item in cell.split(";") if item.strip()]

    return {
        "submission": {"id": case["case"], "type": case["submission_type"], "supersedes": case["supersedes"] or None},
        **{key: case[key] for key in ("site", "region", "requester_sor", "patient_group", "requisition_id")},
        "legal": {
            **{key: case[key] for key in ("legal_basis", "analysis_date", "consent")},
            "consent_form_version": None,
            "research_restriction_checked": None,
        },
        "analysis_type": profile.entry("study_types", case["study_type"])["analysis_type"],
        "study_type": case["study_type"],
        "phenotypes": [{"id": term, "release": None} for term in listed(case["phenotypes"])],
        "diagnoses": [
            {
                "system": "ORPHA" if code.startswith("ORPHA:") else "SKS",
                "code": code.removeprefix("ORPHA:"),
                "release": None,
            }
            for code in listed(case["diagnosis"])
        ],
    }


def build(case_rows: dict, products: list[str], folder: Path, *, profile: ngc_profile.Profile, overlay: str | None,
          fasta: str, intake: dict[str, dict], qc: dict[str, dict], preflight: dict, identity: dict,
          databases: list[dict], evaluation: dict, configuration: dict, house: Path, code_at_start: str, processes: int,
          signing_key: str | None, not_called: list[dict]) -> str:  # fmt: skip
    """Make `folder` a sealed bag of the products and return the sha256 of its tag manifest.

    not_called: entries of files that could not be made, whose products are left out. house: folder of the workflow.
    code_at_start: `release.code_sha256` of it when the case passed its intake gate.
    The bag grows beside `folder` and takes its place in one rename, so that a killed run leaves no half bag. It is
    signed where the site has a key.
    """
    case = case_rows["case"]["case"]
    samples = [row["sample"] for row in case_rows["samples"]]
    partial = folder.with_name(f".{folder.name}.partial")
    discard(partial)
    partial.mkdir(parents=True)
    without = left_out(not_called, case, profile)
    for product in map(Path, products):
        if product.name not in without:
            link(product, partial / product.name)
    code = release.code_sha256(house)
    created = datetime.now(UTC).replace(microsecond=0)
    agent = f"ngc-wgs {__version__}"
    information = {
        "External-Identifier": case,
        "Source-Organization": case_rows["case"]["site"],
        "Bagging-Date": created.date().isoformat(),
        "Bag-Software-Agent": agent,
    }
    bag = bagit.make_bag(str(partial), information, processes=processes, checksums=["sha256"])
    # bagit writes 0.97; what it makes meets RFC 8493, which is 1.0.
    (partial / "bagit.txt").write_text("BagIt-Version: 1.0\nTag-File-Character-Encoding: UTF-8\n")
    metrics_failed = any(qc[sample]["status"] == "FAIL" for sample in samples)
    own_reference = profile.overlay_id is None or case_rows["case"]["submission_type"] == "test"
    checks = [
        {"name": "intake", "result": "PASS", "tool": "ngc-wgs", "version": __version__},
        {"name": "reference_identity", "result": identity["result"], "tool": "ngc-wgs", "version": __version__},
        {"name": "qc", "result": max((qc[s]["status"] for s in samples), key=("PASS", "WARN", "FAIL").index),
         "tool": "ngc-wgs", "version": __version__},
    ]  # fmt: skip
    manifest = {
        "manifest_version": "1.0",
        "created": created.strftime("%Y-%m-%dT%H:%M:%SZ"),
        "profile": profile.identity(),
        "workflow": {
            "name": "ngc-wgs",
            "version": __version__,
            **release.checkout(house, code),
            "code_sha256": code,
            "code_sha256_at_start": code_at_start,
            "configuration_sha256": hashlib.sha256(canonical(configuration)).hexdigest(),
        },
        "tools": [{k: tool[k] for k in ("name", "version", "pinned", "as_pinned")} for tool in preflight["tools"]],
        "pinned_environment": all(tool["as_pinned"] for tool in preflight["tools"]),
        "reference": {
            **{key: profile.reference[key] for key in ("id", "accession", "assembly")},
            "seqcol_digest": identity["seqcol_digest"],
            "fasta_sha256": identity["fasta_sha256"],
            "evaluation_regions": evaluation,
        },
        "databases": [
            {key: database[key] for key in ("name", "version", "sha256")} for database in databases if database["name"]
        ],
        **case_entry(case_rows["case"], profile),
        "samples": [
            sample_entry(
                row,
                {unit: values for unit, values in case_rows["units"].items() if values["sample"] == row["sample"]},
                intake,
                qc[row["sample"]],
            )
            for row in case_rows["samples"]
        ],
        "files": file_entries(bag, case_rows["samples"], case, profile, fasta),
        "not_called": not_called,
        "checks": checks,
        "conforms": own_reference and not metrics_failed,
    }
    schema = json.loads(ngc_profile.data_file("schemas", "manifest.schema.json").read_text(encoding="utf-8"))
    jsonschema.Draft202012Validator(schema).validate(manifest)
    (partial / "manifest.json").write_text(json.dumps(manifest, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    if overlay:
        shutil.copyfile(overlay, partial / "overlay.yaml")
    bag.save(manifests=False)
    if signing_key:
        text = signing.signature(signing.private_key(Path(signing_key)), (partial / signing.TAG_MANIFEST).read_bytes())
        (partial / signing.SIGNATURE).write_text(text, encoding="ascii")
    seal(partial)
    discard(folder)
    partial.rename(folder)
    return hashlib.sha256((folder / "tagmanifest-sha256.txt").read_bytes()).hexdigest()


def link(source: Path, target: Path) -> None:
    """Hard-link, or copy where the file system has no hard links between the two; an earlier seal is lifted."""
    source.chmod(source.stat().st_mode | stat.S_IWUSR)
    try:
        os.link(source, target)
    except OSError:
        shutil.copyfile(source, target)


def seal(folder: Path) -> None:
    """Take every write bit from a folder and all in it."""
    for path in [*folder.rglob("*"), folder]:
        path.chmod(0o555 if path.is_dir() else 0o444)


def discard(folder: Path) -> None:
    """Delete a folder, sealed or not; nothing happens where there is none."""
    if folder.exists():
        for path in [folder, *(path for path in folder.rglob("*") if path.is_dir())]:
            path.chmod(0o755)
        shutil.rmtree(folder)
