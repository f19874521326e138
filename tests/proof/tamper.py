"""Tampering with a sealed submission: what was changed after the seal is found, whatever it is and wherever it lies."""

from __future__ import annotations

import os
import random
from collections.abc import Callable, Iterator
from pathlib import Path

import measure as m
import support
from submission_fixture import CASE, Submission

SEED = 20261122


def files(s: Submission) -> list[Path]:
    """Every file of a submission, tag files included."""
    return sorted(path for path in s.root.rglob("*") if path.is_file())


def changed_bytes(s: Submission, count: int) -> list[str]:
    """Change one random byte `count` times, times and modes kept, and undo it; the places that no rule found.

    Half of the changes fall on each file alike, so that small ones are not spared; half on each byte alike.
    """
    rng = random.Random(SEED)
    every = files(s)
    sizes = [path.stat().st_size for path in every]
    missed = []
    for number in range(count):
        path = every[number // 2 % len(every)] if number % 2 else rng.choices(every, sizes)[0]
        before, times = path.read_bytes(), path.stat()
        at, other = rng.randrange(len(before)), rng.randrange(1, 256)
        for data in (before[:at] + bytes([before[at] ^ other]) + before[at + 1 :], before):
            path.chmod(0o644)
            path.write_bytes(data)
            path.chmod(0o444)
            os.utime(path, ns=(times.st_atime_ns, times.st_mtime_ns))
            if data is not before and not s.judge(reference=None).rules("FAIL"):
                missed.append(f"{path.relative_to(s.root)} byte {at} ^ {other}")
    return missed


def _delete(path: Path) -> None:
    path.unlink()


def _truncate(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-1])


def _empty(path: Path) -> None:
    path.write_bytes(b"")


def _extend(path: Path) -> None:
    path.write_bytes(path.read_bytes() + b"\n")


def _second_half_first(path: Path) -> None:
    data = path.read_bytes()
    path.write_bytes(data[len(data) // 2 :] + data[: len(data) // 2])


def whole_files(s: Submission, place: Path, step: int = 1) -> Iterator[tuple[str, bool]]:
    """(what was done, whether it was found) for every file deleted, cut, emptied, extended, turned and swapped.

    step: only every so many files.
    """
    names = [path.relative_to(s.root) for path in files(s)][::step]

    def spoiled(what: str, spoil: Callable[[Submission], object]) -> tuple[str, bool]:
        copy = s.copy_to(place / "copy")
        spoil(copy)
        copy.seal()
        found = bool(copy.judge(reference=None).rules("FAIL"))
        copy.unseal()
        support.remove(copy.home)
        return what, found

    for change in (_delete, _truncate, _empty, _extend, _second_half_first):
        for name in names:
            yield spoiled(f"{change.__name__[1:].replace('_', ' ')} {name}", lambda c, n=name, f=change: f(c.root / n))
    for folder in (".", "data", "data/new"):

        def add(copy: Submission, folder: str = folder) -> None:
            (copy.root / folder).mkdir(exist_ok=True)
            (copy.root / folder / "added.txt").write_text("x\n")

        yield spoiled(f"add to {folder}", add)
    for one, other in zip(names, names[1:], strict=False):

        def swap(copy: Submission, one: Path = one, other: Path = other) -> None:
            first = (copy.root / one).read_bytes()
            (copy.root / one).write_bytes((copy.root / other).read_bytes())
            (copy.root / other).write_bytes(first)

        yield spoiled(f"swap {one} and {other}", swap)
    for ending, index in (("vcf.gz", ".tbi"), ("g.vcf.gz", ".tbi"), ("cram", ".crai")):

        def age(copy: Submission, ending: str = ending, index: str = index) -> None:
            path = copy.path(ending)
            then = path.stat().st_mtime_ns - 1_000_000_000
            os.utime(f"{path}{index}", ns=(then, then))

        yield spoiled(f"older index of {ending}", age)


def bytes_part(place: Path, count: int = 1000) -> Iterator[str]:
    """Single bytes."""
    s = Submission.build(place / "submission")
    missed = changed_bytes(s, count)
    yield f"{count:,} single bytes changed in the {len(files(s))} files of {CASE}: {count - len(missed):,} found.\n"
    yield from support.failed(f"not found: {where}" for where in missed)


def run(place: Path, count: int = 1000) -> Iterator[str]:
    """Single bytes, then whole files."""
    yield "## Tampering after the seal\n"
    yield from bytes_part(place, count)
    s = Submission(place / "submission")
    done = list(whole_files(s, place))
    kinds: dict[str, list[bool]] = {}
    for what, found in done:
        kinds.setdefault(what.split()[0], []).append(found)
    rows = ([kind, len(found), sum(found)] for kind, found in kinds.items())
    yield m.table(["change to a file", "tried", "found"], rows)
    yield from support.failed(f"not found: {what}" for what, found in done if not found)
