"""Bad input, given to the workflow as an operator would: refused before any compute, with the place and the mend."""

import gzip
import os
import shutil
import subprocess

import pytest
import runs
import yaml

CPR = "0201609995"  # the published test person


def refused(done: subprocess.CompletedProcess, directory, *texts: str) -> None:
    """The run ended before it computed anything, and its error names each of `texts`, in words for an operator."""
    assert done.returncode == 1, runs.said(done)
    for text in texts:
        assert text in done.stderr
    assert "Traceback" not in runs.said(done)
    assert runs.nothing_computed(directory)


def set_cell(name, column, value, row=0):
    return lambda directory: runs.edit(directory, name, lambda rows: rows[row].__setitem__(column, value))


def set_config(key, value):
    def spoil(directory):
        path = directory / "config.yaml"
        path.write_text(yaml.safe_dump({**yaml.safe_load(path.read_text()), key: value}))

    return spoil


def remove(name):
    return lambda directory: (directory / name).unlink()


def empty(name):
    return lambda directory: (directory / name).write_text("")


def rename_column(directory):
    path = directory / "units.tsv"
    path.write_text(path.read_text().replace("library_kit", "libary_kit", 1))


# ---- refused while the tables are read: a dry run shows it too -------------------------------


IS_NOT_THERE = "there is no such file. Mend: "
SPOILED = {
    "missing table": (remove("cases.tsv"), ["cases.tsv: does not exist. Mend: "]),
    "empty table": (empty("samples.tsv"), ["samples.tsv: is empty. Mend: "]),
    "unknown column": (rename_column, ["units.tsv: row 1", "libary_kit", "library_kit", "Mend: "]),
    "unknown key": (set_config("alinger", "bwa"), ["config: alinger: is not a known key. Mend: write aligner."]),
    "bins longer than the genome": (
        set_config("copy_number", {"bin": 30000}),
        ["config: copy_number.bin: 30000 bp, and the longest autosome has 22000 bp. Mend: "],
    ),
    "unknown aligner": (set_config("aligner", "bowtie"), ["config: aligner, value 'bowtie'", "Mend: "]),
    "lane 007": (set_cell("units", "lane", "007"), ["units.tsv: row 2, column lane, value '007'", "Mend: "]),
    "expired region": (
        set_cell("cases", "analysis_date", "2027-01-01"),
        ["cases.tsv: row 2, column region, value '1084'", "Mend: "],
    ),
    "missing FASTQ": (
        set_cell("units", "fq1", "reads/none_R1.fastq.gz"),
        ["units.tsv: row 2, column fq1, value 'reads/none_R1.fastq.gz'", "Mend: "],
    ),
    "missing FASTA": (remove("reference/genome.fa"), [f"config: reference/genome.fa: {IS_NOT_THERE}"]),
    "missing .fai": (
        remove("reference/genome.fa.fai"),
        [f"genome.fa.fai: {IS_NOT_THERE}run: samtools faidx reference/genome.fa."],
    ),
    "missing .dict": (
        remove("reference/genome.dict"),
        [f"genome.dict: {IS_NOT_THERE}run: samtools dict reference/genome.fa -o reference/genome.dict."],
    ),
    "missing bwa index": (
        remove("reference/genome.fa.bwt"),
        [f"genome.fa.bwt: {IS_NOT_THERE}run: bwa index reference/genome.fa."],
    ),
}


@pytest.mark.parametrize(("spoil", "texts"), SPOILED.values(), ids=SPOILED)
def test_is_refused_by_name_before_anything_runs(tiny, spoil, texts):
    spoil(tiny)
    refused(runs.run_workflow(tiny, "-n"), tiny, *texts)


HOSTILE = ["../x", "a b", "$(x)", "-rf", "*", "SAMPLE;id", "`id`", "R9DVH3NJX6LC.", "\u0410BCDEFGHIJ"]


