"""Digests of a file in one read: sha256 of the bytes, and the content digest of what they hold."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import stat
import subprocess
import sys
import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

CHUNK = 1 << 20
MAX_TEXT = 32 << 20
"""Bytes of a text file (JSON, HTML) that are read at most."""

VCF_RECORDS = "vcf-records-sha256"
SAM_RECORDS = "sam-records-sha256"
JSON_CANONICAL = "json-canonical-sha256"


class Unreadable(Exception):
    """A file that cannot be read at all; the message names it and the reason."""


@dataclass
class FileFacts:
    """What one read of a file told.

    size: bytes. sha256: of the bytes. content: (method, value) of the content digest, None where the type has none
    or the content cannot be read. text: the whole of a text file, or the header of a VCF. problem: why the text or
    content could not be read; empty where it could.
    """

    size: int
    sha256: str
    content: tuple[str, str] | None = None
    text: str | None = None
    problem: str = ""
    mtime_ns: int = 0


def open_plain(path: Path):
    """Open a regular file for reading without following a link; raises Unreadable."""
    try:
        handle = os.open(path, os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0))
    except OSError as error:
        raise Unreadable(f"{path.name}: cannot be read: {error.strerror}") from None
    if not stat.S_ISREG(os.fstat(handle).st_mode):
        os.close(handle)
        raise Unreadable(f"{path.name}: not a plain file")
    return os.fdopen(handle, "rb", buffering=0)


def read_facts(path: Path, kind: str = "binary", also: Callable[[bytes], object] | None = None) -> FileFacts:
    """Read a file once.

    kind: `text` keeps the text as well, `binary` only counts and digests. also: given each chunk in turn. Raises
    Unreadable.
    """
    digest = hashlib.sha256()
    size = 0
    kept: list[bytes] = []
    try:
        with open_plain(path) as handle:
            info = os.fstat(handle.fileno())
            while chunk := handle.read(CHUNK):
                digest.update(chunk)
                size += len(chunk)
                if kind == "text" and size <= MAX_TEXT:
                    kept.append(chunk)
                if also is not None:
                    also(chunk)
    except OSError as error:
        raise Unreadable(f"{path.name}: cannot be read: {error.strerror}") from None
    facts = FileFacts(size, digest.hexdigest(), mtime_ns=info.st_mtime_ns)
    if kind == "text":
        if size > MAX_TEXT:
            facts.problem = f"larger than {MAX_TEXT} bytes"
        else:
            try:
                facts.text = b"".join(kept).decode("utf-8")
            except UnicodeDecodeError as error:
                facts.problem = f"not UTF-8 at byte {error.start}"
    return facts


def canonical_json(value: object) -> tuple[str, str]:
    """Content digest of JSON data: sha256 of its canonical text."""
    text = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return JSON_CANONICAL, hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def read_alignment(path: Path, reference: Path | None) -> FileFacts:
    """Read an alignment once, for the digest of its bytes and that of its SAM lines without header.

    A CRAM needs its reference (FASTA with index). Where the records cannot be decoded, the content digest is one that
    nothing equals. Raises Unreadable.
    """
    if reference is None and path.name.endswith(".cram"):
        facts = read_facts(path)
        facts.problem = "no reference at hand to decode the alignment"
        return facts
    # A process of its own: htslib ends the process on some broken files, and samtools' text output is fast.
    program = "import sys, pysam; pysam.view(*sys.argv[1:], catch_stdout=False)"
    arguments = ["--no-PG"] + (["-T", str(reference)] if reference else []) + ["-"]
    environment = {**os.environ, "REF_PATH": ":", "REF_CACHE": ":"}  # never ask the network for a reference
    digest = hashlib.sha256()

    def take(lines: BinaryIO) -> None:
        while chunk := lines.read(CHUNK):
            digest.update(chunk)

    with subprocess.Popen(
        [sys.executable, "-c", program, *arguments],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env=environment,
    ) as process:
        taking = threading.Thread(target=take, args=(process.stdout,))
        taking.start()

        def give(chunk: bytes) -> None:
            with contextlib.suppress(BrokenPipeError):  # what it cannot decode it does not read to the end
                process.stdin.write(chunk)

        try:
            facts = read_facts(path, also=give)
        finally:
            with contextlib.suppress(BrokenPipeError):
                process.stdin.close()
            taking.join()
    facts.content = (SAM_RECORDS, digest.hexdigest() if process.returncode == 0 else "undecodable")
    return facts
