"""Input made to break the judge: random, guided by coverage, and built to fill memory or time."""

from __future__ import annotations

import base64
import contextlib
import gzip
import importlib.util
import json
import re
import shutil
import struct
import subprocess
import sys
import time
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path

import measure as m
import support
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st
from submission_fixture import CASE, SAMPLE, Submission

import ngc_profile
from ngc_check import manifest as manifests
from ngc_check import quality, submission
from ngc_check.findings import Collector
from ngc_wgs import tables

MEMORY = 500.0
"""MB that any judgement may take at most."""
SECONDS = 60.0
QUIET = {
    "deadline": None, "database": None, "suppress_health_check": list(HealthCheck), "phases": (Phase.generate,),
}  # fmt: skip
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)


# ---- hypothesis ----------------------------------------------------------------------------


@st.composite
def spoiled(draw, value: dict) -> dict:
    """A manifest with one to four values replaced by any JSON, at any depth."""
    value = json.loads(json.dumps(value))
    for _ in range(draw(st.integers(1, 4))):
        target: object = value
        for _ in range(draw(st.integers(0, 6))):
            if isinstance(target, dict) and target:
                key = draw(st.sampled_from(sorted(target, key=str)))
            elif isinstance(target, list) and target:
                key = draw(st.integers(0, len(target) - 1))
            else:
                break
            if not isinstance(target[key], dict | list) or draw(st.booleans()):
                target[key] = draw(JSON)
                break
            target = target[key]
    return value


def judge_manifest(template: Submission, profile: ngc_profile.Profile, manifest: dict) -> None:
    """All that looks at a manifest's fields; raises where it falls over."""
    report = Collector(profile, manifests.analysis_date(manifest))
    report.extend(manifests.schema_faults(manifest, "manifest", "NGC-MAN-002", "manifest.json"))
    report.extend(manifests.check_fields(manifest, profile))
    report.extend(manifests.guarded(manifests.check_files, (), "manifest.json", manifest, profile, {}))
    report.extend(manifests.guarded(quality.check_samples, (), "manifest.json", manifest, profile))
    submission._people(manifest)
    submission._with_overlay(template.root, manifest, profile, True, None)
    json.dumps([finding.as_dict() for finding in report.findings()])


def fuzz_manifest(place: Path, examples: int) -> int:
    """Judge `examples` spoiled manifests; how many were judged."""
    template = Submission.build(place / "manifests")
    profile = ngc_profile.load(template.profile_path)
    judged = 0

    @seed(20261122)
    @settings(max_examples=examples, **QUIET)
    @given(spoiled(template.manifest()))
    def each(manifest: dict) -> None:
        nonlocal judged
        judge_manifest(template, profile, manifest)
        judged += 1

    each()
    return judged


def fuzz_tables(place: Path, examples: int) -> int:
    """Read `examples` spoiled sets of tables; how many were read. Anything but tables' own error is a failure."""
    folder = place / "tables"
    folder.mkdir()
    good = {
        name: (support.REPOSITORY / "config" / f"{name}.tsv").read_bytes() for name in ("cases", "samples", "units")
    }
    profile = ngc_profile.load()
    read = 0

    @seed(20261122)
    @settings(max_examples=examples, **QUIET)
    @given(st.data())
    def each(data) -> None:
        nonlocal read
        for name, text in good.items():
            spoilt = bytearray(text)
            for _ in range(data.draw(st.integers(0, 3))):
                at = data.draw(st.integers(0, len(spoilt)))
                piece = data.draw(st.binary(max_size=3) | st.sampled_from([b"\t", b"\n", b"\r", b";", b'"', b"\x00"]))
                spoilt[at : at + data.draw(st.integers(0, 12))] = piece
            (folder / f"{name}.tsv").write_bytes(spoilt)
        with contextlib.suppress(tables.TableError):
            tables.load_tables(*(folder / f"{name}.tsv" for name in good), profile)
        read += 1

    each()
    return read


# ---- atheris -------------------------------------------------------------------------------


