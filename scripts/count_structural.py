"""Entry of rule count_structural: how many structural variants a sample carries, by type and class of size."""

import json
import sys
from pathlib import Path

import pysam

from ngc_wgs import structural

sys.stderr = open(snakemake.log[0], "w", buffering=1)

sample = snakemake.wildcards.sample
entries = json.loads(Path(snakemake.input.not_called).read_text())
result = {"sample": sample, "not_called": next((entry["reason"] for entry in entries), None), "counts": None}
if not entries:
    with pysam.VariantFile(snakemake.input.vcf) as calls:
        result["counts"] = structural.counts(calls, sample)
Path(snakemake.output[0]).write_text(json.dumps(result, indent=2) + "\n")
