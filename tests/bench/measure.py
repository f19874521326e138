"""What bench.py and callers.py share: data sets as a user would lay them out, and the workflow run under a meter.

A run is measured without sampling. Its CPU seconds, largest process and written bytes are what the kernel adds up when
the ended process tree is reaped. Its parts come from two thin layers that the workflow does not see: a folder first on
PATH in which each tool is a wrapper that times the real one, and a `sitecustomize` in which each Python process notes
its own CPU seconds when it ends. The wrappers cost about 2 ms a call, which the total includes.
"""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
import sys
import time
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from tempfile import TemporaryDirectory, mkdtemp

import dnaio
import yaml

REPOSITORY = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(REPOSITORY / "tests" / "simulate"))
import genome as g
import make_demo

DATA = Path(os.environ.get("NGC_WGS_TEST_DATA") or REPOSITORY.parent / "shared" / "data")
TOOLS = ("bwa", "samtools", "bcftools", "tabix", "bgzip", "fastp", "mosdepth", "gatk", "plink2")
CORES = "2"
SMALL_JAVA = "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC"  # the demo's: a JVM that runs for seconds
LARGE_JAVA = "-XX:+UseSerialGC"  # what a genome would run with

WRAPPER = """#!/bin/bash
step=$1
if [[ $1 == --java-options ]]; then step=$3; fi
if [[ " $* " == *" -M -L "* ]]; then step="$1 at sites"; fi
exec 3>&2
TIMEFORMAT="{name} $step\t%3U\t%3S"
{{ time {real} "$@" 2>&3 3>&-; }} 2>> {log}
"""
SITE = """import atexit, os, resource, sys

def note():
    used = resource.getrusage(resource.RUSAGE_SELF)
    with open(os.environ["BENCH_LOG"], "a") as log:
        log.write(f"python {os.path.basename(sys.argv[0] or '-')}\\t{used.ru_utime:.3f}\\t{used.ru_stime:.3f}\\n")

atexit.register(note)
"""


@dataclass(frozen=True)
class Usage:
    """Of an ended process tree: CPU and wall seconds, MB of the largest process, and bytes written.

    cpu: user and system. written: bytes of file pages made dirty (`write_bytes` of /proc/self/io): temporary files and
    what was deleted again included, pipes not; whole pages of 4,096 bytes, so small files weigh more than they are.
    parts: CPU seconds by tool and step, or by Python script. accepted: whether every case was;
    None for a command that judges none.
    """

    cpu: float
    wall: float
    rss: float
    written: int
    parts: Counter[str] = field(default_factory=Counter)
    accepted: bool | None = None

    def of(self, *names: str) -> float:
        """CPU seconds of the named parts together."""
        return sum(self.parts[name] for name in names)


def written_so_far() -> int:
    """Bytes that this process and every child it has reaped made dirty in the page cache."""
    lines = dict(line.split(": ") for line in Path("/proc/self/io").read_text().splitlines())
    return int(lines["write_bytes"])


def meter(command: list[str], log: Path, env: dict[str, str] | None = None, statuses: Iterable[int] = (0,)) -> Usage:
    """Run a command in the repository, its output to `log`; a RuntimeError for an exit status not in `statuses`."""
    start, before = time.perf_counter(), written_so_far()
    with log.open("wb") as output:
        process = subprocess.Popen(command, cwd=REPOSITORY, stdout=output, stderr=subprocess.STDOUT, env=env)
        _, status, used = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode not in statuses:
        raise failed(command, log)
    wall = time.perf_counter() - start
    return Usage(used.ru_utime + used.ru_stime, wall, used.ru_maxrss / 1024, written_so_far() - before)


def failed(command: list[str], log: Path) -> RuntimeError:
    tail = "\n".join(log.read_text(errors="replace").splitlines()[-25:])
    return RuntimeError(f"{shlex.join(command)} failed:\n{tail}")


