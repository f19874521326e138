"""Reference bases for comparison with REF: an indexed FASTA read in windows, so memory stays flat."""

from __future__ import annotations

from pathlib import Path

WINDOW = 1 << 20
"""Bases held at a time: records come in order, so each window is read once."""
OVERLAP = 4096
"""Bases held beyond the window, so that alleles up to this length are never cut."""


class ReferenceUnusable(Exception):
    """The FASTA or its index cannot be used; the message says why and what to do."""


class Reference:
    """Bases of a FASTA with a `.fai` beside it (and a `.gzi` where it is BGZF), in the file's case."""

    def __init__(self, path: Path) -> None:
        self.path = Path(path)
        index = Path(f"{path}.fai")
        if not self.path.is_file():
            raise ReferenceUnusable(f"reference {self.path.name} is not there")
        if not index.is_file():
            raise ReferenceUnusable(f"reference {self.path.name} has no index; run samtools faidx on it")
        self._layout: dict[str, tuple[int, int, int, int]] = {}
        try:
            for row in index.read_text(encoding="ascii").splitlines():
                name, *numbers = row.split("\t")[:5]
                length, offset, bases, width = map(int, numbers)
                if bases < 1 or width < bases:
                    raise ValueError(row)
                self._layout[name] = (length, offset, bases, width)
        except (ValueError, UnicodeDecodeError):
            raise ReferenceUnusable(f"the index of {self.path.name} is damaged; run samtools faidx again") from None
        with self.path.open("rb") as handle:
            compressed = handle.read(2) == b"\x1f\x8b"
        self._bgzf = self._plain = None
        try:
            if compressed:
                import pysam

                self._bgzf = pysam.FastaFile(str(self.path))
            else:
                self._plain = self.path.open("rb")
        except (OSError, ValueError):
            raise ReferenceUnusable(f"reference {self.path.name} cannot be opened") from None
        self._key: tuple[str, int] = ("", -1)
        self._held = b""

    def length(self, contig: str) -> int | None:
        """Length of a contig, None where the FASTA has no such contig."""
        layout = self._layout.get(contig)
        return layout[0] if layout else None

    def bases(self, contig: str, start: int, end: int) -> bytes:
        """Bases of a 0-based half-open interval, fewer where the contig ends. KeyError for an unknown contig."""
        length, offset, per_line, width = self._layout[contig]
        end = min(end, length)
        if start >= end:
            return b""
        if self._bgzf is not None:
            return self._bgzf.fetch(contig, start, end).encode()
        first = offset + start // per_line * width + start % per_line
        last = offset + (end - 1) // per_line * width + (end - 1) % per_line + 1
        self._plain.seek(first)
        text = self._plain.read(last - first)
        if width > per_line:
            text = text.replace(b"\n", b"").replace(b"\r", b"")
        return text

    def window(self, contig: str, number: int) -> bytes:
        """Bases from `number * WINDOW` on: WINDOW and OVERLAP of them, fewer at the contig's end."""
        if self._key != (contig, number):
            self._held = self.bases(contig, number * WINDOW, (number + 1) * WINDOW + OVERLAP)
            self._key = (contig, number)
        return self._held

    def fault(self, contig: str, pos: int, ref: str) -> str | None:
        """Why REF at a 1-based position differs from the reference, or None."""
        if contig not in self._layout:
            return "lies on a contig that the reference does not have"
        if len(ref) > OVERLAP:
            have = self.bases(contig, pos - 1, pos - 1 + len(ref))
        else:
            number = (pos - 1) // WINDOW
            at = pos - 1 - number * WINDOW
            have = self.window(contig, number)[at : at + len(ref)]
        if have.upper() == ref.upper().encode():
            return None
        return f"REF {ref[:20]} where the reference has {have[:20].decode('ascii', 'replace') or 'no base'}"

    def all_n(self, contig: str, start: int, end: int) -> bool:
        """Whether every base of a 0-based half-open interval is N."""
        if contig not in self._layout:
            return False
        for at in range(start, end, WINDOW):
            part = self.bases(contig, at, min(at + WINDOW, end))
            if part.upper().count(b"N") != len(part):
                return False
        return True

    def close(self) -> None:
        """Release the file."""
        for handle in (self._plain, self._bgzf):
            if handle is not None:
                handle.close()
