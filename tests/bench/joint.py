"""The joint step of families of two to six, and GenomicsDBImport in the place of CombineGVCFs."""

from __future__ import annotations

import random
import shlex
import subprocess
from collections.abc import Iterator
from pathlib import Path

import measure as m

LENGTH = 3_000_000  # bp, a thousandth of a genome
BLOCK = 8  # mean length of a reference block, as in the gVCFs of the simulated trio
SPACING = 500  # bp between the places where somebody of a population differs
SIZES = range(2, 7)
GATK = ("gatk", "--java-options", "-Xmx3400m")  # as the rules have it
HEADER = """##fileformat=VCFv4.2
##ALT=<ID=NON_REF,Description="Any other allele">
##INFO=<ID=END,Number=1,Type=Integer,Description="Last position of the block">
##INFO=<ID=DP,Number=1,Type=Integer,Description="Depth">
##INFO=<ID=RAW_MQandDP,Number=2,Type=Integer,Description="Mapping quality and depth">
##FORMAT=<ID=GT,Number=1,Type=String,Description="Genotype">
##FORMAT=<ID=AD,Number=R,Type=Integer,Description="Depth of each allele">
##FORMAT=<ID=DP,Number=1,Type=Integer,Description="Depth">
##FORMAT=<ID=GQ,Number=1,Type=Integer,Description="Genotype quality">
##FORMAT=<ID=MIN_DP,Number=1,Type=Integer,Description="Least depth">
##FORMAT=<ID=PL,Number=G,Type=Integer,Description="Likelihoods">
##FORMAT=<ID=SB,Number=4,Type=Integer,Description="Counts by strand">
##contig=<ID=chr1,length={length}>
#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\tFORMAT\t{sample}
"""


def run(place: Path) -> Iterator[str]:
    """CPU, wall and memory of each step by the size of the family; the two ways give the same number of records."""
    yield "## Joint step\n"
    place = place / "joint"
    place.mkdir()
    gvcfs = write_family(place, max(SIZES))
    rows, other = [], []
    for size in SIZES:
        chosen, folder = gvcfs[:size], place / str(size)
        folder.mkdir()
        bed, combined, joint = folder / "sites.bed", folder / "combined.g.vcf.gz", folder / "joint.vcf.gz"
        cut = [folder / gvcf.name for gvcf in chosen]
        sites = "; ".join(
            f"bcftools query -e N_ALT==1 -f '%CHROM\\t%POS0\\t%END\\n' {shlex.quote(str(g))}" for g in chosen
        )
        select = [f"{{ {sites}; }} | sort -u -k 1,1 -k 2,2n -k 3,3n > {shlex.quote(str(bed))}"]
        select += [
            shlex.join(["bcftools", "view", "-T", str(bed), "--targets-overlap", "1", "-Oz", "-o", str(b), str(a)])
            + f" && tabix -p vcf {shlex.quote(str(b))}"
            for a, b in zip(chosen, cut, strict=True)
        ]
        each = [word for gvcf in cut for word in ("-V", str(gvcf))]
        fasta = ["-R", str(place / "genome.fa")]
        used = [
            m.meter(["bash", "-c", " && ".join(select)], folder / "log"),
            m.meter([*GATK, "CombineGVCFs", *fasta, *each, "-O", str(combined)], folder / "log"),
            m.meter([*GATK, "GenotypeGVCFs", *fasta, "-V", str(combined), "-O", str(joint)], folder / "log"),
        ]
        rows.append([f"{size}: {records(joint)} records", *map(figures, used)])
        if size in (min(SIZES), 3, max(SIZES)):
            base, again = folder / "base", folder / "again.vcf.gz"
            imports = [*GATK, "GenomicsDBImport", *each, "--genomicsdb-workspace-path", str(base), "-L", "chr1"]
            used = [
                m.meter(imports, folder / "log"),
                m.meter([*GATK, "GenotypeGVCFs", *fasta, "-V", f"gendb://{base}", "-O", str(again)], folder / "log"),
            ]
            if records(again) != records(joint):
                raise RuntimeError(f"{records(joint)} joint records, {records(again)} after GenomicsDBImport")
            other.append([f"{size}: {records(again)} records", *map(figures, used)])
    yield f"gVCFs of {LENGTH / 1e6:.0f} Mb (a thousandth of a genome) with a record each {BLOCK} bp, drawn; some"
    yield f"{LENGTH // SPACING:,} places where people differ. CPU s / wall s / MB; GATK's start is part of each.\n"
    yield m.table(["people", "bcftools, of all", "CombineGVCFs", "GenotypeGVCFs"], rows)
    yield m.table(["people", "GenomicsDBImport", "GenotypeGVCFs"], other)


def figures(used: m.Usage) -> str:
    return f"{used.cpu:.1f} / {used.wall:.1f} / {used.rss:.0f}"


def records(vcf: Path) -> int:
    return len(m.tool("bcftools", "query", "-f", "x", vcf))


def write_family(place: Path, people: int) -> list[Path]:
    """A contig and the gVCF of each of `people` who differ from it at places that they share, three copies in ten."""
    rng = random.Random(20261123)
    bases = "".join(rng.choices("ACGT", k=LENGTH))
    fasta = place / "genome.fa"
    fasta.write_text(">chr1\n" + "".join(f"{bases[at : at + 60]}\n" for at in range(0, LENGTH, 60)))
    m.tool("samtools", "faidx", fasta)
    m.tool("samtools", "dict", fasta, "-o", fasta.with_suffix(".dict"))
    places = {at: rng.choice("ACGT".replace(bases[at], "")) for at in range(SPACING, LENGTH - 1, SPACING)}
    paths = []
    for number in range(people):
        path = place / f"P{number}.g.vcf.gz"
        with path.open("wb") as out:
            packed = subprocess.Popen(["bgzip", "-c"], stdin=subprocess.PIPE, stdout=out, text=True)
            packed.stdin.write(HEADER.format(length=LENGTH, sample=f"P{number}"))
            packed.stdin.writelines(person(bases, places, rng))
            packed.stdin.close()
            packed.wait()
        m.tool("tabix", "-p", "vcf", path)
        paths.append(path)
    return paths


def person(bases: str, places: dict[int, str], rng: random.Random) -> Iterator[str]:
    """Lines of a person's gVCF."""
    at = 0
    while at < len(bases):
        copies = (rng.random() < 0.3) + (rng.random() < 0.3) if at in places else 0
        if copies:
            pl = "800,0,700,850,750,1600" if copies == 1 else "1600,99,0,1600,99,1600"
            ad = "17,18,0" if copies == 1 else "0,35,0"
            genotype = ("0/1", "1/1")[copies - 1]
            yield f"chr1\t{at + 1}\t.\t{bases[at]}\t{places[at]},<NON_REF>\t700\t.\tDP=35;RAW_MQandDP=126000,35\t"
            yield f"GT:AD:DP:GQ:PL:SB\t{genotype}:{ad}:35:99:{pl}:8,9,9,9\n"
            at += 1
            continue
        end = min(len(bases), at + rng.randint(1, 2 * BLOCK - 1))
        end = next((place for place in range(at + 1, end) if place in places), end)
        depth = rng.randint(28, 40)
        yield f"chr1\t{at + 1}\t.\t{bases[at]}\t<NON_REF>\t.\t.\tEND={end}\tGT:DP:GQ:MIN_DP:PL\t"
        yield f"0/0:{depth}:{3 * depth - 20}:{depth}:0,{3 * depth - 20},{30 * depth}\n"
        at = end
