"""A site's Ed25519 key pair, and its signature over a bag's tag manifest (RFC 8032).

The tag manifest lists the digest of every tag file, and one of those the digests of the payload: what it says, the
whole bag says. The signature lies beside it and is listed nowhere.
"""

from __future__ import annotations

import hashlib
import os
import stat
from pathlib import Path

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
)

from ngc_wgs.errors import SealError

TAG_MANIFEST = "tagmanifest-sha256.txt"
SIGNATURE = f"{TAG_MANIFEST}.sig"
PRIVATE, PUBLIC = "signing.key", "signing.pub"
_OTHERS = stat.S_IRWXG | stat.S_IRWXO


def keygen(folder: Path) -> str:
    """Make a key pair in a folder that only its owner can enter, and return the key's id.

    Raises SealError where the folder is open to others or holds a key already.
    """
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    if not folder.is_dir() or folder.stat().st_mode & _OTHERS:
        raise SealError(f"{folder}: open to others than its owner; name a new folder, or run `chmod 700` on it")
    private, public = folder / PRIVATE, folder / PUBLIC
    for path in (private, public):
        if path.exists() or path.is_symlink():
            raise SealError(f"{path}: there already, and never overwritten; name another folder")
    key = Ed25519PrivateKey.generate()
    _write_new(private, key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()), 0o600)
    _write_new(public, key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo), 0o644)
    return key_id(key)


def _write_new(path: Path, content: bytes, mode: int) -> None:
    with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), "wb") as out:
        os.fchmod(out.fileno(), mode)
        out.write(content)


def key_id(key: Ed25519PrivateKey) -> str:
    """Name of a key: the sha256 of its public half's 32 bytes."""
    return hashlib.sha256(key.public_key().public_bytes_raw()).hexdigest()


def private_key(path: Path) -> Ed25519PrivateKey:
    """The key of a PEM file that nobody but its owner may read; raises SealError."""
    try:
        with open(path, "rb") as file:
            if os.fstat(file.fileno()).st_mode & _OTHERS:
                raise SealError(f"{path}: the private key is open to others than its owner; run `chmod 600` on it")
            key = load_pem_private_key(file.read(), password=None)
    except OSError as error:
        raise SealError(f"{path}: the private key cannot be read: {error.strerror}") from None
    except TypeError:
        raise SealError(f"{path}: has a passphrase, which a run without a person could not give") from None
    except (ValueError, UnsupportedAlgorithm):
        key = None
    if not isinstance(key, Ed25519PrivateKey):
        raise SealError(f"{path}: not an Ed25519 private key in PEM; make a pair with `ngc-wgs keygen`")
    return key


def public_half(path: Path) -> Path:
    """Where `keygen` put the public key of a private one."""
    return path.with_suffix(".pub")


def signature(key: Ed25519PrivateKey, tag_manifest: bytes) -> str:
    """The text of the signature file."""
    return f"Algorithm: Ed25519\nKey: {key_id(key)}\nSignature: {key.sign(tag_manifest).hex()}\n"


def sign(submission: Path, key_file: Path) -> str:
    """Sign a sealed bag in place, and return the key's id; raises SealError.

    The signature takes its place in one rename, and the bag is sealed again whatever happens.
    """
    key = private_key(key_file)
    tag_manifest = sound_tags(submission)
    sealed = submission.stat().st_mode
    if any(path.stat().st_mode & 0o222 for path in (submission, *submission.rglob("*"))):
        raise SealError(f"{submission}: not sealed; take the write permission away from everything in it")
    partial = submission / f".{SIGNATURE}.partial"
    submission.chmod(sealed | stat.S_IWUSR)
    try:
        partial.write_text(signature(key, tag_manifest), encoding="ascii")
        partial.chmod(0o444)
        partial.replace(submission / SIGNATURE)
    finally:
        partial.unlink(missing_ok=True)
        submission.chmod(sealed)
    return key_id(key)


def sound_tags(submission: Path) -> bytes:
    """A bag's tag manifest, once every tag file was held against it; raises SealError. The payload is not read."""
    mend = "run `ngc-wgs check` on it"
    if not (submission / TAG_MANIFEST).is_file():
        raise SealError(f"{submission}: not a submission: {TAG_MANIFEST} is not there")
    tag_manifest = (submission / TAG_MANIFEST).read_bytes()
    listed = dict(
        line.split(maxsplit=1)[::-1] for line in tag_manifest.decode("utf-8", "replace").splitlines() if " " in line
    )
    if not {"manifest.json", "manifest-sha256.txt"} <= listed.keys():
        raise SealError(f"{submission}: {TAG_MANIFEST} does not list manifest.json and manifest-sha256.txt; {mend}")
    for name, digest in listed.items():
        path = submission / name
        if "/" in name or path.is_symlink() or not path.is_file():
            raise SealError(f"{submission}: {name} is listed and not there; {mend}")
        if hashlib.sha256(path.read_bytes()).hexdigest() != digest:
            raise SealError(f"{submission}: {name} was changed after the bag was sealed; {mend}")
    return tag_manifest