def run_workflow(folder: Path, *arguments: str, targets: Iterable[str] = ()) -> Usage:
    """The workflow on a data set's folder, with the CPU seconds of its parts; all of it, or up to some targets.

    A RuntimeError where it stopped early; a submission that the checker refuses is an end like another.
    """
    wanted = [folder / target for target in targets]
    if not wanted:
        cases = (folder / "cases.tsv").read_text().splitlines()[1:]
        wanted = [folder / "results" / "check" / f"{row.split()[0]}.json" for row in cases]
    with TemporaryDirectory(prefix="meter.") as scratch:
        layer, parts_log = Path(scratch), Path(scratch) / "parts.tsv"
        for name in TOOLS:
            real = shutil.which(name)
            if real is None:
                raise RuntimeError(f"{name} is not on PATH")
            text = WRAPPER.format(name=name, real=shlex.quote(real), log=shlex.quote(str(parts_log)))
            (layer / name).write_text(text)
            (layer / name).chmod(0o755)
        (layer / "sitecustomize.py").write_text(SITE)
        env = dict(os.environ, BENCH_LOG=str(parts_log), PATH=f"{layer}:{os.environ['PATH']}")
        env["PYTHONPATH"] = f"{layer}:{REPOSITORY / 'scripts'}"
        command = workflow_command(folder, *arguments, *targets)
        used = meter(command, folder / "run.log", env, statuses=(0, 1))
        if not all(path.is_file() for path in wanted):
            raise failed(command, folder / "run.log")
        parts: Counter[str] = Counter()
        for line in parts_log.read_text().splitlines():
            name, user, system = line.split("\t")
            # Snakemake writes a script with its preamble to tmpXXXXXXXX.name.py
            parts[re.sub(r"\btmp\w{8}\.", "", name)] += float(user) + float(system)
    parts["the checker, shells and others"] = used.cpu - sum(parts.values())
    verdicts = {line.split("\t")[1] for line in (folder / "results" / "verdict.tsv").read_text().splitlines()[1:]}
    return Usage(used.cpu, used.wall, used.rss, used.written, parts, verdicts == {"ACCEPTED"})


def workflow_command(folder: Path, *arguments: str) -> list[str]:
    """The command that runs the workflow on a data set's folder."""
    words = ["--profile", "profiles/default", "--cores", CORES, "--configfile", str(folder / "config.yaml")]
    return ["snakemake", *words, "--directory", str(folder), *arguments]


def peak_memory(folder: Path) -> dict[str, float]:
    """MB by rule: the largest max_rss of its jobs' benchmark files. Snakemake samples it, so short jobs may lack it."""
    peaks: dict[str, float] = {}
    for path in sorted((folder / "benchmarks").rglob("*.tsv")):
        rule = path.parent.name if "." not in path.stem else path.stem.rsplit(".", 1)[1]
        if path.parent.name == "intake" and rule != "reference_identity":
            rule = "fastq_intake"
        header, values = (line.split("\t") for line in path.read_text().splitlines()[:2])
        value = dict(zip(header, values, strict=True))["max_rss"]
        if re.fullmatch(r"[\d.]+", value):
            peaks[rule] = max(peaks.get(rule, 0.0), float(value))
    return peaks


# ---- data sets -----------------------------------------------------------------------------


@dataclass(frozen=True)
class Library:
    """Reads of one person of a real data set: `sex`, FASTQ stem below DATA without `_R1.fastq.gz`, `pcr_free`."""

    sample: str
    sex: str
    stem: str
    pcr_free: str


CHR20, CHR22 = "ref/hg19_chr20_9995001_11095000.fa", "ref/GRCh38_chr21_chr22_16570000_16610000.fa"
NA12878_CHR20 = [Library("NA12878CHR20", "female", "na12878_chr20/NA12878", "yes")]
TRIO = [
    Library("HG001CHILD", "female", "trio_ceu_10kb/HG001", "no"),
    Library("NA12891FATHER", "male", "trio_ceu_10kb/NA12891", "no"),
    Library("NA12892MOTHER", "female", "trio_ceu_10kb/NA12892", "no"),
]
UNRELATED = [Library("NA12878CHR22", "female", "unrelated/NA12878", "yes")]


