"""Identity of a reference FASTA, the files beside it, and the overlay made from it."""

import hashlib
import os
import shutil
import subprocess
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest
import yaml

import make_overlay
import ngc_profile
from ngc_wgs import reference
from ngc_wgs.reference import reference_identity, sam_sequence_lines, side_file_findings

SEQUENCES = {"chr1": "ACGTACGTAC", "chr2": "ggccNNttaa", "chrX": "TTTTAAAACC"}


def md5(sequence: str) -> str:
    return hashlib.md5(sequence.upper().encode()).hexdigest()


def write_fasta(path, sequences: dict[str, str] | list[tuple[str, str]] = SEQUENCES, width: int = 4, end: str = "\n"):
    """A FASTA and its index; `path`."""
    text, index = "", ""
    for name, sequence in sequences.items() if isinstance(sequences, dict) else sequences:
        text += f">{name} described{end}"
        line = min(width, len(sequence))
        index += f"{name}\t{len(sequence)}\t{len(text)}\t{line}\t{line + len(end)}\n"
        text += "".join(sequence[i : i + width] + end for i in range(0, len(sequence), width))
    path.write_bytes(text.encode())
    (path.parent / f"{path.name}.fai").write_text(index)
    return path


def profile_of(sequences: dict[str, str] = SEQUENCES, **changes) -> SimpleNamespace:
    """A profile that accepts these sequences; `changes`: contig name to keys that are replaced."""
    contigs = [
        {"name": name, "length": len(sequence), "md5": md5(sequence), "role": "autosome"} | changes.get(name, {})
        for name, sequence in sequences.items()
    ]
    return SimpleNamespace(data={"reference": {"id": "GENOME", "contigs": contigs, "par": []}})


@pytest.fixture
def fasta(tmp_path):
    return write_fasta(tmp_path / "genome.fa")


def only(findings: list[dict], code: str) -> dict:
    """The only finding, which is of this code."""
    assert [finding["code"] for finding in findings] == [code]
    assert findings[0]["mend"]
    return findings[0]


# ---- what is kept beside the FASTA ---------------------------------------------------------


@pytest.fixture
def digested(monkeypatch) -> list[str]:
    """Paths whose sequences were digested."""
    real, paths = reference.digest_fasta, []
    monkeypatch.setattr(reference, "digest_fasta", lambda path: paths.append(path) or real(path))
    return paths


def test_digests_are_made_once_for_one_content(fasta, digested):
    first = reference.digest_reference(fasta)
    assert reference.digest_reference(fasta) == first
    assert len(digested) == 1


def test_kept_digests_do_not_outlive_the_content(fasta, digested):
    first = reference.digest_reference(fasta)
    times = fasta.stat()
    fasta.write_bytes(fasta.read_bytes().replace(b"ACGT", b"ACGA"))
    os.utime(fasta, ns=(times.st_atime_ns, times.st_mtime_ns))
    second = reference.digest_reference(fasta)
    assert second["contigs"][0]["md5"] != first["contigs"][0]["md5"]
    assert len(digested) == 2


@pytest.mark.parametrize(
    "spoil",
    [
        lambda text: "",
        lambda text: "[]",
        lambda text: "[" * 100_000,
        lambda text: text[:-40],
        lambda text: text.replace('"length": 10', '"length": 11', 1),
        lambda text: text.replace(md5("ACGTACGTAC"), md5("other")),
    ],
)
def test_kept_digests_that_were_damaged_or_changed_are_made_anew(spoil, fasta, digested):
    first = reference.digest_reference(fasta)
    kept = fasta.with_name("genome.fa.identity.json")
    text = kept.read_text()
    kept.write_text(spoil(text))
    assert reference.digest_reference(fasta) == first
    assert len(digested) == 2
    assert kept.read_text() == text


def test_a_folder_that_cannot_be_written_keeps_nothing_and_all_works(fasta, digested, monkeypatch):
    def refuse(path, *more, **options):
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr(Path, "write_text", refuse)  # file modes do not bind root
    assert reference.digest_reference(fasta) == reference.digest_reference(fasta)
    assert len(digested) == 2
    assert [path.name for path in fasta.parent.iterdir() if "identity" in path.name] == []


# ---- digests -------------------------------------------------------------------------------


