"""Tumours: simulated ones against what was planted, real reads mixed, pairs that are not what they are said to be."""

from __future__ import annotations

import csv
import json
import shutil
import subprocess
import sys
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import compare_somatic
import compare_structural
import compare_truth
import dnaio
import family
import genome as g
import make_demo
import measure as m
import numpy as np
import pysam
import runs
import support
from genome import Record
from test_tumours import TUMOUR as TINY_TUMOUR
from test_tumours import plant as plant_snvs

SEED = 20261123
PURITIES = (20, 50, 80)  # percent
NORMAL, PAIRED, ALONE = make_demo.TUMOURS
STRANGER = replace(NORMAL, sample="STRANGERNORM", case="STRANGERCASE")
MIXED = replace(NORMAL, sample="NORMALWITH10", purity=0.1)
"""The normal with a tenth of the tumour's cells."""
DEEP = replace(NORMAL, sample="DEEPNORMAL", depth=4 * make_demo.DEPTH)
FRACTIONS = (0, 10, 20, 30, 50)  # percent of a mixture's reads that are another person's
HCC1954 = m.DATA / "tn_hcc1954_sv"


PARTS = ("wrong_pairs", "relapse", "simulated", "mixtures", "breakends")
REAL = ("mixtures", "breakends")
"""Those of real reads."""


def run(place: Path, parts: Sequence[str] = PARTS) -> Iterator[str]:
    """Each part by itself; the parts that fail are told at the end."""
    yield "## Tumours\n"
    wrong: list[str] = []
    for name in parts:
        if name in REAL and not m.DATA.is_dir():
            yield f"{name}: left out, no {m.DATA}.\n"
            continue
        (place / name).mkdir()
        began = time.monotonic()
        try:
            yield from globals()[name](place / name)
        except support.NotProven as error:
            wrong.append(f"{name}: {error}")
        yield f"{name}: {time.monotonic() - began:.0f} s.\n"
    yield from support.failed(wrong)


def vcf(folder: Path, sample: str, kind: str = "conform/{}.somatic.vcf.gz") -> Path:
    return folder / "results" / kind.format(sample)


def made(folder: Path, targets: Iterable[Path], *more: str) -> None:
    """Run the workflow up to some files."""
    done = runs.run_workflow(folder, *more, *(str(path.relative_to(folder)) for path in targets))
    if done.returncode:
        raise support.NotProven(f"{folder.name}: {runs.said(done)[-3000:]}")


# ---- simulated tumours against what was planted ----------------------------------------------------------------------


def simulated(place: Path) -> Iterator[str]:
    """One person's tumour at three purities beside one normal, and another's three without: recall and precision."""
    pairs = [replace(PAIRED, sample=f"PAIRED{purity}PCT", purity=purity / 100) for purity in PURITIES]
    alone = [replace(ALONE, sample=f"ALONE{purity}PCT", purity=purity / 100) for purity in PURITIES]
    make_demo.make(place, g.FULL, [NORMAL, *pairs, *alone], SEED, "tumours")
    kinds = {"conform/{}.somatic.vcf.gz": [*pairs, *alone], "copy_number/{}.somatic.cnv.vcf.gz": [*pairs, *alone]}
    kinds["sv/{}.somatic.sv.vcf.gz"] = pairs
    made(place, [vcf(place, person.sample, kind) for kind, people in kinds.items() for person in people])
    found = {
        person: compare_somatic.compare(place, person.sample, vcf(place, person.sample)) for person in [*pairs, *alone]
    }
    wrong = []
    for name, people in (("with its normal", pairs), ("tumour only", alone)):
        yield f"Simulated tumour, 0.5 Mb at 111x, {name}: PASS records.\n"
        yield "| purity | kind | planted | found | from 0.2 | precision | germline | at a junction | other false |"
        yield "|--:|---|--:|--:|--:|--:|--:|--:|--:|"
        for person in people:
            for kind, row in found[person].items():
                sure = row["planted_sure"] and f"{row['recall_sure']:.3f} of {row['planted_sure']}"
                counts = row["false_germline"], row["false_at_junctions"], len(row["false_other"])
                cells = [kind, row["planted"], row["found"], sure, f"{row['precision']:.3f}", *counts]
                yield f"| {person.purity:.0%} | " + " | ".join(map(str, cells)) + " |"
        yield ""
        yield from curve([found[person] for person in people])
    for person in pairs:
        row = found[person]["snv"]
        if row["planted_sure"] and row["recall_sure"] < 0.95:
            wrong.append(f"{person.sample}: SNV recall {row['recall_sure']}")
        if row["precision"] < 0.95:
            wrong.append(f"{person.sample}: SNV precision {row['precision']}")
    yield from copies_and_junctions(place, pairs, alone)
    yield "| stage | CPU s of seven samples |\n|---|--:|"
    yield "\n".join(f"| {stage} | {seconds:.0f} |" for stage, seconds in sorted(family.cpu(place).items())) + "\n"
    yield from support.failed(wrong)