def tool(*command: str | Path) -> str:
    """Standard output of a command; a RuntimeError with its messages where it fails."""
    words = [str(word) for word in command]
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"{shlex.join(words)} ended with {done.returncode}:\n{done.stderr.strip()}")
    return done.stdout


def split_by_lane(stem: Path, out: Path) -> dict[tuple[str, str], tuple[Path, Path]]:
    """The pairs in one pair of files for each (flowcell, lane) of the read names.

    Names of an archive carry neither: those reads are one lane of a flowcell ARCHIVE.
    """
    lanes = defaultdict(list)
    with dnaio.open(f"{stem}_R1.fastq.gz", f"{stem}_R2.fastq.gz") as pairs:
        for pair in pairs:
            words = pair[0].name.split(":")
            lanes[tuple(words[2:4]) if len(words) > 6 else ("ARCHIVE", "1")].append(pair)
    paths = {}
    for (flowcell, lane), pairs in sorted(lanes.items()):
        files = tuple(out / f"{stem.name}.{flowcell}.L{lane}_R{read}.fastq.gz" for read in (1, 2))
        with dnaio.open(*files, mode="w") as writer:
            for pair in pairs:
                writer.write(*pair)
        paths[flowcell, lane] = files
    return paths


def prepare_reference(source: Path, folder: Path, overlay_id: str) -> None:
    """reference/genome.fa with all that must stand beside it, and overlay.yaml, in a data set's folder."""
    fasta = folder / "reference" / "genome.fa"
    fasta.parent.mkdir(parents=True)
    shutil.copyfile(source, fasta)
    tool("samtools", "faidx", fasta)
    tool("samtools", "dict", fasta, "-o", fasta.with_suffix(".dict"))
    tool("bwa", "index", fasta)
    overlay = tool(sys.executable, REPOSITORY / "scripts" / "make_overlay.py", fasta, "--id", overlay_id)
    (folder / "overlay.yaml").write_text(overlay)


def write_tables(folder: Path, samples: Iterable[tuple[str, str, list[dict[str, str]]]]) -> None:
    """The three tables of single cases: (sample, sex, its units); a unit has flowcell, lane, fq1, fq2, pcr_free."""
    cases, people, units = [], [], []
    case = {**make_demo.CASE, **next(iter(make_demo.CASES.values()))}
    for sample, sex, rows in samples:
        cases.append({**case, "case": f"CASE{sample}"})
        fixed = {**make_demo.SAMPLE, "relation": "index", "affected": "yes"}
        people.append({**fixed, "sample": sample, "case": f"CASE{sample}", "sex": sex})
        fixed = {"sample": sample, "library": "LIB1", "platform": "ILLUMINA", "model": "NovaSeq 6000"}
        units += [{**fixed, "library_kit": "as published", **row} for row in rows]
    make_demo.write_table(folder / "cases.tsv", make_demo.CASE_COLUMNS, cases)
    make_demo.write_table(folder / "samples.tsv", make_demo.SAMPLE_COLUMNS, people)
    make_demo.write_table(folder / "units.tsv", make_demo.UNIT_COLUMNS, units)


def write_config(folder: Path, **changes: object) -> None:
    """config.yaml of a data set: the demo's, one scatter part, with `changes`; without a population where none is."""
    config = {**make_demo.config(), "calling": {"scatter": 1}, "java_options": SMALL_JAVA, **changes}
    vcf = config["population"]["vcf"]
    if vcf and not (folder / vcf).is_file():
        config["population"] = {**config["population"], "vcf": None}
    (folder / "config.yaml").write_text(yaml.safe_dump(config, sort_keys=False))


def real_data(folder: Path, reference: str, libraries: list[Library], region: str) -> None:
    """A working directory with published reads, each person a single case, judged over a BED below DATA or its text."""
    prepare_reference(DATA / reference, folder, Path(reference).stem)
    reads = folder / "reads"
    reads.mkdir()
    people = []
    for library in libraries:
        lanes = split_by_lane(DATA / library.stem, reads)
        rows = [
            {"flowcell": flowcell, "lane": lane, "fq1": f"reads/{fq1.name}", "fq2": f"reads/{fq2.name}"}
            for (flowcell, lane), (fq1, fq2) in lanes.items()
        ]
        people.append((library.sample, library.sex, [{**row, "pcr_free": library.pcr_free} for row in rows]))
    write_tables(folder, people)
    (folder / "region.bed").write_text(region)
    write_config(folder, evaluation_regions="region.bed")


