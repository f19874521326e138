"""The demo's simulator and the truth comparison: same bytes, exact truth, no half results."""

from __future__ import annotations

import gzip
import hashlib
import json
import os
import re
import shutil
import subprocess
from collections import Counter
from pathlib import Path

import compare_somatic
import compare_truth
import genome
import make_demo
import numpy as np
import pytest
import structural
import tumour
import yaml

TOOLS = ("art_illumina", "bcftools", "bgzip", "bwa", "samtools")
needs_tools = pytest.mark.skipif(
    any(shutil.which(tool) is None for tool in TOOLS), reason=f"needs {', '.join(TOOLS)} on the PATH"
)


def digests(folder: Path) -> dict[str, str]:
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    return {str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


def bcftools(*arguments: str | Path) -> str:
    return make_demo.run("bcftools", *arguments)


def records(vcf: Path) -> list[list[str]]:
    return [line.split("\t") for line in bcftools("view", "-H", vcf).splitlines()]


def table(path: Path) -> list[dict[str, str]]:
    head, *rows = [line.split("\t") for line in path.read_text().splitlines()]
    return [dict(zip(head, row, strict=True)) for row in rows]


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The tiny demo in a folder whose name has a space."""
    out = tmp_path_factory.mktemp("with space") / "tiny demo"
    assert make_demo.main(["--out", str(out), "--tiny"]) == 0
    return out


@pytest.fixture(scope="module")
def drawn() -> tuple[genome.Genome, list[genome.Site]]:
    """The full demo's genome and sites, without tools."""
    made = genome.make_genome(genome.FULL, np.random.default_rng([1, 1]))
    return made, genome.make_sites(made, np.random.default_rng([1, 2]))


# --- genome and variants, without tools -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("given", "normal"),
    [
        ((6, "AA", "A"), (2, "CA", "C")),  # a deletion in a homopolymer goes to its left end
        ((7, "A", "AA"), (2, "C", "CA")),
        ((1, "GCA", "GTA"), (2, "C", "T")),  # what both alleles share is trimmed
        ((10, "TGTG", "TG"), (7, "ATG", "A")),
    ],
)
def test_normalises_to_the_leftmost_shortest_form(given, normal):
    assert genome.normalise("TGCAAAAATGTGTGC", *given) == normal


def test_genome_has_gaps_repeats_and_a_par_masked_on_y(drawn):
    made, _ = drawn
    assert sum(map(len, made.sequences.values())) in range(500_000, 600_001)
    for name in ("chr1", "chr2", "chrX", "chrY"):
        sequence = made.sequences[name]
        inner = genome.runs_without_n(sequence)
        assert sequence[0] == genome.N and sequence[-1] == genome.N
        assert len(inner) == 2, "one gap in the middle"
    assert genome.runs_without_n(made.sequences["chrM"]) == [(0, 16_500)]
    for on_x, on_y in made.par:
        assert on_x.end - on_x.start == on_y.end - on_y.start
        assert (made.sequences["chrX"][on_x.start : on_x.end] != genome.N).all()
        assert (made.sequences["chrY"][on_y.start : on_y.end] == genome.N).all()
    text = made.sequences["chr1"].tobytes().decode()
    assert re.search("A{12}|T{12}", text) and re.search("(CA){8}|(TG){8}", text)
    windows = np.isin(made.sequences["chr2"][2_000:82_000], list(b"GC")).reshape(-1, 2_000).mean(axis=1)
    assert windows.max() - windows.min() > 0.15, "GC varies along the genome"


def test_sites_are_spaced_and_keep_off_gaps_and_borders(drawn):
    made, sites = drawn
    for before, after in zip(sites, sites[1:], strict=False):
        if before.segment == after.segment:
            assert after.start >= before.end + genome.SPACING
    for site in sites:
        assert site.segment.start + genome.EDGE <= site.start
        assert site.end <= site.segment.end - genome.EDGE
        for pos, ref, _ in site.alleles:
            assert made.sequences[site.segment.contig][pos : pos + len(ref)].tobytes().decode() == ref


