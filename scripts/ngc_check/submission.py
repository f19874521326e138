"""Judging: a whole submission, or one file, against a profile, from what is on disk alone."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import date
from itertools import chain
from pathlib import Path

import ngc_profile
from ngc_check import identifiers, quality, seal, vcf_somatic
from ngc_check.alignment import check_alignment
from ngc_check.bag import ENVELOPE, TAG_FILES, TAG_MANIFEST, Bag, read_bag
from ngc_check.digests import VCF_RECORDS, FileFacts, Unreadable, read_alignment, read_facts
from ngc_check.findings import Collector, Finding
from ngc_check.manifest import (
    NAME,
    BadJson,
    analysis_date,
    check_fields,
    check_files,
    guarded,
    parse_json,
    schema_faults,
)
from ngc_check.vcf import check_vcf
from ngc_profile import Profile

OVERLAY = "overlay.yaml"
KINDS = {
    ".vcf.gz": "vcf",
    ".vcf": "vcf",
    ".cram": "alignment",
    ".bam": "alignment",
    ".metrics.json": "metrics",
    ".contexts.tsv": "contexts",
    ".html": "report",
}
_VCF_RULES = ("NGC-VCF-", "NGC-GVCF-", "NGC-SV-", "NGC-SSV-", "NGC-SCN-", "NGC-CNV-", "NGC-SOM-")
_CONTENT_RULES = ("NGC-ALN-", *_VCF_RULES, "VCF-SPEC-", "NGC-PII-", "NGC-QC-004", "NGC-PKG-010")
_TEXT = (".json", ".html", ".txt", ".yaml", ".yml", ".sig", ".log", ".tsv", ".csv", ".bed")
_CONFORMS, _FAILS, _UNJUDGED = "CONFORMS", "DOES_NOT_CONFORM", "COULD_NOT_BE_JUDGED"
EXIT = {_CONFORMS: 0, _FAILS: 1, _UNJUDGED: 2}


class CannotJudge(Exception):
    """What was asked cannot be judged at all; the message says why and what to do."""


@dataclass
class Report:
    """The judgement: kind of target, findings in order, and the verdict that follows from them."""

    target: str
    kind: str
    profile: Profile | None = None
    judged_at: str = ""
    spec_only: bool = False
    findings: list[Finding] = field(default_factory=list)
    reason: str = ""

    @property
    def verdict(self) -> str:
        """CONFORMS where no rule fails, DOES_NOT_CONFORM where one does; with a reason, COULD_NOT_BE_JUDGED."""
        if self.reason:
            return _UNJUDGED
        return _FAILS if any(finding.status == "FAIL" for finding in self.findings) else _CONFORMS

    @property
    def exit_code(self) -> int:
        """0 conforms, 1 does not, 2 could not be judged."""
        return EXIT[self.verdict]

    def rules(self, *statuses: str) -> set[str]:
        """Ids of the rules with a finding of one of these statuses."""
        return {finding.rule for finding in self.findings if finding.status in statuses}

    def counts(self) -> dict[str, int]:
        """Number of findings by status, those that the cap left out included."""
        counted: Counter[str] = Counter()
        for finding in self.findings:
            counted[finding.status] += finding.count
        return {status: counted[status] for status in ("FAIL", "WARN", "NOT_CHECKED", "INFO")}

    def as_dict(self) -> dict:
        """The report as check.schema.json has it."""
        return {
            "check_version": "1.0",
            "target": self.target,
            "kind": self.kind,
            "verdict": self.verdict,
            "exit_code": self.exit_code,
            "reason": self.reason,
            "spec_only": self.spec_only,
            "judged_at": self.judged_at or date.today().isoformat(),
            "profile": self.profile.identity() if self.profile else None,
            "counts": self.counts(),
            "findings": [finding.as_dict() for finding in self.findings],
        }


def check(
    target: str | Path,
    profile: Profile,
    *,
    overlay_given: bool = False,
    profile_path: str | Path | None = None,
    reference: str | Path | None = None,
    deny: Iterable[str] = (),
    spec_only: bool = False,
    on_date: str | None = None,
    public_keys: Iterable[str | Path] = (),
    private_key: str | Path | None = None,
    threads: int = 1,
) -> Report:
    """Judge a submission folder or a single file.

    profile_path: where `profile` was read from (default: the shipped one), to put a bag's own overlay on it unless
    `overlay_given`. reference: indexed FASTA; without it the rules that need it are NOT_CHECKED. deny: words that
    must not be there. on_date: ISO date for a single file (default today); a submission is judged at its analysis
    date. public_keys: files, or folders of files, of the keys whose signature is trusted. private_key: opens an
    encrypted submission, or a single encrypted file; without it a submission's rules on content are NOT_CHECKED.
    threads: that judge one file at a time; the findings do not depend on them. Raises CannotJudge.
    """
    target = Path(target)
    reference = indexed_reference(reference)
    try:
        with ExitStack() as scratch:
            if target.is_dir():
                keys = seal.trusted_keys(public_keys)
                opener = seal.private_key(private_key) if private_key is not None else None
                report = _check_folder(
                    target, profile, overlay_given, profile_path, reference, deny, keys, opener, scratch, threads
                )
            elif target.is_file():
                if target.name.endswith(ENVELOPE):
                    if private_key is None:
                        raise CannotJudge(f"{target.name}: encrypted; name the receiver's key with `--private-key`")
                    target = seal.open_file(target, seal.private_key(private_key), scratch)
                report = _check_file(target, profile, reference, deny, spec_only, on_date, threads)
            else:
                raise CannotJudge(f"{target.name}: no such file or folder")
    except Unreadable as error:
        raise CannotJudge(str(error)) from None
    except OSError as error:
        raise CannotJudge(f"{Path(str(error.filename or target)).name}: cannot be read: {error.strerror}") from None
    if spec_only:
        report.spec_only = True
        report.findings = [finding for finding in report.findings if _of_specification(finding.rule, profile)]
    return report


def _of_specification(rule_id: str, profile: Profile) -> bool:
    rule = profile.rule(rule_id)
    # What the profile asks of a VCF beyond the specification can still have a specification's word as its basis.
    return rule is not None and rule["basis"] == "spec" and not rule_id.startswith(_VCF_RULES)


def indexed_reference(path: str | Path | None) -> Path | None:
    """A reference that is there with its index, None where none is named; raises CannotJudge."""
    if path is None:
        return None
    path = Path(path)
    if not path.is_file():
        raise CannotJudge(f"{path.name}: no such reference")
    if not path.with_name(path.name + ".fai").is_file():
        raise CannotJudge(f"{path.name}: the reference has no index; make it with `samtools faidx`")
    return path


def kind_of(name: str) -> str:
    """Kind of a file by its name; `unknown` where the name does not tell. What a VCF holds is the profile's word."""
    if name.rsplit("/", 1)[-1] == NAME:
        return "manifest"
    return next((kind for ending, kind in KINDS.items() if name.endswith(ending)), "unknown")


