"""The index of a batch of submissions: what each says of itself, in one table."""

from __future__ import annotations

import csv
import hashlib
import io
import json
from collections.abc import Sequence
from pathlib import Path

from ngc_wgs.errors import SealError
from ngc_wgs.signing import SIGNATURE, sound_tags


def entry(submission: Path) -> dict:
    """A submission's line of the index, from its tag files; raises SealError.

    `claims_conformance` is the sender's word in manifest.json, `signed` tells only that there is a signature: the
    receiver's verdict on both is `ngc-wgs check`. content_digests: {path: {method, value}}.
    """
    tag_manifest = sound_tags(submission)
    try:
        manifest = json.loads((submission / "manifest.json").read_text(encoding="utf-8"))
        profile = manifest["profile"]
        return {
            "case": manifest["submission"]["id"],
            "type": manifest["submission"]["type"],
            "supersedes": manifest["submission"]["supersedes"],
            "created": manifest["created"],
            "profile": profile["id"],
            "profile_version": profile["version"],
            "overlay": profile["overlay"]["id"] if profile["overlay"] else None,
            "claims_conformance": manifest["conforms"],
            "signed": (submission / SIGNATURE).is_file(),
            "encrypted": any(file["encrypted_sha256"] for file in manifest["files"]),
            "tagmanifest_sha256": hashlib.sha256(tag_manifest).hexdigest(),
            "content_digests": {
                file["path"]: file["content_digest"] for file in manifest["files"] if file["content_digest"]
            },
        }
    except (KeyError, TypeError, ValueError, RecursionError):
        raise SealError(f"{submission}: manifest.json lacks what the index lists; run `ngc-wgs check` on it") from None


def index(submissions: Sequence[Path]) -> list[dict]:
    """The batch's lines, by case and time; `superseded_by` names the cases of the batch that take another's place."""
    entries = sorted(map(entry, submissions), key=lambda one: (str(one["case"]), str(one["created"])))
    for one in entries:
        one["superseded_by"] = sorted({str(other["case"]) for other in entries if other["supersedes"] == one["case"]})
    return entries


def write_index(submissions: Sequence[Path], out: Path) -> None:
    """Write the index as TSV or JSON, by the ending of `out`; raises SealError, and then writes nothing."""
    if out.suffix not in (".tsv", ".json"):
        raise SealError(f"{out}: name a file .tsv or .json")
    entries = index(submissions)
    text = json.dumps(entries, indent=2) + "\n" if out.suffix == ".json" else table(entries)
    out.write_text(text, encoding="utf-8")


def table(entries: Sequence[dict]) -> str:
    """The lines as tab-separated text with a header: yes and no, lists with `;`, digests as `path=method:value`."""
    rows = io.StringIO()
    writer = csv.writer(rows, dialect="excel-tab", lineterminator="\n")
    writer.writerow(entries[0])
    writer.writerows([_cell(value) for value in one.values()] for one in entries)
    return rows.getvalue()


def _cell(value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, dict):
        return ";".join(f"{path}={digest['method']}:{digest['value']}" for path, digest in value.items())
    return ";".join(value) if isinstance(value, list) else str(value or "")
