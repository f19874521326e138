"""The sender's commands: `keygen`, `sign`, `encrypt`, `index`, `status`, `efficiency`."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from ngc_wgs.errors import SealError


def add_commands(commands) -> None:
    """Add the sender's commands to an argument parser's."""
    keygen = commands.add_parser("keygen", help="make a key pair to sign with", description="Make signing.key, which "
                                 "nobody else may read, and signing.pub, which goes to the receiver.")  # fmt: skip
    keygen.add_argument("folder", metavar="DIR", type=Path, help="folder of the pair, new or closed to others")
    keygen.set_defaults(run=_told(_keygen))
    sign = commands.add_parser("sign", help="sign a sealed submission", description="Sign a sealed submission; an "
                               "earlier signature is replaced.")  # fmt: skip
    sign.add_argument("submission", metavar="SUBMISSION", type=Path)
    sign.add_argument("--key", metavar="FILE", type=Path, required=True, help="private key that `keygen` made")
    sign.set_defaults(run=_told(_sign))
    encrypt = commands.add_parser("encrypt", help="make an encrypted copy of a submission", description="Make a sealed "
                                  "copy whose payload is encrypted with Crypt4GH. Sign it afterwards.")  # fmt: skip
    encrypt.add_argument("submission", metavar="SUBMISSION", type=Path)
    encrypt.add_argument("out", metavar="OUT", type=Path, help="folder of the copy, not there yet")
    encrypt.add_argument("--recipient", metavar="FILE", type=Path, action="append", required=True,
                         help="Crypt4GH public key of a receiver; may be repeated")  # fmt: skip
    encrypt.set_defaults(run=_told(_encrypt))
    index = commands.add_parser("index", help="list a batch of submissions", description="List what submissions say of "
                                "themselves. Only their tag files are read: `check` is what judges.")  # fmt: skip
    index.add_argument("submissions", metavar="SUBMISSION", type=Path, nargs="+")
    index.add_argument("--out", metavar="FILE.tsv|FILE.json", type=Path, required=True)
    index.set_defaults(run=_told(_index))
    status = commands.add_parser("status", help="how far a run is", description="Jobs done, time left, cases by stage, "
                                 "and the last failures with the ends of their logs.")  # fmt: skip
    status.add_argument("directory", metavar="RUN", type=Path, help="working directory of the run")
    status.set_defaults(run=_told(_status))
    efficiency = commands.add_parser("efficiency", help="what jobs used of what they asked for", description="A table, "
                                     "a row a rule: memory, time and CPU used beside those asked for.")  # fmt: skip
    efficiency.add_argument("directory", metavar="RUN", type=Path, help="working directory of the run")
    efficiency.set_defaults(run=_told(_efficiency))


def _told(command):
    """The command with its faults told in one line; exit status 0 done, 2 not done."""

    def run(arguments: argparse.Namespace) -> int:
        try:
            command(arguments)
        except SealError as error:
            print(f"ngc-wgs {arguments.command}: {error}", file=sys.stderr)
            return 2
        except OSError as error:
            print(f"ngc-wgs {arguments.command}: {error.filename or ''}: {error.strerror}", file=sys.stderr)
            return 2
        return 0

    return run


# Each command loads what it needs and no more.


def _keygen(arguments: argparse.Namespace) -> None:
    from ngc_wgs import signing

    print(f"{arguments.folder}: key {signing.keygen(arguments.folder)}")


def _sign(arguments: argparse.Namespace) -> None:
    from ngc_wgs import signing

    print(f"{arguments.submission}: signed with key {signing.sign(arguments.submission, arguments.key)}")


def _encrypt(arguments: argparse.Namespace) -> None:
    from ngc_wgs import encryption

    count = encryption.encrypt(arguments.submission, arguments.out, arguments.recipient)
    print(f"{arguments.out}: {count} files encrypted, not signed yet")


def _index(arguments: argparse.Namespace) -> None:
    from ngc_wgs import batch

    batch.write_index(arguments.submissions, arguments.out)


def _status(arguments: argparse.Namespace) -> None:
    import time

    from ngc_wgs import progress

    print(progress.for_people(arguments.directory, time.time()))


def _efficiency(arguments: argparse.Namespace) -> None:
    from ngc_wgs import progress

    print(progress.efficiency(progress.read_benchmarks(arguments.directory / "benchmarks")))
