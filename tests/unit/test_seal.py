"""Signing, encrypting and listing submissions, and what the judge makes of them."""

from __future__ import annotations

import ast
import contextlib
import csv
import io
import json
import os
import random
import shutil
import stat
import subprocess
import sys
import tempfile
import tracemalloc
from pathlib import Path

import pytest
from crypt4gh import CIPHER_SEGMENT_SIZE, header, lib, sodium
from crypt4gh.keys import c4gh
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat
from submission_fixture import (
    CASE,
    RECEIVER,
    SAMPLE,
    SIGNATURE,
    STRANGER,
    Submission,
    envelope,
    report_html,
    write_private_key,
    write_public_key,
)

import ngc_cli
import ngc_profile
from ngc_check import seal
from ngc_check.submission import CannotJudge, check
from ngc_wgs import batch, encryption, signing
from ngc_wgs.errors import SealError

SCRIPTS = Path(__file__).parents[2] / "scripts"
REPORT = f"data/{CASE}.multiqc.html"


@pytest.fixture(scope="module")
def template(tmp_path_factory) -> Submission:
    """A submission whose report is some blocks of Crypt4GH long."""
    s = Submission.build(tmp_path_factory.mktemp("submission"))
    s.unseal()
    words = " ".join(f"w{number}x" for number in range(40_000))
    (s.root / REPORT).write_text(report_html(f"<p>{words}</p>"), encoding="utf-8")
    s.finish()
    return s


@pytest.fixture
def sealed(template, tmp_path) -> Submission:
    """A sealed copy that a test may spoil."""
    s = template.copy_to(tmp_path / "copy")
    s.seal()
    yield s
    s.unseal()


@pytest.fixture
def keys(tmp_path) -> Path:
    """A folder with a key pair of one's own."""
    signing.keygen(tmp_path / "keys")
    return tmp_path / "keys"


@pytest.fixture
def recipient(tmp_path) -> Path:
    write_public_key(tmp_path / "receiver.pub", RECEIVER)
    return tmp_path / "receiver.pub"


def command(*arguments: object) -> int:
    return ngc_cli.main([str(argument) for argument in arguments])


def digests(folder: Path) -> dict[str, tuple]:
    """State of every file of a folder."""
    files = (path for path in sorted(folder.rglob("*")) if path.is_file())
    return {
        str(path.relative_to(folder)): (path.read_bytes(), path.stat().st_mode, path.stat().st_mtime_ns)
        for path in files
    }


def writable(folder: Path) -> list[Path]:
    return [path for path in (folder, *folder.rglob("*")) if path.stat().st_mode & 0o222]


def found(report, *statuses: str) -> set[str]:
    return report.rules(*(statuses or ("FAIL", "WARN")))


# ---- keys and signatures --------------------------------------------------------------------


def test_a_key_pair_is_closed_to_others_and_never_overwritten(tmp_path, capsys):
    folder = tmp_path / "new" / "keys"
    assert command("keygen", folder) == 0
    before = digests(folder)
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert stat.S_IMODE((folder / "signing.key").stat().st_mode) == 0o600
    assert command("keygen", folder) == 2
    assert "never overwritten" in capsys.readouterr().err
    assert digests(folder) == before


def test_a_lone_public_key_is_not_overwritten_either(keys):
    (keys / "signing.key").unlink()
    with pytest.raises(SealError, match="never overwritten"):
        signing.keygen(keys)
    assert not (keys / "signing.key").exists()


