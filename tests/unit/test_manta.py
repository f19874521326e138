"""manta's calls, in the form that its user guide documents, become records beside delly's. manta itself is not run."""

import dataclasses
import json
import subprocess
from types import SimpleNamespace

import pysam
import pytest
import runs

import ngc_profile
from ngc_check.vcf import check_vcf
from ngc_wgs import conform, manta, somatic_structural, structural

LENGTHS = {"chr1": 10_000, "chrX": 10_000, "chrY": 10_000, "chrM": 1_000}
ROLES = {"chr1": "autosome", "chrX": "X", "chrY": "Y", "chrM": "M"}
SEXES = {"SON": "male", "MUM": "female"}
HET, REF, HOM = "0/1:PASS:99:200,0,300:20,9:15,5", "0/0:HomRef:99:0,90,500:30,0:22,0", "1/1:PASS:80:500,90,0:0,20:0,15"
HEADER = "\n".join(
    [
        "##fileformat=VCFv4.1",
        *(f'##FILTER=<ID={name},Description="">' for name in ("MinQUAL", "MinGQ", "MaxDepth", "SampleFT", "HomRef")),
        *(f'##INFO=<ID={key},Number={n},Type={kind},Description="">' for key, n, kind in (
            ("SVTYPE", 1, "String"), ("SVLEN", ".", "Integer"), ("END", 1, "Integer"), ("CIPOS", 2, "Integer"),
            ("CIEND", 2, "Integer"), ("MATEID", ".", "String"), ("IMPRECISE", 0, "Flag"),
            ("LEFT_SVINSSEQ", ".", "String"),
        )),
        *(f'##FORMAT=<ID={key},Number={n},Type={kind},Description="">' for key, n, kind in (
            ("GT", 1, "String"), ("FT", 1, "String"), ("GQ", 1, "Integer"), ("PL", "G", "Integer"),
            ("PR", ".", "Integer"), ("SR", ".", "Integer"),
        )),
        *(f"##contig=<ID={name},length={length}>" for name, length in LENGTHS.items()),
        "#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\tFORMAT\tMUM\tSON\n",
    ]
)  # fmt: skip


def base(contig, pos):
    return "ACGT"[pos % 4]


@pytest.fixture(scope="module")
def profile():
    contigs = [{"name": name, "length": n, "md5": "0" * 32, "role": ROLES[name]} for name, n in LENGTHS.items()]
    shipped = ngc_profile.load()
    reference = {**shipped.reference, "contigs": contigs, "par": []}
    return dataclasses.replace(shipped, data={**shipped.data, "reference": reference})


def line(pos, name, alt, info, *, chrom="chr1", ref="A", filters="PASS", mum=REF, son=HET):
    return "\t".join([chrom, str(pos), name, ref, alt, "500", filters, info, "GT:FT:GQ:PL:PR:SR", mum, son])


# What was planted, as manta says it.
DELETION = line(1000, "DEL1", "<DEL>", "END=3000;SVTYPE=DEL;SVLEN=-2000;CIPOS=0,3;CIEND=0,3")
SPELT = line(1000, "DEL2", "A", "END=1100;SVTYPE=DEL;SVLEN=-100", ref="A" + "C" * 100)
DUPLICATION = line(4000, "DUP1", "<DUP:TANDEM>", "END=5000;SVTYPE=DUP;SVLEN=1000", mum=HOM)
INSERTION = line(6000, "INS1", "A" + "G" * 80, "END=6000;SVTYPE=INS;SVLEN=80")
INVERSION = [
    line(7000, "INV:0", "A]chr1:8002]", "SVTYPE=BND;MATEID=INV:1;CIPOS=0,2"),
    line(7001, "INV5:0", "[chr1:8001[A", "SVTYPE=BND;MATEID=INV5:1"),
    line(8000, "INV:1", "A]chr1:7002]", "SVTYPE=BND;MATEID=INV:0;CIPOS=0,2"),
    line(8001, "INV5:1", "[chr1:7001[A", "SVTYPE=BND;MATEID=INV5:0"),
]
EXCHANGE = [
    line(9000, "T:0", "AGG[chrX:5000[", "SVTYPE=BND;MATEID=T:1;IMPRECISE;CIPOS=-40,40"),
    line(5000, "T:1", "]chr1:9000]GGA", "SVTYPE=BND;MATEID=T:0;IMPRECISE;CIPOS=-60,60", chrom="chrX", son=HOM),
]


