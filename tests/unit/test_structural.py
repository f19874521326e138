"""delly's calls become records with VCF's own coordinates, mates, ploidy by sex and filters; and are counted."""

import dataclasses

import pysam
import pytest

import ngc_profile
from ngc_wgs import structural

LENGTHS = {"chr1": 10_000, "chrX": 10_000, "chrY": 10_000, "chrM": 1_000}
ROLES = {"chr1": "autosome", "chrX": "X", "chrY": "Y", "chrM": "M"}
SEXES = {"SON": "male", "MUM": "female"}
HET, HOM, REF, POOR = "0/1:-20,0,-30:300", "1/1:-50,-9,0:90", "0/0:0,-9,-50:90", "0/1:-1.2,0,-30:12"
HEADER = "\n".join(
    [
        "##fileformat=VCFv4.2",
        '##FILTER=<ID=LowQual,Description="">',
        *(f'##INFO=<ID={key},Number={n},Type={kind},Description="">' for key, n, kind in (
            ("SVTYPE", 1, "String"), ("CT", 1, "String"), ("CIPOS", 2, "Integer"), ("CIEND", 2, "Integer"),
            ("END", 1, "Integer"), ("PE", 1, "Integer"), ("SR", 1, "Integer"), ("MAPQ", 1, "Integer"),
            ("SRMAPQ", 1, "Integer"), ("SVLEN", 1, "Integer"), ("IMPRECISE", 0, "Flag"), ("PRECISE", 0, "Flag"),
        )),
        *(f'##FORMAT=<ID={key},Number={n},Type={kind},Description="">' for key, n, kind in (
            ("GT", 1, "String"), ("GL", "G", "Float"), ("GQ", 1, "Integer"), ("RDCN", 1, "Integer"),
            ("DR", 1, "Integer"), ("DV", 1, "Integer"), ("RR", 1, "Integer"), ("RV", 1, "Integer"),
        )),
        *(f"##contig=<ID={name},length={length}>" for name, length in LENGTHS.items()),
        "#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\tFORMAT\tMUM\tSON\n",
    ]
)  # fmt: skip


def base(contig, pos):
    return "ACGT"[pos % 4]


@pytest.fixture(scope="module")
def profile():
    contigs = [{"name": name, "length": n, "md5": None, "role": ROLES[name]} for name, n in LENGTHS.items()]
    par = [{"contig": name, "start": 0, "end": 2_000} for name in ("chrX", "chrY")]
    shipped = ngc_profile.load()
    return dataclasses.replace(
        shipped, data={**shipped.data, "reference": {**shipped.reference, "contigs": contigs, "par": par}}
    )


@pytest.fixture
def made(tmp_path, profile):
    """Function: lines of the structural VCF, as lists of columns, of delly's calls."""

    def records(*calls):
        path = tmp_path / "delly.vcf"
        path.write_text(HEADER + "".join(f"{line}\n" for line in calls))
        with pysam.VariantFile(str(path)) as vcf:
            events = structural.events(vcf, ["SON", "MUM"], SEXES, profile, base)
            lines = structural.merged({"delly": events}, profile.data["structural"])
        return [line.split("\t") for line in lines]

    return records


def call(kind, pos, end, ct, *, chrom="chr1", alt=None, mum=REF, son=HET, info="PRECISE", name="X1",
         support="PE=9;SR=5", filters="PASS"):  # fmt: skip
    """A line of delly's."""
    entries = f"{info};SVTYPE={kind};END={end};CT={ct};CIPOS=-3,4;CIEND=-5,6;MAPQ=60;SRMAPQ=50;{support}"
    cells = [f"{cell}:2:10:11:12:13" for cell in (mum, son)]
    fields = [chrom, str(pos), name, "N", alt or f"<{kind}>", "600", filters, entries]
    return "\t".join([*fields, "GT:GL:GQ:RDCN:DR:DV:RR:RV", *cells])


