"""What a judgement costs: CPU beside `bcftools view`, wall by two threads, memory, and bytes read for all digests."""

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
THREADS = (1, 2)
GOAL, SHARED, MEMORY = 6.0, 0.85, 500.0
"""CPU beside bcftools; wall time by two threads beside one; MB."""
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


def write_file(path: Path, kind: str, records: int, overlay: Path, sequences: list[np.ndarray]) -> None:
    """A VCF or gVCF with index, one sample, `records` records in equal parts on all contigs."""
    profile = ngc_profile.load(overlay=overlay)
    spec = profile.data[kind]
    head = ["##fileformat=VCFv4.2", '##FILTER=<ID=PASS,Description="All filters passed">']
    head.append('##FILTER=<ID=LowQual,Description="Low quality">')
    if kind == "gvcf":
        head.append('##ALT=<ID=NON_REF,Description="Any other allele">')
    for section in ("INFO", "FORMAT"):
        for key, d in spec[section.lower()].items():
            head.append(
                f'##{section}=<ID={key},Number={d["number"]},Type={d["type"]},Description="{d["description"]}">'
            )
    head += [f"##contig=<ID={c['name']},length={c['length']},md5={c['md5']}>" for c in profile.contigs()]
    head += ["##reference=BIG", "##source=ngc-wgs", f"##profile={profile.id}"]
    head.append(f"#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\tFORMAT\t{SAMPLE}\n")
    rng = np.random.default_rng(7)
    lines = {"vcf": vcf_lines, "gvcf": gvcf_lines}[kind]
    with path.open("wb") as raw, subprocess.Popen(["bgzip", "-c"], stdin=subprocess.PIPE, stdout=raw) as bgzip:
        bgzip.stdin.write("\n".join(head).encode())
        for number, bases in enumerate(sequences, 1):
            made = lines(f"chr{number}", bases.tobytes().decode(), records // CONTIGS, rng)
            bgzip.stdin.write("".join(made).encode())
        bgzip.stdin.close()
        bgzip.wait()
    pysam.tabix_index(str(path), preset="vcf", force=True)


def vcf_lines(contig: str, text: str, each: int, rng: np.random.Generator) -> Iterator[str]:
    """Records as GATK's genotypes look: nine changes of ten of one base, one an insertion or a deletion."""
    starts = np.arange(each) * BASES_PER_RECORD + rng.integers(1, BASES_PER_RECORD - 3, each)
    depths, kinds, odds = rng.integers(12, 60, each), rng.integers(0, 20, each), rng.integers(0, 900, (3, each))
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
        columns = (contig, at + 1, ".", ref, alt, quality, status, info, "GT:AD:DP:GQ:PL", call)
        yield "\t".join(map(str, columns)) + "\n"


def gvcf_lines(contig: str, text: str, each: int, rng: np.random.Generator) -> Iterator[str]:
    """Records without a gap, as HaplotypeCaller's: nine reference blocks, then a change of one base."""
    sizes = rng.integers(1, 2 * BASES_PER_RECORD - 1, each)
    sizes[9::10] = 1
    starts, depths, odds = np.cumsum(sizes) - sizes, rng.integers(12, 60, each), rng.integers(0, 900, (2, each))
    rows = zip(starts.tolist(), sizes.tolist(), depths.tolist(), *odds.tolist(), strict=True)
    for number, (at, size, depth, first, last) in enumerate(rows):
        ref, low = text[at], first % 100
        if number % 10 < 9:
            call = f"GT:DP:GQ:MIN_DP:PL\t0/0:{depth}:{low}:{depth - first % 10}:0,{low},{last}"
            yield f"{contig}\t{at + 1}\t.\t{ref}\t<NON_REF>\t.\t.\tEND={at + size}\t{call}\n"
            continue
        alt, half = "ACGT"[("ACGT".index(ref) + 1 + depth % 3) % 4], depth // 2
        call = f"0/1:{depth - half},{half},0:{depth}:99:{first},0,{last},{first + 9},{last + 9},{first + last}:3,4,5,6"
        columns = (contig, at + 1, ".", ref, f"{alt},<NON_REF>", f"{first}.{low:02d}", ".", f"DP={depth}")
        yield "\t".join(map(str, columns)) + f"\tGT:AD:DP:GQ:PL:SB\t{call}\n"


def bcftools(path: Path) -> tuple[float, float]:
    """(CPU, wall) seconds of the field's fastest reader on a file."""
    before, start = os.times(), time.perf_counter()
    with open(os.devnull, "wb") as nowhere:
        subprocess.run(["bcftools", "view", "-O", "u", str(path)], stdout=nowhere, check=True)
    wall, after = time.perf_counter() - start, os.times()
    return after.children_user + after.children_system - before.children_user - before.children_system, wall


def judging(place: Path, records: int, runs: int = 3) -> Iterator[str]:
    """CPU, wall and memory on a fifth of the records and on all, by one thread and by two, every rule on."""
    rows, failed = [], []
    peaks: dict[tuple[str, int], list[float]] = {}
    for count in (records // 5, records):
        folder = place / f"records{count}"
        folder.mkdir()
        fasta, overlay, sequences = write_reference(folder, count)
        paths = {kind: folder / f"{SAMPLE}.{ending}" for kind, ending in (("vcf", "vcf.gz"), ("gvcf", "g.vcf.gz"))}
        for kind, path in paths.items():
            write_file(path, kind, count, overlay, sequences)
        del sequences
        for kind, path in paths.items():
            base = min(bcftools(path)[0] for _ in range(runs))
            ask = {
                "target": str(path), "kind": kind, "overlay": str(overlay), "reference": str(fasta), "sample": SAMPLE,
                "sex": "female",
            }  # fmt: skip
            # In turn, so that what else the machine does falls on both alike.
            answers = [[support.judged(ask | {"threads": threads}) for threads in THREADS] for _ in range(runs)]
            alone = min(answer["wall"] for answer, _ in answers)
            for at, threads in enumerate(THREADS):
                of_these = [answer[at] for answer in answers]
                cpu, wall = (min(answer[what] for answer in of_these) for what in ("cpu", "wall"))
                rss, found = max(answer["rss"] for answer in of_these), of_these[0]["findings"]
                peaks.setdefault((kind, threads), []).append(rss)
                rows.append(
                    [
                        f"{kind}, {count:,}", f"{path.stat().st_size / 1e6:.0f}", f"{base:.1f}", threads, f"{cpu:.1f}",
                        f"{cpu / base:.2f}", f"{wall:.1f}", f"{wall / alone:.2f}", f"{rss:.0f}", len(found),
                    ]
                )  # fmt: skip
                name = f"{kind}, {count} records, {threads} threads"
                if found:
                    failed.append(f"{name}: good records gave {found[:3]}")
                if rss > MEMORY:
                    failed.append(f"{name} took {rss:.0f} MB")
                if count == records and cpu / base > GOAL:
                    failed.append(f"{name}: {cpu / base:.2f} times the CPU of bcftools, the goal is {GOAL}")
                if count == records and threads > 1 and wall > SHARED * alone:
                    failed.append(f"{name}: {wall / alone:.2f} of the wall time of one, the goal is {SHARED}")
    for (kind, threads), (few, many) in peaks.items():
        if many > 1.25 * few:
            failed.append(f"{kind}, {threads} threads: memory grows with the records, {few:.0f} to {many:.0f} MB")
    yield (
        "Generated files with every rule on, REF against the FASTA included, start of Python and both digests too;"
        f" `bcftools view -O u` on the same files. Best of {runs} runs, by one thread and by two in turn.\n"
    )
    columns = "records,MB,bcftools CPU s,threads,CPU s,of bcftools,wall s,of one thread,peak MB,findings"
    yield m.table(columns.split(","), rows)
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
    """(size, bytes read) of the VCF that `judging` made in a folder."""
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
    twice = (".cram", ".crai", ".tbi")
    more = {name for name, count in counts.items() if count > (2 if name.endswith(twice) else 1)}
    yield from support.failed(
        ([f"{each:.3f} bytes were read for each"] if each > 1.05 else [])
        + [f"{name} was opened {counts[name]} times" for name in sorted(more)]
    )


def run(place: Path, records: int = 5_000_000) -> Iterator[str]:
    """CPU and memory, then bytes read."""
    yield "## Speed\n"
    yield from judging(place, records)
    yield from once(place, records)
