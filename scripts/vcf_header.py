"""Entry of the rules that make headers: one header for each content that the output names."""

import sys
from pathlib import Path

import ngc_profile
from ngc_wgs import conform

sys.stderr = open(snakemake.log[0], "w", buffering=1)

profile = ngc_profile.load(snakemake.config["profile"], snakemake.config["overlay"])
md5s = conform.md5s(snakemake.input.identity)
params = snakemake.params
for kind, path in snakemake.output.items():
    Path(path).write_text(conform.header(profile, kind, params.samples, md5s, params.source, params.filters))