@pytest.mark.parametrize(
    ("given", "pos", "info"),
    [
        (call("DEL", 1000, 1201, "3to5"), 1000, "SVTYPE=DEL;END=1200;SVLEN=-200;CIPOS=-3,4;CIEND=-5,6;CT=3to5"),
        (call("DUP", 1001, 1200, "5to3"), 1000, "SVTYPE=DUP;END=1200;SVLEN=200;CIPOS=-3,4;CIEND=-5,6;CT=5to3"),
        (call("INV", 1000, 1200, "3to3"), 1000, "SVTYPE=INV;END=1200;CIPOS=-3,4;CIEND=-5,6;CT=3to3"),
        (call("INV", 1001, 1201, "5to5"), 1000, "SVTYPE=INV;END=1200;CIPOS=-3,4;CIEND=-5,6;CT=5to5"),
        (
            call("INS", 1000, 1001, "NtoN", info="PRECISE;SVLEN=60"),
            1000,
            "SVTYPE=INS;END=1000;SVLEN=60;CIPOS=-3,4;CT=NtoN",
        ),
    ],
)
def test_pos_is_the_last_base_before_and_end_the_last_of_the_variant(made, given, pos, info):
    ((chrom, at, name, ref, _, _, filters, entries, *_),) = made(given)
    assert (chrom, int(at), name, ref, filters) == ("chr1", pos, "X1", base("chr1", pos), "PASS")
    assert entries == f"{info};PE=9;SR=5;MAPQ=60"


def test_what_is_imprecise_says_so_and_without_pairs_the_split_reads_quality_counts(made):
    (fields,) = made(call("DEL", 1000, 1201, "3to5", info="IMPRECISE", support="PE=0;SR=5"))
    assert fields[7] == "SVTYPE=DEL;END=1200;SVLEN=-200;IMPRECISE;CIPOS=-3,4;CIEND=-5,6;CT=3to5;PE=0;SR=5;MAPQ=50"


@pytest.mark.parametrize(
    ("alt", "ct", "here", "there", "turned"),
    [
        ("N[chr1:3000[", "3to5", "A[chr1:3000[", "]chrX:1500]A", "5to3"),
        ("]chr1:3000]N", "5to3", "]chr1:3000]A", "A[chrX:1500[", "3to5"),
        ("N]chr1:3000]", "3to3", "A]chr1:3000]", "A]chrX:1500]", "3to3"),
        ("[chr1:3000[N", "5to5", "[chr1:3000[A", "[chrX:1500[A", "5to5"),
    ],
)
def test_a_breakend_has_a_mate_at_the_other_place(made, alt, ct, here, there, turned):
    first, second = made(call("BND", 1500, 1501, ct, chrom="chrX", alt=alt))
    assert first[:5] == ["chr1", "3000", "X1_2", "A", there]
    assert first[7].startswith(f"SVTYPE=BND;MATEID=X1_1;CIPOS=-5,6;CT={turned};PE=9")
    assert second[:5] == ["chrX", "1500", "X1_1", "A", here]
    assert second[7].startswith(f"SVTYPE=BND;MATEID=X1_2;CIPOS=-3,4;CT={ct};PE=9")


def test_nothing_lies_on_or_leads_to_a_contig_without_records(made):
    assert made(
        call("DEL", 100, 301, "3to5", chrom="chrM"), call("BND", 100, 101, "3to5", alt="N[chrM:500[", name="X2")
    ) == []  # fmt: skip


def test_what_nobody_carries_and_what_is_short_is_left_out(made):
    nobody, short = call("DEL", 1000, 1201, "3to5", son=REF), call("DEL", 3000, 3050, "3to5", name="X2")
    assert [fields[2] for fields in made(nobody, short, call("DEL", 5000, 5051, "3to5", name="X3"))] == ["X3"]


@pytest.mark.parametrize(
    ("chrom", "pos", "kind", "son", "genotype", "filters"),
    [
        ("chr1", 5000, "DEL", HET, "0/1:200:PASS", "PASS"),
        ("chr1", 5000, "DEL", POOR, "0/1:12:LowGQ", "LowGQ"),
        ("chrX", 1000, "DEL", HET, "0/1:200:PASS", "PASS"),  # pseudoautosomal
        ("chrX", 1999, "DEL", HET, "0/1:200:PASS", "PASS"),
        ("chrX", 2000, "DEL", HOM, "1:500:PASS", "PASS"),  # its first base is behind the pseudoautosomal region
        ("chrX", 5000, "DEL", HOM, "1:500:PASS", "PASS"),
        ("chrX", 5000, "DEL", HET, "1:200:HetInHaploid", "HetInHaploid"),
        ("chrX", 5000, "INV", POOR, "1:12:HetInHaploid;LowGQ", "LowGQ;HetInHaploid"),
        ("chrX", 5000, "DUP", HET, "1:200:PASS", "PASS"),
        ("chrY", 5000, "DEL", HOM, "1:500:PASS", "PASS"),
    ],
)
def test_a_mans_x_and_y_have_one_copy_and_reads_of_both_alleles_are_told(
    made, chrom, pos, kind, son, genotype, filters
):
    (fields,) = made(call(kind, pos, pos + 301, {"DUP": "5to3", "INV": "3to3"}.get(kind, "3to5"), chrom=chrom,
                          son=son))  # fmt: skip
    assert fields[9] == f"{genotype}:10:11:12:13:2"
    assert fields[6] == filters


