#!/usr/bin/env python3
"""Both caller modes on reads with a known truth, through the workflow itself; a Markdown report on standard output.

    callers.py [--only DATASET ...] [--work FOLDER]

Exact records are compared (tests/simulate/compare_truth.py), so every figure is a lower bound of what a haplotype-aware
comparison gives. The alignments are made once; for the second mode only `calling.mode` changes, and the workflow calls
again. Each mode is scored with its soft filters (PASS only) and without, and the dragen mode once more with GATK's own
threshold for genotyping, 30, in place of the workflow's 3.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import measure as m
import yaml
from compare_truth import compare, kind, read_records

MODES = ("default", "dragen")


@dataclass(frozen=True)
class Truth:
    """Known variants of a sample in regions of a data set; paths below the data set's folder or DATA.

    bed: a path that ends in .bed, or the text. other, other_sample: another call set of the same person, wider than the
    truth: a false call that it holds is most likely a true variant which the truth does not cover.
    """

    sample: str
    vcf: str
    where: str
    bed: str
    other: str | None = None
    other_sample: str | None = None


@dataclass(frozen=True)
class DataSet:
    """make: lays it out; truths: what of it is known; samples: whom to call, those without a truth too."""

    make: Callable[[Path], None]
    samples: tuple[str, ...]
    truths: tuple[Truth, ...]


def lines(path: str) -> str:
    return (m.DATA / path).read_text() if (m.DATA / path).is_file() else ""


TEN_KB = "chr20\t5000\t15000\n"
CONFIDENT = "na12878_chr20/truth_confident_first10kb.bed"
# From the first to the last variant of the truth: it came without its confident regions.
SPAN_CHR22 = "chr22\t1200\t38200\n"
DEMO_TRUTHS = tuple(
    Truth(person.sample, f"truth/{person.sample}.vcf.gz", f"{person.sex}, {what}", bed)
    for person in (m.make_demo.FEMALE, m.make_demo.MALE)
    for what, bed in (("whole genome", "truth/genome.bed"), ("unique sequence", "truth/unique.bed"))
)
SETS = {
    "na12878_chr20": DataSet(
        m.na12878,
        ("NA12878CHR20",),
        (
            Truth(
                "NA12878CHR20",
                "na12878_chr20/truth.vcf.gz",
                "100 kb, precision a lower bound",
                "chr20\t5000\t105000\n",
                "trio_ceu_10kb/truth_child.vcf.gz",  # the same person, in the first 10 kb of these
                "HG001",
            ),
            Truth("NA12878CHR20", "na12878_chr20/truth.vcf.gz", "its first 10 kb, confident", lines(CONFIDENT)),
        ),
    ),
    "trio_ceu_10kb": DataSet(
        lambda folder: m.real_data(folder, m.CHR20, m.TRIO, TEN_KB),
        tuple(library.sample for library in m.TRIO),
        (Truth("HG001CHILD", "trio_ceu_10kb/truth_child.vcf.gz", "child, confident", lines(CONFIDENT)),),
    ),
    "unrelated": DataSet(
        lambda folder: m.real_data(folder, m.CHR22, m.UNRELATED, SPAN_CHR22),
        ("NA12878CHR22",),
        (
            Truth(
                "NA12878CHR22",
                "unrelated/NA12878_GIABv4.2.1_chr22.vcf.gz",
                "37 kb, precision a lower bound",
                SPAN_CHR22,
                "unrelated/panel3202.vcf.gz",
                "NA12878",
            ),
        ),
    ),
    "demo": DataSet(m.demo, tuple(p.sample for p in (m.make_demo.FEMALE, m.make_demo.MALE)), DEMO_TRUTHS),
}  # fmt: skip


def set_mode(folder: Path, mode: str) -> None:
    """Change calling.mode of a data set's configuration, and nothing else."""
    path = folder / "config.yaml"
    config = yaml.safe_load(path.read_text())
    config["calling"]["mode"] = mode
    path.write_text(yaml.safe_dump(config, sort_keys=False))


def score(folder: Path, truth: Truth, vcf: Path, filtered: bool) -> dict[str, dict]:
    """Counts for SNVs and indels by `compare`, with `elsewhere`: false calls that the other call set holds.

    Unfiltered, every record of the VCF counts.
    """
    fasta, bed = folder / "reference" / "genome.fa", folder / "score.bed"
    text = (folder / truth.bed).read_text() if truth.bed.endswith(".bed") else truth.bed
    # The caller leaves the mitochondrion alone: it is not diploid.
    bed.write_text("".join(line for line in text.splitlines(keepends=True) if not line.startswith("chrM\t")))
    if not filtered:
        bare = folder / "bare.vcf.gz"
        m.tool("bcftools", "annotate", "--no-version", "-x", "FILTER", "-Oz", "-o", bare, vcf)
        vcf = bare
    known_vcf = folder / truth.vcf if (folder / truth.vcf).is_file() else m.DATA / truth.vcf
    known, calls = (read_records(path, fasta, bed, truth.sample) for path in (known_vcf, vcf))
    scores = compare(known, calls)
    if truth.other:
        other = read_records(m.DATA / truth.other, fasta, bed, truth.other_sample)
        confirmed = (calls.keys() - known.keys()) & other.keys()
        for wanted in scores:
            scores[wanted]["elsewhere"] = sum(kind(key) == wanted for key in confirmed)
    return scores


