#!/usr/bin/env python3
"""Size of a run's report, what it costs to make and how long it takes to open; a Markdown table on standard output.

    report.py [--samples N ...] [--keep FOLDER]

Metrics are made up from a seed (tests/simulate/make_results.py), four lanes a sample. Each report is opened three times
in headless Chromium, from disk; the median counts. load: from the first byte of the page's head to its load event;
drawn: to the moment all plots are. Wall seconds: a busy machine makes them larger.
"""

from __future__ import annotations

import argparse
import resource
import statistics
import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory

HOUSE = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(HOUSE / name) for name in ("scripts", "tests", "tests/simulate")]
import make_results

import browser
from ngc_wgs import report

SAMPLES = (1, 30, 300, 1000)
OPENED = 3
START = "<script>console.log('bench start')</script>"
END = """<script>
addEventListener("load", () => console.log("bench load"));
(function look() {
    const left = document.querySelectorAll(".hc-plot.not_loaded, .render_plot").length;
    const drawn = document.querySelectorAll(".hc-plot .main-svg").length;
    left === 0 && drawn > 0 ? console.log("bench drawn") : setTimeout(look, 20);
})();
</script>"""


def make(number: int, folder: Path) -> tuple[Path, float, float]:
    """A run's report of `number` samples: the file, wall and CPU seconds, gathering included."""
    made = make_results.make(folder, number)
    verdicts = [(case, "ACCEPTED", ()) for case in dict.fromkeys(made.samples.values())]
    page = made.results / "run.multiqc.html"
    wall, used = time.monotonic(), cpu()
    facts = report.gather_run(report.Facts(made.profile, verdicts), made.samples, made.units, made.results)
    with open(folder / "log", "w") as log:
        report.write(report.sections(facts), f"{number} samples", page, HOUSE / "config" / "multiqc.yaml", log)
    return page, time.monotonic() - wall, cpu() - used


def cpu() -> float:
    """CPU seconds of this process and of its children that have ended."""
    usages = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(usage.ru_utime + usage.ru_stime for usage in usages)


def opening(page: Path) -> tuple[float, float]:
    """Seconds to the load event, and until all plots are drawn."""
    text = page.read_text().replace("<head>", f"<head>{START}", 1)
    head, tail = text.rsplit("</body>", 1)
    with TemporaryDirectory() as scratch:
        copy = Path(scratch) / "page.html"
        copy.write_text(f"{head}{END}</body>{tail}")
        seen = {text: at for at, _, text in browser.open_page(copy, Path(scratch), budget=60).console}
    return seen["bench load"] - seen["bench start"], seen["bench drawn"] - seen["bench start"]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--samples", type=int, nargs="+", default=SAMPLES)
    parser.add_argument("--keep", type=Path, help="a folder that keeps the reports")
    arguments = parser.parse_args()
    if browser.CHROMIUM is None:
        sys.exit(browser.MISSING)
    print("| samples | MB | made in, s wall | s CPU | load, s | drawn, s |\n|---|---|---|---|---|---|")
    for number in arguments.samples:
        with TemporaryDirectory() as scratch:
            page, wall, used = make(number, (arguments.keep or Path(scratch)) / str(number))
            times = [opening(page) for _ in range(OPENED)]
            load, drawn = (statistics.median(column) for column in zip(*times, strict=True))
            size = page.stat().st_size / 1e6
            print(f"| {number} | {size:.1f} | {wall:.1f} | {used:.1f} | {load:.1f} | {drawn:.1f} |", flush=True)


if __name__ == "__main__":
    main()
