#!/usr/bin/env python3
"""Make the demo: a small genome, people with known variants, their reads, and the tables that run them.

    make_demo.py --out demo [--seed 1] [--tiny] [--trio | --sv]

The genome and the variants are drawn by genome.py; `bcftools consensus` writes each haplotype from the truth VCF, and
ART (Huang et al. 2012, Bioinformatics 28:593) sequences it with its own HiSeq X error profile. This script only names
the fragments, deals them to lanes and copies some as duplicates. The same seed gives the same bytes. With the same
parameters a second call does nothing; nothing appears under its final name before all is made.

The demo has a woman and a man, a tumour with its normal and a tumour without (tumour.py; truth/SAMPLE.somatic.vcf.gz,
.copies.tsv and .structural.tsv).

Needs samtools, bcftools, bgzip, bwa and art_illumina. `--tiny` makes one male, two units and 60 kb for tests of faults.
`--trio` makes a boy and his parents on 230 kb (with `--tiny` 60 kb, and the tiny male as another case beside them): de
novo variants and what looks like them (truth/planted.tsv), and a mitochondrion of many molecules with heteroplasmies
(truth/heteroplasmy.tsv).
`--sv` makes such a family on 1.6 Mb (with `--tiny` 190 kb) with structural variants instead (structural.py,
truth/structural.tsv).
"""

from __future__ import annotations

import argparse
import filecmp
import gzip
import hashlib
import itertools
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import yaml

sys.path.insert(0, str(Path(__file__).resolve().parent))
import genome as g
import structural
import tumour
from genome import Genome, Interval, Plan, Segment, Site

STAMP = "demo.json"
SCRATCH = ".making"
REPOSITORY = Path(__file__).resolve().parents[2]
MAKE_OVERLAY = REPOSITORY / "scripts" / "make_overlay.py"
PROFILE = REPOSITORY / "config" / "profile" / "ngc-provisional.yaml"
READ_LENGTH = 150
FRAGMENT_MEAN, FRAGMENT_SD = 400, 80  # bp
DEPTH = 37  # of two copies, duplicates not counted: more than 32 stays where the sex chromosomes thin the mean
DEPTH_M = 120
PRIVATE = 50  # of so many sites one is not in the germline resource, as with a person's own rare variants
DUPLICATES = 0.10  # share of the fragments of a lane marked for it that are copied
OPTICAL = 0.4  # share of those copies that lie beside their original
OPTICAL_PIXELS = 900  # well inside the 2500 of patterned flowcells
FLOWCELL = "HDEMODSX7"


@dataclass(frozen=True)
class Unit:
    """One FASTQ pair. `share` of the person's fragments; `index` as in the read name; `duplicates`: carries copies."""

    library: str
    lane: str
    share: float
    index: str
    kit: str
    pcr_free: str
    duplicates: bool = False


@dataclass(frozen=True)
class Person:
    sample: str
    case: str
    sex: str
    units: tuple[Unit, ...]
    relation: str = "index"
    sample_type: str = "germline"
    purity: float = 0
    """Share of the cells that are the tumour's."""
    depth: float = DEPTH


@dataclass(frozen=True)
class Layer:
    """A share of a person's cells (or of the molecules of M) with what they carry beyond the rest.

    holes: where these cells give no reads. exchanges: ends of chromosomes that changed places, by haplotype (1 or 2).
    changes: stretches with other copies.
    """

    share: float
    extra: tuple[g.Record, ...] = ()
    holes: tuple[Interval, ...] = ()
    exchanges: tuple[tuple[int, structural.Event], ...] = ()
    changes: tuple[tumour.Change, ...] = ()


FREE, NANO = "Illumina DNA PCR-Free", "TruSeq Nano DNA"
FEMALE = Person(
    "K7QXW2MZP4TB",
    "C8RTVX3LQKJD",
    "female",
    (
        Unit("LIB1", "1", 0.55, "ACTAAGAT+CCGCGGTT", FREE, "yes"),
        Unit("LIB1", "2", 0.45, "ACTAAGAT+CCGCGGTT", FREE, "yes", duplicates=True),
    ),
)
MALE = Person(
    "R9DVH3NJX6LC",
    "W5GZNPF2YMHB",
    "male",
    (
        Unit("LIB2", "3", 0.45, "GTCGGAGC+TTATAACC", FREE, "yes"),
        Unit("LIB2", "4", 0.25, "GTCGGAGC+TTATAACC", FREE, "yes"),
        Unit("LIB3", "4", 0.30, "CTTGGTAT+GGACTTGG", NANO, "no", duplicates=True),
    ),
)
TINY_MALE = Person(MALE.sample, MALE.case, "male", (MALE.units[0], MALE.units[2]))

