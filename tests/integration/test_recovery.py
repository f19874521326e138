"""What a run survives: kills, full and read-only disks, a failing case beside others, and a change after the seal."""

import gzip
import hashlib
import os
import subprocess
from dataclasses import replace
from pathlib import Path

import genome as g
import make_demo as demo
import pytest
import runs

# `kill -9 0` ends the whole process group: Snakemake and all its jobs, at exactly this point.
KILLERS = {
    "bwa": '[[ $1 = mem ]] && { $REAL "$@" | head -c 100000; kill -9 0; }; exec $REAL "$@"',
    "samtools": '[[ $1 = view && $* = *cram* ]] && { head -c 200000 | $REAL "$@"; kill -9 0; }; exec $REAL "$@"',
    "gatk": '[[ $* = *HaplotypeCaller* ]] && { $REAL "$@" & sleep 4; kill -9 0; }; exec $REAL "$@"',
    "bgzip": '[[ $* = -c ]] && { $REAL -c | head -c 3000; kill -9 0; }; exec $REAL "$@"',
    "git": "kill -9 0",  # the bag is asked for its commit when it is half made
}
CRAM = "results/alignment/R9DVH3NJX6LC.cram"
FIRST = demo.TINY_MALE
NEWCOMER = demo.Person(demo.FEMALE.sample, demo.FEMALE.case, "female", (replace(demo.FEMALE.units[0], share=1.0),))


def delete(directory: Path, *names: str) -> None:
    for name in names:
        for path in sorted((directory / "results").glob(name)):
            path.unlink()


def digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def second_case(directory: Path, number: int, spoil=lambda content: content) -> tuple[str, str]:
    """Add a case whose reads are those of the first on another flowcell: (sample, case). `spoil` changes one file."""
    sample, case, flowcell = f"SECOND{number}PERSON", f"SECOND{number}CASE", f"HDEMODSY{number}"
    runs.edit(
        directory, "cases", lambda rows: rows.append({**rows[0], "case": case, "requisition_id": f"NGCWGS{number}"})
    )
    runs.edit(directory, "samples", lambda rows: rows.append({**rows[0], "sample": sample, "case": case}))
    rows = runs.table(directory, "units")
    for row in [row for row in rows if row["flowcell"] == "HDEMODSX7"]:
        new = {**row, "sample": sample, "flowcell": flowcell}
        for fq in ("fq1", "fq2"):
            new[fq] = row[fq].replace(row["sample"], sample)
            text = gzip.decompress((directory / row[fq]).read_bytes()).replace(b"HDEMODSX7", flowcell.encode())
            (directory / new[fq]).write_bytes(gzip.compress(text, compresslevel=1))
        rows.append(new)
    (directory / new["fq2"]).write_bytes(spoil((directory / new["fq2"]).read_bytes()))
    runs.write_table(directory, "units", rows)
    return sample, case


# ---- kills ----------------------------------------------------------------------------------


def test_killed_at_any_point_a_re_run_ends_with_the_same_content(tiny, tiny_run, tmp_path):
    reached = []
    for tool, text in KILLERS.items():
        folder = runs.tool(tmp_path / "killers" / tool, tool, text).parent
        killed = runs.run_workflow(tiny, first_on_path=folder)
        assert killed.returncode == -9, f"{tool}: {killed.returncode}\n{killed.stderr}"
        reached.append((tool, sorted(path.name for path in (tiny / "results").rglob("*") if path.is_file())))
        if tool == "bwa":
            locked = runs.run_workflow(tiny)
            assert locked.returncode == 1
            assert "--unlock" in locked.stderr
        assert runs.run_workflow(tiny, "--unlock").returncode == 0
        assert runs.submissions(tiny) == []
    done = runs.run_workflow(tiny)
    assert done.returncode == 0, done.stderr
    assert runs.contents(runs.bag(tiny)) == runs.contents(runs.bag(tiny_run.directory))
    assert [path for path in (tiny / "results" / "submissions").iterdir() if path.name[0] == "."] == []
    names = [set(files) for _, files in reached]
    assert len(names[0]) < len(names[-1]), "each kill came later than the one before"