@pytest.fixture
def events(tmp_path, profile):
    """Function: variants of manta's lines."""

    def made(*lines, excluded=()):
        path = tmp_path / "manta.vcf"
        path.write_text(HEADER + "".join(f"{text}\n" for text in lines))
        with pysam.VariantFile(str(path)) as vcf:
            calls = manta.calls(vcf, manta.excluded(excluded))
            return structural.events(calls, ["SON", "MUM"], SEXES, profile, base)

    return made


def written(found, overlap=0.5, distance=500):
    found = {"delly": [], **found}
    return [
        text.split("\t") for text in structural.merged(found, {"reciprocal_overlap": overlap, "distance": distance})
    ]


@pytest.mark.parametrize(
    ("given", "pos", "alt", "info"),
    [
        (DELETION, "1000", "<DEL>", "SVTYPE=DEL;END=3000;SVLEN=-2000;CIPOS=0,3;CIEND=0,3;CT=3to5"),
        (SPELT, "1000", "<DEL>", "SVTYPE=DEL;END=1100;SVLEN=-100;CIPOS=0,0;CIEND=0,0;CT=3to5"),
        (DUPLICATION, "4000", "<DUP>", "SVTYPE=DUP;END=5000;SVLEN=1000;CIPOS=0,0;CIEND=0,0;CT=5to3"),
        (INSERTION, "6000", "<INS>", "SVTYPE=INS;END=6000;SVLEN=80;CIPOS=0,0;CT=NtoN"),
    ],
)
def test_a_call_has_the_place_that_manta_gave(events, given, pos, alt, info):
    ((_, at, _, _, allele, quality, filters, entries, _, *_),) = written({"manta": events(given)})
    assert (at, allele, quality, filters) == (pos, alt, "500", "PASS")
    reads = "PE=29;SR=20" if alt == "<DUP>" else "PE=9;SR=5"
    assert entries == f"{info};{reads};CALLERS=manta"


def test_an_inversion_is_a_record_for_each_junction_and_an_exchange_two_mates(events):
    right, left, first, second = written({"manta": events(*INVERSION, *EXCHANGE)})
    assert left[7].startswith("SVTYPE=INV;END=8002;CIPOS=0,2;CIEND=-2,0;CT=3to3")
    assert (left[1], right[1]) == ("7000", "7000")
    assert right[7].startswith("SVTYPE=INV;END=8000;CIPOS=0,0;CIEND=0,0;CT=5to5")
    assert (first[0], first[4]) == ("chr1", f"{base('chr1', 9000)}[chrX:5000[")
    assert (second[0], second[4]) == ("chrX", f"]chr1:9000]{base('chrX', 5000)}")
    assert "MATEID=T:0_2;IMPRECISE;CIPOS=-40,40" in first[7] and "IMPRECISE;CIPOS=-60,60" in second[7]


def test_genotypes_follow_the_copies_and_reads_are_mantas(events):
    (auto,), (haploid,) = (
        written({"manta": events(line(1000, "D", "<DEL>", "END=3000;SVTYPE=DEL;SVLEN=-2000", chrom=chrom, son=HOM))})
        for chrom in ("chr1", "chrX")
    )
    assert auto[8:] == ["GT:GQ:FT:DR:DV:RR:RV:RDCN", "1/1:90:PASS:0:20:0:15:.", "0/0:90:PASS:30:0:22:0:."]
    assert haploid[9] == "1:500:PASS:0:20:0:15:."


def test_what_has_no_length_lies_in_an_excluded_region_or_is_said_twice_is_left_out(events):
    unknown = line(6000, "INS2", "<INS>", "END=6000;SVTYPE=INS;LEFT_SVINSSEQ=ACGT")
    assert events(unknown) == []
    assert events(DELETION, excluded=["chrM", "chr1\t2990\t3100"]) == []
    assert len(events(DELETION, excluded=["chrM", "chr1\t1500\t1600"])) == 1
    assert len(events(SPELT, SPELT.replace("DEL2", "DEL3").replace("\tA\t500", "\tAT\t500"))) == 1


