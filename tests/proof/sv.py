"""Structural variants: what is found of those that were planted in a simulated trio, and what it costs."""

from __future__ import annotations

import csv
import json
import shutil
import subprocess
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import compare_structural
import family
import pysam
import runs
import support

MEMBERS = {"child": "index", "mother": "mother", "father": "father"}


def run(place: Path) -> Iterator[str]:
    """The trio of `make_demo.py --sv`, by the workflow up to its structural VCF and the child's germline VCF."""
    yield "## Structural variants\n"
    folder = runs.make_demo(place / "simulated", "--sv")
    (case,), people = runs.table(folder, "cases"), runs.table(folder, "samples")
    names = {row["relation"]: row["sample"] for row in people}
    vcf, germline = f"results/sv/{case['case']}.sv.vcf.gz", f"results/conform/{names['index']}.vcf.gz"
    done = runs.run_workflow(folder, vcf, germline)
    if done.returncode:
        raise support.NotProven(f"the simulated trio was not called: {runs.said(done)[-2000:]}")
    truth = folder / "truth" / "structural.tsv"
    found = {
        who: compare_structural.compare(truth, folder / vcf, names[relation], who) for who, relation in MEMBERS.items()
    }
    yield "Simulated trio, 1.6 Mb, 37x: events that a member carries, of all three members.\n"
    yield "| type | size | planted | found |\n|---|---|--:|--:|"
    total: dict[tuple[str, str], list[int]] = {}
    for result in found.values():
        for kind, classes in result["recall"].items():
            for size, (got, planted) in classes.items():
                row = total.setdefault((kind, size), [0, 0])
                row[0], row[1] = row[0] + got, row[1] + planted
    yield "\n".join(f"| {kind} | {size} | {row[1]} | {row[0]} |" for (kind, size), row in sorted(total.items())) + "\n"
    yield "| type | records that pass and are carried | right |\n|---|--:|--:|"
    precision: Counter[tuple[str, str]] = Counter()
    for result in found.values():
        for kind, (right, all_of) in result["precision"].items():
            precision[kind, "right"] += right
            precision[kind, "all"] += all_of
    kinds = sorted({kind for kind, _ in precision})
    yield "\n".join(f"| {kind} | {precision[kind, 'all']} | {precision[kind, 'right']} |" for kind in kinds) + "\n"
    genotypes = sum((Counter(result["genotypes"]) for result in found.values()), Counter())
    yield "Genotypes: " + ", ".join(f"{name} {n}" for name, n in sorted(genotypes.items())) + ".\n"
    yield (
        "Wrong: "
        + (", ".join(sorted({line for result in found.values() for line in result["false"]})) or "none")
        + "\n"
    )
    yield from _truvari(folder, truth, folder / vcf, names, place)
    yield "HaplotypeCaller beside it, the child's autosomal events below 300 bp (PASS, length within a fifth):\n"
    yield "| type | planted | delly | HaplotypeCaller |\n|---|--:|--:|--:|"
    yield "\n".join(_beside(truth, folder / germline, found["child"])) + "\n"
    yield f"CPU s of delly and of what makes its file, three people: {family.cpu(folder).get('sv', 0):.1f}\n"
    yield from support.failed(
        f"{kind} {size}: {got} of {planted} found"
        for (kind, size), (got, planted) in total.items()
        if got < 0.95 * planted and kind != "INS" and size != "below 300 bp"
    )
    yield from support.failed(
        f"{kind}: {precision[kind, 'all'] - precision[kind, 'right']} wrong"
        for kind in kinds
        if precision[kind, "right"] < 0.85 * precision[kind, "all"]
    )


