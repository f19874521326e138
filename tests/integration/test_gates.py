"""Quality gates: a case that fails is not called and disturbs no other; waivers; karyotypes from alignments."""

import gzip
import json
import subprocess
from pathlib import Path

import genome as g
import numpy as np
import pysam
import pytest
import reads
import runs
import yaml
from test_recovery import second_case

import ngc_profile
from ngc_wgs import metrics, regions


def thin(directory: Path, sample: str, share: int) -> None:
    """Keep every `share`-th pair of a sample."""
    for unit in runs.table(directory, "units"):
        if unit["sample"] == sample:
            for fq in ("fq1", "fq2"):
                lines = gzip.decompress((directory / unit[fq]).read_bytes()).splitlines(keepends=True)
                kept = [line for at in range(0, len(lines), 4 * share) for line in lines[at : at + 4]]
                (directory / unit[fq]).write_bytes(gzip.compress(b"".join(kept), compresslevel=1))


def write_waiver(directory: Path, **changes: str) -> None:
    """Waive the warning that the tiny demo's X and Y are not 20x deep."""
    sample = runs.table(directory, "samples")[0]
    row = {"case": sample["case"], "sample": sample["sample"], "rule": "NGC-MET-006", **changes}
    row = {"reason_code": "known_property_of_sample", "role": "quality_manager", "valid_to": "2026-12-31", **row}
    order = ("case", "sample", "rule", "reason_code", "role", "valid_to")
    runs.write_table(directory, "waivers", [{name: row[name] for name in order}])
    runs.configure(directory, waivers="waivers.tsv")


def of_metric(directory: Path, case: str, name: str) -> dict:
    (sample,) = runs.manifest(runs.bag(directory, case))["samples"]
    return next(metric for metric in sample["qc"]["metrics"] if metric["name"] == name)


def test_a_failed_case_is_not_called_and_the_others_go_on_with_their_waivers(finished):
    good = runs.table(finished, "cases")[0]["case"]
    sample, thinned = second_case(finished, 1)
    thin(finished, sample, 8)
    write_waiver(finished)
    done = runs.run_workflow(finished)
    assert done.returncode == 1

    # The failed case: refused with id, value, threshold and mend; no job that calls variants ran.
    rows = runs.verdicts(finished)
    assert {case: row["verdict"] for case, row in rows.items()} == {good: "ACCEPTED", thinned: "REFUSED"}
    assert "at alignment_gate" in rows[thinned]["reasons"]
    said = f"NGC-MET-001 {sample} mean_coverage "
    assert said in rows[thinned]["reasons"] and said in done.stderr
    assert "FAIL where < 30. Mend: Sequence the sample again" in rows[thinned]["reasons"]
    ran = [path.name for top in ("results", "logs", "benchmarks") for path in (finished / top / "calling").rglob("*")]
    ran += [path.name for path in (finished / "results" / "conform").glob("*.vcf.gz")]
    assert ran and [name for name in ran if sample in name] == []
    assert [path.name for path in runs.submissions(finished)] == [good]
    told = {item["case"]: item for item in json.loads((finished / "results" / "verdict.json").read_text())}
    failed = {metric["name"]: metric for metric in told[thinned]["metrics"] if metric["status"] == "FAIL"}
    # The thinned reads are the good case's: one person under two names.
    assert failed.keys() == {"mean_coverage", "identity_concordance"} and failed["mean_coverage"]["value"] < 30

    # The other case: its warning is waived on record, and stays a warning.
    waived = of_metric(finished, good, "pct_20x")
    assert (waived["status"], waived["waiver"]["role"]) == ("WARN", "quality_manager")
    status, report = runs.check(runs.bag(finished, good))
    assert status == 0
    assert any("NGC-MET-006" in f["evidence"] and "waived" in f["evidence"] for f in report["findings"])
    assert "(1 waived)" in done.stderr
    assert runs.planned(finished, f"results/check/{good}.accepted") == set()

    # For investigation the rest is run, and the submission stays refused.
    runs.configure(finished, proceed_on_fail=True)
    assert runs.planned(finished, f"results/check/{good}.accepted") == set()
    done = runs.run_workflow(finished)
    assert done.returncode == 1
    rows = runs.verdicts(finished)
    assert {case: row["verdict"] for case, row in rows.items()} == {good: "ACCEPTED", thinned: "REFUSED"}
    assert "NGC-QC-003" in rows[thinned]["reasons"] and "NGC-MET-001" in rows[thinned]["reasons"]
    bag = runs.bag(finished, thinned)
    assert runs.manifest(bag)["conforms"] is False
    status, report = runs.check(bag)
    assert status == 1

    # Too few pairs for delly: said, and no file that looks as if there were no structural variants.
    (entry,) = (item for item in runs.manifest(bag)["not_called"] if item["file_type"] == "structural_vcf")
    assert entry["sample"] is None and f"too few read pairs of {sample}" in entry["reason"]
    assert not list((bag / "data").glob("*.sv.vcf.gz*"))
    told = [f for f in report["findings"] if f["rule"] == "NGC-MAN-029" and "structural_vcf" in f["evidence"]]
    assert [f["status"] for f in told] == ["WARN"]
    assert not [f for f in report["findings"] if f["rule"] in ("NGC-MAN-021", "NGC-MAN-028")]
    counted = of_metric(finished, thinned, "count_structural_variants")
    assert (counted["value"], counted["status"]) == (None, "NOT_MEASURED")