def test_hostile_sample_names_are_refused_and_shown_quoted(tiny):
    runs.edit(tiny, "samples", lambda rows: rows.extend([{**rows[0], "sample": name} for name in HOSTILE]))
    runs.edit(tiny, "units", lambda rows: rows.extend([{**rows[0], "sample": name} for name in HOSTILE]))
    places = [f"samples.tsv: row {row}, column sample, value {name!r}" for row, name in enumerate(HOSTILE, start=3)]
    refused(runs.run_workflow(tiny), tiny, *places, "Mend: ")
    assert not (tiny / "results" / "intake").exists()


def test_a_line_break_in_a_name_is_refused(tiny):
    path = tiny / "samples.tsv"
    path.write_text(path.read_text().replace("R9DVH3NJX6LC", "R9DVH3\nNJX6LC"))
    refused(runs.run_workflow(tiny, "-n"), tiny, "samples.tsv: row 2", "samples.tsv: row 3", "Mend: ")


def test_personal_numbers_are_refused_and_nowhere_repeated(tiny):
    columns = {
        "cases": ["case", "requisition_id", "phenotypes", "diagnosis"],
        "samples": ["sample", "case"],
        "units": ["sample", "library", "flowcell", "fq1", "library_kit"],
    }
    for name, spoiled in columns.items():
        for column in spoiled:
            set_cell(name, column, f"reads/{CPR}_R1.fastq.gz" if column == "fq1" else CPR)(tiny)
    done = runs.run_workflow(tiny)
    refused(done, tiny, "Mend: ", *(f"{name}.tsv: row 2, column {c}" for name, cs in columns.items() for c in cs))
    assert CPR not in runs.said(done)
    written = [path for path in tiny.rglob("*") if path.is_file() and path.suffix not in (".gz", ".tsv")]
    assert [path for path in written if CPR.encode() in path.read_bytes()] == []


def test_all_faults_of_all_tables_are_reported_at_once(tiny):
    set_cell("cases", "region", "1099")(tiny)
    set_cell("samples", "sex", "man")(tiny)
    set_cell("units", "lane", "0")(tiny)
    set_cell("units", "pcr_free", "maybe", row=1)(tiny)
    refused(
        runs.run_workflow(tiny, "-n"),
        tiny,
        "cases.tsv: row 2, column region, value '1099'",
        "samples.tsv: row 2, column sex, value 'man'",
        "units.tsv: row 2, column lane, value '0'",
        "units.tsv: row 3, column pcr_free, value 'maybe'",
    )


# ---- refused by the first jobs, before any compute ------------------------------------------


def rewrite_fasta(directory, change, indexes=("fai", "dict", "bwa")):
    """Change the reference's text and make the named indexes anew."""
    fasta = directory / "reference" / "genome.fa"
    fasta.write_text(change(fasta.read_text()))
    makers = {
        "fai": ["samtools", "faidx", fasta],
        "dict": ["samtools", "dict", fasta, "-o", fasta.with_suffix(".dict")],
        "bwa": ["bwa", "index", fasta],
    }
    for index in indexes:
        subprocess.run(makers[index], check=True, capture_output=True)


def other_base(text):
    """One base changed in the middle of chr1."""
    place = text.index("\n", 9000) + 10
    return text[:place] + ("A" if text[place] != "A" else "C") + text[place + 1 :]


def test_a_reference_of_the_same_names_and_other_sequence_is_refused(tiny):
    rewrite_fasta(tiny, other_base)
    refused(runs.run_workflow(tiny), tiny, "Preflight refuses the run", "reference/genome.fa", "chr1", "Mend: ")
    assert [row["verdict"] for row in runs.verdicts(tiny).values()] == ["REFUSED"]


def test_a_reference_of_other_contigs_is_refused(tiny):
    rewrite_fasta(tiny, lambda text: text.replace(">chr", ">contig"))
    refused(runs.run_workflow(tiny), tiny, "Preflight refuses the run", "reference/genome.fa", "chr1", "Mend: ")
    assert [row["verdict"] for row in runs.verdicts(tiny).values()] == ["REFUSED"]


