"""The profile's rules on the records of a copy-number VCF: type, ends, copies, ratio, genotype and filters agree."""

from __future__ import annotations

from collections.abc import Mapping

from ngc_check.vcf_spec import INTEGER, Emit, Header, Record

KIND = "copy_number_vcf"
C_TYPE, C_COPIES, C_RATIO, C_GENOTYPE, C_OVERLAP, C_FILTER = (f"NGC-CNV-00{number}" for number in range(1, 7))
ROUNDED = 0.001
"""Copy ratios have three decimals: what is nearer than this to a limit may lie on either side of it."""


class CopyNumberJudge:
    """Judges one record after the other, in file order.

    sex: of the sample, None where it is not known; then the expected copies are not judged.
    """

    def __init__(self, profile, header: Header, emit: Emit, sex: str | None) -> None:
        self.profile, self.header, self.emit = profile, header, emit
        self.limits: Mapping = profile.data["copy_number"]
        self.role = {contig["name"]: contig["role"] for contig in profile.contigs()}
        self.ploidy = profile.ploidy(sex) if sex in ("female", "male") else None
        self.contig, self.end = "", 0
        """Contig and last position of the record before."""

    def judge(self, record: Record) -> None:
        """Every rule of one record. What the format itself refuses is not judged again."""
        where = f"{record.chrom}:{record.pos}"
        end = self._type(record, where)
        if record.chrom == self.contig and record.pos < self.end:
            self.emit(C_OVERLAP, record.line, f"{where} begins before the end {self.end} of the variant before it")
        self.contig, self.end = record.chrom, end or record.pos
        values = dict(zip(record.format, record.samples[0].split(":"), strict=False)) if record.samples else {}
        try:
            copies, expected, bins = (int(values[key]) for key in ("CN", "ECN", "BINS"))
            ratio, (low, high) = float(values["CR"]), (float(part) for part in values["CRCI"].split(","))
        except (KeyError, ValueError):
            return  # NGC-VCF-012 and VCF-SPEC-022 say so
        self._copies(record, where, copies, expected)
        if not copies - 0.5 - ROUNDED <= 2 * ratio <= copies + 0.5 + ROUNDED:
            self.emit(C_RATIO, record.line, f"{where} CN {copies} is not twice the ratio {ratio:g}, rounded")
        elif not low <= ratio <= high:
            self.emit(C_RATIO, record.line, f"{where} CR {ratio:g} is not in its interval {low:g} to {high:g}")
        self._genotype(record, where, copies, values.get("GT", "."))
        self._filters(record, where, expected, bins, low, high)

    def _type(self, record: Record, where: str) -> int | None:
        """Judge type and ends; the last position, None where there is none."""
        kind, fault = record.alts[0].strip("<>"), None
        text = record.info.get("END") or ""
        end = int(text) if INTEGER.fullmatch(text) else None
        length = self.header.contigs.get(record.chrom, {}).get("length") or "0"
        if record.alts[0] not in ("<DEL>", "<DUP>"):
            fault = f"ALT {record.alts[0][:20]} is neither <DEL> nor <DUP>"
        elif record.info.get("SVTYPE") != kind:
            fault = f"SVTYPE is not {kind}"
        elif end is None or end <= record.pos:
            fault = "END does not lie behind POS"
        elif INTEGER.fullmatch(length) and end > int(length):
            fault = f"END {end} lies beyond the contig"
        elif record.info.get("SVLEN") != str((end - record.pos) * (-1 if kind == "DEL" else 1)):
            fault = f"SVLEN is not {'-' if kind == 'DEL' else ''}{end - record.pos}"
        if fault:
            self.emit(C_TYPE, record.line, f"{where} {fault}")
        return end

    def _copies(self, record: Record, where: str, copies: int, expected: int) -> None:
        role = self.role.get(record.chrom)
        wanted = 2 if role == "autosome" else None
        if self.ploidy is not None and role in ("X", "Y"):
            # The variant begins behind POS.
            pseudo = any(start <= record.pos < end for start, end in self.profile.par(record.chrom))
            wanted = self.ploidy["X"] + self.ploidy["Y"] if pseudo else self.ploidy[role]
        if wanted is not None and expected != wanted:
            self.emit(C_COPIES, record.line, f"{where} ECN is {expected}, this sex has {wanted} copies")
        elif (copies >= expected) if record.alts[0] == "<DEL>" else (copies <= expected):
            self.emit(C_COPIES, record.line, f"{where} {record.alts[0]} with CN {copies} of {expected}")

    def _genotype(self, record: Record, where: str, copies: int, genotype: str) -> None:
        alleles = genotype.replace("|", "/").split("/")
        gone = set(alleles) == {"1"} and record.alts[0] == "<DEL>"
        single = len(alleles) == 1
        if "1" not in alleles or (gone != (copies == 0) and record.alts[0] == "<DEL>" and not single):
            self.emit(C_GENOTYPE, record.line, f"{where} GT {genotype[:20]} with CN {copies}")

    def _filters(self, record: Record, where: str, expected: int, bins: int, low: float, high: float) -> None:
        given = record.filter.split(";")
        edge = (expected - 0.5 if record.alts[0] == "<DEL>" else expected + 0.5) / 2
        on_edge = min(abs(edge - low), abs(edge - high)) <= ROUNDED
        wanted = {"few_bins": bins < self.limits["minimum_bins"]}
        if not on_edge:
            wanted["near_expected"] = low <= edge <= high
        for name, due in wanted.items():
            if due != (name in given):
                self.emit(C_FILTER, record.line, f"{where} {'lacks' if due else 'has'} the filter {name}")
