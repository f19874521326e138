#!/usr/bin/env python3
"""The germline run beside the field's usual chain on the same reads; a Markdown report on standard output.

    chains.py [--only na12878_chr20|simulated ...] [--megabases 10] [--cores 1] [--work FOLDER]

The chain is scripted here from the documentation of GATK's best practices and of nf-core/sarek, with the same tools:
bwa mem and samtools sort by lane, MarkDuplicates to a CRAM, BaseRecalibrator, ApplyBQSR, HaplotypeCaller with a gVCF,
GenotypeGVCFs. It is kept lean: no QC, no report, no workflow engine, one process a step. This workflow counts with all
of it: intake, QC, identity, gates, mitochondrion, report, packing, the checker.

Both run at the same time, each on its own core or cores, so that whatever else the machine does slows both alike.
"""

from __future__ import annotations

import argparse
import multiprocessing
import shlex
import sys
from collections.abc import Iterator
from multiprocessing.connection import Connection
from pathlib import Path

import measure as m
import yaml

# Known sites, for BaseRecalibrator: of the real set all its true variants, which is the best that it can be given.
KNOWN = {"na12878_chr20": m.DATA / "na12878_chr20" / "truth.vcf.gz", "simulated": Path("population/population.vcf.gz")}
GENOME_MB = sum(length for name, length in m.g.FULL.lengths.items() if name != "chrM") / 1e6
SPACING = 10_000  # bp between the sites of identity: some hundreds in all, as much a lane as a real genome has


def usual_chain(folder: Path, known: Path, threads: int) -> dict[str, str]:
    """Step: its shell command, for the one sample of a data set; all written to `folder`/usual."""
    out = folder / "usual"
    out.mkdir()
    fasta = shlex.quote(str(folder / "reference" / "genome.fa"))
    header, *rows = (line.split("\t") for line in (folder / "units.tsv").read_text().splitlines())
    units = [dict(zip(header, row, strict=True)) for row in rows]
    gatk = "gatk --java-options -Xmx3g"
    align, bams = [], []
    for unit in units:
        name = f"{unit['flowcell']}.{unit['lane']}"
        bams.append(f"{out}/{name}.bam")
        group = f"@RG\\tID:{name}\\tPU:{name}\\tSM:{unit['sample']}\\tLB:{unit['library']}\\tPL:ILLUMINA"
        reads = " ".join(shlex.quote(str(folder / unit[fq])) for fq in ("fq1", "fq2"))
        align.append(
            f"bwa mem -K 100000000 -Y -t {threads} -R {shlex.quote(group)} {fasta} {reads}"
            f" | samtools sort -@ {threads - 1} -T {out}/{name} -o {bams[-1]} -"
        )
    known_sites = f"--known-sites {shlex.quote(str(folder / known))}"
    return {
        "align and sort": " && ".join(align),
        "MarkDuplicates": f"{gatk} MarkDuplicates {' '.join(f'--INPUT {bam}' for bam in bams)} --OUTPUT {out}/md.bam"
        f" --METRICS_FILE {out}/md.metrics -REMOVE_DUPLICATES false -VALIDATION_STRINGENCY LENIENT"
        f" && samtools view -@ {threads - 1} -C -T {fasta} --write-index -o {out}/md.cram {out}/md.bam",
        "BaseRecalibrator": f"{gatk} BaseRecalibrator -I {out}/md.cram -R {fasta} {known_sites} -O {out}/recal.table",
        "ApplyBQSR": f"{gatk} ApplyBQSR -I {out}/md.cram -R {fasta} --bqsr-recal-file {out}/recal.table"
        f" -O {out}/recal.cram && samtools index {out}/recal.cram",
        "HaplotypeCaller": f"{gatk} HaplotypeCaller -I {out}/recal.cram -R {fasta} -ERC GVCF"
        f" --native-pair-hmm-threads {threads} -O {out}/calls.g.vcf.gz",
        "GenotypeGVCFs": f"{gatk} GenotypeGVCFs -V {out}/calls.g.vcf.gz -R {fasta} -O {out}/calls.vcf.gz",
    }


def run_usual(folder: Path, known: Path, threads: int, answer: Connection) -> None:
    """Run the chain and send the usage of each step."""
    used = {}
    for step, command in usual_chain(folder, known, threads).items():
        used[step] = m.meter(["bash", "-c", f"set -euo pipefail; {command}"], folder / "usual.log")
    answer.send(used)


def run_ours(folder: Path, threads: int, answer: Connection) -> None:
    """Run the workflow and send its usage."""
    answer.send(m.run_workflow(folder, "--cores", str(threads)))


