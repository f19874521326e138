#!/usr/bin/env python3
"""What the workflow costs, measured by running it; a Markdown report on standard output.

    bench.py [--only NAME ...] [--work FOLDER]

runs    CPU, wall, bytes written and memory of whole runs: NA12878 on chr20 (51x of 100 kb) and the demo
growth  a simulated genome and one four times as large: what more data costs
batch   1, 2, 4, 8 and 16 tiny samples: what each more costs, and wall beside the jobs that were waited for
intake  FASTQ intake of 200 MB beside `gzip -dc` of the same files
joint   joint genotyping of families of two to six; GenomicsDBImport beside CombineGVCFs
trio    a simulated trio: the chain of jobs that its end would wait for, were there a core for each
somatic a tumour at three depths beside its normal; its calling in one to eight parts
dryrun  `snakemake -n --quiet` for 1, 10, 100 and 1,000 samples, beside a bare workflow of as many jobs
rounds  a real start with 300 and 1,000 samples: what choosing the next jobs costs, of some and of all that are ready

Needs two cores and what the workflow needs. CPU seconds count what was done, also on a machine that others use; wall
seconds and the largest ratios of small runs do not stand such company. Real reads: NGC_WGS_TEST_DATA, or
shared/data beside the checkout.
"""

from __future__ import annotations

import argparse
import gzip
import itertools
import multiprocessing
import operator
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import dnaio
import joint
import measure as m
import psutil
import trio
import tumours

sys.path.insert(0, str(m.REPOSITORY / "scripts"))
from ngc_wgs import progress

SPINE = ("bwa mem", "samtools fixmate", "samtools sort", "gatk HaplotypeCaller")
QUALITY = {
    "reports": ("fastp", "samtools stats", "mosdepth", "gatk CollectWgsMetrics", "bcftools stats", "python multiqc"),
    "identity": (
        "samtools view at sites",
        "bcftools mpileup",
        "bcftools call",
        "gatk GetPileupSummaries",
        "gatk CalculateContamination",
        "gatk CrosscheckFingerprints",
        "plink2",
        "python identity",
        "python contamination",
        "python population",
    ),
    "metrics and gates": ("python alignment_metrics", "python metrics", "python alignment_gate", "python calling_gate"),
}
"""Beginnings of the parts that are quality control."""
INTAKE_BYTES = 100_000_000  # of each of the two files
DRY_RUNS = (1, 10, 100, 1000)
STARTS = (300, 1000)
WATCHED = 60  # seconds of a run
UNITS_PER_SAMPLE = 2
SHARED_JOBS = 13  # of a run, however many samples: tools, reference, sites, preflight, all
GROWTH = (2, 8)  # times the demo's genome
BATCHES = (1, 2, 4, 8, 16)  # people
WHOLE_GENOMES = {"30x": 60.0, "90x": 180.0}  # GB of FASTQ, at the 0.63 bytes a base of the simulated reads


# ---- whole runs ----------------------------------------------------------------------------


def runs(place: Path) -> Iterator[str]:
    """Both data sets, from FASTQ to the verdict."""
    yield "## Whole runs\n"
    used: dict[str, m.Usage] = {}
    bases: dict[str, int] = {}
    for name, make in (("na12878_chr20", m.na12878), ("demo", m.demo)):
        make(place / name)
        used[name] = m.run_workflow(place / name)
        bases[name] = m.fastq_bytes(place / name)

    def row(title: str, figure: Callable[[str, m.Usage], str]) -> list[str]:
        return [title, *(figure(name, usage) for name, usage in used.items())]

    yield m.table(
        ["", *used],
        [
            row("CPU s, everything", lambda _, u: f"{u.cpu:.1f}"),
            row("CPU s of bwa, sort and HaplotypeCaller", lambda _, u: f"{u.of(*SPINE):.1f}"),
            row("ratio", lambda _, u: f"{u.cpu / u.of(*SPINE):.2f}"),
            row("wall s", lambda _, u: f"{u.wall:.0f}"),
            row("MB of FASTQ", lambda name, _: f"{bases[name] / 1e6:.1f}"),
            row("MB written", lambda _, u: f"{u.written / 1e6:.1f}"),
            row("MB written / MB of FASTQ", lambda name, u: f"{u.written / bases[name]:.1f}"),
            row("largest process, MB", lambda _, u: f"{u.rss:.0f}"),
            row("every case accepted", lambda _, u: "yes" if u.accepted else "no"),
        ],
    )
    yield "CPU seconds by tool and step (all its calls together):\n"
    yield parts_table({name: usage.parts for name, usage in used.items()})
    peaks = {name: m.peak_memory(place / name) for name in used}
    rules = sorted({rule for each in peaks.values() for rule in each})
    yield "Largest `max_rss` of a rule's jobs in MB (Snakemake samples it, so a very short job may lack it):\n"
    shown = ([rule, *(f"{each[rule]:.0f}" if rule in each else "" for each in peaks.values())] for rule in rules)
    yield m.table(["rule", *peaks], shown)