def test_a_folder_open_to_others_gets_no_key(tmp_path):
    tmp_path.chmod(0o755)
    with pytest.raises(SealError, match="chmod 700"):
        signing.keygen(tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_a_signed_submission_stays_sealed_and_has_no_finding(sealed, keys, capsys):
    before = digests(sealed.root)
    assert command("sign", sealed.root, "--key", keys / "signing.key") == 0
    after = digests(sealed.root)
    assert before.keys() == after.keys()
    assert {name for name in after if after[name] != before[name]} == {SIGNATURE}
    assert writable(sealed.root) == []
    report = sealed.judge(public_keys=[keys / "signing.pub"])
    assert [(f.rule, f.evidence) for f in report.findings] == []


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o644])
def test_a_private_key_that_others_can_read_signs_nothing(mode, sealed, keys, capsys):
    (keys / "signing.key").chmod(mode)
    before = digests(sealed.root)
    assert command("sign", sealed.root, "--key", keys / "signing.key") == 2
    assert "chmod 600" in capsys.readouterr().err
    assert digests(sealed.root) == before


def test_what_is_no_signing_key_is_refused(sealed, tmp_path):
    key = tmp_path / "other.key"
    x25519 = X25519PrivateKey.generate().private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    for content in (b"", b"nonsense", x25519, sealed.public_keys[0].read_bytes()):
        key.write_bytes(content)
        key.chmod(0o600)
        with pytest.raises(SealError, match="not an Ed25519 private key"):
            signing.sign(sealed.root, key)
    with pytest.raises(SealError, match="cannot be read"):
        signing.sign(sealed.root, tmp_path / "none.key")


def test_only_a_sealed_and_sound_submission_is_signed(sealed, keys, tmp_path):
    key = keys / "signing.key"
    with pytest.raises(SealError, match="not a submission"):
        signing.sign(tmp_path, key)
    (sealed.root / "manifest.json").chmod(0o644)
    with pytest.raises(SealError, match="not sealed"):
        signing.sign(sealed.root, key)
    sealed.unseal()
    sealed.edit_manifest(lambda manifest: manifest.update(site="wgs_east"))
    sealed.seal()
    with pytest.raises(SealError, match="manifest.json was changed"):
        signing.sign(sealed.root, key)


def test_the_judge_asks_for_a_signature_by_a_trusted_key(sealed, keys, tmp_path):
    assert found(sealed.judge(public_keys=[keys]), "FAIL") == {"NGC-PKG-009"}
    assert found(sealed.judge(public_keys=[keys, *sealed.public_keys])) == set()
    report = sealed.judge(public_keys=[])
    assert found(report) == set() and found(report, "NOT_CHECKED") == {"NGC-PKG-009"}
    sealed.unseal()
    (sealed.root / SIGNATURE).unlink()
    sealed.seal()
    assert found(sealed.judge(public_keys=[])) == {"NGC-PKG-008"}
    assert found(sealed.judge(public_keys=[keys])) == {"NGC-PKG-009"}


def test_any_changed_byte_of_the_signature_is_found(sealed):
    path = sealed.root / SIGNATURE
    whole = path.read_bytes()
    sealed.unseal()
    trusted = seal.trusted_keys(sealed.public_keys)
    rng = random.Random(5)
    from ngc_check.bag import read_bag
    from ngc_check.digests import read_facts

    for at in range(len(whole)):
        path.write_bytes(whole[:at] + bytes([whole[at] ^ rng.randrange(1, 256)]) + whole[at + 1 :])
        bag = read_bag(sealed.root, lambda name, place: read_facts(place, "text"))
        assert [finding.rule for finding in seal.check_signature(bag, trusted)] == ["NGC-PKG-009"], at
    for content in (b"", whole[:-1], whole + b"\n", whole.replace(b"\n", b"\r\n"), b"\xff" * 300):
        path.write_bytes(content)
        bag = read_bag(sealed.root, lambda name, place: read_facts(place, "text"))
        assert [finding.rule for finding in seal.check_signature(bag, {})] == ["NGC-PKG-009"]


def test_a_bag_sealed_again_with_another_manifest_is_found_by_its_signature_alone(sealed):
    stranger = Ed25519PrivateKey.generate()
    sealed.unseal()
    sealed.edit_manifest(lambda manifest: manifest.update(requisition_id="NGCWGS99999"))
    sealed.bag()
    sealed.sign(stranger)
    sealed.seal()
    assert found(sealed.judge()) == {"NGC-PKG-009"}
    # Without a key to trust it cannot be told, and the report says that it was not.
    report = sealed.judge(public_keys=[])
    assert found(report) == set() and found(report, "NOT_CHECKED") == {"NGC-PKG-009"}


