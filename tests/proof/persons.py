"""Swaps, relatives and contamination, on simulated reads and on real ones, through the workflow's own rules.

Reads are laid as alignments, so that nothing is aligned here: `Lab` writes tables and CRAMs and asks the workflow for
its identity reports. Whose lane is whose is only a label to CrosscheckFingerprints, so many layouts of swaps are judged
from the LODs of one run.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Generator, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import combinations
from pathlib import Path

import make_demo
import measure as m
import numpy as np
import support
import yaml

from ngc_wgs import identity

SEED = 20261122
READ = 100  # bp
ERROR = 0.003  # of a base
STEP = 1_000  # bp from one pair of sites to the next
UNRELATED = m.DATA / "unrelated"
SLICE = m.DATA / "ref" / "GRCh38_chr21_chr22_16570000_16610000.fa"
TUMOUR = m.DATA / "tn_hcc1954_sv"
TRIO = m.DATA / "trio_ceu_10kb"
TRIO_SLICE = m.DATA / "ref" / "hg19_chr20_9995001_11095000.fa"
RULES = (
    "population_header bcftools_population_sites identity_sites samtools_slice bcftools_fingerprint "
    "gatk_get_pileup_summaries gatk_calculate_contamination contamination identity_peers "
    "picard_crosscheck_fingerprints plink2_king identity"
).split()
CALLING = (
    "tool_version reference_identity preflight vcf_header gatk_haplotypecaller bcftools_variant_records "
    "gatk_genotypegvcfs bcftools_conform_vcf bcftools_conform_gvcf "
    "bcftools_trio picard_find_mendelian_violations mendel"
).split()
"""Of trios, for Mendel's laws."""


def parameters(metric: str) -> dict:
    """Limits of a metric in the shipped profile."""
    profile = yaml.safe_load((support.REPOSITORY / "config/profile/ngc-provisional.yaml").read_text())
    return profile["metrics"][metric]["parameters"]


def tool(*command: str | os.PathLike, stdin: str | None = None) -> str:
    """Standard output of a tool; NotProven where it fails."""
    words = [str(word) for word in command]
    done = subprocess.run(words, input=stdin, capture_output=True, text=True, check=False)
    if done.returncode:
        raise support.NotProven(f"{' '.join(words)}: {done.stderr[-2000:]}")
    return done.stdout


# ---- a run of the identity rules on reads that are aligned already ----------------------------


@dataclass
class Sample:
    """A sample of the tables. lanes: name of the lane -> SAM lines without RG."""

    name: str
    case: str
    lanes: Mapping[str, Sequence[str]]
    relation: str = "index"
    sex: str = "unknown"


