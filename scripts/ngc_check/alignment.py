"""Alignments: CRAM 3.0 or BAM, whole, indexed, on the profile's reference, with the manifest's read groups."""

from __future__ import annotations

import contextlib
import re
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path

import pysam

from ngc_check.digests import Unreadable, open_plain
from ngc_check.findings import Finding
from ngc_profile import Profile

BAM_EOF = bytes.fromhex("1f8b08040000000000ff0600424302001b0003000000000000000000")
CRAM_EOF = {
    # CRAM specification, section 9, for version 3; version 2.1 ends otherwise and is refused before.
    3: bytes.fromhex("0f000000ffffffff0fe0454f4600000000010005bdd94f0001000606010001000100ee63014b"),
}
_REQUIRED_FIELDS = b"required_fields=0x2f"  # name, flag, place, CIGAR: decoded without the reference
_MAX_INDEX = 64 << 20


@dataclass
class Alignment:
    """What an alignment's check found, and the texts in which personal identifiers are looked for."""

    findings: list[Finding] = field(default_factory=list)
    header: str = ""
    names: list[str] = field(default_factory=list)
    duplicates: bool = False
    readable: bool = False


def check_alignment(
    path: Path,
    profile: Profile,
    *,
    name: str | None = None,
    sample: str | None = None,
    read_groups: set[str] | None = None,
    index: Path | None = None,
) -> Alignment:
    """Hold one alignment against the profile.

    name: how findings call the file. sample: the pseudonym. read_groups: the ids that the manifest's runs give.
    index: default is beside the file. What is None is not compared. Raises Unreadable.
    """
    out = Alignment()
    name = name or path.name

    def found(rule: str, evidence: str) -> None:
        out.findings.append(Finding(rule, file=name, evidence=evidence))

    with open_plain(path) as handle:
        start = handle.read(18)
        size = handle.seek(0, 2)
        handle.seek(max(0, size - 38))
        tail = handle.read(38)
    if start[:4] == b"CRAM":
        version = f"{start[4]}.{start[5]}" if len(start) > 5 else "?"
        accepted = profile.parameter("NGC-ALN-001", "cram_versions", ["3.0"])
        if version not in accepted:
            found("NGC-ALN-001", f"CRAM {version}, accepted: {', '.join(accepted)}")
        whole = CRAM_EOF.get(start[4] if len(start) > 4 else 0)
        complete = whole is None or tail.endswith(whole)
    elif start[:4] == b"\x1f\x8b\x08\x04":
        complete = tail.endswith(BAM_EOF)
    else:
        found("NGC-ALN-001", "neither CRAM nor BAM")
        return out
    if not complete:
        found("NGC-ALN-002", "the file does not end in its end-of-file block")
    index = index or _beside(path)
    header = _open(path, index, out, profile)
    if header is None:
        if complete:
            found("NGC-ALN-001", "cannot be opened")
        return out
    out.readable = True
    out.findings += _check_index(path, index, name, len(header.get("SQ", ())))
    out.findings += _check_header(header, profile, name, sample, read_groups)
    if not out.duplicates and not _marker_ran(header, profile):
        found("NGC-ALN-009", "no duplicate marker among @PG, and no read that was looked at is flagged")
    return out


def _beside(path: Path) -> Path:
    ending = ".crai" if path.suffix == ".cram" else ".bai"
    beside = path.with_name(path.name + ending)
    return beside if beside.exists() or ending == ".crai" else path.with_suffix(".bai")


def _open(path: Path, index: Path, out: Alignment, profile: Profile) -> dict | None:
    """Header as data, None where it cannot be read; fills in header text, read names and duplicates."""
    limit = int(profile.data["personal_identifiers"]["sampled_reads"])
    verbosity = pysam.set_verbosity(0)
    try:
        with pysam.AlignmentFile(
            str(path),
            check_sq=False,
            index_filename=str(index) if index.is_file() else None,
            format_options=[_REQUIRED_FIELDS],
        ) as reads:
            out.header = str(reads.header)
            header = reads.header.to_dict()
            # What cannot be decoded is another rule's to report; the header stands by itself.
            with contextlib.suppress(OSError, ValueError):
                _sample_reads(reads, out, limit)
            return header
    except (OSError, ValueError, AssertionError):
        return None
    finally:
        pysam.set_verbosity(verbosity)


