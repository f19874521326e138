"""What runs is judged by what its version command printed."""

import stat
from pathlib import Path

import pytest

from ngc_wgs.tools import ToolError, main, read_tools, read_version, tool_version, version_key

TOOLS = read_tools(Path(__file__).parents[2] / "envs" / "tools.yaml")

OUTPUTS = [
    ("bwa", "\nProgram: bwa (alignment)\nVersion: 0.7.17-r1188\nContact: nobody\n\nexit status 1\n", "0.7.17"),
    ("bwa", "Program: bwa\nVersion: 0.7.19-r1273\nexit status 1\n", "0.7.19"),
    ("bwa-mem2", "Looking to launch executable bwa-mem2.avx2, simd = .avx2\n2.3\n", "2.3"),
    ("samtools", "samtools 1.16.1\nUsing htslib 1.16\nCopyright (C) 2022\n", "1.16.1"),
    ("bcftools", "bcftools 1.24\nUsing htslib 1.24\n", "1.24"),
    ("htslib", "bgzip (htslib) 1.16\nCopyright (C) 2022\n", "1.16"),
    ("fastp", "fastp 0.23.2\n", "0.23.2"),
    ("mosdepth", "mosdepth 0.3.14\n", "0.3.14"),
    ("gatk", "The Genome Analysis Toolkit (GATK) v4.6.2.0\nHTSJDK Version: 4.2.0\n", "4.6.2.0"),
    ("multiqc", "multiqc, version 1.35\n", "1.35"),
    ("manta", "1.6.0\n", "1.6.0"),
    ("delly", "Delly version: v1.1.6\n using Boost: v1.74.0\n using HTSlib: v1.16\n", "1.1.6"),
    ("plink2", "PLINK v2.00a3.5 AVX2 (9 Aug 2022)\n", "2.00a3.5"),
    ("verifybamid2", "VerifyBamID2: A robust tool for DNA contamination estimation\n Version:2.0.1\n", "2.0.1"),
]


@pytest.fixture
def program(tmp_path, monkeypatch):
    """Puts a `samtools` with the given shell text first on PATH."""

    def put(text, mode=0o755):
        path = tmp_path / "samtools"
        path.write_text(f"#!/bin/sh\n{text}\n")
        path.chmod(mode)

    monkeypatch.setenv("PATH", str(tmp_path))
    return put


@pytest.mark.parametrize(("name", "output", "version"), OUTPUTS)
def test_reads_the_version_of_each_tool(name, output, version):
    found = read_version(name, TOOLS[name], output)
    assert found["version"] == version
    assert found["as_pinned"] is (version == TOOLS[name]["pinned"])


def test_every_tool_of_the_table_has_its_output_tried_here():
    assert {name for name, _, _ in OUTPUTS} == set(TOOLS)


def test_refuses_a_tool_that_is_not_on_path(program):
    with pytest.raises(ToolError, match=r"samtools: `samtools` is not on PATH; run with .*envs/samtools\.yaml"):
        tool_version("samtools", TOOLS["samtools"])


def test_refuses_a_tool_that_the_shell_did_not_find():
    with pytest.raises(ToolError, match="not on PATH"):
        read_version("mosdepth", TOOLS["mosdepth"], "bash: line 1: mosdepth: command not found\nexit status 127\n")


def test_refuses_a_tool_that_cannot_load_its_library():
    with pytest.raises(ToolError, match=r"mosdepth.* it says: could not load: libhts\.so"):
        read_version("mosdepth", TOOLS["mosdepth"], "could not load: libhts.so\n(compile with -d:x)\nexit status 1\n")


def test_refuses_a_tool_that_says_nothing(program):
    program("exit 0")
    with pytest.raises(ToolError, match="it says: nothing"):
        tool_version("samtools", TOOLS["samtools"])


def test_refuses_a_tool_that_may_not_be_run(program):
    program("echo samtools 1.24", mode=stat.S_IRUSR)
    with pytest.raises(ToolError, match="permission denied"):
        tool_version("samtools", TOOLS["samtools"])


def test_refuses_a_tool_that_does_not_answer(program, monkeypatch):
    monkeypatch.setattr("ngc_wgs.tools.TIMEOUT", 0.1)
    program("while :; do :; done")
    with pytest.raises(ToolError, match="no answer"):
        tool_version("samtools", TOOLS["samtools"])


def test_refuses_a_too_old_tool_and_compares_numbers_not_text(program):
    program("echo samtools 1.9")
    with pytest.raises(ToolError, match=r"version 1\.9 is older than 1\.16"):
        tool_version("samtools", TOOLS["samtools"])


def test_takes_the_minimum_itself_and_marks_it_as_not_pinned(program):
    program("echo samtools 1.16")
    assert tool_version("samtools", TOOLS["samtools"]) == {
        "name": "samtools",
        "version": "1.16",
        "pinned": "1.24",
        "minimum": "1.16",
        "as_pinned": False,
    }


def test_marks_the_pinned_version(program):
    program("echo samtools 1.24")
    assert tool_version("samtools", TOOLS["samtools"])["as_pinned"]


def test_a_release_and_its_zero_patch_are_the_same_age():
    assert version_key("1.16") == version_key("1.16.0") < version_key("1.16.1") < version_key("1.24")


def test_the_command_names_every_tool_that_cannot_be_used(program, tmp_path, monkeypatch, capsys):
    table = tmp_path / "tools.yaml"
    table.write_text(
        "".join(
            f"{name}: {{version_command: {name} --version, pattern: '^v(\\d+)', pinned: '2', minimum: '1', env: e}}\n"
            for name in ("samtools", "one", "two")
        )
    )
    program("echo v1")
    monkeypatch.setattr("sys.argv", ["tools", str(table), "--optional", "two"])
    assert main() == 1
    assert capsys.readouterr().out.splitlines()[0] == "samtools 1 (pinned 2)"
    monkeypatch.setattr("sys.argv", ["tools", str(table), "--optional", "one", "two"])
    assert main() == 0