def test_refget_digest_is_that_of_the_specification(tmp_path):
    identity = reference_identity(write_fasta(tmp_path / "a.fa", {"A": "ACGT"}), profile_of({"A": "ACGT"}))
    assert identity["contigs"] == [
        {"name": "A", "length": 4, "md5": md5("ACGT"), "refget": "SQ.aKF498dAxcJAqme6QYQ7EZ07-fiw8Kw2"}
    ]


def test_sequence_collection_digest_is_that_of_the_specification(tmp_path):
    # worked example of the GA4GH specification: chrX TTGGGGAA, chr1 GGAA, chr2 GCGC
    sequences = {"chrX": "TTGGGGAA", "chr1": "GGAA", "chr2": "GCGC"}
    identity = reference_identity(write_fasta(tmp_path / "a.fa", sequences), profile_of(sequences))
    assert identity["seqcol_digest"] == "XZlrcEGi6mlopZ2uD8ObHkQB1d0oDwKk"


def test_accepts_the_reference_and_gives_its_identity(fasta):
    identity = reference_identity(fasta, profile_of())
    assert identity["findings"] == []
    assert identity["id"] == "GENOME"
    assert identity["not_verified"] == []
    assert identity["fasta_sha256"] == hashlib.sha256(fasta.read_bytes()).hexdigest()
    assert [(c["name"], c["length"], c["md5"]) for c in identity["contigs"]] == [
        (name, 10, md5(sequence)) for name, sequence in SEQUENCES.items()
    ]


def test_digests_ignore_case_line_width_and_line_ends(tmp_path, fasta):
    lower = {name: sequence.lower() for name, sequence in SEQUENCES.items()}
    other = reference_identity(write_fasta(tmp_path / "other.fa", lower, width=7, end="\r\n"), profile_of())
    assert other["findings"] == []
    assert other["seqcol_digest"] == reference_identity(fasta, profile_of())["seqcol_digest"]


def test_sequence_lines_carry_name_length_and_m5_only(fasta):
    lines = sam_sequence_lines(reference_identity(fasta, profile_of()))
    assert lines.splitlines()[1] == f"@SQ\tSN:chr2\tLN:10\tM5:{md5(SEQUENCES['chr2'])}"
    assert lines.count("\n") == 3


# ---- files that are no reference -------------------------------------------------------------


def test_refuses_a_missing_fasta(tmp_path):
    identity = reference_identity(tmp_path / "none.fa", profile_of())
    assert only(identity["findings"], "FASTA_MISSING")["message"] == "there is no such file"
    assert identity["fasta_sha256"] is None and identity["contigs"] == []


def test_refuses_a_folder_as_fasta(tmp_path):
    assert (
        "cannot be read" in only(reference_identity(tmp_path, profile_of())["findings"], "FASTA_UNREADABLE")["message"]
    )


def test_refuses_a_compressed_fasta(tmp_path):
    (tmp_path / "a.fa.gz").write_bytes(b"\x1f\x8b\x08rest")
    found = only(reference_identity(tmp_path / "a.fa.gz", profile_of())["findings"], "FASTA_COMPRESSED")
    assert found["mend"] == "decompress it: a plain FASTA is needed"


@pytest.mark.parametrize("text", ["", "ACGT\n"])
def test_refuses_a_fasta_without_sequence(tmp_path, text):
    (tmp_path / "a.fa").write_text(text)
    assert only(reference_identity(tmp_path / "a.fa", profile_of())["findings"], "FASTA_EMPTY")


# ---- other contigs, or other sequence --------------------------------------------------------


@pytest.mark.parametrize(
    ("par", "fault"),
    [
        ((2, 6), None),
        ((2, 5), "is shorter than the masked region of Y that it lies in"),
        ((3, 7), "holds bases where Y must be masked"),
        ((8, 12), "holds bases where Y must be masked"),
    ],
)
def test_regions_of_another_build_do_not_fit_the_mask_of_y(tmp_path, par, fault):
    write_fasta(tmp_path / "genome.fa", {"chrX": "ACGTACGTACGTACGT", "chrY": "NNNNNNACGTACGTAC"})
    contigs = [{"name": name, "length": 16, "role": name[-1]} for name in ("chrX", "chrY")]
    regions = [{"contig": "chrY", "start": par[0], "end": par[1]}]
    shipped = ngc_profile.load()
    profile = replace(shipped, data={**shipped.data, "reference": {"contigs": contigs, "par": regions}})
    found = reference.par_findings(tmp_path / "genome.fa", profile)
    if fault is None:
        assert found == []
    else:
        assert fault in only(found, "PAR_NOT_MASKED")["message"]


