"""Entry of the rules alignment_gate and calling_gate: stops a case of which a metric of the stage failed."""

import json
import sys
from pathlib import Path

import ngc_profile
from ngc_wgs import metrics

sys.stderr = open(snakemake.log[0], "w", buffering=1)

source, stage, waivers = snakemake.input, snakemake.params.stage, snakemake.params.waivers
profile = ngc_profile.load(source.profile, source.overlay or None)
found = [json.loads(Path(path).read_text()) for path in source.metrics]
documents = [sample for item in found for sample in item.get("samples", [item])]
said = metrics.failures(documents, profile, stage, waivers)
if said:
    print("\n".join([f"The {stage} gate refuses case {snakemake.wildcards.case}:", *said]), file=sys.stderr)
    if not snakemake.params.proceed:
        sys.exit(1)
    print("proceed_on_fail: the case runs on, and its submission stays refused.", file=sys.stderr)
Path(snakemake.output[0]).write_text("\n".join(["proceeded on a failure", *said] if said else ["passed"]) + "\n")