def genotype_at_30(folder: Path, sample: str) -> Path:
    """The sample's calls with GATK's own threshold, from the gVCF that the workflow kept, with the mode's filter."""
    raw, out = folder / "at30.raw.vcf.gz", folder / f"{sample}.at30.vcf.gz"
    gvcf = folder / "results" / "calling" / f"{sample}.variants.g.vcf.gz"
    java = ["--java-options", m.SMALL_JAVA]
    m.tool("gatk", *java, "GenotypeGVCFs", "-R", folder / "reference" / "genome.fa", "-V", gvcf, "-O", raw)
    config = yaml.safe_load((m.REPOSITORY / "config" / "config.yaml").read_text())
    (rule,) = config["calling"]["filters"]["dragen"]
    m.tool("bcftools", "filter", "--no-version", "-s", rule["id"], "-e", rule["expression"], "-Oz", "-o", out, raw)
    return out


def row(name: str, truth: Truth, mode: str, filters: str, scores: dict[str, dict]) -> list[object]:
    cells: list[object] = [f"{name}, {truth.where}", mode, filters]
    for counts in scores.values():
        shares = (f"{counts[key]:.4f}" if counts[key] is not None else "-" for key in ("recall", "precision"))
        known = f" ({counts['elsewhere']} known elsewhere)" if counts.get("elsewhere") else ""
        cells += [counts["truth"], counts["missed"], f"{counts['false']}{known}", *shares]
    return [*cells, sum(counts["found"] - counts["genotypes_agree"] for counts in scores.values())]


def against_inheritance(folder: Path, vcfs: dict[str, Path]) -> str:
    """PASS records of the trio's child that neither parent has, and ones both parents have twice and it lacks."""
    fasta, bed = folder / "reference" / "genome.fa", folder / "score.bed"
    bed.write_text(TEN_KB)
    child, father, mother = (read_records(vcfs[library.sample], fasta, bed, library.sample) for library in m.TRIO)
    new = child.keys() - father.keys() - mother.keys()
    lost = {key for key in father.keys() & mother.keys() if father[key] == mother[key] == "1/1"} - child.keys()
    return f"{len(child)} records of the child, {len(new)} in neither parent, {len(lost)} that it must have and lacks"


def report(place: Path, names: list[str]) -> Iterator[str]:
    """The tables of all data sets."""
    scores: list[list[object]] = []
    costs: list[list[object]] = []
    families: list[str] = []
    for name in names:
        data, folder = SETS[name], place / name
        data.make(folder)
        for mode in MODES:
            set_mode(folder, mode)
            vcfs = {sample: folder / "results" / "conform" / f"{sample}.vcf.gz" for sample in data.samples}
            # Kept, so that the genotyping can be repeated with another threshold.
            used = m.run_workflow(folder, "--notemp", targets=[str(vcf.relative_to(folder)) for vcf in vcfs.values()])
            steps = {part: cpu for part, cpu in used.parts.items() if part.startswith("gatk ") and "--" not in part}
            shown = ", ".join(f"{part.removeprefix('gatk ')} {cpu:.1f}" for part, cpu in sorted(steps.items()))
            costs.append([name, mode, f"{sum(steps.values()):.1f}", shown])
            for truth in data.truths:
                vcf = vcfs[truth.sample]
                passed, every = score(folder, truth, vcf, True), score(folder, truth, vcf, False)
                scores.append(row(name, truth, mode, "PASS" if passed != every else "PASS, or any", passed))
                if passed != every:
                    scores.append(row(name, truth, mode, "any", every))
                if mode == "dragen":
                    at30 = genotype_at_30(folder, truth.sample)
                    scores.append(row(name, truth, "dragen, threshold 30", "PASS", score(folder, truth, at30, True)))
            if name == "trio_ceu_10kb":
                families.append(f"* {mode}: {against_inheritance(folder, vcfs)}")
    yield (
        "Missed and false are counts of records; in brackets, false calls that a wider call set of the same person"
        " holds. The last column counts found records with another genotype. FILTER: PASS counts PASS records only,"
        " `any` all records; `PASS, or any`: the figures are the same.\n"
    )
    figures = ("true", "missed", "false", "recall", "precision")
    head = [f"{which} {figure}" for which in ("SNV", "indel") for figure in figures]
    yield m.table(["data set", "mode", "FILTER", *head, "genotype differs"], scores)
    if families:
        yield "The trio against inheritance, in its 10 kb, PASS only:\n"
        yield "\n".join(families) + "\n"
    yield "CPU seconds of GATK's calling steps, all samples of the set together:\n"
    yield m.table(["data set", "mode", "CPU s", "steps"], costs)


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--only", action="append", choices=SETS, metavar="DATASET", help=f"of {', '.join(SETS)}")
    parser.add_argument("--work", type=Path, help="an empty folder for the runs, kept; else one that goes away")
    args = parser.parse_args(arguments)
    print(f"# Caller modes\n\n{m.machine()}\n", flush=True)
    with m.workplace(args.work) as place:
        for text in report(place, args.only or list(SETS)):
            print(text, flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