def _sample_reads(reads: pysam.AlignmentFile, out: Alignment, limit: int) -> None:
    """Look at reads from the start of the file and, through its index, from windows spread over it."""
    names: set[str] = set()

    def look(some, most: int) -> None:
        for read in islice(some, most):
            names.add(read.query_name or "")
            out.duplicates |= read.is_duplicate
        out.names = sorted(names)

    look(reads.fetch(until_eof=True), max(1, limit // 10))
    if not reads.has_index():
        return
    lengths = dict(zip(reads.references, reads.lengths, strict=True))
    windows = [(contig, length * part // 4) for contig, length in lengths.items() if length > 1000 for part in range(4)]
    windows = windows[:: max(1, len(windows) // 400)]
    for contig, start in windows:
        look(reads.fetch(contig, start), max(1, limit * 8 // 10 // len(windows)))
    look(reads.fetch("*"), max(1, limit // 10))


def _check_index(path: Path, index: Path, name: str, contigs: int) -> Iterator[Finding]:
    rule = "NGC-ALN-003"
    if not index.is_file() or index.is_symlink():
        yield Finding(rule, file=name, evidence=f"{index.name} is not there")
        return
    if index.stat().st_mtime_ns < path.stat().st_mtime_ns:
        yield Finding(rule, file=name, evidence=f"{index.name} is older than the alignment")
    if not _index_reads(index, contigs, path.stat().st_size):
        yield Finding(rule, file=name, evidence=f"{index.name} cannot be read as the index of this file")


def _index_reads(index: Path, contigs: int, size: int) -> bool:
    """Whether an index has its format's form and points into its file."""
    try:
        with open_plain(index) as handle:
            raw = handle.read(_MAX_INDEX)
        if index.suffix == ".crai":
            text = zlib.decompressobj(47).decompress(raw, _MAX_INDEX) if raw[:2] == b"\x1f\x8b" else raw
            for line in text.decode("ascii").splitlines():
                sequence, _, _, container, _, _ = (int(part) for part in line.split("\t"))
                if not -2 <= sequence < contigs or not 0 <= container < size:
                    return False
            return True
        if raw[:4] == b"BAI\1":
            return int.from_bytes(raw[4:8], "little") == contigs
        return raw[:2] == b"\x1f\x8b" and zlib.decompressobj(31).decompress(raw, 4) == b"CSI\1"
    except (Unreadable, ValueError, zlib.error):
        return False


def _check_header(
    header: dict, profile: Profile, name: str, sample: str | None, read_groups: set[str] | None
) -> Iterator[Finding]:
    def found(rule: str, place: str, evidence: str) -> Finding:
        return Finding(rule, file=name, place=place, evidence=evidence)

    if (order := header.get("HD", {}).get("SO")) != "coordinate":
        yield found("NGC-ALN-008", "@HD", f"SO:{order}")
    yield from _contigs(header.get("SQ", []), profile, found)

    groups = header.get("RG", [])
    if not groups:
        yield found("NGC-ALN-006", "@RG", "no read group")
    platforms = profile.vocabulary("platforms")
    for number, group in enumerate(groups, 1):
        place = f"@RG {number}"
        missing = [key for key in ("ID", "SM", "LB", "PL", "PU") if not group.get(key)]
        if missing:
            yield found("NGC-ALN-006", place, f"without {', '.join(missing)}")
        if group.get("PL") and group["PL"] not in platforms:
            yield found("NGC-ALN-006", place, f"PL:{group['PL']}, must be {' or '.join(platforms)}")
        if sample is not None and group.get("SM") and group["SM"] != sample:
            yield found("NGC-ALN-007", place, f"SM:{group['SM']}, must be {sample}")
        if "DS" in group:
            yield found("NGC-ALN-010", place, "DS")
    if read_groups is not None and groups:
        ids = {group.get("ID", "") for group in groups}
        for one in sorted(ids - read_groups):
            yield found("NGC-ALN-011", "@RG", f"{one} is not a run of the manifest")
        for one in sorted(read_groups - ids):
            yield found("NGC-ALN-011", "@RG", f"{one} of the manifest is missing")
    for number, contig in enumerate(header.get("SQ", []), 1):
        if "UR" in contig:
            yield found("NGC-ALN-010", f"@SQ {number}", "UR")
    for number, program in enumerate(header.get("PG", []), 1):
        for key in ("CL", "DS"):
            if key in program:
                yield found("NGC-ALN-010", f"@PG {number}", key)
    if header.get("CO"):
        yield found("NGC-ALN-010", "@CO", f"{len(header['CO'])} comments")


def _contigs(lines: list[dict], profile: Profile, found) -> Iterator[Finding]:
    wanted = profile.contigs()
    pairs = [(line.get("SN"), int(line.get("LN", 0))) for line in lines]
    expected = [(contig["name"], contig["length"]) for contig in wanted]
    if pairs != expected:
        both = enumerate(zip(pairs, expected, strict=False))
        at = next((i for i, (there, wanted_here) in both if there != wanted_here), min(len(pairs), len(expected)))
        is_there = "{} ({})".format(*pairs[at]) if at < len(pairs) else "nothing"
        must_be = "{} ({})".format(*expected[at]) if at < len(expected) else "nothing"
        yield found(
            "NGC-ALN-004", f"@SQ {at + 1}", f"{is_there}, must be {must_be}; {len(pairs)} of {len(expected)} contigs"
        )
    by_name = {contig["name"]: contig for contig in wanted}
    unpublished = []
    for line in lines:
        contig, md5 = by_name.get(line.get("SN")), str(line.get("M5", "")).lower()
        if contig is None:
            continue
        place = f"@SQ {contig['name']}"
        if not re.fullmatch("[0-9a-f]{32}", md5):
            yield found("NGC-ALN-005", place, "no M5")
        elif contig["md5"] and md5 != contig["md5"]:
            yield found("NGC-ALN-005", place, f"M5 {md5}, must be {contig['md5']}")
        elif md5 in contig.get("md5_refused", ()):
            yield found("NGC-ALN-005", place, f"M5 {md5} is of the sequence without the profile's masking")
        elif not contig["md5"] and contig.get("md5_unmasked") not in (None, md5):
            unpublished.append(contig["name"])
    if unpublished:
        shown = ", ".join(unpublished[:8]) + (f" and {len(unpublished) - 8} more" if len(unpublished) > 8 else "")
        yield found("NGC-ALN-012", "@SQ", shown)


def _marker_ran(header: dict, profile: Profile) -> bool:
    """Whether a duplicate marker is among the header's programs, by id or name."""
    programs = {name.lower() for name in profile.parameter("NGC-ALN-009", "programs", ())}
    return any(
        re.sub(r"[.-]\d+$", "", str(program.get(key, ""))).lower() in programs
        for program in header.get("PG", [])
        for key in ("ID", "PN")
    )
