"""What a reference FASTA is, by its sequences: identity against the profile, and the files that must lie beside it.

Names and lengths do not tell a masked genome from an unmasked one. MD5 and refget digests, of the upper-cased
sequence, do.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import shlex
from pathlib import Path
from typing import Any, Protocol

import pysam
from gtars.refget import compute_fai, digest_fasta

from .intake import finding

INDEX_SUFFIXES = {
    "bwa": (".amb", ".ann", ".bwt", ".pac", ".sa"),
    "bwa-mem2": (".0123", ".amb", ".ann", ".bwt.2bit.64", ".pac"),
}
_COMPRESSED = (b"\x1f\x8b", b"BZ", b"\xfd7", b"\x28\xb5", b"PK")


class HasReference(Protocol):
    """A profile, as far as it is needed here: `data["reference"]` with id and contigs (name, length, md5, ...)."""

    data: dict[str, Any]


def digest_reference(fasta: str | Path) -> dict:
    """Digests of a plain FASTA: {fasta_sha256, seqcol_digest, contigs: [{name, length, md5, refget}]}.

    md5 is SAM's M5, refget the GA4GH digest `SQ.…`, both of the upper-cased sequence; seqcol_digest is that of GA4GH
    sequence collections 1.0 over names, lengths and sequences (by gtars, the engine of the refget package). They are
    kept beside the FASTA in `<name>.identity.json`, which counts only where the FASTA's sha256 is the one in it: sizes
    and times survive a change of content, sha256 does not. Raises OSError where the file cannot be read.
    """
    with open(fasta, "rb") as file:
        sha256 = hashlib.file_digest(file, "sha256").hexdigest()
    kept = Path(f"{fasta}.identity.json")
    if (identity := _kept_identity(kept, sha256)) is not None:
        return identity
    collection = digest_fasta(str(fasta))
    contigs = [
        {
            "name": record.metadata.name,
            "length": record.metadata.length,
            "md5": record.metadata.md5,
            "refget": f"SQ.{record.metadata.sha512t24u}",
        }
        for record in collection.sequences
    ]
    identity = {"fasta_sha256": sha256, "seqcol_digest": collection.digest, "contigs": contigs}
    _keep_identity(kept, identity)
    return identity


def _kept_identity(path: Path, sha256: str) -> dict | None:
    """The identity that was kept, None where it is not there, damaged, or of another content."""
    try:
        kept = json.loads(path.read_text(encoding="utf-8"))
        if kept["identity"]["fasta_sha256"] == sha256 and kept["sha256"] == _sha256_of(kept["identity"]):
            return kept["identity"]
    except (OSError, ValueError, TypeError, KeyError, RecursionError):
        pass
    return None


def _keep_identity(path: Path, identity: dict) -> None:
    """Write the identity in one step; a folder that cannot be written just keeps none."""
    text = json.dumps({"identity": identity, "sha256": _sha256_of(identity)}, indent=1) + "\n"
    part = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        part.write_text(text, encoding="utf-8")
        part.replace(path)
    except OSError:
        with contextlib.suppress(OSError):
            part.unlink(missing_ok=True)


def _sha256_of(identity: object) -> str:
    return hashlib.sha256(json.dumps(identity, sort_keys=True).encode()).hexdigest()


def reference_identity(fasta: str | Path, profile: HasReference) -> dict:
    """Identity of a FASTA and what speaks against it, its index and the profile's contigs included.

    Returns {id, fasta_sha256, seqcol_digest, contigs, not_verified, findings}. id is the profile's name for the
    reference; contigs as of `digest_reference`; not_verified: names whose sequence the profile knows no MD5 for, so
    that only name and length were compared. With findings, the FASTA is not the profile's reference or not ready for
    use. Where it could not be read, digests are None and contigs empty. Never raises for what is in the file.
    """
    path = Path(fasta)
    reference = profile.data["reference"]
    identity = {
        "id": reference["id"],
        "fasta_sha256": None,
        "seqcol_digest": None,
        "contigs": [],
        "not_verified": [],
        "findings": [],
    }
    try:
        with path.open("rb") as file:
            head = file.read(2)
        if head in _COMPRESSED:
            identity["findings"] = [
                finding("FASTA_COMPRESSED", str(path), "is compressed", "decompress it: a plain FASTA is needed")
            ]
            return identity
        identity |= digest_reference(path)
    except FileNotFoundError:
        identity["findings"] = [
            finding("FASTA_MISSING", str(path), "there is no such file", "correct reference.fasta in config.yaml")
        ]
        return identity
    except OSError as error:
        identity["findings"] = [
            finding("FASTA_UNREADABLE", str(path), f"cannot be read: {error.strerror or error}", "check the file")
        ]
        return identity
    if not identity["contigs"]:
        identity["findings"] = [finding("FASTA_EMPTY", str(path), "holds no sequence", "give the reference FASTA")]
        return identity
    identity["not_verified"] = _not_verified(identity["contigs"], reference["contigs"])
    identity["findings"] = [
        *_contig_findings(str(path), identity["contigs"], reference),
        *_fai_findings(path),
    ]
    return identity


def side_file_findings(fasta: str | Path, identity: dict, aligner: str = "bwa") -> list[dict]:
    """Findings on the files beside a FASTA: sequence dictionary and the aligner's index (bwa or bwa-mem2).

    The dictionary must have the FASTA's names, lengths, order and M5, the index its names and lengths. The FASTA index
    is judged by `reference_identity`, whose result is `identity`.
    """
    path = Path(fasta)
    return _dict_findings(path, identity["contigs"]) + _aligner_findings(path, identity["contigs"], aligner)


def par_findings(fasta: str | Path, profile) -> list[dict]:
    """What tells that the pseudoautosomal regions are of another build: on Y they must be masked, and end with the N.

    The analysis sets mask them on Y, so that their reads map to X. A BED of another build lies beside the mask. Only a
    reference that is the profile's by names and lengths can be judged.
    """
    found = []
    mend = "give the regions of this very reference, and a FASTA whose Y is masked there"
    with pysam.FastaFile(str(fasta)) as sequences:
        for contig in profile.contigs("Y"):
            for start, end in profile.par(contig["name"]):
                beyond = sequences.fetch(contig["name"], max(start - 1, 0), min(end + 1, contig["length"])).upper()
                inside = beyond[min(start, 1) : min(start, 1) + end - start]
                if inside.strip("N"):
                    what = "holds bases where Y must be masked"
                elif set(beyond) == {"N"}:
                    what = "is shorter than the masked region of Y that it lies in"
                else:
                    continue
                found.append(finding("PAR_NOT_MASKED", str(fasta), f"{contig['name']}:{start}-{end} {what}", mend))
    return found


def dict_path(fasta: str | Path) -> Path:
    """Where GATK looks for the sequence dictionary: the last suffix of the FASTA replaced by `.dict`."""
    return Path(fasta).with_suffix(".dict")


def sam_sequence_lines(identity: dict) -> str:
    """`@SQ` header lines (SN, LN and M5 only), in the FASTA's order, each with its line end."""
    return "".join(f"@SQ\tSN:{c['name']}\tLN:{c['length']}\tM5:{c['md5']}\n" for c in identity["contigs"])