TRIO_CASE = "T4DZKQ8RWMXN"
TRIO = [
    Person("B6HNPT2WXKQD", TRIO_CASE, "male", (Unit("LIB4", "1", 1, "ACTAAGAT+CCGCGGTT", FREE, "yes"),)),
    Person("D3JRVX7ZMLGC", TRIO_CASE, "female", (Unit("LIB5", "2", 1, "GTCGGAGC+TTATAACC", FREE, "yes"),), "mother"),
    Person("F9KTWY4BNPHS", TRIO_CASE, "male", (Unit("LIB6", "3", 1, "CTTGGTAT+GGACTTGG", FREE, "yes"),), "father"),
]
TUMOUR_CASE, ALONE_CASE = "H3VXRT6MPWLZ", "N8QKDJ4GYZBX"
TUMOURS = [
    Person("M2LWGZ9CTRKV", TUMOUR_CASE, "female", (Unit("LIB7", "1", 1, "ACTAAGAT+CCGCGGTT", FREE, "yes"),)),
    Person(
        "P7CBKX4HQNDF", TUMOUR_CASE, "female", (Unit("LIB8", "2", 1, "GTCGGAGC+TTATAACC", FREE, "yes"),),
        sample_type="tumour", purity=0.7, depth=3 * DEPTH,
    ),
    Person(
        "X5TJMH8RVYGW", ALONE_CASE, "male", (Unit("LIB9", "3", 1, "CTTGGTAT+GGACTTGG", FREE, "yes"),),
        sample_type="tumour", purity=0.7, depth=3 * DEPTH,
    ),
]  # fmt: skip
MINOR_CELLS = 0.16  # of a mosaic parent, or of a library with an error that all share: 8 % of the reads
THIN = 0.1  # of the father's reads where the low-coverage trap is
DEPTH_M_CHILD = 1_500

CASE = {  # what is the same for all cases
    "submission_type": "test",
    "supersedes": "",
    "legal_basis": "treatment",
    "analysis_date": "2026-06-01",
    "consent": "not_required",
    "requester_sor": "999999999999999",
}
CASES = {
    FEMALE.case: {
        "patient_group": "rare-disease-adult",
        "requisition_id": "NGCWGS000101",
        "study_type": "single",
        "site": "wgs_west_test",
        "region": "1082",
        "phenotypes": "HP:0001250;HP:0001263",
        "diagnosis": "",
    },
    MALE.case: {
        "patient_group": "hereditary-heart-disease",
        "requisition_id": "NGCWGS000102",
        "study_type": "single",
        "site": "wgs_east_test",
        "region": "1084",
        "phenotypes": "HP:0001638",
        "diagnosis": "",
    },
    TRIO_CASE: {
        "patient_group": "rare-disease-paediatric",
        "requisition_id": "NGCWGS000103",
        "site": "wgs_west_test",
        "region": "1082",
        "phenotypes": "HP:0001263",
        "diagnosis": "",
        "study_type": "trio",
    },
    TUMOUR_CASE: {
        "patient_group": "haematological-cancer",
        "requisition_id": "NGCWGS000104",
        "site": "wgs_west_test",
        "region": "1082",
        "phenotypes": "",
        "diagnosis": "DC920",
        "study_type": "tumour-normal",
    },
    ALONE_CASE: {
        "patient_group": "incurable-cancer",
        "requisition_id": "NGCWGS000105",
        "site": "wgs_east_test",
        "region": "1084",
        "phenotypes": "",
        "diagnosis": "DC189",
        "study_type": "tumour-only",
    },
}
SAMPLE = {
    "sample_type": "germline",
    "material": "blood",
    "conservation": "edta",
}
CASE_COLUMNS = [
    "case",
    "submission_type",
    "supersedes",
    "legal_basis",
    "analysis_date",
    "consent",
    "patient_group",
    "requisition_id",
    "site",
    "region",
    "requester_sor",
    "study_type",
    "phenotypes",
    "diagnosis",
]
SAMPLE_COLUMNS = ["sample", "case", "relation", "sample_type", "sex", "affected", "material", "conservation"]
UNIT_COLUMNS = ["sample", "library", "flowcell", "lane", "fq1", "fq2", "platform", "model", "library_kit", "pcr_free"]


def run(*command: str | Path, stdin: str | None = None, cwd: Path | None = None) -> str:
    """Standard output of a tool; a RuntimeError with its messages where it fails."""
    words = [str(word) for word in command]
    done = subprocess.run(words, input=stdin, capture_output=True, text=True, cwd=cwd, check=False)
    if done.returncode:
        raise RuntimeError(f"{' '.join(words)} ended with {done.returncode}:\n{done.stderr.strip()}")
    return done.stdout


# --- reference and truth ----------------------------------------------------------------------------------------------


def write_reference(genome: Genome, folder: Path) -> Path:
    """genome.fa with .fai, .dict and the bwa index."""
    folder.mkdir(parents=True)
    fasta = folder / "genome.fa"
    with fasta.open("w") as out:
        for name, sequence in genome.sequences.items():
            text = sequence.tobytes().decode()
            out.write(f">{name}\n")
            out.writelines(text[i : i + 60] + "\n" for i in range(0, len(text), 60))
    run("samtools", "faidx", fasta)
    lines = run("samtools", "dict", fasta).splitlines()
    fields = ("\t".join(f for f in line.split("\t") if not f.startswith("UR:")) for line in lines)  # UR: this machine
    (folder / "genome.dict").write_text("".join(line + "\n" for line in fields))
    run("bwa", "index", fasta)
    return fasta


