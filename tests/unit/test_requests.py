"""What jobs ask of the machine: the functions of rules/common.smk, which are plain Python there."""

import functools
from pathlib import Path
from types import SimpleNamespace

import pytest

COMMON = (Path(__file__).parents[2] / "rules" / "common.smk").read_text()


@pytest.fixture
def ask(tmp_path):
    """The functions, for one case of a sample of two units, with 3 GB and 1 GB of reads that take no disk."""
    units = {}
    for name, size in (("S.L1", 1_500_000_000), ("S.L2", 500_000_000)):
        for fq in ("fq1", "fq2"):
            path = tmp_path / f"{name}.{fq}"
            with path.open("wb") as file:
                file.truncate(size)
            units.setdefault(name, {})[fq] = str(path)
    both = ("S.L1", "S.L2")
    tables = SimpleNamespace(units=units, units_of_sample={"S": both}, units_of_case={"C": both})
    space = {"functools": functools, "Path": Path, "TABLES": tables}
    exec(COMMON.split("# ---- what a job asks")[1].partition("\n")[2].split("# ---- the start")[0], space)
    return SimpleNamespace(**space)


@pytest.mark.parametrize(
    ("wildcards", "expected"), [({"unit": "S.L1"}, 60), ({"sample": "S", "part": "001"}, 70), ({"case": "C"}, 70)]
)
def test_time_grows_with_the_reads_that_a_job_works_for(ask, wildcards, expected):
    assert ask.minutes(30, per_gb=10)(SimpleNamespace(**wildcards, get=wildcards.get), 1) == expected


def test_each_attempt_gets_as_much_again_and_snakemake_its_own_part_once(ask):
    wildcards = SimpleNamespace(get={"sample": "S"}.get, sample="S")
    assert [ask.minutes(30, per_gb=10)(wildcards, attempt) for attempt in (1, 2, 3)] == [70, 140, 210]
    assert [ask.memory(4000)(wildcards, attempt) for attempt in (1, 2, 3)] == [4500, 8500, 12500]


def test_a_job_of_the_whole_run_asks_by_attempt_alone(ask):
    assert ask.minutes(10)(SimpleNamespace(get={}.get), 2) == 20


def test_reads_that_are_gone_ask_for_the_least(ask):
    Path(ask.TABLES.units["S.L1"]["fq1"]).unlink()
    Path(ask.TABLES.units["S.L1"]["fq2"]).unlink()
    assert ask.minutes(30, per_gb=10)(SimpleNamespace(get={"unit": "S.L1"}.get), 1) == 30
