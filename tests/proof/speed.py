"""What a judgement costs: CPU beside `bcftools view`, memory as records grow, and bytes read for all digests."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import measure as m
import numpy as np
import pysam
import support
import yaml
from submission_fixture import SAMPLE, Submission

import ngc_profile

CONTIGS = 4
BASES_PER_RECORD = 12
GOAL, MEMORY = 6.0, 500.0
LETTERS = np.frombuffer(b"ACGT", dtype=np.uint8)


def write_reference(folder: Path, records: int) -> tuple[Path, Path, list[np.ndarray]]:
    """FASTA, overlay and bases by contig. No base stands beside its like, so that every short indel is left-aligned."""
    rng = np.random.default_rng(20261122)
    fasta, overlay = folder / "big.fa", folder / "big.yaml"
    length = records * BASES_PER_RECORD // CONTIGS + 1000
    sequences, contigs = [], []
    with fasta.open("wb") as out:
        for number in range(1, CONTIGS + 1):
            bases = LETTERS[np.cumsum(rng.integers(1, 4, length)) % 4]
            sequences.append(bases)
            text = bases.tobytes()
            out.write(b">chr%d\n%s\n" % (number, text))
            md5 = hashlib.md5(text, usedforsecurity=False).hexdigest()
            contigs.append({"name": f"chr{number}", "length": length, "md5": md5, "role": "autosome"})
    pysam.faidx(str(fasta))
    shipped = ngc_profile.load()
    reference = {"id": "BIG", "accession": "BIG.1", "assembly": "BIG", "par": [], "contigs": contigs}
    overlay.write_text(yaml.safe_dump({"overlay_of": shipped.id, "id": "big", "reference": reference}))
    return fasta, overlay, sequences


def write_vcf(path: Path, records: int, overlay: Path, sequences: list[np.ndarray]) -> None:
    """A VCF as GATK's genotypes look: nine changes of ten of one base, one an insertion or a deletion."""
    profile = ngc_profile.load(overlay=overlay)
    spec = profile.data["vcf"]
    head = ["##fileformat=VCFv4.2", '##FILTER=<ID=PASS,Description="All filters passed">']
    head.append('##FILTER=<ID=LowQual,Description="Low quality">')
    for section, keys in (("INFO", ("AC", "AN", "AF", "DP")), ("FORMAT", ("GT", "AD", "DP", "GQ", "PL"))):
        for key in keys:
            d = spec[section.lower()][key]
            head.append(
                f'##{section}=<ID={key},Number={d["number"]},Type={d["type"]},Description="{d["description"]}">'
            )
    head += [f"##contig=<ID={c['name']},length={c['length']},md5={c['md5']}>" for c in profile.contigs()]
    head += ["##reference=BIG", "##source=ngc-wgs", f"##profile={profile.id}"]
    head.append(f"#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\tFORMAT\t{SAMPLE}\n")
    rng = np.random.default_rng(7)
    with path.open("wb") as raw, subprocess.Popen(["bgzip", "-c"], stdin=subprocess.PIPE, stdout=raw) as bgzip:
        bgzip.stdin.write("\n".join(head).encode())
        each = records // CONTIGS
        for number, bases in enumerate(sequences, 1):
            text = bases.tobytes().decode()
            starts = np.arange(each) * BASES_PER_RECORD + rng.integers(1, BASES_PER_RECORD - 3, each)
            depths, kinds, odds = rng.integers(12, 60, each), rng.integers(0, 20, each), rng.integers(0, 900, (3, each))
            lines = []
            rows = zip(starts.tolist(), depths.tolist(), kinds.tolist(), *odds.tolist(), strict=True)
            for at, depth, kind, odd, first, last in rows:
                ref, after = text[at], text[at + 1]
                other = "ACGT"[("ACGT".index(ref) + 1 + depth % 3) % 4]
                if kind == 0:
                    ref, alt = ref + after, ref
                elif kind == 1:
                    alt = ref + other
                else:
                    alt = other
                if depth % 3:
                    half = depth // 3 + odd % (depth // 3)
                    info, call = "AC=1;AF=0.500;AN=2", f"0/1:{half},{depth - half}:{depth}:99:{first},0,{last}"
                else:
                    info, call = "AC=2;AF=1.00;AN=2", f"1/1:0,{depth}:{depth}:{first % 100}:{last},{first % 100},0"
                info, quality = f"{info};DP={depth}", f"{first}.{odd:02d}"
                status = "LowQual" if kind == 19 else "PASS"
                columns = (f"chr{number}", at + 1, ".", ref, alt, quality, status, info, "GT:AD:DP:GQ:PL", call)
                lines.append("\t".join(map(str, columns)) + "\n")
            bgzip.stdin.write("".join(lines).encode())
        bgzip.stdin.close()
        bgzip.wait()
    pysam.tabix_index(str(path), preset="vcf", force=True)


