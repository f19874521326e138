"""A clearance holds for the reads, and the sex, that passed the gate."""

import os

import pytest

from ngc_wgs import clearance


@pytest.fixture
def cleared(tmp_path):
    """A sample of one unit: its rows, and its clearance as the gate's jobs write it."""
    unit, fastq = {}, []
    for key in ("fq1", "fq2"):
        path = tmp_path / f"{key}.fastq.gz"
        path.write_text(key)
        unit[key] = str(path)
        fastq.append({"bytes": 3, "mtime_ns": path.stat().st_mtime_ns})
    path = tmp_path / "SAMPLE.cleared"
    path.write_text(clearance.text(clearance.judged([unit], [{"fastq": fastq}]), "female germline"))
    return path, [unit]


def test_it_holds_while_nothing_changes(cleared):
    assert clearance.holds(*cleared, "female germline")


@pytest.mark.parametrize("change", ["time", "size", "path", "another unit", "gone"])
def test_it_does_not_hold_for_other_reads(cleared, change):
    path, units = cleared
    fastq = units[0]["fq2"]
    if change == "time":
        os.utime(fastq, ns=(0, 0))
    elif change == "size":
        status = os.stat(fastq)
        with open(fastq, "a") as file:
            file.write("x")
        os.utime(fastq, ns=(status.st_atime_ns, status.st_mtime_ns))
    elif change == "path":
        os.rename(fastq, f"{fastq}.moved")
        units[0]["fq2"] = f"{fastq}.moved"
    elif change == "another unit":
        units.append({"fq1": str(path), "fq2": str(path)})
    else:
        path.unlink()
    assert not clearance.holds(path, units, "female germline")


def test_it_does_not_hold_for_another_sex(cleared):
    assert not clearance.holds(*cleared, "male germline")
