"""Entry of rule calling_gate: stops a case with a failed metric, of whatever stage, before it is packaged."""

import json
import sys
from pathlib import Path

import ngc_profile
from ngc_wgs import metrics, tables

sys.stderr = open(snakemake.log[0], "w", buffering=1)

profile = ngc_profile.load(snakemake.config["profile"], snakemake.config["overlay"])
waivers = tables.by_sample(tables.read_waivers(snakemake.config["waivers"]))
documents = [json.loads(Path(path).read_text()) for path in snakemake.input.metrics]
said = metrics.failures(documents, profile, waivers)
metrics.end_gate(
    "calling", snakemake.wildcards.case, said, snakemake.config["proceed_on_fail"], Path(snakemake.output[0])
)