def _not_verified(contigs: list[dict], wanted: list[dict]) -> list[str]:
    known = {contig["name"] for contig in wanted if contig.get("md5")}
    return [contig["name"] for contig in contigs if contig["name"] not in known]


def _contig_findings(where: str, contigs: list[dict], reference: dict) -> list[dict]:
    """What tells the FASTA's contigs from the profile's: other contigs, or the same ones with other sequence."""
    wanted = {contig["name"]: contig for contig in reference["contigs"]}
    names = [contig["name"] for contig in contigs]
    given = {contig["name"]: contig for contig in contigs}
    mend = f"give the FASTA of {reference['id']}, or name the overlay of this one in config.yaml"
    found = []

    def add(code: str, message: str) -> None:
        found.append(finding(code, where, message, mend))

    if len(given) < len(names):
        add("CONTIG_TWICE", f"contigs are there more than once: {_list(n for n in given if names.count(n) > 1)}")
    if missing := [name for name in wanted if name not in given]:
        add("CONTIG_MISSING", f"other contigs than {reference['id']}: without {_list(missing)}")
    if extra := [name for name in given if name not in wanted]:
        add("CONTIG_EXTRA", f"other contigs than {reference['id']}: also {_list(extra)}")
    common = [name for name in given if name in wanted]
    if longer := [name for name in common if given[name]["length"] != wanted[name]["length"]]:
        lengths = (f"{name} ({given[name]['length']:,} instead of {wanted[name]['length']:,})" for name in longer)
        add("CONTIG_LENGTH", f"other contigs than {reference['id']}: other length of {_list(lengths)}")
    in_order = [name for name in wanted if name in given]
    if common != in_order:
        moved = [name for name, right in zip(common, in_order, strict=True) if name != right]
        add("CONTIG_ORDER", f"the contigs of {reference['id']} in another order: {_list(moved)}")

    same_length = [name for name in common if name not in longer]
    refused = [name for name in same_length if given[name]["md5"] in wanted[name].get("md5_refused", ())]
    other = [
        name
        for name in same_length
        if name not in refused and wanted[name].get("md5") and given[name]["md5"] != wanted[name]["md5"]
    ]
    same = f"the names and lengths of {reference['id']} with other sequence"
    if refused:
        add("CONTIG_REFUSED", f"{same}, known and refused (as of the unmasked genome): {_list(refused)}")
    if other:
        add("CONTIG_SEQUENCE", f"{same}: {_list(other)}")
    return found