# --- a submission -----------------------------------------------------------------------------------------------------


def _check_folder(
    root: Path,
    profile: Profile,
    overlay_given: bool,
    profile_path: str | Path | None,
    reference: Path | None,
    deny: Iterable[str],
    keys: dict[str, object],
    opener: bytes | None,
    scratch: ExitStack,
    threads: int,
) -> Report:
    early: list[Finding] = []
    known: dict[str, FileFacts] = {}
    manifest = _manifest_data(root, early, known)
    profile, overlay_findings = _with_overlay(root, manifest, profile, overlay_given, profile_path)
    early += overlay_findings
    day = analysis_date(manifest) or date.today().isoformat()
    scanner = identifiers.scanner_for(profile, deny)
    collector = Collector(profile, day, scanner.mask)
    people = _people(manifest)
    columns = _columns(manifest)
    later: list[Finding] = []
    alignments = {}
    mutations: dict[str, dict[str, int]] = {}

    def reader(name: str, path: Path) -> FileFacts:
        kind = kind_of(name)
        if name in known:
            return known[name]
        if kind == "vcf":
            told: dict[str, int] = {}
            facts, found = _read_vcf(name, path, profile, people, reference, threads, columns=columns, contexts=told)
            if facts.content is not None:
                mutations[_stem(name)] = told
            later.extend(found)
            return facts
        if kind == "alignment":
            return read_alignment(path, reference)
        return read_facts(path, "text" if name.endswith(_TEXT) else "binary")

    bag = read_bag(root, reader)
    collector.extend(bag.findings)
    collector.extend(early)
    collector.extend(seal.check_signature(bag, keys))
    collector.extend(seal.check_envelopes(bag))
    if opener is not None:
        collector.extend(seal.open_envelopes(bag, opener, scratch))
        bag.files.update({name: reader(name, path) for name, path in bag.places.items()})
    elif seal.envelopes(bag):
        collector.extend(_unopened(profile))
    for name in sorted(bag.files):
        if name.startswith("data/") and kind_of(name) == "alignment":
            sample = people.get(_stem(name))
            alignment = check_alignment(
                bag.path(name),
                profile,
                name=name,
                sample=sample["sample"] if sample else None,
                read_groups=_read_groups(sample) if sample else None,
            )
            alignments[name] = alignment
            later.extend(alignment.findings)
            if not alignment.readable:
                bag.files[name].content, bag.files[name].problem = None, "the alignment cannot be read"
    for name, facts in bag.files.items():
        if name.startswith("data/") and kind_of(name) == "contexts":
            counts, found = vcf_somatic.read_table(name, facts.text)
            later.extend(found)
            if counts is not None:
                of_vcf = mutations.get(_stem(name))
                later.extend(vcf_somatic.check_recount(name, counts, of_vcf, reference is not None))
    metrics = {}
    for name, facts in bag.files.items():
        if name.startswith("data/") and kind_of(name) == "metrics":
            data, found = quality.read_metrics(name, facts)
            later.extend(found)
            if data is not None:
                metrics[name] = data
    if isinstance(manifest, dict):
        collector.extend(schema_faults(manifest, "manifest", "NGC-MAN-002", NAME))
        collector.extend(check_fields(manifest, profile))
        collector.extend(
            guarded(
                check_files,
                (
                    "NGC-MAN-009",
                    "NGC-MAN-010",
                    "NGC-MAN-011",
                    "NGC-MAN-021",
                    "NGC-MAN-025",
                    "NGC-MAN-026",
                    "NGC-MAN-030",
                ),
                NAME,
                manifest,
                profile,
                bag.files,
            )
        )
        rules = tuple(f"NGC-QC-00{number}" for number in (1, 2, 3, 5, 6, 7, 8))
        collector.extend(guarded(quality.check_samples, rules, NAME, manifest, profile))
        for name, data in metrics.items():
            if sample := people.get(_stem(name)):
                collector.extend(guarded(quality.check_agreement, ("NGC-QC-004",), name, name, data, sample, manifest))
    else:
        for rule in profile.rules():
            if rule["id"].startswith(("NGC-MAN-", "NGC-QC-")) and rule["id"] not in ("NGC-MAN-001", "NGC-QC-004"):
                collector.add(
                    Finding(rule["id"], status="NOT_CHECKED", file=NAME, evidence="manifest.json cannot be read")
                )
    collector.extend(later)
    collector.extend(_identifiers(bag, manifest, alignments, scanner))
    return Report(scanner.mask(root.resolve().name), "submission", profile, day, findings=collector.findings())