def test_a_killed_bag_leaves_the_sealed_one_in_place(finished, tmp_path):
    before, contents = runs.manifest(runs.bag(finished)), runs.contents(runs.bag(finished))
    again = ("--forcerun", f"results/package/{runs.bag(finished).name}.json")
    killers = runs.tool(tmp_path / "killers", "git", KILLERS["git"]).parent
    assert runs.run_workflow(finished, *again, first_on_path=killers).returncode == -9
    assert runs.manifest(runs.bag(finished)) == before
    assert runs.run_workflow(finished, "--unlock").returncode == 0
    done = runs.run_workflow(finished)
    assert done.returncode == 0, done.stderr
    assert runs.contents(runs.bag(finished)) == contents


# ---- one failing case, and the others -------------------------------------------------------


def test_a_refused_case_and_a_failing_tool_never_stop_the_other_cases(tiny, tmp_path):
    good = runs.table(tiny, "cases")[0]["case"]
    broken = second_case(tiny, 1, lambda content: content[: len(content) // 2])
    failing = second_case(tiny, 2)
    text = f'[[ $1 = mem && $* = *{failing[0]}* ]] && {{ echo "out of luck" >&2; exit 3; }}; exec $REAL "$@"'
    tools = runs.tool(tmp_path / "tools", "bwa", text).parent
    done = runs.run_workflow(tiny, first_on_path=tools)
    assert done.returncode == 1
    rows = runs.verdicts(tiny)
    assert {case: row["verdict"] for case, row in rows.items()} == {
        good: "ACCEPTED",
        broken[1]: "REFUSED",
        failing[1]: "STOPPED",
    }
    assert "GZIP_TRUNCATED" in rows[broken[1]]["reasons"]
    assert f"{broken[0]}_LIB3_HDEMODSX7_L4_R2.fastq.gz" in rows[broken[1]]["reasons"]
    assert "at bwa_mem" in rows[failing[1]]["reasons"]
    assert "out of luck" in rows[failing[1]]["reasons"]
    assert "Verdict: 1 of 3 cases accepted" in done.stderr
    assert [path.name for path in runs.submissions(tiny)] == [good]
    assert [path for path in (tiny / "results" / "alignment").iterdir() if broken[0] in path.name] == []


def test_a_refused_file_replaced_by_an_older_sound_one_is_read_again(finished):
    unit = runs.table(finished, "units")[0]
    path = finished / unit["fq1"]
    content, status = path.read_bytes(), path.stat()
    path.write_bytes(content[:-20])
    refused = runs.run_workflow(finished)
    assert refused.returncode == 1
    assert "GZIP_TRUNCATED" in refused.stderr
    path.write_bytes(content)
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))
    gate = f"results/intake/{runs.table(finished, 'cases')[0]['case']}.accepted"
    assert runs.run_workflow(finished, "--until", "intake_gate").returncode in (0, 1)
    assert (finished / gate).is_file()


FROM_CALL_STATS = ("qc/*.bcftools_stats.txt", "qc/*.metrics.json", "qc/*.html", "package/*", "check/*")


# ---- changes under a run's feet ---------------------------------------------------------------


def test_reads_that_are_replaced_during_the_run_are_not_packed_under_the_digest_of_the_old(finished, tmp_path):
    contents = runs.contents(runs.bag(finished))
    fastq = finished / runs.table(finished, "units")[0]["fq2"]
    kept = runs.copy(fastq, tmp_path / "kept.fastq.gz")
    delete(finished, *FROM_CALL_STATS)
    text = f'[[ $1 = stats ]] && echo | gzip >> "{fastq}"; exec $REAL "$@"'
    refused = runs.run_workflow(finished, first_on_path=runs.tool(tmp_path / "tools", "bcftools", text).parent)
    assert refused.returncode == 1
    assert f"changed since intake read them: {fastq.relative_to(finished)}. Mend: " in refused.stderr
    assert "REFUSED" in refused.stderr
    assert any("/intake/" in path for path in runs.planned(finished)), "the next run reads it anew"
    runs.copy(kept, fastq)
    done = runs.run_workflow(finished)
    assert done.returncode == 0, done.stderr
    assert runs.contents(runs.bag(finished)) == contents


def test_a_permission_that_is_lost_during_the_run_and_given_back(finished, tmp_path):
    contents = runs.contents(runs.bag(finished))
    delete(finished, *FROM_CALL_STATS)
    folder = finished / "results" / "qc"
    text = f'$REAL "$@"; status=$?; [[ $1 = stats ]] && chmod a-w "{folder}"; exit $status'
    stopped = runs.run_workflow(finished, first_on_path=runs.tool(tmp_path / "tools", "bcftools", text).parent)
    folder.chmod(0o755)
    assert stopped.returncode == 1
    assert "Permission denied" in runs.said(stopped)
    done = runs.run_workflow(finished)
    assert done.returncode == 0, done.stderr
    assert runs.contents(runs.bag(finished)) == contents