def parts_table(columns: dict[str, dict[str, float]], least: float = 0.1) -> str:
    """CPU seconds by part, largest first; parts below `least` in every column are put together."""
    names = {name for parts in columns.values() for name in parts}
    large = [name for name in names if any(abs(parts.get(name, 0)) >= least for parts in columns.values())]
    large.sort(key=lambda name: -max(parts.get(name, 0) for parts in columns.values()))
    rows = [[name, *(f"{parts.get(name, 0):.2f}" for parts in columns.values())] for name in large]
    rest = (sum(value for name, value in parts.items() if name not in large) for parts in columns.values())
    return m.table(["CPU s", *columns], [*rows, [f"{len(names) - len(large)} others", *(f"{r:.2f}" for r in rest)]])


# ---- what grows ----------------------------------------------------------------------------


def growth(place: Path) -> Iterator[str]:
    """Two sizes of a genome at the same depth, and the slope between them."""
    yield "## What grows with the data\n"
    columns: dict[str, dict[str, float]] = {}
    for scale in GROWTH:
        folder = place / f"genome{scale}"
        m.simulated(folder, scale)
        used = m.run_workflow(folder)
        name = f"{scale} x 0.55 Mb"
        columns[name] = {"everything": used.cpu, "bwa, sort, HaplotypeCaller": used.of(*SPINE), **used.parts}
    small, large = columns.values()
    columns["difference"] = {key: large.get(key, 0) - small.get(key, 0) for key in small.keys() | large.keys()}
    more, spine = (columns["difference"][key] for key in ("everything", "bwa, sort, HaplotypeCaller"))
    yield (
        "One woman at 37x on simulated genomes of two sizes, Java without the demo's limits on its compiler. Start-up"
        " is the same in both runs and falls out of the difference, whose ratio is that of what grows with data.\n"
    )
    yield f"Everything over bwa, sort and HaplotypeCaller: **{more:.1f} / {spine:.1f} = {more / spine:.2f}**\n"
    grown = columns["difference"]
    quality = {
        kind: sum(value for name, value in grown.items() if name.startswith(begins)) for kind, begins in QUALITY.items()
    }
    each = ", ".join(f"{kind} {value:.1f}" for kind, value in quality.items())
    share = sum(quality.values()) / spine
    yield f"Quality control over the same ({each}): **{sum(quality.values()):.1f} / {spine:.1f} = {share:.2f}**\n"
    yield parts_table(columns, 0.2)
    yield from scaling(*(place / f"genome{scale}" for scale in GROWTH))


def scaling(small: Path, large: Path) -> Iterator[str]:
    """Time and memory of each rule in two runs, and the line through their times drawn on to whole genomes."""
    yield "\n### Time and memory by rule, for docs/cluster.md\n"
    gigabytes = [m.fastq_bytes(folder) / 1e9 for folder in (small, large)]
    seconds, memory = ({}, {}), ({}, {})
    for index, folder in enumerate((small, large)):
        for used in progress.read_benchmarks(folder / "benchmarks"):
            seconds[index][used.rule] = seconds[index].get(used.rule, 0) + used.seconds
            memory[index][used.rule] = max(memory[index].get(used.rule, 0), used.memory)
    rows = []
    for rule in sorted(seconds[1].keys() & seconds[0].keys()):
        less, more = (part[rule] for part in seconds)
        slope = max(0.0, (more - less) / (gigabytes[1] - gigabytes[0]))
        hours = [(more + slope * (size - gigabytes[1])) / 3600 for size in WHOLE_GENOMES.values()]
        figures = [
            f"{less:.1f}",
            f"{more:.1f}",
            *(f"{part[rule]:.0f}" for part in memory),
            *(f"{h:.1f}" for h in hours),
        ]
        rows.append([rule, *figures])
    head = [f"{kind}, {size * 1000:.0f} MB" for kind in ("wall s", "memory MB") for size in gigabytes]
    yield m.table(["rule", *head, *(f"hours at {name}" for name in WHOLE_GENOMES)], rows)


