"""`ngc-wgs compare`: one small mutation of each kind is named exactly, and what differs in bytes only is the same."""

from __future__ import annotations

import gzip
import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pysam
import pytest
from submission_fixture import CASE, FLOWCELL, LIBRARY, SAMPLE, Submission

from ngc_check import cli, compare
from ngc_check.compare import Difference

VCF, GVCF, CRAM, METRICS = (f"data/{SAMPLE}.{end}" for end in ("vcf.gz", "g.vcf.gz", "cram", "metrics.json"))
RUN = f"/samples/{SAMPLE}/libraries/{LIBRARY}/runs/{FLOWCELL}"
Mutation = Callable[[Submission], None]


@pytest.fixture(scope="module")
def a(tmp_path_factory) -> Submission:
    return Submission.build(tmp_path_factory.mktemp("a"))


@pytest.fixture
def b(a, tmp_path) -> Submission:
    return a.copy_to(tmp_path / "b")


def found(a: Submission, b: Submission, **options) -> compare.Comparison:
    return compare.compare(a.root, b.root, reference=a.reference, **options)


# ---- mutations: (change, the differences it must be told as) -----------------------------------


def lines(s: Submission, ending: str, change: Callable[[list[str]], None]) -> None:
    """Change the record lines of a VCF."""

    def edit(text: str) -> str:
        head, records = text.split("\n#CHROM", 1)
        rows = records.splitlines()
        change(rows)
        return f"{head}\n#CHROM" + "\n".join(rows) + "\n"

    s.edit_vcf(edit, ending)


def genotype(s: Submission) -> None:
    lines(s, "vcf.gz", lambda rows: rows.__setitem__(1, rows[1].replace("\t0/1:", "\t1/1:")))


def info(s: Submission) -> None:
    lines(s, "vcf.gz", lambda rows: rows.__setitem__(2, rows[2].replace("DP=34", "DP=35")))


def allele(s: Submission) -> None:
    def change(rows):
        fields = rows[1].split("\t")
        fields[4] = next(base for base in "ACGT" if base not in (fields[3], fields[4]))
        rows[1] = "\t".join(fields)

    lines(s, "vcf.gz", change)


def removed(s: Submission) -> None:
    lines(s, "vcf.gz", lambda rows: rows.pop(3))


def added_block(s: Submission) -> None:
    def change(rows):
        fields = rows[1].split("\t")
        assert fields[7].startswith("END=")
        rows[1] = "\t".join([*fields[:7], "END=500", *fields[8:]])
        rows.insert(2, "\t".join([fields[0], "501", fields[2], "A", *fields[4:]]))

    lines(s, "g.vcf.gz", change)


def vcf_header(s: Submission) -> None:
    s.edit_vcf(lambda text: text.replace("##source=ngc-wgs\n", "##source=other\n"))


def reads(s: Submission, change: Callable[[list[pysam.AlignedSegment]], object]) -> None:
    """Change the list of reads of the alignment."""
    with pysam.AlignmentFile(str(s.path("cram")), reference_filename=str(s.reference)) as source:
        header, kept = source.header, list(source)
    change(kept)
    options = [b"version=3.0"]
    with pysam.AlignmentFile(
        str(s.path("cram")), "wc", header=header, reference_filename=str(s.reference), format_options=options
    ) as out:
        for read in kept:
            out.write(read)
    s.reheader(lambda text: text)


def mapping_quality(s: Submission) -> None:
    reads(s, lambda kept: setattr(kept[4], "mapping_quality", 59))


def tag(s: Submission) -> None:
    reads(s, lambda kept: kept[4].set_tag("XX", 7))


def lost_read(s: Submission) -> None:
    reads(s, lambda kept: kept.pop(4))


def sam_header(s: Submission) -> None:
    s.reheader(lambda text: text.replace("VN:0.7.19", "VN:0.7.17"))


def metric(s: Submission) -> None:
    s.write_metrics(s.manifest(), lambda data: data["metrics"][0].update(value=35.0))


def lane(s: Submission) -> None:
    s.edit_manifest(lambda manifest: manifest["samples"][0]["libraries"][0]["runs"][1].update(platform="ONT"))


