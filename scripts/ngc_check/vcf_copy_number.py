"""The profile's rules on the records of a copy-number VCF: copies, ratio, genotype and filters agree.

Types, ends and lengths are judged as in the structural VCF (vcf_structural.py).
"""

from __future__ import annotations

from collections.abc import Mapping

from ngc_check.vcf_spec import INTEGER, Emit, Record

KIND = "copy_number_vcf"
C_COPIES, C_RATIO, C_GENOTYPE, C_OVERLAP, C_FILTER = (f"NGC-CNV-00{number}" for number in range(1, 6))
ROUNDED = 0.001
"""Copy ratios have three decimals: what is nearer than this to a limit may lie on either side of it."""


class SegmentJudge:
    """What the germline and the somatic judge share: segments in file order, and filters that are due or not."""

    def __init__(self, emit: Emit, overlap: str, filters: str) -> None:
        self.emit, self.overlap, self.filters = emit, overlap, filters
        """Of the last two, the rule ids."""
        self.contig, self.end = "", 0
        """Contig and last position of the record before."""

    def segment(self, record: Record) -> tuple[str, dict[str, str]]:
        """Place and values of the sample; the record may not begin within the one before."""
        where = f"{record.chrom}:{record.pos}"
        text = record.info.get("END") or ""
        end = int(text) if INTEGER.fullmatch(text) else None
        if record.chrom == self.contig and record.pos < self.end:
            self.emit(self.overlap, record.line, f"{where} begins before the end {self.end} of the variant before it")
        self.contig, self.end = record.chrom, end or record.pos
        values = record.samples[0].split(":") if record.samples else []
        return where, dict(zip(record.format, values, strict=False))

    def judge_filters(self, record: Record, where: str, wanted: Mapping[str, bool]) -> None:
        """Each filter stands where it is due and nowhere else."""
        given = record.filter.split(";")
        for name, due in wanted.items():
            if due != (name in given):
                self.emit(self.filters, record.line, f"{where} {'lacks' if due else 'has'} the filter {name}")


class CopyNumberJudge(SegmentJudge):
    """Judges one record after the other, in file order.

    sex: of the sample, None where it is not known; then the expected copies are not judged.
    """

    def __init__(self, profile, emit: Emit, sex: str | None) -> None:
        super().__init__(emit, C_OVERLAP, C_FILTER)
        self.profile = profile
        self.limits: Mapping = profile.data["copy_number"]
        self.role = {contig["name"]: contig["role"] for contig in profile.contigs()}
        self.sex = sex if sex in ("female", "male") else None

    def judge(self, record: Record) -> None:
        """Every rule of one record. What the format itself refuses is not judged again."""
        where, values = self.segment(record)
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

    def _copies(self, record: Record, where: str, copies: int, expected: int) -> None:
        role = self.role.get(record.chrom)
        # The variant begins behind POS.
        wanted = self.profile.copies(record.chrom, record.pos + 1, self.sex or "unknown")
        if (role == "autosome" or (self.sex and role in ("X", "Y"))) and expected != wanted:
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
        edge = (expected - 0.5 if record.alts[0] == "<DEL>" else expected + 0.5) / 2
        on_edge = min(abs(edge - low), abs(edge - high)) <= ROUNDED
        wanted = {"few_bins": bins < self.limits["minimum_bins"]}
        if not on_edge:
            wanted["near_expected"] = low <= edge <= high
        self.judge_filters(record, where, wanted)