def _unopened(profile: Profile) -> Iterator[Finding]:
    """Every rule on what payload files hold, NOT_CHECKED."""
    for rule in profile.rules():
        if rule["id"].startswith(_CONTENT_RULES):
            evidence = "the payload is encrypted, no private key given"
            yield Finding(rule["id"], status="NOT_CHECKED", file="data", evidence=evidence)


def _manifest_data(root: Path, findings: list[Finding], known: dict[str, FileFacts] | None = None) -> object:
    """manifest.json as data; None, and a finding, where it cannot be read. What the read told goes to `known`."""
    path = root / NAME
    if path.is_symlink() or not path.is_file():
        findings.append(Finding("NGC-MAN-001", file=NAME, evidence="not there"))
        return None
    try:
        facts = read_facts(path, "text")
        if known is not None:
            known[NAME] = facts
        data = parse_json(facts.text, facts.problem)
    except BadJson as error:
        findings.append(Finding("NGC-MAN-001", file=NAME, evidence=str(error)))
        return None
    if not isinstance(data, dict):
        findings.append(Finding("NGC-MAN-001", file=NAME, evidence="is not an object"))
        return None
    return data


def _with_overlay(
    root: Path, manifest: object, profile: Profile, overlay_given: bool, profile_path: str | Path | None
) -> tuple[Profile, list[Finding]]:
    """The profile with the overlay that the manifest names, and what is wrong with naming it."""
    rule, there = "NGC-MAN-013", (root / OVERLAY).is_file() and not (root / OVERLAY).is_symlink()
    try:
        named = manifest["profile"]["overlay"]
        is_test = manifest["submission"]["type"] == "test"
        named_id, named_sha256 = (named["id"], named["sha256"]) if named else (None, None)
    except (KeyError, TypeError):
        return profile, [
            Finding(rule, status="NOT_CHECKED", file=NAME, evidence="manifest.json lacks the fields for this rule")
        ]
    found = []
    if named and not is_test:
        found.append(Finding(rule, file=NAME, place="/profile/overlay", evidence=f"{named_id}, submission is no test"))
    if named and not there:
        found.append(Finding(rule, file=OVERLAY, evidence="named in the manifest, not there"))
    if there and not named:
        found.append(Finding(rule, file=OVERLAY, evidence="there, not named in the manifest"))
    if not (named and there):
        return profile, found
    overlaid = profile
    if not overlay_given:
        try:
            overlaid = ngc_profile.load(profile_path, root / OVERLAY)
            ngc_profile.validate(overlaid, OVERLAY)
        except ngc_profile.ProfileError as error:
            text = str(error).replace(str(root) + "/", "")
            return profile, [*found, Finding(rule, file=OVERLAY, evidence=text)]
    if (overlaid.overlay_id, overlaid.overlay_sha256) != (named_id, named_sha256):
        found.append(Finding(rule, file=OVERLAY, evidence=f"is not the overlay {named_id} that the manifest names"))
    return overlaid, found