def test_genotypes_have_the_ploidy_of_place_and_sex(drawn):
    made, sites = drawn
    par = [on_x for on_x, _ in made.par]
    seen: dict[str, set[tuple[str, int]]] = {}
    for sex in ("female", "male"):
        for contig, pos, _, _, gt in genome.genotype_records(
            sites, genome.draw_genotypes(sites, sex, np.random.default_rng(1))
        ):
            inside = contig == "chrX" and any(p.start < pos <= p.end for p in par)
            seen.setdefault(sex, set()).add(("PAR" if inside else contig, gt.count("|") + 1))
    both = {("chr1", 2), ("chr2", 2), ("PAR", 2), ("chrM", 1)}
    assert seen == {"female": both | {("chrX", 2)}, "male": both | {("chrX", 1), ("chrY", 1)}}


def test_variants_are_as_frequent_and_mixed_as_documented(drawn):
    made, sites = drawn
    carried = genome.genotype_records(sites, genome.draw_genotypes(sites, "female", np.random.default_rng(1)))
    bases = sum(s.end - s.start for s in genome.segments(made) if s.kind != "Y")
    snvs = [r for r in carried if len(r[2]) == len(r[3])]
    sizes = [abs(len(r[2]) - len(r[3])) for r in carried if len(r[2]) != len(r[3])]
    assert 650 < bases / len(snvs) < 1_000
    assert 80 < len(sizes) < 250 and 20 < max(sizes) <= 40
    assert 1.5 < sum(genome.TRANSITION[r[2]] == r[3] for r in snvs) / len(snvs) / (1 / 3) < 2.5
    places = Counter((r[0], r[1]) for r in carried)
    assert sum(count == 2 for count in places.values()) >= 2, "sites with two ALTs"
    assert {r[4] for r in carried if r[0] == "chr1"} == {"0|1", "1|0", "1|1"}


def test_subtracts_overlapping_and_touching_holes():
    whole = [genome.Interval("a", 10, 100)]
    holes = [("a", 0, 20), ("a", 40, 50), ("a", 45, 60), ("b", 70, 80), ("a", 90, 100)]
    holes = [genome.Interval(*hole) for hole in holes]
    assert genome.subtract(whole, holes) == [genome.Interval("a", 20, 40), genome.Interval("a", 60, 90)]


def test_lanes_get_each_fragment_once_and_copies_only_where_marked():
    fragments = [(f"A{i}", "K", f"C{i}", "K") for i in range(4_000)]
    dealt = make_demo.deal_to_units(make_demo.MALE, fragments, np.random.default_rng(1))
    counts = Counter(read[1] for reads in dealt for read in reads)
    assert set(counts) == set(fragments)
    places = [read[0] for reads in dealt for read in reads]
    assert len(set(places)) == len(places)
    for unit, reads in zip(make_demo.MALE.units, dealt, strict=True):
        by_fragment: dict[tuple, list] = {}
        for place, fragment in reads:
            by_fragment.setdefault(fragment, []).append(place)
        pairs = [found for found in by_fragment.values() if len(found) > 1]
        assert len(pairs) == (int(0.1 * len(by_fragment)) if unit.duplicates else 0)
        optical = [a for a, b in pairs if a[0] == b[0] and max(abs(a[1] - b[1]), abs(a[2] - b[2])) < 2_500]
        assert len(optical) in (range(30, 70) if unit.duplicates else [0])


# --- the tiny demo ----------------------------------------------------------------------------------------------------


@needs_tools
def test_same_seed_gives_the_same_bytes_and_another_seed_others(tiny: Path, tmp_path: Path):
    assert make_demo.main(["--out", str(tmp_path / "again"), "--tiny"]) == 0
    assert digests(tmp_path / "again") == digests(tiny)
    assert make_demo.main(["--out", str(tmp_path / "other"), "--tiny", "--seed", "2"]) == 0
    ours, others = digests(tiny), digests(tmp_path / "other")
    assert ours.keys() == others.keys()
    drawn = {name for name in ours if name.endswith((".fa", ".fastq.gz", ".vcf.gz"))}
    assert len(drawn) == 8 and all(ours[name] != others[name] for name in drawn)


@needs_tools
def test_second_call_does_nothing(tiny: Path, capsys: pytest.CaptureFixture[str]):
    before = {path: path.stat().st_mtime_ns for path in tiny.rglob("*")}
    assert make_demo.main(["--out", str(tiny), "--tiny"]) == 0
    assert "already made" in capsys.readouterr().out
    assert {path: path.stat().st_mtime_ns for path in tiny.rglob("*")} == before