# ---- more samples --------------------------------------------------------------------------


def longest_chain(folder: Path) -> float:
    """Seconds of the jobs, one behind the other, that a run's end waited for: back from the last, each time the job
    that ended last before this one was started. Whether it waited for its files or for a core is not told apart."""
    jobs = [job for job in progress.read(folder / progress.JOURNAL).jobs.values() if job.state == "finished"]
    seconds, start = 0.0, float("inf")
    while before := [job for job in jobs if job.until <= start]:
        last = max(before, key=operator.attrgetter("until"))
        seconds += last.until - last.since
        start = last.since
    return seconds


def batch(place: Path) -> Iterator[str]:
    """More and more people of one size: what each costs, and what the workflow adds to its jobs."""
    yield "## More samples\n"
    rows, before = [], (0, 0.0)
    for number in BATCHES:
        folder = place / f"people{number}"
        m.tiny_people(folder, number)
        used = m.run_workflow(folder)
        more = (used.cpu - before[1]) / (number - before[0]) if before[0] else 0.0
        chain = longest_chain(folder)
        figures = [f"{used.cpu:.1f}", f"{used.cpu / number:.1f}", f"{more:.1f}" if more else ""]
        accepted = "yes" if used.accepted else "no"
        rows.append([number, *figures, f"{used.wall:.0f}", f"{chain:.0f}", f"{used.wall / chain:.2f}", accepted])
        before = (number, used.cpu)
    yield (
        "Men on the tiny demo's genome, each a case of two units. Each more: beyond the run before, so that what a run"
        " costs once is left out. Chain: the jobs, one behind the other, that the run's end waited for.\n"
    )
    head = ["samples", "CPU s", "a sample", "each more", "wall s", "chain s", "wall / chain", "accepted"]
    yield m.table(head, rows)


# ---- intake --------------------------------------------------------------------------------


def write_repeated(source: Path, folder: Path, wanted: int) -> tuple[Path, Path]:
    """A pair of gzip files of about `wanted` bytes each: the pairs of `source` again and again, each time renamed."""
    with dnaio.open(f"{source}_R1.fastq.gz", f"{source}_R2.fastq.gz") as reader:
        pairs = [(one.sequence, one.qualities, two.sequence, two.qualities) for one, two in reader]
    folder.mkdir()
    paths = tuple(folder / f"repeated_R{read}.fastq.gz" for read in (1, 2))
    with paths[0].open("wb") as raw1, paths[1].open("wb") as raw2:
        files = [subprocess.Popen(["gzip", "-4"], stdin=subprocess.PIPE, stdout=raw) for raw in (raw1, raw2)]
        for tile in itertools.count(1101):
            for read, file in enumerate(files):
                lines = (
                    f"@A00001:1:HBENCHSX7:1:{tile}:{number}:{number} {read + 1}:N:0:ACTAAGAT\n"
                    f"{pair[2 * read]}\n+\n{pair[2 * read + 1]}\n"
                    for number, pair in enumerate(pairs, start=1000)
                )
                file.stdin.write("".join(lines).encode())
            if max(path.stat().st_size for path in paths) >= wanted:
                break
        for file in files:
            file.stdin.close()
            file.wait()
    return paths


INTAKE = """import json, sys
from ngc_wgs.intake import inspect_unit
unit = {"sample": "BENCH0001", "library": "LIB1", "flowcell": "HBENCHSX7", "lane": "1"}
report = inspect_unit(unit, *sys.argv[2:], int(sys.argv[1]))
if report["status"] != "accepted":
    sys.exit(json.dumps(report["findings"], indent=1))
"""