def write_truth(
    person: Person, genome: Genome, records: Iterable[g.Record], fasta: Path, folder: Path, somatic: bool = False
) -> Path:
    """<SAMPLE>.vcf.gz and index: all that the person carries, phased, ALTs split, left-aligned, with true ploidy.

    somatic: <SAMPLE>.somatic.vcf.gz, genotypes followed by the expected fraction of reads, as 0/1:0.25.
    """
    folder.mkdir(parents=True, exist_ok=True)
    head = ["##fileformat=VCFv4.2", '##FILTER=<ID=PASS,Description="All filters passed">']
    head += [f"##contig=<ID={name},length={len(sequence)}>" for name, sequence in genome.sequences.items()]
    head += ['##FORMAT=<ID=GT,Number=1,Type=String,Description="Genotype">']
    keys, name = ("GT:AF", f"{person.sample}.somatic") if somatic else ("GT", person.sample)
    if somatic:
        head += ['##FORMAT=<ID=AF,Number=A,Type=Float,Description="Expected fraction of the reads">']
    head += ["\t".join(["#CHROM", "POS", "ID", "REF", "ALT", "QUAL", "FILTER", "INFO", "FORMAT", person.sample])]
    body = [f"{contig}\t{pos}\t.\t{ref}\t{alt}\t.\tPASS\t.\t{keys}\t{gt}" for contig, pos, ref, alt, gt in records]
    path = folder / f"{name}.vcf.gz"
    text = "\n".join(head + body) + "\n"
    text = run("bcftools", "norm", "--no-version", "--check-ref", "e", "-f", fasta, "-", stdin=text)
    # norm re-sorts only within a window; the file is small, so it is sorted outright.
    plain = folder / f"{name}.vcf"
    plain.write_text(text)
    sorted_text = run("bcftools", "sort", "-T", folder / "sort", plain)
    plain.write_text("".join(line + "\n" for line in sorted_text.splitlines() if not line.startswith("##bcftools_")))
    run("bgzip", "-f", plain)
    run("bcftools", "index", "-t", path)
    return path


def write_population(genome: Genome, sites: list[Site], folder: Path) -> None:
    """population.vcf.gz: every SNV of the population that reads can be placed at, with its frequency; germline.vcf.gz:
    every variant but PRIVATE of them, each with index.

    Everybody's variants are among them, and those that nobody here carries.
    """
    folder.mkdir()
    hard = {(i.contig, pos) for i in genome.hard for pos in range(i.start, i.end)}
    head = ["##fileformat=VCFv4.2"]
    head += [f"##contig=<ID={name},length={len(sequence)}>" for name, sequence in genome.sequences.items()]
    head += ['##INFO=<ID=AF,Number=A,Type=Float,Description="Allele frequency">']
    head += ["\t".join(["#CHROM", "POS", "ID", "REF", "ALT", "QUAL", "FILTER", "INFO"])]

    def write(name: str, chosen: Iterable[Site]) -> None:
        body = sorted(
            (list(genome.sequences).index(site.segment.contig), pos + 1, ref, alt, site.frequency / len(site.alleles))
            for site in chosen
            for pos, ref, alt in site.alleles
        )
        plain = folder / f"{name}.vcf"
        rows = (
            f"{list(genome.sequences)[contig]}\t{pos}\t.\t{ref}\t{alt}\t.\tPASS\tAF={frequency:.4f}"
            for contig, pos, ref, alt, frequency in body
        )
        plain.write_text("\n".join([*head, *rows]) + "\n")
        run("bgzip", "-f", plain)
        run("bcftools", "index", "-t", folder / f"{name}.vcf.gz")

    def easy(site: Site) -> bool:
        ((pos, ref, alt),) = site.alleles if len(site.alleles) == 1 else ((-1, "", ""),)
        return len(ref) == len(alt) == 1 and (site.segment.contig, pos) not in hard

    write("population", filter(easy, sites))
    write("germline", (site for number, site in enumerate(sites) if number % PRIVATE))


def write_bed(intervals: Iterable[Interval], path: Path) -> None:
    path.write_text("".join(f"{i.contig}\t{i.start}\t{i.end}\n" for i in intervals))


# --- haplotypes and reads ---------------------------------------------------------------------------------------------


def haplotype_pieces(cut: list[Segment], fasta: Path, truth: Path, haplotype: int) -> dict[Segment, str]:
    """Sequence of each segment on haplotype 1 or 2, as `bcftools consensus` makes it from the truth."""
    regions = [f"{s.contig}:{s.start + 1}-{s.end}" for s in cut]
    pieces = run("samtools", "faidx", fasta, *regions)
    called = run("bcftools", "consensus", "-H", str(haplotype), truth, stdin=pieces)
    sequences = ["".join(record.split("\n")[1:]) for record in called.split(">")[1:]]
    return dict(zip(cut, sequences, strict=True))


