"""The package: a BagIt 1.0 bag (RFC 8493), complete, unchanged, without ways out, sealed."""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from ngc_check.digests import FileFacts, Unreadable
from ngc_check.findings import Finding

DECLARATION = {"BagIt-Version": "1.0", "Tag-File-Character-Encoding": "UTF-8"}
MANIFEST, TAG_MANIFEST = "manifest-sha256.txt", "tagmanifest-sha256.txt"
SIGNATURE = f"{TAG_MANIFEST}.sig"
"""Signs the tag manifest, so that manifest cannot list it."""
ENVELOPE = ".c4gh"
"""What an encrypted payload file has after its name."""
TAG_FILES = ("bagit.txt", "bag-info.txt", MANIFEST)
MAX_ENTRIES = 100_000
"""Files and folders of a submission at most; a real one has some tens."""

# As the bagit library writes it: two spaces in the payload's manifest, one in the tag manifest. RFC 8493
# would allow other spacing and case, which would leave room to tamper.
_LINE = re.compile(r"([0-9a-f]{64})  ?(\S.*)")
_NAME = re.compile(r"^[A-Za-z0-9][A-Za-z0-9._-]*$")
_WRITE = stat.S_IWUSR | stat.S_IWGRP | stat.S_IWOTH


@dataclass
class Bag:
    """What the package check read: the facts of each plain file by its path in the bag, and what it found.

    places: where a file is that is not in the bag as such, but was decrypted out of it.
    """

    root: Path
    files: dict[str, FileFacts] = field(default_factory=dict)
    findings: list[Finding] = field(default_factory=list)
    places: dict[str, Path] = field(default_factory=dict)

    def path(self, name: str) -> Path:
        """Place of a file of the bag."""
        return self.places.get(name, self.root / name)


def read_bag(root: Path, reader: Callable[[str, Path], FileFacts]) -> Bag:
    """Read every plain file of a bag once and hold the whole against RFC 8493.

    reader: (path in the bag, place) -> what one read of the file tells. Raises Unreadable where a file cannot be
    read.
    """
    bag = Bag(root)
    report = bag.findings.append
    folders: list[str] = []
    names: list[str] = []
    for name, entry_kind, mode in walk(root):
        if entry_kind == "other":
            report(Finding("NGC-PKG-006", file=name, evidence="a link or a special file"))
            continue
        if name != "." and not _NAME.match(name.rsplit("/", 1)[-1]):
            report(Finding("NGC-PKG-006", file=name, evidence="the name has other characters than A-Z a-z 0-9 . _ -"))
        if mode & _WRITE:
            report(Finding("NGC-PKG-007", file=name, evidence=f"mode {stat.S_IMODE(mode):04o}"))
        (folders if entry_kind == "folder" else names).append(name)
    for name in names:
        bag.files[name] = reader(name, bag.path(name))

    bag.findings += _declaration(bag)
    listed = _listing(bag, MANIFEST, payload=True)
    tags = _listing(bag, TAG_MANIFEST, payload=False)
    for listing, source in ((listed, MANIFEST), (tags, TAG_MANIFEST)):
        for name, digest in (listing or {}).items():
            facts = bag.files.get(name)
            if facts is None:
                report(Finding("NGC-PKG-002", file=name, place=source, evidence="listed, not there"))
            elif facts.sha256 != digest:
                report(
                    Finding(
                        "NGC-PKG-004",
                        file=name,
                        place=source,
                        evidence=f"is {facts.sha256[:12]}…, listed {digest[:12]}…",
                    )
                )
    if listed is not None:
        for name in bag.files:
            if name.startswith("data/") and name not in listed:
                report(Finding("NGC-PKG-003", file=name, place=MANIFEST, evidence="there, not listed"))
        bag.findings += _payload_oxum(bag)
    if tags is not None:
        for name in bag.files:
            if not name.startswith("data/") and name not in tags and name not in (TAG_MANIFEST, SIGNATURE):
                report(Finding("NGC-PKG-003", file=name, place=TAG_MANIFEST, evidence="there, not listed"))
    for folder in folders:
        if folder not in (".", "data") and not any(name.startswith(folder + "/") for name in names):
            report(Finding("NGC-PKG-003", file=folder, evidence="empty folder"))
    return bag


