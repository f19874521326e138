#!/usr/bin/env python3
"""Recall and precision of calls against a truth VCF, record by record.

    compare_truth.py TRUTH.vcf.gz CALLS.vcf.gz --reference genome.fa [--bed REGIONS] [--sample NAME] [--misses FILE]

Both are split, decomposed into primitive alleles and left-aligned by `bcftools norm`; a truth record is found when the
calls have the same CHROM, POS, REF and ALT with FILTER PASS or none. Genotypes do not decide that: their agreement over
the found records is reported apart (alleles without phase; the haploid 1 is not the diploid 1/1). Records count inside
the BED by POS. Symbolic and spanning-deletion alleles are left out.

Exact records are compared, not haplotypes: where several variants lie together, two spellings of one haplotype count as
missed and as false. So the figures are a lower bound; a haplotype-aware tool (aardvark, hap.py) gives the field's own.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from pathlib import Path

Key = tuple[str, int, str, str]  # CHROM, POS, REF, ALT


def run(*command: str | Path, stdin: bytes | None = None) -> bytes:
    """Standard output of a tool; a RuntimeError with its messages where it fails."""
    words = [str(word) for word in command]
    done = subprocess.run(words, input=stdin, capture_output=True, check=False)
    if done.returncode:
        raise RuntimeError(f"{' '.join(words)} ended with {done.returncode}:\n{done.stderr.decode().strip()}")
    return done.stdout


def choose_sample(vcf: Path, sample: str | None) -> str:
    """`sample` where the VCF has it, else its only one; a ValueError where that leaves a choice."""
    names = run("bcftools", "query", "-l", vcf).decode().split()
    if sample in names:
        return sample
    if len(names) == 1:
        return names[0]
    raise ValueError(f"{vcf}: has {len(names)} samples; name one of them with --sample")


def read_records(vcf: Path, reference: Path, bed: Path | None, sample: str | None) -> dict[Key, str]:
    """Genotype by normalised record that the sample carries; one met twice keeps the GT with more copies."""
    one = run("bcftools", "view", "--no-version", "-Ou", "-f", "PASS,.", "-s", choose_sample(vcf, sample), vcf)
    split = run(
        "bcftools", "norm", "--no-version", "-Ou", "-m", "-both", "--atomize", "--atom-overlaps", ".", "-", stdin=one
    )
    aligned = run("bcftools", "norm", "--no-version", "-Ou", "--check-ref", "e", "-f", reference, "-", stdin=split)
    inside = ["--targets-file", bed, "--targets-overlap", "0"] if bed else []
    kept = run("bcftools", "view", "--no-version", "-Ou", *inside, "-", stdin=aligned)
    text = run("bcftools", "query", "-f", "%CHROM\t%POS\t%REF\t%ALT[\t%GT]\n", "-", stdin=kept).decode()
    records: dict[Key, str] = {}
    for line in text.splitlines():
        chrom, pos, ref, alt, gt = line.split("\t")
        if alt == "*" or alt.startswith("<") or "[" in alt or "]" in alt:
            continue
        key = (chrom, int(pos), ref.upper(), alt.upper())
        # Beside this ALT stands a missing allele where the other copy carries another ALT of the site.
        plain = "/".join(sorted("0" if allele == "." else allele for allele in gt.replace("|", "/").split("/")))
        if plain.count("1") > records.get(key, "").count("1"):
            records[key] = plain
    return records


def kind(key: Key) -> str:
    return "snv" if len(key[2]) == len(key[3]) == 1 else "indel"


def share(part: int, whole: int) -> float | None:
    return round(part / whole, 5) if whole else None


def compare(truth: dict[Key, str], calls: dict[Key, str]) -> dict[str, dict]:
    """Counts, recall, precision and genotype concordance for SNVs and indels; a share of nothing is null."""
    result = {}
    for wanted in ("snv", "indel"):
        true = {key for key in truth if kind(key) == wanted}
        called = {key for key in calls if kind(key) == wanted}
        found = true & called
        agree = sum(truth[key] == calls[key] for key in found)
        result[wanted] = {
            "truth": len(true),
            "calls": len(called),
            "found": len(found),
            "missed": len(true - called),
            "false": len(called - true),
            "recall": share(len(found), len(true)),
            "precision": share(len(found), len(called)),
            "genotypes_agree": agree,
            "genotype_concordance": share(agree, len(found)),
        }
    return result


def by_place(truth: dict[Key, str], calls: dict[Key, str], pars: list[tuple[str, int, int]]) -> dict[str, dict]:
    """Records of each contig and of the pseudoautosomal regions: in truth, called, and called with the true genotype.

    pars: contig, start, end, 0-based half-open. A haploid genotype and the same one diploid are two.
    """
    result: dict[str, dict] = {}
    for key in truth.keys() | calls.keys():
        par = any(key[0] == contig and start < key[1] <= end for contig, start, end in pars)
        counts = result.setdefault("PAR" if par else key[0], {"truth": 0, "calls": 0, "right": 0})
        counts["truth"] += key in truth
        counts["calls"] += key in calls
        counts["right"] += key in truth and truth[key] == calls.get(key)
    return dict(sorted(result.items()))


def misses(truth: dict[Key, str], calls: dict[Key, str]) -> list[str]:
    """One line per record that is missed, false, or has another genotype, in order of place."""
    lines = []
    for key in sorted(truth.keys() | calls.keys()):
        if truth.get(key) != calls.get(key):
            what = "missed" if key not in calls else "false" if key not in truth else "genotype"
            lines.append(
                "\t".join([what, key[0], str(key[1]), key[2], key[3], truth.get(key, "."), calls.get(key, ".")])
            )
    return lines


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("truth", type=Path)
    parser.add_argument("calls", type=Path)
    parser.add_argument("--reference", type=Path, required=True, help="FASTA with .fai, that of both VCFs")
    parser.add_argument("--bed", type=Path, help="count records whose POS lies in it")
    parser.add_argument("--sample", help="sample to compare, needed where a VCF has several")
    parser.add_argument("--misses", type=Path, help="TSV to write: what, CHROM, POS, REF, ALT, true GT, called GT")
    args = parser.parse_args(arguments)
    try:
        truth, calls = (read_records(vcf, args.reference, args.bed, args.sample) for vcf in (args.truth, args.calls))
    except (RuntimeError, ValueError) as error:
        print(f"compare_truth: {error}", file=sys.stderr)
        return 2
    if args.misses:
        args.misses.write_text(
            "".join(line + "\n" for line in ["what\tchrom\tpos\tref\talt\ttruth\tcalled", *misses(truth, calls)])
        )
    print(json.dumps(compare(truth, calls), indent=1))
    return 0


if __name__ == "__main__":
    sys.exit(main())