def test_indexes_of_another_reference_are_refused_with_the_command_that_makes_them_and_mended_by_it(tiny):
    fasta = tiny / "reference" / "genome.fa"
    other = tiny / "other.fa"
    other.write_text(">chr1\n" + "ACGT" * 500 + "\n")
    subprocess.run(["samtools", "faidx", other], check=True)
    subprocess.run(["samtools", "dict", other, "-o", tiny / "other.dict"], check=True)
    subprocess.run(["bwa", "index", other], check=True, capture_output=True)
    for suffix in ("fa.fai", "dict", "fa.amb", "fa.ann", "fa.bwt", "fa.pac", "fa.sa"):
        shutil.copyfile(tiny / f"other.{suffix}", tiny / "reference" / f"genome.{suffix}")
    commands = [
        "samtools faidx reference/genome.fa",
        "samtools dict reference/genome.fa -o reference/genome.dict",
        "bwa index reference/genome.fa",
    ]
    done = runs.run_workflow(tiny)
    refused(done, tiny, "Preflight refuses the run", *(f"Mend: run: {command}." for command in commands))
    for command in commands:
        subprocess.run(command.split(), cwd=tiny, check=True, capture_output=True)
    done = runs.run_workflow(tiny, "--until", "preflight")
    assert (tiny / "results" / "intake" / "preflight.json").is_file(), done.stderr
    assert fasta.is_file()


def path_without(folder, *names):
    """A PATH with everything of the present one but the commands `names`; the first of several wins, as on PATH."""
    folder.mkdir()
    for directory in os.environ["PATH"].split(":"):
        for path in os.scandir(directory) if os.path.isdir(directory) else ():
            if path.name not in names and not (folder / path.name).is_symlink() and os.access(path, os.X_OK):
                (folder / path.name).symlink_to(path.path)
    return str(folder)


def test_missing_and_too_old_tools_are_refused_together_and_asked_again_once_they_are_installed(tiny, tmp_path):
    path = path_without(tmp_path / "bin", "bwa")
    old = runs.tool(tmp_path / "old", "samtools", "echo samtools 1.10").parent
    done = runs.run_workflow(tiny, first_on_path=old, path=path)
    refused(
        done,
        tiny,
        "Preflight refuses the run",
        "bwa: `bwa` is not on PATH; run with `--software-deployment-method conda`",
        "samtools: version 1.10 is older than 1.16, the oldest supported",
    )
    (verdict,) = runs.verdicts(tiny).values()
    assert verdict["verdict"] == "REFUSED"
    assert "bwa" in verdict["reasons"] and "samtools" in verdict["reasons"]
    done = runs.run_workflow(tiny, "--until", "preflight")
    assert (tiny / "results" / "intake" / "preflight.json").is_file(), done.stderr


def text_of(path):
    return gzip.decompress(path.read_bytes())


def lines_of(path):
    return text_of(path).splitlines(keepends=True)


def cut(content):
    return content[:-1000]


def overwrite(content):
    return content[:9000] + bytes(40) + content[9040:]


def on_text(change):
    """`change` of the decompressed lines."""
    return lambda content: gzip.compress(b"".join(change(gzip.decompress(content).splitlines(keepends=True))))


def replace(old, new):
    return on_text(lambda lines: [line.replace(old, new) for line in lines])


