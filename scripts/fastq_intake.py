"""Entry of rule fastq_intake: one unit's FASTQ pair, judged in one read of each file."""

import json
import sys
from pathlib import Path

from ngc_wgs import intake

sys.stderr = open(snakemake.log[0], "w", buffering=1)

report = intake.inspect_unit(snakemake.params.unit, snakemake.input.fq1, snakemake.input.fq2, snakemake.threads)
print(f"{report['unit']}: {report['status']}", *map(intake.line, report["findings"]), sep="\n", file=sys.stderr)
Path(snakemake.output[0]).write_text(json.dumps(report, indent=2) + "\n")
