"""Entry of rule alignment_gate: judges what was measured of a case before it is called, and stops it on a FAIL."""

import json
import sys
from pathlib import Path

import ngc_profile
from ngc_wgs import metrics, tables

sys.stderr = open(snakemake.log[0], "w", buffering=1)

source, case, config = snakemake.input, snakemake.wildcards.case, snakemake.config
profile = ngc_profile.load(config["profile"], config["overlay"])
samples = json.loads(Path(source.measured).read_text())["samples"]
waivers = tables.by_sample(tables.read_waivers(config["waivers"]))
documents = [
    metrics.document(
        row,
        snakemake.params.study_type,
        samples[row["sample"]],
        profile,
        preflight=json.loads(Path(source.preflight).read_text()),
        waivers=waivers.get(row["sample"], []),
        stages=["alignment"],
    )
    for row in snakemake.params.samples
]
Path(snakemake.log.judged).write_text(json.dumps({"case": case, "samples": documents}, indent=2) + "\n")
said = metrics.failures(documents, profile, waivers)
metrics.end_gate("alignment", case, said, snakemake.config["proceed_on_fail"], Path(snakemake.output[0]))
