"""The profile's rules on the records of a somatic VCF, and on the table of mutation contexts that is counted from it.

Which column is the tumour's is the manifest's word, never the order of the columns.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping

from ngc_check.findings import Finding
from ngc_check.vcf_reference import WINDOW, Reference
from ngc_check.vcf_spec import Emit, Header, Record

KIND = "somatic_vcf"
S_DEPTHS, S_FRACTION, S_EVIDENCE, S_NORMAL, S_PANEL, S_TABLE, S_RECOUNT = (
    f"NGC-SOM-00{number}" for number in range(1, 8)
)
COMPLEMENT = str.maketrans("ACGT", "TGCA")
CONTEXTS = tuple(
    f"{before}[{ref}>{alt}]{after}"
    for ref, alt in ("CA", "CG", "CT", "TA", "TC", "TG")
    for before in "ACGT"
    for after in "ACGT"
)
"""The 96 contexts in COSMIC's order: the pyrimidine's strand, by substitution, base before, base after."""
UNKNOWN = ""
"""Key of SNVs that have no context: no reference at hand, a contig's edge or an N beside them."""


def context(around: str, alt: str) -> str:
    """Context of a substitution in the middle one of three bases; UNKNOWN where these are not A, C, G or T."""
    if not re.fullmatch("[ACGT]{3}", around):
        return UNKNOWN
    if around[1] in "AG":
        around, alt = around.translate(COMPLEMENT)[::-1], alt.translate(COMPLEMENT)
    return f"{around[0]}[{around[1]}>{alt}]{around[2]}"


class SomaticJudge:
    """Judges one record after the other and counts the PASS SNVs by context.

    columns: names of the columns by role (`tumour`, `normal`), None where no manifest names them; then the rules that
    need the roles are NOT_CHECKED.
    """

    def __init__(
        self, profile, header: Header, emit: Emit, columns: Mapping[str, str] | None, reference: Reference | None
    ) -> None:
        self.header, self.emit, self.reference = header, emit, reference
        names = header.samples
        roles = {role: names.index(name) for role, name in (columns or {}).items() if name in names}
        self.tumour, self.normal = roles.get("tumour"), roles.get("normal")
        self.paired = None if columns is None else "normal" in columns
        self.least_depth = profile.parameter(S_FRACTION, "depth", 20)
        self.tolerance = profile.parameter(S_FRACTION, "tolerance", 0.25)
        self.contexts: Counter[str] = Counter()
        """PASS SNVs by context."""
        if self.tumour is None:
            emit(S_EVIDENCE, 0, "no manifest names the tumour's column", "NOT_CHECKED")
        if self.paired is None:
            emit(S_NORMAL, 0, "no manifest tells whether there is a normal", "NOT_CHECKED")

    def judge(self, record: Record) -> None:
        """Every rule of one record. What the format itself refuses is not judged again."""
        where, passed = f"{record.chrom}:{record.pos}", record.filter == "PASS"
        shares = [self._column(record, column, where, passed) for column in record.samples]
        if passed and self.tumour is not None and self.tumour < len(shares) and shares[self.tumour] is not None:
            tumour = shares[self.tumour]
            normal = shares[self.normal] if self.normal is not None and self.normal < len(shares) else None
            if tumour == 0:
                self.emit(S_EVIDENCE, record.line, f"{where} passes without a read of the allele in the tumour")
            elif normal is not None and normal >= tumour:
                text = f"{where} passes, and the normal has the allele in {normal:.3f} of its reads, the tumour in"
                self.emit(S_EVIDENCE, record.line, f"{text} {tumour:.3f}")
        if self.paired is not None:
            wrong = [key for key in ("NLOD", "NALOD") if (key in record.info) != self.paired]
            if wrong:
                text = "without" if self.paired else "with"
                self.emit(S_NORMAL, record.line, f"{where} {text} {', '.join(wrong)}")
        if ("PON" in record.info) != ("panel_of_normals" in record.filter.split(";")):
            self.emit(S_PANEL, record.line, f"{where} has one of PON and panel_of_normals without the other")
        if passed and len(record.ref) == 1 and record.alts[0] in set("ACGT"):
            self.contexts[self._context(record)] += 1

    def _column(self, record: Record, column: str, where: str, passed: bool) -> float | None:
        """Judge one column; share of its reads with the allele, None where it cannot be told."""
        values = dict(zip(record.format, column.split(":"), strict=False))
        try:
            depths = [int(part) for part in values["AD"].split(",")]
            depth, fraction = int(values["DP"]), float(values["AF"])
        except (KeyError, ValueError):
            return None  # NGC-VCF-012 and VCF-SPEC-022 say so
        if sum(depths) > depth:
            self.emit(S_DEPTHS, record.line, f"{where} AD adds up to {sum(depths)}, DP is {depth}")
            return None
        if not 0 <= fraction <= 1:
            self.emit(S_DEPTHS, record.line, f"{where} AF {fraction:g} is not within 0 to 1")
            return None
        share = depths[-1] / depth if depth else 0.0
        if passed and depth >= self.least_depth and abs(fraction - share) > self.tolerance:
            self.emit(S_FRACTION, record.line, f"{where} AF {fraction:g}, where {depths[-1]} of {depth} reads have it")
        return share

    def _context(self, record: Record) -> str:
        if self.reference is None or self.reference.length(record.chrom) is None or record.pos < 2:
            return UNKNOWN
        number, at = divmod(record.pos - 2, WINDOW)
        around = self.reference.window(record.chrom, number)[at : at + 3].decode("ascii", "replace").upper()
        return context(around, record.alts[0])


