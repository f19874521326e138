"""Opens a page from disk in headless Chromium, without a network, and tells what came of it."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
MISSING = "no Chromium on PATH; `make test` installs it where it can"
_LOGGED = re.compile(r'^\[\d+:\d+:\d{4}/(\d\d)(\d\d)(\d\d\.\d+):(\w+):CONSOLE[^\]]*\] "(.*)", source: ', re.MULTILINE)


@dataclass(frozen=True)
class Page:
    """An opened page: its DOM when the time was up, its console lines, and the addresses that it asked for.

    console: seconds of the day, level and text of each line.
    """

    dom: str
    console: list[tuple[float, str, str]]
    requests: list[str]


def open_page(page: Path, scratch: Path, budget: int = 20, screenshot: Path | None = None) -> Page:
    """Open `page`. budget: virtual seconds, in which waiting costs nothing. scratch: folder for the browser's own.

    Any address but the page's own file counts as asked for, also one that the browser then did not reach.
    """
    log = scratch / "net.json"
    command = [CHROMIUM, "--headless", "--no-sandbox", "--disable-gpu", "--window-size=1500,8000"]
    command += [f"--user-data-dir={scratch / 'profile'}", f"--log-net-log={log}", "--enable-logging=stderr"]
    command += ["--disable-background-networking", "--disable-component-update", "--no-first-run"]
    command += ["--host-resolver-rules=MAP * ~NOTFOUND", f"--virtual-time-budget={1000 * budget}"]
    command += [f"--screenshot={screenshot}", "--hide-scrollbars"] if screenshot else ["--dump-dom"]
    done = subprocess.run([*command, page.resolve().as_uri()], capture_output=True, text=True, timeout=300, check=True)
    console = [
        (3600 * int(hour) + 60 * int(minute) + float(second), level, text)
        for hour, minute, second, level, text in _LOGGED.findall(done.stderr)
    ]
    return Page(done.stdout, console, _requests(log, page))


def _requests(log: Path, page: Path) -> list[str]:
    """Addresses in a network log that a page caused; the browser's own have no page as their initiator."""
    text = log.read_text()
    try:
        events = json.loads(text)["events"]
    except json.JSONDecodeError:  # a browser that was ended has not closed its list
        events = json.loads(text.rstrip().rstrip(",") + "]}")["events"]
    found = (event.get("params", {}) for event in events)
    asked = {item["url"]: item.get("initiator") for item in found if "url" in item and "initiator" in item}
    own = page.resolve().as_uri()
    return sorted(url for url, who in asked.items() if who != "not an origin" and url != own)