def _people(manifest: object) -> dict[str, dict]:
    """Samples of a manifest by pseudonym, as far as they have the form of one."""
    samples = manifest.get("samples") if isinstance(manifest, dict) else None
    return {
        sample["sample"]: sample
        for sample in (samples if isinstance(samples, list) else [])
        if isinstance(sample, dict) and isinstance(sample.get("sample"), str)
    }


def _columns(manifest: object) -> dict[str, dict[str, str]]:
    """Columns by role of the VCFs that a manifest names them of, by path, as far as they have the form."""
    files = manifest.get("files") if isinstance(manifest, dict) else None
    return {
        entry["path"]: entry["columns"]
        for entry in (files if isinstance(files, list) else [])
        if isinstance(entry, dict)
        and isinstance(entry.get("path"), str)
        and isinstance(entry.get("columns"), dict)
        and all(isinstance(name, str) for name in entry["columns"].values())
    }


def _stem(name: str) -> str:
    return name.rsplit("/", 1)[-1].split(".", 1)[0]


def _read_groups(sample: dict) -> set[str] | None:
    try:
        return {
            f"{sample['sample']}.{library['library']}.{run['flowcell']}.L{run['lane']}"
            for library in sample["libraries"]
            for run in library["runs"]
        }
    except (KeyError, TypeError):
        return None


def _read_vcf(
    name: str,
    path: Path,
    profile: Profile,
    people: dict,
    reference: Path | None,
    threads: int,
    spec_only: bool = False,
    columns: dict[str, dict[str, str]] | None = None,
    contexts: dict[str, int] | None = None,
) -> tuple[FileFacts, list[Finding]]:
    """Facts and findings of a VCF from one read; people: the manifest's samples, none where there is no manifest.

    columns: by path, as the manifest names them; contexts: filled with the mutation contexts of a somatic VCF.
    """
    digests: dict[str, str | None] = {}
    kind = profile.vcf_content(name) or "vcf"
    sexes = {
        sample: row["sex"]
        for sample, row in people.items()
        if row.get("sample_type") == "germline" and isinstance(row.get("sex"), str)
    }
    if profile.data[kind]["samples"] == "tumour":
        sample = None  # the columns are the manifest's word
        sex = {name: row["sex"] for name, row in people.items() if isinstance(row.get("sex"), str)} or None
    elif profile.data[kind]["samples"] == "one":
        who = people.get(_stem(name), {})
        sample, sex = who.get("sample"), who.get("sex") if isinstance(who.get("sex"), str) else None
    else:
        sample, sex = (sexes.keys(), sexes) if people else (None, None)
    found = list(
        check_vcf(
            path,
            profile,
            kind=kind,
            sample=sample,
            sex=sex,
            columns=(columns or {}).get(name),
            reference=reference,
            spec_only=spec_only,
            digests=digests,
            contexts=contexts,
            name=name,
            threads=threads,
        )
    )
    info = path.stat()
    if digests.get("sha256") is None:
        facts = read_facts(path)
    else:
        facts = FileFacts(info.st_size, str(digests["sha256"]), mtime_ns=info.st_mtime_ns)
    if (records := digests.get(VCF_RECORDS)) is not None:
        facts.content = (VCF_RECORDS, records)
    else:
        facts.problem = "its records cannot be read to the end"
    facts.text = digests.get("header")
    return facts, found