def extra_file(s: Submission) -> None:
    (s.data / "notes.txt").write_text("x")


def lost_file(s: Submission) -> None:
    s.path("g.vcf.gz").unlink()


def overlay(s: Submission) -> None:
    (s.root / "overlay.yaml").write_text("x")


def record(s: Submission, number: int, ending: str = "vcf.gz") -> str:
    """A record of a VCF, as a place."""
    with pysam.BGZFile(str(s.path(ending))) as text:
        rows = [row.decode().split("\t") for row in text if not row.startswith(b"#")]
    contig, position, _, ref, alt = rows[number][:5]
    return f"{contig}:{position} {ref}>{alt}"


def read_place(s: Submission, number: int) -> str:
    with pysam.AlignmentFile(str(s.path("cram")), reference_filename=str(s.reference)) as source:
        read = list(source)[number]
    return f"{read.reference_name}:{read.reference_start + 1} {read.query_name}"


MUTATIONS: dict[str, tuple[Mutation, Callable[[Submission, Submission], list[Difference]]]] = {
    "genotype": (genotype, lambda a, b: [Difference(VCF, record(a, 0), "FORMAT/GT", "0/1", "1/1")]),
    "info": (info, lambda a, b: [Difference(VCF, record(a, 1), "INFO/DP", "34", "35")]),
    "allele": (
        allele,
        lambda a, b: [Difference(VCF, record(a, 0), "ALT", record(a, 0)[-1], record(b, 0)[-1])],
    ),
    "removed record": (removed, lambda a, b: [Difference(VCF, record(a, 2), "only in A")]),
    "added record": (
        added_block,
        lambda a, b: [
            Difference(GVCF, record(a, 0, "g.vcf.gz"), "INFO/END", "999", "500"),
            Difference(GVCF, record(b, 1, "g.vcf.gz"), "only in B"),
        ],
    ),
    "VCF header": (
        vcf_header,
        lambda a, b: [
            Difference(VCF, "header", "only in A", "##source=ngc-wgs"),
            Difference(VCF, "header", "only in B", None, "##source=other"),
        ],
    ),
    "mapping quality": (mapping_quality, lambda a, b: [Difference(CRAM, read_place(a, 4), "MAPQ", "60", "59")]),
    "tag": (tag, lambda a, b: [Difference(CRAM, read_place(a, 4), "XX", None, "i:7")]),
    "lost read": (lost_read, lambda a, b: [Difference(CRAM, read_place(a, 4), "only in A")]),
    "SAM header": (
        sam_header,
        lambda a, b: [
            Difference(CRAM, "header", "only in A", "@PG PN:bwa ID:bwa VN:0.7.19"),
            Difference(CRAM, "header", "only in B", None, "@PG PN:bwa ID:bwa VN:0.7.17"),
        ],
    ),
    "metric": (metric, lambda a, b: [Difference(METRICS, "/metrics/mean_coverage/value", "value", "34.2", "35.0")]),
    "manifest": (
        lane,
        lambda a, b: [Difference("manifest.json", f"{RUN}.2/platform", "value", '"ILLUMINA"', '"ONT"')],
    ),
    "file only in B": (extra_file, lambda a, b: [Difference("data/notes.txt", "", "only in B")]),
    "file only in A": (lost_file, lambda a, b: [Difference(GVCF, "", "only in A")]),
    "overlay": (overlay, lambda a, b: [Difference("overlay.yaml", "", "only in B")]),
}


@pytest.mark.parametrize("name", MUTATIONS)
def test_one_small_mutation_is_named_exactly(name, a, b):
    change, wanted = MUTATIONS[name]
    change(b)
    comparison = found(a, b)
    assert comparison.differences == wanted(a, b)
    assert (comparison.verdict, comparison.exit_code) == (compare.DIFFERENT, 1)
    swapped = found(b, a)
    assert swapped.counts == comparison.counts
    assert [(d.a, d.b) for d in swapped.differences if d.place != "header"] == [
        (d.b, d.a) for d in comparison.differences if d.place != "header"
    ]


