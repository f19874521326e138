"""delly on a small simulated trio with planted structural variants, by the scripts that the rules run."""

import csv
import dataclasses
import hashlib
import json
import os
import shlex
import shutil
import subprocess
from types import SimpleNamespace

import compare_structural
import pysam
import pytest
import runs

import ngc_profile
from ngc_check.vcf import check_vcf
from ngc_wgs import conform, somatic_structural, structural

ENVIRONMENT = {**os.environ, "REF_PATH": "/dev/null", "REF_CACHE": "/dev/null"}


@pytest.fixture(scope="module")
def trio(tmp_path_factory):
    """The simulated trio with its alignments: folder, samples by relation, sexes."""
    folder = runs.make_demo(tmp_path_factory.mktemp("structural") / "trio", "--tiny", "--sv")
    people = {row["relation"]: row for row in runs.table(folder, "samples")}
    for row in people.values():
        sample = row["sample"]
        (first,) = (folder / "reads").glob(f"{sample}*R1.fastq.gz")
        second = str(first).replace("_R1.", "_R2.")
        shell(
            f"bwa mem -t 2 -K 100000000 -Y -R '@RG\\tID:{sample}\\tSM:{sample}' reference/genome.fa {first} {second}"
            f" | samtools sort -u - | samtools view -C -T reference/genome.fa --write-index -o {sample}.cram -",
            folder,
        )
    return SimpleNamespace(folder=folder, people=people, sexes={row["sample"]: row["sex"] for row in people.values()})


def shell(text, folder):
    done = subprocess.run(["bash", "-c", f"set -o pipefail; {text}"], cwd=folder, env=ENVIRONMENT, capture_output=True)
    assert done.returncode == 0, done.stderr.decode()


def delly(folder, crams, exclude="chrM\n", file_type="structural_vcf", sample="null"):
    """Exit status and log of delly_call.sh; it leaves calls.bcf and not_called.json in the folder."""
    (folder / "exclude.bed").write_text(exclude)
    arrays = {
        "input": {"fasta": "reference/genome.fa", "exclude": "exclude.bed"},
        "output": {"calls": "calls.bcf", "not_called": "not_called.json"},
        "params": {"crams": " ".join(crams), "file_type": file_type, "sample": sample},
        "log": {"0": "delly.log"},
    }
    text = "declare -A snakemake=([threads]=2)\n"
    for name, values in arrays.items():
        pairs = " ".join(f"[{key}]={shlex.quote(value)}" for key, value in values.items())
        text += f"declare -A snakemake_{name}=({pairs})\n"
    text += (runs.HOUSE / "scripts" / "delly_call.sh").read_text()
    done = subprocess.run(["bash", "-c", text], cwd=folder, env=ENVIRONMENT, check=False)
    return done.returncode, (folder / "delly.log").read_text()


@pytest.fixture(scope="module")
def called(trio):
    """The trio's structural VCF and the profile with its reference."""
    profile = ngc_profile.load(None, trio.folder / "overlay.yaml")
    return SimpleNamespace(vcf=structural_vcf(trio.folder, trio.sexes, profile), profile=profile)


def structural_vcf(folder, sexes, profile):
    """Path of the VCF of these samples, by delly and `structural.events`."""
    columns = sorted(sexes)
    status, log = delly(folder, [f"./{sample}.cram" for sample in columns])
    assert status == 0, log
    assert json.loads((folder / "not_called.json").read_text()) == []
    md5s = {contig["name"]: contig["md5"] for contig in profile.contigs()}
    header = conform.header(profile, "structural_vcf", columns, md5s, "delly", profile.data["structural"]["filters"])
    with (
        pysam.FastaFile(str(folder / "reference" / "genome.fa")) as fasta,
        pysam.VariantFile(str(folder / "calls.bcf")) as calls,
    ):
        events = structural.events(calls, columns, sexes, profile, lambda chrom, pos: fasta.fetch(chrom, pos - 1, pos))
    lines = structural.merged({"delly": events}, profile.data["structural"])
    plain = folder / "case.sv.vcf"
    plain.write_text(header + "".join(f"{line}\n" for line in lines))
    pysam.tabix_index(str(plain), preset="vcf", force=True)
    return folder / "case.sv.vcf.gz"


def test_the_checker_accepts_what_was_written(trio, called):
    found = check_vcf(
        called.vcf, called.profile, kind="structural_vcf", sample=trio.sexes.keys(), sex=trio.sexes,
        reference=trio.folder / "reference" / "genome.fa",
    )  # fmt: skip
    assert list(found) == []