def curve(found: Iterable[Mapping[str, dict]]) -> Iterator[str]:
    """Recall by fraction over several tumours."""
    total: dict[str, dict[str, list[int]]] = {"snv": {}, "indel": {}}
    for result in found:
        for kind, row in result.items():
            for name, (got, planted) in row["recall"].items():
                cell = total[kind].setdefault(name, [0, 0])
                cell[0], cell[1] = cell[0] + got, cell[1] + planted
    yield "| expected fraction | SNVs found | indels found |\n|---|--:|--:|"
    for name in sorted(total["snv"].keys() | total["indel"].keys()):
        cells = ("{} of {}".format(*total[kind].get(name, (0, 0))) for kind in ("snv", "indel"))
        yield f"| {name} | {' | '.join(cells)} |"
    yield ""


def copies_and_junctions(place: Path, pairs: list[make_demo.Person], alone: list[make_demo.Person]) -> Iterator[str]:
    """Structural variants of the tumours that have a normal, and changes of copies of all."""
    for person in [*pairs, *alone]:
        truth = list(csv.DictReader((place / "truth" / f"{person.sample}.copies.tsv").open(), delimiter="\t"))
        with pysam.VariantFile(str(vcf(place, person.sample, "copy_number/{}.somatic.cnv.vcf.gz"))) as calls:
            rows = [f"{c.chrom}:{c.pos}-{c.stop} {c.alts}" for c in calls if "PASS" in c.filter]
        told = json.loads(vcf(place, person.sample, "copy_number/{}.somatic.json").read_text())["purity"]
        share = f"{told['share']} ({told['low']} to {told['high']})" if told["share"] is not None else told["reason"]
        yield f"{person.sample}: planted {[tuple(row.values()) for row in truth]}; called {rows};"
        yield f"tumour cells {share}.\n"
    yield "| purity | type | planted | found | wrong |\n|--:|---|--:|--:|--:|"
    for person in pairs:
        truth = place / "truth" / f"{person.sample}.structural.tsv"
        told = compare_structural.compare(
            truth, vcf(place, person.sample, "sv/{}.somatic.sv.vcf.gz"), person.sample, "tumour"
        )
        for kind, classes in told["recall"].items():
            found, planted = (sum(column) for column in zip(*classes.values(), strict=True))
            right, all_of = told["precision"].get(kind, (0, 0))
            yield f"| {person.purity:.0%} | {kind} | {planted} | {found} | {all_of - right} |"
    yield ""


# ---- pairs that are not what they are said to be ---------------------------------------------------------------------

PAIRS = {  # name: reads of the normal, reads of the tumour, the metric that stops the case
    "right": (NORMAL, PAIRED, None),
    "swapped": (PAIRED, NORMAL, "tumour_over_normal_coverage"),
    "swapped, the normal deeper": (PAIRED, DEEP, "tumour_normal_order"),
    "stranger": (STRANGER, PAIRED, "identity_concordance"),
    "tumour in normal": (MIXED, PAIRED, "tumour_in_normal"),
}