Copy = tuple[str, int]  # contig and haplotype


def join_touching(
    copies: dict[Copy, list[tuple[int, int, str]]], exchanges: Iterable[tuple[int, structural.Event]] = ()
) -> list[str]:
    """Sequences of (start, end, sequence) joined where one ends as the next begins, or as the exchanges have it."""
    onward: dict[tuple[Copy, int], tuple[Copy, int]] = {}
    for haplotype, event in exchanges:
        one = (event.contig, haplotype), event.start
        other = (event.mate.contig, haplotype), event.mate.start
        onward |= {one: other, other: one}
    pieces = {
        (copy, start): (end, sequence) for copy in sorted(copies) for start, end, sequence in sorted(copies[copy])
    }
    following = {at: onward.get((at[0], end), (at[0], end)) for at, (end, _) in pieces.items()}
    joined = []
    for at in pieces.keys() - set(following.values()):
        first, sequences = at, []
        while at in pieces:
            sequences.append(pieces[at][1])
            at = following[at]
        joined.append((first, "".join(sequences)))
    return [sequence for _, sequence in sorted(joined)]


def molecules(person: Person, genome: Genome, fasta: Path, truth: Path, layer: Layer) -> tuple[list[str], str]:
    """The nuclear molecules of a person, one per copy and stretch without N or hole, and the mitochondrial circle.

    A male's second pseudoautosomal haplotype is part of his Y, though the reference masks it there.
    Where it joins Y's own sequence reads are clipped at the border of the PAR on X, and a caller may see an insertion.
    """
    cut = [
        g.Segment(left.contig, left.start, left.end, segment.kind)
        for segment in g.segments(genome)
        for left in g.subtract([segment], list(layer.holes))
    ]
    cut = structural.cut_at(cut, [event for _, event in layer.exchanges], layer.changes)
    first = haplotype_pieces(cut, fasta, truth, 1)
    diploid = [s for s in cut if s.kind in ("A", "P") or (s.kind == "X" and person.sex == "female")]
    second = haplotype_pieces(diploid, fasta, truth, 2)
    copies: dict[Copy, list[tuple[int, int, str]]] = {}
    for segment in cut:
        if segment.kind == "M" or (segment.kind == "Y" and person.sex == "female"):
            continue
        ones, twos = tumour.copies_at(layer.changes, segment.contig, segment.start, segment.end)
        for number in range(ones):  # more copies are molecules of their own: 3, 5 beside 1, and 4, 6 beside 2
            piece = segment.start, segment.end, first[segment]
            copies.setdefault((segment.contig, 1 + 2 * number), []).append(piece)
        if segment not in second:
            continue
        contig, start, end, number = segment.contig, segment.start, segment.end, 2
        if segment.kind == "P" and person.sex == "male":
            on_x, on_y = next(p for p in genome.par if p[0].start <= start < p[0].end)
            contig, start, end, number = "chrY", start - on_x.start + on_y.start, end - on_x.start + on_y.start, 1
        for more in range(twos):
            copies.setdefault((contig, number + 2 * more), []).append((start, end, second[segment]))
    return join_touching(copies, layer.exchanges), next(first[s] for s in cut if s.kind == "M")


Fragment = tuple[str, str, str, str]  # read 1 bases, read 1 qualities, read 2 bases, read 2 qualities


def sequence_molecules(sequences: list[str], depth: float, seed: int, scratch: Path) -> list[Fragment]:
    """Read pairs that ART draws from `sequences` at `depth`."""
    scratch.mkdir(parents=True)
    (scratch / "in.fa").write_text("".join(f">{i}\n{sequence}\n" for i, sequence in enumerate(sequences)))
    options = f"-q -na -p -ss HSXt -l {READ_LENGTH} -m {FRAGMENT_MEAN} -s {FRAGMENT_SD} -f {depth} -rs {seed}"
    run("art_illumina", *options.split(), "-i", "in.fa", "-o", "out", cwd=scratch)
    ends = [(scratch / f"out{read}.fq").read_text().split("\n") for read in (1, 2)]
    shutil.rmtree(scratch)
    return list(zip(ends[0][1::4], ends[0][3::4], ends[1][1::4], ends[1][3::4], strict=True))


def tile_places(rng: np.random.Generator, count: int) -> list[tuple[int, int, int]]:
    """`count` different places (tile, x, y) on a NovaSeq S4 lane: two surfaces, four swaths, 78 tiles each."""
    places: dict[tuple[int, int, int], None] = {}
    while len(places) < count:
        size = count - len(places)
        tile = 1000 * rng.integers(1, 3, size) + 100 * rng.integers(1, 5, size) + rng.integers(1, 79, size)
        x, y = rng.integers(1_000, 31_000, size), rng.integers(1_000, 36_000, size)
        places.update(dict.fromkeys(zip(tile.tolist(), x.tolist(), y.tolist(), strict=True)))
    return list(places)