def test_planted_variants_are_found_with_their_genotypes_and_nothing_else(trio, called):
    """Deletions of all sizes, duplications and inversions from 300 bp, the exchange: all; below, see docs/proofs.md."""
    for who, relation in (("child", "index"), ("mother", "mother"), ("father", "father")):
        sample = trio.people[relation]["sample"]
        found = compare_structural.compare(trio.folder / "truth" / "structural.tsv", called.vcf, sample, who)
        assert found["false"] == []
        for kind, classes in found["recall"].items():
            for size, (got, planted) in classes.items():
                if kind == "DEL" or (kind != "INS" and size != "below 300 bp"):
                    assert got == planted, (who, kind, size, found["missed"])
        # A homozygous duplication looks heterozygous: the reads over its ends are as they were.
        assert {name for name in found["genotypes"] if "right" not in name} <= {"DUP 1/1 as 0/1"}
        assert found["genotypes"]["DEL right"] >= 7


def test_a_man_has_one_copy_of_x_and_the_border_of_its_par_is_no_translocation(trio, called):
    son = trio.people["index"]["sample"]
    with pysam.VariantFile(str(called.vcf)) as calls:
        records = [record for record in calls if record.chrom in ("chrX", "chrY")]
    haploid = [record for record in records if record.chrom == "chrX" and record.info["SVTYPE"] != "BND"]
    assert {record.info["SVTYPE"] for record in haploid} == {"DEL", "DUP", "INV"}
    assert all(len(record.samples[son]["GT"]) == 1 and set(record.filter) == {"PASS"} for record in haploid)
    borders = [record for record in records if record.info["SVTYPE"] == "BND"]
    assert len(borders) == 4 and all("ParBorder" in record.filter for record in borders)


def test_too_few_pairs_of_one_member_are_said_and_leave_no_calls(trio):
    folder, few = trio.folder, "FEWPAIRS1"
    whole = trio.people["mother"]["sample"]
    shell(f"samtools view -C -s 1.02 -T reference/genome.fa --write-index -o {few}.cram {whole}.cram", folder)
    (folder / "calls.bcf").unlink(missing_ok=True)
    status, log = delly(folder, [f"./{whole}.cram", f"./{few}.cram"])
    assert status == 0
    (entry,) = json.loads((folder / "not_called.json").read_text())
    assert entry["file_type"] == "structural_vcf" and entry["sample"] is None
    assert f"too few read pairs of {few}" in entry["reason"] and len(entry["reason"]) <= 200
    assert (folder / "calls.bcf").read_bytes() == b"" and "Not called" in log


def test_any_other_failure_of_delly_stops_with_its_message(trio):
    whole = trio.people["mother"]["sample"]
    (trio.folder / "BARE.cram").write_bytes((trio.folder / f"{whole}.cram").read_bytes())
    status, log = delly(trio.folder, ["./BARE.cram"])
    assert status != 0
    assert "Fail to open index" in log and "Mend:" in log


def test_a_bed_of_another_reference_is_refused_before_any_job(trio):
    (trio.folder / "regions.bed").write_text("1\t100\t200\n")
    done = runs.run_workflow(trio.folder, "--dry-run", "--config", "sv_exclude=regions.bed")
    said = runs.said(done)
    assert done.returncode and "regions.bed: the reference has no contig 1. Mend:" in said


def align(folder, sample, *people):
    """A CRAM of all reads of people of the trio as one sample's."""
    firsts, seconds = (
        " ".join(str(next((folder / "reads").glob(f"{person}*_{end}.fastq.gz"))) for person in people)
        for end in ("R1", "R2")
    )
    shell(
        f"bwa mem -t 2 -K 100000000 -Y -R '@RG\\tID:{sample}\\tSM:{sample}' reference/genome.fa"
        f" <(zcat {firsts}) <(zcat {seconds}) | samtools sort -u -"
        f" | samtools view -C -T reference/genome.fa --write-index -o {sample}.cram -",
        folder,
    )