@pytest.mark.parametrize("content", [b"", b"nonsense", b"-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n"])
def test_what_is_no_public_key_cannot_judge(content, sealed, tmp_path, capsys):
    key = tmp_path / "other.pub"
    key.write_bytes(content)
    assert command("check", sealed.root, "--public-key", key) == 2
    assert "not an Ed25519 public key" in capsys.readouterr().out


def test_an_empty_folder_and_a_missing_key_cannot_judge(sealed, tmp_path, capsys):
    assert command("check", sealed.root, "--public-key", tmp_path) == 2
    assert command("check", sealed.root, "--public-key", tmp_path / "none.pub") == 2
    out = capsys.readouterr().out
    assert "no file *.pub" in out and "cannot be read" in out


# ---- encryption by the sender ---------------------------------------------------------------


def test_an_encrypted_signed_copy_conforms_for_its_receiver_and_the_original_is_untouched(
    sealed, keys, recipient, tmp_path, capsys
):
    before = digests(sealed.root)
    out = tmp_path / "sent" / CASE
    assert command("encrypt", sealed.root, out, "--recipient", recipient) == 0
    assert command("sign", out, "--key", keys / "signing.key") == 0
    assert digests(sealed.root) == before
    assert writable(out) == []
    assert [path.name for path in out.parent.iterdir()] == [CASE]
    assert {path.suffix for path in (out / "data").iterdir()} == {".c4gh"}
    there = sorted(path.name for path in (out / "data").iterdir())
    assert there == sorted(path.name + ".c4gh" for path in sealed.data.iterdir())
    write_private_key(tmp_path / "receiver.sec", RECEIVER)
    received = Submission(sealed.home)
    received.root = out
    received.public_keys, received.private_key = (keys,), tmp_path / "receiver.sec"
    assert [(f.rule, f.place, f.evidence) for f in received.judge().findings] == []
    plain = {entry["path"]: entry for entry in sealed.manifest()["files"]}
    for entry in received.manifest()["files"]:
        assert {**entry, "encrypted_sha256": None} == plain[entry["path"]]
    for path in out.rglob("*"):
        path.chmod(0o755)


def test_each_of_several_receivers_can_open_it(sealed, recipient, tmp_path):
    write_public_key(tmp_path / "second.pub", STRANGER)
    encryption.encrypt(sealed.root, tmp_path / "out", [recipient, tmp_path / "second.pub"])
    for number, private in enumerate((RECEIVER, STRANGER)):
        write_private_key(tmp_path / f"{number}.sec", private)
        received = Submission(sealed.home)
        received.root = tmp_path / "out"
        report = received.judge(public_keys=[], private_key=tmp_path / f"{number}.sec")
        assert found(report) == {"NGC-PKG-008"}


def test_a_file_longer_than_memory_is_encrypted_block_by_block(tmp_path):
    import hashlib

    size = 48 << 20
    (tmp_path / "data").mkdir()
    plain = tmp_path / "data" / "X"
    with open(plain, "wb") as out:
        out.truncate(size)
    entry = {"path": "data/X", "bytes": size, "sha256": hashlib.sha256(bytes(size)).hexdigest()}
    tracemalloc.start()
    try:
        encryption._envelope(plain, tmp_path / "X.c4gh", [sodium.derive_pk(RECEIVER)], entry)
        seal._open_envelope(tmp_path / "X.c4gh", tmp_path / "Y", RECEIVER)
        assert tracemalloc.get_traced_memory()[1] < 2 << 20
    finally:
        tracemalloc.stop()
    assert (tmp_path / "Y").stat().st_size == size