def lay_pair(base: Path, folder: Path, normal: make_demo.Person, tumour: make_demo.Person) -> Path:
    """A case whose normal and tumour have the reads of two people of `base`."""
    folder.mkdir()
    for path in base.iterdir():
        if path.name not in ("results", "logs", "benchmarks", ".snakemake"):
            (shutil.copytree if path.is_dir() else shutil.copy2)(path, folder / path.name)
    roles = {NORMAL.sample: normal, PAIRED.sample: tumour}
    keep = lambda table, column, names: [row for row in runs.table(base, table) if row[column] in names]  # noqa: E731
    runs.write_table(folder, "cases", keep("cases", "case", (NORMAL.case,)))
    runs.write_table(folder, "samples", keep("samples", "sample", roles))
    units = {row["sample"]: row for row in runs.table(base, "units")}
    runs.write_table(folder, "units", [{**units[of.sample], "sample": sample} for sample, of in roles.items()])
    return folder


def wrong_pairs(place: Path) -> Iterator[str]:
    """Normal and tumour exchanged, a stranger's normal, a normal with a tenth of tumour; and the right pair."""
    base = place / "base"
    base.mkdir()
    make_demo.CASES[STRANGER.case] = make_demo.CASES[make_demo.FEMALE.case]
    make_demo.make(base, g.TRIO, [STRANGER, NORMAL, MIXED, DEEP, PAIRED], SEED, "pairs")
    wrong = []
    yield "| normal and tumour | verdict | reasons |\n|---|---|---|"
    for name, (normal, tumour, metric) in PAIRS.items():
        folder = lay_pair(base, place / name.replace(",", "").replace(" ", "_"), normal, tumour)
        runs.run_workflow(folder)
        row = runs.verdicts(folder)[NORMAL.case]
        yield f"| {name} | {row['verdict']} | {row['reasons'] or 'none'} |"
        if metric is None and row["verdict"] != "ACCEPTED":
            wrong.append(f"{name}: {row['verdict']}")
        if metric and (row["verdict"] != "REFUSED" or metric not in row["reasons"]):
            wrong.append(f"{name}: {metric} did not stop it")
    yield ""
    yield from support.failed(wrong)


# ---- two tumours of one person, a panel of normals, and other orders -----------------------------------------

OWN, OTHER = make_demo.TINY_MALE, make_demo.FEMALE
THIRD = replace(make_demo.TRIO[0], case=STRANGER.case)
DIAGNOSIS, RELAPSE = (replace(TINY_TUMOUR, sample=name) for name in ("DIAGNOSISTUM", "RELAPSETUM"))
CELLS, CLONE = 0.75, 1.75
"""The person's own cells and the clone, in depths of the demo: 92x at a purity of 0.7."""
ARTEFACT_CELLS = 0.3
"""Share of the reads that have it; an artefact is on one haplotype, so half of that is its fraction."""
ORDERS = {
    "1 core": ("--cores", "1"),
    "another order, the relapse first": (
        *("--cores", "2", "--prioritize"),
        f"results/somatic/{RELAPSE.sample}.002.vcf.gz",
        f"results/alignment/{RELAPSE.sample}.cram",
    ),
}


