"""What the proofs share: a judgement in a process of its own, and how a failed proof is told."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

HERE = Path(__file__).parent
REPOSITORY = HERE.parents[1]


class NotProven(Exception):
    """A proof failed; the message says what."""


def failed(reasons: Iterable[str]) -> Iterator[str]:
    """Nothing where there is no reason; else NotProven, with all of them."""
    if reasons := list(reasons):
        raise NotProven("; ".join(reasons))
    yield from ()


def environment(**more: str) -> dict[str, str]:
    """The environment of a child: this one's, with the packages of the checkout."""
    path = os.pathsep.join([str(REPOSITORY / "scripts"), *filter(None, [os.environ.get("PYTHONPATH")])])
    return {**os.environ, "PYTHONPATH": path, **more}


def judged(ask: dict, limit: float = 600) -> dict:
    """One judgement by judge.py. Raises NotProven where it ends without an answer or takes `limit` seconds."""
    command = [sys.executable, str(HERE / "judge.py"), json.dumps(ask)]
    try:
        done = subprocess.run(command, capture_output=True, text=True, env=environment(), timeout=limit, check=False)
    except subprocess.TimeoutExpired:
        raise NotProven(f"{Path(ask['target']).name}: no answer within {limit:.0f} s") from None
    if done.returncode or "Traceback" in done.stderr:
        raise NotProven(f"{Path(ask['target']).name}: ended with {done.returncode}: {done.stderr.strip()[-2000:]}")
    return json.loads(done.stdout)


def remove(folder: Path) -> None:
    """Remove a folder that may hold sealed submissions."""
    for at, folders, _ in os.walk(folder):
        for name in folders:
            if not os.path.islink(path := os.path.join(at, name)):
                os.chmod(path, 0o755)
    shutil.rmtree(folder)