def _truvari(folder: Path, truth: Path, vcf: Path, names: dict[str, str], place: Path) -> Iterator[str]:
    """The same calls scored by `truvari bench`, each member's; it leaves breakends out. Precision must be 0.95."""
    if shutil.which("truvari") is None:
        yield "`truvari bench`: not run, truvari is not on PATH.\n"
        return
    options = ["--pctseq", "0", "--refdist", "50", "--passonly", "--no-ref", "a", "--sizemin", "50", "--pick", "multi"]
    yield f"`truvari bench {' '.join(options)}`, without breakends:\n"
    yield "| member | found of planted | recall | right of called | precision | same genotype |"
    yield "|---|--:|--:|--:|--:|--:|"
    low = []
    for who, relation in MEMBERS.items():
        sample = names[relation]
        base, out = _truth_vcf(truth, vcf, who, sample, place / f"{who}.vcf"), place / f"truvari_{who}"
        words = [
            "truvari",
            "bench",
            "-b",
            base,
            "-c",
            vcf,
            "-o",
            out,
            "--bSample",
            sample,
            "--cSample",
            sample,
            *options,
        ]
        subprocess.run(words, check=True, capture_output=True)
        score = json.loads((out / "summary.json").read_text())
        planted, called = score["base cnt"], score["comp cnt"]
        yield (
            f"| {who} | {score['TP-base']} of {planted} | {score['recall']:.3f} | {score['TP-comp']} of {called} |"
            f" {score['precision']:.3f} | {score['gt_concordance']:.3f} |"
        )
        low += [f"truvari's precision of the {who}: {score['precision']:.3f}"] * (score["precision"] < 0.95)
    yield ""
    yield from support.failed(low)


def _truth_vcf(truth: Path, like: Path, who: str, sample: str, out: Path) -> Path:
    """What a member carries as VCF with symbolic alleles, for truvari: its path, compressed and with an index."""
    with pysam.VariantFile(str(like)) as calls, truth.open() as lines, out.open("w") as vcf:
        rows = [row for row in csv.DictReader(lines, delimiter="\t") if "1" in row[who] and row["kind"] != "BND"]
        contigs = {name: calls.header.contigs[name].length for name in calls.header.contigs}
        vcf.write("##fileformat=VCFv4.2\n")
        vcf.writelines(f"##contig=<ID={name},length={length}>\n" for name, length in contigs.items())
        for key, number, kind in (("SVTYPE", 1, "String"), ("SVLEN", 1, "Integer"), ("END", 1, "Integer")):
            vcf.write(f'##INFO=<ID={key},Number={number},Type={kind},Description="">\n')
        vcf.write('##FORMAT=<ID=GT,Number=1,Type=String,Description="">\n')
        vcf.write("\t".join(["#CHROM", "POS", "ID", "REF", "ALT", "QUAL", "FILTER", "INFO", "FORMAT", sample]) + "\n")
        for row in sorted(rows, key=lambda row: (list(contigs).index(row["contig"]), int(row["pos"]))):
            kind, length = row["kind"], -int(row["length"]) if row["kind"] == "DEL" else int(row["length"])
            end = row["pos"] if kind == "INS" else row["end"]
            info = f"SVTYPE={kind};SVLEN={length};END={end}"
            cells = [row["contig"], row["pos"], ".", "N", f"<{kind}>", ".", "PASS", info, "GT", row[who]]
            vcf.write("\t".join(cells) + "\n")
    return Path(pysam.tabix_index(str(out), preset="vcf", force=True))


def _beside(truth: Path, germline: Path, found: dict) -> Iterator[str]:
    """Rows: small events of the child by type, how many delly has, how many HaplotypeCaller."""
    with truth.open() as lines:
        rows = [
            row
            for row in csv.DictReader(lines, delimiter="\t")
            if "1" in row["child"] and 0 < int(row["length"]) < 300 and row["contig"] != "chrX"
        ]
    missed = {line.rsplit(" ", 3)[0] for line in found["missed"]}
    sizes: dict[str, list[tuple[int, int]]] = {}
    with pysam.VariantFile(str(germline)) as calls:
        for call in calls:
            if "PASS" in call.filter and abs(gain := len(call.alts[0]) - len(call.ref)) >= 40:
                sizes.setdefault(call.chrom, []).append((call.pos, gain))
    for kind in ("DEL", "DUP", "INS", "INV"):
        own = [row for row in rows if row["kind"] == kind]
        delly = sum(f"{kind} {row['contig']}:{row['pos']}" not in missed for row in own)
        other = sum(_called(row, sizes.get(row["contig"], [])) for row in own)
        yield f"| {kind} | {len(own)} | {delly} | {other} |"


def _called(row: dict[str, str], near: list[tuple[int, int]]) -> bool:
    """Whether a small variant at the place has the event's gain or loss of bases; of an inversion there is none."""
    length, pos = int(row["length"]), int(row["pos"])
    wanted = {"DEL": -length, "INV": 0}.get(row["kind"], length)
    return any(abs(at - pos) <= length + 50 and wanted and abs(gain - wanted) <= length // 5 for at, gain in near)