def _fai_findings(fasta: Path) -> list[dict]:
    path = Path(f"{fasta}.fai")
    mend = f"run: samtools faidx {_quoted(fasta)}"
    lines = _read_lines(path)
    if isinstance(lines, OSError):
        return [_side_file(path, lines, mend)]

    # samtools leaves out sequences without bases; where a sequence is one line, the width of that line with its end
    # has no use, and is a guess where the file ends without one
    def layout(fields: list[str]) -> list[str]:
        return fields[:4] if fields[1:2] == fields[3:4] else fields[:5]

    written = [layout(line.split("\t")) for line in lines]
    actual = [
        layout([record.name, *map(str, (record.length, at.offset, at.line_bases, at.line_bytes))])
        for record in compute_fai(str(fasta))
        if record.length and (at := record.fai)
    ]
    if written == actual:
        return []
    return [finding("INDEX_STALE", str(path), "does not belong to the FASTA as it is", mend)]


def _dict_findings(fasta: Path, contigs: list[dict]) -> list[dict]:
    path = dict_path(fasta)
    mend = f"run: samtools dict {_quoted(fasta)} -o {_quoted(path)}"
    lines = _read_lines(path)
    if isinstance(lines, OSError):
        return [_side_file(path, lines, mend)]
    tags = [
        dict(field.split(":", 1) for field in line.split("\t")[1:] if ":" in field)
        for line in lines
        if line.startswith("@SQ\t")
    ]
    written = [(tag.get("SN"), tag.get("LN"), tag.get("M5", "").lower()) for tag in tags]
    if written == [(contig["name"], str(contig["length"]), contig["md5"]) for contig in contigs]:
        return []
    return [finding("DICT_STALE", str(path), "names, lengths or M5 are not those of the FASTA", mend)]


def _aligner_findings(fasta: Path, contigs: list[dict], aligner: str) -> list[dict]:
    mend = f"run: {aligner} index {_quoted(fasta)}"
    missing = [suffix for suffix in INDEX_SUFFIXES[aligner] if not Path(f"{fasta}{suffix}").is_file()]
    if missing:
        message = f"the {aligner} index is not complete: without {_list(f'{fasta.name}{suffix}' for suffix in missing)}"
        return [finding("INDEX_MISSING", str(fasta), message, mend)]
    # .ann: a line for the whole, then per contig `gi name comment` and `offset length holes`
    path = Path(f"{fasta}.ann")
    lines = _read_lines(path)
    if isinstance(lines, OSError):
        return [_side_file(path, lines, mend)]
    written = [
        tuple(field.split()[1] if len(field.split()) > 1 else "" for field in pair)
        for pair in zip(lines[1::2], lines[2::2], strict=False)
    ]
    if written == [(contig["name"], str(contig["length"])) for contig in contigs]:
        return []
    return [finding("INDEX_STALE", str(path), "names or lengths are not those of the FASTA", mend)]


def _side_file(path: Path, error: OSError, mend: str) -> dict:
    if isinstance(error, FileNotFoundError):
        return finding("INDEX_MISSING", str(path), "there is no such file", mend)
    return finding("INDEX_UNREADABLE", str(path), f"cannot be read: {error.strerror or error}", mend)


def _read_lines(path: Path) -> list[str] | OSError:
    try:
        return path.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError as error:
        return error


def _quoted(path: Path) -> str:
    return shlex.quote(str(path))


def _list(names) -> str:
    return ", ".join(names)
