#!/usr/bin/env python3
"""What it costs a case to look at all other cases of a large run; a Markdown report on standard output.

    peers.py [--cases N] [--work FOLDER]

Tables, intake reports, genotypes and fingerprints of N single cases of eight lanes are made up (12,000 sites, as in a
genome), then the steps that read those of other cases are run for one case, each by itself. Takes some minutes, most
of them to make the data.
"""

from __future__ import annotations

import argparse
import gzip
import hashlib
import json
import os
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

import measure as m
import numpy as np
import polars
import pysam
import yaml

sys.path.insert(0, str(m.REPOSITORY / "scripts"))
from ngc_wgs import identity

LANES, SITES, SEED = 8, 12_000, 5
CONTIGS = {f"chr{number}": 250_000_000 for number in range(1, 23)}
CELLS = (
    (b"0/0:0,9,80", b"0/0:0,12,100", b"0/0:0,15,120"),
    (b"0/1:60,0,60", b"0/1:40,0,75", b"0/1:80,0,30"),
    (b"1/1:80,9,0", b"1/1:100,12,0", b"1/1:120,15,0"),
)
SCRIPT = """import json, os, sys
from types import SimpleNamespace as Names
made = json.load(sys.stdin)
def names(value):
    return Names(**value) if isinstance(value, dict) else value
job = Names(**{key: names(value) for key, value in made.items()})
job.params.limits = made["params"]["limits"]
exec(compile(open(sys.argv[1]).read(), sys.argv[1], "exec"), {"snakemake": job})
"""


def name(number: int) -> str:
    """Pseudonym of a sample."""
    return f"S{number:04d}BENCH"


