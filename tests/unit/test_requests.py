"""What jobs ask of the machine: the functions of rules/common.smk, which are plain Python there."""

import functools
import re
from pathlib import Path
from types import SimpleNamespace

import pytest

REPOSITORY = Path(__file__).parents[2]
COMMON = (REPOSITORY / "rules" / "common.smk").read_text()
RULES = "".join(path.read_text() for path in sorted((REPOSITORY / "rules").glob("*.smk")))
PARTS = 24  # as config.yaml ships
GENOMES = {"30x": 60, "90x": 180}  # GB of FASTQ
LIMIT = re.compile(r"runtime=minutes\((\d+)(?:, per_gb=([\d.]+)( / len\(PARTS\))?)?\)")
MEASURED = [
    [cell.strip() for cell in line.strip("|").split("|")]
    for line in (REPOSITORY / "docs" / "cluster.md").read_text().split("## Memory and time")[1].splitlines()
    if re.match(r"\| [a-z]+[a-z0-9_]* \| \d", line)
]


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


@pytest.mark.parametrize("row", MEASURED, ids=[row[0] for row in MEASURED])
def test_the_table_of_the_docs_says_what_rules_ask_and_that_is_twice_what_was_measured(row):
    rule, _, _, *used, hours_30x, hours_90x, asked, limit = row
    block = re.split(r"^rule ", RULES.split(f"\nrule {rule}:")[1], flags=re.MULTILINE)[0]
    megabytes = 500 + int(re.search(r"mem_mb=memory\((\d+)\)", block)[1])
    least, per_gb, parted = re.search(
        r"runtime=minutes\((\d+)(?:, per_gb=([\d.]+)( / len\(PARTS\))?)?\)", block
    ).groups()
    each = float(per_gb or 0) / (PARTS if parted else 1)
    said = f" + {each:g} per GB{' a part' if parted else ''}" if per_gb else ""
    assert (asked, limit) == (str(megabytes), least + said)
    assert megabytes >= 2 * max(map(int, used))
    for size, hours in zip(GENOMES.values(), (hours_30x, hours_90x), strict=True):
        assert int(least) + each * size >= 2 * 60 * float(hours) / (PARTS if parted else 1)