@dataclass
class Lab:
    """A working directory whose CRAMs are there and whose identity is asked for."""

    folder: Path
    fasta: Path
    population: Path | None
    spacing: int
    config: dict = field(default_factory=dict)

    def unit(self, sample: str, lane: str) -> str:
        return f"{sample}.LIB.{lane}.L1"

    def lay(self, samples: Iterable[Sample]) -> None:
        """Reference, tables, dummy FASTQ and CRAMs."""
        samples = list(samples)
        results = self.folder / "results" / "alignment"
        results.mkdir(parents=True)
        (self.folder / "results" / "gate").mkdir()
        (self.folder / "reference").mkdir()
        fasta = Path(shutil.copyfile(self.fasta, self.folder / "reference" / "genome.fa"))
        tool("samtools", "faidx", fasta)
        tool("samtools", "dict", fasta, "-o", fasta.with_suffix(".dict"))
        tool("bwa", "index", fasta)
        overlay = tool(sys.executable, make_demo.MAKE_OVERLAY, fasta, "--id", "lab", "--accession", "none")
        (self.folder / "overlay.yaml").write_text(overlay)
        header = fasta.with_suffix(".dict").read_text().replace("SO:unsorted", "SO:coordinate")
        studies = {1: "single", 2: "duo", 3: "trio"}
        cases: dict[str, list[Sample]] = {}
        for sample in samples:
            cases.setdefault(sample.case, []).append(sample)
        rows = (
            {
                **make_demo.CASE,
                **next(iter(make_demo.CASES.values())),
                "case": case,
                "study_type": studies[len(members)],
            }
            for case, members in cases.items()
        )
        make_demo.write_table(self.folder / "cases.tsv", make_demo.CASE_COLUMNS, rows)
        rows = (
            {
                **make_demo.SAMPLE,
                "sample": s.name,
                "case": s.case,
                "relation": s.relation,
                "sex": s.sex,
                "affected": "unknown",
            }
            for s in samples
        )
        make_demo.write_table(self.folder / "samples.tsv", make_demo.SAMPLE_COLUMNS, rows)
        units = []
        for sample in samples:
            lines = [header.rstrip("\n")]
            lines += [
                f"@RG\tID:{self.unit(sample.name, lane)}\tSM:{sample.name}\tPL:ILLUMINA\tLB:LIB"
                for lane in sample.lanes
            ]
            for lane, reads in sample.lanes.items():
                mark = f"\tRG:Z:{self.unit(sample.name, lane)}"
                lines += [read + mark for read in reads]
                fastq = [self.folder / f"{sample.name}.{lane}.R{read}.fastq.gz" for read in (1, 2)]
                for path in fastq:
                    path.write_text(path.name)
                units.append(
                    {
                        "sample": sample.name,
                        "library": "LIB",
                        "flowcell": lane,
                        "lane": "1",
                        "fq1": fastq[0].name,
                        "fq2": fastq[1].name,
                        "platform": "ILLUMINA",
                        "model": "NovaSeq 6000",
                        "library_kit": make_demo.FREE,
                        "pcr_free": "yes",
                    }  # fmt: skip
                )
            cram = results / f"{sample.name}.cram"
            sort = ["samtools", "sort", "-O", "cram", "--reference", fasta, "-o", cram, "-"]
            tool(*sort, stdin="\n".join(lines) + "\n")
            tool("samtools", "index", cram)
            fastq = [unit[read] for unit in units if unit["sample"] == sample.name for read in ("fq1", "fq2")]
            make_demo.write_clearance(self.folder, sample.name, sample.sex, fastq)
        make_demo.write_table(self.folder / "units.tsv", make_demo.UNIT_COLUMNS, units)
        population = {"vcf": None, "name": None, "version": None, "spacing": self.spacing}
        if self.population:
            population |= {"vcf": str(self.population), "name": "panel", "version": "1"}
        config = make_demo.config() | {"population": population} | self.config
        (self.folder / "config.yaml").write_text(yaml.safe_dump(config))

    def run(self, *targets: str, cores: int = 2) -> subprocess.CompletedProcess:
        """The identity rules alone, up to the targets."""
        command = ["snakemake", "--profile", "profiles/default", "--configfile", f"{self.folder}/config.yaml"]
        command += ["--directory", str(self.folder), "--cores", str(cores)]
        command += ["--forcerun", "identity_peers"] if cores == 1 else []
        command += ["--allowed-rules", *RULES, *CALLING, "--", *targets]
        return subprocess.run(command, cwd=support.REPOSITORY, capture_output=True, text=True, check=False)

    def reports(self, samples: Iterable[Sample]) -> dict[str, dict]:
        """Identity by case; each sees all others, as the last case of a run does."""
        samples = list(samples)
        self.lay(samples)
        cases = list(dict.fromkeys(sample.case for sample in samples))
        self.made(*(f"results/identity/{case}.genotypes.json" for case in cases))
        # Again and one by one: all genotypes are there by now, and while a case makes its own, others do not see them.
        self.made(*(f"results/identity/{case}.json" for case in cases), cores=1)
        return {case: self.read(f"{case}.json") for case in cases}

    def contaminations(self, samples: Iterable[Sample]) -> dict[str, dict]:
        """Measured contamination by sample."""
        samples = list(samples)
        self.lay(samples)
        self.made(*(f"results/identity/{sample.name}.contamination.json" for sample in samples))
        return {s.name: self.read(f"{s.name}.contamination.json")["cross_contamination_rate"] for s in samples}

    def made(self, *targets: str, cores: int = 2) -> None:
        """Run; NotProven where it fails."""
        done = self.run(*targets, cores=cores)
        if done.returncode:
            raise support.NotProven(done.stdout[-3000:] + done.stderr[-3000:])

    def read(self, name: str) -> dict:
        return json.loads((self.folder / "results" / "identity" / name).read_text())


# ---- simulated people ------------------------------------------------------------------------

Site = tuple[str, int, str, str, float]
"""Contig, 1-based position, REF, ALT and the frequency of ALT."""


def population(stem: Path, lengths: Mapping[str, int], sites: Iterable[Site]) -> Path:
    """A population VCF with its index."""
    head = ["##fileformat=VCFv4.2", *(f"##contig=<ID={name},length={length}>" for name, length in lengths.items())]
    head.append('##INFO=<ID=AF,Number=A,Type=Float,Description="Allele frequency">')
    head.append("#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO")
    body = (f"{contig}\t{pos}\t.\t{ref}\t{alt}\t.\t.\tAF={frequency:.4f}" for contig, pos, ref, alt, frequency in sites)
    plain = stem.with_suffix(".vcf")
    plain.write_text("\n".join([*head, *body]) + "\n")
    tool("bgzip", "-f", plain)
    tool("bcftools", "index", "-f", "-t", f"{plain}.gz")
    return Path(f"{plain}.gz")