def findings_for(tmp_path, sequences, profile=None) -> list[dict]:
    return reference_identity(write_fasta(tmp_path / "given.fa", sequences), profile or profile_of())["findings"]


def test_names_a_missing_and_an_extra_contig(tmp_path):
    found = findings_for(tmp_path, {"chr1": SEQUENCES["chr1"], "chrX": SEQUENCES["chrX"], "chr9": "AC", "chr8": "A"})
    assert [(f["code"], f["message"]) for f in found] == [
        ("CONTIG_MISSING", "other contigs than GENOME: without chr2"),
        ("CONTIG_EXTRA", "other contigs than GENOME: also chr9, chr8"),
    ]


def test_names_contigs_of_other_length(tmp_path):
    found = only(findings_for(tmp_path, SEQUENCES | {"chr2": "ACGT"}), "CONTIG_LENGTH")
    assert found["message"] == "other contigs than GENOME: other length of chr2 (4 instead of 10)"


def test_names_contigs_in_another_order(tmp_path):
    moved = {name: SEQUENCES[name] for name in ("chr1", "chrX", "chr2")}
    found = only(findings_for(tmp_path, moved), "CONTIG_ORDER")
    assert found["message"] == "the contigs of GENOME in another order: chrX, chr2"


def test_names_a_contig_that_is_there_twice(tmp_path):
    found = findings_for(tmp_path, [*SEQUENCES.items(), ("chr1", SEQUENCES["chr1"])])
    assert only(found, "CONTIG_TWICE")["message"] == "contigs are there more than once: chr1"


def test_tells_other_sequence_from_other_contigs(tmp_path):
    found = only(findings_for(tmp_path, SEQUENCES | {"chr2": "GGCCNNTTAC"}), "CONTIG_SEQUENCE")
    assert found["message"] == "the names and lengths of GENOME with other sequence: chr2"


def test_recognises_a_sequence_the_profile_refuses(tmp_path):
    unmasked = "GGCCACTTAA"
    profile = profile_of(chr2={"md5_refused": [md5(unmasked)]})
    found = only(findings_for(tmp_path, SEQUENCES | {"chr2": unmasked}, profile), "CONTIG_REFUSED")
    assert found["message"] == (
        "the names and lengths of GENOME with other sequence, known and refused (as of the unmasked genome): chr2"
    )


def test_refuses_a_known_sequence_even_where_the_right_one_is_unknown(tmp_path):
    profile = profile_of(chr2={"md5": None, "md5_refused": [md5(SEQUENCES["chr2"])]})
    assert only(findings_for(tmp_path, SEQUENCES, profile), "CONTIG_REFUSED")


def test_contigs_of_unknown_md5_are_not_called_verified(fasta):
    identity = reference_identity(fasta, profile_of(chr2={"md5": None}))
    assert identity["findings"] == []
    assert identity["not_verified"] == ["chr2"]


def test_another_genome_is_refused_under_the_shipped_profile(fasta):
    found = reference_identity(fasta, ngc_profile.load())["findings"]
    assert {"CONTIG_MISSING", "CONTIG_LENGTH"} <= {finding["code"] for finding in found}
    missing = next(finding["message"] for finding in found if finding["code"] == "CONTIG_MISSING")
    assert "chrUn_" in missing and "chr22" in missing


# ---- files beside the FASTA ------------------------------------------------------------------


def test_a_missing_fasta_index_says_how_to_make_it(fasta):
    (fasta.parent / "genome.fa.fai").unlink()
    found = only(reference_identity(fasta, profile_of())["findings"], "INDEX_MISSING")
    assert found["mend"] == f"run: samtools faidx {fasta}"


@pytest.mark.parametrize(
    "change", [("10\t16", "11\t16"), ("\t16\t", "\t15\t"), ("chrX", "chrY"), ("\t4\t5\n", "\t5\t6\n")]
)
def test_a_fasta_index_of_another_fasta_is_stale(fasta, change):
    index = fasta.parent / "genome.fa.fai"
    assert change[0] in index.read_text()
    index.write_text(index.read_text().replace(*change))
    assert only(reference_identity(fasta, profile_of())["findings"], "INDEX_STALE")["where"] == str(index)