def test_a_waiver_that_cannot_count_stops_the_run_before_anything_is_computed(tiny):
    write_waiver(tiny, rule="NGC-MET-001")
    done = runs.run_workflow(tiny)
    assert done.returncode == 1
    assert "NGC-MET-001" in runs.said(done) and "a FAIL cannot be waived" in runs.said(done)
    assert "Traceback" not in runs.said(done)
    assert runs.nothing_computed(tiny)


# ---- karyotypes ----------------------------------------------------------------------------

KARYOTYPES = {"XX": (2, 0), "XY": (1, 1), "X0": (1, 0), "XXY": (2, 1)}


@pytest.fixture(scope="module")
def demo_genome(tmp_path_factory):
    """The demo's genome, its FASTA, its profile and the BED that mosdepth is given."""
    genome = g.make_genome(g.FULL, np.random.default_rng([1, 1]))
    folder = tmp_path_factory.mktemp("genome")
    fasta = folder / "genome.fa"
    fasta.write_text("".join(f">{name}\n{bases.tobytes().decode()}\n" for name, bases in genome.sequences.items()))
    pysam.faidx(str(fasta))
    roles = {"chrX": "X", "chrY": "Y", "chrM": "M"}
    contigs = [
        {"name": name, "length": len(bases), "md5": None, "role": roles.get(name, "autosome")}
        for name, bases in genome.sequences.items()
    ]
    par = [{"contig": i.contig, "start": i.start, "end": i.end} for pair in genome.par for i in pair]
    overlay = {"overlay_of": "ngc-provisional", "id": "demo", "reference": {
        "id": "demo", "accession": None, "assembly": None, "par": par, "contigs": contigs}}  # fmt: skip
    (folder / "overlay.yaml").write_text(yaml.safe_dump(overlay))
    profile = ngc_profile.load(overlay=folder / "overlay.yaml")
    names = [contig["name"] for contig in profile.contigs("autosome", "X", "Y")]
    bed = folder / "evaluation.bed"
    regions.write_bed(bed, regions.cut_x_and_y(regions.without_n(str(fasta), names), profile, metrics.WINDOW))
    return genome, profile, bed


def write_bam(path: Path, genome, library: reads.Library, rng) -> None:
    """Pairs where their fragments lie, sorted and indexed."""
    names = list(genome.sequences)
    header = {"HD": {"VN": "1.6", "SO": "coordinate"},
              "SQ": [{"SN": name, "LN": len(genome.sequences[name])} for name in names]}  # fmt: skip
    length, placed = library.read_length, []
    for number, (contig, start, end) in enumerate(reads.fragments(genome, library, rng)):
        tid, last = names.index(contig), end - length
        placed.append((tid, start, number, 0x63, last))
        placed.append((tid, last, number, 0x93, start))
    with pysam.AlignmentFile(str(path), "wb", header=header) as out:
        for tid, position, number, flag, mate in sorted(placed):
            read = pysam.AlignedSegment(out.header)
            read.query_name, read.flag, read.mapping_quality = str(number), flag, 60
            read.reference_id = read.next_reference_id = tid
            read.reference_start, read.next_reference_start = position, mate
            read.cigartuples = [(0, length)]
            out.write(read)
    pysam.index(str(path))


@pytest.mark.parametrize("depth", [5, 15, 30])
@pytest.mark.parametrize("karyotype", KARYOTYPES)
def test_the_karyotype_of_alignments_is_right_or_undetermined(karyotype, depth, demo_genome, tmp_path):
    genome, profile, bed = demo_genome
    x, y = KARYOTYPES[karyotype]
    bam = tmp_path / "x.bam"
    write_bam(bam, genome, reads.Library(depth=depth, x=x, y=y), np.random.default_rng([depth, x, y]))
    prefix = tmp_path / "x"
    subprocess.run(["mosdepth", "--no-per-base", "--by", bed, "--thresholds", "10,20", prefix, bam], check=True)
    files = [f"{prefix}.mosdepth.summary.txt", f"{prefix}.regions.bed.gz"]
    for sex in ("female", "male"):
        found = metrics.read(metrics.read_sex, *files, also=(profile, 150))
        found |= metrics.tell_sex(found, profile, sex)
        told = found["sex_chromosome_aneuploidy"].reason.split(":")[0]
        assert told == karyotype or (told == "undetermined" and depth < 30)
        if told == karyotype:
            assert found["sex_concordance"].value == float(sex == ("male" if y else "female"))