def lay_relapse(place: Path) -> dict[str, tuple[Record, ...]]:
    """The tiny demo's person with two tumours, and two other people; what was planted, by what it is.

    Artefacts are in the reads of the two others and, at the same fraction, in those of both tumours. The tumours' own
    normal has none: only the panel can tell.
    """
    make_demo.CASES[THIRD.case] = {**make_demo.CASES[OTHER.case], "requisition_id": "NGCWGS000199"}
    make_demo.make(place, g.TINY, [OWN, OTHER, THIRD], 1, "relapse")
    genome = g.make_genome(g.TINY, np.random.default_rng([1, 1]))
    fasta, truths = (
        place / "reference" / "genome.fa",
        {person: place / "truth" / f"{person.sample}.vcf.gz" for person in (OWN, OTHER, THIRD)},
    )
    others = {record[:2] for person in (OTHER, THIRD) for record in make_demo.read_records(truths[person])}
    free = [record for record in plant_snvs(genome, truths[OWN]) if record[:2] not in others]
    kinds = ("artefact", "shared", "shared", DIAGNOSIS.sample, RELAPSE.sample)
    planted = {kind: tuple(r for at, r in enumerate(free) if kinds[at % 5] == kind) for kind in kinds}
    wrong = make_demo.Layer(ARTEFACT_CELLS, planted["artefact"])
    for person in (OTHER, THIRD):
        layers = [make_demo.Layer(1 - ARTEFACT_CELLS), wrong]
        make_demo.person_reads(person, genome, fasta, truths[person], 1, place, layers)
    for tumour in (DIAGNOSIS, RELAPSE):
        of_clone = (*planted["shared"], *planted[tumour.sample])
        every = CELLS + CLONE
        layers = [
            make_demo.Layer(CELLS - ARTEFACT_CELLS * every),
            make_demo.Layer(ARTEFACT_CELLS * every, planted["artefact"]),
            make_demo.Layer(CLONE, of_clone),
        ]
        make_demo.person_reads(tumour, genome, fasta, truths[OWN], 1, place, layers)
    runs.edit(place, "cases", lambda rows: rows[0].update(make_demo.CASES[PAIRED.case] | {"case": OWN.case}))
    units, samples = runs.table(place, "units"), runs.table(place, "samples")
    for tumour in (DIAGNOSIS, RELAPSE):
        (unit,) = tumour.units
        fq1, fq2 = make_demo.fastq_names(tumour, unit)
        row = {"sample": tumour.sample, "library": unit.library, "lane": unit.lane, "fq1": fq1, "fq2": fq2}
        units.append({**units[0], **row})
        samples.append({**samples[0], "sample": tumour.sample, "sample_type": "tumour"})
    runs.write_table(place, "units", units)
    runs.write_table(place, "samples", samples)
    return planted


def filters_of(path: Path) -> dict[tuple, set[str]]:
    with pysam.VariantFile(str(path)) as records:
        return {(r.chrom, r.pos, r.ref, r.alts[0]): set(r.filter) for r in records}


