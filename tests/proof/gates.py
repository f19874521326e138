"""Gates: reads with one fault each trip the gate of that fault, and no other beyond what follows from it."""

from __future__ import annotations

import copy
import json
import shutil
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import genome as g
import make_demo
import numpy as np
import runs
import support
from reads import Library, pairs


def sound(**fault: object) -> Library:
    """Reads with a fault, or none; the mitochondrion is deep in all of them."""
    return Library(m=16, **fault)


SOUND = "sound"
FAULTS: dict[str, tuple[Library, set[str], set[str]]] = {
    # name: reads, the metric whose gate must trip, metrics that follow from it
    SOUND: (sound(), set(), set()),
    "low depth": (
        sound(depth=18),
        {"mean_coverage"},
        {"pct_autosomes_15x", "pct_10x", "pct_20x"},  # fewer bases are deep
    ),
    "low Q30": (sound(quality=":"), {"pct_q30"}, set()),  # Q25
    "high duplicates": (sound(duplicates=0.4), {"pct_duplicate_reads"}, set()),
    "short insert": (sound(fragment=(200, 15)), {"median_insert_size"}, set()),
    "short reads": (sound(read_length=60), {"mean_read_length"}, set()),
    "foreign reads": (
        sound(foreign=0.08),
        {"pct_reads_mapped"},
        {"pct_reads_improper_pairs"},  # a pair that is not mapped is not properly paired
    ),
}
"""Sound reads of so small a genome miss the yield of 85 Gb, as all of these do."""


def write(folder: Path, demo: Path, names: Sequence[str]) -> dict[str, str]:
    """A working directory with a case for each name, beside the tiny demo's reference: case by name."""
    shutil.copytree(demo, folder, ignore=lambda *_: ["results", ".snakemake", "logs", "benchmarks", "fastq"])
    # The reads of all cases are of one person, whom the identity gate would name.
    runs.configure(folder, population={"vcf": None})
    genome = g.make_genome(g.TINY, np.random.default_rng([1, 1]))  # the demo's, by its seed
    rows = {name: runs.table(demo, name)[0] for name in ("cases", "samples", "units")}
    tables: dict[str, list[dict[str, str]]] = {name: [] for name in rows}
    cases = {}
    for number, name in enumerate(names, 1):
        case, sample, lane = f"GATECASE{number}", f"GATESAMPLE{number}", str(number)
        rng = np.random.default_rng([7, number])
        unit = make_demo.Unit("LIB1", lane, 1.0, "ACTAAGAT+CCGCGGTT", make_demo.FREE, "yes")
        reads = [((1101 + i // 9000, 1000 + 3 * (i % 9000), 2000 + i), pair) for i, pair in
                 enumerate(pairs(genome, FAULTS[name][0], rng))]  # fmt: skip
        paths = {f"fq{read}": f"reads/{sample}_R{read}.fastq.gz" for read in (1, 2)}
        for read, path in enumerate(paths.values(), 1):
            make_demo.write_fastq(folder / path, unit, read, reads)
        tables["cases"].append({**rows["cases"], "case": case, "requisition_id": f"NGCWGS{number}"})
        tables["samples"].append({**rows["samples"], "case": case, "sample": sample, "sex": "female"})
        tables["units"].append({**rows["units"], **paths, "sample": sample, "library": "LIB1", "lane": lane})
        cases[name] = case
    for name, lines in tables.items():
        runs.write_table(folder, name, lines)
    return cases


def tripped(folder: Path, case: str) -> dict[str, str]:
    """Metrics of a case that warn or fail after alignment, with their status."""
    (sample,) = json.loads((folder / "results" / "gate" / f"{case}.aligned.json").read_text())["samples"]
    return {metric["name"]: metric["status"] for metric in sample["metrics"] if metric["status"] in ("WARN", "FAIL")}


def run(place: Path, names: Sequence[str] = tuple(FAULTS), demo: Path | None = None) -> Iterator[str]:
    """Run the faults (the sound reads always) up to the metrics of the alignment, and tell what tripped."""
    started = time.monotonic()
    names = list(dict.fromkeys([SOUND, *names]))
    folder = place / "gates"
    cases = write(folder, demo or runs.make_demo(place / "tiny", "--tiny"), names)
    targets = [f"results/gate/{case}.aligned" for case in cases.values()]
    done = runs.run_workflow(folder, *targets)
    if not all((folder / f"{target}.json").is_file() for target in targets):
        raise support.NotProven(f"the run failed: {done.stderr[-2000:]}")
    sound = tripped(folder, cases[SOUND])
    faults = [f"sound reads trip {name}" for name in sound if name not in ("yield_bp_q30", "pct_20x")]
    lines = ["| reads | gates tripped, beyond those of sound reads |", "|---|---|"]
    for name in names:
        _, own, follows = copy.deepcopy(FAULTS[name])
        found = tripped(folder, cases[name])
        more = {metric: status for metric, status in found.items() if sound.get(metric) != status}
        lines.append(f"| {name} | {', '.join(f'{metric} {status}' for metric, status in more.items()) or 'none'} |")
        faults += [f"{name}: {metric} did not trip" for metric in own - more.keys()]
        faults += [f"{name}: {metric} tripped too" for metric in more.keys() - own - follows]
    yield from support.failed(faults)
    yield "\n".join(["## Gates", "", *lines, "", f"{time.monotonic() - started:.0f} s.", ""])
