"""What the judge reports: findings, their masking, and a collector that keeps reports short."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict, dataclass, replace

MAX_EVIDENCE = 120
"""Characters of evidence shown at most: enough to recognise a mistake, too little to leak a record."""

_STATUS = {"error": "FAIL", "warn": "WARN", "info": "INFO", "off": ""}


@dataclass(frozen=True, slots=True)
class Finding:
    """One departure from one rule at one place.

    rule: id in the profile. severity: error, warn or info, as the profile has it on the judged date; leave it
    empty and the collector takes it from the profile. status: FAIL, WARN, NOT_CHECKED or INFO, likewise.
    file: path relative to the submission. place: line, record, key or offset. evidence: the offending value.
    mend: what to do; empty means the rule's own words.
    """

    rule: str
    severity: str = ""
    status: str = ""
    file: str = ""
    place: str = ""
    evidence: str = ""
    mend: str = ""
    count: int = 1

    def as_dict(self) -> dict[str, object]:
        """The finding as JSON-ready data, one of `findings` in check.schema.json."""
        return asdict(self)


class Collector:
    """Gathers findings, at most `cap` per rule and file; the rest are counted, not kept.

    profile: gives severity and mend where a finding leaves them out (a `ngc_profile.Profile`, or None).
    on_date: ISO date at which date-gated rules are judged.
    mask: hides personal identifiers in shown text.
    """

    def __init__(
        self,
        profile=None,
        on_date: str | None = None,
        mask: Callable[[str], str] | None = None,
        cap: int = 20,
    ) -> None:
        self.profile = profile
        self.on_date = on_date
        self.mask = mask or (lambda text: text)
        self.cap = cap
        self.counts: Counter[tuple[str, str]] = Counter()
        self._kept: list[Finding] = []

    def add(self, finding: Finding) -> None:
        """Keep the finding, or only count it where its rule has already been shown `cap` times in that file."""
        finding = self._complete(finding)
        if not finding.status:
            return
        key = (finding.rule, finding.file)
        self.counts[key] += finding.count
        if sum(1 for kept in self._kept if (kept.rule, kept.file) == key) >= self.cap:
            return
        self._kept.append(finding)

    def extend(self, findings: Iterable[Finding]) -> None:
        """Add each of the findings."""
        for finding in findings:
            self.add(finding)

    def _complete(self, finding: Finding) -> Finding:
        severity, status, mend = finding.severity, finding.status, finding.mend
        rule = self.profile.rule(finding.rule) if self.profile else None
        if rule is not None:
            # The profile has the last word on severity, by the date of the analysis.
            severity = self.profile.severity(finding.rule, self.on_date)
            if status not in ("NOT_CHECKED", "INFO"):
                status = _STATUS[severity]
            mend = mend or str(rule["mend"])
        severity = severity if severity in ("error", "warn", "info") else "error"
        status = status if rule is not None or status else _STATUS[severity]
        return replace(
            finding,
            severity=severity,
            status=status,
            mend=shorten(self.mask(mend), 500),
            file=shorten(self.mask(finding.file), 300),
            place=shorten(self.mask(finding.place)),
            evidence=shorten(self.mask(finding.evidence)),
        )

    def __iter__(self) -> Iterator[Finding]:
        return iter(self.findings())

    def findings(self) -> list[Finding]:
        """The kept findings in the order they came; the last of a capped rule carries the count of the rest."""
        out = list(self._kept)
        for (rule, file), total in self.counts.items():
            kept = [i for i, f in enumerate(out) if (f.rule, f.file) == (rule, file)]
            shown = sum(out[i].count for i in kept)
            if kept and total > shown:
                last = out[kept[-1]]
                out[kept[-1]] = replace(last, count=last.count + total - shown)
        return out

    def failing_rules(self, *statuses: str) -> set[str]:
        """Ids of rules with a finding of one of these statuses (FAIL when none is named)."""
        wanted = statuses or ("FAIL",)
        return {finding.rule for finding in self._kept if finding.status in wanted}


# Control and direction characters, and lone surrogates, which no terminal shows and no encoder takes.
_CONTROL = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff]")


def shorten(text: str, limit: int = MAX_EVIDENCE) -> str:
    """One printable line of at most `limit` characters: control and direction characters become `?`."""
    text = _CONTROL.sub("?", str(text))
    return text if len(text) <= limit else text[: limit - 1] + "…"