# ---- what is the same ---------------------------------------------------------------------------


def test_a_submission_is_the_same_as_itself(a):
    comparison = found(a, a)
    assert (comparison.verdict, comparison.exit_code, comparison.same_content) == (compare.SAME, 0, [])


def test_clocks_compression_layout_indexes_and_seals_are_no_content(a, b):
    text = b.read_vcf()
    b.path("vcf.gz").write_bytes(gzip.compress(text.encode(), 1))
    b.path("vcf.gz.tbi").write_bytes(b"x")
    metrics = json.loads(b.path("metrics.json").read_text())
    b.path("metrics.json").write_text(json.dumps(metrics, indent=7, sort_keys=True))
    b.edit_manifest(lambda manifest: manifest.update(created="2027-01-01T00:00:00Z"))
    b.finish()
    (b.root / "tagmanifest-sha256.txt.sig").chmod(0o644)
    (b.root / "tagmanifest-sha256.txt.sig").write_text("other")
    comparison = found(a, b)
    assert (comparison.verdict, comparison.differences) == (compare.SAME, [])
    assert comparison.same_content == sorted([METRICS, VCF, f"{VCF}.tbi"])


def test_order_is_content(a, b):
    lines(b, "vcf.gz", lambda rows: rows.__setitem__(1, rows[1].replace("AC=1;AF=0.500", "AF=0.500;AC=1")))
    b.write_metrics(b.manifest(), lambda data: data["metrics"].reverse())
    assert [(d.file, d.place, d.what) for d in found(a, b).differences] == [
        (METRICS, "/", "order"),
        (VCF, record(a, 0), "order"),
    ]


def test_reads_of_one_place_in_another_order_are_told_once(a, b):
    def at_one_place(kept):
        for number in range(3):
            kept[number].reference_start = kept[0].reference_start
            kept[number].cigarstring = "100M"

    def turned(kept):
        at_one_place(kept)
        kept[:3] = kept[2::-1]

    other = a.copy_to(b.home.parent / "c")
    reads(b, at_one_place)
    reads(other, turned)
    assert [(d.file, d.what) for d in found(b, other).differences] == [(CRAM, "order")]


# ---- what cannot be compared --------------------------------------------------------------------


def test_without_the_reference_an_alignment_of_other_bytes_is_not_compared(a, b):
    mapping_quality(b)
    comparison = compare.compare(a.root, b.root)
    assert comparison.exit_code == 2
    assert list(comparison.uncompared) == [CRAM] and "--reference" in comparison.uncompared[CRAM]
    genotype(b)
    assert compare.compare(a.root, b.root).exit_code == 1


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (lambda s: s.path("vcf.gz").write_bytes(s.path("vcf.gz").read_bytes()[:-200]), "damaged"),
        (lambda s: lines(s, "vcf.gz", lambda rows: rows.append("x")), "no record"),
        (lambda s: s.path("vcf.gz").write_bytes(gzip.compress(b"x" * 10_000_000)), "a line over"),
        (lambda s: s.path("cram").write_bytes(s.path("cram").read_bytes()[:-600]), "cannot be decoded"),
        (lambda s: s.path("metrics.json").write_text('{"a": 1, "a": 2}'), "twice"),
    ],
)
def test_a_file_that_cannot_be_read_is_named(spoil, said, a, b, monkeypatch):
    monkeypatch.setattr(pysam, "tabix_index", lambda *_, **__: None)
    spoil(b)
    comparison = found(a, b)
    assert said in " ".join(comparison.uncompared.values())
    assert comparison.exit_code in (1, 2)


def test_records_out_of_order_are_refused(a, b, monkeypatch):
    monkeypatch.setattr(pysam, "tabix_index", lambda *_, **__: None)
    lines(b, "vcf.gz", lambda rows: rows.__setitem__(slice(1, 3), rows[2:0:-1]))
    assert "out of order" in found(a, b).uncompared[VCF]


def test_too_many_records_that_wait_for_their_like_end_the_comparison_of_a_file(a, b, monkeypatch):
    monkeypatch.setattr(compare, "MAX_WAITING", 0)
    genotype(b)
    removed(b)
    assert "at one position" in found(a, b).uncompared[VCF]


