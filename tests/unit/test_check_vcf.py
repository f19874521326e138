"""The VCF and gVCF judge: a conforming file gives nothing, and each rule has one mutation that breaks it alone."""

from __future__ import annotations

import dataclasses
import gzip
import hashlib
import os
import random
import re
import struct
import threading
import time
import zlib
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import ngc_profile
from ngc_check import vcf, vcf_somatic
from ngc_check.findings import Collector

SAMPLE = "AAAABBBB"
EOF_BLOCK = bytes.fromhex("1f8b08040000000000ff0600424302001b0003000000000000000000")
CONTIGS = {"chr1": 400, "chr2": 300, "chrX": 400, "chrY": 300, "chrM": 100, "chr1_random": 100}
ROLES = {"chr1": "autosome", "chr2": "autosome", "chrX": "X", "chrY": "Y", "chrM": "M", "chr1_random": "other"}


def sequence(name: str) -> str:
    """A contig without repeated neighbours, so that every indel below is in normal form; chr2 has a run of N."""
    draw = random.Random(name)
    bases = ["A"]
    while len(bases) < CONTIGS[name]:
        bases.append(draw.choice([b for b in "ACGT" if b not in bases[-2:]]))
    if name == "chr2":
        bases[100:120] = "N" * 20
    return "".join(bases)


SEQUENCES = {name: sequence(name) for name in CONTIGS}


@pytest.fixture(scope="session")
def profile() -> ngc_profile.Profile:
    shipped = ngc_profile.load()
    contigs = [
        {"name": name, "length": length, "md5": hashlib.md5(SEQUENCES[name].encode()).hexdigest(), "role": ROLES[name]}
        for name, length in CONTIGS.items()
    ]
    par = [{"contig": "chrX", "start": 0, "end": 50}, {"contig": "chrY", "start": 0, "end": 50}]
    reference = {"id": "tiny", "accession": "none", "assembly": "tiny", "contigs": contigs, "par": par}
    return dataclasses.replace(shipped, data={**shipped.data, "reference": reference})


