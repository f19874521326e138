"""Progress of a run from its journal, and efficiency from its benchmark files."""

import errno
import logging
import os
import socket

import pytest

from ngc_wgs import progress

STAGES = {"bwa_mem": "alignment", "gatk_haplotypecaller": "calling", "accept": "check"}
RULES = {"bwa_mem": 4, "gatk_haplotypecaller": 4, "accept": 4}


def record(event, when, **fields):
    item = logging.LogRecord("snakemake", logging.INFO, "", 0, "", None, None)
    item.created = when
    item.__dict__.update(fields, event=event)
    return item


class Run:
    """A journal that is written with times of one's own, in seconds since the run began."""

    def __init__(self, folder):
        self.folder = folder
        self.journal = progress.Journal(
            folder / progress.JOURNAL,
            RULES,
            STAGES,
            {"A": False, "B": False, "C": False, "D": True},
            lambda w: w.get("case"),
        )
        self.begun = progress.read(folder / progress.JOURNAL).about["time"]

    def submit(self, job, rule, case, when):
        fields = {"jobid": job, "rule_name": rule, "wildcards": {"case": case}, "log": ["logs/one.log"]}
        self.journal.handle(record("job_info", self.begun + when, **fields))

    def finish(self, job, when):
        self.journal.handle(record("job_finished", self.begun + when, job_id=job))

    def fail(self, job, when):
        self.journal.handle(record("job_error", self.begun + when, jobid=job, log=["logs/one.log", "slurm.log"]))

    def read(self):
        return progress.read(self.folder / progress.JOURNAL)

    def text(self, when):
        return progress.for_people(self.folder, self.begun + when)


@pytest.fixture
def run(tmp_path):
    return Run(tmp_path)


def test_a_case_is_at_the_furthest_stage_that_it_has_reached(run):
    run.submit(1, "bwa_mem", "A", 1)
    run.finish(1, 2)
    run.submit(2, "gatk_haplotypecaller", "A", 3)
    run.submit(3, "bwa_mem", "A", 4)
    run.submit(4, "bwa_mem", "B", 4)
    run.fail(4, 5)
    assert progress.stages(run.read()) == {"calling": 1, "stopped": 1, "waiting": 1, "done": 1}
    run.submit(4, "bwa_mem", "B", 6)
    run.submit(5, "accept", "C", 6)
    run.finish(5, 7)
    assert progress.stages(run.read()) == {"calling": 1, "alignment": 1, "done": 2}


def test_the_rule_that_only_gathers_is_not_counted(run):
    run.submit(1, "all", None, 1)
    run.finish(1, 2)
    assert run.read().jobs == {}


def test_the_time_left_is_that_of_like_jobs_at_the_width_of_the_run(run):
    for job in (1, 2):
        run.submit(job, "bwa_mem", "A", 0)
    assert progress.seconds_left(run.read(), run.begun + 1) is None
    for job in (1, 2):
        run.finish(job, 100)
    for job in (3, 4):
        run.submit(job, "gatk_haplotypecaller", "A", 100)
        run.finish(job, 200)
    # Two bwa_mem and two HaplotypeCallers of 100 s are left for a run that is two jobs wide; accept is not known.
    assert progress.seconds_left(run.read(), run.begun + 200) == (pytest.approx(200, rel=0.01), True)
    assert "left   at least 3 min" in run.text(200)
    run.submit(5, "bwa_mem", "A", 200)
    assert progress.seconds_left(run.read(), run.begun + 240)[0] < 200


def test_a_failed_attempt_is_told_with_the_end_of_its_log_and_whether_it_runs_again(run):
    (run.folder / "logs" / "one.log").write_text("".join(f"line {number}\n" for number in range(20)))
    run.submit(1, "bwa_mem", "A", 1)
    run.fail(1, 2)
    (run.folder / "slurm.log").write_text("DUE TO TIME LIMIT\n")
    text = run.text(3)
    assert "      slurm.log\n        DUE TO TIME LIMIT" in text
    assert "0 of 12 done, 0 submitted, 1 failed" in text
    assert " A bwa_mem\n      logs/one.log\n" in text
    assert "line 19" in text and "line 12" in text and "line 11" not in text
    run.submit(1, "bwa_mem", "A", 3)
    assert " A bwa_mem, running again\n" in run.text(4)
    run.finish(1, 5)
    assert " A bwa_mem, mended\n" in run.text(6)
    assert "1 of 12 done, 0 submitted, 0 failed" in run.text(6)


def test_a_launcher_that_was_killed_is_told_from_one_that_runs_or_has_ended(run, monkeypatch):
    assert "running for 5 min" in run.text(300)
    with monkeypatch.context() as patch:
        patch.setattr(os, "kill", lambda pid, number: (_ for _ in ()).throw(ProcessLookupError))
        assert "its launcher was killed" in run.text(300)
        patch.setattr(socket, "gethostname", lambda: "elsewhere")
        assert "running for 5 min" in run.text(300)
    run.journal.end()
    text = run.text(300)
    assert "ended after " in text and "left" not in text


def test_a_journal_that_is_being_written_is_read_up_to_its_last_whole_line(run):
    run.submit(1, "bwa_mem", "A", 1)
    with (run.folder / progress.JOURNAL).open("a") as file:
        file.write('{"time": 1, "jo')
    assert list(run.read().jobs) == [1]


def test_a_full_disk_stops_no_run_for_its_journal(run):
    class Full:
        def write(self, text):
            raise OSError(errno.ENOSPC, "No space left on device")

    run.journal.file = Full()
    run.submit(1, "bwa_mem", "A", 1)


def test_a_folder_without_a_run_is_told_in_a_line(tmp_path, capsys):
    import ngc_cli

    assert ngc_cli.main(["status", str(tmp_path)]) == 2
    assert "progress.jsonl: No such file" in capsys.readouterr().err


HEADER = "s\th:m:s\tmax_rss\tmax_vms\tmax_uss\tmax_pss\tio_in\tio_out\tmean_load\tcpu_time\tjobid\trule_name"


def test_efficiency_sets_the_largest_use_beside_the_largest_request(tmp_path):
    header = f"{HEADER}\twildcards\tparams\tthreads\tcpu_usage\tresources\tinput_size_mb\n"
    row = "{}\t0:00:00\t{}\t1\t1\t1\t0\t0\t0\t{}\t1\tbwa_mem\t{{}}\t{{}}\t2\t0\t{{'mem_mb': {}, 'runtime': 60}}\t{{}}\n"
    (tmp_path / "one.tsv").write_text(header + row.format(600, 100, 600, 1000))
    (tmp_path / "two.tsv").write_text(header + row.format(1800, 500, 3000, 2000))
    (tmp_path / "plain.tsv").write_text("s\tmax_rss\n1\t1\n")
    table = progress.efficiency(progress.read_benchmarks(tmp_path))
    assert table.splitlines()[2:] == ["| bwa_mem | 2 | 2000 | 500 | 25% | 60 | 30.0 | 50% | 75% |"]