def test_a_woman_has_no_genotype_on_y_and_carries_nothing_there(made):
    (fields,) = made(call("DEL", 5000, 5301, "3to5", chrom="chrY", mum=HET, son=HOM))
    assert fields[10] == "."
    assert made(call("DEL", 5000, 5301, "3to5", chrom="chrY", mum=HET, son=REF)) == []


def test_a_breakend_is_left_out_with_its_mate_where_a_woman_has_no_copy(made):
    assert made(call("BND", 5000, 5001, "3to5", chrom="chrY", alt="N[chr1:3000[", mum=HET, son=REF)) == []


def test_a_record_has_the_filters_of_the_caller_and_those_that_every_carrier_has(made):
    (low,) = made(call("DEL", 1000, 1201, "3to5", filters="LowQual", mum=HET))
    assert low[6] == "LowQual"
    (one_good,) = made(call("DEL", 1000, 1201, "3to5", son=POOR, mum=HET))
    assert one_good[6] == "PASS" and one_good[9].startswith("0/1:12:LowGQ")


def test_the_border_of_a_masked_pseudoautosomal_region_is_no_translocation(made):
    at = made(call("BND", 2010, 2011, "3to5", chrom="chrY", alt="N[chrX:1990["))
    assert [fields[6] for fields in at] == ["ParBorder", "ParBorder;HetInHaploid"]
    (away, _) = made(call("BND", 2100, 2101, "3to5", chrom="chrY", alt="N[chrX:1990["))
    assert away[6] == "PASS"


def test_without_a_genotype_there_is_none(made):
    (fields,) = made(call("DEL", 1000, 1201, "3to5", mum="./.:.,.,.:."))
    assert fields[10] == "./."


def test_records_come_in_the_order_of_the_contigs(made):
    calls = [call("DEL", 5000, 5301, "3to5", chrom="chrX", name="X1", mum=HET), call("DEL", 9, 301, "3to5", name="X2")]
    assert [fields[2] for fields in made(*calls)] == ["X2", "X1"]


def test_the_profile_declares_every_filter_that_is_written(profile):
    ids = [item["id"] for item in profile.data["structural"]["filters"]]
    assert ids == ["LowQual", "LowGQ", "ParBorder", "HetInHaploid"]


def test_counts_are_of_passing_variants_that_the_sample_carries(made, tmp_path):
    lines = made(
        call("DEL", 1000, 1201, "3to5", name="A"),
        call("DEL", 2000, 4001, "3to5", name="B", mum=HET, son=REF),
        call("DEL", 2000, 4501, "3to5", name="C", filters="LowQual"),
        call("DUP", 4000, 5000, "5to3", name="D"),
        call("INS", 6000, 6001, "NtoN", info="PRECISE;SVLEN=80", name="E"),
        call("INV", 7000, 7600, "3to3", name="F", son=POOR, mum=HET),
        call("BND", 1500, 1501, "3to5", chrom="chrX", alt="N[chr1:9000[", name="G"),
    )
    header = HEADER.replace("##contig", '##FORMAT=<ID=FT,Number=1,Type=String,Description="">\n##contig', 1)
    header = header.replace("##contig", '##INFO=<ID=MATEID,Number=1,Type=String,Description="">\n##contig', 1)
    path = tmp_path / "out.vcf"
    body = "".join("\t".join(line) + "\n" for line in lines)
    path.write_text(header.replace("MUM\tSON", "SON\tMUM") + body)

    def counts(sample):
        with pysam.VariantFile(str(path)) as vcf:
            return structural.counts(vcf, sample)

    assert counts("SON") == {
        "DEL": {"50-299 bp": 1},
        "DUP": {"1-9 kb": 1},
        "INS": {"50-299 bp": 1},
        "BND": {"two contigs": 1},
    }
    assert counts("MUM") == {"DEL": {"1-9 kb": 1}, "INV": {"300-999 bp": 1}}


