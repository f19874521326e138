"""The profile's rules on the records of a somatic structural VCF: reads, shares and filters of tumour and normal agree.

Types, ends, lengths and mates are judged as in the germline's file (vcf_structural.py).
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from ngc_check.vcf_spec import Emit, Header, Record

KIND = "somatic_structural_vcf"
S_SHARE, S_TUMOUR, S_FILTER = (f"NGC-SSV-00{number}" for number in range(1, 4))
READS = ("DR", "DV", "RR", "RV")
ROUNDED = 0.0005
"""AF has three decimals."""
NUMBER = re.compile(r"[0-9]{1,9}(?:\.[0-9]{1,9})?")


class SomaticStructuralJudge:
    """Judges one record after the other.

    columns: name of the tumour's and the normal's column by `tumour` and `normal`; None where it is not known which is
    which, then only their own sums are judged.
    """

    def __init__(self, profile, header: Header, emit: Emit, columns: Mapping[str, str] | None) -> None:
        self.limits: Mapping = profile.data["somatic_structural"]
        self.header, self.emit = header, emit
        places = [(columns or {}).get(key) for key in ("tumour", "normal")]
        self.columns = [header.samples.index(name) for name in places if name in header.samples]

    def judge(self, record: Record) -> None:
        """Every rule of one record. What the format itself refuses is not judged again."""
        where = f"{record.chrom}:{record.pos}"
        at = 3 if "IMPRECISE" not in record.info else 1
        cells = []
        for column in record.samples:
            values = dict(zip(record.format, column.split(":"), strict=False))
            if any(not values.get(key, "").isdecimal() or len(values[key]) > 9 for key in READS) or "AF" not in values:
                return  # NGC-VCF-012 and VCF-SPEC-022 say so
            reads = [int(values[key]) for key in READS]
            own = _share(reads[at], reads[at - 1])
            text = values["AF"]
            if own is None:
                agrees = text == "."
            else:
                agrees = NUMBER.fullmatch(text) is not None and abs(float(text) - own) <= ROUNDED + 1e-9
            if not agrees:
                counted = f"{READS[at]} {reads[at]} and {READS[at - 1]} {reads[at - 1]}"
                self.emit(S_SHARE, record.line, f"{where} AF {text[:20]} with {counted}")
            cells.append((reads, own or 0.0))
        if len(self.columns) == 2 and max(self.columns) < len(cells):
            self._pair(record, where, at, *(cells[column] for column in self.columns))

    def _pair(self, record: Record, where: str, at: int, tumour: tuple, normal: tuple) -> None:
        limits = self.limits
        (reads, own), (beside, its) = tumour, normal
        if own < limits["reported_fraction"] or its > limits["reported_normal"]:
            text = f"AF {own:.3f} in the tumour and {its:.3f} in the normal"
            self.emit(S_TUMOUR, record.line, f"{where} {text}: no somatic variant")
            return
        theirs = max(_share(beside[1], beside[0]) or 0.0, _share(beside[3], beside[2]) or 0.0)
        wanted = {
            "low_fraction": own < limits["fraction"],
            "few_reads": min(reads[at] + reads[at - 1], beside[at] + beside[at - 1]) < limits["reads"],
            "in_normal": theirs > limits["normal_share"] * own,
        }
        score = record.info.get("SOMATICSCORE")
        if NUMBER.fullmatch(record.qual):
            wanted["weak_evidence"] = float(record.qual) < limits["quality"]
        elif isinstance(score, str) and NUMBER.fullmatch(score):
            wanted["weak_evidence"] = float(score) < limits["somatic_score"]
        else:
            self.emit(S_FILTER, record.line, f"{where} neither QUAL nor SOMATICSCORE")
        given = record.filter.split(";")
        for name, due in wanted.items():
            if due != (name in given):
                self.emit(S_FILTER, record.line, f"{where} {'lacks' if due else 'has'} the filter {name}")


def _share(variant: int, reference: int) -> float | None:
    return variant / (variant + reference) if variant + reference else None