def relapse(place: Path) -> Iterator[str]:
    """A panel of normals made and used; diagnosis and relapse; the same at 1 core and in another order."""
    first = place / "first"
    first.mkdir()
    planted = lay_relapse(first)
    want = {kind: {record[:4] for record in records} for kind, records in planted.items()}
    yield f"Tiny demo's person, planted SNVs: {', '.join(f'{kind} {len(keys)}' for kind, keys in want.items())}.\n"
    panel = first / "results" / "panel_of_normals" / "panel.vcf.gz"
    before = [vcf(first, tumour.sample) for tumour in (DIAGNOSIS, RELAPSE)]
    made(first, [panel, *before])
    without = [sum(calls.get(key) == {"PASS"} for key in want["artefact"]) for calls in map(filters_of, before)]
    (first / "panel").mkdir()
    for path in (panel, Path(f"{panel}.tbi")):
        shutil.copy2(path, first / "panel" / path.name)
    runs.configure(first, somatic={"panel_of_normals": "panel/panel.vcf.gz"})
    in_panel = {key[:2] for key in filters_of(panel)}
    # At 37x an artefact at 0.15 has two reads or fewer in 8 % of the normals, too few for a call, and the panel wants
    # two of the three: 2 % are lost.
    held = sum(key[:2] in in_panel for key in want["artefact"])
    yield f"Panel of three normals: {len(in_panel)} sites, {held} of {len(want['artefact'])} artefacts. Without it pass"
    yield f"of these {without[0]} in the diagnosis, {without[1]} in the relapse.\n"
    wrong = ["no artefact passes without the panel"] * (min(without) == 0)
    wrong += ["the panel lacks artefacts"] * (held < 0.9 * len(want["artefact"]))
    laid = place / "laid"
    shutil.copytree(first, laid, ignore=shutil.ignore_patterns("results", "logs", "benchmarks", ".snakemake"))
    folders = {name: place / name.split(",")[0].replace(" ", "_") for name in ORDERS}
    for folder in folders.values():
        shutil.copytree(laid, folder)
    for folder, options in ((first, ()), *((folders[name], ORDERS[name]) for name in ORDERS)):
        done = runs.run_workflow(folder, *options)
        for case, row in runs.verdicts(folder).items():
            if row["verdict"] != "ACCEPTED":
                raise support.NotProven(f"{folder.name}: {case}: {row} {runs.said(done)[-500:]}")
        yield f"{folder.name}: {len(runs.verdicts(folder))} cases ACCEPTED.\n"
    yield "| tumour | found | of shared and its own | artefacts, PASS | of those in the panel | other PASS |"
    yield "|---|--:|--:|--:|--:|--:|"
    passed = {}
    for tumour in (DIAGNOSIS.sample, RELAPSE.sample):
        calls = filters_of(vcf(first, tumour))
        passed[tumour] = own = {key for key, names in calls.items() if names == {"PASS"}}
        truth, bad = want["shared"] | want[tumour], want["artefact"]
        known = sum(key[:2] in in_panel for key in own & bad)
        counts = len(own & truth), len(truth), len(own & bad), known, len(own - truth - bad)
        yield f"| {tumour} | {' | '.join(map(str, counts))} |"
        missed = counts[0] < 0.95 * counts[1]
        wrong += [f"{tumour}: {counts}"] * (missed or known > 0 or counts[4] > 0)
    yield ""
    told = json.loads((first / "results" / "somatic" / f"{OWN.case}.tumours.json").read_text())
    groups = [[DIAGNOSIS.sample, RELAPSE.sample], [DIAGNOSIS.sample], [RELAPSE.sample]]
    wrong += [f"compare_tumours: {told['sets']}"] * ([group["tumours"] for group in told["sets"]] != groups)
    for group in told["sets"]:
        here = set.intersection(*(passed[name] for name in group["tumours"]))
        here -= set().union(*(passed[name] for name in passed if name not in group["tumours"]))
        yield f"{', '.join(group['tumours'])}: {group['variants']} variants that no other has.\n"
        wrong += [f"{group['tumours']}: {len(here)} in the VCFs"] * (len(here) != group["variants"])
    report = (runs.bag(first, OWN.case) / "data" / f"{OWN.case}.multiqc.html").read_text()
    wrong += ["no section of several tumours in the report"] * ("Tumours of one person" not in report)
    bags = {name: runs.bag(folder, OWN.case) for name, folder in folders.items()}
    yield "| condition | content digests, against 2 cores | `ngc-wgs compare` |\n|---|---|---|"
    before = runs.contents(runs.bag(first, OWN.case))
    for name, bag in bags.items():
        after = runs.contents(bag)
        command = [sys.executable, "-m", "ngc_check.cli", "compare", str(runs.bag(first, OWN.case)), str(bag), "--json"]
        command += ["--reference", str(first / "reference" / "genome.fa")]
        done = subprocess.run(command, capture_output=True, text=True, env=support.environment(), check=False)
        same = sum(before.get(path) == value for path, value in after.items())
        yield f"| {name} | {same} of {len(before)} the same | {json.loads(done.stdout)['verdict']} |"
        wrong += [f"{name}: {done.stdout[:1000]}"] * (before != after or bool(done.returncode))
    yield ""
    yield from support.failed(wrong)


# ---- real reads mixed ------------------------------------------------------------------------------------------------