def read_table(file: str, text: str | None) -> tuple[dict[str, int] | None, list[Finding]]:
    """Counts by context of a table, None where it has not the form, and what is wrong with it."""

    def fault(line: int, evidence: str) -> tuple[None, list[Finding]]:
        return None, [Finding(S_TABLE, file=file, place=f"line {line}" if line else "", evidence=evidence)]

    if text is None:
        return fault(0, "cannot be read as text")
    lines = text.split("\n")
    if lines[0] != "context\tcount":
        return fault(1, f"{lines[0][:40]!r} where the heads context and count must be")
    if lines[-1] != "" or len(lines) != len(CONTEXTS) + 2:
        return fault(0, f"{len(lines) - 2} rows, must be {len(CONTEXTS)}, each with its line end")
    counts = {}
    for number, (line, wanted) in enumerate(zip(lines[1:-1], CONTEXTS, strict=True), 2):
        name, _, count = line.partition("\t")
        if name != wanted:
            return fault(number, f"{name[:40]!r} where {wanted} must be")
        if not re.fullmatch("[0-9]{1,12}", count):
            return fault(number, f"{count[:40]!r} is no number of SNVs")
        counts[name] = int(count)
    return counts, []


def check_recount(
    file: str, counts: Mapping[str, int], found: Mapping[str, int] | None, exact: bool
) -> Iterator[Finding]:
    """The table against the PASS SNVs of its VCF by context. exact: whether a reference told these contexts.

    found: None where there is no such VCF, or it could not be read to its end.
    """
    if found is None:
        yield Finding(S_RECOUNT, status="NOT_CHECKED", file=file, evidence="its somatic VCF cannot be read")
        return
    total, snvs = sum(counts.values()), sum(found.values())
    if total > snvs:
        yield Finding(S_RECOUNT, file=file, evidence=f"{total} SNVs, where the VCF has {snvs} that pass")
    elif not exact:
        evidence = "no reference at hand: contexts are not counted again"
        yield Finding(S_RECOUNT, status="NOT_CHECKED", file=file, evidence=evidence)
    elif other := [name for name in CONTEXTS if counts[name] != found.get(name, 0)]:
        name = other[0]
        evidence = f"{name}: {counts[name]}, the VCF has {found.get(name, 0)}; so in {len(other)} contexts"
        yield Finding(S_RECOUNT, file=file, evidence=evidence)