def beside(rng: np.random.Generator, place: tuple[int, int, int]) -> tuple[int, int, int]:
    """A place on the same tile so near that a copy there is optical, not from PCR."""
    dx, dy = rng.integers(1, OPTICAL_PIXELS, 2).tolist()
    return place[0], place[1] + dx, place[2] + dy


Read = tuple[tuple[int, int, int], Fragment]


def deal_to_units(person: Person, fragments: list[Fragment], rng: np.random.Generator) -> list[list[Read]]:
    """The reads of each unit in the order of the flowcell: every fragment in one unit, and the duplicates' copies."""
    order = rng.permutation(len(fragments)).tolist()
    shares = np.array([unit.share for unit in person.units])
    cuts = [0, *np.rint(np.cumsum(shares / shares.sum()) * len(order)).astype(int).tolist()]
    spare = int(DUPLICATES * len(order)) + 1
    places = tile_places(rng, len(order) + spare)
    taken = set(places)
    dealt = []
    for unit, start, end in zip(person.units, cuts, cuts[1:], strict=False):
        reads = [(places[i], fragments[order[i]]) for i in range(start, end)]
        copied = rng.choice(len(reads), size=int(DUPLICATES * len(reads)), replace=False) if unit.duplicates else []
        for i in copied:
            place, fragment = reads[i]
            near = beside(rng, place) if rng.random() < OPTICAL else None
            if near is None or near in taken:
                near = places.pop()
            taken.add(near)
            reads.append((near, fragment))
        dealt.append(sorted(reads, key=lambda read: (read[0][0], read[0][2], read[0][1])))
    return dealt


def fastq_names(person: Person, unit: Unit) -> tuple[str, str]:
    """Paths of R1 and R2, relative to the demo folder."""
    stem = f"reads/{person.sample}_{unit.library}_{FLOWCELL}_L{unit.lane}"
    return f"{stem}_R1.fastq.gz", f"{stem}_R2.fastq.gz"


def write_fastq(path: Path, unit: Unit, read: int, reads: list[Read]) -> None:
    """One FASTQ, gzipped without name or time so that the bytes depend on the reads alone."""
    run_lane, comment = f"A00001:1:{FLOWCELL}:{unit.lane}", f"{read}:N:0:{unit.index}"
    bases, quality = 2 * read - 2, 2 * read - 1
    lines = (
        f"@{run_lane}:{tile}:{x}:{y} {comment}\n{fragment[bases]}\n+\n{fragment[quality]}\n"
        for (tile, x, y), fragment in reads
    )
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(gzip.compress("".join(lines).encode("ascii"), compresslevel=4, mtime=0))


# --- tables and configuration -----------------------------------------------------------------------------------------


def write_table(path: Path, columns: list[str], rows: Iterable[dict[str, str]]) -> None:
    lines = ["\t".join(columns), *("\t".join(row[column] for column in columns) for row in rows)]
    path.write_text("".join(line + "\n" for line in lines))


def write_clearance(folder: Path, sample: str, sex: str, fastq: Iterable[str]) -> None:
    """Say that a sample whose alignment was laid by hand passed its gate. fastq: paths relative to `folder`."""
    from ngc_wgs import clearance  # the demo itself is made without the package

    status = {name: (folder / name).stat() for name in fastq}
    reads = {name: [found.st_size, found.st_mtime_ns] for name, found in status.items()}
    (folder / "results" / "gate" / f"{sample}.cleared").write_text(clearance.text(reads, f"{sex} germline"))


def write_tables(people: list[Person], folder: Path) -> None:
    """cases.tsv, samples.tsv, units.tsv with paths relative to `folder`."""
    cases = dict.fromkeys(p.case for p in people)
    write_table(folder / "cases.tsv", CASE_COLUMNS, ({"case": case, **CASE, **CASES[case]} for case in cases))
    samples = (
        {
            **SAMPLE,
            "sample": p.sample,
            "case": p.case,
            "relation": p.relation,
            "sample_type": p.sample_type,
            "sex": p.sex,
            "affected": "yes" if p.relation == "index" else "no",
        }
        for p in people
    )
    write_table(folder / "samples.tsv", SAMPLE_COLUMNS, samples)
    units = (
        {
            "sample": person.sample,
            "library": unit.library,
            "flowcell": FLOWCELL,
            "lane": unit.lane,
            "fq1": fastq_names(person, unit)[0],
            "fq2": fastq_names(person, unit)[1],
            "platform": "ILLUMINA",
            "model": "NovaSeq 6000",
            "library_kit": unit.kit,
            "pcr_free": unit.pcr_free,
        }
        for person in people
        for unit in person.units
    )
    write_table(folder / "units.tsv", UNIT_COLUMNS, units)