def intake(place: Path) -> Iterator[str]:
    """Intake of two large files beside their mere decompression, the best of three runs of each."""
    yield "## Intake\n"
    paths = [str(path) for path in write_repeated(m.DATA / m.NA12878_CHR20[0].stem, place / "intake", INTAKE_BYTES)]
    with gzip.open(paths[0]) as text:
        raw = sum(len(block) for block in iter(lambda: text.read(1 << 20), b""))
    size = sum(Path(path).stat().st_size for path in paths)
    environment = {**m.os.environ, "PYTHONPATH": str(m.REPOSITORY / "scripts")}
    commands = {
        "`gzip -dc`": ["sh", "-c", 'exec gzip -dc "$@" > /dev/null', "sh", *paths],
        "intake, 2 threads": [sys.executable, "-c", INTAKE, "2", *paths],
        "intake, 1 thread": [sys.executable, "-c", INTAKE, "1", *paths],
    }
    used = {
        name: [m.meter(command, place / "intake.log", environment) for _ in range(3)]
        for name, command in commands.items()
    }
    cpu = {name: min(usage.cpu for usage in runs) for name, runs in used.items()}
    wall = {name: min(usage.wall for usage in runs) for name, runs in used.items()}
    base = next(iter(commands))
    yield (
        f"One unit, {size / 1e6:.0f} MB of gzip in two files, about {2 * raw / 1e6:.0f} MB of text; reads of NA12878"
        " repeated under names of their own. The start of Python included, best of three.\n"
    )
    yield m.table(
        ["", "CPU s", "wall s", "CPU ratio", "wall ratio"],
        (
            [
                name,
                f"{cpu[name]:.1f}",
                f"{wall[name]:.1f}",
                f"{cpu[name] / cpu[base]:.2f}",
                f"{wall[name] / wall[base]:.2f}",
            ]
            for name in used
        ),
    )


# ---- dry run -------------------------------------------------------------------------------


def write_batch(folder: Path, samples: int) -> None:
    """A working directory of single cases with two units each, whose FASTQ files hold one read, each its own."""
    m.prepare_reference(m.DATA / m.CHR20, folder, "batch")
    (folder / "reads").mkdir()
    (folder / "population").mkdir()
    for name in ("population.vcf.gz", "population.vcf.gz.tbi"):
        (folder / "population" / name).touch()  # so that identity is planned too
    people = []
    for number in range(samples):
        units = []
        for lane in range(1, UNITS_PER_SAMPLE + 1):
            files = [f"reads/{number}.L{lane}_R{read}.fastq.gz" for read in (1, 2)]
            for read, name in enumerate(files, start=1):
                text = f"@A00001:{number}:HBENCHSX7:{lane}:1101:1:1 {read}:N:0:A\nACGT\n+\nFFFF\n"
                (folder / name).write_bytes(gzip.compress(text.encode(), mtime=0))
            units.append(
                {"flowcell": "HBENCHSX7", "lane": str(lane), "fq1": files[0], "fq2": files[1], "pcr_free": "yes"}
            )
        # The letters keep the digits apart, which would else look like a personal number.
        people.append((f"S{number:04d}BATCH", "female", units))
    m.write_tables(folder, people)


DRESS = """    log: 'logs/{{sample}}.{step}.log'
    benchmark: 'benchmarks/{{sample}}.{step}.tsv'
    conda: 'env.yaml'
    params: name=name_of
    resources: mem_mb=1000, runtime=10
"""


def write_bare(folder: Path, samples: int, jobs: int, dressed: bool) -> None:
    """A workflow that does nothing but have so many jobs a sample, each with an input and an output.

    dressed: also what a job of this workflow has: four files of the reference, log, benchmark, environment, a parameter
    that a function gives, limits, and in every second rule a script.
    """
    folder.mkdir(exist_ok=True)
    shared = [f"reference.{number}" for number in range(4)] if dressed else []
    for name in [*shared, "env.yaml", "script.py"]:
        (folder / name).touch()
    names = f"[f'S{{i:04d}}' for i in range({samples})]"
    rules = [f"rule all:\n    input: expand('out/{{sample}}.{jobs}', sample={names})\n"]
    if dressed:
        rules.insert(0, "def name_of(wildcards):\n    return wildcards.sample\n")
    for step in range(1, jobs + 1):
        files = [f"out/{{sample}}.{step - 1}"] * (step > 1) + shared
        text = f"rule step{step}:\n" + (f"    input: {', '.join(map(repr, files))}\n" if files else "")
        text += f"    output: 'out/{{sample}}.{step}'\n" + (DRESS.format(step=step) if dressed else "")
        rules.append(text + ("    script: 'script.py'\n" if dressed and step % 2 else "    shell: 'touch {output}'\n"))
    (folder / "Snakefile").write_text("\n".join(rules))