def test_an_interrupted_encryption_leaves_nothing_under_the_final_name(sealed, recipient, tmp_path, monkeypatch):
    real, done = encryption._envelope, []

    def stopped(*arguments):
        if len(done) == 3:
            raise KeyboardInterrupt
        done.append(real(*arguments))

    monkeypatch.setattr(encryption, "_envelope", stopped)
    with pytest.raises(KeyboardInterrupt):
        encryption.encrypt(sealed.root, tmp_path / "sent" / CASE, [recipient])
    assert list((tmp_path / "sent").iterdir()) == []


def test_what_a_killed_encryption_left_is_no_hindrance(sealed, recipient, tmp_path):
    left = tmp_path / f".{CASE}.partial"
    left.mkdir()
    (left / "half.c4gh").write_bytes(b"x")
    encryption.encrypt(sealed.root, tmp_path / CASE, [recipient])
    assert not left.exists() and not list((tmp_path / CASE).rglob("half*"))


def test_nothing_is_encrypted_that_the_manifest_does_not_list(sealed, recipient, tmp_path):
    sealed.unseal()
    path = sealed.root / REPORT
    whole = path.read_bytes()
    path.write_bytes(whole[:-1] + b" ")
    with pytest.raises(SealError, match="not the file that manifest.json lists"):
        encryption.encrypt(sealed.root, tmp_path / "out", [recipient])
    path.write_bytes(whole)
    (sealed.data / "extra.txt").write_text("x")
    with pytest.raises(SealError, match="not those of manifest.json"):
        encryption.encrypt(sealed.root, tmp_path / "out", [recipient])
    assert not (tmp_path / "out").exists()


def test_places_and_keys_that_will_not_do_are_refused(sealed, recipient, tmp_path, capsys):
    other = tmp_path / "other"
    (tmp_path / "bad.pub").write_text("nonsense\n")
    (tmp_path / "short.pub").write_text(
        "-----BEGIN CRYPT4GH PUBLIC KEY-----\nAAAA\n-----END CRYPT4GH PUBLIC KEY-----\n"
    )
    encryption.encrypt(sealed.root, tmp_path / "once", [recipient])
    for arguments, message in (
        ([sealed.root, tmp_path, "--recipient", recipient], "there already"),
        ([sealed.root, sealed.root / "copy", "--recipient", recipient], "lies in the submission"),
        ([sealed.root, other, "--recipient", tmp_path / "none.pub"], "cannot be read"),
        ([sealed.root, other, "--recipient", tmp_path / "bad.pub"], "not a Crypt4GH public key"),
        ([sealed.root, other, "--recipient", tmp_path / "short.pub"], "not a Crypt4GH public key"),
        ([sealed.home, other, "--recipient", recipient], "not a submission"),
        ([tmp_path / "once", other, "--recipient", recipient], "encrypted already"),
    ):
        assert command("encrypt", *arguments) == 2
        assert message in capsys.readouterr().err
        assert not other.exists()


# ---- encryption, judged by the receiver -----------------------------------------------------


def test_an_encrypted_conforming_submission_has_no_finding(sealed):
    sealed.encrypt()
    assert [(f.rule, f.file, f.place, f.evidence) for f in sealed.judge().findings] == []


def test_without_the_private_key_what_is_inside_is_not_checked_and_not_passed(sealed):
    sealed.encrypt()
    report = sealed.judge(private_key=None)
    assert found(report) == set()
    unchecked = found(report, "NOT_CHECKED")
    assert {"NGC-MAN-010", "NGC-MAN-011", "NGC-QC-004", "NGC-PII-001", "NGC-ALN-001", "NGC-PKG-010"} <= unchecked
    rules = {rule["id"] for rule in report.profile.rules()}
    assert {rule for rule in rules if rule.startswith(("NGC-VCF", "NGC-GVCF", "VCF-SPEC", "NGC-PII"))} <= unchecked


def test_the_table_says_once_what_many_rules_lack(sealed, capsys):
    sealed.encrypt()
    assert command("check", sealed.root, "--profile", sealed.profile_path, "--reference", sealed.reference) == 0
    out = capsys.readouterr().out
    assert out.count("no private key given") == 1
    assert "more rules" in out and len(out.splitlines()) < 60