def config() -> dict:
    """What differs from the repository's own config.yaml; Snakemake merges the two."""
    return {
        "cases": "cases.tsv",
        "samples": "samples.tsv",
        "units": "units.tsv",
        "overlay": "overlay.yaml",
        "reference": {"fasta": "reference/genome.fa"},
        "population": {
            "vcf": "population/population.vcf.gz",
            "name": "simulated population",
            "version": "1",
            "spacing": 100,  # every site: here they are inherited each by itself
        },
        "calling": {"scatter": 2},
        "copy_number": {"bin": 500},
        "java_options": "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC",  # JVM start-up dominates on a genome this small
    }


def write_overlay(genome: Genome, name: str, fasta: Path, path: Path) -> None:
    """The profile's overlay that accepts the demo's reference, made as a user would make one."""
    regions = sorted((i.contig, i.start + 1, i.end) for pair in genome.par for i in pair)
    par = [word for contig, first, last in regions for word in ("--par", f"{contig}:{first}-{last}")]
    names = ["--id", name, "--assembly", name, "--accession", "none"]
    path.write_text(run(sys.executable, MAKE_OVERLAY, fasta, *names, *par))


# --- the whole --------------------------------------------------------------------------------------------------------


def person_reads(
    person: Person, genome: Genome, fasta: Path, truth: Path, seed: int, folder: Path,
    layers: Iterable[Layer] = (Layer(1),), circles: Iterable[Layer] = (Layer(1),), depth_m: float = DEPTH_M,
) -> None:  # fmt: skip
    """Sequence one person and write the FASTQ of each unit; layers: of the cells, circles: of the molecules of M."""
    rng = np.random.default_rng([seed, 3, *person.sample.encode()])
    scratch = folder / f"{person.sample}.art"

    def carried(layer: Layer) -> tuple[list[str], str]:
        if not layer.extra:
            return molecules(person, genome, fasta, truth, layer)
        scratch.mkdir()
        own = write_truth(person, genome, [*read_records(truth), *layer.extra], fasta, scratch)
        made = molecules(person, genome, fasta, own, layer)
        shutil.rmtree(scratch)
        return made

    fragments: list[Fragment] = []
    for layer in layers:
        nuclear, _ = carried(layer)
        fragments += sequence_molecules(nuclear, layer.share * person.depth / 2, int(rng.integers(1, 2**31)), scratch)
    for layer in circles:
        _, mitochondrion = carried(layer)
        circle = mitochondrion + mitochondrion[: FRAGMENT_MEAN - 1]  # so that reads cross the origin
        fragments += sequence_molecules([circle], layer.share * depth_m, int(rng.integers(1, 2**31)), scratch)
    for unit, reads in zip(person.units, deal_to_units(person, fragments, rng), strict=True):
        for read, name in enumerate(fastq_names(person, unit), start=1):
            write_fastq(folder / name, unit, read, reads)


def read_records(truth: Path) -> list[g.Record]:
    """Records of a truth VCF."""
    lines = run("bcftools", "query", "-f", "%CHROM\\t%POS\\t%REF\\t%ALT[\\t%GT]\\n", truth).splitlines()
    return [(c, int(pos), ref, alt, gt) for c, pos, ref, alt, gt in (line.split("\t") for line in lines)]


def family(genome: Genome, sites: list[Site], rng: np.random.Generator, truth: Path) -> list[tuple[list, dict]]:
    """Per member of TRIO its records and the arguments of `person_reads`; what was planted is written to `truth`."""
    mother, father = g.draw_genotypes(sites, "female", rng), g.draw_genotypes(sites, "male", rng)
    child = g.inherit(sites, mother, father, rng)
    planted = g.plant(genome, sites, rng)
    shared = tuple(p.record("1|0") for p in planted if p.what == "shared_error")
    mosaics = [p for p in planted if p.what == "mosaic"]
    low = [p for p in planted if p.what == "low_parent"]
    # The mother gives the child's first haplotype, the father the second; a son's X is his mother's.
    new = {p: "1" if p.kind == "X" else str(rng.choice(["1|0", "0|1"])) for p in planted if p.what == "denovo"}
    new |= {p: "1|0" if at % 2 else "0|1" for at, p in enumerate(mosaics)} | dict.fromkeys(low, "0|1")
    holes = tuple(Interval(p.contig, p.pos - g.HOLE, p.pos + g.HOLE) for p in low)
    circle = g.plant_mitochondrion(genome, rng)
    lines = ["contig\tpos\tref\talt\twhat", *(f"{p.contig}\t{p.pos + 1}\t{p.ref}\t{p.alt}\t{p.what}" for p in planted)]
    (truth / "planted.tsv").write_text("".join(f"{line}\n" for line in lines))
    lines = [f"{c}\t{pos}\t{ref}\t{alt}\t{share}" for share in circle for c, pos, ref, alt, _ in circle[share]]
    (truth / "heteroplasmy.tsv").write_text("contig\tpos\tref\talt\tfraction\n" + "".join(f"{x}\n" for x in lines))

    def records(genotypes: list[g.Genotype], of_m: list[g.Record], more: Iterable[g.Record] = ()) -> list[g.Record]:
        return [r for r in g.genotype_records(sites, genotypes) if r[0] != "chrM"] + [*of_m, *more]

    def cells(*mosaic: g.Planted) -> list[Layer]:
        minor = (*shared, *(p.record("1|0") for p in mosaic))
        return [Layer(1 - MINOR_CELLS), Layer(MINOR_CELLS, minor)]

    hers, his = cells(*mosaics[1::2]), cells(*mosaics[0::2])
    thinned = [Layer(layer.share * (1 - THIN), layer.extra, holes) for layer in his]
    his = [*thinned, *(Layer(layer.share * THIN, layer.extra) for layer in his)]
    shares = [Layer(share, tuple(circle[share])) for share in g.HETEROPLASMIES]
    shares.append(Layer(1 - sum(g.HETEROPLASMIES)))
    return [
        (
            records(child, circle[1.0], [p.record(gt) for p, gt in new.items()]),
            {"layers": cells(), "circles": shares, "depth_m": DEPTH_M_CHILD},
        ),
        (records(mother, circle[1.0]), {"layers": hers}),
        (records(father, [], [p.record("1|0") for p in low]), {"layers": his}),
    ]