@needs_tools
def test_makes_again_what_was_lost_and_leaves_the_rest(tiny: Path, tmp_path: Path):
    out = shutil.copytree(tiny, tmp_path / "copy")
    kept = next((out / "reads").glob("*_R1.fastq.gz")).stat().st_mtime_ns
    result = out / "results" / "kept.txt"
    result.parent.mkdir()
    result.write_text("of a run\n")
    shutil.rmtree(out / "truth")
    assert make_demo.main(["--out", str(out), "--tiny"]) == 0
    assert result.read_text() == "of a run\n"
    assert next((out / "reads").glob("*_R1.fastq.gz")).stat().st_mtime_ns == kept
    shutil.rmtree(result.parent)
    assert digests(out) == digests(tiny)


@needs_tools
def test_failed_or_killed_run_leaves_no_half_result(tiny: Path, tmp_path: Path, monkeypatch, capsys):
    out = tmp_path / "demo"
    broken = tmp_path / "bin" / "art_illumina"
    broken.parent.mkdir()
    broken.write_text("#!/bin/sh\necho no profile >&2\nexit 3\n")
    broken.chmod(0o755)
    with monkeypatch.context() as patch:
        patch.setenv("PATH", f"{broken.parent}{os.pathsep}{os.environ['PATH']}")
        assert make_demo.main(["--out", str(out), "--tiny"]) == 1
    assert "ended with 3" in (message := capsys.readouterr().err) and "no profile" in message
    assert list(out.iterdir()) == []
    (out / make_demo.SCRATCH / "reference").mkdir(parents=True)  # as kill -9 would leave it
    (out / make_demo.SCRATCH / "reference" / "genome.fa").write_text(">half")
    assert make_demo.main(["--out", str(out), "--tiny"]) == 0
    assert digests(out) == digests(tiny)


@needs_tools
def test_truth_is_normalised_sorted_and_fits_the_reference(tiny: Path):
    vcf = tiny / "truth" / f"{make_demo.MALE.sample}.vcf.gz"
    fasta = tiny / "reference" / "genome.fa"
    normal = bcftools("norm", "--check-ref", "e", "-m", "-both", "-f", fasta, vcf)
    assert len({tuple(record[:5]) for record in records(vcf)}) == len(records(vcf))
    assert [line.split("\t") for line in normal.splitlines() if not line.startswith("#")] == records(vcf)
    contigs = [line.split("\t")[0] for line in (tiny / "reference" / "genome.fa.fai").read_text().splitlines()]
    order = [(contigs.index(record[0]), int(record[1])) for record in records(vcf)]
    assert order == sorted(order) and len(order) > 50
    header = bcftools("view", "--no-version", "-h", vcf)
    assert "bcftools" not in header and str(tiny) not in header
    assert bcftools("index", "-n", vcf).strip() == str(len(order))


@needs_tools
def test_reads_come_from_the_haplotypes_of_the_truth(tiny: Path, tmp_path: Path):
    fasta, bam = tiny / "reference" / "genome.fa", tmp_path / "all.bam"
    pieces = []
    for unit in table(tiny / "units.tsv"):
        pieces.append(tmp_path / f"{unit['library']}.bam")
        sam = make_demo.run("bwa", "mem", "-t", "2", fasta, tiny / unit["fq1"], tiny / unit["fq2"])
        subprocess.run(["samtools", "sort", "-o", pieces[-1], "-"], input=sam.encode(), check=True, capture_output=True)
    make_demo.run("samtools", "merge", bam, *pieces)
    make_demo.run("samtools", "index", bam)
    lines = make_demo.run("samtools", "stats", bam).splitlines()
    stats = dict(line.split("\t")[1:3] for line in lines if line.startswith("SN\t"))
    assert float(stats["error rate:"]) < 0.01
    assert int(stats["reads mapped:"]) > 0.99 * int(stats["sequences:"])
    truth = records(tiny / "truth" / f"{make_demo.MALE.sample}.vcf.gz")
    snvs = {(r[0], int(r[1])): r for r in truth if len(r[3]) == len(r[4]) == 1}
    bed = tmp_path / "sites.bed"
    bed.write_text("".join(f"{contig}\t{pos - 1}\t{pos}\n" for contig, pos in snvs))
    pileup = make_demo.run("samtools", "mpileup", "-B", "-q", "20", "-l", bed, bam)
    carried = {"het": [], "whole": []}
    for line in pileup.splitlines():
        contig, pos, _, depth, bases = line.split("\t")[:5]
        *_, ref, alt, _, _, _, _, gt = snvs[contig, int(pos)]
        carried["het" if "0" in gt else "whole"].append(bases.upper().count(alt) / int(depth))
    assert len(carried["het"]) > 10 and len(carried["whole"]) > 10
    assert min(carried["whole"]) > 0.85
    assert min(carried["het"]) > 0.15 and max(carried["het"]) < 0.85
    depth = {}
    for region in ("chr1:5000-9000", "chrX:800-3000", "chrX:4000-6000", "chrY:4000-6000", "chrY:400-3200"):
        lines = make_demo.run("samtools", "depth", "-a", "-r", region, bam).splitlines()
        depth[region] = sum(int(line.split("\t")[2]) for line in lines) / len(lines)
    autosome, pseudo, x, y, masked = depth.values()
    assert 30 < autosome < 48 and 30 < pseudo < 48, "both copies of a PAR map to X"
    assert 13 < x < 25 and 10 < y < 25 and masked == 0


