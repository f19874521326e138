"""The somatic VCF as conform_somatic.sh makes it from FilterMutectCalls': alleles apart, each with its own filters."""

import random
import shlex
import subprocess

import pysam
import pytest
import runs

BASES = "".join(random.Random(5).choices("ACGT", k=2000))
FILTERS = ("weak_evidence", "strand_bias", "base_qual", "germline", "multiallelic", "FAIL")
HEADER = "\n".join(
    [
        "##fileformat=VCFv4.2",
        *(f'##FILTER=<ID={name},Description="">' for name in FILTERS),
        '##INFO=<ID=DP,Number=1,Type=Integer,Description="">',
        '##INFO=<ID=TLOD,Number=A,Type=Float,Description="">',
        '##INFO=<ID=AS_FilterStatus,Number=A,Type=String,Description="">',
        '##FORMAT=<ID=GT,Number=1,Type=String,Description="">',
        '##FORMAT=<ID=AD,Number=R,Type=Integer,Description="">',
        "##contig=<ID=chr1,length=2000>",
        "#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\tFORMAT\t",
    ]
)


def others(pos):
    return [base for base in "ACGT" if base != BASES[pos - 1]]


def record(pos, alts, status, site="PASS", tumour="0/1:50,40", normal="0/0:30,0"):
    tlod = ",".join(["50.0"] * len(alts))
    info = f"AS_FilterStatus={status};DP=120;TLOD={tlod}"
    return f"chr1\t{pos}\t.\t{BASES[pos - 1]}\t{','.join(alts)}\t.\t{site}\t{info}\tGT:AD\t{tumour}\t{normal}"


@pytest.fixture
def conform(tmp_path):
    """Function: the finished lines of FilterMutectCalls' records, whose columns are the tumour T and its normal N."""

    def made(*records, columns="N,T"):
        (tmp_path / "genome.fa").write_text(f">chr1\n{BASES}\n")
        pysam.faidx(str(tmp_path / "genome.fa"))
        (tmp_path / "raw.vcf").write_text(f"{HEADER}T\tN\n" + "".join(f"{line}\n" for line in records))
        pysam.tabix_index(str(tmp_path / "raw.vcf"), preset="vcf", force=True)
        header = [line for line in HEADER.splitlines() if "AS_Filter" not in line]
        (tmp_path / "header").write_text("\n".join(header) + columns.replace(",", "\t") + "\n")
        arrays = {
            "input": {"vcf": "raw.vcf.gz", "fasta": "genome.fa", "header": "header"},
            "output": {"vcf": "out.vcf.gz"},
            "params": {"columns": columns, "tumour": "T", "drop": "INFO/AS_FilterStatus"},
            "log": {"0": "log.txt"},
        }
        text = ""
        for name, values in arrays.items():
            pairs = " ".join(f"[{key}]={shlex.quote(value)}" for key, value in values.items())
            text += f"declare -A snakemake_{name}=({pairs})\n"
        (tmp_path / "run.sh").write_text(text + (runs.HOUSE / "scripts" / "conform_somatic.sh").read_text())
        done = subprocess.run(["bash", "run.sh"], cwd=tmp_path, check=False)
        assert done.returncode == 0, (tmp_path / "log.txt").read_text()
        with pysam.BGZFile(str(tmp_path / "out.vcf.gz")) as lines:
            found = [line.decode().split("\t") for line in lines]
        return [line for line in found if not line[0].startswith("#")]

    return made


def test_the_normal_s_column_comes_before_the_tumour_s(conform):
    (line,) = conform(record(900, others(900)[:1], "SITE"))
    assert (line[6], line[7]) == ("PASS", "DP=120;TLOD=50")
    assert line[9:] == ["0/0:30,0", "0/1:50,40"]


def test_a_tumour_by_itself_has_one_column(conform):
    (line,) = conform(record(900, others(900)[:1], "SITE"), columns="T")
    assert line[9:] == ["0/1:50,40"]


def test_each_allele_has_its_own_filters_counts_and_a_genotype_of_two(conform):
    alts = others(900)[:2]
    tumour, normal = "0/1/2:50,40,9", "0/0:30,0,1"
    lines = conform(record(900, alts, "SITE|strand_bias, base_qual", tumour=tumour, normal=normal))
    assert {line[4]: set(line[6].split(";")) for line in lines} == {
        alts[0]: {"PASS"}, alts[1]: {"strand_bias", "base_qual"},
    }  # fmt: skip
    assert [line[9:] for line in sorted(lines, key=lambda line: alts.index(line[4]))] == [
        ["0/0:30,0", "0/1:50,40"],
        ["0/0:30,1", "0/1:50,9"],
    ]


def test_filters_of_the_site_stay_with_every_allele_and_none_is_there_twice(conform):
    lines = conform(record(900, others(900)[:2], "germline|SITE", site="germline;multiallelic", tumour="0/1/2:1,2,3"))
    assert [sorted(line[6].split(";")) for line in lines] == [["germline", "multiallelic"]] * 2


def test_the_allele_of_a_deletion_upstream_has_no_record(conform):
    lines = conform(record(900, [others(900)[0], "*"], "SITE|SITE", tumour="0/1/2:50,40,9", normal="0/0:30,0,0"))
    assert [line[4] for line in lines] == [others(900)[0]]


def test_a_vcf_without_records_is_whole(conform):
    assert conform() == []


def test_phase_is_kept(conform):
    (line,) = conform(record(900, others(900)[:1], "SITE", tumour="0|1:50,40", normal="0|0:30,0"))
    assert line[9:] == ["0|0:30,0", "0|1:50,40"]