def dryrun(place: Path) -> Iterator[str]:
    """The engine and our own parsing for growing batches, with one part a genome and with as many as shipped."""
    yield "## Dry run\n"
    rows = []
    log = place / "dryrun.log"
    for samples in DRY_RUNS:
        folder = place / f"batch{samples}"
        write_batch(folder, samples)
        for scatter in (1, 24):
            m.write_config(folder, calling={"scatter": scatter})
            used = [m.meter(m.workflow_command(folder, "-n", "--quiet"), log)]
            total = int(re.search(r"\btotal +(\d+)", log.read_text())[1])
            jobs = round((total - SHARED_JOBS) / samples)
            for dressed in (False, True):
                bare = place / ("dressed" if dressed else "bare")
                write_bare(bare, samples, jobs, dressed)
                words = ["--profile", str(m.REPOSITORY / "profiles" / "default"), "--directory", str(bare)]
                used.append(m.meter(["snakemake", "-n", "--quiet", "-s", str(bare / "Snakefile"), *words], log))
            cpu, memory = ([f"{u.cpu:.1f}" for u in used], [f"{u.rss:.0f}" for u in used])
            ratios = [f"{used[0].cpu / other.cpu:.2f}" for other in used[1:]]
            rows.append([samples, scatter, total, jobs, cpu[0], cpu[1], ratios[0], cpu[2], ratios[1], *memory])
    yield (
        f"`snakemake -n --quiet`, single cases of {UNITS_PER_SAMPLE} units, nothing done before. Bare: a workflow of as"
        " many jobs a sample, each with an input, an output and a command. Dressed: the same, each job also with four"
        " shared files, log, benchmark, environment, a function for a parameter, limits, and half of them scripts.\n"
    )
    head = ["samples", "scatter", "jobs", "a sample", "CPU s", "bare", "ratio", "dressed", "ratio"]
    yield m.table([*head, "MB", "bare", "dressed"], rows)


def rounds(place: Path) -> Iterator[str]:
    """The launching process while thousands of jobs are ready: the intake of a batch, for a minute, then killed."""
    yield "## Rounds of the scheduler\n"
    rows = []
    for samples in STARTS:
        for limit in ("as shipped", "all"):
            folder = place / f"start{samples}.{limit[:2]}"
            write_batch(folder, samples)
            m.write_config(folder, calling={"scatter": 24}, population={"vcf": None, "name": None, "version": None})
            began = time.monotonic()
            extra = ["--scheduler-subsample", "1000000"] if limit == "all" else []
            with (place / "rounds.log").open("w") as log:
                launcher = subprocess.Popen(
                    m.workflow_command(folder, *extra),
                    cwd=m.REPOSITORY,
                    stdout=log,
                    stderr=subprocess.STDOUT,
                    start_new_session=True,
                )
            watched = psutil.Process(launcher.pid)

            def state(watched: psutil.Process = watched, folder: Path = folder) -> tuple[float, int, float]:
                """Clock, intakes that are done, CPU seconds of the launching process."""
                used = watched.cpu_times()
                done = len(list((folder / "results" / "intake").glob("S*.json")))
                return time.monotonic(), done, used.user + used.system

            try:
                while not state()[1]:
                    if launcher.poll() is not None:
                        raise m.failed(launcher.args, place / "rounds.log")
                    time.sleep(0.5)
                first = state()
                time.sleep(WATCHED)
                last = state()
            finally:
                os.killpg(launcher.pid, signal.SIGKILL)
                launcher.wait()
            seconds, jobs, cpu = (after - before for after, before in zip(last, first, strict=True))
            row = [samples, limit, f"{first[0] - began:.0f}", f"{first[2]:.0f}"]
            rows.append([*row, f"{jobs / seconds:.2f}", f"{cpu / max(jobs, 1):.2f}", f"{cpu / seconds:.2f}"])
    head = ["samples", "considered", "first intake, s", "CPU s until then", "jobs a s", "CPU s a job", "of a core"]
    yield m.table(head, rows)


PARTS: dict[str, Callable[[Path], Iterator[str]]] = {
    "runs": runs,
    "growth": growth,
    "batch": batch,
    "intake": intake,
    "joint": joint.run,
    "trio": trio.run,
    "somatic": tumours.run,
    "dryrun": dryrun,
    "rounds": rounds,
}


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--only", action="append", choices=PARTS, metavar="NAME", help=f"of {', '.join(PARTS)}")
    parser.add_argument("--work", type=Path, help="an empty folder for the runs, kept; else one that goes away")
    args = parser.parse_args(arguments)
    print(f"# Benchmarks\n\n{m.machine()}\n", flush=True)
    with m.workplace(args.work) as place:
        for name in args.only or PARTS:
            # In a process of its own: Linux counts the size of the parent as one that the child has had.
            part = multiprocessing.Process(target=write_part, args=(name, place))
            part.start()
            part.join()
            if part.exitcode:
                return 1
    return 0


def write_part(name: str, place: Path) -> None:
    for text in PARTS[name](place):
        print(text, flush=True)


if __name__ == "__main__":
    sys.exit(main())