def test_a_corrupt_intermediate_stops_its_case_by_name_and_is_mended_by_deleting_it(finished, tiny_run):
    cram = finished / CRAM
    content = bytearray(cram.read_bytes())
    for place in range(len(content) // 2, len(content) // 2 + 64):
        content[place] ^= 0xFF
    cram.chmod(0o644)
    cram.write_bytes(content)
    delete(finished, "calling/*", "conform/*.gz*", "package/*", "check/*")
    stopped = runs.run_workflow(finished, "--until", "samtools_stats")
    assert stopped.returncode == 1
    (row,) = runs.verdicts(finished).values()
    assert row["verdict"] == "STOPPED"
    assert "at samtools_stats" in row["reasons"]
    assert list((finished / "results" / "calling").glob("*.g.vcf.gz")) == []
    delete(finished, f"alignment/{cram.name}")
    done = runs.run_workflow(finished)
    assert done.returncode == 0, done.stderr
    assert runs.contents(runs.bag(finished)) == runs.contents(runs.bag(tiny_run.directory))


# ---- a batch that grows ---------------------------------------------------------------------


@pytest.fixture
def joined(finished, tmp_path) -> Path:
    """The finished tiny run whose tables have a second person by now, of another sex."""
    batch = tmp_path / "batch"
    batch.mkdir()
    demo.make(batch, g.TINY, [FIRST, NEWCOMER], 1, "tiny")
    for path in [*(batch / "reads").glob(f"{NEWCOMER.sample}*"), *batch.glob("*.tsv")]:
        runs.copy(path, finished / path.relative_to(batch))
    return finished


def test_a_case_joins_a_finished_batch_and_runs_by_itself_or_in_a_batch(joined, tiny_run):
    results = joined / "results"
    before = {path: (path.stat().st_mtime_ns, path.stat().st_ino) for path in results.rglob("*") if path.is_file()}
    sealed = runs.contents(runs.bag(tiny_run.directory))
    planned = runs.planned(joined)
    assert planned == runs.planned(joined, f"results/check/{NEWCOMER.case}.accepted")
    own = {path for path in planned if NEWCOMER.sample in path or NEWCOMER.case in path}
    assert own and all("regions/" in path and ".female." in path for path in planned - own), "what her sex needs first"
    halves = [runs.run_workflow(joined, "-n", "--batch", f"all={half}/2") for half in (1, 2)]
    assert halves[0].returncode == 0 and "intake gate" in runs.said(halves[0])
    assert halves[1].returncode == 1 and "not all previous batches have been completed" in halves[1].stderr

    # A part of her: the report of the run is made again where a verdict is another than before, and only there.
    page = results / "run.multiqc.html"
    done = runs.run_workflow(joined, f"results/intake/{NEWCOMER.case}.accepted")
    assert done.returncode == 0, done.stderr
    made = page.stat().st_mtime_ns
    assert made > before[page][0], "a verdict more"
    unit = next((results / "intake").glob(f"{NEWCOMER.sample}.*.json")).stem
    done = runs.run_workflow(joined, f"results/qc/{unit}.fastp.json")
    assert done.returncode == 0, done.stderr
    assert page.stat().st_mtime_ns == made, "the same verdicts"

    # All of her: accepted, and no file of the finished case was even touched.
    done = runs.run_workflow(joined)
    assert done.returncode == 0, runs.said(done)
    assert {case: row["verdict"] for case, row in runs.verdicts(joined).items()} == dict.fromkeys(
        [FIRST.case, NEWCOMER.case], "ACCEPTED"
    )
    of_run = {"verdict.tsv", "verdict.json", "run.multiqc.html"}
    touched = [path for path in before if (path.stat().st_mtime_ns, path.stat().st_ino) != before[path]]
    assert {path.name for path in touched} == of_run
    assert runs.contents(runs.bag(joined, FIRST.case)) == sealed


# ---- disks ----------------------------------------------------------------------------------


@pytest.fixture
def small_disk(tmp_path):
    """A file system of 40 MB of its own."""
    folder = tmp_path / "disk"
    folder.mkdir()
    done = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=40m", "tmpfs", folder], capture_output=True, text=True)
    if done.returncode:
        pytest.skip(f"no file system can be mounted here: {done.stderr.strip()}")
    yield folder
    subprocess.run(["umount", "-l", folder], check=True)


def test_a_disk_that_fills_up_stops_the_run_where_it_says_and_what_was_finished_stays(tiny_run, small_disk, tmp_path):
    directory = runs.copy(tiny_run.directory, small_disk / "tiny")
    delete(directory, "conform/*.gz*", "calling/*", "package/*", "check/*")
    finished = {path: digest(directory / path) for path in (CRAM, f"{CRAM}.crai")}
    ballast = directory / "ballast"
    text = f'[[ $* = *HaplotypeCaller* ]] && dd if=/dev/zero of="{ballast}" bs=64k status=none; exec $REAL "$@"'
    tools = runs.tool(tmp_path / "tools", "gatk", text).parent
    full = runs.run_workflow(directory, first_on_path=tools)
    print(full.stderr)
    assert full.returncode not in (0, -9)
    assert "No space left on device" in runs.said(full)
    assert "gatk_haplotypecaller" in runs.said(full).replace(" ", "_")
    assert "Verdict: 0 of 1 cases accepted" in full.stderr
    assert {path: digest(directory / path) for path in finished} == finished
    assert runs.bag(directory).is_dir()
    ballast.unlink()
    runs.run_workflow(directory, "--unlock")
    done = runs.run_workflow(directory)
    assert done.returncode == 0, done.stderr
    assert {path: digest(directory / path) for path in finished} == finished
    assert runs.contents(runs.bag(directory)) == runs.contents(runs.bag(tiny_run.directory))


@pytest.mark.parametrize("folder", [".", "results"])
def test_a_read_only_folder_is_refused_by_name_before_anything_is_done(tiny, folder):
    (tiny / folder).mkdir(exist_ok=True)
    (tiny / folder).chmod(0o555)
    done = runs.run_workflow(tiny)
    (tiny / folder).chmod(0o755)
    assert done.returncode == 1
    assert f"{(tiny / folder).resolve()}: cannot be written to. Mend: " in done.stderr
    assert "Traceback" not in done.stderr
    assert runs.nothing_computed(tiny)


# ---- an operator without root's powers, and the seal ----------------------------------------


def test_an_operator_who_is_not_root_can_run_it_to_the_end(tiny_run):
    assert tiny_run.done.returncode == 0, tiny_run.done.stderr
    probe = subprocess.run(
        [*runs.UNPRIVILEGED, "sh", "-c", f"echo > '{runs.bag(tiny_run.directory)}/manifest.json'"], capture_output=True
    )
    assert probe.returncode != 0, "the run was made without the power to write what is sealed"


def test_changed_reads_replace_the_sealed_submission_and_leave_older_copies_of_it_alone(finished, tmp_path):
    sealed = runs.bag(finished)
    older = tmp_path / "older"
    subprocess.run(["cp", "-al", sealed, older], check=True)
    inodes = {path.relative_to(sealed): path.stat().st_ino for path in sealed.rglob("*") if path.is_file()}
    before = {path.relative_to(older): digest(path) for path in older.rglob("*") if path.is_file()}
    assert {name: (older / name).stat().st_ino for name in inodes} == inodes
    unit = runs.table(finished, "units")[0]
    for fq in ("fq1", "fq2"):
        lines = gzip.decompress((finished / unit[fq]).read_bytes()).splitlines(keepends=True)
        (finished / unit[fq]).write_bytes(gzip.compress(b"".join(lines[:-400]), compresslevel=1))
    done = runs.run_workflow(finished)
    assert done.returncode == 0, done.stderr
    replaced = runs.bag(finished)
    assert runs.manifest(replaced)["samples"] != runs.manifest(older)["samples"]
    same = runs.contents(replaced).items() & runs.contents(older).items()
    assert {name.split(".", 1)[1] for name, _ in same} <= {"cnv.vcf.gz"}, "only what has no record may be as it was"
    assert {path.relative_to(older): digest(path) for path in older.rglob("*") if path.is_file()} == before
    assert all((older / name).stat().st_ino == inode for name, inode in inodes.items())
    assert all((replaced / name).stat().st_ino != inode for name, inode in inodes.items())
    assert runs.check(older)[0] == 0
    runs.unseal(older)
