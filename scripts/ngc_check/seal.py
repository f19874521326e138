"""What closes a package: its Ed25519 signature, and the Crypt4GH envelopes of its payload.

Crypt4GH neither says who sent a file nor keeps the order and the number of its blocks: the signature and the sha256
of the plaintext in the manifest do.
"""

from __future__ import annotations

import contextlib
import hashlib
import io
import logging
import os
import re
import stat
import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path

from ngc_check.bag import ENVELOPE, SIGNATURE, TAG_MANIFEST, Bag
from ngc_check.digests import Unreadable
from ngc_check.findings import Finding

INDEXES = (".tbi", ".crai", ".bai")
MAX_KEYS = 1000
MAX_ENVELOPE_HEADER = 1 << 16
"""Bytes of a Crypt4GH header that are read at most: some six hundred recipients."""

# One form and no other, so that no byte of the file can change without notice.
_SIGNATURE = re.compile(r"Algorithm: Ed25519\nKey: ([0-9a-f]{64})\nSignature: ([0-9a-f]{128})\n")


class _OtherRecipient(Exception):
    """An envelope that the private key does not open."""


def trusted_keys(paths: Iterable[str | Path]) -> dict[str, object]:
    """Ed25519 public keys by id (sha256 of the key's 32 bytes) from PEM files, and from the `*.pub` files of folders.

    Raises Unreadable.
    """
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
    from cryptography.hazmat.primitives.serialization import load_pem_public_key

    keys: dict[str, object] = {}
    for path in map(Path, paths):
        files = sorted(path.glob("*.pub")) if path.is_dir() else [path]
        if not files or len(files) > MAX_KEYS:
            raise Unreadable(f"{path.name}: {'no file *.pub in it' if not files else 'too many files'}")
        for file in files:
            try:
                key = load_pem_public_key(file.read_bytes())
            except OSError as error:
                raise Unreadable(f"{file.name}: the public key cannot be read: {error.strerror}") from None
            except (ValueError, UnsupportedAlgorithm):
                key = None
            if not isinstance(key, Ed25519PublicKey):
                raise Unreadable(f"{file.name}: not an Ed25519 public key in PEM; make a pair with `ngc-wgs keygen`")
            keys[hashlib.sha256(key.public_bytes_raw()).hexdigest()] = key
    return keys


def check_signature(bag: Bag, keys: dict[str, object]) -> Iterator[Finding]:
    """Whether the tag manifest carries a signature, and one of a trusted key.

    Without any trusted key a missing signature only warns and one that is there is NOT_CHECKED; who names trusted
    keys asks for a signature by one of them.
    """
    from cryptography.exceptions import InvalidSignature

    facts, signed = bag.files.get(SIGNATURE), bag.files.get(TAG_MANIFEST)
    rule = "NGC-PKG-009"
    if facts is None:
        yield Finding(rule if keys else "NGC-PKG-008", file=SIGNATURE, evidence="not there")
        return
    match = _SIGNATURE.fullmatch(facts.text or "")
    if match is None:
        yield Finding(rule, file=SIGNATURE, evidence="not the three lines Algorithm, Key and Signature")
        return
    key_id = match.group(1)
    if not keys or signed is None or signed.text is None:
        missing = "no trusted public key given" if not keys else f"{TAG_MANIFEST} cannot be read"
        yield Finding(rule, status="NOT_CHECKED", file=SIGNATURE, evidence=f"{missing}; made with key {key_id[:16]}…")
    elif key_id not in keys:
        yield Finding(rule, file=SIGNATURE, place="Key", evidence=f"{key_id[:16]}… is no trusted key")
    else:
        try:
            keys[key_id].verify(bytes.fromhex(match.group(2)), signed.text.encode())
        except InvalidSignature:
            yield Finding(rule, file=SIGNATURE, place="Signature", evidence=f"is not of this {TAG_MANIFEST}")


# --- Crypt4GH ---------------------------------------------------------------------------------------------------------


def private_key(path: str | Path) -> bytes:
    """The 32 bytes of a Crypt4GH (or OpenSSH Ed25519) private key that nobody but its owner may read.

    A passphrase is taken from the variable C4GH_PASSPHRASE, as the crypt4gh command does, or asked for. Raises
    Unreadable.
    """
    from getpass import getpass

    from crypt4gh.keys import get_private_key

    path = Path(path)
    try:
        mode = path.stat().st_mode
    except OSError as error:
        raise Unreadable(f"{path.name}: the private key cannot be read: {error.strerror}") from None
    if mode & (stat.S_IRWXG | stat.S_IRWXO):
        raise Unreadable(f"{path.name}: the private key is open to others than its owner; run `chmod 600` on it")
    _quiet()

    def passphrase() -> str:
        return os.environ.get("C4GH_PASSPHRASE") or getpass(f"Passphrase of {path.name}: ")

    try:
        # The library prints, and leaves the process, where a passphrase is wrong.
        with contextlib.redirect_stderr(io.StringIO()):
            key = bytes(get_private_key(str(path), passphrase))
    except OSError as error:
        raise Unreadable(f"{path.name}: the private key cannot be read: {error.strerror}") from None
    except (Exception, SystemExit):  # its parsers say what is wrong in many ways
        key = b""
    if len(key) != 32:
        raise Unreadable(f"{path.name}: not a Crypt4GH private key, or the passphrase is wrong")
    return key