def walk(root: Path) -> Iterator[tuple[str, str, int]]:
    """(path in the bag, file|folder|other, mode) of the root and everything below it; links are not followed."""
    try:
        yield ".", "folder", os.stat(root).st_mode
    except OSError as error:
        raise Unreadable(f"{root.name}: cannot be read: {error.strerror}") from None
    seen = 0
    stack = [""]
    while stack:
        folder = stack.pop()
        try:
            entries = sorted(os.scandir(root / folder), key=lambda entry: entry.name)
        except OSError as error:
            raise Unreadable(f"{folder or root.name}: cannot be read: {error.strerror}") from None
        for entry in entries:
            seen += 1
            if seen > MAX_ENTRIES:
                raise Unreadable(f"{root.name}: more than {MAX_ENTRIES} files; not a submission")
            name = f"{folder}/{entry.name}" if folder else entry.name
            shown = name.encode("utf-8", "surrogateescape").decode("utf-8", "replace")
            if entry.is_symlink() or shown != name:
                yield shown, "other", 0
                continue
            mode = entry.stat(follow_symlinks=False).st_mode
            if stat.S_ISDIR(mode):
                stack.append(name)
                yield name, "folder", mode
            elif stat.S_ISREG(mode):
                yield name, "file", mode
            else:
                yield name, "other", mode


def _text(bag: Bag, name: str) -> str | None:
    facts = bag.files.get(name)
    return None if facts is None else facts.text


def _declaration(bag: Bag) -> Iterator[Finding]:
    rule = "NGC-PKG-001"
    for name in (*TAG_FILES, TAG_MANIFEST):
        facts = bag.files.get(name)
        if facts is None:
            yield Finding(rule, file=name, evidence="not there")
        elif facts.text is None:
            yield Finding(rule, file=name, evidence=facts.problem)
    if (text := _text(bag, "bagit.txt")) is not None:
        wanted = [f"{key}: {value}" for key, value in DECLARATION.items()]
        if text.splitlines() != wanted:
            yield Finding(rule, file="bagit.txt", evidence=f"is not {' / '.join(wanted)}")
    if (text := _text(bag, "bag-info.txt")) is not None:
        for number, line in enumerate(text.splitlines(), 1):
            if ":" not in line and not line.startswith((" ", "\t")):
                yield Finding(rule, file="bag-info.txt", place=f"line {number}", evidence="no `label: value`")
    for name in bag.files:
        if name == "fetch.txt" or re.match(r"^(?:tag)?manifest-(?!sha256\.txt$)\w+\.txt$", name):
            yield Finding(rule, file=name, evidence="not part of this profile's bags")


def _listing(bag: Bag, source: str, payload: bool) -> dict[str, str] | None:
    """sha256 by path as a manifest of the bag lists it; None where it cannot be read."""
    if (text := _text(bag, source)) is None:
        return None
    listed: dict[str, str] = {}
    lines = text.split("\n")
    if lines.pop() != "":
        bag.findings.append(Finding("NGC-PKG-001", file=source, place="end", evidence="does not end with a newline"))
    for number, line in enumerate(lines, 1):
        place = f"line {number}"
        match = _LINE.fullmatch(line)
        if not match:
            bag.findings.append(Finding("NGC-PKG-001", file=source, place=place, evidence="not `sha256  path`"))
            continue
        name = re.sub("%(0[AaDd]|25)", lambda m: chr(int(m.group(1), 16)), match.group(2))
        parts = name.split("/")
        if name.startswith(("/", "~")) or "\\" in name or any(part in ("", ".", "..") for part in parts):
            bag.findings.append(Finding("NGC-PKG-006", file=source, place=place, evidence=name))
        elif (parts[0] == "data") != payload:
            bag.findings.append(
                Finding("NGC-PKG-001", file=source, place=place, evidence=f"{name}: listed in the wrong manifest")
            )
        elif name in listed:
            bag.findings.append(Finding("NGC-PKG-001", file=source, place=place, evidence=f"{name}: listed twice"))
        else:
            listed[name] = match.group(1)
    return listed


def _payload_oxum(bag: Bag) -> Iterator[Finding]:
    if (text := _text(bag, "bag-info.txt")) is None:
        return
    payload = [facts.size for name, facts in bag.files.items() if name.startswith("data/")]
    found = f"{sum(payload)}.{len(payload)}"
    stated = [line.split(":", 1)[1].strip() for line in text.splitlines() if line.startswith("Payload-Oxum:")]
    if stated != [found]:
        yield Finding(
            "NGC-PKG-005", file="bag-info.txt", evidence=f"Payload-Oxum {', '.join(stated) or 'missing'}, found {found}"
        )
