"""Entry of rule family_report: members, joint variants, de novo candidates and Mendelian errors of a case."""

import json
import sys
from pathlib import Path

from ngc_wgs import family

sys.stderr = open(snakemake.log[0], "w", buffering=1)

with open(snakemake.input.counts) as records:
    found = family.summary(
        snakemake.wildcards.case, snakemake.params.members, records, snakemake.params.autosomes.split(",")
    )
Path(snakemake.output[0]).write_text(json.dumps(found, indent=1) + "\n")