@pytest.mark.parametrize("what", ["missing", "file", "link", "encrypted"])
def test_what_is_no_submission_is_refused(what, a, b, capsys):
    if what == "missing":
        shutil.rmtree(b.root)
    elif what == "file":
        (b.root / "manifest.json").unlink()
    elif what == "link":
        (b.data / "x").symlink_to("/etc/passwd")
    else:
        b.finish()
        b.encrypt()
    assert cli.main(["compare", str(a.root), str(b.root)]) == 2
    said = capsys.readouterr().out
    assert said.startswith("COULD NOT BE COMPARED")
    assert ("--private-key" in said) == (what == "encrypted")


def test_encrypted_submissions_are_compared_with_the_key(a, b):
    genotype(b)
    b.finish()
    b.encrypt()
    comparison = found(a, b, private_key=b.private_key)
    assert [(d.file, d.what) for d in comparison.differences if d.file != "manifest.json"] == [(VCF, "FORMAT/GT")]


# ---- what is shown ------------------------------------------------------------------------------


def test_identifiers_are_masked_and_long_values_cut(a, b, capsys):
    b.edit_manifest(lambda manifest: manifest["legal"].update(consent_form_version="020160-9995" + " x" * 200))
    for options in ([], ["--json"]):
        assert cli.main(["compare", str(a.root), str(b.root), *options]) == 1
        said = capsys.readouterr().out
        assert "9995" not in said and "[CPR number]" in said
        assert max(map(len, said.splitlines())) < 250


def test_many_differences_are_counted_and_few_are_shown(a, b, capsys):
    lines(
        b,
        "vcf.gz",
        lambda rows: rows.__setitem__(slice(1, None), [row.replace("\t500\tPASS", "\t1\tPASS") for row in rows[1:]]),
    )
    count = found(a, b).counts[VCF]
    assert count == len(Submission.variants())
    assert cli.main(["compare", str(a.root), str(b.root), "--limit", "3"]) == 1
    said = capsys.readouterr().out
    assert f"{VCF}: {count} differences" in said and f"and {count - 3} more" in said
    assert said.count("QUAL  500 | 1") == 3
    assert cli.main(["compare", str(a.root), str(b.root), "--limit", "3", "--json"]) == 1
    report = json.loads(capsys.readouterr().out)
    assert report["counts"] == {VCF: count} and len(report["differences"]) == 3


def test_it_is_a_command_of_the_judge_and_of_the_project(a):
    scripts = Path(cli.__file__).parents[1]
    for module in ("ngc_check.cli", "ngc_cli"):
        command = [sys.executable, "-m", module, "compare", a.root, a.root]
        done = subprocess.run(command, cwd=scripts, capture_output=True, text=True)
        assert (done.returncode, done.stdout) == (0, f"A {CASE}, B {CASE}: SAME\n"), done.stderr


def test_memory_does_not_grow_with_the_files(a, b, tmp_path):
    """Two streams of 400,000 records that differ in one: some MB, where the records would take more than 100."""
    tracer = (
        "import sys, tracemalloc; from ngc_check.compare import compare; tracemalloc.start();"
        "c = compare(*sys.argv[1:]); print(sum(c.counts.values()), tracemalloc.get_traced_memory()[1])"
    )
    head = a.read_vcf()
    for s, special in ((other := a.copy_to(tmp_path / "c"), "0/1"), (b, "1/1")):
        rows = (
            f"chrUn_A\t{n}\t.\tA\tC\t5\tPASS\tAC=1\tGT:DP\t{special if n == 1000 else '0/1'}:34"
            for n in range(1, 400_001)
        )
        s.path("vcf.gz").write_bytes(gzip.compress((head + "\n".join(rows) + "\n").encode(), 1))
    done = subprocess.run(
        [sys.executable, "-c", tracer, other.root, b.root],
        cwd=Path(cli.__file__).parents[1],
        capture_output=True,
        text=True,
    )
    count, peak = map(int, done.stdout.split())
    assert count == 1
    assert peak < 60_000_000
