"""The profile's rules on the records of a somatic copy-number VCF: type, intervals, loss of heterozygosity and filters.

Types, ends and lengths are judged as in the structural VCF (vcf_structural.py).
"""

from __future__ import annotations

from collections.abc import Mapping

from ngc_check.vcf_copy_number import SegmentJudge
from ngc_check.vcf_spec import Emit, Record

KIND = "somatic_copy_number_vcf"
S_TYPE, S_INTERVAL, S_LOSS, S_OVERLAP, S_FILTER = (f"NGC-SCN-00{number}" for number in range(1, 6))
ROUNDED = 0.005
"""Ratios have three decimals: a share worked out from two of them may be off by so much."""


class SomaticCopyNumberJudge(SegmentJudge):
    """Judges one record after the other, in file order."""

    def __init__(self, profile, emit: Emit) -> None:
        super().__init__(emit, S_OVERLAP, S_FILTER)
        self.limits: Mapping = profile.data["somatic_copy_number"]

    def judge(self, record: Record) -> None:
        """Every rule of one record. What the format itself refuses is not judged again."""
        where, values = self.segment(record)
        try:
            bins, sites = int(values["BINS"]), int(values["SITES"])
            ratio, (low, high) = float(values["CR"]), (float(part) for part in values["CRCI"].split(","))
            told = [values["MAF"], values["MAFCI"]]
            minor = None
            if told != [".", "."]:
                minor = (float(told[0]), *(float(part) for part in told[1].split(",")))
                least, most = minor[1:]
        except (KeyError, ValueError):
            if sorted(text == "." for text in (values.get("MAF"), values.get("MAFCI"))) == [False, True]:
                self.emit(S_INTERVAL, record.line, f"{where} one of MAF and MAFCI is a dot")
            return  # else NGC-VCF-012 and VCF-SPEC-022 say so
        self._type(record, where, ratio)
        if not low <= ratio <= high:
            self.emit(S_INTERVAL, record.line, f"{where} CR {ratio:g} is not in its interval {low:g} to {high:g}")
        elif (minor is None) != (sites == 0):
            self.emit(S_INTERVAL, record.line, f"{where} MAF {told[0][:20]} with SITES {sites}")
        elif minor is not None and not least <= minor[0] <= min(most, 0.5):
            self.emit(S_INTERVAL, record.line, f"{where} MAF {minor[0]:g} is not in {least:g} to {most:g} or above 0.5")
        else:
            self._loss(record, where, None if minor is None else 1 - 2 * high * most)
        self._filters(record, where, bins, sites, low <= 1 <= high)

    def _type(self, record: Record, where: str, ratio: float) -> None:
        alt = record.alts[0]
        if {"<DEL>": ratio >= 1, "<DUP>": ratio <= 1, "<CNV>": "LOH" not in record.info}.get(alt, False):
            told = "without LOH" if alt == "<CNV>" else f"with CR {ratio:g}"
            self.emit(S_TYPE, record.line, f"{where} {alt} {told}")

    def _loss(self, record: Record, where: str, share: float | None) -> None:
        limit, given = self.limits["lost_share"], "LOH" in record.info
        if share is not None and abs(share - limit) <= ROUNDED:
            return
        due = share is not None and share > limit
        if due != given:
            told = "without sites" if share is None else f"at least {max(share, 0.0):.3f} of the cells lost a haplotype"
            self.emit(S_LOSS, record.line, f"{where} {'lacks' if due else 'has'} LOH: {told}")

    def _filters(self, record: Record, where: str, bins: int, sites: int, neutral: bool) -> None:
        alone = record.alts[0] == "<CNV>"
        wanted = {
            "few_bins": bins < self.limits["minimum_bins"],
            "few_sites": alone and sites < self.limits["minimum_sites"],
            "near_neutral": not alone and neutral,
        }
        self.judge_filters(record, where, wanted)