def test_another_type_is_an_error_that_says_which_manta_to_use(events):
    with pytest.raises(ValueError, match=r"SVTYPE INV\. Mend: use manta 1\.6"):
        events(line(7000, "I", "<INV>", "END=8000;SVTYPE=INV;SVLEN=1000"))


def test_filters_are_mantas_without_those_of_genotypes(events):
    (fields,) = written({"manta": events(DELETION.replace("PASS\tEND", "MaxDepth;SampleFT\tEND"))})
    assert fields[6] == "MaxDepth"


@pytest.mark.parametrize(
    ("other", "callers"),
    [
        (DELETION.replace("1000", "1900"), ["delly,manta"]),
        (DELETION.replace("1000", "2100"), ["delly", "manta"]),  # covers less than half of it
        (DELETION.replace("PASS\tEND", "MaxDepth\tEND"), ["delly,manta"]),
        (DUPLICATION, ["delly", "manta"]),
    ],
)
def test_two_deletions_are_one_where_each_covers_half_of_the_other(events, other, callers):
    found = {"delly": events(DELETION), "manta": events(other)}
    assert [fields[7].rpartition("CALLERS=")[2] for fields in written(found)] == callers


def test_the_one_that_passes_is_written_then_the_one_with_the_exact_place(events):
    failed = DELETION.replace("PASS\tEND", "MaxDepth\tEND")
    vague = DELETION.replace("END=", "IMPRECISE;END=")
    for worse in (failed, vague):
        (fields,) = written({"delly": events(worse), "manta": events(DELETION.replace("1000", "1010"))})
        assert fields[1] == "1010" and fields[6] == "PASS" and fields[7].endswith("CALLERS=manta,delly")


def test_insertions_and_breakends_are_one_where_their_places_are_near(events):
    def callers(delly, other, **limits):
        return [f[7].rpartition("=")[2] for f in written({"delly": events(*delly), "manta": events(*other)}, **limits)]

    moved = INSERTION.replace("6000", "6020")
    assert callers([INSERTION], [moved]) == ["delly,manta"]
    assert callers([INSERTION], [moved], distance=19) == ["delly", "manta"]
    assert callers([INSERTION], [INSERTION.replace("SVLEN=80", "SVLEN=161")]) == ["manta", "delly"]
    turned = [line(9000, "T:0", "A]chrX:5000]", "SVTYPE=BND", son=HOM)]
    assert callers(EXCHANGE, EXCHANGE) == ["delly,manta", "delly,manta"]
    assert len(callers(EXCHANGE, turned)) == 4
    assert len(callers(EXCHANGE, [text.replace("9000", "8400") for text in EXCHANGE])) == 4


def test_the_checker_accepts_the_merged_file(events, profile, tmp_path):
    found = {
        "delly": events(DELETION, INSERTION),
        "manta": events(SPELT, DUPLICATION, INSERTION, *INVERSION, *EXCHANGE),
    }
    limits, columns = profile.data["structural"], ["SON", "MUM"]
    lines = structural.merged(found, limits)
    assert len(lines) == 8
    md5s = dict.fromkeys(LENGTHS, "0" * 32)
    filters = limits["filters"] + limits["manta_filters"]
    path = tmp_path / "case.sv.vcf"
    path.write_text(
        conform.header(profile, "structural_vcf", columns, md5s, "delly, manta", filters)
        + "".join(f"{text}\n" for text in lines)
    )
    conform.compress(str(path))
    told = check_vcf(tmp_path / "case.sv.vcf.gz", profile, kind="structural_vcf", sample=columns, sex=SEXES)
    assert [(one.rule, one.status) for one in told] == [("NGC-VCF-008", "NOT_CHECKED")]  # no reference was given


# ---- a tumour beside its normal ------------------------------------------------------------------------------------
PAIR = HEADER.replace("MUM\tSON", "NOR\tTUM").replace(
    "##FORMAT", '##INFO=<ID=SOMATICSCORE,Number=1,Type=Integer,Description="">\n##FORMAT', 1
)
PAIR = PAIR.replace("##FILTER", '##FILTER=<ID=MinSomaticScore,Description="">\n##FILTER', 1)