def guided(place: Path, seconds: int) -> Iterator[list[object]]:
    """[reader, inputs tried, seconds] of each target of fuzz_target.py."""
    folder = place / "guided"
    folder.mkdir()
    Submission.build(folder / "submission")
    paths = [str(support.HERE.parent / name) for name in ("unit", "bench", "simulate")]
    env = support.environment()
    env["PYTHONPATH"] = ":".join([*paths, env["PYTHONPATH"]])
    for what in ("vcf", "header", "files"):
        command = [sys.executable, str(support.HERE / "fuzz_target.py"), what, str(folder)]
        command += [f"-max_total_time={seconds}", "-timeout=20", "-rss_limit_mb=2000", "-seed=1", "-max_len=20000"]
        start = time.monotonic()
        done = subprocess.run(command, capture_output=True, text=True, env=env, cwd=folder, check=False)
        if done.returncode:
            raise support.NotProven(f"the {what} reader: {done.stdout[-3000:]}{done.stderr[-1000:]}")
        tried = re.search(r"Done (\d+) runs", done.stderr)
        yield [what, tried.group(1) if tried else "?", f"{time.monotonic() - start:.0f}"]


# ---- built to fill memory or time ----------------------------------------------------------

HEAD = b"##fileformat=VCFv4.2\n"
COLUMNS = b"#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\n"


def _blocks(data: bytes, times: int, path: Path, start: bytes = b"") -> None:
    """Write BGZF of `start` and then `times` times the block of `data`."""

    def block(text: bytes) -> bytes:
        deflate = zlib.compressobj(9, zlib.DEFLATED, -15)
        body = deflate.compress(text) + deflate.flush()
        head = bytes.fromhex("1f8b08040000000000ff0600424302") + b"\x00" + struct.pack("<H", len(body) + 25)
        return head + body + struct.pack("<II", zlib.crc32(text), len(text))

    one = block(data)
    with path.open("wb") as out:
        out.write(block(start) if start else b"")
        for at in range(0, times, 1000):
            out.write(one * min(1000, times - at))


def _long_line(path: Path) -> None:
    with path.open("wb") as out:
        out.write(HEAD + b"##source=")
        for _ in range(100):
            out.write(b"x" * 1_000_000)
        out.write(b"\n" + COLUMNS)


def _long_line_packed(path: Path) -> None:
    _blocks(b"x" * 65_000, 1600, path, HEAD + b"##source=")


def _bomb(path: Path) -> None:
    _blocks(b"1\t10\t" + b"x" * 65_000, 160_000, path, HEAD + COLUMNS)  # 10 GB of text


def _empty_blocks(path: Path) -> None:
    _blocks(b"", 2_000_000, path, HEAD)


def _gzip_members(path: Path) -> None:
    path.write_bytes(gzip.compress(HEAD + COLUMNS) + gzip.compress(b"") * 1_000_000)


def _million_contigs(path: Path) -> None:
    path.write_bytes(HEAD + b"".join(b"##contig=<ID=c%d,length=5>\n" % n for n in range(1_000_000)) + COLUMNS)


def _contigs_of_records(path: Path) -> None:
    body = b"".join(b"c%d\t1\t.\tA\tC\t.\t.\t.\n" % n for n in range(1_000_000))
    path.write_bytes(HEAD + COLUMNS + body)


def _million_samples(path: Path) -> None:
    path.write_bytes(HEAD + COLUMNS.rstrip() + b"\tFORMAT\t" + b"\t".join(b"s%d" % n for n in range(1_000_000)) + b"\n")


def _deep_json(path: Path) -> None:
    path.write_text('{"a":' * 800_000 + "1" + "}" * 800_000)


def _wide_json(path: Path) -> None:
    path.write_text('{"samples": [' + "{}," * 1_600_000 + "{}]}")


def _long_number(path: Path) -> None:
    path.write_text('{"created": ' + "9" * 4_000_000 + "}")


def _huge_json(path: Path) -> None:
    path.write_text('{"a": [' + "[]," * 50_000_000 + "[]]}")


def _report_bomb(path: Path) -> None:
    packed = base64.b64encode(gzip.compress(b"[" + b"[]," * 100_000_000 + b"[]]")).decode()
    path.write_text(f'<html><script type="text/plain">{packed}</script></html>')


def _report_tags(path: Path) -> None:
    path.write_text("<a " * 8_000_000)


def _report_lines(path: Path) -> None:
    path.write_text("x\n" * 8_000_000)


def _bam_header(path: Path) -> None:
    _blocks(b"x" * 65_000, 800, path, b"BAM\x01" + struct.pack("<i", 2**31 - 1) + b"@CO\t")