@pytest.fixture(scope="module")
def pair(trio):
    """A normal, the son, and a tumour of half the son's and half his mother's cells; the tumour's records."""
    folder, son, mother = trio.folder, trio.people["index"]["sample"], trio.people["mother"]["sample"]
    align(folder, "TUMOUR1", son, mother)
    align(folder, "NORMAL1", son)
    status, log = delly(
        folder, ["./NORMAL1.cram", "./TUMOUR1.cram"], file_type="somatic_structural_vcf", sample='"TUMOUR1"'
    )
    assert status == 0 and json.loads((folder / "not_called.json").read_text()) == [], log
    profile = ngc_profile.load(None, folder / "overlay.yaml")
    limits = profile.data["somatic_structural"]
    (folder / "pair.tsv").write_text("TUMOUR1\ttumor\nNORMAL1\tcontrol\n")
    shell(
        f"delly filter -f somatic -y 0 -v 1 -r 1 -a {limits['reported_fraction']} -c {limits['reported_normal']}"
        " -s pair.tsv -o somatic.bcf calls.bcf; delly filter -f somatic -s pair.tsv -o strict.bcf calls.bcf",
        folder,
    )
    with (
        pysam.FastaFile(str(folder / "reference" / "genome.fa")) as fasta,
        pysam.VariantFile(str(folder / "somatic.bcf")) as calls,
    ):
        events = somatic_structural.events(
            calls, "TUMOUR1", "NORMAL1", "male", profile, lambda chrom, pos: fasta.fetch(chrom, pos - 1, pos).upper()
        )
    lines = structural.merged({"delly": events}, profile.data["structural"])
    md5s = {contig["name"]: contig["md5"] for contig in profile.contigs()}
    header = conform.header(profile, "somatic_structural_vcf", ["NORMAL1", "TUMOUR1"], md5s, "delly", limits["filters"])
    (folder / "tumour.vcf").write_text(header + "".join(f"{line}\n" for line in lines))
    pysam.tabix_index(str(folder / "tumour.vcf"), preset="vcf", force=True)
    found = check_vcf(
        folder / "tumour.vcf.gz", profile, kind="somatic_structural_vcf", sex="male",
        columns={"tumour": "TUMOUR1", "normal": "NORMAL1"}, reference=folder / "reference" / "genome.fa",
    )  # fmt: skip
    assert list(found) == []
    return SimpleNamespace(folder=folder, lines=[line.split("\t") for line in lines])


def test_what_the_tumour_alone_has_is_found_with_its_share_and_nothing_else(trio, pair):
    """The mother's variants that her son has not, in a quarter of the reads: deletions and all from 300 bp."""
    with (trio.folder / "truth" / "structural.tsv").open() as lines:
        rows = list(csv.DictReader(lines, delimiter="\t"))
    somatic = [row for row in rows if "1" in row["mother"] and "1" not in row["child"]]
    passed = [fields for fields in pair.lines if fields[6] == "PASS"]
    planted = {(row["contig"], int(row["pos"])): row for row in somatic}
    planted |= {(row["mate"], int(row["mate_pos"])): row for row in somatic if row["kind"] == "BND"}

    def near(fields):
        return next((p for p in planted if p[0] == fields[0] and abs(p[1] - int(fields[1])) <= 50), None)

    assert [fields[:5] for fields in passed if near(fields) is None] == []
    found = {near(fields) for fields in passed}
    wanted = {
        place
        for place, row in planted.items()
        if row["kind"] in ("DEL", "BND") or (row["kind"] != "INS" and int(row["length"]) >= 300)
    }
    assert len(wanted) >= 7 and wanted <= found, wanted - found
    for fields in passed:
        normal, tumour = (dict(zip(fields[8].split(":"), cell.split(":"), strict=True)) for cell in fields[9:])
        assert normal["RV"] == normal["DV"] == "0" and 0.1 < float(tumour["AF"]) < 0.5


def test_what_passes_is_what_dellys_own_limits_keep(pair):
    """From 50 bp and on chromosomes with records; the normal has no read of any, so its own limit changes nothing."""
    with pysam.VariantFile(str(pair.folder / "strict.bcf")) as calls:
        kept = {call.id for call in calls if call.info["SVTYPE"] == "BND" or call.stop - call.pos > 50}
    passed = {fields[2].split("_")[0] for fields in pair.lines if fields[6] == "PASS"}
    assert passed == kept