@dataclass
class World:
    """A random reference with two sites in every STEP bp: one of any frequency, one as contamination needs it."""

    folder: Path
    sites: int
    rng: np.random.Generator

    def __post_init__(self) -> None:
        self.sequence = np.frombuffer(b"ACGT", np.uint8)[self.rng.integers(4, size=self.sites * STEP)]
        starts = np.arange(self.sites) * STEP
        self.positions = np.sort(np.concatenate([starts + 300, starts + 700]))
        self.frequency = np.empty(2 * self.sites)
        self.frequency[::2] = self.rng.uniform(0.2, 0.8, self.sites)
        self.frequency[1::2] = self.rng.uniform(0.05, 0.2, self.sites)
        self.ref = self.sequence[self.positions]
        self.alt = np.frombuffer(b"GTAC", np.uint8)[np.searchsorted(np.frombuffer(b"ACGT", np.uint8), self.ref)]
        self.folder.mkdir(parents=True, exist_ok=True)
        self.fasta = self.folder / "world.fa"
        self.fasta.write_bytes(b">chr1\n" + self.sequence.tobytes() + b"\n")
        sites = (
            ("chr1", pos + 1, chr(ref), chr(alt), frequency)
            for pos, ref, alt, frequency in zip(self.positions, self.ref, self.alt, self.frequency, strict=True)
        )
        self.population = population(self.folder / "population", {"chr1": len(self.sequence)}, sites)

    def person(self) -> np.ndarray:
        """Two haplotypes of somebody unrelated to all: sites x 2, 1 for ALT."""
        return (self.rng.random((len(self.frequency), 2)) < self.frequency[:, None]).astype(np.uint8)

    def child(self, mother: np.ndarray, father: np.ndarray) -> np.ndarray:
        """One haplotype of each parent at every site by itself."""
        pick = self.rng.integers(2, size=(2, len(mother)))
        rows = np.arange(len(mother))
        return np.stack([mother[rows, pick[0]], father[rows, pick[1]]], axis=1)

    def lane(self, person: np.ndarray, depth: float, other: np.ndarray | None = None, share: float = 0.0) -> list[str]:
        """SAM lines of one lane at `depth`, a `share` of the reads from another person."""
        counts = self.rng.poisson(depth, len(self.positions))
        site = np.repeat(np.arange(len(self.positions)), counts)
        total = len(site)
        foreign = self.rng.random(total) < share
        haplotype = self.rng.integers(2, size=total)
        allele = person[site, haplotype]
        if other is not None:
            allele = np.where(foreign, other[site, haplotype], allele)
        start = self.positions[site] - self.rng.integers(10, READ - 10, total)
        bases = self.sequence[start[:, None] + np.arange(READ)]
        row, column = np.arange(total), self.positions[site] - start
        bases[row, column] = np.where(allele == 1, self.alt[site], self.ref[site])
        wrong = self.rng.random(bases.shape) < ERROR
        bases[wrong] = np.frombuffer(b"ACGT", np.uint8)[self.rng.integers(4, size=int(wrong.sum()))]
        quality, tag = "F" * READ, f"{self.rng.integers(1 << 40):x}"
        return [
            f"{tag}{number}\t0\tchr1\t{at + 1}\t60\t{READ}M\t*\t0\t0\t{bases[number].tobytes().decode()}\t{quality}"
            for number, at in enumerate(start.tolist())
        ]


def names(count: int, kind: str) -> list[str]:
    """Pseudonyms, or names of cases."""
    return [f"{kind}{number:02d}X7QZW" for number in range(count)]


# ---- layouts of swaps --------------------------------------------------------------------------


@dataclass
class Pool:
    """Lanes of several people and the LODs of all their pairs, measured once."""

    rows: dict[str, dict[str, str]]
    lanes: dict[str, str]
    lods: dict[tuple[str, str], tuple[float, float, float]]

    @property
    def people(self) -> list[str]:
        return list(self.rows)

    @classmethod
    def of(cls, lab: Lab, samples: Sequence[Sample]) -> Pool:
        """What `lab` measures of samples that are a case each."""
        lab.reports(samples)
        rows, lanes, lods = {}, {}, {}
        for sample in samples:
            rows[sample.name] = {
                "sample": sample.name,
                "case": f"C{sample.name}",
                "relation": "index",
                "sample_type": "germline",
            }
            own = [lab.unit(sample.name, lane) for lane in sample.lanes]
            lanes |= dict.fromkeys(own, sample.name)
            path = lab.folder / "results" / "identity" / f"{sample.case}.crosscheck.txt"
            lods |= identity.read_crosscheck(path.read_text(), str(path), own)
        return cls(rows, lanes, lods)

    @classmethod
    def measured(cls, place: Path, people: int, lanes: int, depth: float, sites: int) -> Pool:
        world = World(place, sites, np.random.default_rng(SEED))
        samples = [
            Sample(name, case, {f"F{lane}": world.lane(person, depth) for lane in range(lanes)})
            for name, case, person in zip(
                names(people, "S"), names(people, "C"), (world.person() for _ in range(people)), strict=True
            )
        ]
        return cls.of(Lab(place / "lab", world.fasta, world.population, STEP), samples)

    def judge(self, labels: Mapping[str, str]) -> dict[str, dict]:
        """Every sample judged when lane `a` is labelled as being lane `labels[a]`."""
        lods = {(labels[left], labels[right]): lod for (left, right), lod in self.lods.items()}
        limits = parameters("identity_concordance")
        judged: dict[str, dict] = {}
        for case in {row["case"] for row in self.rows.values()}:
            judged |= identity.judge_lanes(case, self.rows, self.lanes, lods, limits)
        return judged

    def swapped(self, rng: np.random.Generator, swaps: int) -> tuple[dict[str, str], set[str]]:
        """Labels after `swaps` lanes changed places, and what must be said of them; each person gives one at most."""
        labels = {lane: lane for lane in self.lanes}
        people = rng.permutation(self.people)[: 2 * swaps].tolist()
        said = set()
        for one, other in zip(people[::2], people[1::2], strict=True):
            first, second = (
                str(rng.choice([lane for lane in self.lanes if self.lanes[lane] == who])) for who in (one, other)
            )
            labels[first], labels[second] = second, first
            said |= {f"lane {first} of {one} is {other}", f"lane {second} of {other} is {one}"}
        return labels, said