def side_by_side(folder: Path, known: Path, threads: int) -> tuple[m.Usage, dict[str, m.Usage]]:
    """Both at once, each in a process of its own: what the kernel adds up is that of a process and its children."""
    answers, workers = [], []
    for target, arguments in ((run_ours, (folder, threads)), (run_usual, (folder, known, threads))):
        ours, theirs = multiprocessing.Pipe(duplex=False)
        workers.append(multiprocessing.Process(target=target, args=(*arguments, theirs)))
        workers[-1].start()
        theirs.close()
        answers.append(ours)
    try:
        return tuple(answer.recv() for answer in answers)
    except EOFError:
        raise RuntimeError("one of the two failed, see above") from None
    finally:
        for worker in workers:
            worker.join()


# ---- data sets -----------------------------------------------------------------------------


def simulated(folder: Path, megabases: float) -> None:
    """One woman on a genome of so many Mb, at the demo's depth."""
    m.simulated(folder, max(1, round(megabases / GENOME_MB)))
    config = yaml.safe_load((folder / "config.yaml").read_text())
    config["population"]["spacing"] = SPACING
    m.write_config(folder, **config)


def real(folder: Path, _: float) -> None:
    """NA12878, 100 kb, with Java as a genome would have it."""
    m.na12878(folder)
    config = yaml.safe_load((folder / "config.yaml").read_text())
    m.write_config(folder, **{**config, "java_options": m.LARGE_JAVA})


SETS = {"na12878_chr20": real, "simulated": simulated}


# ---- report --------------------------------------------------------------------------------


def report(name: str, folder: Path, threads: int) -> Iterator[str]:
    """Both on one data set, and where the seconds and bytes went."""
    ours, steps = side_by_side(folder, KNOWN[name], threads)
    theirs = m.Usage(
        sum(used.cpu for used in steps.values()),
        sum(used.wall for used in steps.values()),
        max(used.rss for used in steps.values()),
        sum(used.written for used in steps.values()),
    )
    metrics = next((folder / "results" / "gate").glob("*.aligned.json")).read_text()
    depth = next(item for item in yaml.safe_load(metrics)["samples"][0]["metrics"] if item["name"] == "mean_coverage")
    bases = sum(int(line.split("\t")[1]) for line in (folder / "reference" / "genome.fa.fai").read_text().splitlines())
    yield f"\n## {name}\n"
    yield (
        f"Reference of {bases / 1e6:.1f} Mb, {m.fastq_bytes(folder) / 1e6:.0f} MB of FASTQ, mean coverage"
        f" {depth['value']:.1f}; {threads} core each. Case accepted: {'yes' if ours.accepted else 'no'}.\n"
    )
    rows = [
        ["CPU s", f"{ours.cpu:.1f}", f"{theirs.cpu:.1f}", f"{ours.cpu / theirs.cpu:.2f}"],
        ["wall s", f"{ours.wall:.0f}", f"{theirs.wall:.0f}", f"{ours.wall / theirs.wall:.2f}"],
        [
            "MB written",
            f"{ours.written / 1e6:.1f}",
            f"{theirs.written / 1e6:.1f}",
            f"{ours.written / theirs.written:.2f}",
        ],
        ["largest process, MB", f"{ours.rss:.0f}", f"{theirs.rss:.0f}", f"{ours.rss / theirs.rss:.2f}"],
    ]
    yield m.table(["", "this workflow", "usual chain", "ratio"], rows)
    yield m.table(
        ["usual chain", "CPU s", "MB written", "MB of memory"],
        ([step, f"{u.cpu:.1f}", f"{u.written / 1e6:.1f}", f"{u.rss:.0f}"] for step, u in steps.items()),
    )
    parts = [(part, cpu) for part, cpu in ours.parts.most_common() if cpu >= 0.5]
    rest = ours.cpu - sum(cpu for _, cpu in parts)
    yield m.table(["this workflow", "CPU s"], [[part, f"{cpu:.1f}"] for part, cpu in [*parts, ("others", rest)]])


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--only", action="append", choices=SETS, metavar="NAME", help=f"of {', '.join(SETS)}")
    parser.add_argument("--megabases", type=float, default=10, help="size of the simulated genome (default 10)")
    parser.add_argument("--cores", type=int, default=1, help="of each of the two (default 1)")
    parser.add_argument("--work", type=Path, help="an empty folder for the runs, kept; else one that goes away")
    wanted = parser.parse_args()
    print(f"# Beside the usual chain\n\n{m.machine()}", flush=True)
    with m.workplace(wanted.work) as place:
        for name in wanted.only or SETS:
            # In a process of its own: Linux counts the size of the parent as one that the child has had.
            maker = multiprocessing.Process(target=SETS[name], args=(place / name, wanted.megabases))
            maker.start()
            maker.join()
            if maker.exitcode:
                return 1
            for text in report(name, place / name, wanted.cores):
                print(text, flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