def make(folder: Path, cases: int) -> None:
    """All that the cases of a run leave for each other."""
    rng = np.random.default_rng(SEED)
    here, intake = folder / "results" / "identity", folder / "results" / "intake"
    for path in (here / "sites", intake, folder / "out"):
        path.mkdir(parents=True)
    each = -(-SITES // len(CONTIGS))
    places = [(contig, 1000 + 250_000 * number) for contig in CONTIGS for number in range(each)][:SITES]
    frequency = rng.uniform(0.4, 0.6, SITES)
    frame = polars.DataFrame(places, schema=["chrom", "pos"], orient="row").with_columns(
        ref=polars.lit("A"), alt=polars.lit("C"), af=polars.Series(frequency)
    )
    (here / "sites" / "haplotype_map.txt").write_text(identity.haplotype_map(frame, CONTIGS))
    with gzip.open(here / "sites" / "alleles.tsv.gz", "wt") as file:
        file.writelines(f"{contig}\t{pos}\tA,C\n" for contig, pos in places)
    head = ["##fileformat=VCFv4.2", *(f"##contig=<ID={contig},length={size}>" for contig, size in CONTIGS.items())]
    head.append('##FORMAT=<ID=GT,Number=1,Type=String,Description="Genotype">')
    head.append('##FORMAT=<ID=PL,Number=G,Type=Integer,Description="Likelihoods">')
    cells, digest = np.array(CELLS), identity.digest(repr(places))
    people = []
    for number in range(cases):
        sample = name(number)
        genotypes = (rng.random((SITES, 2)) < frequency[:, None]).sum(axis=1)
        drawn = cells[genotypes[:, None], rng.integers(3, size=(SITES, LANES))]
        units = [f"{sample}.LIB1.F1.L{lane + 1}" for lane in range(LANES)]
        lines = ["\t".join(["#CHROM", "POS", "ID", "REF", "ALT", "QUAL", "FILTER", "INFO", "FORMAT", *units])]
        for (contig, pos), row in zip(places, drawn, strict=True):
            lines.append(f"{contig}\t{pos}\t.\tA\tC\t.\t.\t.\tGT:PL\t" + b"\t".join(row.tolist()).decode())
        plain = here / f"{sample}.fingerprint.vcf"
        plain.write_text("\n".join([*head, *lines]) + "\n")
        pysam.tabix_index(str(plain), preset="vcf", force=True)
        own = {"lanes": units, "genotypes": "".join(map(str, genotypes))}
        report = {"case": f"CASE{sample}", "sites": SITES, "sites_sha256": digest, "samples": {sample: own}}
        (here / f"CASE{sample}.genotypes.json").write_text(json.dumps(report) + "\n")
        for unit in units:
            sums = [hashlib.sha256(f"{unit} {read}".encode()).hexdigest() for read in (1, 2)]
            fastq = [
                {"read": read, "reads": 10**8, "sha256": text, "content_sha256": text[::-1], "rest": "x" * 1500}
                for read, text in enumerate(sums, start=1)
            ]
            text = json.dumps({"unit": unit, "status": "accepted", "findings": [], "fastq": fastq}, indent=2)
            (intake / f"{unit}.json").write_text(text)
        fixed = {"flowcell": "F1", "pcr_free": "yes"}
        lanes = [
            {**fixed, "lane": str(lane + 1), **{f"fq{read}": f"{unit}_R{read}.fq.gz" for read in (1, 2)}}
            for lane, unit in enumerate(units)
        ]
        people.append((sample, "female", lanes))
    m.write_tables(folder, people)


def script(folder: Path, what: str, inputs: object, outputs: object) -> m.Usage:
    """An entry script of the workflow on the first case."""
    profile = yaml.safe_load((m.REPOSITORY / "config" / "profile" / "ngc-provisional.yaml").read_text())
    limits = {key: profile["metrics"][key]["parameters"] for key in ("identity_concordance", "kinship_concordance")}
    job = {
        "log": ["out/log"],
        "wildcards": {"case": f"CASE{name(0)}"},
        "config": {},
        "scriptdir": str(m.REPOSITORY / "scripts"),
        "params": {"tables": ["cases.tsv", "samples.tsv", "units.tsv"], "limits": limits},
        "input": inputs,
        "output": outputs,
    }
    (folder / "out" / "job.json").write_text(json.dumps(job))
    path = m.REPOSITORY / "scripts" / f"{what}.py"
    words = 'cd "$0" && exec "$1" -c "$2" "$3" < out/job.json'
    environment = {**os.environ, "PYTHONPATH": str(m.REPOSITORY / "scripts")}
    return m.meter(["bash", "-c", words, str(folder), sys.executable, SCRIPT, str(path)], folder / "log", environment)


def crosscheck(folder: Path, peers: Sequence[str] | None, heap: str = "3400m") -> m.Usage:
    """Picard for the first case against other samples; None: against those that identity_peers chose."""
    if peers is not None:
        (folder / "out" / "some.list").write_text(
            "".join(f"results/identity/{peer}.fingerprint.vcf.gz\n" for peer in peers)
        )
    words = (
        f'cd "$0" && exec gatk --java-options "-Xmx{heap} -XX:+UseSerialGC" CrosscheckFingerprints --INPUT out/own.list'
        f" --SECOND_INPUT out/{'peers' if peers is None else 'some'}.list --CROSSCHECK_MODE CHECK_ALL_OTHERS"
        " --CROSSCHECK_BY READGROUP --HAPLOTYPE_MAP results/identity/sites/haplotype_map.txt"
        " --OUTPUT out/crosscheck.txt --EXIT_CODE_WHEN_MISMATCH 0 --EXIT_CODE_WHEN_NO_VALID_CHECKS 0"
        " --VERBOSITY ERROR --QUIET true"
    )
    return m.meter(["bash", "-c", words, str(folder)], folder / "log")


def report(folder: Path, cases: int) -> Iterator[str]:
    """All steps of the first case, and Picard against more and more samples."""
    make(folder, cases)
    sample, here = name(0), "results/identity"
    genotypes = f"{here}/CASE{sample}.genotypes.json"
    made = {key: f"out/{key}" for key in ("vcf", "pairs", "own", "peers")}
    intake = [f"results/intake/{sample}.LIB1.F1.L{lane + 1}.json" for lane in range(LANES)]
    own = {"fingerprints": [f"{here}/{sample}.fingerprint.vcf.gz"], "alleles": f"{here}/sites/alleles.tsv.gz"}
    used = {
        "intake_gate": script(folder, "intake_gate", intake, ["out/accepted"]),
        "identity_peers": script(folder, "identity_peers", {**own, "known": []}, {"genotypes": genotypes, **made}),
    }
    chosen = len((folder / "out" / "peers").read_text().splitlines())
    for key in ("own", "peers"):
        (folder / "out" / key).rename(folder / "out" / f"{key}.list")
    used[f"picard_crosscheck_fingerprints, {chosen} samples"] = crosscheck(folder, None)
    words = 'cd "$0" && exec plink2 --vcf out/vcf --allow-extra-chr --threads 1 --memory 2000 --make-king-table'
    words += " --king-table-subset out/pairs --out out/king"
    used["plink2_king"] = m.meter(["bash", "-c", words, str(folder)], folder / "log")
    inputs = {"crosscheck": "out/crosscheck.txt", "king": "out/king.kin0", "genotypes": genotypes}
    used["identity"] = script(folder, "identity", inputs, ["out/identity.json"])
    yield f"## A case among {cases:,}, {cases * LANES:,} lanes, {SITES:,} sites\n"
    yield m.table(
        ["step", "CPU s", "peak MB"],
        ([what, f"{usage.cpu:.1f}", f"{usage.rss:.0f}"] for what, usage in used.items()),
    )
    yield "A peak below that of this benchmark itself, some 100 MB, is not seen.\n"
    sizes = [(folder / "out" / name).stat().st_size / 1e6 for name in ("king.kin0", "identity.json")]
    yield "plink2's table has {:.2f} MB, the report {:.2f}. Picard, were it given more samples:\n".format(*sizes)
    everybody = [name(number) for number in range(cases)]
    for count in sorted({-(-cases // 80), -(-cases // 8), cases}):
        try:
            usage = crosscheck(folder, everybody[:count])
            said = f"{usage.cpu:.1f} CPU s, {usage.rss:.0f} MB"
        except RuntimeError:
            said = "failed with 3.4 GB of heap: " + (folder / "log").read_text().strip().splitlines()[-1]
        size = (folder / "out" / "crosscheck.txt").stat().st_size / 1e6
        yield f"* {count} samples, {count * LANES} lanes: {said}, a table of {size:.1f} MB"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--cases", type=int, default=1000)
    parser.add_argument("--work", type=Path, help="an empty folder, kept; else one that goes away")
    args = parser.parse_args()
    print(f"# A large run\n\n{m.machine()}\n", flush=True)
    with m.workplace(args.work) as place:
        for text in report(place, args.cases):
            print(text, flush=True)


if __name__ == "__main__":
    main()
