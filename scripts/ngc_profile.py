"""The profile: the standard as one data file, read by the writer and by the judge alike.

Importing this module is cheap (standard library only); `load` reads the file, `validate` holds it against its
schema, `load_valid` does both. Every fault of a profile or overlay is a `ProfileError` whose text names the file
and the mend.
"""

from __future__ import annotations

import hashlib
import json
import sys
from dataclasses import dataclass, field
from datetime import date
from functools import cached_property
from pathlib import Path

DEFAULT_NAME = "ngc-provisional.yaml"
SEVERITIES = ("error", "warn", "info")
MAX_PROFILE_BYTES = 4_000_000
"""A profile is some tens of kilobytes; anything above this is not one."""


MAX_DEPTH = 40
"""Levels of nesting of a profile; the shipped one has seven."""


class ProfileError(Exception):
    """A profile, overlay or schema that cannot be used; the message names the file and the mend."""


def data_file(folder: str, name: str) -> Path:
    """Path of a file of `config/<folder>`, in the checkout or where the package was installed.

    Raises ProfileError where it is in neither.
    """
    here = Path(__file__).resolve()
    candidates = (
        here.parent.parent / "config" / folder / name,
        *(Path(base) / "share" / "ngc-wgs" / "config" / folder / name for base in _bases()),
    )
    for candidate in candidates:
        if candidate.is_file():
            return candidate
    raise ProfileError(f"{name}: not found in the checkout nor in the installed package; install the package again")


def _bases() -> list[str]:
    """Folders that an installer puts shared data under."""
    import site

    return [sys.prefix, site.getuserbase()]


def default_profile() -> Path:
    """Path of the profile that ships with the project."""
    return data_file("profile", DEFAULT_NAME)


@dataclass(frozen=True)
class Profile:
    """A loaded profile, with the reference of the overlay where one is given.

    sha256 is of the profile file's bytes, overlay_sha256 of the overlay's (None without one).
    data: the parsed file, `reference` replaced by the overlay's.
    """

    id: str
    version: str
    date: str
    sha256: str
    data: dict = field(repr=False)
    overlay_id: str | None = None
    overlay_sha256: str | None = None

    @cached_property
    def _rules(self) -> dict[str, dict]:
        return {rule["id"]: rule for rule in self.data["rules"]}

    def rules(self) -> list[dict]:
        """All rules, in the file's order."""
        return list(self.data["rules"])

    def rule(self, rule_id: str) -> dict | None:
        """One rule, or None where the profile has no such rule."""
        return self._rules.get(rule_id)

    def parameter(self, rule_id: str, name: str, default=None):
        """A parameter of a rule; `default` where the rule or the parameter is absent."""
        rule = self._rules.get(rule_id) or {}
        return (rule.get("parameters") or {}).get(name, default)

    def severity(self, rule_id: str, on_date: str | date | None = None) -> str:
        """error, warn, info or off, as the rule counts on a day (ISO; None is today).

        A rule warns before its `valid_from` where it would fail after, and is off after its `valid_to` or where the
        profile lacks it.
        """
        rule = self._rules.get(rule_id)
        if rule is None:
            return "off"
        day = _iso(on_date)
        if rule.get("valid_to") and day > _iso(rule["valid_to"]):
            return "off"
        if rule.get("valid_from") and day < _iso(rule["valid_from"]) and rule["severity"] == "error":
            return "warn"
        return rule["severity"]

    def contigs(self, *roles: str) -> list[dict]:
        """Contigs of these roles (autosome, X, Y, M, other; all when none is named), in the reference's order."""
        return [c for c in self.data["reference"]["contigs"] if not roles or c["role"] in roles]

    @property
    def reference(self) -> dict:
        """The reference: id, accession, assembly, contigs, par."""
        return self.data["reference"]

    def par(self, contig: str) -> list[tuple[int, int]]:
        """Pseudoautosomal intervals of a contig, 0-based half-open."""
        return [(p["start"], p["end"]) for p in self.data["reference"].get("par", []) if p["contig"] == contig]

    def vocabulary(self, name: str, on_date: str | date | None = None) -> list[str]:
        """Codes of a vocabulary that are valid on a day (ISO); every code where no day is given."""
        entries = self.data["vocabularies"][name]
        if on_date is None:
            return [entry["code"] for entry in entries]
        day = _iso(on_date)
        return [entry["code"] for entry in entries if _valid(entry, day)]

    def entry(self, name: str, code: str) -> dict | None:
        """The vocabulary entry of a code, whatever its validity; None where there is none."""
        return next((entry for entry in self.data["vocabularies"][name] if entry["code"] == code), None)

    def ploidy(self, sex: str) -> dict[str, int]:
        """Expected ploidy outside the PARs of X and Y ({"X": n, "Y": n}) for a sex of the vocabulary."""
        return dict(self.data["ploidy"].get(sex) or self.data["ploidy"]["unknown"])

    def copies(self, contig: str, pos: int, sex: str) -> int:
        """Copies that a sex has at a 1-based position: 2 on autosomes, in the PARs those of X and Y on X, none on Y."""
        role = next((c["role"] for c in self.contigs() if c["name"] == contig), "other")
        if role not in ("X", "Y"):
            return 2
        copies = self.ploidy(sex)[role]
        in_par = any(start < pos <= end for start, end in self.par(contig))
        return 2 if in_par and role == "X" and copies else copies

    def files(self, study_type: str) -> dict[str, dict]:
        """File types that a study has with this reference, by name."""
        roles = {contig["role"] for contig in self.contigs()}
        return {
            name: spec
            for name, spec in self.data["files"].items()
            if study_type in spec.get("study_types", [study_type]) and spec.get("role") in (None, *roles)
        }

    def vcf_content(self, name: str) -> str | None:
        """Section (`vcf`, `gvcf`, ...) that says what a VCF of this file name holds; None for another file.

        The longest ending of the file types counts; the name may lack the `.gz`.
        """
        endings = {
            spec["name"].rpartition("}")[2]: spec["content"]
            for spec in self.data["files"].values()
            if "content" in spec
        }
        found = [ending for ending in endings if f"{name.removesuffix('.gz')}.gz".endswith(ending)]
        return endings[max(found, key=len)] if found else None

    def identity(self) -> dict:
        """What a manifest says of its profile: id, version, sha256 and overlay (None or id and sha256)."""
        overlay = {"id": self.overlay_id, "sha256": self.overlay_sha256} if self.overlay_id else None
        return {"id": self.id, "version": self.version, "sha256": self.sha256, "overlay": overlay}