def layouts(pool: Pool, count: int) -> tuple[list[str], int, int]:
    """(what went wrong, swaps named, lanes) of `count` layouts with one to three swaps and as many without."""
    rng = np.random.default_rng(SEED)
    wrong, named = [], 0
    for number in range(count):
        labels, said = pool.swapped(rng, int(rng.integers(1, min(3, len(pool.people) // 2) + 1)))
        judged = pool.judge(labels)
        found = {part for value in judged.values() if value["value"] == 0 for part in value["reason"].split("; ")}
        named += len(said & found)
        wrong += [f"layout {number}: {text}" for text in said ^ found]
        # The same people with their lanes in another order: nothing is wrong with that.
        clean = {lane: lane for lane in pool.lanes}
        for who in pool.people:
            own = [lane for lane in pool.lanes if pool.lanes[lane] == who]
            clean |= dict(zip(own, rng.permutation(own).tolist(), strict=True))
        wrong += [
            f"clean layout {number}: {value['reason']}" for value in pool.judge(clean).values() if value["value"] != 1
        ]
    return wrong, named, len(pool.lanes)


# ---- families ----------------------------------------------------------------------------------


def families(place: Path, sites: int = 1_500, depth: float = 15) -> Iterator[tuple[str, str, dict]]:
    """(what was laid, what must be said, report of the case) of trios: right, wrong father, swapped, and others."""
    world = World(place, sites, np.random.default_rng(SEED + 1))

    def case(name: str, **people: np.ndarray) -> list[Sample]:
        sexes = {"father": "male", "mother": "female", "index": "female", "sibling": "female"}
        return [
            Sample(
                f"{name}77{relation[0].upper()}",
                f"{name}7CASE",
                {"F1": world.lane(person, depth)},
                relation,
                sexes[relation],
            )
            for relation, person in people.items()
        ]

    def couple() -> tuple[np.ndarray, np.ndarray]:
        return world.person(), world.person()

    m1, f1 = couple()
    m2, f2 = couple()
    m3, f3 = couple()
    m4, f4 = couple()
    m5, f5 = couple()
    samples = [
        *case("RIGHT", index=world.child(m1, f1), mother=m1, father=f1),
        *case("WRONG", index=world.child(m2, f2), mother=m2, father=world.person()),
        *case("TURNED", index=f3, mother=m3, father=world.child(m3, f3)),
        *case("SIBLINGS", index=world.child(m4, f4), sibling=world.child(m4, f4)),
        *case("SISTER", index=world.child(m5, f5), mother=world.child(m5, f5)),
    ]
    reports = Lab(place / "lab", world.fasta, world.population, STEP).reports(samples)
    texts = {
        "RIGHT": ("right parents", "declared parent and child, observed parent and child"),
        "WRONG": ("another man as the father", "father WRONG77F: declared parent and child, observed unrelated"),
        "TURNED": ("child and father swapped", "the child is TURNED77F, declared father"),
        "SIBLINGS": ("siblings", "declared siblings, observed siblings"),
        "SISTER": ("a sister as the mother", "declared parent and child, observed siblings"),
    }
    for name, (what, said) in texts.items():
        yield what, said, reports[f"{name}7CASE"]


def mendelian(place: Path, sites: int = 400, depth: float = 25) -> Iterator[tuple[str, dict]]:
    """(what was laid, measured) of a trio with the right parents and of one with another man as the father, called."""
    world = World(place, sites, np.random.default_rng(SEED + 4))
    mother, father = world.person(), world.person()
    child = world.child(mother, father)
    lab = Lab(place / "lab", world.fasta, world.population, STEP)
    lab.config = {"calling": {"scatter": 1}}
    samples = []
    for name, man in (("RIGHT", father), ("WRONG", world.person())):
        for relation, sex, person in (
            ("index", "female", child),
            ("mother", "female", mother),
            ("father", "male", man),
        ):
            lanes = {"F1": world.lane(person, depth)}
            samples.append(Sample(f"{name}77{relation[0].upper()}", f"{name}7CASE", lanes, relation, sex))
    lab.lay(samples)
    lab.made(*(f"results/identity/{name}7CASE.mendel.json" for name in ("RIGHT", "WRONG")))
    yield "right parents", lab.read("RIGHT7CASE.mendel.json")["mendelian_error_rate"]
    yield "another man as the father", lab.read("WRONG7CASE.mendel.json")["mendelian_error_rate"]


# ---- contamination -----------------------------------------------------------------------------


def mixtures(
    place: Path, shares: Sequence[float], sites: int = 4_000, depth: float = 30
) -> Iterator[tuple[float, dict]]:
    """(share, measured) of simulated people, each with reads of another."""
    world = World(place, sites, np.random.default_rng(SEED + 2))
    samples = [
        Sample(name, case, {"F1": world.lane(world.person(), depth, world.person(), share)})
        for name, case, share in zip(names(len(shares), "S"), names(len(shares), "C"), shares, strict=True)
    ]
    lab = Lab(place / "lab", world.fasta, world.population, STEP)
    found = lab.contaminations(samples)
    for sample, share in zip(samples, shares, strict=True):
        yield share, found[sample.name]


def contamination_faults(share: float, value: dict) -> list[str]:
    """What is wrong with an estimate: further off than a point and its error, or a gate decided wrong outside it.

    Above a tenth only the gate is asked: GATK takes sites with a fifth of foreign reads for heterozygous ones.
    """
    if value["value"] is None:
        return [] if value["reason"] else ["no reason"]
    gate, off = parameters("cross_contamination_rate")["error_at"], abs(value["value"] - share)
    faults = []
    if share <= 0.1 and off > max(0.01, value["error"]):
        faults.append(f"{share}: estimated {value['value']} with error {value['error']}")
    if abs(share - gate) > value["error"] and (value["value"] > gate) != (share > gate):
        faults.append(f"{share}: on the wrong side of {gate}: {value['value']}")
    return faults


# ---- real reads --------------------------------------------------------------------------------


def aligned(fq1: Path, fq2: Path, fasta: Path) -> list[str]:
    """SAM lines without RG of a FASTQ pair."""
    done = tool("bwa", "mem", "-v", "1", "-t", "2", "-K", "100000000", "-Y", fasta, fq1, fq2)
    return [line for line in done.splitlines() if not line.startswith("@")]


def by_lane(lines: Iterable[str]) -> dict[str, list[str]]:
    """SAM lines by flowcell and lane of the read name."""
    found: dict[str, list[str]] = {}
    for line in lines:
        _, _, flowcell, lane = line.split("\t", 1)[0].split(":")[:4]
        found.setdefault(f"{flowcell}{lane}", []).append(line)
    return dict(sorted(found.items()))


@dataclass
class Real:
    """The two unrelated people of the test data, lane by lane, and the population's sites."""

    place: Path

    def __post_init__(self) -> None:
        self.place.mkdir(parents=True, exist_ok=True)
        self.fasta = Path(shutil.copyfile(SLICE, self.place / "slice.fa"))
        tool("bwa", "index", self.fasta)
        self.people = {
            name: by_lane(aligned(*(UNRELATED / f"{name}_R{read}.fastq.gz" for read in (1, 2)), self.fasta))
            for name in ("NA12878", "NA19401")
        }
        self.panel = UNRELATED / "panel3202.vcf.gz"

    def samples(self, **lanes: Mapping[str, Sequence[str]]) -> list[Sample]:
        return [Sample(name, f"CASE{name}", own) for name, own in lanes.items()]

    def known(self) -> Path:
        """Genotypes of both people by the panel, under their pseudonyms."""
        path = self.place / "known.vcf.gz"
        names = self.place / "names.txt"
        names.write_text("NA12878 PERSON7A\nNA19401 PERSON7B\n")
        tool(
            "bcftools",
            "view",
            "-s",
            "NA12878,NA19401",
            "-v",
            "snps",
            "-Oz",
            "-o",
            self.place / "two.vcf.gz",
            self.panel,
        )
        tool("bcftools", "reheader", "-s", names, "-o", path, self.place / "two.vcf.gz")
        tool("bcftools", "index", "-f", "-t", path)
        return path

    def layout(self, what: str) -> tuple[list[Sample], dict, dict[str, str]]:
        """(samples, configuration, what must be said by sample or None) of a mishap."""
        a, b = dict(self.people["NA12878"]), dict(self.people["NA19401"])
        own_a, own_b = next(iter(a)), next(iter(b))
        if what == "none":
            return self.samples(PERSON7A=a, PERSON7B=b), {}, {}
        if what == "a lane swapped":
            a[own_a], b[own_b] = b[own_b], a[own_a]
            said = {
                "PERSON7A": f"lane PERSON7A.LIB.{own_a}.L1 of PERSON7A is PERSON7B",
                "PERSON7B": f"lane PERSON7B.LIB.{own_b}.L1 of PERSON7B is PERSON7A",
            }
            return self.samples(PERSON7A=a, PERSON7B=b), {}, said
        if what == "the samples swapped":
            said = {"PERSON7A": "sample PERSON7A is PERSON7B", "PERSON7B": "sample PERSON7B is PERSON7A"}
            return self.samples(PERSON7A=b, PERSON7B=a), {"known_genotypes": str(self.known())}, said
        half = len(a) // 2
        one, other = (dict(list(a.items())[part]) for part in (slice(half), slice(half, None)))
        text = "samples {} and {} are one person"
        said = {"PERSON7A": text.format("PERSON7A", "PERSON7B"), "PERSON7B": text.format("PERSON7B", "PERSON7A")}
        return self.samples(PERSON7A=one, PERSON7B=other), {}, said

    def mishap(self, what: str, spacing: int = 2_000) -> list[str]:
        """What was not said of a mishap, or said without cause."""
        samples, config, said = self.layout(what)
        lab = Lab(self.place / what.replace(" ", "_"), self.fasta, self.panel, spacing, config)
        reports = lab.reports(samples)
        wrong = []
        for sample in samples:
            value = reports[sample.case]["samples"][sample.name]["identity_concordance"]
            wanted = said.get(sample.name)
            if (value["value"], value["reason"]) != (0.0, wanted) if wanted else value["value"] != 1:
                wrong.append(f"{what}: {sample.name}: {value['value']}: {value['reason']}")
        return wrong

    def contaminations(self, spacing: int, seeds: int) -> Iterator[tuple[str, float, dict]]:
        """(what, share, measured) of the contamination sets and of mixtures of both people, thinned by read name."""
        rng = np.random.default_rng(SEED + 3)
        whole = {name: [line for lane in lanes.values() for line in lane] for name, lanes in self.people.items()}
        sets = {}
        for share in (0.0, 0.05):
            reads = (m.DATA / "contamination" / f"contam_{share:g}_R{read}.fastq.gz" for read in (1, 2))
            sets["set", share] = {"F1": aligned(*reads, self.fasta)}
        for share in (0.0, 0.01, 0.02, 0.03, 0.10):
            for number in range(seeds):
                for first, second in (("NA12878", "NA19401"), ("NA19401", "NA12878")):
                    mixed = []
                    for who, part in ((first, 1 - share), (second, share)):
                        read_names = sorted({line.split("\t", 1)[0] for line in whole[who]})
                        kept = set(np.array(read_names)[rng.random(len(read_names)) < part].tolist())
                        mixed += [line for line in whole[who] if line.split("\t", 1)[0] in kept]
                    sets[f"{second} in {first}, {number}", share] = {"F1": mixed}
        samples = [
            Sample(f"S{number:03d}7QZW", f"C{number:03d}7QZW", lanes) for number, lanes in enumerate(sets.values())
        ]
        lab = Lab(self.place / f"mixed{spacing}", self.fasta, self.panel, spacing)
        found = lab.contaminations(samples)
        for (what, share), sample in zip(sets, samples, strict=True):
            path = lab.folder / "results" / "identity" / f"{sample.name}.gatk.contamination"
            yield (
                what,
                share,
                {**found[sample.name], "estimate": float(path.read_text().splitlines()[1].split("\t")[1])},
            )


def with_index(source: Path, folder: Path) -> Path:
    """A copy of a FASTA that bwa and samtools can use."""
    folder.mkdir(parents=True, exist_ok=True)
    fasta = Path(shutil.copyfile(source, folder / "slice.fa"))
    tool("bwa", "index", fasta)
    tool("samtools", "faidx", fasta)
    return fasta


def together(fasta: Path, lines: Iterable[str]) -> Path:
    """A sorted BAM of SAM lines."""
    bam = fasta.with_name("together.bam")
    header = "".join(f"@SQ\tSN:{name}\tLN:{n}\n" for name, n in identity.read_fai(f"{fasta}.fai").items())
    tool("samtools", "sort", "-o", bam, "-", stdin=header + "\n".join(lines) + "\n")
    return bam


def called(fasta: Path, lines: Iterable[str]) -> list[tuple[str, int, str, str]]:
    """SNVs (contig, 1-based position, REF, ALT) that bcftools finds in reads taken together."""
    bam = together(fasta, lines)
    raw = tool("bcftools", "mpileup", "-q", "20", "-Q", "20", "-d", "8000", "-f", fasta, bam)
    found = tool("bcftools", "call", "-m", "-v", "-V", "indels", stdin=raw)
    rows = (line.split("\t") for line in found.splitlines() if not line.startswith("#"))
    return [(row[0], int(row[1]), row[3], row[4]) for row in rows if len(row[4]) == 1 and float(row[5]) >= 50]


def planted(lines: Iterable[str], share: Mapping[tuple[str, int], tuple[str, float]], rng) -> list[str]:
    """The same reads as another person's. share: contig, 1-based position -> ALT and the part of reads that have it."""
    done = []
    for line in lines:
        fields = line.split("\t")
        at, base, bases = int(fields[3]), 0, list(fields[9])
        for length, kind in re.findall(r"(\d+)([MIDNSHP=X])", fields[5]):
            if kind in "M=X":
                for offset in range(int(length)):
                    alt, part = share.get((fields[2], at + offset), ("", 0.0))
                    if rng.random() < part:
                        bases[base + offset] = alt
            at += int(length) if kind in "MDN=X" else 0
            base += int(length) if kind in "MIS=X" else 0
        done.append("\t".join([*fields[:9], "".join(bases), *fields[10:]]))
    return done


@dataclass
class Tumour:
    """A tumour and its normal over eleven lanes, 3 kb of each. Not one SNV lies there, so the sites are made up: what
    is shown is how lanes of a tumour are judged, and nothing of how sure that is.
    """

    place: Path

    def __post_init__(self) -> None:
        self.fasta = with_index(TUMOUR / "ref_b37_small.fa", self.place)
        self.rng = np.random.default_rng(SEED + 5)
        self.lanes: dict[str, dict[str, list[str]]] = {"N": {}, "T": {}}
        for path in sorted(TUMOUR.glob("*_R1_xxx.fastq.gz")):
            flowcell, kind, *_ = path.name.split("_")
            lane = path.name.split(".")[1]
            own = aligned(path, path.with_name(path.name.replace("_R1_", "_R2_")), self.fasta)
            self.lanes[kind][f"{flowcell}-{lane}"] = own

    def sites(self, step: int, frequency: float) -> list[Site]:
        """A site in each `step` bp where the normal has five reads; between two, one that contamination asks for."""
        bam = together(self.fasta, (line for lane in self.lanes["N"].values() for line in lane))
        covered = {
            (row[0], int(row[1]))
            for row in map(str.split, tool("samtools", "depth", bam).splitlines())
            if int(row[2]) >= 5
        }
        found = []
        for contig, sequence in fasta_text(self.fasta).items():
            for pos in range(step, len(sequence), step // 2):
                if (contig, pos) in covered:
                    ref = sequence[pos - 1]
                    found.append((contig, pos, ref, "GTAC"["ACGT".index(ref)], 0.1 if pos % step else frequency))
        return found

    def samples(self, sites: Sequence[Site]) -> list[Sample]:
        """The two as they are, another person made of the normal's reads, and a third whose tumour lost an allele
        wherever there were two."""
        other, third = self.rng.binomial(2, 0.5, (2, len(sites))) / 2
        lost = np.where(third == 0.5, self.rng.integers(2, size=len(sites)), third)
        shares = {"OTHER": ("N", other), "THIRDNORMAL": ("N", third), "LOSTTUMOUR": ("T", lost)}
        lanes = {"NORMAL": self.lanes["N"], "TUMOUR": self.lanes["T"]}
        for name, (kind, parts) in shares.items():
            share = {site[:2]: (site[3], float(part)) for site, part in zip(sites, parts, strict=True)}
            lanes[name] = {lane: planted(lines, share, self.rng) for lane, lines in self.lanes[kind].items()}
        return [Sample(f"{name}77QX", f"C{name}77QX", own) for name, own in lanes.items()]

    def pool(self, step: int = 100, frequency: float = 0.5) -> Pool:
        """LODs of all lanes; NORMAL and TUMOUR are declared one person, so are THIRDNORMAL and LOSTTUMOUR."""
        sites = self.sites(step, frequency)
        panel = population(self.place / f"made{step}", identity.read_fai(f"{self.fasta}.fai"), sites)
        pool = Pool.of(Lab(self.place / f"lab{step}", self.fasta, panel, step), self.samples(sites))
        for tumour, normal in PAIRS.items():
            pool.rows[tumour] |= {"case": pool.rows[normal]["case"], "sample_type": "tumour"}
        return pool


PAIRS = {"TUMOUR77QX": "NORMAL77QX", "LOSTTUMOUR77QX": "THIRDNORMAL77QX"}


def fasta_text(fasta: Path) -> dict[str, str]:
    """Sequences of a FASTA by name."""
    parts = (part.split("\n", 1) for part in fasta.read_text().split(">")[1:])
    return {head.split()[0]: text.replace("\n", "").upper() for head, text in parts}


def tumour_faults(pool: Pool) -> list[str]:
    """What was not said of a tumour and its normal: as they are, with another's normal, with another's lane."""
    same = {lane: lane for lane in pool.lanes}
    wrong = [f"{name}: {value['reason']}" for name, value in pool.judge(same).items() if value["value"] != 1]
    own = {name: [lane for lane in pool.lanes if pool.lanes[lane] == name] for name in pool.rows}

    def swapped(*pairs: tuple[str, str]) -> dict[str, dict]:
        return pool.judge(same | dict(pairs) | {other: one for one, other in pairs})

    def expect(judged: dict[str, dict], name: str, said: str) -> None:
        if judged[name]["value"] != 0 or said not in judged[name]["reason"].split("; "):
            wrong.append(f"{name}: not said: {said}; but {judged[name]['reason']}")

    judged = swapped(*zip(own["NORMAL77QX"], own["OTHER77QX"], strict=True))
    expect(judged, "NORMAL77QX", "samples NORMAL77QX and TUMOUR77QX are of two persons, the sheet says one")
    expect(judged, "TUMOUR77QX", "samples TUMOUR77QX and OTHER77QX are one person")
    # The deepest lane of the normal: another's lane of few reads cannot be told from the rest.
    for name, lane in (("NORMAL77QX", own["NORMAL77QX"][3]), ("TUMOUR77QX", own["TUMOUR77QX"][0])):
        expect(swapped((lane, own["OTHER77QX"][3])), name, f"lane {lane} of {name} is OTHER77QX")
    return wrong


def tumour_told(place: Path) -> Generator[str, None, list[str]]:
    """The tumour and its normal; returns what is wrong."""
    tumour = Tumour(place)
    lines = [line for lanes in tumour.lanes.values() for lane in lanes.values() for line in lane]
    snvs, pool = called(tumour.fasta, lines), tumour.pool()
    faults = tumour_faults(pool)
    of = {lane: name for lane, name in pool.lanes.items() if name in ("TUMOUR77QX", "NORMAL77QX")}
    pairs = [min(pool.lods[pair][0] for pair in (two, two[::-1])) for two in combinations(of, 2)]
    same = sum(lod >= parameters("identity_concordance")["same_from"] for lod in pairs)
    yield (
        f"* real tumour and its normal, {len(of)} lanes, {len(snvs)} SNVs in them, so at made-up sites: {same} of"
        f" {len(pairs)} pairs of lanes alone are told as one person, {sum(lod <= -3 for lod in pairs)} as two; as"
        " they are, with another's normal, with another's lane in either, with an allele lost:"
        f" {'; '.join(faults) or 'said exactly'}"
    )
    return faults


def trio_told(place: Path) -> Generator[str, None, list[str]]:
    """The real trio of 10 kb; returns what is wrong: anything said of its relations, or of persons being one."""
    report = trio(place)
    relations = [row["status"] for row in report["relations"]]
    faults = [] if relations == ["NOT_MEASURED"] * 3 else [f"trio: relations {relations}"]
    values = [value for sample in report["samples"].values() for value in sample.values()]
    faults += [f"trio: {value['reason']}" for value in values if value["value"] == 0]
    said = dict.fromkeys(value["reason"] for value in values if value["value"] is None)
    yield f"* real trio in 10 kb, {report['sites']} made-up sites: NOT_MEASURED: {'; '.join(said)}"
    return faults


def trio(place: Path) -> dict:
    """Identity report of a real trio in 10 kb, at what is called in the three with a made-up frequency."""
    fasta = with_index(TRIO_SLICE, place)
    people = {"index": "HG001", "father": "NA12891", "mother": "NA12892"}
    sexes = {"index": "female", "father": "male", "mother": "female"}
    lanes = {
        relation: aligned(*(TRIO / f"{name}_R{read}.fastq.gz" for read in (1, 2)), fasta)
        for relation, name in people.items()
    }
    snvs = called(fasta, (line for own in lanes.values() for line in own))
    panel = population(place / "made", identity.read_fai(f"{fasta}.fai"), [(*snv, 0.2) for snv in snvs])
    samples = [
        Sample(f"{relation.upper()}77QX", "TRIO7CASE", {"F1": own}, relation, sexes[relation])
        for relation, own in lanes.items()
    ]
    return Lab(place / "lab", fasta, panel, 100).reports(samples)["TRIO7CASE"]


# ---- the report --------------------------------------------------------------------------------


def run(place: Path) -> Iterator[str]:
    """All of it."""
    yield f"## Identity, kinship and contamination, seed {SEED}\n"
    wrong: list[str] = []
    pool = Pool.measured(place / "pool", people=8, lanes=4, depth=4, sites=1_000)
    faults, named, lanes = layouts(pool, 50)
    wrong += faults
    yield f"50 layouts with one to three swaps among {lanes} lanes of 8 people, and 50 without: {named} lanes named, "
    yield f"{len(faults)} missed or without cause.\n"

    rows = []
    for what, said, report in families(place / "families"):
        values = {name: sample["kinship_concordance"] for name, sample in report["samples"].items()}
        right = any(said in value["reason"] for value in values.values())
        index = next(name for name in values if name.endswith("I"))
        verdict = {1: "agrees", 0: "does not agree", None: "NOT_MEASURED"}[values[index]["value"]]
        rows.append([what, verdict, "yes" if right else "no"])
        passes = what in ("right parents", "siblings")
        wrong += [] if right and (values[index]["value"] == 1) == passes else [f"{what}: {values}"]
        lanes = [sample["identity_concordance"] for sample in report["samples"].values()]
        wrong += [f"{what}: {value['reason']}" for value in lanes if value["value"] != 1]
    yield m.table(["family", "index", "said exactly"], rows)

    rows = []
    for what, value in mendelian(place / "mendelian"):
        rows.append([what, value["denominator"], f"{value['value'] or 0:.2%}", f"{value['error'] or 0:.2%}"])
        fails = value["value"] is None or value["value"] > 0.06
        wrong += [f"Mendel, {what}: {value}"] if fails == (what == "right parents") else []
    yield m.table(["called trio", "sites", "Mendelian errors", "error"], rows)

    rows = []
    for share, value in mixtures(place / "mixtures", [0, 0, 0.005, 0.01, 0.02, 0.025, 0.035, 0.05, 0.1, 0.2]):
        rows.append([f"{share:.1%}", f"{value['value'] or 0:.2%}", f"{value['error'] or 0:.2%}", value["denominator"]])
        wrong += contamination_faults(share, value) + (["not measured"] if value["value"] is None else [])
    yield m.table(["simulated, 30x, 4,000 sites", "measured", "error", "homozygous sites"], rows)

    if UNRELATED.is_dir():
        real = Real(place / "real")
        for what in ("none", "a lane swapped", "the samples swapped", "a duplicate"):
            faults = real.mishap(what)
            wrong += faults
            yield f"* real lanes of two people, 2.5x each, {what}: {'; '.join(faults) or 'said exactly'}"
        wrong += yield from tumour_told(place / "tumour")
        wrong += yield from trio_told(place / "trio")
        yield ""
        rows = []
        for what, share, value in real.contaminations(spacing=500, seeds=2):
            told = "NOT_MEASURED" if value["value"] is None else f"{value['value']:.2%}"
            rows.append([what, f"{share:.0%}", f"{value['estimate']:.2%}", f"{value['error'] or 0:.2%}", told])
            wrong += contamination_faults(share, value)
        yield m.table(["real reads, 80 kb, sites every 500 bp", "share", "GATK's estimate", "error", "taken as"], rows)
    else:
        yield "Real reads skipped: the test data are not there; set NGC_WGS_TEST_DATA.\n"
    yield from support.failed(wrong)
