"""manifest.json: its form, its codes, its fields against each other and against the files of the bag."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import date
from functools import cache
from itertools import islice

import jsonschema

from ngc_check.bag import ENVELOPE
from ngc_check.digests import FileFacts
from ngc_check.findings import Finding
from ngc_profile import Profile, data_file

NAME = "manifest.json"
MAX_BYTES = 5_000_000
MAX_DEPTH = 40
MAX_SCHEMA_FAULTS = 50

_TOKEN = re.compile(r'\\.|["\[{\]}]', re.DOTALL)


class BadJson(Exception):
    """Text that is not the JSON a submission may hold; the message says why."""


def parse_json(text: str | None, problem: str = "") -> object:
    """JSON of bounded size and depth, without repeated keys, NaN or Infinity; raises BadJson."""
    if text is None:
        raise BadJson(problem or "cannot be read")
    if len(text) > MAX_BYTES:
        raise BadJson(f"larger than {MAX_BYTES} characters")
    depth, quoted = 0, False
    for match in _TOKEN.finditer(text):
        token = match.group()
        if token == '"':
            quoted = not quoted
        elif not quoted and len(token) == 1:
            depth += 1 if token in "[{" else -1
        if depth > MAX_DEPTH:
            raise BadJson(f"nested deeper than {MAX_DEPTH} levels")
    try:
        return json.loads(text, object_pairs_hook=_once, parse_constant=_no_constant)
    except json.JSONDecodeError as error:
        raise BadJson(f"not JSON: {error.msg} at line {error.lineno}, column {error.colno}") from None
    except (ValueError, RecursionError) as error:
        raise BadJson(str(error)[:200] or "nested too deep") from None


def _once(pairs: list[tuple[str, object]]) -> dict:
    out = dict(pairs)
    if len(out) != len(pairs):
        raise ValueError(f"key `{Counter(key for key, _ in pairs).most_common(1)[0][0][:60]}` is there twice")
    return out


def _no_constant(name: str) -> object:
    raise ValueError(f"{name} is not a JSON number")


@cache
def validator(schema: str) -> jsonschema.Draft202012Validator:
    """Validator of one of the schemas of the project, by its name without ending."""
    text = data_file("schemas", f"{schema}.schema.json").read_text(encoding="utf-8")
    return jsonschema.Draft202012Validator(json.loads(text))


def schema_faults(value: object, schema: str, rule: str, file: str) -> Iterator[Finding]:
    """One finding for each place where JSON departs from a schema, at most `MAX_SCHEMA_FAULTS`."""
    for error in islice(validator(schema).iter_errors(value), MAX_SCHEMA_FAULTS):
        yield Finding(rule, file=file, place=_pointer(error.absolute_path), evidence=_said(error))


def _pointer(path) -> str:
    return "/" + "/".join(str(part) for part in path)


def _said(error: jsonschema.ValidationError) -> str:
    if error.validator == "required":
        return error.message
    if error.validator == "additionalProperties":
        allowed = set(error.schema.get("properties", ()))
        return "unknown field " + ", ".join(sorted(str(key) for key in error.instance if key not in allowed))
    shown = json.dumps(error.instance, ensure_ascii=False, default=str)[:60]
    if error.validator in ("anyOf", "pattern", "enum", "const", "type", "minimum"):
        wanted = {"anyOf": "one of its forms"}.get(error.validator) or json.dumps(error.validator_value)
        return f"{shown} is not of {error.validator} {wanted}"
    return error.message[:200]


def analysis_date(manifest: object) -> str | None:
    """The ISO date at which a manifest is judged, None where it gives none."""
    try:
        day = manifest["legal"]["analysis_date"]
        return date.fromisoformat(day).isoformat() if len(day) == 10 else None
    except (KeyError, TypeError, ValueError):
        return None


def check_fields(manifest: dict, profile: Profile) -> Iterator[Finding]:
    """Findings of every rule on the manifest's own fields.

    Where a field has another form than the schema's, the rules that need it are NOT_CHECKED.
    """
    for check, rules in _FIELD_CHECKS:
        yield from guarded(check, rules, NAME, manifest, profile)


def guarded(
    check: Callable[..., Iterator[Finding]], rules: tuple[str, ...], file: str, *arguments
) -> Iterator[Finding]:
    """Run one check; where the data has another form than it needs, its rules are NOT_CHECKED."""
    try:
        yield from list(check(*arguments))
    except (KeyError, TypeError, ValueError, AttributeError, IndexError):
        for rule in rules:
            yield Finding(
                rule, status="NOT_CHECKED", file=file, evidence="manifest.json lacks the fields for this rule"
            )


def _found(rule: str, place: str, evidence: object, mend: str = "") -> Finding:
    return Finding(rule, file=NAME, place=place, evidence=str(evidence), mend=mend)


def _vocabularies(manifest: dict, profile: Profile) -> Iterator[Finding]:
    day = analysis_date(manifest) or date.today().isoformat()
    coded = [
        ("submission_types", "/submission/type", manifest["submission"]["type"]),
        ("sites", "/site", manifest["site"]),
        ("regions", "/region", manifest["region"]),
        ("legal_bases", "/legal/legal_basis", manifest["legal"]["legal_basis"]),
        ("consents", "/legal/consent", manifest["legal"]["consent"]),
        ("patient_groups", "/patient_group", manifest["patient_group"]),
        ("study_types", "/study_type", manifest["study_type"]),
    ]
    for number, sample in enumerate(manifest["samples"]):
        for vocabulary, key in (
            ("relations", "relation"),
            ("sample_types", "sample_type"),
            ("sexes", "sex"),
            ("affected", "affected"),
            ("materials", "material"),
            ("conservations", "conservation"),
        ):
            coded.append((vocabulary, f"/samples/{number}/{key}", sample[key]))
        for library in sample["libraries"]:
            for run in library["runs"]:
                coded.append(("platforms", f"/samples/{number}/libraries", run["platform"]))
    for vocabulary, place, code in coded:
        entry = profile.entry(vocabulary, code)
        if entry is None:
            known = profile.vocabulary(vocabulary, day)
            yield _found("NGC-MAN-003", place, code, f"Use one of: {', '.join(known)}")
        elif code not in profile.vocabulary(vocabulary, day):
            span = f"valid from {entry['valid_from'] or 'ever'} to {entry['valid_to'] or 'now'}"
            note = f" ({entry['note']})" if entry.get("note") else ""
            yield _found("NGC-MAN-003", place, f"{code} on {day}: {span}{note}")


def _people(manifest: dict, profile: Profile) -> Iterator[Finding]:
    samples = manifest["samples"]
    names = Counter(sample["sample"].casefold() for sample in samples)
    twice = [name for name, count in names.items() if count > 1]
    for name in twice:
        yield _found("NGC-MAN-005", "/samples", f"{names[name]} samples have one pseudonym")
    pattern = re.compile(profile.parameter("NGC-MAN-006", "pattern", ""))
    for place, name in [("/submission/id", manifest["submission"]["id"])] + [
        (f"/samples/{number}/sample", sample["sample"]) for number, sample in enumerate(samples)
    ]:
        if not pattern.search(name):
            yield _found("NGC-MAN-006", place, name)
    if twice:
        return
    found = Counter((sample["relation"], sample["sample_type"]) for sample in samples)
    index = {kind: found[("index", kind)] for kind in ("germline", "tumour")}
    if index["germline"] > 1 or sum(index.values()) == 0:
        yield _found(
            "NGC-MAN-004", "/samples", f"index samples: {index['germline']} germline, {index['tumour']} tumour"
        )
        return
    for number, sample in enumerate(samples):
        relation = profile.entry("relations", sample["relation"]) or {}
        if relation.get("sex") and sample["sex"] in ("female", "male") and sample["sex"] != relation["sex"]:
            yield _found("NGC-MAN-007", f"/samples/{number}/sex", f"{sample['relation']} is {sample['sex']}")
    sexes = {sample["sex"] for sample in samples if sample["relation"] == "index"}
    if len(sexes) > 1:
        yield _found("NGC-MAN-007", "/samples", "the samples of the index person have more than one sex")
    study = profile.entry("study_types", manifest["study_type"])
    if study is None:
        return  # NGC-MAN-003 says so
    if manifest["analysis_type"] != study["analysis_type"]:
        said = f"{manifest['analysis_type']}, {manifest['study_type']} is {study['analysis_type']}"
        yield _found("NGC-MAN-007", "/analysis_type", said)
    wanted = {tuple(key.split("/")): span for key, span in study["samples"].items()}
    counted: Counter[tuple[str, str]] = Counter()
    for (relation, kind), count in found.items():
        named = (relation, kind) in wanted or relation == "index" or ("any", kind) not in wanted
        counted[(relation, kind) if named else ("any", kind)] += count
    for key in sorted(wanted.keys() | counted.keys()):
        low, high = wanted.get(key, (0, 0))
        if not low <= counted[key] <= high:
            span = str(low) if low == high else f"{low} to {high}"
            who = "relative" if key[0] == "any" else key[0]
            yield _found(
                "NGC-MAN-007", "/samples", f"{manifest['study_type']}: {counted[key]} of {who}/{key[1]}, must be {span}"
            )


def _lifecycle(manifest: dict, profile: Profile) -> Iterator[Finding]:
    submission = manifest["submission"]
    entry = profile.entry("submission_types", submission["type"])
    if entry is None:
        return
    supersedes = submission["supersedes"]
    if entry.get("supersedes") and not supersedes:
        yield _found("NGC-MAN-008", "/submission/supersedes", f"{submission['type']} names nothing")
    elif not entry.get("supersedes") and supersedes:
        yield _found("NGC-MAN-008", "/submission/supersedes", f"{submission['type']} supersedes {supersedes}")
    elif supersedes and supersedes == submission["id"]:
        yield _found("NGC-MAN-008", "/submission/supersedes", "names itself")


def _tools(manifest: dict, profile: Profile) -> Iterator[Finding]:
    for number, tool in enumerate(manifest["tools"]):
        if not tool["as_pinned"] or tool["version"] != tool["pinned"]:
            ran = f"{tool['name']}: ran {tool['version']}, pinned {tool['pinned'] or 'none'}"
            yield _found("NGC-MAN-012", f"/tools/{number}", ran)
    if not manifest["pinned_environment"]:
        yield _found("NGC-MAN-012", "/pinned_environment", "not the pinned environment")


def _known_profile(manifest: dict, profile: Profile) -> Iterator[Finding]:
    for key, value in (("id", profile.id), ("version", profile.version), ("sha256", profile.sha256)):
        if manifest["profile"][key] != value:
            yield _found("NGC-MAN-014", f"/profile/{key}", f"{manifest['profile'][key]}; judged by {value}")


def _claim(manifest: dict, profile: Profile) -> Iterator[Finding]:
    against = [f"check {check['name']}" for check in manifest["checks"] if check["result"] == "FAIL"]
    for place in against:
        yield _found("NGC-MAN-015", "/checks", f"{place} failed at the sender's")
    against += [
        f"metric {metric['name']}"
        for sample in manifest["samples"]
        for metric in sample["qc"]["metrics"]
        if metric["status"] == "FAIL"
    ]
    if manifest["profile"]["overlay"] and manifest["submission"]["type"] != "test":
        against.append("another reference")
    if manifest["conforms"] and against:
        yield _found("NGC-MAN-015", "/conforms", f"true, against: {', '.join(against)}")
    elif not manifest["conforms"] and not against:
        yield _found("NGC-MAN-015", "/conforms", "false, without a reason in the manifest")


def _group(manifest: dict, profile: Profile) -> Iterator[Finding]:
    group = profile.entry("patient_groups", manifest["patient_group"])
    tumour = any(sample["sample_type"] == "tumour" for sample in manifest["samples"])
    if group is not None and tumour and "somatic" not in group.get("analyses", ()):
        yield _found("NGC-MAN-016", "/patient_group", f"a tumour sample in {group['code']}")


def _forms(manifest: dict, profile: Profile) -> Iterator[Finding]:
    for rule, place, value in (
        ("NGC-MAN-017", "/requisition_id", manifest["requisition_id"]),
        ("NGC-MAN-018", "/requester_sor", manifest["requester_sor"]),
    ):
        if not re.search(profile.parameter(rule, "pattern", ""), value):
            yield _found(rule, place, value)
    patterns = {key: re.compile(value) for key, value in profile.rule("NGC-MAN-022")["parameters"].items()}
    for number, phenotype in enumerate(manifest["phenotypes"]):
        if not patterns["hpo"].search(phenotype["id"]):
            yield _found("NGC-MAN-022", f"/phenotypes/{number}/id", phenotype["id"])
    for number, diagnosis in enumerate(manifest["diagnoses"]):
        if not patterns[diagnosis["system"].lower()].search(diagnosis["code"]):
            yield _found("NGC-MAN-022", f"/diagnoses/{number}/code", f"{diagnosis['system']} {diagnosis['code']}")


def _consent(manifest: dict, profile: Profile) -> Iterator[Finding]:
    legal = manifest["legal"]
    if legal["legal_basis"] == "research" and legal["consent"] != "yes":
        yield _found("NGC-MAN-019", "/legal/consent", f"research with consent `{legal['consent']}`")


def _dates(manifest: dict, profile: Profile) -> Iterator[Finding]:
    stated = manifest["legal"]["analysis_date"]
    day = analysis_date(manifest)
    if day is None:
        yield _found("NGC-MAN-020", "/legal/analysis_date", f"{stated} is not a day written YYYY-MM-DD")
    elif day > manifest["created"][:10]:
        yield _found("NGC-MAN-020", "/legal/analysis_date", f"{day} is after {manifest['created'][:10]}")


def _workflow(manifest: dict, profile: Profile) -> Iterator[Finding]:
    workflow = manifest["workflow"]
    if not workflow["clean_checkout"]:
        yield _found("NGC-MAN-023", "/workflow/clean_checkout", f"false: not as in commit {workflow['commit'][:12]}")
    start, end = workflow["code_sha256_at_start"], workflow["code_sha256"]
    if start != end:
        evidence = f"{start[:12]}… when the case began, {end[:12]}… when it was packaged"
        yield _found("NGC-MAN-027", "/workflow/code_sha256", evidence)


def _reference(manifest: dict, profile: Profile) -> Iterator[Finding]:
    for key in ("id", "accession", "assembly"):
        if manifest["reference"][key] != profile.reference[key]:
            yield _found(
                "NGC-MAN-024", f"/reference/{key}", f"{manifest['reference'][key]}, not {profile.reference[key]}"
            )


def _not_called(manifest: dict, profile: Profile) -> Iterator[Finding]:
    due = profile.files(manifest["study_type"])
    samples = {sample["sample"]: sample for sample in manifest["samples"]}
    there = {(entry["type"], entry["sample"]) for entry in manifest["files"]}
    named: set[tuple[str, str | None]] = set()
    for number, entry in enumerate(manifest["not_called"]):
        place, name, owner = f"/not_called/{number}", entry["file_type"], entry["sample"]
        kind, whose = due.get(name), f"{name} of {owner or 'the case'}"
        if kind is None:
            fault = f"{name} is no file of study type {manifest['study_type']}"
        elif not kind.get("may_be_not_called"):
            fault = f"{name} may not be left out"
        elif owner not in _owners(kind, samples):
            fault = f"{whose} is not due"
        elif (name, owner) in named:
            fault = f"{whose} is named twice"
        elif (name, owner) in there:
            fault = f"{whose} is there"
        else:
            yield _found("NGC-MAN-029", place, f"{whose} was not called: {entry['reason']}")
            fault = None
        named.add((name, owner))
        if fault:
            yield _found("NGC-MAN-028", place, fault)


def _owners(kind: dict, samples: dict[str, dict]) -> list[str | None]:
    """Samples that should have a file of a type; None alone where it is the case's."""
    if kind["per"] == "case":
        return [None]
    return [sample for sample, row in samples.items() if row["sample_type"] in kind["sample_types"]]


