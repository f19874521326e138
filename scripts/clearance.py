"""Entry of rules intake_clearance and alignment_clearance: of which reads, and as whose, a sample passed a gate."""

import json
import sys
from pathlib import Path

from ngc_wgs import clearance

sys.stderr = open(snakemake.log[0], "w", buffering=1)

reports = [json.loads(Path(path).read_text()) for path in snakemake.input.reports]
reads = clearance.judged(snakemake.params.units, reports)
Path(snakemake.output[0]).write_text(clearance.text(reads, snakemake.params.as_whose))