@needs_tools
def test_read_names_agree_with_the_sheet_and_hold_no_long_numbers(tiny: Path):
    seen = set()
    for unit in table(tiny / "units.tsv"):
        texts = [gzip.decompress((tiny / unit[f"fq{read}"]).read_bytes()).decode() for read in (1, 2)]
        ends = [text.split("\n")[0:-1:4] for text in texts]
        place = rf"@A00001:1:{unit['flowcell']}:{unit['lane']}:[12][1-4]\d\d:\d{{4,5}}:\d{{4,5}}"
        pattern = re.compile(place + r" 1:N:0:[ACGT]{8}\+[ACGT]{8}")
        assert all(pattern.fullmatch(name) for name in ends[0])
        assert [name.replace(" 1:", " 2:") for name in ends[0]] == ends[1]
        assert seen.isdisjoint(ends[0]) and len(set(ends[0])) == len(ends[0])
        seen |= set(ends[0])


@needs_tools
def test_tables_and_config_name_what_was_made(tiny: Path):
    config = yaml.safe_load((tiny / "config.yaml").read_text())
    named = [config[key] for key in ("cases", "samples", "units", "overlay")] + [config["reference"]["fasta"]]
    named += [unit[key] for unit in table(tiny / "units.tsv") for key in ("fq1", "fq2")]
    assert all((tiny / name).is_file() and not Path(name).is_absolute() for name in named)
    assert {s["case"] for s in table(tiny / "samples.tsv")} == {c["case"] for c in table(tiny / "cases.tsv")}
    assert all(c["submission_type"] == "test" for c in table(tiny / "cases.tsv"))
    reference = yaml.safe_load((tiny / "overlay.yaml").read_text())["reference"]
    dictionary = (tiny / "reference" / "genome.dict").read_text()
    for contig in reference["contigs"]:
        assert f"SN:{contig['name']}\tLN:{contig['length']}\tM5:{contig['md5']}\n" in dictionary
    assert "UR:" not in dictionary
    regions = [(r["contig"], r["start"], r["end"]) for r in reference["par"]]
    assert regions == [("chrX", 300, 3300), ("chrX", 11200, 12700), ("chrY", 300, 3300), ("chrY", 6200, 7700)]


# --- comparison with truth --------------------------------------------------------------------------------------------

SEQUENCE = "ACGTACGTTTTTTGCATGCCATGACCGATTACAGGCATTGACCA"


@pytest.fixture
def reference(tmp_path: Path) -> Path:
    path = tmp_path / "ref.fa"
    path.write_text(f">c1\n{SEQUENCE}\n")
    make_demo.run("samtools", "faidx", path)
    return path