def load(path: str | Path | None = None, overlay: str | Path | None = None) -> Profile:
    """Read a profile (the shipped one where no path is given) and, on top of it, an overlay's reference.

    Raises ProfileError for a file that cannot be read, is not YAML, or lacks the parts this module uses.
    """
    source = Path(path) if path is not None else default_profile()
    raw, data = _read(source)
    for key in ("id", "version", "date", "rules", "metrics", "vocabularies", "reference", "vcf", "gvcf", "ploidy"):
        if key not in data:
            raise ProfileError(f"{source}: not a profile: `{key}` is missing")
    overlay_id = overlay_sha256 = None
    if overlay is not None:
        over_raw, over = _read(Path(overlay))
        for key in ("overlay_of", "id", "reference"):
            if key not in over:
                raise ProfileError(f"{overlay}: not an overlay: `{key}` is missing")
        if over["overlay_of"] != data["id"]:
            raise ProfileError(
                f"{overlay}: made for profile `{over['overlay_of']}`, not for `{data['id']}`; make it again"
            )
        data = {**data, "reference": over["reference"]}
        overlay_id, overlay_sha256 = str(over["id"]), hashlib.sha256(over_raw).hexdigest()
    return Profile(
        id=str(data["id"]),
        version=str(data["version"]),
        date=str(data["date"]),
        sha256=hashlib.sha256(raw).hexdigest(),
        data=data,
        overlay_id=overlay_id,
        overlay_sha256=overlay_sha256,
    )


def validate(profile: Profile, source: str = "profile") -> None:
    """Hold a profile against its schema and its cross-references; raises ProfileError naming every fault."""
    import jsonschema

    schema = json.loads(data_file("schemas", "profile.schema.json").read_text(encoding="utf-8"))
    validator = jsonschema.Draft202012Validator(schema)
    faults = [
        f"{'/'.join(str(part) for part in error.absolute_path) or 'top level'}: {error.message[:200]}"
        for error in sorted(validator.iter_errors(profile.data), key=lambda e: [str(p) for p in e.absolute_path])
    ]
    if not faults:
        faults = list(_cross_faults(profile))
    if faults:
        shown = "\n  ".join(faults[:20])
        more = f"\n  and {len(faults) - 20} more" if len(faults) > 20 else ""
        raise ProfileError(f"{source}: fails its schema:\n  {shown}{more}")


