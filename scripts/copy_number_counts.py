"""Entry of rule copy_number_counts: a sample's counts for GATK, or why there is too little to call anything."""

import json
import sys
from pathlib import Path

import ngc_profile
from ngc_wgs import copy_number

sys.stderr = open(snakemake.log[0], "w", buffering=1)

source, output, params = snakemake.input, snakemake.output, snakemake.params
profile = ngc_profile.load(snakemake.config["profile"], snakemake.config["overlay"])
sample = params.sample["sample"]
depths = copy_number.read_depths(source.all, source.unique, profile, params.sample["sex"])
reason = copy_number.too_little(depths, profile.data["copy_number"])
file_type = {"tumour": "somatic_copy_number_vcf"}.get(params.sample["sample_type"], "copy_number_vcf")
entry = {"file_type": file_type, "sample": sample, "reason": reason}
Path(output.not_called).write_text(json.dumps([entry] if reason else []) + "\n")
Path(output.counts).touch()
Path(output.unused).touch()
if not reason:
    bins = list(zip(depths.contig.tolist(), depths.start.tolist(), depths.end.tolist(), strict=True))
    rows = zip(bins, copy_number.counts(depths).tolist(), strict=True)
    copy_number.write_gatk(Path(output.counts), Path(source.dict).read_text(), "COUNT", rows, sample)
    used = (depths.mappable & (depths.expected > 0)).tolist()
    lines = ("\t".join(map(str, part)) for part, use in zip(bins, used, strict=True) if not use)
    Path(output.unused).write_text("".join(f"{line}\n" for line in lines))