@pytest.mark.skipif(not runs.DATA.is_dir(), reason=f"real reads are not here: {runs.DATA}")
def test_a_real_pair_whose_normal_has_few_reads_is_said_and_leaves_no_calls(tmp_path):
    """HCC1954: 82 pairs of the tumour lie on two chromosomes, none of the normal, which has too few for delly."""
    data = runs.DATA / "tn_hcc1954_sv"
    (tmp_path / "reference").mkdir()
    shutil.copy(data / "ref_b37_small.fa", tmp_path / "reference" / "genome.fa")
    shell("bwa index reference/genome.fa; samtools faidx reference/genome.fa", tmp_path)
    for sample, mark in (("TUMOUR1", "T"), ("NORMAL1", "N")):
        reads = (f"<(zcat {shlex.quote(str(data))}/*_{mark}_*_{end}_*)" for end in ("R1", "R2"))
        shell(
            f"bwa mem -Y -R '@RG\\tID:1\\tSM:{sample}' reference/genome.fa {' '.join(reads)} | samtools sort -u -"
            f" | samtools view -C -T reference/genome.fa --write-index -o {sample}.cram -",
            tmp_path,
        )
    across = {}
    for sample in ("TUMOUR1", "NORMAL1"):
        bases = str(tmp_path / "reference" / "genome.fa")
        with pysam.AlignmentFile(str(tmp_path / f"{sample}.cram"), reference_filename=bases) as reads:
            across[sample] = sum(
                read.is_read1 and not read.is_secondary and not read.is_supplementary
                and not read.is_unmapped and not read.mate_is_unmapped and read.reference_id != read.next_reference_id
                for read in reads
            )  # fmt: skip
    assert across["TUMOUR1"] >= 82 and across["NORMAL1"] == 0
    status, log = delly(
        tmp_path, ["./NORMAL1.cram", "./TUMOUR1.cram"], "", file_type="somatic_structural_vcf", sample='"TUMOUR1"'
    )
    assert status == 0, log
    (entry,) = json.loads((tmp_path / "not_called.json").read_text())
    assert (entry["file_type"], entry["sample"]) == ("somatic_structural_vcf", "TUMOUR1")
    assert "too few read pairs of NORMAL1" in entry["reason"]


@pytest.mark.skipif(not runs.DATA.is_dir(), reason=f"real reads are not here: {runs.DATA}")
def test_real_breakends_are_found_at_the_base(tmp_path):
    """HCC1954: an adjacency of chromosomes 8 and 11 of manta's published calls, by the same two bases."""
    data = runs.DATA / "tn_hcc1954_sv"
    (tmp_path / "reference").mkdir()
    shutil.copy(data / "ref_b37_small.fa", tmp_path / "reference" / "genome.fa")
    shell(
        "bwa index reference/genome.fa; samtools faidx reference/genome.fa; "
        "bwa mem -Y -R '@RG\\tID:1\\tSM:HCC1954' reference/genome.fa"
        f" <(zcat {shlex.quote(str(data))}/*_T_*_R1_*) <(zcat {shlex.quote(str(data))}/*_T_*_R2_*)"
        " | samtools sort -u - | samtools view -C -T reference/genome.fa --write-index -o HCC1954.cram -",
        tmp_path,
    )
    with pysam.FastaFile(str(tmp_path / "reference" / "genome.fa")) as fasta:
        bases = {name: fasta.fetch(name).upper() for name in fasta.references}
    contigs = [
        {
            "name": name,
            "length": len(text),
            "md5": hashlib.md5(text.encode()).hexdigest(),
            "role": "X" if name == "X" else "autosome",
        }
        for name, text in bases.items()
    ]
    shipped = ngc_profile.load()
    reference = {**shipped.reference, "contigs": contigs, "par": []}
    profile = dataclasses.replace(shipped, data={**shipped.data, "reference": reference})
    vcf, sexes = structural_vcf(tmp_path, {"HCC1954": "female"}, profile), {"HCC1954": "female"}
    assert not list(
        check_vcf(vcf, profile, kind="structural_vcf", sample=sexes.keys(), sex=sexes,
                  reference=tmp_path / "reference" / "genome.fa")
    )  # fmt: skip
    with pysam.VariantFile(str(vcf)) as calls:
        found = {(call.chrom, call.pos, call.alts[0].strip("ACGT")) for call in calls if call.info["SVTYPE"] == "BND"}
    # manta, on whole chromosomes: 8:107653520 with 11:94975747; the slice of 8 begins 107,652,840 bases in. Its other
    # adjacency of the two, 8:107653411, is in one read of forty: no carrier, so it is left out of a germline file.
    assert ("8", 107653520 - 107652840, "]11:787]") in found and ("11", 787, "]8:680]") in found