PLAIN = "\n".join(
    [
        "##fileformat=VCFv4.2",
        *(f'##FILTER=<ID={name},Description="">' for name in ("LowQual", "few_bins")),
        '##INFO=<ID=SVTYPE,Number=1,Type=String,Description="">',
        '##INFO=<ID=END,Number=1,Type=Integer,Description="">',
        *(f'##FORMAT=<ID={key},Number=1,Type={kind},Description="">' for key, kind in (
            ("GT", "String"), ("FT", "String"), ("CN", "Integer"), ("ECN", "Integer"),
        )),
        *(f"##contig=<ID={name},length={length}>" for name, length in LENGTHS.items()),
        "#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\tFORMAT\tSON\n",
    ]
)  # fmt: skip


def called(path, *calls):
    """Records (contig, start, end, type, id, filter, FORMAT, values) as pysam reads them."""
    lines = [
        f"{contig}\t{start}\t{name}\tA\t<{kind}>\t.\t{passed}\tSVTYPE={kind};END={end}\t{keys}\t{values}\n"
        for contig, start, end, kind, name, passed, keys, values in calls
    ]
    path.write_text(PLAIN + "".join(lines))
    with pysam.VariantFile(str(path)) as vcf:
        return list(vcf)


def by_reads(start, end, kind="DEL", name="R", passed="PASS", values="0/1:PASS", contig="chr1"):
    return contig, start, end, kind, name, passed, "GT:FT", values


def by_depth(start, end, kind="DEL", passed="PASS", copies=1, contig="chr1"):
    return contig, start, end, kind, ".", passed, "GT:CN:ECN", f"0/1:{copies}:2"


def test_a_deletion_by_reads_and_one_by_depth_are_one_variant_where_each_covers_half_of_the_other(tmp_path):
    def told(reads, depth):
        found = structural.beside_depth(
            called(tmp_path / "reads.vcf", *reads), called(tmp_path / "depth.vcf", *depth), "SON", 0.5, 1000
        )
        place = ("contig", "start", "end", "type")
        ways = (("reads", "id"), ("depth", "copies"))
        return [(*(row[key] for key in place), *(row[way] and row[way][key] for way, key in ways)) for row in found]

    one = by_reads(1000, 5000)
    assert told([one], [by_depth(2000, 6000)]) == [("chr1", 1000, 5000, "DEL", "R", 1)]
    assert told([one], [by_depth(1000, 9000)]) == [("chr1", 1000, 5000, "DEL", "R", 1)]
    apart = [("chr1", 1000, 5000, "DEL", "R", None), ("chr1", 1000, 9001, "DEL", None, 1)]
    assert told([one], [by_depth(1000, 9001)]) == apart
    assert len(told([one], [by_depth(1000, 5000, kind="DUP", copies=3)])) == 2
    assert len(told([one], [by_depth(1000, 5000, contig="chrX")])) == 2
    # The better of two that fit is the one; the other stands alone.
    both = [by_reads(1000, 5000, name="A"), by_reads(1000, 4200, name="B")]
    assert [row[4:] for row in told(both, [by_depth(1000, 4000)])] == [("B", 1), ("A", None)]
    # Too short for depth, not carried, an inversion: not told by reads.
    others = [by_reads(1000, 1999), by_reads(1000, 5000, values="0/0:PASS"), by_reads(1000, 5000, kind="INV")]
    assert told(others, []) == []
    assert told([by_reads(1000, 2000)], []) == [("chr1", 1000, 2000, "DEL", "R", None)]


def test_what_passes_by_one_way_is_shown_with_the_filter_of_the_other(tmp_path):
    def filters(reads, depth):
        found = structural.beside_depth(
            called(tmp_path / "reads.vcf", reads), called(tmp_path / "depth.vcf", depth), "SON", 0.5, 1000
        )
        return [(row["reads"]["filters"], row["depth"]["filters"]) for row in found]

    poor = by_reads(1000, 5000, passed="LowQual", values="0/1:LowGQ")
    assert filters(poor, by_depth(1000, 5000)) == [(["LowGQ", "LowQual"], [])]
    assert filters(by_reads(1000, 5000), by_depth(1000, 5000, passed="few_bins")) == [([], ["few_bins"])]
    assert filters(poor, by_depth(1000, 5000, passed="few_bins")) == []