def write_vcf(path: Path, *rows: str, samples: str = "S") -> Path:
    """A VCF of rows `POS REF ALT FILTER GT...`."""
    head = ["##fileformat=VCFv4.2", f"##contig=<ID=c1,length={len(SEQUENCE)}>", '##FILTER=<ID=Low,Description="low">']
    head += ['##FORMAT=<ID=GT,Number=1,Type=String,Description="Genotype">']
    head += ["\t".join(["#CHROM", "POS", "ID", "REF", "ALT", "QUAL", "FILTER", "INFO", "FORMAT", *samples.split()])]
    body = []
    for row in rows:
        pos, ref, alt, status, *gts = row.split()
        body.append("\t".join(["c1", pos, ".", ref, alt, ".", status, ".", "GT", *gts]))
    path.write_text("\n".join(head + body) + "\n")
    return path


def compare(capsys, *arguments: object) -> dict:
    assert compare_truth.main([str(a) for a in arguments]) == 0
    return json.loads(capsys.readouterr().out)


@needs_tools
def test_other_spellings_of_a_record_are_found(tmp_path: Path, reference: Path, capsys):
    truth = write_vcf(tmp_path / "t.vcf", "3 G A PASS 0|1", "8 TT T PASS 1|1", "20 C G PASS 1|0", "20 C T PASS 0|1")
    calls = write_vcf(tmp_path / "c.vcf", "2 CG CA . 0/1", "10 TTT TT PASS 1/1", "20 C G,T PASS 1/2")
    found = compare(capsys, truth, calls, "--reference", reference)
    for kind, count in (("snv", 3), ("indel", 1)):
        assert found[kind]["found"] == found[kind]["truth"] == found[kind]["calls"] == count
        assert (found[kind]["recall"], found[kind]["precision"], found[kind]["genotype_concordance"]) == (1, 1, 1)


@needs_tools
def test_missed_false_filtered_and_wrong_genotypes_are_counted(tmp_path: Path, reference: Path, capsys):
    true = ("3 G A PASS 0/1", "15 C T PASS 1/1", "17 T A PASS 0/1", "30 T TA PASS 1/1", "31 A G PASS 0/0")
    truth = write_vcf(tmp_path / "t.vcf", *true)
    calls = write_vcf(tmp_path / "c.vcf", "3 G A PASS 1/1", "15 C T Low 1/1", "18 G A PASS 0/1", "30 T TA PASS 1")
    listed = tmp_path / "misses.tsv"
    found = compare(capsys, truth, calls, "--reference", reference, "--misses", listed)
    assert found["snv"] == {
        "truth": 3, "calls": 2, "found": 1, "missed": 2, "false": 1, "recall": 0.33333, "precision": 0.5,
        "genotypes_agree": 0, "genotype_concordance": 0.0,
    }  # fmt: skip
    assert found["indel"]["found"] == 1 and found["indel"]["genotypes_agree"] == 0, "haploid 1 is not 1/1"
    kinds = [line.split("\t")[0] for line in listed.read_text().splitlines()[1:]]
    assert kinds == ["genotype", "missed", "missed", "false", "genotype"]


@needs_tools
def test_bed_limits_both_and_a_share_of_nothing_is_null(tmp_path: Path, reference: Path, capsys):
    bed = tmp_path / "b.bed"
    bed.write_text("c1\t2\t3\n")
    truth = write_vcf(tmp_path / "t.vcf", "3 G A PASS 0/1", "15 C T PASS 1/1")
    calls = write_vcf(tmp_path / "c.vcf", "3 G A PASS 0/1", "18 G A PASS 0/1")
    found = compare(capsys, truth, calls, "--reference", reference, "--bed", bed)
    assert (found["snv"]["found"], found["snv"]["missed"], found["snv"]["false"]) == (1, 0, 0)
    assert found["indel"]["recall"] is None and found["indel"]["precision"] is None


@needs_tools
def test_sample_is_chosen_by_name_where_there_are_several(tmp_path: Path, reference: Path, capsys):
    truth = write_vcf(tmp_path / "t.vcf", "3 G A PASS 0/1")
    calls = write_vcf(tmp_path / "c.vcf", "3 G A PASS 0/0 0/1", samples="S T")
    assert compare(capsys, truth, calls, "--reference", reference, "--sample", "T")["snv"]["found"] == 1
    assert compare_truth.main([str(truth), str(calls), "--reference", str(reference)]) == 2
    assert "name one of them with --sample" in capsys.readouterr().err


@needs_tools
def test_a_record_that_contradicts_the_reference_stops_the_comparison(tmp_path: Path, reference: Path, capsys):
    truth = write_vcf(tmp_path / "t.vcf", "3 T A PASS 0/1")
    assert compare_truth.main([str(truth), str(truth), "--reference", str(reference)]) == 2
    assert "REF" in capsys.readouterr().err