def pairs_of(stem: Path) -> list[tuple]:
    """Read pairs of a sample, in the order of its files."""
    with dnaio.open(f"{stem}_R1.fastq.gz", f"{stem}_R2.fastq.gz") as reads:
        return list(reads)


def write_pairs(folder: Path, sample: str, number: int, pairs: Iterable[tuple]) -> dict[str, str]:
    """A unit of read pairs, as a row of units.tsv; named anew, as reads of many lanes are refused as one."""
    names = [f"reads/{sample}_R{read}.fastq.gz" for read in (1, 2)]
    with dnaio.open(*(folder / name for name in names), mode="w") as out:
        for at, pair in enumerate(pairs):
            for read in pair:
                read.name = f"MIXED:1:HREALDSXX:{number}:1101:{at}:{at}"
            out.write(*pair)
    return {
        "sample": sample, "library": f"LIB{sample}", "flowcell": "HREALDSXX", "lane": str(number), "fq1": names[0],
        "fq2": names[1], "platform": "ILLUMINA", "model": "NovaSeq 6000", "library_kit": "unknown", "pcr_free": "yes",
    }  # fmt: skip


def lay_tumours(folder: Path, units: list[dict[str, str]], sex: str, region: str, tumours: list[str]) -> None:
    """Tables and configuration of one case; every sample that is not a tumour is its normal."""
    case = {**make_demo.CASE, **make_demo.CASES[PAIRED.case], "case": PAIRED.case}
    make_demo.write_table(folder / "cases.tsv", make_demo.CASE_COLUMNS, [case])
    fixed = {**make_demo.SAMPLE, "case": PAIRED.case, "relation": "index", "sex": sex, "affected": "yes"}
    samples = dict.fromkeys(unit["sample"] for unit in units)
    rows = [{**fixed, "sample": s, "sample_type": "tumour" if s in tumours else "germline"} for s in samples]
    make_demo.write_table(folder / "samples.tsv", make_demo.SAMPLE_COLUMNS, rows)
    make_demo.write_table(folder / "units.tsv", make_demo.UNIT_COLUMNS, units)
    (folder / "region.bed").write_text(region)
    # A slice has neither the depth of a tumour nor sites for identity.
    somatic = {"somatic": {"panel_of_normals": None, "germline_resource": None}}
    m.write_config(folder, evaluation_regions="region.bed", proceed_on_fail=True, calling={"scatter": 2}, **somatic)


def mixtures(place: Path) -> Iterator[str]:
    """Another person's reads in one person's, half of whose reads are the normal; each of two people as the tumour."""
    panel, slice_ = m.DATA / "unrelated" / "panel3202.vcf.gz", "GRCh38_chr21_chr22_16570000_16610000.fa"
    region = "chr21\t0\t40000\nchr22\t0\t40000\n"
    wrong = []
    yield "NA12878 and NA19401, 80 kb, 32x each: the normal is one half of a person's pairs, the tumour the other half"
    yield "with so many of the other person's. Planted: the other person's alleles that the person lacks, by the 1000"
    yield "Genomes panel; its genotype gives the expected fraction. The normal has some 16x, the tumour 16x to 32x.\n"
    yield "| normal | foreign reads | kind | found by expected fraction | germline | other false |"
    yield "|---|--:|---|---|--:|---|"
    people = {name: pairs_of(m.DATA / "unrelated" / name) for name in ("NA12878", "NA19401")}
    for own, other in (("NA12878", "NA19401"), ("NA19401", "NA12878")):
        folder = place / own
        m.prepare_reference(m.DATA / "ref" / slice_, folder, "slice")
        (folder / "reads").mkdir()
        half, rest = people[own][0::2], people[own][1::2]
        units, tumours = [write_pairs(folder, f"{own}NORM", 1, half)], {}
        for number, percent in enumerate(FRACTIONS, start=2):
            share = percent / 100
            foreign = people[other][: round(len(rest) * share / (1 - share))]
            tumours[percent] = f"MIXED{percent}OF{own[-3:]}"
            units.append(write_pairs(folder, tumours[percent], number, [*rest, *foreign]))
        lay_tumours(folder, units, "female", region, list(tumours.values()))
        made(folder, [vcf(folder, sample) for sample in tumours.values()])
        fasta = folder / "reference" / "genome.fa"
        carried = {name: compare_truth.read_records(panel, fasta, None, name) for name in people}
        for percent, sample in tumours.items():
            planted = {
                key: percent / 100 * genotype.count("1") / 2
                for key, genotype in carried[other].items()
                if key not in carried[own] and percent
            }
            calls = set(compare_truth.read_records(vcf(folder, sample), fasta, None, sample))
            result = compare_somatic.score(planted, set(carried[own]), calls)
            for kind, row in result.items():
                classes = ", ".join("{}: {} of {}".format(name, *counts) for name, counts in row["recall"].items())
                false = ", ".join(row["false_other"][:5]) + (" ..." if len(row["false_other"]) > 5 else "")
                told = f"{len(row['false_other'])}{': ' * bool(false)}{false}"
                yield f"| {own} | {percent} % | {kind} | {classes or 'none'} | {row['false_germline']} | {told} |"
            if not percent and any(row["false_other"] or row["false_germline"] for row in result.values()):
                wrong.append(f"{own}: calls without a foreign read")
    yield ""
    yield from support.failed(wrong)


