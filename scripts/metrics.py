"""Entry of rule metrics: all metrics of a sample, those of its calls added to those of its alignment."""

import json
import sys
from pathlib import Path

import ngc_profile
from ngc_wgs import __version__, metrics
from ngc_wgs.metrics import read

sys.stderr = open(snakemake.log[0], "w", buffering=1)

source, row = snakemake.input, snakemake.params.sample
profile = ngc_profile.load(source.profile, source.overlay or None)
versions = {tool["name"]: tool["version"] for tool in json.loads(Path(source.preflight).read_text())["tools"]}
known = {item["biosample"]["id"]: item for item in json.loads(Path(source.aligned).read_text())["samples"]}
aligned = known[row["sample"]]
try:
    values = read(metrics.read_bcftools_stats, source.calls)
    if source.mendel:
        values |= read(metrics.read_measured, *source.mendel)
except metrics.BadReport as error:
    sys.exit(str(error))
called = metrics.judge(
    values,
    profile,
    stage="calling",
    sample_type=row["sample_type"],
    study_type=snakemake.params.study_type,
    versions={"intake": __version__, **versions},
    whole_genome=aligned["evaluation_regions"]["id"] == "whole_genome",
    waivers={waiver["rule"]: waiver for waiver in snakemake.params.waivers},
)
report = metrics.document(row["sample"], aligned["metrics"] + called, profile, aligned["evaluation_regions"])
Path(snakemake.output[0]).write_text(json.dumps(report, indent=2) + "\n")