def test_without_the_private_key_the_encrypted_digests_are_judged(sealed):
    sealed.encrypt()
    sealed.unseal()
    first, second = sorted(sealed.data.iterdir())[:2]
    content = first.read_bytes()
    first.write_bytes(second.read_bytes())
    second.write_bytes(content)
    sealed.bag()
    sealed.seal()
    assert found(sealed.judge(private_key=None)) == {"NGC-MAN-026"}


def test_the_plaintext_is_gone_afterwards_and_closed_to_others_meanwhile(sealed, tmp_path, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "scratch"))
    (tmp_path / "scratch").mkdir()
    sealed.encrypt()
    seen = []
    real = seal._open_envelope

    def looked(source, target, key):
        seen.append(stat.S_IMODE(target.parent.stat().st_mode))
        return real(source, target, key)

    monkeypatch.setattr(seal, "_open_envelope", looked)
    sealed.judge()
    assert set(seen) == {0o700} and list((tmp_path / "scratch").iterdir()) == []
    monkeypatch.setattr("ngc_check.submission.check_alignment", lambda *_, **__: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        sealed.judge()
    assert list((tmp_path / "scratch").iterdir()) == []


def test_a_single_encrypted_file_is_judged_with_its_index(sealed, tmp_path, monkeypatch, capsys):
    (tmp_path / "scratch").mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "scratch"))
    profile, vcf = ngc_profile.load(sealed.profile_path), f"{SAMPLE}.vcf.gz"
    whole = {name: check(sealed.data / name, profile) for name in (vcf, f"{CASE}.multiqc.html")}
    sealed.encrypt()
    for name, report in whole.items():
        opened = check(sealed.data / f"{name}.c4gh", profile, private_key=sealed.private_key)
        assert opened.as_dict() == report.as_dict()
    assert whole[vcf].rules("FAIL") == set()
    path, arguments = sealed.data / f"{vcf}.c4gh", ["--profile", sealed.profile_path, "--private-key"]
    write_private_key(tmp_path / "stranger.sec", STRANGER)
    assert command("check", path) == 2
    assert command("check", path, *arguments, tmp_path / "stranger.sec") == 2
    short = tmp_path / path.name
    short.write_bytes(path.read_bytes()[:-1])
    assert command("check", short, *arguments, sealed.private_key) == 2
    told = capsys.readouterr()
    for message in ("`--private-key`", "encrypted for another key", "cut off or was changed"):
        assert message in told.out
    assert told.err == "" and list((tmp_path / "scratch").iterdir()) == []


def test_a_terminated_judge_leaves_no_plaintext(sealed, tmp_path):
    sealed.encrypt()
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    program = (
        "import os, signal, sys, ngc_cli\nfrom ngc_check import submission\n"
        "submission.check_alignment = lambda *_, **__: os.kill(os.getpid(), signal.SIGTERM)\n"
        "sys.exit(ngc_cli.main(sys.argv[1:]))"
    )
    arguments = ["check", sealed.root, "--profile", sealed.profile_path, "--private-key", sealed.private_key]
    environment = {**os.environ, "PYTHONPATH": str(SCRIPTS), "TMPDIR": str(scratch)}
    done = subprocess.run([sys.executable, "-c", program, *arguments], env=environment, capture_output=True, text=True)
    assert done.returncode == 143 and "Traceback" not in done.stderr
    assert list(scratch.iterdir()) == []