def envelopes(bag: Bag) -> list[str]:
    """Paths of the encrypted payload files."""
    return [name for name in sorted(bag.files) if name.startswith("data/") and name.endswith(ENVELOPE)]


def check_envelopes(bag: Bag) -> Iterator[Finding]:
    """Files that are in the bag both encrypted and in the clear."""
    for name in envelopes(bag):
        if (plain := name.removesuffix(ENVELOPE)) in bag.files:
            yield Finding("NGC-MAN-026", file=plain, evidence="in the clear beside its encrypted form")


def open_envelopes(bag: Bag, key: bytes, scratch: contextlib.ExitStack) -> list[Finding]:
    """Decrypt a bag's payload, block by block, and note in `bag.places` where each plaintext is.

    The plaintext goes to a temporary folder (TMPDIR) that only this user can enter and that ends with `scratch`: an
    alignment and a compressed VCF are read by place and through their index, which no stream allows. Raises
    Unreadable where the key opens no envelope at all, or there is no room.
    """
    names = envelopes(bag)
    findings: list[Finding] = []
    others = 0
    folder = Path(scratch.enter_context(tempfile.TemporaryDirectory(prefix="ngc-wgs-check-")))
    for name in names:
        plain = name.removesuffix(ENVELOPE)
        target = folder / plain.rsplit("/", 1)[-1]
        if plain in bag.files or plain.count("/") > 1 or target == folder:
            continue  # NGC-MAN-009 and NGC-MAN-026 report it
        try:
            _open_envelope(bag.path(name), target, key)
        except _OtherRecipient:
            others += 1
            findings.append(Finding("NGC-PKG-010", file=name, evidence="encrypted for another key"))
        except ValueError as error:
            findings.append(Finding("NGC-PKG-010", file=name, evidence=str(error)))
        except OSError as error:
            raise Unreadable(f"{name}: cannot be decrypted to the temporary folder: {error.strerror}") from None
        else:
            bag.places[plain] = target
            continue
        target.unlink(missing_ok=True)
    if names and others == len(names):
        raise Unreadable("the private key opens none of the encrypted files; use the key they were encrypted for")
    return findings


def open_file(path: Path, key: bytes, scratch: contextlib.ExitStack) -> Path:
    """Decrypt one file, and the index beside it, into a temporary folder that ends with `scratch`.

    Place of the plaintext. Raises Unreadable.
    """
    folder = Path(scratch.enter_context(tempfile.TemporaryDirectory(prefix="ngc-wgs-check-")))
    plain = path.name.removesuffix(ENVELOPE)
    for name in (plain, *(plain + ending for ending in INDEXES)):
        source = path.with_name(name + ENVELOPE)
        if name != plain and not source.is_file():
            continue
        try:
            _open_envelope(source, folder / name, key)
        except _OtherRecipient:
            raise Unreadable(f"{source.name}: encrypted for another key than the one given") from None
        except ValueError as error:
            raise Unreadable(f"{source.name}: {error}") from None
        except OSError as error:
            raise Unreadable(f"{source.name}: cannot be decrypted: {error.strerror}") from None
    return folder / plain


def _open_envelope(source: Path, target: Path, key: bytes) -> None:
    """Decrypt one file; raises _OtherRecipient, and ValueError with what is wrong with the envelope."""
    from crypt4gh import CIPHER_DIFF, CIPHER_SEGMENT_SIZE, SEGMENT_SIZE, lib
    from crypt4gh import header as headers

    _quiet()
    with open(source, "rb") as sealed, open(target, "wb") as out:
        head = io.BytesIO(sealed.read(MAX_ENVELOPE_HEADER))
        try:
            packets, _ = headers.decrypt(list(headers.parse(head)), [(0, key, None)])
        except (ValueError, IndexError) as error:
            raise ValueError(f"no Crypt4GH header: {error}") from None
        if not packets:
            raise _OtherRecipient
        data, edits = headers.partition_packets(packets)
        if edits is not None:
            raise ValueError("has an edit list, which hides a part of the file; encrypt the file whole")
        session_keys = [headers.parse_enc_packet(packet) for packet in data]
        sealed.seek(head.tell())
        segment = bytearray(SEGMENT_SIZE)
        number = 0
        while block := sealed.read(CIPHER_SEGMENT_SIZE):
            number += 1
            try:
                if len(block) <= CIPHER_DIFF:
                    raise ValueError
                size = lib.decrypt_block(segment, block, session_keys)
            except ValueError:
                raise ValueError(f"block {number} is cut off or was changed") from None
            out.write(memoryview(segment)[:size])
        times = os.fstat(sealed.fileno())
    os.utime(target, ns=(times.st_atime_ns, times.st_mtime_ns))  # an index must not be older than its file


def _quiet() -> None:
    """The library logs what fails, and keys where it is asked to; findings say what is needed."""
    logging.getLogger("crypt4gh").setLevel(logging.CRITICAL + 1)
