"""People whose depth varies: deletions, duplications and aneuploidies on a small genome, as CRAMs.

`lay` writes the reference, the tables, the configuration and a CRAM per person, aligned by bwa or, where that is not
what is tested, laid where the fragments came from; `score` holds calls against what was planted.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

import genome as g
import make_demo
import numpy as np
import pysam
import reads
import yaml

AUTOSOMES = {"chr1": 500_000, "chr2": 400_000, "chr3": 300_000, "chr4": 300_000}
PLAN = g.Plan(
    {**AUTOSOMES, "chrX": 250_000, "chrY": 120_000, "chrM": 3_000},
    par1=20_000, par2=6_000, telomere=1_000, gap=3_000, duplication=6_000,
)  # fmt: skip
RULES = (
    "tool_version reference_identity preflight copy_number_bins mosdepth_bins copy_number_counts gatk_copy_segments "
    "copy_number"
).split()
Change = tuple[str, int, int, int]
"""Contig, start, end, copies; 0-based half-open."""


@dataclass(frozen=True)
class Person:
    """A sample of the tables. changes: planted; whole: names of the aneuploidies that must be told."""

    sample: str
    sex: str
    changes: tuple[Change, ...] = ()
    x: int = 2
    y: int = 0
    depth: float = 30
    whole: tuple[str, ...] = ()
    contigs: tuple[str, ...] = field(default=())
    """Of the aneuploidies: calls on them are theirs."""


def _placed(
    genome: g.Genome, library: reads.Library, rng: np.random.Generator, sample: str, path: Path, fasta: Path
) -> None:
    """A CRAM of pairs where their fragments lie, every place taken for certain."""
    names = list(genome.sequences)
    texts = {name: sequence.tobytes().decode() for name, sequence in genome.sequences.items()}
    header = {
        "HD": {"VN": "1.6", "SO": "coordinate"},
        "SQ": [{"SN": name, "LN": len(texts[name])} for name in names],
        "RG": [{"ID": sample, "SM": sample, "PL": "ILLUMINA"}],
    }
    length, found = library.read_length, []
    for number, (contig, start, end) in enumerate(reads.fragments(genome, library, rng)):
        tid, last = names.index(contig), end - length
        found += [(tid, start, number, 0x63, last), (tid, last, number, 0x93, start)]
    with pysam.AlignmentFile(str(path), "wc", header=header, reference_filename=str(fasta)) as out:
        for tid, position, number, flag, mate in sorted(found):
            read = pysam.AlignedSegment(out.header)
            read.query_name, read.flag, read.mapping_quality = str(number), flag, 60
            read.reference_id = read.next_reference_id = tid
            read.reference_start, read.next_reference_start = position, mate
            read.query_sequence = texts[names[tid]][position : position + length]
            read.cigartuples = [(0, length)]
            read.set_tag("RG", sample)
            out.write(read)


def _aligned(
    genome: g.Genome, library: reads.Library, rng: np.random.Generator, sample: str, path: Path, fasta: Path
) -> None:
    """A CRAM of the same pairs as bwa places them."""
    fastq = path.with_suffix(".fq")
    with fastq.open("w") as out:
        for number, (first, q1, second, q2) in enumerate(reads.pairs(genome, library, rng)):
            out.write(f"@{number}\n{first}\n+\n{q1}\n@{number}\n{second}\n+\n{q2}\n")
    group = f"@RG\\tID:{sample}\\tSM:{sample}\\tPL:ILLUMINA"
    bwa = subprocess.Popen(["bwa", "mem", "-v", "1", "-p", "-R", group, fasta, fastq], stdout=subprocess.PIPE)
    sort = ["samtools", "sort", "-O", "cram", "--reference", fasta, "-o", path, "-"]
    subprocess.run(sort, stdin=bwa.stdout, check=True, capture_output=True)
    if bwa.wait():
        raise RuntimeError("bwa mem failed")
    fastq.unlink()


def lay(
    folder: Path, people: Iterable[Person], seed: int, plan: g.Plan = PLAN, align: bool = False, bin_length: int = 1000
) -> None:
    """A working directory whose alignments are there."""
    genome = g.make_genome(plan, np.random.default_rng([seed, 1]))
    fasta = make_demo.write_reference(genome, folder / "reference")
    make_demo.write_overlay(genome, "copies", fasta, folder / "overlay.yaml")
    people, results = list(people), folder / "results"
    for name in ("alignment", "gate"):
        (results / name).mkdir(parents=True)
    units = []
    for number, person in enumerate(people):
        cram = results / "alignment" / f"{person.sample}.cram"
        library = reads.Library(depth=person.depth, x=person.x, y=person.y, changes=person.changes, duplicates=0)
        (_aligned if align else _placed)(
            genome, library, np.random.default_rng([seed, 2, number]), person.sample, cram, fasta
        )
        pysam.index(str(cram))
        fastq = [f"{person.sample}.R{read}.fastq.gz" for read in (1, 2)]
        for name in fastq:
            (folder / name).write_text(name)
        make_demo.write_clearance(folder, person.sample, person.sex, fastq)
        units.append(
            {
                "sample": person.sample,
                "library": "LIB",
                "flowcell": f"F{number}",
                "lane": "1",
                "fq1": fastq[0],
                "fq2": fastq[1],
                "platform": "ILLUMINA",
                "model": "NovaSeq 6000",
                "library_kit": make_demo.FREE,
                "pcr_free": "yes",
            }  # fmt: skip
        )
    case = {**make_demo.CASE, **next(iter(make_demo.CASES.values())), "study_type": "single"}
    make_demo.write_table(
        folder / "cases.tsv", make_demo.CASE_COLUMNS, ({**case, "case": f"CASE{p.sample}"} for p in people)
    )
    rows = (
        {
            **make_demo.SAMPLE,
            "sample": p.sample,
            "case": f"CASE{p.sample}",
            "relation": "index",
            "sex": p.sex,
            "affected": "yes",
        }
        for p in people
    )
    make_demo.write_table(folder / "samples.tsv", make_demo.SAMPLE_COLUMNS, rows)
    make_demo.write_table(folder / "units.tsv", make_demo.UNIT_COLUMNS, units)
    population = {"vcf": None, "name": None, "version": None, "spacing": 250000}
    config = make_demo.config() | {"population": population, "copy_number": {"bin": bin_length}}
    (folder / "config.yaml").write_text(yaml.safe_dump(config))


def targets(people: Iterable[Person]) -> list[str]:
    return [f"results/copy_number/{person.sample}.cnv.vcf.gz" for person in people]


def calls(path: Path) -> list[tuple[str, int, int, int, str]]:
    """Contig, start, end, copies and filter of each record."""
    with pysam.VariantFile(str(path)) as records:
        return [(r.chrom, r.pos, r.stop, r.samples[0]["CN"], ";".join(r.filter.keys())) for r in records]


def score(person: Person, found: list[tuple[str, int, int, int, str]]) -> tuple[list[Change], list[tuple]]:
    """Planted changes without a PASS call of their copies and half of either length, and PASS calls of nothing."""
    passed = [call for call in found if call[4] == "PASS"]

    def common(call: tuple, change: Change) -> int:
        return min(call[2], change[2]) - max(call[1], change[1]) if call[0] == change[0] else 0

    missed = [
        change
        for change in person.changes
        if change[0] not in person.contigs
        and not any(
            call[3] == change[3] and 2 * common(call, change) >= max(call[2] - call[1], change[2] - change[1])
            for call in passed
        )
    ]
    false = [
        call
        for call in passed
        if call[0] not in person.contigs and not any(common(call, change) > 0 for change in person.changes)
    ]
    return missed, false


if __name__ == "__main__":
    sys.exit("used by tests/proof/depths.py and tests/integration/test_cnv.py")
