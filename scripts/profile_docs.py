"""Write docs/profile.md from the profile: `python scripts/profile_docs.py [OUT]`."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from pathlib import Path

import ngc_profile
from ngc_profile import Profile

PAGE = Path(__file__).resolve().parent.parent / "docs" / "profile.md"
SECTIONS = (
    ("NGC-PKG", "The package", "The submission folder as a BagIt bag: complete, unchanged, sealed."),
    ("NGC-MAN", "The manifest", "manifest.json: its form, its codes, its fields against each other and the files."),
    ("NGC-ALN", "Alignments", "Each CRAM or BAM, its index and its header."),
    ("NGC-PII", "Personal identifiers", "Every text of the submission; what is found is never shown, only named."),
    ("NGC-QC", "Quality", "Statuses are computed anew from value and threshold."),
    ("NGC-VCF", "Variants (VCF)", "Each VCF, beyond its format; what the profile says of its content decides."),
    ("NGC-SV", "Structural variants", "Alleles that are named, not spelt: their type, ends, lengths and mates."),
    ("NGC-SSV", "Somatic structural variants", "Reads of tumour and normal, and the filters that follow from them."),
    ("NGC-GVCF", "Variants (gVCF)", "Each gVCF, beyond its format."),
    ("NGC-CNV", "Variants (copy number)", "Each copy-number VCF, beyond its format."),
    ("NGC-SCN", "Somatic copy number", "Ratio and lesser fraction of each tumour, and what follows from them."),
    ("NGC-SOM", "Variants (somatic)", "Each somatic VCF, beyond its format, and the table of mutation contexts."),
    ("VCF-SPEC", "The VCF format", "VCF 4.2 and 4.3 as specified; these alone count with `--spec-only`."),
)
BASES = {
    "law": "Danish law or a publication of Nationalt Genom Center",
    "ngc-observed": "seen in public scripts or on paths of the centre: real and dated, no published rule",
    "dk": "Danish national standard",
    "peer": "another national programme",
    "spec": "format specification",
    "own": "engineering choice of this project",
}


def page(profile: Profile) -> str:
    """The whole page as Markdown."""
    lines = [
        f"# Profile {profile.id} {profile.version}, rule by rule",
        "",
        "Made by `scripts/profile_docs.py` from `config/profile/ngc-provisional.yaml`; edit that file, not this page.",
        "",
        "Nationalt Genom Center's technical submission specification is not public. This profile gathers what is "
        "known, each statement with its basis, and stands in until the centre's own text arrives. A submission "
        "that conforms to it conforms to this profile, and to nothing else.",
        "",
        "Judge a submission or one of its files:",
        "",
        "```",
        "ngc-wgs check results/submissions/CASE --reference reference.fa",
        "ngc-wgs check CASE --reference reference.fa --public-key sender.pub --private-key receiver.sec",
        "ngc-wgs check sample.vcf.gz --spec-only",
        "```",
        "",
        "Exit status: 0 conforms, 1 does not, 2 could not be judged. An **error** refuses the submission, a "
        "**warn** does not. What cannot be checked, for want of the reference for example, is reported as "
        "NOT_CHECKED and never as passed. A rule with `valid_from` only warns before that day, judged at the "
        "case's analysis date. A bag that somebody else has changed and packaged again is complete and "
        "consistent: only its signature, judged with `--public-key`, tells it from the sender's own.",
        "",
        "An encrypted submission is judged with `--private-key`: its payload is decrypted for the while into a folder "
        "under TMPDIR that nobody else can enter, and which needs room for the whole of it. Without the key the "
        "encrypted files are held against their digests, and the rules on what they hold are NOT_CHECKED.",
        "",
        f"{len(profile.rules())} rules. Basis:",
        "",
        *[f"* **{basis}**: {text}" for basis, text in BASES.items()],
    ]
    for prefix, title, text in SECTIONS:
        rules = [rule for rule in profile.rules() if rule["id"].startswith(prefix + "-")]
        if rules:
            lines += ["", f"## {title}", "", text]
            for rule in rules:
                lines += _rule(rule)
    lines += _metrics(profile) + _files(profile) + _vocabularies(profile) + _reference(profile)
    return "\n".join(lines) + "\n"


def _rule(rule: dict) -> Iterable[str]:
    yield ""
    yield f"### {rule['id']}: {rule['title']}"
    yield ""
    yield f"{rule['definition']}."
    yield ""
    yield f"* severity **{rule['severity']}**, basis **{rule['basis']}**: {rule['source']}"
    yield f"* mend: {rule['mend']}"
    if rule["valid_from"] or rule["valid_to"]:
        yield f"* valid {_span(rule)}"
    for name, value in rule["parameters"].items():
        shown = ", ".join(map(str, value)) if isinstance(value, list) else value
        yield f"* {name}: `{shown}`"


def _span(entry: dict) -> str:
    start, end = entry["valid_from"], entry["valid_to"]
    return " ".join([f"from {start}"] * bool(start) + [f"to {end}"] * bool(end)) or "always"


def _table(head: str, rows: Iterable[Iterable[object]]) -> list[str]:
    names = head.split("|")
    body = ["| " + " | ".join(str(cell).replace("|", "\\|") for cell in row) + " |" for row in rows]
    return ["", "| " + " | ".join(names) + " |", "|" + "---|" * len(names), *body]


def _metrics(profile: Profile) -> list[str]:
    lines = [
        "",
        "## Metrics and gates",
        "",
        "A metric has the worst status whose gate its value meets, PASS where it meets none, NOT_MEASURED without one.",
    ]
    for name, metric in profile.data["metrics"].items():
        limits = [*metric.get("study_types", ()), *metric.get("sample_types", ())]
        studies = f", {', '.join(limits)} only" if limits else ""
        required = ", required" if metric["required"] else ""
        lines += [
            "",
            f'<a id="{metric["id"].lower()}"></a>',
            "",
            f"### {metric['id']}: {name}",
            "",
            f"{metric['definition']}.",
            "",
            f"* unit {metric['unit']}, by {metric['tool']}, judged after {metric['stage']}{studies}{required}",
            f"* source: {metric['source']}",
            *(f"* {_gate(gate)}" for gate in metric["gates"]),
            f"* mend: {metric['mend']}",
            *_parameters(metric.get("parameters", {})),
        ]
    return lines


def _gate(gate: dict) -> str:
    whose = "" if gate["applies_to"] == "all" else f"{gate['applies_to']}: "
    only = ", only for the whole genome of the profile's own reference" if gate.get("only") else ""
    return f"{whose}**{gate['status']}** where {gate['op']} {gate['value']}, basis **{gate['basis']}**{only}"


def _parameters(parameters: dict) -> Iterable[str]:
    for name, value in parameters.items():
        if not isinstance(value, dict):
            yield f"* {name}: `{value}`"
        else:
            yield f"* {name}:"
            for key, item in value.items():
                shown = ", ".join(f"{k} {v}" for k, v in item.items()) if isinstance(item, dict) else item
                yield f"  * {key}: {shown}"


def _files(profile: Profile) -> list[str]:
    rows = []
    for name, f in profile.data["files"].items():
        where = [*f.get("study_types", ()), *([f"references with {f['role']}"] if "role" in f else [])]
        due = ("required" if f["required"] else "optional") + (f" in {', '.join(where)}" if where else "")
        due += ", unless not called" if f.get("may_be_not_called") else ""
        rows.append([f"`{name}`", f"`{f['name']}`", f["edam"], f["digest"] or "none", f.get("content", ""), due])
    return ["", "## Files", *_table("type|path|EDAM|content digest|VCF content|due", rows), *_contents(profile)]


def _contents(profile: Profile) -> list[str]:
    rows = [
        [
            f"`{name}`",
            ", ".join(spec["record_roles"]),
            spec["samples"],
            spec["ploidy"],
            " ".join([*(f for f in ("blocks", "split", "normal") if spec[f]), *spec.get("alts", ())]),
            ", ".join(f"`{key}`" for key, d in spec["format"].items() if d["required"]),
            ", ".join(f"`{key}`" for key, d in spec["info"].items() if d["required"]),
        ]
        for name, spec in profile.data.items()
        if isinstance(spec, dict) and "record_roles" in spec
    ]
    limits = [
        [f"`{section}.{key}`", value]
        for section in (
            "denovo",
            "mitochondrion",
            "somatic",
            "structural",
            "somatic_structural",
            "copy_number",
            "somatic_copy_number",
            "homozygosity",
        )
        for key, value in profile.data[section].items()
        if not key.endswith("filters")
    ]
    return [
        "",
        "What the VCFs hold:",
        *_table("content|contigs|samples|ploidy by|form|FORMAT required|INFO", rows),
        "",
        "Limits by which their genotypes, candidates and filters are written:",
        *_table("limit|value", limits),
    ]


def _vocabularies(profile: Profile) -> list[str]:
    lines = ["", "## Vocabularies", "", "Each code counts on the analysis dates given."]
    for name, entries in profile.data["vocabularies"].items():
        rows = []
        for entry in entries:
            label = ", ".join(str(entry[key]) for key in ("label_da", "label_en") if key in entry)
            more = [f"needs {' and '.join(entry['analyses'])}"] if "analyses" in entry else []
            more += [entry["note"]] if "note" in entry else []
            rows.append([f"`{entry['code']}`", label, _span(entry), "; ".join(more)])
        lines += ["", f"### {name}", *_table("code|label|valid|note", rows)]
    return lines


def _reference(profile: Profile) -> list[str]:
    contigs = profile.contigs()
    refused = [contig["name"] for contig in contigs if contig.get("md5_refused")]
    known = [contig["name"] for contig in contigs if contig["md5"]]
    return [
        "",
        "## Reference",
        "",
        f"`{profile.reference['id']}`: {profile.reference['accession']}, {profile.reference['assembly']}, "
        f"{len(contigs)} contigs, {sum(contig['length'] for contig in contigs):,} bases.",
        "",
        f"* MD5 demanded: {', '.join(known) or 'none'}",
        f"* MD5 of the unmasked sequence refused: {', '.join(refused) or 'none'}",
        f"* MD5 compared with the published one of the unmasked set, others warn: "
        f"{sum('md5_unmasked' in contig for contig in contigs)} contigs",
        "* pseudoautosomal regions (0-based, half-open): "
        + ", ".join(f"{p['contig']}:{p['start']}-{p['end']}" for p in profile.reference["par"]),
    ]


if __name__ == "__main__":
    Path(sys.argv[1] if len(sys.argv) > 1 else PAGE).write_text(page(ngc_profile.load()), encoding="utf-8")