def test_a_fasta_index_of_fewer_contigs_is_stale(fasta):
    index = fasta.parent / "genome.fa.fai"
    index.write_text("".join(index.read_text().splitlines(keepends=True)[:2]))
    assert only(reference_identity(fasta, profile_of())["findings"], "INDEX_STALE")


@pytest.mark.skipif(not shutil.which("samtools"), reason="samtools is not installed")
@pytest.mark.parametrize(
    "text", [">a\nACGT\nAC\n>b\nAC", ">a\nACGT", ">a d\r\nACGT\r\nAC\r\n", ">a\nACGT\n\n>b\nAC\n\n"]
)
def test_accepts_the_fasta_index_of_samtools_whatever_the_line_ends(tmp_path, text):
    fasta = tmp_path / "a.fa"
    fasta.write_bytes(text.encode())
    subprocess.run(["samtools", "faidx", fasta], check=True)
    assert "INDEX_STALE" not in {finding["code"] for finding in reference_identity(fasta, profile_of())["findings"]}


@pytest.fixture
def complete(fasta):
    """A FASTA with a dictionary and the files of both aligners' indexes, and its identity."""
    identity = reference_identity(fasta, profile_of())
    fasta.with_suffix(".dict").write_text("@HD\tVN:1.6\n" + sam_sequence_lines(identity))
    for suffixes in reference.INDEX_SUFFIXES.values():
        for suffix in suffixes:
            (fasta.parent / f"{fasta.name}{suffix}").touch()
    ann = "30 3 11\n" + "".join(f"0 {name} described\n{10 * i} 10 0\n" for i, name in enumerate(SEQUENCES))
    (fasta.parent / "genome.fa.ann").write_text(ann)
    return fasta, identity


@pytest.mark.parametrize("aligner", ["bwa", "bwa-mem2"])
def test_accepts_complete_side_files(complete, aligner):
    assert side_file_findings(*complete, aligner) == []


def test_a_missing_dictionary_says_how_to_make_it(complete):
    fasta, identity = complete
    fasta.with_suffix(".dict").unlink()
    found = only(side_file_findings(fasta, identity), "INDEX_MISSING")
    assert found["mend"] == f"run: samtools dict {fasta} -o {fasta.with_suffix('.dict')}"


@pytest.mark.parametrize("change", [("SN:chr2", "SN:chr3"), ("LN:10", "LN:11"), ("M5:", "M5:0"), ("\tM5:", "\tXX:")])
def test_a_dictionary_that_disagrees_is_stale(complete, change):
    path = complete[0].with_suffix(".dict")
    path.write_text(path.read_text().replace(*change))
    found = only(side_file_findings(*complete), "DICT_STALE")
    assert found["message"] == "names, lengths or M5 are not those of the FASTA"


@pytest.mark.parametrize(
    ("aligner", "suffix"), [(aligner, s) for aligner, suffixes in reference.INDEX_SUFFIXES.items() for s in suffixes]
)
def test_an_incomplete_aligner_index_says_what_is_missing_and_how_to_make_it(complete, aligner, suffix):
    fasta, identity = complete
    (fasta.parent / f"{fasta.name}{suffix}").unlink()
    found = only(side_file_findings(fasta, identity, aligner), "INDEX_MISSING")
    assert found["message"] == f"the {aligner} index is not complete: without genome.fa{suffix}"
    assert found["mend"] == f"run: {aligner} index {fasta}"


def test_an_aligner_index_of_other_contigs_is_stale(complete):
    path = complete[0].parent / "genome.fa.ann"
    path.write_text(path.read_text().replace("chr2", "chr3"))
    assert only(side_file_findings(*complete), "INDEX_STALE")["where"] == str(path)


def test_commands_to_mend_quote_a_path_with_spaces(tmp_path):
    fasta = write_fasta(tmp_path / "my genome.fa")
    (tmp_path / "my genome.fa.fai").unlink()
    assert reference_identity(fasta, profile_of())["findings"][0]["mend"] == f"run: samtools faidx '{fasta}'"