def test_a_key_that_opens_nothing_cannot_judge(sealed, tmp_path, capsys):
    sealed.encrypt()
    write_private_key(tmp_path / "stranger.sec", STRANGER)
    arguments = ["check", sealed.root, "--profile", sealed.profile_path, "--private-key"]
    assert command(*arguments, tmp_path / "stranger.sec") == 2
    sealed.private_key.chmod(0o640)
    assert command(*arguments, sealed.private_key) == 2
    (tmp_path / "nonsense.sec").write_text("nonsense")
    (tmp_path / "nonsense.sec").chmod(0o600)
    assert command(*arguments, tmp_path / "nonsense.sec") == 2
    assert command(*arguments, tmp_path / "none.sec") == 2
    streams = capsys.readouterr()
    for message in ("opens none of", "chmod 600", "not a Crypt4GH private key", "cannot be read: No such file"):
        assert message in streams.out
    assert streams.err == ""


def test_a_private_key_with_a_passphrase_opens_with_it_alone(tmp_path, monkeypatch, capsys):
    c4gh.generate(tmp_path / "key.sec", tmp_path / "key.pub", b"open sesame", None)
    for passphrase, opens in (("open sesame", True), ("open rye", False)):
        monkeypatch.setenv("C4GH_PASSPHRASE", passphrase)
        with contextlib.nullcontext() if opens else pytest.raises(seal.Unreadable, match="passphrase is wrong"):
            assert len(seal.private_key(tmp_path / "key.sec")) == 32
    assert "sesame" not in "".join(capsys.readouterr())


def truncated_in_a_block(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-20])


def cut_to_its_header(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:60])


def emptied(path: Path) -> None:
    path.write_bytes(b"")


def plain_after_all(path: Path) -> None:
    path.write_bytes(b"<html></html>" * 1000)


def huge_packet(path: Path) -> None:
    path.write_bytes(b"crypt4gh" + (1).to_bytes(4, "little") + (2**32 - 1).to_bytes(4, "little") * 2 + bytes(10**6))


def many_packets(path: Path) -> None:
    path.write_bytes(b"crypt4gh" + (1).to_bytes(4, "little") + b"\xff" * 4 + (4).to_bytes(4, "little") * 30_000)


def for_another(path: Path) -> None:
    plain = path.with_name("plain")
    plain.write_bytes(b"x" * 1000)
    envelope(plain, path, STRANGER)
    plain.unlink()


def with_an_edit_list(path: Path) -> None:
    keys = [(0, b"e" * 32, sodium.derive_pk(RECEIVER))]
    packets = [header.make_packet_data_enc(0, b"k" * 32), header.make_packet_data_edit_list([10, 20])]
    path.write_bytes(header.serialize([sealed for packet in packets for sealed in header.encrypt(packet, keys)]))


@pytest.mark.parametrize(
    "spoil",
    [truncated_in_a_block, cut_to_its_header, emptied, plain_after_all, huge_packet, many_packets, for_another,
     with_an_edit_list],
)  # fmt: skip
def test_a_file_that_cannot_be_decrypted_is_a_finding_and_nothing_inside_is_passed(spoil, sealed):
    sealed.encrypt(lambda files: spoil(files[REPORT]))
    report = sealed.judge()
    assert found(report) == {"NGC-PKG-010"}
    assert found(report, "NOT_CHECKED") >= {"NGC-MAN-010"}
    assert {finding.file for finding in report.findings if finding.rule == "NGC-PKG-010"} == {REPORT + ".c4gh"}


def blocks(path: Path) -> tuple[bytes, list[bytes]]:
    """Header and blocks of an envelope for one receiver."""
    whole = path.read_bytes()
    start = 16 + int.from_bytes(whole[16:20], "little")
    return whole[:start], [whole[at : at + CIPHER_SEGMENT_SIZE] for at in range(start, len(whole), CIPHER_SEGMENT_SIZE)]


def reordered(path: Path) -> None:
    head, parts = blocks(path)
    assert len(parts) > 3
    path.write_bytes(head + parts[1] + parts[0] + b"".join(parts[2:]))


def last_block_dropped(path: Path) -> None:
    head, parts = blocks(path)
    path.write_bytes(head + b"".join(parts[:-1]))


