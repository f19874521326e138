"""The mitochondrial VCF as conform_mitochondrion.sh makes it from GATK's: lifted back, genotyped, filtered."""

import random
import shlex
import subprocess

import pysam
import pytest
import runs

LENGTH, ENDS = 2000, 300
HALF = LENGTH // 2
BASES = "".join(random.Random(5).choices("ACGT", k=LENGTH))
TURNED = BASES[HALF:] + BASES[:HALF]
HEADER = """##fileformat=VCFv4.2
##FILTER=<ID=PASS,Description="">
##FILTER=<ID=strand_bias,Description="">
##FILTER=<ID=weak_evidence,Description="">
##FILTER=<ID=base_qual,Description="">
##INFO=<ID=DP,Number=1,Type=Integer,Description="">
##INFO=<ID=TLOD,Number=A,Type=Float,Description="">
##INFO=<ID=AS_FilterStatus,Number=A,Type=String,Description="">
##FORMAT=<ID=GT,Number=1,Type=String,Description="">
##FORMAT=<ID=AD,Number=R,Type=Integer,Description="">
##FORMAT=<ID=AF,Number=A,Type=Float,Description="">
##FORMAT=<ID=DP,Number=1,Type=Integer,Description="">
##contig=<ID=chrM,length=2000>
##contig=<ID=chrM_shifted,length=2000>
#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\tFORMAT\tSAMPLE1
"""


def other(base):
    return {"A": "C", "C": "G", "G": "T", "T": "A"}[base]


def snv(contig, pos, fraction, depth=10_000, site="PASS", status="SITE"):
    ref = (BASES if contig == "chrM" else TURNED)[pos - 1]
    alt = round(fraction * depth)
    info = f"AS_FilterStatus={status};DP={depth};TLOD=50.0"
    sample = f"0/1:{depth - alt},{alt}:{fraction}:{depth}"
    return f"{contig}\t{pos}\t.\t{ref}\t{other(ref)}\t.\t{site}\t{info}\tGT:AD:AF:DP\t{sample}"


@pytest.fixture
def conform(tmp_path):
    """Function: the finished records {POS: [(REF, ALT, GT, filters)]} of GATK's records."""

    def made(*records, autosomes=30):
        (tmp_path / "both.fa").write_text(f">chrM\n{BASES}\n>chrM_shifted\n{TURNED}\n")
        pysam.faidx(str(tmp_path / "both.fa"))
        (tmp_path / "raw.vcf").write_text(HEADER + "".join(f"{record}\n" for record in records))
        pysam.tabix_index(str(tmp_path / "raw.vcf"), preset="vcf", force=True)
        lines = [line for line in HEADER.splitlines() if "shifted" not in line and "AS_Filter" not in line]
        ours = [
            f'##FILTER=<ID={name},Description="">' for name in ("low_heteroplasmy", "possible_numt", "mt_many_low_hets")
        ]
        (tmp_path / "header").write_text("\n".join([*lines[:-1], *ours, lines[-1]]) + "\n")
        rows = [f"chr1_region\t1000\t{1000 * autosomes}\t{autosomes}.00\t0\t60"]
        (tmp_path / "depths.txt").write_text("\n".join(["chrom\tlength\tbases\tmean\tmin\tmax", *rows]) + "\n")
        arrays = {
            "input": {
                "vcf": "raw.vcf.gz", "fasta": "both.fa", "fai": "both.fa.fai",
                "header": "header", "depths": "depths.txt",
            },
            "output": {"vcf": "out.vcf.gz"},
            "params": {
                "contig": "chrM", "autosomes": "chr1", "drop": "INFO/AS_FilterStatus", "control_region": ENDS,
                "homoplasmic": 0.95, "low_heteroplasmy": 0.1, "numt_copies": 4, "many_low_heteroplasmies": 3,
            },
            "log": {"0": "log.txt"},
        }  # fmt: skip
        text = ""
        for name, values in arrays.items():
            pairs = " ".join(f"[{key}]={shlex.quote(str(value))}" for key, value in values.items())
            text += f"declare -A snakemake_{name}=({pairs})\n"
        script = tmp_path / "run.sh"
        script.write_text(text + (runs.HOUSE / "scripts" / "conform_mitochondrion.sh").read_text())
        done = subprocess.run(["bash", script], cwd=tmp_path, check=False)
        assert done.returncode == 0, (tmp_path / "log.txt").read_text()
        found = {}
        with pysam.VariantFile(str(tmp_path / "out.vcf.gz")) as vcf:
            for record in vcf:
                genotype = "/".join(map(str, record.samples[0]["GT"]))
                found.setdefault(record.pos, []).append((record.ref, record.alts[0], genotype, set(record.filter)))
        return found

    return made