@pytest.mark.skipif(not (shutil.which("samtools") and shutil.which("bwa")), reason="samtools or bwa is not installed")
def test_accepts_the_side_files_that_the_tools_write(tmp_path):
    fasta = write_fasta(tmp_path / "genome.fa", {name: sequence * 9 for name, sequence in SEQUENCES.items()}, width=60)
    fasta.with_name("genome.fa.fai").unlink()
    subprocess.run(["samtools", "faidx", fasta], check=True)
    subprocess.run(["samtools", "dict", fasta, "-o", fasta.with_suffix(".dict")], check=True)
    subprocess.run(["bwa", "index", fasta], check=True, capture_output=True)
    identity = reference_identity(fasta, profile_of({name: sequence * 9 for name, sequence in SEQUENCES.items()}))
    assert identity["findings"] == []
    assert side_file_findings(fasta, identity) == []


# ---- overlay -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "role"),
    [
        ("chr1", "autosome"),
        ("22", "autosome"),
        ("chrX", "X"),
        ("Y", "Y"),
        ("chrM", "M"),
        ("MT", "M"),
        ("chrUn_1", "other"),
    ],
)
def test_roles_are_deduced_from_names(name, role):
    assert make_overlay.role(name, {}) == role


def test_a_told_role_replaces_the_deduced_one():
    assert make_overlay.role("NC_000023", {"X": "NC_000023"}) == "X"
    assert make_overlay.role("chrX", {"X": "NC_000023"}) == "other"


def test_overlay_makes_its_fasta_the_accepted_reference(fasta, tmp_path, capsys):
    arguments = [str(fasta), "--id", "SLICE", "--par", "chrX:1-4", "--assembly", "GRCh38"]
    assert make_overlay.main(arguments) == 0
    path = tmp_path / "overlay.yaml"
    path.write_text(capsys.readouterr().out)
    profile = ngc_profile.load(overlay=path)
    assert profile.overlay_id == "SLICE"
    assert profile.reference["assembly"] == "GRCh38"
    assert profile.par("chrX") == [(0, 4)]
    assert [contig["role"] for contig in profile.contigs()] == ["autosome", "autosome", "X"]
    identity = reference_identity(fasta, profile)
    assert (identity["findings"], identity["not_verified"]) == ([], [])


def test_overlay_keeps_an_md5_of_digits_as_text(tmp_path, monkeypatch, capsys):
    digits = {"contigs": [{"name": "chr1", "length": 4, "md5": "1" * 32, "refget": ""}]}
    monkeypatch.setattr(make_overlay, "digest_reference", lambda fasta: digits)
    assert make_overlay.main([str(write_fasta(tmp_path / "a.fa", {"chr1": "ACGT"})), "--id", "A"]) == 0
    assert yaml.safe_load(capsys.readouterr().out)["reference"]["contigs"][0]["md5"] == "1" * 32


@pytest.mark.parametrize(
    ("more", "message"),
    [
        (["--par", "chrX:1-11"], "the PAR chrX:1-11 does not lie on its contigs"),
        (["--par", "chrX:0-5"], "the PAR chrX:0-5 does not lie on its contigs"),
        (["--par", "chr7:1-5"], "the PAR chr7:1-5 does not lie on its contigs"),
        (["--Y", "chrY"], "has no contig chrY"),
        (["--profile", "none.yaml"], "none.yaml: cannot be read"),
    ],
)
def test_overlay_refuses_what_cannot_be_meant(fasta, more, message, capsys):
    assert make_overlay.main([str(fasta), "--id", "SLICE", *more]) == 1
    output = capsys.readouterr()
    assert message in output.err and output.out == ""


@pytest.mark.parametrize(
    ("content", "message"),
    [(b"\x1f\x8b", "is compressed"), (b"", "holds no sequence"), (b">a\nA\n>a\nC\n", "a contig name is there twice")],
)
def test_overlay_refuses_a_fasta_that_is_no_reference(tmp_path, content, message, capsys):
    (tmp_path / "a.fa").write_bytes(content)
    assert make_overlay.main([str(tmp_path / "a.fa"), "--id", "A"]) == 1
    assert message in capsys.readouterr().err


def test_overlay_refuses_a_region_without_bounds(fasta, capsys):
    with pytest.raises(SystemExit):
        make_overlay.main([str(fasta), "--id", "A", "--par", "chrX"])
    assert "is not a region such as" in capsys.readouterr().err