# --- structural variants ----------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def events() -> list[structural.Event]:
    made = genome.make_genome(structural.TINY, np.random.default_rng([1, 1]))
    return structural.plant(made, np.random.default_rng([1, 2]), structural.of_trio(made))


def test_structural_variants_are_of_every_kind_apart_and_inherited(events):
    sizes = Counter((event.kind, event.length) for event in events if event.contig != "chrX")
    wanted = {(kind, size) for kind in ("DEL", "DUP", "INV") for size in structural.SIZES if size <= 2_000}
    assert set(sizes) == wanted | {("INS", size) for size in structural.INSERTED} | {("BND", 0)}
    assert {event.kind for event in events if event.contig == "chrX"} == {"DEL", "DUP", "INV", "INS"}
    places = sorted((event.contig, event.start, event.end) for event in events)
    for (contig, _, end), (following, start, _) in zip(places, places[1:], strict=False):
        assert contig != following or start - end >= structural.APART
    new = 0
    for event in events:
        child, mother, father = event.carriers
        assert any(child + mother + father)
        assert len(child) == len(father) == (1 if event.contig == "chrX" else 2)
        if any(mother + father):
            assert child[0] in mother and (event.contig == "chrX" or child[1] in father)
        else:
            new += sum(child) == 1
    assert 1 <= new <= len(events) // 3


def test_a_structural_variant_is_written_as_its_bases():
    text = "AACCGGTTAC"

    def alleles(kind: str, start: int, end: int, inserted: str = "") -> tuple:
        return structural.Event(kind, "chr1", start, end, ((1, 0),) * 3, inserted).record(text, (1, 0))[1:]

    assert alleles("DEL", 4, 6) == (4, "CGG", "C", "1|0")
    assert alleles("DUP", 4, 6) == (4, "C", "CGG", "1|0")
    assert alleles("INV", 3, 6) == (3, "CCGG", "CCCG", "1|0")
    assert alleles("INS", 4, 4, "TTT") == (4, "C", "CTTT", "1|0")


def test_an_exchange_joins_each_side_to_what_followed_the_other():
    event = structural.Event("BND", "chr1", 3, 3, ((1, 0),) * 3, mate=genome.Interval("chr2", 2, 2))
    copies = {
        ("chr1", 1): [(0, 3, "AAA"), (3, 6, "CCC")],
        ("chr1", 2): [(0, 3, "aaa"), (3, 6, "ccc")],
        ("chr2", 1): [(0, 2, "GG"), (2, 4, "TT"), (9, 10, "N")],
    }
    assert make_demo.join_touching(copies, [(1, event)]) == ["AAATT", "aaaccc", "GGCCC", "N"]


# --- tumours ----------------------------------------------------------------------------------------------------------


def test_the_expected_fraction_follows_purity_copies_and_clone():
    changes = (
        tumour.Change("chr1", 0, 100, (0, 2), 0),
        tumour.Change("chr1", 200, 300, (1, 3), 1),
        tumour.Change("chr2", 0, 100, (0, 1), 0),
    )
    grown = tumour.Tumour((), changes, (), frozenset(["chrX"]))

    def fraction(contig: str, pos: int, haplotype: int, clone: int, purity: float = 0.8) -> float:
        return tumour.fraction(grown, tumour.Small(contig, pos, "A", "C", haplotype, clone), purity)

    assert fraction("chr1", 150, 1, 0) == pytest.approx(0.4)
    assert fraction("chr1", 150, 1, 0, purity=0.2) == pytest.approx(0.1)
    assert fraction("chr1", 150, 1, 1) == pytest.approx(0.2)  # half of the tumour's cells
    assert fraction("chr1", 150, 2, 2) == pytest.approx(0.08)  # a fifth of them
    assert fraction("chr1", 50, 2, 0) == pytest.approx(0.8)  # both copies of each tumour cell
    assert fraction("chr2", 50, 2, 0) == pytest.approx(0.8 / 1.2)
    assert fraction("chr1", 250, 2, 0) == pytest.approx((0.4 + 0.4 * 3) / (2 * 0.6 + 4 * 0.4))
    assert fraction("chrX", 50, 1, 0) == pytest.approx(0.8)
    assert fraction("chr1", 150, 1, 0, purity=0) == 0