def test_the_middle_comes_from_the_contig_and_the_ends_from_the_turned_one(conform):
    straight = [snv("chrM", pos, 0.5) for pos in (100, 300, 301, 1700, 1701)]
    shifted = [snv("chrM_shifted", pos, 0.99) for pos in (700, 701, 1000, 1001, 1300, 1301)]
    found = conform(*straight, *shifted)
    assert {pos: records[0][2] for pos, records in found.items()} == {
        1: "1", 300: "1", 301: "0/1", 1700: "0/1", 1701: "1", 2000: "1",
    }  # fmt: skip
    assert all(record[0] == BASES[pos - 1] for pos, records in found.items() for record in records)


def test_a_deletion_over_the_origin_has_no_place_on_the_contig(conform):
    deletion = snv("chrM_shifted", 998, 0.5).split("\t")
    deletion[3:5] = TURNED[997:1003], TURNED[997]
    assert conform("\t".join(deletion), snv("chrM", 900, 0.5)).keys() == {900}


def test_filters_of_one_allele_stay_with_it(conform):
    record = snv("chrM", 900, 0.5, status="SITE|strand_bias, base_qual").split("\t")
    ref = record[3]
    first, second = (base for base in "ACGT" if base != ref and base != other(ref))
    record[4] = f"{first},{second}"
    record[7] = record[7].replace("TLOD=50.0", "TLOD=50.0,1.0")
    record[9] = "0/1/2:5000,3000,2000:0.3,0.2:10000"
    found = {alt: filters for _, alt, _, filters in conform("\t".join(record))[900]}
    assert found == {first: {"PASS"}, second: {"strand_bias", "base_qual"}}


def test_an_allele_without_evidence_is_no_call(conform):
    weak = snv("chrM", 800, 0.5, site="weak_evidence", status="weak_evidence")
    assert conform(weak, snv("chrM", 900, 0.5)).keys() == {900}


def test_reads_that_a_nuclear_copy_could_give_are_told(conform):
    """Four copies at 30x of two: 60 reads expected, at most 79 in 99 of 100 cases."""
    found = conform(snv("chrM", 800, 0.79, depth=100), snv("chrM", 900, 0.8, depth=100))
    assert {pos: records[0][3] for pos, records in found.items()} == {800: {"possible_numt"}, 900: {"PASS"}}


def test_without_autosomes_nothing_is_taken_for_a_nuclear_copy(conform):
    assert conform(snv("chrM", 800, 0.5, depth=10), autosomes=0)[800][0][3] == {"PASS"}


@pytest.mark.parametrize(("number", "told"), [(3, {"low_heteroplasmy"}), (4, {"low_heteroplasmy", "mt_many_low_hets"})])
def test_many_variants_of_low_fraction_tell_of_a_second_haplotype(conform, number, told):
    found = conform(*(snv("chrM", 800 + 50 * at, 0.05) for at in range(number)), snv("chrM", 1500, 0.5))
    assert [records[0][3] for records in found.values()] == [*[told] * number, {"PASS"}]


def test_a_mitochondrion_without_reads_has_a_vcf_without_records(conform):
    assert conform() == {}
