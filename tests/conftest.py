"""Runs that several integration tests look at: each is made once in a session and never changed by a test."""

from pathlib import Path

import pytest
import runs


@pytest.fixture(scope="session")
def tiny_made(tmp_path_factory) -> Path:
    """The tiny demo, not run."""
    return runs.make_demo(tmp_path_factory.mktemp("made") / "tiny", "--tiny")


@pytest.fixture(scope="session")
def tiny_run(tmp_path_factory, tiny_made) -> runs.Run:
    """The tiny demo, run to its end with networking cut off."""
    directory = runs.copy(tiny_made, tmp_path_factory.mktemp("run") / "tiny")
    yield runs.Run(directory, runs.run_workflow(directory, prefix=runs.CUT_OFF))
    runs.unseal(directory)


@pytest.fixture
def tiny(tmp_path, tiny_made) -> Path:
    """A copy of the tiny demo that a test may spoil."""
    directory = runs.copy(tiny_made, tmp_path / "tiny")
    yield directory
    runs.unseal(directory)


@pytest.fixture
def finished(tmp_path, tiny_run) -> Path:
    """A copy of the finished tiny run that a test may spoil."""
    assert tiny_run.done.returncode == 0, tiny_run.done.stderr
    directory = runs.copy(tiny_run.directory, tmp_path / "tiny")
    yield directory
    runs.unseal(directory)