def test_a_tumours_variants_lie_apart_where_reads_can_be_placed(drawn):
    made, sites = drawn
    grown = tumour.plant(made, sites, "male", np.random.default_rng([1, 4]))
    kinds = Counter(len(v.ref) == len(v.alt) == 1 for v in grown.small)
    assert kinds[True] > 250 and kinds[False] > 60
    assert Counter(event.kind for event in grown.events) == {"BND": 2, "DEL": 2, "DUP": 1, "INV": 1}
    shy = [(s.segment.contig, s.start, s.end) for s in sites]
    shy += [(i.contig, i.start, i.end) for i in [*made.hard, *made.repeats]]
    shy += [(i.contig, i.start, i.end) for i in structural.around(grown.events, structural.CLEAR)]
    for v in grown.small:
        text = made.sequences[v.contig][v.pos : v.pos + len(v.ref)].tobytes().decode()
        assert text == v.ref and v.contig in ("chr1", "chr2", "chrX")
        assert not any(c == v.contig and start < v.pos + len(v.ref) and v.pos < end for c, start, end in shy)
        assert 0 < tumour.fraction(grown, v, 0.5) < 1
        assert v.haplotype == 1 or v.contig != "chrX"
    for event in grown.events:
        for change in grown.changes:
            assert event.contig != change.contig or event.end < change.start or change.end < event.start
    for first, second in zip(grown.small, grown.small[1:], strict=False):
        assert first.contig != second.contig or second.pos - first.pos >= tumour.APART


@needs_tools
def test_cells_with_other_copies_have_as_many_molecules(tmp_path: Path):
    made = genome.make_genome(genome.TINY, np.random.default_rng([1, 1]))
    person = make_demo.FEMALE
    fasta = make_demo.write_reference(made, tmp_path / "reference")
    truth = make_demo.write_truth(person, made, [("chr1", 6_001, *snv_at(made, 6_000), "1|0")], fasta, tmp_path)
    changes = (tumour.Change("chr1", 5_000, 7_000, (0, 2), 0), tumour.Change("chr2", 4_000, 5_000, (1, 3), 0))

    def bases(*changed: tumour.Change) -> tuple[int, int, int]:
        molecules, _ = make_demo.molecules(person, made, fasta, truth, make_demo.Layer(1, changes=changed))
        piece = made.sequences["chr1"][6_000 - 30 : 6_000].tobytes().decode()
        ref, alt = snv_at(made, 6_000)
        found = (sum(molecule.count(piece + base) for molecule in molecules) for base in (ref, alt))
        return sum(map(len, molecules)), *found

    whole, *alleles = bases()
    assert alleles == [1, 1]
    changed, *alleles = bases(*changes)
    assert alleles == [2, 0]  # haplotype 1, which has the SNV, is lost, and the other doubled
    assert changed == whole + 2 * 1_000


def snv_at(made: genome.Genome, pos: int) -> tuple[str, str]:
    base = chr(made.sequences["chr1"][pos])
    return base, genome.TRANSITION[base]


def test_calls_of_a_tumour_are_told_apart_by_what_they_are():
    planted = {("chr1", 10, "A", "C"): 0.25, ("chr1", 20, "A", "C"): 0.2, ("chr1", 30, "A", "AC"): 0.1}
    germline = {("chr1", 40, "G", "T")}
    calls = {("chr1", 10, "A", "C"), ("chr1", 40, "G", "T"), ("chr1", 500, "G", "GTT"), ("chr1", 900, "G", "T")}
    result = compare_somatic.score(planted, germline, calls, {("chr1", 450)})
    snv, indel = result["snv"], result["indel"]
    assert (snv["planted"], snv["found"], snv["planted_sure"], snv["recall_sure"]) == (2, 1, 2, 0.5)
    assert snv["recall"] == {"0.20-0.30": [1, 2]} and snv["precision"] == pytest.approx(1 / 3, abs=1e-4)
    assert (snv["false_germline"], snv["false_other"]) == (1, ["chr1:900 G>T"])
    assert indel["recall"] == {"0.10-0.15": [0, 1]}
    assert (indel["false_at_junctions"], indel["false_other"]) == (1, [])