def bcftools(path: Path) -> tuple[float, float]:
    """(CPU, wall) seconds of the field's fastest reader on a file."""
    before, start = os.times(), time.perf_counter()
    with open(os.devnull, "wb") as nowhere:
        subprocess.run(["bcftools", "view", "-O", "u", str(path)], stdout=nowhere, check=True)
    wall, after = time.perf_counter() - start, os.times()
    return after.children_user + after.children_system - before.children_user - before.children_system, wall


def vcf(place: Path, records: int) -> Iterator[str]:
    """CPU, wall and memory on a fifth of the records and on all, with the reference and every rule."""
    rows, failed = [], []
    peaks = []
    for count in (records // 5, records):
        folder = place / f"records{count}"
        folder.mkdir()
        fasta, overlay, sequences = write_reference(folder, count)
        path = folder / f"{SAMPLE}.vcf.gz"
        write_vcf(path, count, overlay, sequences)
        del sequences
        base = min(bcftools(path) for _ in range(3))
        ask = {"target": str(path), "overlay": str(overlay), "reference": str(fasta), "sample": SAMPLE, "sex": "female"}
        used = min((support.judged(ask) for _ in range(2)), key=lambda answer: answer["cpu"])
        peaks.append(used["rss"])
        ratio = used["cpu"] / base[0]
        rows.append(
            [
                f"{count:,}", f"{path.stat().st_size / 1e6:.0f}", f"{base[0]:.1f}", f"{used['cpu']:.1f}",
                f"{ratio:.2f}", f"{used['wall']:.1f}", f"{used['rss']:.0f}", len(used["findings"]),
            ]
        )  # fmt: skip
        if used["findings"]:
            failed.append(f"{count} good records gave {used['findings'][:3]}")
        if used["rss"] > MEMORY:
            failed.append(f"{count} records took {used['rss']:.0f} MB")
    if ratio > GOAL:
        failed.append(f"{ratio:.2f} times the CPU of bcftools, the goal is {GOAL}")
    if peaks[1] > 1.25 * peaks[0]:
        failed.append(f"memory grows with the records: {peaks[0]:.0f} to {peaks[1]:.0f} MB")
    yield (
        "A generated VCF with every rule on, REF against the FASTA included, start of Python and both digests too;"
        " `bcftools view -O u` on the same file.\n"
    )
    yield m.table(["records", "MB", "bcftools CPU s", "check CPU s", "ratio", "wall s", "peak MB", "findings"], rows)
    yield from support.failed(failed)


def opened(root: Path, judge: Callable[[], object]) -> Counter[str]:
    """How often Python opened each file below a folder to read it, while `judge` ran."""
    counts: Counter[str] = Counter()
    watching = True

    def hook(event: str, arguments: tuple) -> None:
        if watching and event == "open" and isinstance(arguments[0], str | bytes | Path):
            path = Path(os.fsdecode(arguments[0]))
            if path.is_relative_to(root):
                counts[str(path.relative_to(root))] += 1

    sys.addaudithook(hook)  # for good, hence the switch
    try:
        judge()
    finally:
        watching = False
    return counts


def _read_of(folder: Path) -> tuple[int, int]:
    """(size, bytes read) of the VCF that `vcf` made in a folder."""
    path = folder / f"{SAMPLE}.vcf.gz"
    ask = {"target": str(path), "overlay": str(folder / "big.yaml"), "sample": SAMPLE, "sex": "female"}
    return path.stat().st_size, support.judged(ask)["read"]


def once(place: Path, records: int) -> Iterator[str]:
    """One read for all digests: bytes read of a large VCF, and openings of each file of a submission."""
    (small, few), (large, many) = (_read_of(place / f"records{count}") for count in (records // 5, records))
    # What Python and its packages read of their own is the same for both.
    each = (many - few) / (large - small)
    yield (
        f"Two VCFs of {small:,} and {large:,} bytes, judged and digested without reference: {few:,} and {many:,} bytes"
        f" were read, {each:.3f} for each byte more.\n"
    )
    s = Submission.build(place / "once")
    counts = opened(s.root, s.judge)
    yield "Openings of each file of a submission while it is judged (htslib's own are not seen by Python):\n"
    yield m.table(["file", "opened"], sorted(counts.items()))
    # Besides the read for digests: the ends of an alignment, the form of an index, the overlay as YAML.
    more = {name for name, count in counts.items() if count > 1} - {
        f"data/{SAMPLE}.{ending}" for ending in ("cram", "cram.crai", "vcf.gz.tbi", "g.vcf.gz.tbi")
    }
    yield from support.failed(
        ([f"{each:.3f} bytes were read for each"] if each > 1.05 else [])
        + [f"{name} was opened {counts[name]} times" for name in sorted(more)]
    )


def run(place: Path, records: int = 5_000_000) -> Iterator[str]:
    """CPU and memory, then bytes read."""
    yield "## Speed\n"
    yield from vcf(place, records)
    yield from once(place, records)