@pytest.mark.parametrize("spoil", [reordered, last_block_dropped])
def test_blocks_moved_or_dropped_are_found_by_the_digest_of_the_plaintext(spoil, sealed):
    sealed.encrypt(lambda files: spoil(files[REPORT]))
    report = sealed.judge()
    assert "NGC-MAN-010" in found(report, "FAIL") and "NGC-PKG-010" not in found(report)


def test_two_swapped_files_are_found_by_the_digest_of_the_plaintext(sealed):
    def swap(files: dict[str, Path]) -> None:
        first, second = [path for name, path in files.items() if name.endswith(".vcf.gz")][:2]
        content = first.read_bytes()
        first.write_bytes(second.read_bytes())
        second.write_bytes(content)

    sealed.encrypt(swap)
    assert "NGC-MAN-010" in found(sealed.judge(), "FAIL")


def test_a_file_in_the_clear_among_encrypted_ones_is_found(sealed, template):
    sealed.encrypt()
    sealed.unseal()
    shutil.copy2(template.root / REPORT, sealed.root / REPORT)
    sealed.bag()
    sealed.seal()
    assert "NGC-MAN-026" in found(sealed.judge())
    assert "NGC-MAN-026" in found(sealed.judge(private_key=None))


def test_no_broken_envelope_makes_the_judge_fall_over(tmp_path):
    rng = random.Random(11)
    (tmp_path / "plain").write_bytes(rng.randbytes(100_000))
    envelope(tmp_path / "plain", tmp_path / "sound.c4gh", RECEIVER)
    whole = (tmp_path / "sound.c4gh").read_bytes()
    opened = 0
    for _ in range(300):
        broken = bytearray(whole[: rng.choice((len(whole), rng.randrange(len(whole))))])
        for _ in range(rng.randrange(3)):
            if broken:
                broken[rng.randrange(min(len(broken), rng.choice((20, 140, 10**6))))] = rng.randrange(256)
        (tmp_path / "broken.c4gh").write_bytes(broken)
        with contextlib.suppress(ValueError, seal._OtherRecipient):
            seal._open_envelope(tmp_path / "broken.c4gh", tmp_path / "out", RECEIVER)
            opened += 1
            assert (tmp_path / "plain").read_bytes().startswith((tmp_path / "out").read_bytes())
    assert 0 < opened < 300


def test_the_field_s_own_command_opens_what_was_encrypted(sealed, recipient, tmp_path):
    encryption.encrypt(sealed.root, tmp_path / "out", [recipient])
    plain = io.BytesIO()
    with open(tmp_path / "out" / f"{REPORT}.c4gh", "rb") as file:
        lib.decrypt([(0, RECEIVER, None)], file, plain)
    assert plain.getvalue() == (sealed.root / REPORT).read_bytes()


# ---- the index of a batch -------------------------------------------------------------------


@pytest.fixture
def pair(template, tmp_path) -> list[Path]:
    """A submission and the correction that takes its place."""
    first, second = template.copy_to(tmp_path / "a"), template.copy_to(tmp_path / "b")
    second.edit_manifest(
        lambda manifest: manifest.update(submission={"id": "Z9CORRECT1", "type": "correction", "supersedes": CASE})
    )
    second.edit_manifest(lambda manifest: manifest["profile"].update(version="0.2.0"))
    second.bag()
    return [second.root, first.root]


def test_the_index_lists_case_claim_digests_and_profile_version(pair, template, tmp_path):
    assert command("index", *pair, "--out", tmp_path / "index.json") == 0
    assert command("index", *pair, "--out", tmp_path / "index.tsv") == 0
    entries = json.loads((tmp_path / "index.json").read_text())
    assert [(e["case"], e["type"], e["supersedes"], e["superseded_by"]) for e in entries] == [
        (CASE, "initial", None, ["Z9CORRECT1"]),
        ("Z9CORRECT1", "correction", CASE, []),
    ]
    assert [e["profile_version"] for e in entries] == [template.manifest()["profile"]["version"], "0.2.0"]
    files = template.manifest()["files"]
    assert entries[0]["content_digests"] == {e["path"]: e["content_digest"] for e in files if e["content_digest"]}
    with open(tmp_path / "index.tsv", newline="") as file:
        rows = list(csv.DictReader(file, delimiter="\t"))
    assert [row["tagmanifest_sha256"] for row in rows] == [e["tagmanifest_sha256"] for e in entries]
    assert {(row["claims_conformance"], row["signed"], row["encrypted"]) for row in rows} == {("yes", "yes", "no")}
    assert [list(row) for row in rows] == [list(entries[0])] * 2