# ---- breakends of a real tumour --------------------------------------------------------------------------------------


def breakends(place: Path) -> Iterator[str]:
    """HCC1954 and its normal, 11 lanes: the breakends of chromosomes 8 and 11, and the pairs that span them."""
    m.prepare_reference(HCC1954 / "ref_b37_small.fa", place, "hcc1954")
    (place / "reads").mkdir()
    tumour, units = "HCC1954TUMOUR", []
    for path in sorted(HCC1954.glob("*_R1_xxx.fastq.gz")):
        run_, lane, index = path.name.removesuffix("_R1_xxx.fastq.gz").split(".")
        sample = tumour if run_.split("_")[1] == "T" else "HCC1954NORMAL"
        names = [f"reads/{run_}.L{lane}_R{read}.fastq.gz" for read in (1, 2)]
        for read, name in enumerate(names, start=1):
            shutil.copyfile(str(path).replace("_R1_", f"_R{read}_"), place / name)
        units.append(
            {"sample": sample, "library": f"LIB{index}", "flowcell": run_.replace("_", ""), "lane": lane,
             "fq1": names[0], "fq2": names[1], "platform": "ILLUMINA", "model": "HiSeq 2000",
             "library_kit": "unknown", "pcr_free": "no"}
        )  # fmt: skip
    lay_tumours(place, units, "female", "8\t0\t2000\n11\t0\t13000\n", [tumour])
    target = vcf(place, tumour, "sv/{}.somatic.sv.vcf.gz")
    made(place, [target])
    for sample in dict.fromkeys(unit["sample"] for unit in units):
        cram, fasta = place / "results" / "alignment" / f"{sample}.cram", place / "reference" / "genome.fa"
        with pysam.AlignmentFile(str(cram), reference_filename=str(fasta)) as reads:
            first = [read for read in reads if not (read.is_duplicate or read.is_supplementary)]
            between = {r.query_name for r in first if {r.reference_name, r.next_reference_name} == {"8", "11"}}
        yield f"{sample}: {len(between)} pairs between chromosomes 8 and 11.\n"
    if reason := json.loads((target.parent / f"{tumour}.somatic.not_called.json").read_text()):
        yield f"Not called: {reason[0]['reason']}.\n"
        return
    with pysam.VariantFile(str(target)) as calls:
        rows = [f"{c.chrom}:{c.pos} {c.alts[0]} {';'.join(c.filter)}" for c in calls if c.info["SVTYPE"] == "BND"]
    yield "Breakends: " + ("; ".join(rows) or "none") + ".\n"
    yield from support.failed(["no breakend of 8 and 11"] * (not rows))
