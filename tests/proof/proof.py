#!/usr/bin/env python3
"""What the project claims of itself, proven anew; a Markdown report on standard output.

    proof.py [--only NAME ...] [--part NAME ...] [--demo FOLDER] [--seed N] [--work FOLDER]

tamper       1,000 single bytes changed in a sealed submission, and whole files: each found
identifiers  every form in every place found and masked; a million read names and a run's output: no alarm
fuzz         spoiled manifests and tables, VCFs guided by coverage, and files built to fill memory or time
spec_files   the files of hts-specs for VCF 4.2
copy_number  deletions, duplications and aneuploidies in simulated people: found, false calls counted
family       a simulated trio against what was planted, a real one against its truth, heteroplasmies
sv           structural variants of a simulated trio against what was planted, by type and size
somatic      simulated tumours of three purities, with their normal and without; wrong pairs; real reads mixed; HCC1954
gates        reads with one fault each: its gate trips, no other
identity     swapped lanes and samples, wrong relatives, contamination: simulated reads and real ones, by the workflow
speed        a VCF of five million records beside bcftools; memory; one read for all digests
sites        the tiny demo run under one other condition at a time: the same submission to the last record
offline      a bare Debian without network, installed from the bundle, runs the demo (as root, with debootstrap)

--part takes parts of somatic only. --demo names a finished run of the demo. Ends with status 1 where a proof fails.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

TESTS = Path(__file__).resolve().parents[1]
sys.path[:0] = [
    str(TESTS.parent / "scripts"),
    *(str(TESTS / name) for name in ("unit", "bench", "simulate", "integration", "proof")),
]

import depths
import family
import fuzz
import gates
import identifiers
import measure as m
import offline
import persons
import sites
import somatic
import spec_files
import speed
import support
import sv
import tamper

PARTS: dict[str, Callable[..., Iterator[str]]] = {
    "tamper": tamper.run,
    "identifiers": identifiers.run,
    "fuzz": fuzz.run,
    "spec_files": spec_files.run,
    "copy_number": depths.run,
    "family": family.run,
    "sv": sv.run,
    "somatic": somatic.run,
    "gates": gates.run,
    "identity": persons.run,
    "speed": speed.run,
    "sites": sites.run,
    "offline": offline.run,
}


def main(arguments: list[str] | None = None) -> int:
    """Run the proofs asked for; 1 where one fails."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--only", action="append", choices=PARTS, metavar="NAME", help=f"of {', '.join(PARTS)}")
    parser.add_argument("--part", action="append", choices=somatic.PARTS, help="of somatic: only these parts")
    parser.add_argument("--demo", type=Path, help="the folder of a finished demo run")
    parser.add_argument("--seed", type=int, default=persons.SEED, help="of identity: draws other people and layouts")
    parser.add_argument("--work", type=Path, help="an empty folder for what is made, kept; else one that goes away")
    args = parser.parse_args(arguments)
    persons.SEED = args.seed
    print(f"# Proofs\n\n{m.machine()}\n", flush=True)
    status = 0
    with m.workplace(args.work) as place:
        for name in args.only or PARTS:
            (place / name).mkdir()
            more = {"demo": args.demo.resolve()} if name == "identifiers" and args.demo else {}
            more |= {"parts": args.part} if name == "somatic" and args.part else {}
            try:
                for text in PARTS[name](place / name, **more):
                    print(text, flush=True)
            except support.NotProven as error:
                print(f"**NOT PROVEN**: {error}\n", flush=True)
                status = 1
    return status


if __name__ == "__main__":
    sys.exit(main())