_FIELD_CHECKS = (
    (_vocabularies, ("NGC-MAN-003",)),
    (_people, ("NGC-MAN-004", "NGC-MAN-005", "NGC-MAN-006", "NGC-MAN-007")),
    (_lifecycle, ("NGC-MAN-008",)),
    (_tools, ("NGC-MAN-012",)),
    (_known_profile, ("NGC-MAN-014",)),
    (_claim, ("NGC-MAN-015",)),
    (_group, ("NGC-MAN-016",)),
    (_forms, ("NGC-MAN-017", "NGC-MAN-018", "NGC-MAN-022")),
    (_consent, ("NGC-MAN-019",)),
    (_dates, ("NGC-MAN-020",)),
    (_workflow, ("NGC-MAN-023", "NGC-MAN-027")),
    (_reference, ("NGC-MAN-024",)),
    (_not_called, ("NGC-MAN-028", "NGC-MAN-029")),
)


def check_files(manifest: dict, profile: Profile, files: dict[str, FileFacts]) -> Iterator[Finding]:
    """The manifest's list of files against the bag's payload: names, sizes, digests, deliverables."""
    case = manifest["submission"]["id"]
    samples = {sample["sample"]: sample for sample in manifest["samples"]}
    seen: Counter[str] = Counter(entry["path"] for entry in manifest["files"])
    encrypted = {entry["path"] for entry in manifest["files"] if entry["encrypted_sha256"]}
    stored = {path + ENVELOPE if path in encrypted else path for path in seen} | encrypted
    if encrypted and len(encrypted) < len(seen):
        yield _found("NGC-MAN-026", "/files", f"{len(encrypted)} of {len(seen)} files encrypted, must be all or none")
    for number, entry in enumerate(manifest["files"]):
        place, path = f"/files/{number}", entry["path"]
        kind = profile.data["files"].get(entry["type"])
        if kind is None:
            yield _found("NGC-MAN-009", f"{place}/type", f"{entry['type']}: no type of this profile")
        else:
            name = kind["name"].format(sample=entry["sample"], case=case)
            if path != name:
                yield _found("NGC-MAN-009", f"{place}/path", f"{path}, must be {name}")
            if entry["edam"] != kind["edam"]:
                yield _found("NGC-MAN-009", f"{place}/edam", f"{entry['edam']}, must be {kind['edam']}")
            if (entry["sample"] is None) != (kind["per"] == "case"):
                yield _found("NGC-MAN-021", f"{place}/sample", f"{entry['type']} is one for each {kind['per']}")
        if entry["sample"] is not None and entry["sample"] not in samples:
            yield _found("NGC-MAN-021", f"{place}/sample", f"{entry['sample']} is not a sample of the manifest")
        elif kind and entry["sample"] and samples[entry["sample"]]["sample_type"] not in kind["sample_types"]:
            types = " or ".join(kind["sample_types"])
            yield _found("NGC-MAN-021", f"{place}/type", f"{entry['type']} is of {types} samples alone")
        yield from _columns(entry, place, kind, samples, profile)
        if seen[path] > 1:
            yield _found("NGC-MAN-009", f"{place}/path", f"{path} is listed twice")
        if path in encrypted:
            yield from _envelope(entry, place, files)
        facts = files.get(path)
        if facts is None and path in encrypted:
            for rule in ("NGC-MAN-010", "NGC-MAN-011"):
                yield Finding(rule, status="NOT_CHECKED", file=path, evidence="encrypted, and not decrypted here")
            continue
        if facts is None:
            yield _found("NGC-MAN-009", f"{place}/path", f"{path} is not in the bag")
            continue
        if facts.size != entry["bytes"]:
            yield _found("NGC-MAN-010", f"{place}/bytes", f"{entry['bytes']}, is {facts.size}")
        if facts.sha256 != entry["sha256"]:
            yield _found("NGC-MAN-010", f"{place}/sha256", f"{entry['sha256'][:12]}…, is {facts.sha256[:12]}…")
        yield from _content(entry, place, kind, facts)
    for path in files:
        if path.startswith("data/") and path not in stored:
            yield Finding("NGC-MAN-009", file=path, evidence="in the bag, not in manifest.json")
    yield from _deliverables(manifest, profile, samples)


