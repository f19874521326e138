"""An encrypted copy of a submission: each payload file in a Crypt4GH envelope for its receivers.

manifest.json keeps what it says of the plaintext and gains the digest of each envelope, so that the receiver can
hold both against it. The sender's key of an envelope is made for it and thrown away: who sent the bag is for its
signature to say.
"""

from __future__ import annotations

import hashlib
import io
import json
import logging
import os
import shutil
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

import bagit
import jsonschema
from crypt4gh import lib
from crypt4gh.keys import get_public_key

import ngc_profile
from ngc_wgs.errors import SealError
from ngc_wgs.package import discard, seal
from ngc_wgs.signing import SIGNATURE, sound_tags

ENVELOPE = ".c4gh"
_OF_BAGIT = ("bagit.txt", "bag-info.txt", "manifest-sha256.txt", "tagmanifest-sha256.txt", "manifest.json", SIGNATURE)


class _Digested(io.RawIOBase):
    """A file to read, with the sha256 and the number of the bytes read so far."""

    def __init__(self, file: io.BufferedReader) -> None:
        self.file, self.digest, self.size = file, hashlib.sha256(), 0

    def readinto(self, buffer) -> int:
        size = self.file.readinto(buffer)
        self.digest.update(memoryview(buffer)[:size])
        self.size += size
        return size


def encrypt(submission: Path, out: Path, recipients: Sequence[Path]) -> int:
    """Make `out` a sealed copy of a bag with every payload file encrypted, and return how many there are.

    Streams block by block. The copy grows beside `out` and takes its place in one rename. Raises SealError, and then
    there is no `out`; the bag itself is only read.
    """
    logging.getLogger("crypt4gh").setLevel(logging.CRITICAL + 1)  # it logs keys where it is asked to
    keys = list(dict.fromkeys(_recipient(path) for path in recipients))
    if out.exists() or out.is_symlink():
        raise SealError(f"{out}: there already; name a new folder")
    if out.resolve().is_relative_to(submission.resolve()):
        raise SealError(f"{out}: lies in the submission itself; name a folder outside")
    sound_tags(submission)
    manifest = _manifest(submission)
    entries = {entry["path"]: entry for entry in manifest["files"]}
    if any(entry["encrypted_sha256"] for entry in entries.values()):
        raise SealError(f"{submission}: encrypted already")
    payload = {str(path.relative_to(submission)) for path in (submission / "data").rglob("*") if not path.is_dir()}
    if payload != entries.keys():
        raise SealError(f"{submission}: its files are not those of manifest.json; run `ngc-wgs check` on it")
    partial = out.with_name(f".{out.name}.partial")
    discard(partial)
    partial.mkdir(parents=True)
    try:
        for path, entry in entries.items():
            _envelope(submission / path, partial / (path.removeprefix("data/") + ENVELOPE), keys, entry)
        information = _information(submission)
        bag = bagit.make_bag(str(partial), information, checksums=["sha256"])
        (partial / "bagit.txt").write_text("BagIt-Version: 1.0\nTag-File-Character-Encoding: UTF-8\n")
        for path, digests in bag.payload_entries().items():
            entries[path.removesuffix(ENVELOPE)]["encrypted_sha256"] = digests["sha256"]
        (partial / "manifest.json").write_text(
            json.dumps(manifest, indent=2, ensure_ascii=False) + "\n", encoding="utf-8"
        )
        for path in submission.iterdir():
            if path.is_file() and path.name not in _OF_BAGIT:
                shutil.copyfile(path, partial / path.name)
        bag.save(manifests=False)
        seal(partial)
        partial.rename(out)
    except BaseException:
        discard(partial)
        raise
    return len(entries)


def _manifest(submission: Path) -> dict:
    schema = json.loads(ngc_profile.data_file("schemas", "manifest.schema.json").read_text(encoding="utf-8"))
    try:
        manifest = json.loads((submission / "manifest.json").read_text(encoding="utf-8"))
        jsonschema.Draft202012Validator(schema).validate(manifest)
    except (ValueError, RecursionError, jsonschema.ValidationError):
        raise SealError(f"{submission}: manifest.json has not its form; run `ngc-wgs check` on it") from None
    return manifest


def _information(submission: Path) -> dict[str, str]:
    """What bag-info.txt says of the case, and today's date."""
    try:
        known = bagit.Bag(str(submission)).info
    except bagit.BagError:
        raise SealError(f"{submission}: not a bag; run `ngc-wgs check` on it") from None
    kept = ("External-Identifier", "Source-Organization", "Bag-Software-Agent")
    return {key: known[key] for key in kept if key in known} | {"Bagging-Date": datetime.now(UTC).date().isoformat()}


def _recipient(path: Path) -> bytes:
    """The 32 bytes of a Crypt4GH or OpenSSH Ed25519 public key; raises SealError."""
    try:
        key = bytes(get_public_key(str(path)))
    except OSError as error:
        raise SealError(f"{path}: the public key cannot be read: {error.strerror}") from None
    except Exception:  # its parsers say what is wrong in many ways
        key = b""
    if len(key) != 32 or not any(key):
        raise SealError(f"{path}: not a Crypt4GH public key; the receiver makes a pair with `crypt4gh-keygen`")
    return key


def _envelope(source: Path, target: Path, recipients: Sequence[bytes], entry: dict) -> None:
    """Encrypt one file, and hold what was read of it against its entry of the manifest."""
    if "/" in entry["path"].removeprefix("data/"):
        raise SealError(f"{entry['path']}: in a folder of its own; run `ngc-wgs check` on the submission")
    sender = os.urandom(32)
    with open(source, "rb") as plain, open(target, "wb") as out:
        counted = _Digested(plain)
        lib.encrypt([(0, sender, recipient) for recipient in recipients], counted, out)
        times = os.fstat(plain.fileno())
    if (counted.size, counted.digest.hexdigest()) != (entry["bytes"], entry["sha256"]):
        raise SealError(
            f"{entry['path']}: not the file that manifest.json lists; run `ngc-wgs check` on the submission"
        )
    os.utime(target, ns=(times.st_atime_ns, times.st_mtime_ns))  # an index stays newer than its file
