"""The header of a submission VCF holds what the profile lists, and nothing else."""

import pysam
import pytest

import ngc_profile
from ngc_wgs import conform

PROFILE = ngc_profile.load()
MD5S = {contig["name"]: "0" * 32 for contig in PROFILE.contigs()}
FILTERS = [{"id": "LowQual", "expression": "QUAL < 30", "description": "Phred-scaled quality below 30"}]


def header(kind):
    return conform.header(PROFILE, kind, ["AAAA1111"], MD5S, "GATK HaplotypeCaller", FILTERS)


@pytest.mark.parametrize(
    "kind", ["vcf", "gvcf", "family_vcf", "mitochondrial_vcf", "structural_vcf", "copy_number_vcf"]
)
def test_header_has_only_keys_of_the_allow_list(kind):
    keys = {line[2:].split("=", 1)[0] for line in header(kind).splitlines() if line.startswith("##")}
    assert keys <= set(PROFILE.data[kind]["header_keys"])
    assert {"fileformat", "FILTER", "INFO", "FORMAT", "contig", "reference", "source", "profile"} <= keys


@pytest.mark.parametrize(
    "kind", ["vcf", "gvcf", "family_vcf", "mitochondrial_vcf", "structural_vcf", "copy_number_vcf"]
)
def test_header_is_read_by_htslib_with_the_profile_s_definitions(kind, tmp_path):
    path = tmp_path / "x.vcf"
    path.write_text(header(kind))
    with pysam.VariantFile(str(path)) as vcf:
        assert list(vcf.header.samples) == ["AAAA1111"]
        assert [(c.name, c.length) for c in vcf.header.contigs.values()] == [
            (c["name"], c["length"]) for c in PROFILE.contigs()
        ]
        for column, records in (("info", vcf.header.info), ("format", vcf.header.formats)):
            expected = {key: (str(d["number"]), d["type"]) for key, d in PROFILE.data[kind][column].items()}
            assert {key: (str(records[key].number), records[key].type) for key in expected} == expected


def test_every_contig_carries_its_md5():
    lines = [line for line in header("vcf").splitlines() if line.startswith("##contig")]
    assert len(lines) == len(PROFILE.contigs())
    assert all("md5=" in line for line in lines)


def test_soft_filters_are_declared_in_the_vcf_and_not_in_the_gvcf():
    assert "ID=LowQual" in header("vcf")
    assert "ID=LowQual" not in header("gvcf")


def test_named_alleles_are_declared_and_breakends_are_not():
    lines = [line for line in header("structural_vcf").splitlines() if line.startswith("##ALT")]
    assert [line.split(",")[0] for line in lines] == [f"##ALT=<ID={name}" for name in ("DEL", "DUP", "INV", "INS")]
    assert not any(line.startswith("##ALT") for line in header("vcf").splitlines())