def _columns(entry: dict, place: str, kind: dict | None, samples: dict, profile: Profile) -> Iterator[Finding]:
    """The columns of a tumour's VCF are named as its sample list has them; other files have none."""
    wanted = None
    if kind is not None and "content" in kind and kind["sample_types"] == ["tumour"]:
        wanted = {"tumour": entry["sample"]}
        normals = [
            name for name, row in samples.items() if (row["relation"], row["sample_type"]) == ("index", "germline")
        ]
        if profile.data[kind["content"]]["samples"] == "tumour" and normals:
            wanted["normal"] = normals[0]
    if entry.get("columns") != wanted:
        yield _found("NGC-MAN-030", f"{place}/columns", f"{_roles(entry.get('columns'))}, must be {_roles(wanted)}")


def _roles(columns: dict | None) -> str:
    return ", ".join(f"{role} {name}" for role, name in sorted(columns.items(), reverse=True)) if columns else "none"


def _envelope(entry: dict, place: str, files: dict[str, FileFacts]) -> Iterator[Finding]:
    path = entry["path"] + ENVELOPE
    facts = files.get(path)
    if facts is None:
        yield _found("NGC-MAN-009", f"{place}/path", f"{path} is not in the bag")
    elif facts.sha256 != entry["encrypted_sha256"]:
        stated = entry["encrypted_sha256"][:12]
        yield _found("NGC-MAN-026", f"{place}/encrypted_sha256", f"{stated}…, is {facts.sha256[:12]}…")