@pytest.fixture(scope="session")
def fasta(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("reference") / "tiny.fa"
    text, index = "", ""
    for name, bases in SEQUENCES.items():
        text += f">{name}\n"
        index += f"{name}\t{len(bases)}\t{len(text)}\t60\t61\n"
        text += "".join(bases[at : at + 60].lower() + "\n" for at in range(0, len(bases), 60))
    path.write_text(text)
    Path(f"{path}.fai").write_text(index)
    return path


def bgzf(data: bytes, eof: bool = True, size: int = 60_000) -> bytes:
    """BGZF written here, so that the judge is not tested with its own reader's library."""
    out = b""
    for at in range(0, len(data), size):
        part = data[at : at + size]
        deflate = zlib.compressobj(6, zlib.DEFLATED, -15)
        body = deflate.compress(part) + deflate.flush()
        head = b"\x1f\x8b\x08\x04" + b"\0" * 4 + b"\0\xff" + struct.pack("<H", 6) + b"BC" + struct.pack("<H", 2)
        out += head + struct.pack("<H", len(body) + 25) + body + struct.pack("<II", zlib.crc32(part), len(part))
    return out + (EOF_BLOCK if eof else b"")


def other(base: str) -> str:
    return {"A": "C", "C": "G", "G": "T", "T": "A"}[base]


def record(chrom: str, pos: int, genotype: str, ref_length: int = 1, insert: str = "") -> str:
    """A record that conforms, of a substitution, a deletion (`ref_length` over 1) or an insertion."""
    ref = SEQUENCES[chrom][pos - 1 : pos - 1 + ref_length]
    alt = ref[0] if ref_length > 1 else ref + insert if insert else other(ref)
    alleles = genotype.replace("|", "/").split("/")
    count = alleles.count("1")
    info = f"AC={count};AF={count / len(alleles):.3f};AN={len(alleles)};DP=30;QD=12.50"
    likelihoods = "300,0,310" if len(alleles) == 2 else "300,0"
    sample = f"{genotype}:15,15:30:99:{likelihoods}"
    return f"{chrom}\t{pos}\t.\t{ref}\t{alt}\t300.6\tPASS\t{info}\tGT:AD:DP:GQ:PL\t{sample}"


def definitions(profile: ngc_profile.Profile, kind: str) -> list[str]:
    return [
        f'##{column.upper()}=<ID={key},Number={d["number"]},Type={d["type"]},Description="{d["description"]}">'
        for column in ("info", "format")
        for key, d in profile.data[kind][column].items()
    ]


@dataclasses.dataclass
class Case:
    """One file before it is written: lines of the header, lines of the records, and how it lies on disk."""

    header: list[str]
    records: list[str]
    kind: str = "vcf"
    spec_only: bool = False
    eof: bool = True
    index_age: int = -10

    def line(self, start: str) -> int:
        """Place in the header of the first line that begins so."""
        return next(at for at, line in enumerate(self.header) if line.startswith(start))

    def edit(self, at: int, column: int, value: str) -> None:
        """Put a value into one column of a record."""
        fields = self.records[at].split("\t")
        fields[column] = value
        self.records[at] = "\t".join(fields)

    def text(self) -> bytes:
        return "".join(f"{line}\n" for line in self.header + self.records).encode()


def conforming(profile: ngc_profile.Profile, kind: str = "vcf") -> Case:
    """A file of one male sample in which no rule finds anything."""
    header = ["##fileformat=VCFv4.2", '##FILTER=<ID=PASS,Description="All filters passed">']
    header += ['##FILTER=<ID=LowQual,Description="Low quality">']
    if kind == "gvcf":
        header += ['##ALT=<ID=NON_REF,Description="Any other allele">', "##GVCFBlock0-1=minGQ=0(inclusive)"]
    for name in profile.data[kind].get("alts", ()):
        header += [f'##ALT=<ID={name},Description="{name}">'] if name != "BND" else []
    if kind == "somatic_vcf":
        header += ['##FILTER=<ID=panel_of_normals,Description="">']
    if kind == "copy_number_vcf":
        header += [f'##FILTER=<ID={name},Description="">' for name in ("few_bins", "near_expected")]
    if kind == "somatic_copy_number_vcf":
        header += [
            f'##FILTER=<ID={item["id"]},Description="">' for item in profile.data["somatic_copy_number"]["filters"]
        ]
    if kind == "somatic_structural_vcf":
        own = (item["id"] for item in profile.data["somatic_structural"]["filters"] if item["id"] != "LowQual")
        header += [f'##FILTER=<ID={name},Description="">' for name in own]
    header += definitions(profile, kind)
    header += [
        f"##contig=<ID={name},length={len(bases)},md5={hashlib.md5(bases.encode()).hexdigest()}>"
        for name, bases in SEQUENCES.items()
    ]
    header += ["##reference=tiny", "##source=HaplotypeCaller", f"##profile={profile.id} {profile.version}"]
    header += ["\t".join(["#CHROM", "POS", "ID", "REF", "ALT", "QUAL", "FILTER", "INFO", "FORMAT", SAMPLE])]
    if kind == "gvcf":
        return Case(header, gvcf_records(), kind)
    if kind == "mitochondrial_vcf":
        return Case(header, mitochondrial_records(), kind)
    if kind == "structural_vcf":
        return Case(header, structural_records(), kind)
    if kind == "copy_number_vcf":
        return Case(header, copy_number_records(), kind)
    if kind == "somatic_copy_number_vcf":
        return Case(header, somatic_copy_number_records(), kind)
    if kind == "somatic_structural_vcf":
        header[-1] = "\t".join([*header[-1].split("\t")[:-1], *PAIR.values()])
        return Case(header, somatic_structural_records(), kind)
    if kind == "somatic_vcf":
        header[-1] = "\t".join([*header[-1].split("\t")[:-1], *PAIR.values()])
        return Case(header, somatic_records(), kind)
    if kind == "family_vcf":
        header[-1] = "\t".join([*header[-1].split("\t")[:-1], *FAMILY])
        return Case(header, family_records(), kind)
    records = [
        record("chr1", 20, "0/1"),
        record("chr1", 40, "1|1", ref_length=3),
        record("chr1", 60, "0/1", insert="ACGTACG"[: 5 if SEQUENCES["chr1"][59] != "A" else 4]),
        record("chr1", 61, "0/1"),
        record("chr2", 30, "1/1"),
        record("chrX", 30, "0/1"),
        record("chrX", 90, "1"),
        record("chrY", 90, "1"),
        record("chrY", 95, "1"),
    ]
    records[2] = fit_insert(records[2])
    records[4] = records[4].replace("\tPASS\t", "\tLowQual\t")
    return Case(header, records)


def fit_insert(line: str) -> str:
    """Make an insertion end with another base than REF, so that it is left-aligned."""
    fields = line.split("\t")
    fields[4] = fields[4] + other(fields[3])
    return "\t".join(fields)


def somatic_copy_number_records() -> list[str]:
    """A loss, a gain, a haplotype lost at the usual ratio, X without sites, and each of the filters."""
    rows = [
        ("chr1", 20, "DEL", "PASS", "END=50;SVLEN=-30;LOH", "0.650:0.630,0.670:0.230:0.220,0.240:9:20"),
        ("chr1", 60, "DUP", "PASS", "END=90;SVLEN=30", "1.350:1.330,1.370:0.370:0.360,0.390:9:20"),
        ("chr1", 100, "CNV", "PASS", "END=150;LOH", "1.000:0.980,1.020:0.150:0.140,0.160:9:20"),
        ("chr1", 150, "CNV", "few_sites", "END=190;LOH", "1.000:0.980,1.020:0.150:0.140,0.160:9:9"),
        ("chr2", 20, "DUP", "few_bins", "END=90;SVLEN=70", "1.350:1.330,1.370:0.370:0.360,0.390:3:2"),
        ("chrX", 90, "DEL", "near_neutral", "END=150;SVLEN=-60", "0.950:0.900,1.010:.:.:9:0"),
    ]
    return [
        f"{chrom}\t{pos}\t.\t{SEQUENCES[chrom][pos - 1]}\t<{kind}>\t.\t{passed}\tIMPRECISE;SVTYPE={kind};{info};"
        f"CIPOS=-5,5;CIEND=-5,5\tCR:CRCI:MAF:MAFCI:BINS:SITES\t{values}"
        for chrom, pos, kind, passed, info, values in rows
    ]


def somatic_structural_records() -> list[str]:
    """Variants of a tumour: three that pass, one breakend of a pair of which is imprecise, and each of the filters."""
    chr1, chr2 = SEQUENCES["chr1"], SEQUENCES["chr2"]
    rows = [
        ("chr1", 20, "DEL1", "<DEL>", "SVTYPE=DEL;END=50;SVLEN=-30;CT=3to5", 900, "PASS", "9:0:30:0", "9:0:30:10"),
        ("chr1", 60, "DUP1", "<DUP>", "SVTYPE=DUP;END=100;SVLEN=40;CT=5to3", 240, "weak_evidence", "9:0:20:0",
         "9:3:16:4"),
        ("chr1", 120, "INS1", "<INS>", "SVTYPE=INS;END=120;SVLEN=40;CT=NtoN", 900, "low_fraction", "0:0:30:0",
         "0:0:98:2"),
        ("chr1", 150, "INV1", "<INV>", "SVTYPE=INV;END=200;IMPRECISE;CIPOS=-5,5;CIEND=-9,9;CT=3to3", 900, "few_reads",
         "9:0:0:0", "8:8:0:0"),
        ("chr1", 250, "A1", f"{chr1[249]}[chr2:201[", "SVTYPE=BND;MATEID=A2;CT=3to5", 900, "in_normal", "19:2:30:0",
         "9:9:30:10"),
        ("chr2", 201, "A2", f"]chr1:250]{chr2[200]}", "SVTYPE=BND;MATEID=A1;CT=5to3", 900, "in_normal", "19:2:30:0",
         "9:9:30:10"),
        ("chrX", 90, "DEL2", "<DEL>", "SVTYPE=DEL;END=150;SVLEN=-60;CT=3to5", 900, "PASS", "9:0:30:1", "9:9:10:30"),
        ("chrX", 95, "DEL3", "<DEL>", "SVTYPE=DEL;END=150;SVLEN=-55;CT=3to5;SOMATICSCORE=30", ".", "PASS", "9:0:30:0",
         "9:9:10:30"),
    ]  # fmt: skip
    lines = []
    for chrom, pos, name, alt, info, quality, passed, *pair in rows:
        at = 1 if "IMPRECISE" in info else 3
        cells = []
        for reads in pair:
            counts = [int(n) for n in reads.split(":")]
            cells.append(f"{reads}:{counts[at] / (counts[at] + counts[at - 1]):.3f}")
        fields = [chrom, str(pos), name, SEQUENCES[chrom][pos - 1], alt, str(quality), passed, f"{info};PE=9;SR=5"]
        lines.append("\t".join([*fields, "DR:DV:RR:RV:AF", *cells]))
    return lines


def block(chrom: str, start: int, end: int, genotype: str = "0/0") -> str:
    likelihoods = "0,60,900" if "/" in genotype else "0,60"
    base = SEQUENCES[chrom][start - 1]
    sample = f"{genotype}:30:60:28:{likelihoods}"
    return f"{chrom}\t{start}\t.\t{base}\t<NON_REF>\t.\t.\tEND={end}\tGT:DP:GQ:MIN_DP:PL\t{sample}"


def gvcf_records() -> list[str]:
    base = SEQUENCES["chr1"][19]
    variant = "\t".join(
        ["chr1", "20", ".", base, f"{other(base)},<NON_REF>", "300.6", ".", "DP=30"]
        + ["GT:AD:DP:GQ:PL:SB", "0/1:15,15,0:30:99:300,0,310,350,360,700:8,7,8,7"]
    )
    return [
        block("chr1", 1, 19),
        variant,
        block("chr1", 21, 21),
        block("chr1", 22, 400),
        block("chr2", 1, 100),
        block("chr2", 121, 300),
        block("chrX", 1, 50),
        block("chrX", 51, 400, "0"),
    ]


FAMILY = {SAMPLE: "male", "CCCCDDDD": "male", "EEEEFFFF": "female"}


def family_records() -> list[str]:
    """A trio's records, one where the two ploidies of X stand side by side and one on the Y that the mother lacks."""
    depths = "15,15:30:99"
    autosome = record("chr1", 20, "0/1").split("\t")
    x, y = record("chrX", 90, "1").split("\t"), record("chrY", 90, "1").split("\t")
    for fields in (autosome, x, y):
        fields[7] = "AC=1;AF=0.333;AN=3;DP=90;DENOVO_HIGH=AAAABBBB"
        fields[8] = "GT:AD:DP:GQ:PL:PP"
    haploid = f"1:{depths}:300,0:310,0"
    return [
        "\t".join([*autosome[:9], f"0/1:{depths}:300,0,310:310,0,320", *[f"0/0:{depths}:0,60,900:0,70,910"] * 2]),
        "\t".join([*x[:9], haploid, haploid, f"0|1:{depths}:300,0,310:310,0,320"]),
        "\t".join([*y[:9], haploid, haploid, "."]),
    ]


def mitochondrial_records() -> list[str]:
    """A homoplasmic and a heteroplasmic change."""
    records = []
    for pos, sample in ((30, "1:1,99:0.990:100:1,0,50,49"), (60, "0/1:80,20:0.200:100:40,40,10,10")):
        ref = SEQUENCES["chrM"][pos - 1]
        records.append(f"chrM\t{pos}\t.\t{ref}\t{other(ref)}\t.\tPASS\tDP=100;TLOD=90.5\tGT:AD:AF:DP:SB\t{sample}")
    return records


PAIR = {"normal": SAMPLE, "tumour": "TTTTTTTT"}


def somatic_records() -> list[str]:
    """Of a tumour beside its normal: two SNVs that pass, a deletion that passes, and what the panel has."""
    odds = "NLOD=9.1;NALOD=1.5"
    without, with_few = "0/0:40,0:0.024:40:20,20,0,0", "0/0:36,4:0.1:40:18,18,2,2"
    tenth = "0/1:80,8:0.1:90:40,40,4,4"
    of_one = [
        ("chr1", 20, 1, "PASS", odds, without, "0/1:60,30:0.333:90:30,30,15,15"),
        ("chr1", 60, 2, "PASS", odds, without, tenth),
        ("chr1", 90, 1, "panel_of_normals", f"PON;{odds}", with_few, tenth),
        ("chrX", 90, 1, "PASS", odds, "0/0:9,1:0.15:10:9,0,1,0", "0/1:8,2:0.2:10:4,4,1,1"),
    ]
    lines = []
    for chrom, pos, length, passed, info, normal, tumour in of_one:
        ref, alt = record(chrom, pos, "0/1", length).split("\t")[3:5]
        fixed = f"{chrom}\t{pos}\t.\t{ref}\t{alt}\t.\t{passed}\tDP=130;TLOD=30.5;{info}\tGT:AD:AF:DP:SB"
        lines.append(f"{fixed}\t{normal}\t{tumour}")
    return lines


def structural_records() -> list[str]:
    """One of each type, the breakends of one exchange on four records, and a deletion of a man's X."""
    chr1, chr2 = SEQUENCES["chr1"], SEQUENCES["chr2"]
    of_one = [
        ("chr1", 20, "DEL1", "<DEL>", "SVTYPE=DEL;END=50;SVLEN=-30;CT=3to5", "0/1"),
        ("chr1", 20, "DEL2", "<DEL>", "SVTYPE=DEL;END=52;SVLEN=-32;CT=3to5", "0/1"),
        ("chr1", 60, "DUP1", "<DUP>", "SVTYPE=DUP;END=100;SVLEN=40;CT=5to3", "1/1"),
        ("chr1", 120, "INS1", "<INS>", "SVTYPE=INS;END=120;SVLEN=40;CT=NtoN", "0/1"),
        ("chr1", 150, "INV1", "<INV>", "SVTYPE=INV;END=200;IMPRECISE;CIPOS=-5,5;CIEND=-9,9;CT=3to3", "0/1"),
        ("chr1", 250, "A1", f"{chr1[249]}[chr2:201[", "SVTYPE=BND;MATEID=A2;CT=3to5", "0/1"),
        ("chr1", 251, "B1", f"]chr2:200]{chr1[250]}", "SVTYPE=BND;MATEID=B2;CT=5to3", "0/1"),
        ("chr1", 300, "C1", f"{chr1[299]}]chr2:260]", "SVTYPE=BND;MATEID=C2;IMPRECISE;CIPOS=-9,9;CT=3to3", "0/1"),
        ("chr2", 200, "B2", f"{chr2[199]}[chr1:251[", "SVTYPE=BND;MATEID=B1;CT=3to5", "0/1"),
        ("chr2", 201, "A2", f"]chr1:250]{chr2[200]}", "SVTYPE=BND;MATEID=A1;CT=5to3", "0/1"),
        ("chr2", 260, "C2", f"{chr2[259]}]chr1:300]", "SVTYPE=BND;MATEID=C1;IMPRECISE;CIPOS=-9,9;CT=3to3", "0/1"),
        ("chrX", 50, "DEL4", "<DEL>", "SVTYPE=DEL;END=80;SVLEN=-30;CT=3to5", "1"),  # begins behind the PAR
        ("chrX", 90, "DEL3", "<DEL>", "SVTYPE=DEL;END=150;SVLEN=-60;CT=3to5", "1"),
    ]
    return [
        f"{chrom}\t{pos}\t{name}\t{SEQUENCES[chrom][pos - 1]}\t{alt}\t300\tPASS\t{info};PE=9;SR=5\t"
        f"GT:GQ:FT:DR:DV:RR:RV:RDCN\t{genotype}:99:PASS:9:9:5:5:1"
        for chrom, pos, name, alt, info, genotype in of_one
    ]


def copy_number(chrom: str, pos: int, end: int, kind: str, values: str, passed: str = "PASS") -> str:
    length = f"-{end - pos}" if kind == "DEL" else end - pos
    info = f"IMPRECISE;SVTYPE={kind};END={end};SVLEN={length};CIPOS=-5,5;CIEND=-5,5"
    base = SEQUENCES[chrom][pos - 1]
    return f"{chrom}\t{pos}\t.\t{base}\t<{kind}>\t.\t{passed}\t{info}\tGT:CN:ECN:CR:CRCI:BINS\t{values}"


def copy_number_records() -> list[str]:
    """A man's, one beginning where a pseudoautosomal region ends."""
    return [
        copy_number("chr1", 100, 150, "DEL", "0/1:1:2:0.500:0.450,0.550:5"),
        copy_number("chr1", 150, 200, "DUP", "0/1:3:2:1.400:1.200,1.600:5", "near_expected"),
        copy_number("chr1", 250, 300, "DEL", "1/1:0:2:0.010:0.000,0.100:2", "few_bins"),
        copy_number("chr2", 200, 280, "DUP", "./1:4:2:2.010:1.900,2.110:9"),
        copy_number("chrX", 20, 50, "DUP", "0/1:3:2:1.510:1.400,1.600:8"),
        copy_number("chrX", 50, 400, "DUP", "1:2:1:1.000:0.900,1.100:35"),
        copy_number("chrY", 100, 200, "DEL", "1:0:1:0.000:0.000,0.050:10"),
    ]


def write(case: Case, folder: Path, name: str = "") -> Path:
    """The case as `.vcf.gz` with an index beside it."""
    path = folder / (name or ("case.g.vcf.gz" if case.kind == "gvcf" else "case.vcf.gz"))
    path.write_bytes(bgzf(case.text(), case.eof))
    index = Path(f"{path}.tbi")
    index.write_bytes(gzip.compress(b"TBI\x01" + b"\0" * 32))
    now = path.stat().st_mtime
    os.utime(index, (now - case.index_age, now - case.index_age))
    return path


def judge(case: Case, folder: Path, profile: ngc_profile.Profile, fasta: Path | None, **more) -> list:
    """Findings of a case, completed from the profile as the command does it."""
    collector = Collector(profile)
    people = FAMILY if case.kind == "family_vcf" else {SAMPLE: "male"}
    whose = {
        "one": {"sample": SAMPLE, "sex": "male"},
        "germline": {"sample": people.keys(), "sex": people},
        "tumour": {"columns": PAIR, "sex": dict.fromkeys(PAIR.values(), "male")},
    }[profile.data[case.kind]["samples"]]
    settings = {**whose, **more}
    path = write(case, folder)
    collector.extend(
        vcf.check_vcf(path, profile, kind=case.kind, reference=fasta, spec_only=case.spec_only, **settings)
    )
    return collector.findings()


# --- one mutation for each rule
def _info(old: str, new: str, at: int = 0) -> Callable[[Case], None]:
    """Replace a part of the INFO of a record."""

    def mutate(case: Case) -> None:
        fields = case.records[at].split("\t")
        assert old in fields[7]
        case.edit(at, 7, fields[7].replace(old, new, 1))

    return mutate


def _header(start: str, old: str, new: str) -> Callable[[Case], None]:
    def mutate(case: Case) -> None:
        at = case.line(start)
        assert old in case.header[at]
        case.header[at] = case.header[at].replace(old, new)

    return mutate


def _insert(line: str, spec_only: bool = False) -> Callable[[Case], None]:
    def mutate(case: Case) -> None:
        case.header.insert(1, line)
        case.spec_only = spec_only

    return mutate


def _set(at: int, column: int, value: str, spec_only: bool = False) -> Callable[[Case], None]:
    def mutate(case: Case) -> None:
        case.edit(at, column, value)
        case.spec_only = spec_only

    return mutate


def _swap(first: int, second: int) -> Callable[[Case], None]:
    def mutate(case: Case) -> None:
        case.records[first], case.records[second] = case.records[second], case.records[first]

    return mutate


def _two_samples(case: Case) -> None:
    case.header[-1] += "\t" + SAMPLE
    case.records = [line + "\t" + line.split("\t")[-1] for line in case.records]
    case.spec_only = True


def _same_change_padded(case: Case) -> None:
    bases = SEQUENCES["chr1"]
    case.records.insert(1, record("chr1", 20, "0/1"))
    case.edit(0, 1, "19")
    case.edit(0, 3, bases[18:20])
    case.edit(0, 4, bases[18] + other(bases[19]))
    case.spec_only = True


def _version(version: str, spec_only: bool = False) -> Callable[[Case], None]:
    def mutate(case: Case) -> None:
        case.header[0] = f"##fileformat={version}"
        case.spec_only = spec_only

    return mutate


def _filter_twice(case: Case) -> None:
    case.header[0] = "##fileformat=VCFv4.3"
    case.edit(0, 6, "LowQual;LowQual")


def _contig_order(case: Case) -> None:
    case.records = case.records[4:5] + case.records[:4] + case.records[5:]


def _no_md5(case: Case) -> None:
    at = case.line("##contig=<ID=chr2")
    case.header[at] = case.header[at].split(",md5")[0] + ">"


def _other_contig(case: Case) -> None:
    case.records.append(record("chr1_random", 30, "0/1"))


def _wrong_ref(case: Case) -> None:
    ref, alt = case.records[0].split("\t")[3:5]
    case.edit(0, 3, other(alt))
    assert other(alt) != ref


def _padded(case: Case) -> None:
    bases = SEQUENCES["chr1"]
    case.edit(0, 3, bases[19:21])
    case.edit(0, 4, bases[19] + other(bases[20]))


def _padded_m(case: Case) -> None:
    bases = SEQUENCES["chrM"]
    case.edit(0, 3, bases[29:31])
    case.edit(0, 4, bases[29] + other(bases[30]))


def _two_alleles(case: Case) -> None:
    alt = case.records[0].split("\t")[4]
    case.edit(0, 4, f"{alt},{other(alt)}")
    case.edit(0, 7, "AC=1,0;AF=0.5,0.0;AN=2;DP=30")
    case.edit(0, 9, "0/1:15,15,0:30:99:300,0,310,320,330,340")


def _no_depth(case: Case) -> None:
    case.edit(0, 8, "GT:AD:GQ:PL")
    case.edit(0, 9, "0/1:15,15:99:300,0,310")


def _repeated_key(case: Case) -> None:
    case.edit(0, 8, "GT:AD:DP:GQ:PL:DP")
    case.edit(0, 9, "0/1:15,15:30:99:300,0,310:30")


def _no_eof(case: Case) -> None:
    case.eof = False


def _old_index(case: Case) -> None:
    case.index_age = 10


def _diploid_x(case: Case) -> None:
    case.records[6] = record("chrX", 90, "0/1")


def _lower_sample(case: Case) -> None:
    case.header[-1] = case.header[-1].replace(SAMPLE, SAMPLE.lower())


def _exchanged(case: Case) -> None:
    names = case.header[-1].split("\t")
    case.header[-1] = "\t".join([*names[:9], names[10], names[9]])


RULE_MUTATIONS: dict[str, Callable[[Case], None]] = {
    "VCF-SPEC-001": _insert("##fileformat=VCFv4.2"),
    "VCF-SPEC-002": _header("##INFO=<ID=AC", "Allele", "\x01Allele"),
    "VCF-SPEC-003": _insert("##source="),
    "VCF-SPEC-004": _insert('##INFO=<ID=SOMATIC,Number=1,Type=Flag,Description="Somatic">'),
    "VCF-SPEC-005": _insert('##FORMAT=<ID=HQ,Number=1,Type=Integer,Description="Haplotype quality">'),
    "VCF-SPEC-006": _insert('##FILTER=<ID=0,Description="Reserved">'),
    "VCF-SPEC-007": _insert('##ALT=<ID=FUSION,Description="No type of the specification">'),
    "VCF-SPEC-008": _header("##contig=<ID=chr2", "length=300", "length=300,length=300"),
    "VCF-SPEC-009": _insert("##PEDIGREE=<Name_0=Child,Name_1=Mother:wrong>", spec_only=True),
    "VCF-SPEC-010": _header("#CHROM", "QUAL", "QUALITY"),
    "VCF-SPEC-011": _two_samples,
    "VCF-SPEC-012": lambda case: case.records.append(""),
    "VCF-SPEC-013": _set(8, 0, "chr,M", spec_only=True),
    "VCF-SPEC-014": _set(0, 1, "20x"),
    "VCF-SPEC-015": _set(0, 2, "rs1;"),
    "VCF-SPEC-016": _set(0, 3, "B"),
    "VCF-SPEC-017": _set(0, 4, "R"),
    "VCF-SPEC-018": _set(0, 5, "-1"),
    "VCF-SPEC-019": _filter_twice,
    "VCF-SPEC-020": _set(0, 7, "AC=1,1;AF=0.5;AN=2;DP=30"),
    "VCF-SPEC-021": _repeated_key,
    "VCF-SPEC-022": _set(0, 9, "0/2:15,15:30:99:300,0,310"),
    "VCF-SPEC-023": _swap(0, 1),
    "VCF-SPEC-024": _same_change_padded,
    "VCF-SPEC-025": lambda case: case.records.clear(),
    "VCF-SPEC-026": _version("VCFv4.4", spec_only=True),
    "NGC-VCF-001": _no_eof,
    "NGC-VCF-002": _old_index,
    "NGC-VCF-003": _version("VCFv4.1"),
    "NGC-VCF-004": _contig_order,
    "NGC-VCF-005": _header("##contig=<ID=chrM", "length=100", "length=101"),
    "NGC-VCF-006": _no_md5,
    "NGC-VCF-007": _other_contig,
    "NGC-VCF-008": _wrong_ref,
    "NGC-VCF-009": _padded,
    "NGC-VCF-010": _two_alleles,
    "NGC-VCF-011": lambda case: case.records.insert(1, case.records[0]),
    "NGC-VCF-012": _no_depth,
    "NGC-VCF-013": _header("##FORMAT=<ID=AD", "Number=R", "Number=."),
    "NGC-VCF-014": _set(0, 7, "AC=1;AF=0.5;AN=2;DP=30;XX=1"),
    "NGC-VCF-015": _set(0, 7, "AC=1;AN=2;DP=30"),
    "NGC-VCF-016": _set(0, 6, "."),
    "NGC-VCF-017": _lower_sample,
    "NGC-VCF-018": _diploid_x,
    "NGC-VCF-019": _insert("##fileDate=20260101"),
    "NGC-SV-001": lambda case: case.edit(0, 4, "<CNV>"),
    "NGC-SV-002": _info("SVTYPE=DEL", "SVTYPE=DUP"),
    "NGC-SV-003": _info("SVLEN=-30", "SVLEN=30"),
    "NGC-SV-004": lambda case: case.records.pop(5),
    "NGC-SV-005": _info("CIEND=-9,9;", "", 4),
    "NGC-SV-006": _info(";PE=9", ";CALLERS=lumpy;PE=9"),
    "NGC-GVCF-001": _set(1, 4, "<NON_REF>,C" if SEQUENCES["chr1"][19] != "C" else "<NON_REF>,A"),
    "NGC-GVCF-002": _set(2, 7, "."),
    "NGC-GVCF-003": _set(0, 7, "END=18"),
    "NGC-CNV-001": _set(6, 9, "1:0:2:0.000:0.000,0.050:10"),
    "NGC-CNV-002": _set(0, 9, "0/1:1:2:0.200:0.150,0.250:5"),
    "NGC-CNV-003": _set(0, 9, "1/1:1:2:0.500:0.450,0.550:5"),
    "NGC-CNV-004": _set(0, 7, "IMPRECISE;SVTYPE=DEL;END=151;SVLEN=-51;CIPOS=-5,5;CIEND=-5,5"),
    "NGC-CNV-005": _set(2, 6, "PASS"),
    "NGC-SCN-001": _set(1, 9, "0.900:0.880,0.920:0.500:0.490,0.500:9:20"),
    "NGC-SCN-002": _set(1, 9, "1.350:1.330,1.370:0.400:0.360,0.390:9:20"),
    "NGC-SCN-003": _info(";LOH", ""),
    "NGC-SCN-004": _info("END=50;SVLEN=-30", "END=70;SVLEN=-50"),
    "NGC-SCN-005": _set(4, 6, "PASS"),
    "NGC-SSV-001": _set(0, 10, "9:0:30:10:0.350"),
    "NGC-SSV-002": _set(0, 9, "9:0:26:4:0.133"),
    "NGC-SSV-003": _set(4, 6, "PASS"),
    "NGC-SOM-001": _set(0, 10, "0/1:60,31:0.333:90:30,30,15,15"),
    "NGC-SOM-002": _set(0, 10, "0/1:60,30:0.667:90:30,30,15,15"),
    "NGC-SOM-003": _exchanged,
    "NGC-SOM-004": _info("NLOD=9.1;", ""),
    "NGC-SOM-005": _info("PON;", "", 2),
}


KINDS = ("vcf", "gvcf", "family_vcf", "mitochondrial_vcf", "structural_vcf", "copy_number_vcf", "somatic_vcf",
         "somatic_structural_vcf", "somatic_copy_number_vcf")  # fmt: skip


@pytest.mark.parametrize("kind", KINDS)
def test_a_conforming_file_of_each_content_gives_nothing(kind, profile, fasta, tmp_path):
    assert judge(conforming(profile, kind), tmp_path, profile, fasta) == []


def mutated(rule: str, profile: ngc_profile.Profile) -> Case:
    """The file that breaks one rule."""
    kinds = {"NGC-GVCF": "gvcf", "NGC-SV": "structural_vcf", "NGC-CNV": "copy_number_vcf",
             "NGC-SCN": "somatic_copy_number_vcf", "NGC-SSV": "somatic_structural_vcf",
             "NGC-SOM": "somatic_vcf"}  # fmt: skip
    case = conforming(profile, kinds.get(rule.rpartition("-")[0], "vcf"))
    RULE_MUTATIONS[rule](case)
    return case


def _sample(record: int, column: int, value: str) -> Callable[[Case], None]:
    return _set(record, 9 + column, value)


@pytest.mark.parametrize(
    ("kind", "rule", "change", "evidence"),
    [
        ("family_vcf", "NGC-VCF-018", _sample(1, 1, "0/1:15,15:30:99:300,0,310:."), "GT 0/1 has ploidy 2, not 1"),
        ("family_vcf", "NGC-VCF-018", _sample(1, 2, "1:15,15:30:99:300,0:."), "GT 1 has ploidy 1, not 2"),
        ("family_vcf", "NGC-VCF-018", _sample(2, 2, "1:15,15:30:99:300,0:."), "GT 1 has ploidy 1, not 0"),
        ("family_vcf", "NGC-VCF-018", _sample(0, 2, "0:15,15:30:99:300,0:."), "GT 0 has ploidy 1, not 2"),
        ("family_vcf", "NGC-VCF-017", _header("#CHROM", "\tEEEEFFFF", "\tGGGGHHHH"), "'EEEEFFFF': no column"),
        ("family_vcf", "NGC-VCF-007", _set(2, 0, "chrM"), "a record on chrM"),
        ("family_vcf", "NGC-VCF-012", _set(0, 8, "GT:AD:DP:PP:PL"), "FORMAT lacks GQ"),
        ("mitochondrial_vcf", "NGC-VCF-012", _set(0, 8, "GT:AD:GQ:DP:SB"), "FORMAT lacks AF"),
        ("mitochondrial_vcf", "NGC-VCF-007", _set(1, 0, "chr1_random"), "a record on chr1_random"),
        ("mitochondrial_vcf", "NGC-VCF-009", _padded_m, "both alleles begin with the same base"),
        ("mitochondrial_vcf", "NGC-VCF-015", _set(0, 7, "DP=100"), "INFO lacks TLOD"),
        ("vcf", "NGC-SV-001", _set(0, 4, "<DEL>"), "ALT <DEL> in a file of spelt alleles"),
        ("gvcf", "NGC-SV-001", _set(1, 4, "<DEL>,<NON_REF>"), "ALT <DEL> in a file of spelt alleles"),
        ("family_vcf", "NGC-SV-001", _set(0, 4, "A[chr2:20["), "ALT A[chr2:20[ in a file of spelt alleles"),
        ("structural_vcf", "NGC-SV-001", _set(0, 4, "A"), "not one base of REF and one of DEL, DUP, INV, INS, BND"),
        ("structural_vcf", "NGC-SV-001", _set(0, 3, SEQUENCES["chr1"][19:22]), "not one base of REF"),
        ("structural_vcf", "NGC-SV-001", _set(5, 4, "A."), "not one base of REF"),
        ("structural_vcf", "NGC-SV-001", _header("##ALT=<ID=DUP", "DUP", "CNV"), "ALT DUP is not declared"),
        ("structural_vcf", "NGC-SV-002", _info("SVTYPE=BND;", "", 5), "SVTYPE None"),
        ("structural_vcf", "NGC-SV-003", _info("END=50;", ""), "no END"),
        ("structural_vcf", "NGC-SV-003", _info("END=50", "END=20"), "END 20 is not after POS"),
        ("structural_vcf", "NGC-SV-003", _info("END=50;SVLEN=-30", "END=401;SVLEN=-381"), "END 401 lies beyond"),
        ("structural_vcf", "NGC-SV-003", _info("SVLEN=40", "SVLEN=-40", 2), "SVLEN -40, must be 40"),
        ("structural_vcf", "NGC-SV-003", _info("END=120", "END=160", 3), "END 160 and SVLEN 40 of an insertion"),
        ("structural_vcf", "NGC-SV-003", _info("SVLEN=40;", "", 3), "END 120 and SVLEN None of an insertion"),
        ("structural_vcf", "NGC-SV-003", _info("CT=", "END=260;CT=", 5), "END or SVLEN of a breakend"),
        ("structural_vcf", "NGC-SV-004", _info("MATEID=A2;", "", 5), "its mate None is not in the file"),
        ("structural_vcf", "NGC-SV-004", _info("MATEID=A2", "MATEID=A1", 5), "its mate A1 is not in the file"),
        ("structural_vcf", "NGC-SV-004", _info("MATEID=A2", "MATEID=B2", 5), "its mate B2 tells of another adjacency"),
        ("structural_vcf", "NGC-SV-004", _set(9, 4, f"]chr1:251]{SEQUENCES['chr2'][200]}"), "of another adjacency"),
        ("structural_vcf", "NGC-SV-004", _set(10, 4, f"]chr1:300]{SEQUENCES['chr2'][259]}"), "of another adjacency"),
        ("structural_vcf", "NGC-SV-004", _set(5, 2, "B1"), "a breakend without an ID of its own"),
        ("structural_vcf", "NGC-SV-004", _set(5, 2, "."), "a breakend without an ID of its own"),
        ("structural_vcf", "NGC-SV-004", _set(5, 2, "A" * 500), "have over 500 characters"),
        ("vcf", "NGC-SV-001", _set(0, 4, ".A"), "ALT .A in a file of spelt alleles"),
        ("vcf", "VCF-SPEC-017", _set(0, 4, "A,,C"), "ALT '' is not bases"),
        ("structural_vcf", "VCF-SPEC-017", _set(0, 4, ",<DEL>"), "ALT '' is not bases"),
        ("structural_vcf", "NGC-SV-005", _info("CIPOS=-5,5", "CIPOS=2,5", 4), "CIPOS 2,5 is no interval around"),
        ("structural_vcf", "NGC-SV-005", _info("CIPOS=-9,9;", "", 7), "IMPRECISE without CIPOS"),
        ("structural_vcf", "NGC-SV-006", _info(";PE=9", ";CALLERS=delly,delly;PE=9"), "not each once of delly, manta"),
        ("structural_vcf", "NGC-SV-006", _info(";PE=9", ";CALLERS=manta;PE=9", 1), "CALLERS manta, other than"),
        ("structural_vcf", "NGC-VCF-007", _set(11, 0, "chrM"), "a record on chrM"),
        ("structural_vcf", "NGC-VCF-008", _set(0, 3, other(SEQUENCES["chr1"][19])), "where the reference has"),
        ("structural_vcf", "NGC-VCF-011", _info("END=52;SVLEN=-32", "END=50;SVLEN=-30", 1), "the same change as"),
        ("structural_vcf", "NGC-VCF-012", _set(0, 8, "GT:GQ:FT:DR:DV:RR:XX:RDCN"), "FORMAT lacks RV"),
        ("structural_vcf", "NGC-VCF-015", _info(";PE=9", ""), "INFO lacks PE"),
        ("structural_vcf", "NGC-VCF-018", _set(11, 9, "0/1:99:PASS:9:9:5:5:1"), "GT 0/1 has ploidy 2, not 1"),
        ("somatic_copy_number_vcf", "NGC-SCN-001", _info(";LOH", "", 2), "<CNV> without LOH"),
        ("somatic_copy_number_vcf", "NGC-SCN-002", _set(0, 9, "0.7:0.63,0.67:0.23:0.22,0.24:9:20"), "CR 0.7 is not in"),
        ("somatic_copy_number_vcf", "NGC-SCN-002", _set(0, 9, "0.65:0.63,0.67:.:.:9:20"), "MAF . with SITES 20"),
        ("somatic_copy_number_vcf", "NGC-SCN-002", _set(0, 9, "0.65:0.63,0.67:.:0.1,0.2:9:20"), "is a dot"),
        ("somatic_copy_number_vcf", "NGC-SCN-002", _set(0, 9, "0.65:0.63,0.67:0.6:0.5,0.7:9:20"), "above 0.5"),
        ("somatic_copy_number_vcf", "NGC-SCN-003", _info("SVLEN=30", "SVLEN=30;LOH", 1), "has LOH"),
        ("somatic_copy_number_vcf", "NGC-SCN-005", _set(3, 6, "PASS"), "lacks the filter few_sites"),
        ("somatic_copy_number_vcf", "NGC-SCN-005", _set(5, 6, "PASS"), "lacks the filter near_neutral"),
        ("somatic_copy_number_vcf", "NGC-SV-003", _info("END=50;", ""), "no END"),
        ("somatic_structural_vcf", "NGC-SV-003", _info("END=50;", ""), "no END"),
        ("somatic_structural_vcf", "NGC-SV-004", _info("MATEID=A2;", "", 4), "its mate None is not in the file"),
        ("somatic_structural_vcf", "NGC-VCF-017", _header("#CHROM", "TTTTTTTT", "UUUUUUUU"), "'TTTTTTTT': named in"),
        ("somatic_structural_vcf", "NGC-VCF-012", _set(0, 8, "DR:DV:RR:XX:AF"), "FORMAT lacks RV"),
        ("somatic_structural_vcf", "NGC-SSV-001", _set(0, 10, "9:0:30:10:."), "AF . with RV 10 and RR 30"),
        ("somatic_structural_vcf", "NGC-SSV-001", _set(3, 10, "8:8:0:0:."), "AF . with DV 8 and DR 8"),
        ("somatic_structural_vcf", "NGC-SSV-002", _set(0, 10, "9:9:30:0:0.000"), "AF 0.000 in the tumour"),
        ("somatic_structural_vcf", "NGC-SSV-003", _set(1, 6, "PASS"), "lacks the filter weak_evidence"),
        ("somatic_structural_vcf", "NGC-SSV-003", _set(2, 6, "PASS"), "lacks the filter low_fraction"),
        ("somatic_structural_vcf", "NGC-SSV-003", _set(3, 6, "PASS"), "lacks the filter few_reads"),
        ("somatic_structural_vcf", "NGC-SSV-003", _set(0, 6, "in_normal"), "has the filter in_normal"),
        ("somatic_structural_vcf", "NGC-SSV-003", _info("=30;", "=29;", 7), "lacks the filter weak_evidence"),
        ("somatic_structural_vcf", "NGC-SSV-003", _info(";SOMATICSCORE=30", "", 7), "neither QUAL nor SOMATICSCORE"),
        ("somatic_structural_vcf", "NGC-SV-006", _info(";PE=9", ";CALLERS=lumpy;PE=9"), "not each once of"),
        ("copy_number_vcf", "NGC-VCF-018", _set(5, 9, "0/1:2:1:1.000:0.900,1.100:35"), "GT 0/1 has ploidy 2, not 1"),
        ("somatic_vcf", "NGC-VCF-017", _header("#CHROM", "TTTTTTTT", "UUUUUUUU"), "'TTTTTTTT': named in"),
        ("somatic_vcf", "NGC-VCF-017", _header("#CHROM", "TTTTTTTT", "UUUUUUUU"), "'UUUUUUUU': a column"),
        ("somatic_vcf", "NGC-VCF-007", _set(3, 0, "chrM"), "a record on chrM"),
        ("somatic_vcf", "NGC-VCF-016", _set(0, 6, "germline"), "FILTER 'germline' is not declared"),
        ("somatic_vcf", "NGC-SOM-001", _set(0, 10, "0/1:60,30:1.2:90:30,30,15,15"), "AF 1.2 is not within 0 to 1"),
        ("somatic_vcf", "NGC-SOM-003", _set(0, 10, "0/1:90,0:0.012:90:45,45,0,0"), "passes without a read"),
        ("somatic_vcf", "NGC-SOM-003", _set(0, 9, "0/1:20,20:0.5:40:10,10,10,10"), "the normal has the allele in"),
        ("somatic_vcf", "NGC-SOM-005", _set(0, 6, "panel_of_normals"), "has one of PON and panel_of_normals without"),
        ("copy_number_vcf", "NGC-CNV-001", _set(0, 9, "0/1:2:2:1.000:0.900,1.100:5"), "<DEL> with CN 2 of 2"),
        ("copy_number_vcf", "NGC-CNV-001", _set(0, 9, "0/1:1:3:0.500:0.450,0.550:5"), "ECN is 3, this sex has 2"),
        ("copy_number_vcf", "NGC-CNV-002", _set(0, 9, "0/1:1:2:0.500:0.550,0.650:5"), "CR 0.5 is not in its interval"),
        ("copy_number_vcf", "NGC-CNV-003", _set(2, 9, "0/1:0:2:0.010:0.000,0.100:2"), "GT 0/1 with CN 0"),
        ("copy_number_vcf", "NGC-CNV-005", _set(1, 6, "PASS"), "lacks the filter near_expected"),
        ("copy_number_vcf", "NGC-CNV-005", _set(0, 6, "few_bins"), "has the filter few_bins"),
    ],
)  # fmt: skip
def test_a_rule_counts_as_the_content_says(kind, rule, change, evidence, profile, fasta, tmp_path):
    case = conforming(profile, kind)
    change(case)
    findings = judge(case, tmp_path, profile, fasta)
    assert any(finding.rule == rule and evidence in finding.evidence for finding in findings), findings


def test_a_tumour_alone_has_no_odds_of_a_normal(profile, fasta, tmp_path):
    case = conforming(profile, "somatic_vcf")
    case.header[-1] = case.header[-1].replace(f"\t{SAMPLE}", "")
    case.records = ["\t".join(line.split("\t")[:9] + line.split("\t")[10:]) for line in case.records]
    alone = {"columns": {"tumour": "TTTTTTTT"}}
    assert {f.rule for f in judge(case, tmp_path, profile, fasta, **alone)} == {"NGC-SOM-004"}
    case.records = [line.replace("NLOD=9.1;NALOD=1.5", "POPAF=5.0") for line in case.records]
    assert judge(case, tmp_path, profile, fasta, **alone) == []


def test_a_fraction_is_not_judged_where_reads_are_few_or_the_record_is_filtered(profile, fasta, tmp_path):
    case = conforming(profile, "somatic_vcf")
    case.edit(2, 10, "0/1:80,8:0.9:90:40,40,4,4")
    case.edit(3, 10, "0/1:8,2:0.9:10:4,4,1,1")
    assert judge(case, tmp_path, profile, fasta) == []


def test_without_a_manifest_what_needs_the_columns_is_not_checked(profile, fasta, tmp_path):
    findings = judge(conforming(profile, "somatic_vcf"), tmp_path, profile, fasta, columns=None)
    told = {finding.rule: finding.status for finding in findings}
    assert told == dict.fromkeys(("NGC-VCF-017", "NGC-SOM-003", "NGC-SOM-004"), "NOT_CHECKED")


def test_snvs_that_pass_are_counted_by_context(profile, fasta, tmp_path):
    case = conforming(profile, "somatic_vcf")
    # An insertion whose ALT is a part of ACGT is no SNV all the same.
    pos = SEQUENCES["chr1"].index("A", 110) + 1
    case.records.insert(3, case.records[0].replace("chr1\t20\t", f"chr1\t{pos}\t"))
    case.edit(3, 3, "A")
    case.edit(3, 4, "AC")
    path = write(case, tmp_path)
    for reference, known in ((fasta, True), (None, False)):
        found = {}
        list(vcf.check_vcf(path, profile, kind="somatic_vcf", columns=PAIR, reference=reference, contexts=found))
        assert sum(found.values()) == 2
        assert ("" not in found) == known


@pytest.mark.parametrize(
    ("around", "alt", "wanted"),
    [("ACG", "T", "A[C>T]G"), ("CGT", "A", "A[C>T]G"), ("TAC", "G", "G[T>C]A"), ("NCG", "T", ""), ("CG", "T", "")],
)
def test_a_context_is_that_of_the_pyrimidine(around, alt, wanted):
    assert vcf_somatic.context(around, alt) == wanted


def test_the_contexts_are_96_in_the_order_of_cosmic():
    assert len(set(vcf_somatic.CONTEXTS)) == 96
    assert vcf_somatic.CONTEXTS[:5] == ("A[C>A]A", "A[C>A]C", "A[C>A]G", "A[C>A]T", "C[C>A]A")
    assert vcf_somatic.CONTEXTS[-1] == "T[T>G]T"


def test_a_record_on_y_fails_where_no_member_has_one(profile, fasta, tmp_path):
    sexes = dict.fromkeys(FAMILY, "female")
    findings = judge(conforming(profile, "family_vcf"), tmp_path, profile, fasta, sex=sexes)
    assert any(f.rule == "NGC-VCF-018" and "a contig that this sex does not have" in f.evidence for f in findings)


@pytest.mark.parametrize("rule", RULE_MUTATIONS)
def test_one_mutation_breaks_exactly_one_rule(rule, profile, fasta, tmp_path):
    case = mutated(rule, profile)
    findings = judge(case, tmp_path, profile, fasta)
    assert {finding.rule for finding in findings} == {rule}, findings
    expected = {"error": "FAIL", "warn": "WARN", "info": "INFO"}[profile.rule(rule)["severity"]]
    assert {finding.status for finding in findings} <= {expected, "NOT_CHECKED"}


def test_every_rule_of_the_profile_has_a_mutation_and_every_mutation_a_rule(profile):
    ids = {
        rule["id"]
        for rule in profile.rules()
        if rule["id"].startswith(
            ("VCF-SPEC-", "NGC-VCF-", "NGC-GVCF-", "NGC-SV-", "NGC-SSV-", "NGC-SCN-", "NGC-CNV-", "NGC-SOM-")
        )
    }
    # The last two are on the table that is counted from a VCF: test_check_rules.py.
    assert ids - {"NGC-SOM-006", "NGC-SOM-007"} == set(RULE_MUTATIONS)


@pytest.mark.parametrize("rule", RULE_MUTATIONS)
def test_the_fast_path_finds_what_the_exact_one_finds(rule, profile, fasta, tmp_path, monkeypatch):
    monkeypatch.setattr(vcf, "MIN_FAST", 1)
    case = mutated(rule, profile)
    assert judge(case, tmp_path, profile, fasta) == judge(case, tmp_path, profile, fasta, fast=False)


def test_blocks_that_conform_are_proven_without_reading_lines(profile, fasta, tmp_path, monkeypatch):
    monkeypatch.setattr(vcf, "MIN_FAST", 1)
    monkeypatch.setattr(vcf.spec.RecordJudge, "judge", lambda *_: pytest.fail("a line was read"))
    for kind in ("vcf", "gvcf", "family_vcf", "mitochondrial_vcf"):  # the records of the others are few, each is read
        case = conforming(profile, kind)
        # Where the columns' sexes differ, X and Y are read line by line.
        left_out = ("chrX", "chrY") if kind == "family_vcf" else ("chr2\t121",)
        case.records = [line for line in case.records if not line.startswith(left_out)]
        assert judge(case, tmp_path, profile, fasta) == []


def test_one_odd_record_does_not_make_its_whole_block_slow(profile, tmp_path, monkeypatch):
    monkeypatch.setattr(vcf, "MIN_FAST", 1)
    monkeypatch.setattr(vcf, "LEAF", 2_000)
    case = conforming(profile)
    line = "chr1\t{}\t.\tA\tC\t.\tPASS\tAC=1;AF=0.5;AN=2;DP=30\tGT:AD:DP:GQ\t0/1:15,15:30:99"
    case.records = [line.format(at % 300 + 1).replace("chr1", f"c{at // 300}") for at in range(3000)]
    case.edit(1500, 9, "0/7:15,15:30:99")
    case.spec_only = True
    read = []
    whole = vcf.spec.RecordJudge.judge
    monkeypatch.setattr(vcf.spec.RecordJudge, "judge", lambda *given: read.append(given[2]) or whole(*given))
    (finding,) = judge(case, tmp_path, profile, None)
    assert finding.rule == "VCF-SPEC-022"
    assert finding.place == f"line {len(case.header) + 1501}"
    assert len(read) < 100


@pytest.mark.parametrize("size", [150, 300, 900])
def test_state_crosses_blocks_alike_on_both_paths(size, profile, fasta, tmp_path, monkeypatch):
    monkeypatch.setattr(vcf, "MIN_FAST", 1)
    monkeypatch.setattr(vcf, "BLOCK", size)
    monkeypatch.setattr(vcf, "CHUNK", 97)
    for rule in ("VCF-SPEC-023", "VCF-SPEC-024", "NGC-VCF-004", "NGC-VCF-011", "NGC-GVCF-003"):
        case = mutated(rule, profile)
        findings = judge(case, tmp_path, profile, fasta)
        assert {finding.rule for finding in findings} == {rule}
        assert findings == judge(case, tmp_path, profile, fasta, fast=False)


# --- threads


def three_ways(path: Path, profile: ngc_profile.Profile | None, **more) -> list[tuple]:
    """Findings and digests of a file judged line by line, by one thread and by three, in blocks of a few lines.

    Examining takes a time that has nothing to do with the block, so that blocks are ready in any order.
    """
    from ngc_check.vcf_fast import Prover

    draw = random.Random(path.name)
    results = []
    with pytest.MonkeyPatch.context() as patch:
        for name, value in {"MIN_FAST": 1, "BLOCK": 900, "CHUNK": 197, "LEAF": 200}.items():
            patch.setattr(vcf, name, value)
        whole = Prover.examine

        def examine(self, block):
            if draw.random() < 0.1:
                time.sleep(draw.random() / 500)
            return whole(self, block)

        patch.setattr(Prover, "examine", examine)
        for ask in ({"fast": False}, {"threads": 1}, {"threads": 3}):
            digests: dict[str, str | None] = {}
            results.append((list(vcf.check_vcf(path, profile, digests=digests, **more, **ask)), digests))
    return results


def long_case(profile: ngc_profile.Profile, kind: str) -> Case:
    """A conforming case of some hundred records, in which a change at any place is near a border of blocks."""
    case = conforming(profile, kind)
    lines = {name: [line for line in case.records if line.startswith(f"{name}\t")] for name in CONTIGS}
    if kind == "gvcf":
        lines["chr1"] = lines["chr1"][:3] + [block("chr1", at, min(at + 3, 400)) for at in range(22, 401, 4)]
        lines["chrX"] = lines["chrX"][:1] + [block("chrX", at, at + 6, "0") for at in range(51, 401, 7)]
    else:
        lines["chr1"] += [record("chr1", at, "0/1") for at in range(70, 400, 3)]
        lines["chrX"] += [record("chrX", at, "1") for at in range(95, 400, 4)]
    case.records = [line for name in CONTIGS for line in lines[name]]
    return case


def test_threads_examine_and_find_nothing_in_what_conforms(profile, fasta, tmp_path, monkeypatch):
    from ngc_check.vcf_fast import Prover

    names, whole = set(), Prover.examine
    monkeypatch.setattr(Prover, "examine", lambda *given: names.add(threading.current_thread().name) or whole(*given))
    for kind in ("vcf", "gvcf"):
        case = long_case(profile, kind)
        path = write(case, tmp_path)
        results = three_ways(path, profile, kind=kind, sample=SAMPLE, sex="male", reference=fasta)
        assert [found for found, _ in results] == [[], [], []]
        assert len({tuple(digests.values()) for _, digests in results}) == 1
    assert len(names) > 1


def _noise(text: bytes) -> bytes:
    return text + b"x\n" * 200


NASTY: dict[str, tuple[Callable[[bytes], bytes], dict[str, int]]] = {
    "a line too long": (lambda text: text + b"chr1\t" + b"9" * 2000, {"MAX_LINE": 1000}),
    "no line end": (lambda text: text.rstrip(b"\n").replace(b"VCFv4.2", b"VCFv4.3"), {}),
    "too many findings": (lambda text: text.replace(b"\tPASS\t", b"\t.\t").replace(b"\tGT:", b"\tTG:") * 2,
                          {"MAX_FINDINGS": 150}),
    "ragged lines": (_noise, {"MAX_RAGGED": 50}),
    "ragged lines before a too long line": (lambda text: _noise(text) + b"9" * 2000,
                                            {"MAX_RAGGED": 150, "MAX_LINE": 1000}),
    "records without text, then ragged": (lambda text: text.split(b"chr1\t20")[0] + b"\r\n" * 3000,
                                          {"MAX_RAGGED": 100}),
    "the whole twice": (lambda text: text + text[text.index(b"\nchr1\t") + 1 :], {}),
    "lines of the header among the records": (lambda text: text.replace(b"\nchrX", b"\n##a=b\nchrX", 3), {}),
}  # fmt: skip


@pytest.mark.parametrize("packed", ["plain", "bgzf", "cut short", "damaged", "grows"])
@pytest.mark.parametrize("name", NASTY)
def test_threads_find_the_same_in_the_same_order_where_judging_ends_early(
    name, packed, profile, fasta, tmp_path, monkeypatch
):
    change, limits = NASTY[name]
    for limit, value in limits.items():
        monkeypatch.setattr(vcf, limit, value)
    for kind in ("vcf", "gvcf"):
        data = change(long_case(profile, kind).text())
        if packed != "plain":
            data = bgzf(data, size=700)
        if packed == "cut short":
            data = data[:-100]
        elif packed == "damaged":
            at = len(data) * 4 // 5
            data = data[:at] + bytes([data[at] ^ 255]) + data[at + 1 :]
        elif packed == "grows":
            monkeypatch.setattr(vcf, "MAX_HEADER", len(change(long_case(profile, kind).text())) * 3 // 4)
            monkeypatch.setattr(vcf, "MAX_RATIO", 1)
        path = tmp_path / "case.vcf.gz"
        path.write_bytes(data)
        exact, one, three = three_ways(path, profile, kind=kind, sample=SAMPLE, sex="male", reference=fasta)
        assert exact[0]
        assert exact == one == three


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_threads_find_the_same_in_changed_files(data, profile, fasta, tmp_path):
    kind = data.draw(st.sampled_from(["vcf", "gvcf"]))
    case = long_case(profile, kind)
    for _ in range(data.draw(st.integers(0, 3))):
        first, second = (data.draw(st.integers(0, len(case.records) - 1)) for _ in range(2))
        change = data.draw(st.sampled_from(["swap", "repeat", "drop", "column"]))
        if change == "swap":
            case.records[first], case.records[second] = case.records[second], case.records[first]
        elif change == "repeat":
            case.records.insert(first, case.records[data.draw(st.sampled_from([first, second]))])
        elif change == "drop" and len(case.records) > 1:
            del case.records[first]
        else:
            column = data.draw(st.integers(0, 8))
            case.edit(first, column, case.records[second].split("\t")[column])
    text = bytearray(case.text())
    start = text.index(b"#CHROM")
    for _ in range(data.draw(st.integers(0, 3))):
        at = data.draw(st.integers(start, len(text) - 1))
        text[at : at + data.draw(st.integers(0, 2))] = data.draw(
            st.one_of(st.binary(max_size=2), st.sampled_from([bytes([value]) for value in b"\t\n.,;=:0N<"]))
        )
    path = tmp_path / "fuzz.vcf"
    path.write_bytes(bytes(text))
    exact, one, three = three_ways(path, profile, kind=kind, sample=SAMPLE, sex="male", reference=fasta)
    assert exact == one == three


def test_what_is_not_at_hand_is_not_checked_and_never_passed(profile, tmp_path):
    path = write(conforming(profile), tmp_path)
    findings = list(vcf.check_vcf(path, profile))
    assert {(f.rule, f.status) for f in findings} == {
        ("NGC-VCF-008", "NOT_CHECKED"),
        ("NGC-VCF-017", "NOT_CHECKED"),
        ("NGC-VCF-018", "NOT_CHECKED"),
    }


def test_a_reference_without_index_is_not_checked_and_says_so(profile, fasta, tmp_path):
    bare = tmp_path / "bare.fa"
    bare.write_bytes(fasta.read_bytes())
    (finding,) = judge(conforming(profile), tmp_path, profile, bare)
    assert (finding.rule, finding.status) == ("NGC-VCF-008", "NOT_CHECKED")
    assert "samtools faidx" in finding.evidence


def test_a_female_has_no_y(profile, fasta, tmp_path):
    case = conforming(profile)
    case.records[6:] = [record("chrX", 90, "0/1"), record("chrY", 90, "1")]
    (finding,) = judge(case, tmp_path, profile, fasta, sex="female")
    assert finding.rule == "NGC-VCF-018"
    assert "chrY" in finding.evidence


def test_digests_come_from_the_same_read(profile, tmp_path):
    case = conforming(profile)
    path = write(case, tmp_path)
    digests: dict[str, str | None] = {}
    list(vcf.check_vcf(path, profile, digests=digests))
    lines = case.text().splitlines(keepends=True)
    records = b"".join(line for line in lines if not line.startswith(b"##"))
    assert digests == {
        "sha256": hashlib.sha256(path.read_bytes()).hexdigest(),
        "vcf-records-sha256": hashlib.sha256(records).hexdigest(),
        "header": "".join(line.decode() for line in lines if line.startswith(b"#")),
    }


def test_findings_of_one_rule_are_capped_with_a_count(profile, fasta, tmp_path):
    case = conforming(profile)
    case.records = [record("chr1", 20 + 3 * at, "0/1").replace("PASS", ".") for at in range(100)]
    findings = judge(case, tmp_path, profile, fasta)
    assert len(findings) == 20
    assert sum(finding.count for finding in findings) == 100


HEAD43 = '##fileformat=VCFv4.3\n##INFO=<ID=NOTE,Number=.,Type=String,Description="x">\n'
COLUMNS = "#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\n"
LINE = "1\t10\t.\tA\tC\t.\t.\t{}\n"


def spec_rules(text: str | bytes, tmp_path: Path) -> set[str]:
    path = tmp_path / "plain.vcf"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return {finding.rule for finding in vcf.check_vcf(path, spec_only=True)}


@pytest.mark.parametrize(
    ("text", "rules"),
    [
        (HEAD43 + COLUMNS + LINE.format("NOTE=50%25 sure"), set()),
        (HEAD43 + COLUMNS + LINE.format("NOTE=50% sure"), {"VCF-SPEC-020"}),
        (HEAD43 + COLUMNS + LINE.format("NOTE=a%3b"), {"VCF-SPEC-020"}),
        (HEAD43 + COLUMNS + LINE.format("1X=1"), {"VCF-SPEC-020"}),
        (HEAD43 + COLUMNS.replace("\n", "\r\n") + LINE.format("NOTE=a").replace("\n", "\r\n"), set()),
        ((HEAD43 + COLUMNS + LINE.format("NOTE=a")).rstrip("\n"), {"VCF-SPEC-002"}),
        (HEAD43 + HEAD43.splitlines()[1] + "\n" + COLUMNS + LINE.format("."), {"VCF-SPEC-004"}),
        (HEAD43 + "##contig=<ID=*1>\n" + COLUMNS + LINE.format("."), {"VCF-SPEC-008"}),
        (HEAD43 + '##ALT=<ID=own"#=?,Description="x">\n' + COLUMNS + LINE.format("."), set()),
        (HEAD43 + '##ALT=<ID=own,Number=1,Description="x">\n' + COLUMNS + LINE.format("."), {"VCF-SPEC-007"}),
        (HEAD43 + COLUMNS + LINE.format("DP=-2147483648"), {"VCF-SPEC-020"}),
        (HEAD43 + '##X=<Key="no id">\n' + COLUMNS + LINE.format("."), {"VCF-SPEC-003"}),
        (HEAD43 + COLUMNS + LINE.format(".").replace("1\t10", "HLA-A*01:01\t10"), set()),
        ((HEAD43 + COLUMNS + LINE.format("NOTE=\xe6")).encode("latin-1"), {"VCF-SPEC-002"}),
        (HEAD43 + COLUMNS + LINE.format("NOTE=æøå"), set()),
        ("##fileformat=VCFv4.2\n" + COLUMNS.replace("\n", "\r\n"), {"VCF-SPEC-002", "VCF-SPEC-025"}),
        ("##fileformat=VCFv4.5\n" + COLUMNS, {"VCF-SPEC-026"}),
    ],
)
def test_version_4_3_has_its_own_rules(text, rules, tmp_path):
    assert spec_rules(text, tmp_path) == rules


@pytest.mark.parametrize(
    ("data", "rule"),
    [
        (b"", "VCF-SPEC-001"),
        (b"\x00" * 5000, "VCF-SPEC-001"),
        (bytes(range(256)) * 50, "VCF-SPEC-001"),
        (b"##fileformat=VCFv4.2\n", "VCF-SPEC-010"),
        (b"\x1f\x8b" + b"\x07" * 500, "VCF-SPEC-002"),
        (EOF_BLOCK, "VCF-SPEC-001"),
        (bgzf(("##fileformat=VCFv4.2\n" + COLUMNS).encode())[:-40], "VCF-SPEC-002"),
        (b"##fileformat=VCFv4.2\n#CHROM\tPOS\n1\t2\n", "VCF-SPEC-010"),
        (f"##fileformat=VCFv4.2\n{COLUMNS}{LINE.format('A=' + chr(0))}".encode(), "VCF-SPEC-002"),
    ],
)
def test_what_is_no_vcf_gives_findings_and_no_traceback(data, rule, tmp_path):
    assert rule in spec_rules(data, tmp_path)


def test_a_header_line_of_100_mb_is_refused_without_reading_it_all(tmp_path):
    path = tmp_path / "long.vcf"
    with path.open("wb") as handle:
        handle.write(b"##fileformat=VCFv4.2\n##source=")
        for _ in range(100):
            handle.write(b"x" * 1_000_000)
    (finding,) = vcf.check_vcf(path, spec_only=True)
    assert finding.rule == "VCF-SPEC-002"
    assert "not read further" in finding.evidence


def test_a_compressed_file_that_expands_without_end_is_refused(tmp_path):
    line = f"1\t10\t{'x' * 60_000}\tA\t<DEL>\t.\t.\t.\n".encode()
    path = tmp_path / "bomb.vcf.gz"
    path.write_bytes(bgzf(("##fileformat=VCFv4.2\n" + COLUMNS).encode(), eof=False) + bgzf(line, eof=False) * 1300)
    findings = list(vcf.check_vcf(path, spec_only=True))
    assert any("expands more than" in finding.evidence for finding in findings)


def test_a_million_contigs_are_refused_in_bounded_memory(tmp_path):
    text = "##fileformat=VCFv4.2\n" + "".join(f"##contig=<ID=c{at}>\n" for at in range(250_000)) + COLUMNS
    assert "VCF-SPEC-002" in spec_rules(text, tmp_path)


@pytest.mark.parametrize(
    "line",
    [
        "1\t10\t.\tA\t" + ",".join(["C"] * 300_000) + "\t.\t.\t.\tGT:PL\t0/1:0",
        "1\t10\t.\tA\tC\t.\t.\t" + ";".join(f"K{at}={at}" for at in range(200_000)) + "\tGT:PL\t0/1:0,0,0",
        "1\t10\t.\tA\t" + ",".join(["C"] * 50_000) + "\t.\t.\t.\tGT:PL\t" + "/".join(["0"] * 50_000) + ":0",
        "1\t10\t.\tA\tC\t.\t.\t.\t" + ":".join(f"K{at}" for at in range(200_000)) + "\t.",
    ],
    ids=["alleles", "info", "ploidy", "format"],
)
def test_a_record_made_to_be_long_is_judged_in_bounded_time(line, tmp_path):
    head = "##fileformat=VCFv4.2\n" + COLUMNS.rstrip("\n") + "\tFORMAT\tS\n"
    started = time.process_time()
    spec_rules(head + line + "\n", tmp_path)
    assert time.process_time() - started < 20


@pytest.mark.parametrize("end", ["99\u00b9", "\u00b299", "\u0663\u0663", "-5", "9" * 5000, "x", ""])
def test_an_end_that_is_no_number_is_a_finding(end, profile, fasta, tmp_path):
    case = conforming(profile, "gvcf")
    at = next(at for at, line in enumerate(case.records) if "END=" in line)
    case.records[at] = re.sub("END=[0-9]+", f"END={end}", case.records[at])
    path = write(case, tmp_path)
    found = vcf.check_vcf(path, profile, kind="gvcf", sample=SAMPLE, sex="male", reference=fasta)
    assert "VCF-SPEC-020" in {finding.rule for finding in found}


def test_many_small_members_of_gzip_take_time_in_proportion(tmp_path):
    path = tmp_path / "members.vcf.gz"
    head = gzip.compress(("##fileformat=VCFv4.2\n" + COLUMNS).encode())
    path.write_bytes(head + gzip.compress(b"") * 200_000)
    started = time.process_time()
    assert {finding.rule for finding in vcf.check_vcf(path, spec_only=True)} == {"VCF-SPEC-025"}
    assert time.process_time() - started < 10


@pytest.mark.parametrize("start", ["##fileformat=VCFv9.9\n", "no VCF\n", "##fileformat=VCFv4.2\n"])
def test_the_header_is_handed_on_also_where_the_file_is_not_judged_further(start, tmp_path):
    path = tmp_path / "header.vcf.gz"
    text = start + "##source=x\n" * 200_000 + COLUMNS + "1\t10\t.\tA\tC\t.\t.\t.\n"
    path.write_bytes(bgzf(text.encode()))
    digests: dict[str, str | None] = {}
    list(vcf.check_vcf(path, spec_only=True, digests=digests))
    if start.startswith("#"):
        assert digests["header"] == text[: text.index("1\t10")]
    assert digests["sha256"] == hashlib.sha256(path.read_bytes()).hexdigest()


def test_plain_gzip_is_read_but_is_no_container(profile, fasta, tmp_path):
    path = write(conforming(profile), tmp_path)
    path.write_bytes(gzip.compress(conforming(profile).text()))
    os.utime(f"{path}.tbi")
    findings = list(vcf.check_vcf(path, profile, sample=SAMPLE, sex="male", reference=fasta))
    assert {finding.rule for finding in findings} == {"NGC-VCF-001"}


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_changed_bytes_give_findings_and_both_paths_agree(data, profile, fasta, tmp_path):
    kind = data.draw(st.sampled_from(["vcf", "gvcf"]))
    text = bytearray(conforming(profile, kind).text())
    start = text.index(b"#CHROM") if data.draw(st.booleans()) else 0
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(start, len(text) - 1))
        piece = data.draw(
            st.one_of(st.binary(max_size=2), st.sampled_from([bytes([value]) for value in b"\t\n.,;=:0N<"]))
        )
        text[at : at + data.draw(st.integers(0, 2))] = piece
    path = tmp_path / "fuzz.vcf"
    path.write_bytes(bytes(text))
    results = []
    for fast in (True, False):
        vcf.MIN_FAST, kept = 1, vcf.MIN_FAST
        try:
            results.append(
                list(vcf.check_vcf(path, profile, kind=kind, sample=SAMPLE, sex="male", reference=fasta, fast=fast))
            )
        finally:
            vcf.MIN_FAST = kept
    assert results[0] == results[1]


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(at=st.integers(0, 3000), value=st.integers(0, 255))
def test_changed_compressed_bytes_give_findings_only(at, value, profile, tmp_path):
    data = bytearray(bgzf(conforming(profile).text(), size=500))
    data[at % len(data)] = value
    path = tmp_path / "fuzz.vcf.gz"
    path.write_bytes(bytes(data))
    list(vcf.check_vcf(path, profile))