def load_valid(path: str | Path | None = None, overlay: str | Path | None = None) -> Profile:
    """`load`, then `validate`."""
    profile = load(path, overlay)
    names = [str(p) for p in (path, overlay) if p is not None]
    validate(profile, " with ".join(names) or DEFAULT_NAME)
    return profile


def _cross_faults(profile: Profile):
    seen: set[str] = set()
    for rule in profile.rules():
        if rule["id"] in seen:
            yield f"rules: `{rule['id']}` is there twice"
        seen.add(rule["id"])
    ids = [metric["id"] for metric in profile.data["metrics"].values()]
    for metric_id in sorted({one for one in ids if ids.count(one) > 1}):
        yield f"metrics: `{metric_id}` is there twice"
    names: set[str] = set()
    for contig in profile.contigs():
        if contig["name"] in names:
            yield f"reference/contigs: `{contig['name']}` is there twice"
        names.add(contig["name"])
        if contig["md5"] and contig["md5"] in contig.get("md5_refused", []):
            yield f"reference/contigs: `{contig['name']}` both demands and refuses one MD5"
    lengths = {c["name"]: c["length"] for c in profile.contigs()}
    for par in profile.reference["par"]:
        if par["contig"] not in lengths or not 0 <= par["start"] < par["end"] <= lengths[par["contig"]]:
            yield f"reference/par: {par['contig']}:{par['start']}-{par['end']} lies outside the contigs"
    for name, spec in profile.data["files"].items():
        if "record_roles" not in profile.data.get(spec.get("content", "vcf"), ()):
            yield f"files/{name}: the content `{spec['content']}` is no section of this profile"
        if spec.get("index_of", name) not in profile.data["files"]:
            yield f"files/{name}: indexes `{spec['index_of']}`, which is no file type"
    for name, entries in profile.data["vocabularies"].items():
        codes = [entry["code"] for entry in entries]
        if len(codes) != len(set(codes)):
            yield f"vocabularies/{name}: a code is there twice"


def _read(path: Path) -> tuple[bytes, dict]:
    import yaml

    try:
        if path.stat().st_size > MAX_PROFILE_BYTES:
            raise ProfileError(f"{path}: larger than {MAX_PROFILE_BYTES} bytes; not a profile")
        raw = path.read_bytes()
        text = raw.decode("utf-8")
    except OSError as error:
        raise ProfileError(f"{path}: cannot be read: {error.strerror}") from None
    except UnicodeDecodeError as error:
        raise ProfileError(f"{path}: not UTF-8 at byte {error.start}; save it as UTF-8") from None
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    try:
        if path != default_profile():
            _bounded(yaml.parse(text, Loader=loader), path)
        data = yaml.load(text, Loader=loader)
    except (yaml.YAMLError, RecursionError, ValueError) as error:
        raise ProfileError(f"{path}: not YAML: {' '.join(str(error).split())[:300]}") from None
    if not isinstance(data, dict):
        raise ProfileError(f"{path}: not a mapping of keys at its top level")
    return raw, data


def _bounded(events, path: Path) -> None:
    """Refuse what a submission's overlay could hurt the reader with: deep nesting, and aliases that multiply."""
    depth = 0
    for event in events:
        kind = type(event).__name__
        depth += kind in ("SequenceStartEvent", "MappingStartEvent")
        depth -= kind in ("SequenceEndEvent", "MappingEndEvent")
        if kind == "AliasEvent":
            raise ProfileError(f"{path}: uses YAML aliases (`*name`); write each value out")
        if depth > MAX_DEPTH:
            raise ProfileError(f"{path}: nested deeper than {MAX_DEPTH} levels")


def _iso(day: str | date | None) -> str:
    if day is None:
        return date.today().isoformat()
    return day if isinstance(day, str) else day.isoformat()


def _valid(entry: dict, day: str) -> bool:
    start, end = entry.get("valid_from"), entry.get("valid_to")
    return (not start or _iso(start) <= day) and (not end or day <= _iso(end))
