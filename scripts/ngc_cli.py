"""The command `ngc-wgs`: the judge's `check` and `compare` and the sender's commands under one name.

The two sides meet here and nowhere else; `python -m ngc_check.cli check` is the judge alone.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

import ngc_check.cli
import ngc_wgs.cli


def main(argv: Sequence[str] | None = None) -> int:
    """Run a command; returns its exit status."""
    top = argparse.ArgumentParser(prog="ngc-wgs", description="Tools of the NGC whole-genome workflow.")
    commands = top.add_subparsers(dest="command", required=True, metavar="COMMAND")
    ngc_check.cli.add_check(commands)
    ngc_check.cli.add_compare(commands)
    ngc_wgs.cli.add_commands(commands)
    arguments = top.parse_args(argv)
    return arguments.run(arguments)


if __name__ == "__main__":
    sys.exit(main())
