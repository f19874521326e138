"""Entry of rule compare_tumours: which somatic variants a person's tumours share."""

import json
import sys
from pathlib import Path

from ngc_wgs import somatic_counts

sys.stderr = open(snakemake.log[0], "w", buffering=1)

vcfs = zip(snakemake.params.tumours, snakemake.input.vcfs, strict=True)
found = somatic_counts.compare({tumour: somatic_counts.read_calls(vcf, tumour) for tumour, vcf in vcfs})
Path(snakemake.output[0]).write_text(json.dumps({"case": snakemake.wildcards.case, **found}, indent=2) + "\n")