def rearranged(genome: Genome, sites: list[Site], rng: np.random.Generator, truth: Path) -> list[tuple[list, dict]]:
    """As `family`, of people with structural variants; these are written to `truth`."""
    events = structural.plant(genome, rng, structural.of_trio(genome))
    (truth / "structural.tsv").write_text("".join(f"{line}\n" for line in structural.rows(events)))
    sites = structural.without_small(sites, events)
    mother, father = g.draw_genotypes(sites, "female", rng), g.draw_genotypes(sites, "male", rng)
    texts = {name: sequence.tobytes().decode() for name, sequence in genome.sequences.items()}
    drawn = []
    for who, genotypes in enumerate((g.inherit(sites, mother, father, rng), mother, father)):
        own = [(event, event.carriers[who]) for event in events if any(event.carriers[who])]
        extra = tuple(event.record(texts[event.contig], carried) for event, carried in own if not event.mate)
        exchanges = tuple(
            (haplotype, event) for event, carried in own if event.mate for haplotype in (1, 2) if carried[haplotype - 1]
        )
        drawn.append((g.genotype_records(sites, genotypes), {"layers": [Layer(1, extra, exchanges=exchanges)]}))
    return drawn


def patient(
    genome: Genome, sites: list[Site], people: list[Person], rng: np.random.Generator, fasta: Path, truth: Path
) -> list[tuple[list, dict]]:
    """As `family`, of the samples of one person with a tumour; the tumours' own variants are written to `truth`."""
    grown = tumour.plant(genome, sites, people[0].sex, rng)
    sites = structural.without_small(sites, list(grown.events))
    records = g.genotype_records(sites, g.draw_genotypes(sites, people[0].sex, rng))
    texts = {name: sequence.tobytes().decode() for name, sequence in genome.sequences.items()}
    whole = tuple(event.record(texts[event.contig], event.carriers[0]) for event in grown.events if not event.mate)
    exchanges = tuple((event.carriers[0].index(1) + 1, event) for event in grown.events if event.mate)
    drawn = []
    for person in people:
        layers = []
        for share, clones in tumour.layers(person.purity):
            if not share:
                continue
            own = tuple(v.record(v.contig in grown.haploid) for v in grown.small if v.clone < clones)
            changes = tuple(change for change in grown.changes if change.clone < clones)
            rest = (whole, exchanges) if clones else ((), ())
            layers.append(Layer(share, (*own, *rest[0]), exchanges=rest[1], changes=changes))
        drawn.append((records, {"layers": layers}))
        if person.sample_type == "tumour":
            planted = [
                (v.contig, v.pos + 1, v.ref, v.alt, f"0/1:{tumour.fraction(grown, v, person.purity):.4f}")
                for v in grown.small
            ]
            write_truth(person, genome, planted, fasta, truth, somatic=True)
            for name, lines in (
                ("copies", tumour.rows(grown, person.purity)),
                ("structural", structural.rows(grown.events, ["tumour"])),
            ):
                (truth / f"{person.sample}.{name}.tsv").write_text("".join(f"{line}\n" for line in lines))
    return drawn