def na12878(folder: Path) -> None:
    """NA12878 on 100 kb of chr20, four lanes."""
    region = (DATA / "na12878_chr20" / "region.bed").read_text()
    real_data(folder, CHR20, NA12878_CHR20, region)


def demo(folder: Path) -> None:
    """The demo as `make demo` makes it."""
    tool(sys.executable, REPOSITORY / "tests" / "simulate" / "make_demo.py", "--out", folder)


def tiny_people(folder: Path, number: int) -> None:
    """So many unrelated men on the tiny demo's genome, each a case of two units."""
    people = []
    for at in range(number):
        sample, like = f"S{at:04d}BATCH", make_demo.TINY_MALE
        people.append(replace(like, sample=sample, case=f"CASE{sample}"))
        requisition = {"requisition_id": f"NGCWGS{at:06d}"}
        make_demo.CASES[f"CASE{sample}"] = {**make_demo.CASES[like.case], **requisition}
    folder.mkdir(parents=True)
    make_demo.make(folder, g.TINY, people, 1, f"tiny-{number}")


def plan(scale: int) -> g.Plan:
    """A genome of 0.55 Mb times `scale`, M as it is."""
    lengths = {name: length * (1 if name == "chrM" else scale) for name, length in g.FULL.lengths.items()}
    return replace(g.FULL, lengths=lengths)


def simulated(folder: Path, scale: int) -> None:
    """One woman at the demo's depth, on a genome of 0.55 Mb times `scale`, with Java as a genome would have it.

    Sites for identity lie 20 kb apart, where a genome has 250 and the demo 0.1: with fewer the small one had too few.
    """
    folder.mkdir(parents=True)
    make_demo.make(folder, plan(scale), [make_demo.FEMALE], 1, f"demo-x{scale}")
    config = yaml.safe_load((folder / "config.yaml").read_text())
    population = {**config["population"], "spacing": 20_000}
    write_config(folder, **{**config, "java_options": LARGE_JAVA, "population": population})


def fastq_bytes(folder: Path) -> int:
    return sum(path.stat().st_size for path in (folder / "reads").iterdir())


# ---- reports -------------------------------------------------------------------------------


@contextmanager
def workplace(given: Path | None) -> Iterator[Path]:
    """The folder given, kept; or one of its own that goes away, its sealed submissions too."""
    if given is not None:
        given.mkdir(parents=True, exist_ok=True)
        yield given.resolve()
        return
    folder = Path(mkdtemp(prefix="bench."))
    try:
        yield folder
    finally:
        for path in [folder, *(path for path in folder.rglob("*") if path.is_dir() and not path.is_symlink())]:
            path.chmod(0o755)
        shutil.rmtree(folder)


def table(head: list[str], rows: Iterable[Iterable[object]]) -> str:
    """A Markdown table; the first column is text, the others are figures."""
    lines = ["| " + " | ".join(head) + " |", "|---|" + "--:|" * (len(head) - 1)]
    lines += ["| " + " | ".join(str(cell) for cell in row) + " |" for row in rows]
    return "\n".join(lines) + "\n"


def machine() -> str:
    """One line on where, when and under which load the figures were made."""
    commit = tool("git", "-C", REPOSITORY, "rev-parse", "--short", "HEAD").strip()
    clean = "" if not tool("git", "-C", REPOSITORY, "status", "--porcelain").strip() else " with uncommitted changes"
    model = re.search(r"model name\s*: (.*)", Path("/proc/cpuinfo").read_text())
    load = os.getloadavg()[0]
    return (
        f"Commit {commit}{clean}, {time.strftime('%Y-%m-%d')}, {os.cpu_count()} cores"
        f" ({model[1] if model else 'unknown'}), load at the start {load:.1f}."
    )