def somatic(pos, name, alt, info, *, score=36, filters="PASS", normal="43,0:38,0", tumour="72,9:46,15", chrom="chr1"):
    entries = f"{info};SOMATICSCORE={score}"
    return "\t".join([chrom, str(pos), name, "A", alt, ".", filters, entries, "PR:SR", normal, tumour])


LOST = somatic(1000, "DEL1", "<DEL>", "END=3000;SVTYPE=DEL;SVLEN=-2000")
MOVED = [
    somatic(9000, "T:0", "A[chrX:5000[", "SVTYPE=BND;MATEID=T:1;IMPRECISE;CIPOS=-40,40", tumour="60,20"),
    somatic(5000, "T:1", "]chr1:9000]A", "SVTYPE=BND;MATEID=T:0;IMPRECISE;CIPOS=-60,60", tumour="60,20", chrom="chrX"),
]


@pytest.fixture
def of_pair(tmp_path, profile):
    """Function: variants of manta's lines on a tumour beside its normal."""

    def made(*lines, sex="male"):
        path = tmp_path / "somatic.vcf"
        path.write_text(PAIR + "".join(f"{text}\n" for text in lines))
        with pysam.VariantFile(str(path)) as vcf:
            return somatic_structural.events(manta.calls(vcf, {}), "TUM", "NOR", sex, profile, base)

    return made


def test_a_tumours_call_has_its_score_and_the_reads_of_both(of_pair):
    ((_, pos, _, _, _, quality, filters, info, keys, *cells),) = written({"manta": of_pair(LOST)})
    assert (pos, quality, filters, keys) == ("1000", ".", "PASS", "DR:DV:RR:RV:AF")
    assert info.endswith("CT=3to5;PE=9;SR=15;SOMATICSCORE=36;CALLERS=manta")
    assert cells == ["43:0:38:0:0.000", "72:9:46:15:0.246"]


@pytest.mark.parametrize(
    ("given", "filters"),
    [
        ({"score": 30}, "PASS"),
        ({"score": 29, "filters": "MinSomaticScore"}, "weak_evidence"),
        ({"filters": "MaxMQ0Frac;MaxDepth"}, "MaxDepth;MaxMQ0Frac"),
        ({"tumour": "72,9:98,2"}, "low_fraction"),
        ({"tumour": "72,9:4,4"}, "few_reads"),
        ({"normal": "43,0:36,2"}, "in_normal"),
    ],
)
def test_a_tumours_call_is_filtered_by_the_limits_that_dellys_are(of_pair, given, filters):
    (fields,) = written({"manta": of_pair(somatic(1000, "D", "<DEL>", "END=3000;SVTYPE=DEL;SVLEN=-2000", **given))})
    assert fields[6] == filters


def test_what_is_not_the_tumours_own_or_on_a_womans_y_is_left_out(of_pair):
    event = (1000, "D", "<DEL>", "END=3000;SVTYPE=DEL;SVLEN=-2000")
    assert of_pair(somatic(*event, tumour="72,9:200,1"), somatic(*event, normal="43,0:80,9")) == []
    assert of_pair(somatic(*event, chrom="chrY"), sex="female") == []
    assert len(of_pair(somatic(*event, chrom="chrY"))) == 1


def test_the_checker_accepts_a_tumours_merged_file(of_pair, profile, tmp_path):
    limits, md5s = profile.data["somatic_structural"], dict.fromkeys(LENGTHS, "0" * 32)
    path = tmp_path / "tumour.somatic.sv.vcf"
    weak = somatic(6000, "W", "<DEL>", "END=7000;SVTYPE=DEL;SVLEN=-1000", score=9, filters="MinSomaticScore;MaxDepth")
    found = {"delly": of_pair(LOST), "manta": of_pair(LOST, weak, *MOVED)}
    lines = structural.merged(found, profile.data["structural"])
    assert [line.split("\t")[7].rpartition("=")[2] for line in lines] == ["delly,manta", *["manta"] * 3]
    filters = limits["filters"] + limits["manta_filters"]
    path.write_text(
        conform.header(profile, "somatic_structural_vcf", ["NOR", "TUM"], md5s, "delly, manta", filters)
        + "".join(f"{text}\n" for text in lines)
    )
    conform.compress(str(path))
    who = {"columns": {"tumour": "TUM", "normal": "NOR"}, "sex": {"TUM": "male", "NOR": "male"}}
    told = check_vcf(f"{path}.gz", profile, kind="somatic_structural_vcf", **who)
    assert [(one.rule, one.status) for one in told] == [("NGC-VCF-008", "NOT_CHECKED")]  # no reference was given