def test_the_index_lists_nothing_of_a_batch_with_a_changed_manifest(pair, tmp_path, capsys):
    path = pair[0] / "manifest.json"
    path.write_text(path.read_text().replace("Z9CORRECT1", "Z9CORRECT2"))
    assert command("index", *pair, "--out", tmp_path / "index.tsv") == 2
    assert "manifest.json was changed" in capsys.readouterr().err
    assert not (tmp_path / "index.tsv").exists()


def test_the_index_says_what_it_cannot_list(template, tmp_path, capsys):
    s = template.copy_to(tmp_path / "copy")
    out = tmp_path / "index.tsv"
    assert command("index", tmp_path / "none", "--out", out) == 2
    assert command("index", s.root, "--out", tmp_path / "index.txt") == 2
    assert command("index", s.root, "--out", tmp_path / "none" / "index.tsv") == 2
    for text in ("{}", "[]", "[" * 100_000, "nonsense"):
        s.rewrite_tag_file("manifest.json", text)
        assert command("index", s.root, "--out", out) == 2
    s.unseal()
    streams = capsys.readouterr()
    assert "not a submission" in streams.err and ".tsv or .json" in streams.err and "lacks what" in streams.err
    assert not out.exists()


def test_lists_and_digests_of_the_table_are_one_cell_each(pair):
    text = batch.table(batch.index(pair))
    assert len({line.count("\t") for line in text.splitlines()}) == 1


# ---- the two sides --------------------------------------------------------------------------


def test_the_judge_imports_nothing_of_the_writer():
    for path in [*(SCRIPTS / "ngc_check").glob("*.py"), SCRIPTS / "ngc_profile.py"]:
        for node in ast.walk(ast.parse(path.read_text())):
            names = [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            names += [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            assert not [name for name in names if name.split(".")[0] in ("ngc_wgs", "ngc_cli")], path


def test_the_writer_imports_nothing_of_the_judge():
    for path in (SCRIPTS / "ngc_wgs").glob("*.py"):
        assert "ngc_check" not in path.read_text(), path


def test_the_judge_alone_judges(sealed, tmp_path):
    house = tmp_path / "house"
    shutil.copytree(SCRIPTS / "ngc_check", house / "scripts" / "ngc_check")
    shutil.copy(SCRIPTS / "ngc_profile.py", house / "scripts")
    shutil.copytree(SCRIPTS.parent / "config", house / "config")
    sealed.encrypt()
    arguments = ["--profile", sealed.profile_path, "--reference", sealed.reference]
    arguments += ["--public-key", sealed.public_keys[0], "--private-key", sealed.private_key]
    done = subprocess.run(
        [sys.executable, "-m", "ngc_check.cli", "check", sealed.root, *arguments, "--json"],
        env={**os.environ, "PYTHONPATH": str(house / "scripts")}, cwd=tmp_path, capture_output=True, text=True,
    )  # fmt: skip
    assert (done.returncode, json.loads(done.stdout)["findings"], done.stderr) == (0, [], "")


def test_the_public_half_lies_beside_the_private_one(keys):
    key = signing.private_key(keys / "signing.key")
    half = key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    assert signing.public_half(keys / "signing.key").read_bytes() == half


def test_a_missing_private_key_is_told_from_a_missing_submission(tmp_path):
    with pytest.raises(CannotJudge, match="the private key cannot be read"):
        check(tmp_path, ngc_profile.load(), private_key=tmp_path / "none.sec")