def _cram_claims(path: Path) -> None:
    path.write_bytes(b"CRAM\x03\x00" + b"x" * 20 + b"\xff\xff\xff\x7f" + b"\x0f" * 200)


# target, what makes it, and the status that is right
BOMBS: dict[str, tuple[str, Callable[[Path], None], tuple[int, ...]]] = {
    "header line of 100 MB": ("a.vcf", _long_line, (1,)),
    "the same in BGZF": ("a.vcf.gz", _long_line_packed, (1,)),
    "BGZF of 10 GB of text": ("a.vcf.gz", _bomb, (1,)),
    "2 million empty BGZF blocks": ("a.vcf.gz", _empty_blocks, (1,)),
    "1 million gzip members": ("a.vcf.gz", _gzip_members, (1,)),
    "1 million contigs in the header": ("a.vcf", _million_contigs, (1,)),
    "1 million contigs among the records": ("a.vcf", _contigs_of_records, (1,)),
    "1 million samples": ("a.vcf", _million_samples, (1,)),
    "manifest of 800,000 levels": ("manifest.json", _deep_json, (1,)),
    "manifest of 1.6 million samples": ("manifest.json", _wide_json, (1,)),
    "manifest with a number of 4 million digits": ("manifest.json", _long_number, (1,)),
    "metrics of 800,000 levels": (f"{SAMPLE}.metrics.json", _deep_json, (1,)),
    "metrics of 150 MB": (f"{SAMPLE}.metrics.json", _huge_json, (1,)),
    "report whose data unfold to 300 MB": (f"{CASE}.multiqc.html", _report_bomb, (0,)),
    "report of 8 million open tags": (f"{CASE}.multiqc.html", _report_tags, (0,)),
    "report of 8 million lines": (f"{CASE}.multiqc.html", _report_lines, (0,)),
    "BAM that claims a header of 2 GB": ("a.bam", _bam_header, (1,)),
    "CRAM of nonsense": ("a.cram", _cram_claims, (1,)),
}


def bombs(place: Path, names: Iterator[str] | None = None) -> Iterator[str]:
    """Each as a single file, judged in a process of its own."""
    rows, wrong = [], []
    for name in names or BOMBS:
        file, make, right = BOMBS[name]
        folder = place / "bomb"
        folder.mkdir()
        make(folder / file)
        size = (folder / file).stat().st_size
        used = support.judged({"target": str(folder / file)}, limit=3 * SECONDS)
        shutil.rmtree(folder)
        first = min(
            used["findings"],
            key=lambda f: ("FAIL", "", "NOT_CHECKED", "WARN", "INFO").index(f[1]),
            default=["", "", ""],
        )
        told = f"{first[0]} {first[2]}"
        rows.append([name, f"{size / 1e6:.1f}", used["exit"], f"{used['cpu']:.1f}", f"{used['rss']:.0f}", told])
        if used["exit"] not in right:
            wrong.append(f"{name}: status {used['exit']}")
        if used["rss"] > MEMORY:
            wrong.append(f"{name}: {used['rss']:.0f} MB")
        if used["cpu"] > SECONDS:
            wrong.append(f"{name}: {used['cpu']:.0f} s")
    yield m.table(["file", "MB", "status", "CPU s", "peak MB", "first finding"], rows)
    yield from support.failed(wrong)


def run(place: Path, seconds: int = 60, examples: int = 1000) -> Iterator[str]:
    """Hypothesis, atheris, bombs."""
    yield "## Fuzz\n"
    rows = [["manifest", fuzz_manifest(place, examples)], ["tables", fuzz_tables(place, examples)]]
    yield "Spoiled by hypothesis, and judged without falling over:\n"
    yield m.table(["input", "examples"], rows)
    if importlib.util.find_spec("atheris") is None:
        yield "Guided by coverage: skipped, atheris is not installed (`pip install .[proof]`).\n"
    else:
        yield f"Guided by coverage (atheris, {seconds} s each), no crash, and both paths of the VCF reader agree:\n"
        yield m.table(["reader", "inputs", "seconds"], guided(place, seconds))
    yield f"Built to fill memory or time; bounds {MEMORY:.0f} MB and {SECONDS:.0f} CPU s:\n"
    yield from bombs(place)