@pytest.mark.skipif(not runs.DATA.is_dir(), reason=f"real data are not here: {runs.DATA}")
def test_a_real_file_of_manta_is_read():
    """HCC1954, manta 1.4: three adjacencies; the mate's interval is told at the place that the record names."""
    with pysam.VariantFile(str(runs.DATA / "tn_hcc1954_sv" / "expected_manta_b37coords.vcf.gz")) as vcf:
        found = {(call.info["SVTYPE"], call.pos, call.stop): call for call in manta.calls(vcf, {})}
    near = ("BND", 107653518, 94975749)
    assert found.keys() == {("BND", 107653411, 94987872), near, ("INV", 94975753, 94987865)}
    assert (found[near].info["CT"], found[near].info["CIPOS"], found[near].info["CIEND"]) == ("3to3", (0, 2), (-2, 0))
    assert {name: values["DV"] for name, values in found[near].samples.items()} == {"HCC1954_BL": 0, "HCC1954": 9}
    assert found[near].info["SOMATICSCORE"] == 36


CONFIGURE = """while [[ $1 != --runDir ]]; do shift; done
mkdir -p "$2/results/variants"
printf '#!/bin/sh\\n%s\\n' "$FAKE" > "$2/runWorkflow.py"; chmod +x "$2/runWorkflow.py" """
FEW = "Too few high-confidence read pairs (7) to determine pair orientation for read group '' in bam file 'x/MUM.cram'"


@pytest.mark.parametrize(
    ("does", "status", "not_called", "log"),
    [
        ('cd "${0%/*}"; echo vcf > results/variants/somaticSV.vcf.gz', 0, "[]\n", ""),
        (f'echo "{FEW}"; exit 1', 0, "too few read pairs of MUM", "Not called: too few read pairs of MUM"),
        ("exit 3", 3, None, "manta ended with exit status 3. Mend: "),
    ],
)
def test_too_few_pairs_are_data_and_every_other_failure_is_one(tmp_path, does, status, not_called, log):
    """The script of rule manta_call with a stand-in for manta, which is not to be had here."""
    tools = runs.tool(tmp_path / "tools", "configManta.py", CONFIGURE).parent
    text = "declare -A snakemake=([threads]=2)\n"
    for name, values in {
        "input": "[fasta]=genome.fa", "output": "[calls]=calls.vcf.gz [not_called]=not_called.json",
        "params": "[bams]='--normalBam x/MUM.cram --tumorBam x/SON.cram' [result]=somaticSV [sample]='\"SON\"'"
        " [file_type]=somatic_structural_vcf",
        "log": "[0]=log",
        "resources": f"[tmpdir]='{tmp_path}' [mem_mb]=8000",
    }.items():  # fmt: skip
        text += f"declare -A snakemake_{name}=({values})\n"
    text += (runs.HOUSE / "scripts" / "manta_call.sh").read_text()
    environment = {"PATH": f"{tools}:/usr/bin:/bin", "FAKE": does}
    done = subprocess.run(["bash", "-c", text], cwd=tmp_path, env=environment, capture_output=True, text=True)
    found = SimpleNamespace(log=(tmp_path / "log").read_text(), reason=tmp_path / "not_called.json")
    assert done.returncode == status, done.stderr
    assert log in found.log
    assert found.reason.exists() == (not_called is not None)
    entries = json.loads(found.reason.read_text()) if not_called else []
    assert [(one["sample"], one["file_type"]) for one in entries] == [("SON", "somatic_structural_vcf")] * len(entries)
    assert bool(entries) == ("MUM" in (not_called or "")) and all(not_called in one["reason"] for one in entries)
    assert not list(tmp_path.glob("tmp.*"))