def _content(entry: dict, place: str, kind: dict | None, facts: FileFacts) -> Iterator[Finding]:
    rule, wanted, stated = "NGC-MAN-011", (kind or {}).get("digest"), entry["content_digest"]
    if (stated or {}).get("method") != wanted:
        yield _found(rule, f"{place}/content_digest", f"method {(stated or {}).get('method')}, must be {wanted}")
    elif stated and facts.content is None:
        yield Finding(rule, status="NOT_CHECKED", file=entry["path"], evidence=facts.problem or "content not read")
    elif stated and facts.content != (stated["method"], stated["value"]):
        yield _found(rule, f"{place}/content_digest", f"{stated['value'][:12]}…, is {facts.content[1][:12]}…")


def _deliverables(manifest: dict, profile: Profile, samples: dict) -> Iterator[Finding]:
    there = {(entry["type"], entry["sample"]) for entry in manifest["files"]}
    due = profile.files(manifest["study_type"])
    excused = {
        (entry["file_type"], entry["sample"])
        for entry in manifest.get("not_called", ())
        if due.get(entry["file_type"], {}).get("may_be_not_called")
    }
    for name in sorted({kind for kind, _ in there} & profile.data["files"].keys() - due.keys()):
        yield _found("NGC-MAN-021", "/files", f"{name} is no file of study type {manifest['study_type']}")
    for name, kind in due.items():
        for owner in _owners(kind, samples):
            # An index is due with its file even where that is optional.
            needed = kind["required"] or (kind.get("index_of"), owner) in there
            if (name, owner) in there or (kind.get("index_of", name), owner) in excused - there:
                continue
            if needed:
                yield _found("NGC-MAN-021", "/files", f"{name} of {owner or 'the case'} is missing")
            elif not kind.get("index_of"):
                yield _found("NGC-MAN-025", "/files", f"{name} of {owner or 'the case'} is missing")