# --- one file ---------------------------------------------------------------------------------------------------------


def _check_file(
    path: Path,
    profile: Profile,
    reference: Path | None,
    deny: Iterable[str],
    spec_only: bool,
    on_date: str | None,
    threads: int,
) -> Report:
    kind = kind_of(path.name)
    day = on_date or date.today().isoformat()
    scanner = identifiers.scanner_for(profile, deny)
    name = path.name
    texts: Iterable[tuple[str, str | None]] = []
    found: list[Finding] = []
    if kind == "vcf":
        facts, found = _read_vcf(name, path, profile, {}, reference, threads, spec_only)
        texts = identifiers.lines(facts.text or "")
    elif kind == "alignment":
        alignment = check_alignment(path, profile)
        found = alignment.findings
        texts = [*identifiers.lines(alignment.header), *(("read name", read) for read in alignment.names)]
    elif kind == "metrics":
        data, found = quality.read_metrics(name, facts := read_facts(path, "text"))
        if data is not None:
            found += quality.check_metrics_file(name, data, profile)
        texts = identifiers.lines(facts.text or "")
    elif kind == "contexts":
        facts = read_facts(path, "text")
        _, found = vcf_somatic.read_table(name, facts.text)
        texts = identifiers.lines(facts.text or "")
    elif kind == "manifest":
        data = _manifest_data(path.parent, found)
        if isinstance(data, dict):
            day = on_date or analysis_date(data) or day
            found += [*schema_faults(data, "manifest", "NGC-MAN-002", NAME), *check_fields(data, profile)]
            texts = list(identifiers.strings(data))
    elif kind == "report":
        facts = read_facts(path, "text")
        if facts.text is None:
            raise CannotJudge(f"{name}: {facts.problem}")
        texts = identifiers.html_texts(facts.text)
    else:
        raise CannotJudge(f"{name}: its name tells no kind of file that is judged ({', '.join(KINDS)}, {NAME})")
    collector = Collector(profile, day, scanner.mask)
    collector.extend(found)
    collector.extend(_scan(scanner, name, chain([("file name", name)], texts)))  # texts may be very many
    return Report(scanner.mask(name), kind, profile, day, findings=collector.findings())


# --- personal identifiers ---------------------------------------------------------------------------------------------


def _identifiers(bag: Bag, manifest: object, alignments: dict, scanner: identifiers.Scanner) -> Iterator[Finding]:
    """Every text of a submission looked through for personal identifiers."""
    for finding in bag.findings:
        if finding.file not in bag.files:  # what is no plain file has a name all the same
            yield from _scan(scanner, finding.file, [("file name", finding.file)])
    for name, facts in sorted(bag.files.items()):
        yield from _scan(scanner, name, [("file name", name)])
        if name in alignments:
            alignment = alignments[name]
            yield from _scan(scanner, name, identifiers.lines(alignment.header))
            yield from _scan(scanner, name, [("read name", read) for read in alignment.names])
        elif name == NAME and isinstance(manifest, dict):
            yield from _scan(scanner, name, identifiers.strings(manifest))
        elif facts.text is not None:
            yield from _scan(scanner, name, _texts(name, facts.text))


def _texts(name: str, text: str) -> Iterable[tuple[str, str | None]]:
    if name.endswith(".html"):
        return identifiers.html_texts(text)
    if name.endswith(".json"):
        try:
            if len(text) <= identifiers.MAX_DATA:
                return identifiers.strings(json.loads(text))
        except (ValueError, RecursionError):
            return identifiers.lines(text)
    # The bag's own lists of digests and names: the names are scanned as names.
    return [] if name in (*TAG_FILES[2:], TAG_MANIFEST) else identifiers.lines(text)


def _scan(scanner: identifiers.Scanner, file: str, texts: Iterable[tuple[str, str | None]]) -> Iterator[Finding]:
    for place, text in texts:
        if text is None:
            evidence = "packed data cannot be unfolded"
            yield Finding(identifiers.CPR, status="NOT_CHECKED", file=file, place=place, evidence=evidence)
            continue
        for match in scanner.scan(text):
            yield Finding(match.rule, file=file, place=place, evidence=identifiers.shown(match))