def make(folder: Path, plan: Plan, people: list[Person], seed: int, name: str) -> None:
    """Make the whole demo in the empty `folder`."""
    genome = g.make_genome(plan, np.random.default_rng([seed, 1]))
    fasta = write_reference(genome, folder / "reference")
    rng = np.random.default_rng([seed, 2])
    sites = g.make_sites(genome, rng)
    write_population(genome, sites, folder / "population")
    whole = [Interval(s.contig, s.start, s.end) for s in g.segments(genome)]
    (folder / "truth").mkdir()
    write_bed(whole, folder / "truth" / "genome.bed")
    write_bed(g.subtract(whole, genome.hard), folder / "truth" / "unique.bed")
    if plan in (structural.PLAN, structural.TINY):
        drawn = rearranged(genome, sites, rng, folder / "truth")
    else:
        drawn = family(genome, sites, rng, folder / "truth") if people[:3] == TRIO else []
    others = people[len(drawn) :]
    sick = {person.case for person in others if person.sample_type == "tumour"}
    drawn += [
        (g.genotype_records(sites, g.draw_genotypes(sites, p.sex, rng)), {}) for p in others if p.case not in sick
    ]
    for case, group in itertools.groupby((p for p in others if p.case in sick), lambda person: person.case):
        of_case = np.random.default_rng([seed, 4, *case.encode()])
        drawn += patient(genome, sites, list(group), of_case, fasta, folder / "truth")
    with ThreadPoolExecutor(2) as pool:
        jobs = []
        for person, (records, how) in zip(people, drawn, strict=True):
            truth = write_truth(person, genome, records, fasta, folder / "truth")
            jobs.append(pool.submit(person_reads, person, genome, fasta, truth, seed, folder, **how))
    for job in jobs:
        job.result()
    write_tables(people, folder)
    write_overlay(genome, name, fasta, folder / "overlay.yaml")
    somatic = {"panel_of_normals": None, "germline_resource": "population/germline.vcf.gz"}
    (folder / "config.yaml").write_text(yaml.safe_dump(config() | {"somatic": somatic}, sort_keys=False))


def parameters(seed: int, size: str) -> dict:
    """What the outcome depends on, apart from the tools' versions."""
    sources = [Path(__file__), *(Path(module.__file__) for module in (g, structural, tumour)), MAKE_OVERLAY, PROFILE]
    digest = hashlib.sha256(b"".join(path.read_bytes() for path in sources)).hexdigest()
    return {"seed": seed, "size": size, "sources_sha256": digest}


def files_below(path: Path) -> list[str]:
    """Each file at or below `path`, relative to the folder that holds `path`."""
    return [p.relative_to(path.parent).as_posix() for p in sorted([path, *path.rglob("*")]) if p.is_file()]


def is_made(out: Path, wanted: dict) -> bool:
    """Whether `out` holds a complete demo of these parameters; files edited since are left to whoever edited them."""
    try:
        stamp = json.loads((out / STAMP).read_text())
    except (OSError, ValueError):
        return False
    return stamp["parameters"] == wanted and all((out / name).is_file() for name in stamp["files"])


def same_bytes(one: Path, other: Path) -> bool:
    names = files_below(one)
    if names != files_below(other):
        return False
    return all(filecmp.cmp(one.parent / name, other.parent / name, shallow=False) for name in names)


def move_into_place(made: Path, out: Path, wanted: dict) -> None:
    """Rename what was made into `out`. What is there with the same bytes stays, so that a workflow sees nothing new."""
    (out / STAMP).unlink(missing_ok=True)
    files: list[str] = []
    for entry in sorted(made.iterdir()):
        target = out / entry.name
        files += files_below(entry)
        if target.exists() and same_bytes(entry, target):
            continue
        if target.is_dir():
            shutil.rmtree(target)
        os.replace(entry, target)
    stamp = made / STAMP
    stamp.write_text(json.dumps({"parameters": wanted, "files": files}, indent=1) + "\n")
    os.replace(stamp, out / STAMP)


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--out", type=Path, required=True, help="folder of the demo and working directory of its run")
    parser.add_argument("--seed", type=int, default=1, help="another seed gives another genome (default 1)")
    parser.add_argument("--tiny", action="store_true", help="60 kb, one male, two units: for tests")
    parser.add_argument("--trio", action="store_true", help="a boy and his parents, 230 kb")
    parser.add_argument("--sv", action="store_true", help="a boy and his parents with structural variants, 1.6 Mb")
    args = parser.parse_args(arguments)
    if args.sv and args.trio:
        parser.error("--sv is a trio already")
    size = "-".join(["tiny"] * args.tiny + ["trio"] * args.trio + ["sv"] * args.sv) or "demo"
    wanted = parameters(args.seed, size)
    if is_made(args.out, wanted):
        print(f"{args.out}: already made")
        return 0
    made = args.out / SCRATCH
    shutil.rmtree(made, ignore_errors=True)
    made.mkdir(parents=True)
    try:
        plans = {
            "demo": (g.FULL, [FEMALE, MALE, *TUMOURS]),
            "tiny": (g.TINY, [TINY_MALE]),
            "trio": (g.TRIO, TRIO),
            "tiny-trio": (g.TINY_TRIO, [*TRIO, TINY_MALE]),
            "sv": (structural.PLAN, TRIO),
            "tiny-sv": (structural.TINY, TRIO),
        }
        make(made, *plans[size], args.seed, f"{size}-seed{args.seed}")
        move_into_place(made, args.out, wanted)
    except (RuntimeError, OSError, ValueError) as error:
        print(f"make_demo: {error}", file=sys.stderr)
        return 1
    finally:
        shutil.rmtree(made, ignore_errors=True)
    print(f"{args.out}: made")
    return 0


if __name__ == "__main__":
    sys.exit(main())