# Finding -> what makes it of R2, or of both files where it is about the names of all reads.
SPOILED_READS = {
    "GZIP_TRUNCATED": cut,
    "GZIP_CORRUPT": overwrite,
    "PAIR_COUNT": on_text(lambda lines: lines[:-4]),
    "PAIR_NAMES": on_text(lambda lines: lines[4:] + lines[:4]),
    "LENGTH_MISMATCH": on_text(lambda lines: [*lines[:7], b"FF\n"]),
    "FASTQ_EMPTY": on_text(lambda lines: []),
    "LANE_MISMATCH": replace(b"HDEMODSX7:3:", b"HDEMODSX7:2:"),
    "FLOWCELL_MISMATCH": replace(b"HDEMODSX7:", b"HOTHERDSX:"),
}
OF_BOTH_FILES = {"LANE_MISMATCH", "FLOWCELL_MISMATCH"}


def test_each_kind_of_broken_reads_is_refused_with_its_file_and_nothing_of_them_is_aligned(tiny):
    """A case for each, in one run."""
    cases, samples, units = (runs.table(tiny, name)[:1] for name in ("cases", "samples", "units"))
    made = {"cases": [], "samples": [], "units": []}
    for number, (code, spoil) in enumerate(SPOILED_READS.items(), start=1):
        case, sample = f"BROKEN{number}CASE", f"BROKEN{number}PERSON"
        made["cases"].append({**cases[0], "case": case, "requisition_id": f"NGCWGS{number}"})
        made["samples"].append({**samples[0], "sample": sample, "case": case})
        unit = {**units[0], "sample": sample}
        for fq in ("fq1", "fq2"):
            unit[fq] = f"reads/{code}_{fq}.fastq.gz"
            lines = lines_of(tiny / units[0][fq])[number * 400 : number * 400 + 2000]
            (tiny / unit[fq]).write_bytes(gzip.compress(b"".join(lines)))
        for fq in ("fq1", "fq2") if code in OF_BOTH_FILES else ("fq2",):
            (tiny / unit[fq]).write_bytes(spoil((tiny / unit[fq]).read_bytes()))
        made["units"].append(unit)
    for name, rows in made.items():
        runs.write_table(tiny, name, rows)
    done = runs.run_workflow(tiny)
    refused(done, tiny)
    for row, code in zip(runs.verdicts(tiny).values(), SPOILED_READS, strict=True):
        assert row["verdict"] == "REFUSED"
        assert f"{code} reads/{code}_fq" in row["reasons"]
        assert f"reads/{code}_fq2.fastq.gz" in row["reasons"]
        assert "Mend: " in row["reasons"]


def test_two_cases_with_the_same_reads_are_refused_even_if_recompressed(tiny):
    runs.edit(tiny, "cases", lambda rows: rows.append({**rows[0], "case": "SECONDCASE", "requisition_id": "NGCWGS2"}))
    runs.edit(tiny, "samples", lambda rows: rows.append({**rows[0], "sample": "SECONDPERSON", "case": "SECONDCASE"}))
    unit = runs.table(tiny, "units")[0]
    copies = {fq: f"reads/again_{fq}.fastq.gz" for fq in ("fq1", "fq2")}
    for fq, name in copies.items():
        (tiny / name).write_bytes(gzip.compress(text_of(tiny / unit[fq]), compresslevel=1))
    runs.edit(tiny, "units", lambda rows: rows.append({**rows[0], "sample": "SECONDPERSON", **copies}))
    done = runs.run_workflow(tiny, "--until", "intake_gate")
    assert done.returncode == 1
    assert "SAME_FASTQ" in runs.said(done)


# ---- what looks bad and is not --------------------------------------------------------------


@pytest.mark.parametrize(
    ("bed", "said"),
    [("chr1\tten\t20\n", "line 1: not BED"), ("chr9\t10\t20\n", "holds no base of autosomes, X or Y")],
)
def test_evaluation_regions_that_judge_nothing_are_refused(tiny, bed, said):
    (tiny / "regions.bed").write_text(bed)
    done = runs.run_workflow(tiny, "--config", "evaluation_regions=regions.bed")
    assert done.returncode == 1
    assert said in runs.said(done) and "REFUSED" in runs.said(done)
    assert runs.nothing_computed(tiny)
