"""Entry of rule vcf_header: headers of a sample's submission VCF and gVCF."""

import json
import sys
from pathlib import Path

import ngc_profile
from ngc_wgs import conform

sys.stderr = open(snakemake.log[0], "w", buffering=1)

profile = ngc_profile.load(snakemake.config["profile"], snakemake.config["overlay"])
md5s = {contig["name"]: contig["md5"] for contig in json.loads(Path(snakemake.input.identity).read_text())["contigs"]}
for kind in ("vcf", "gvcf"):
    text = conform.header(
        profile, kind, snakemake.wildcards.sample, md5s, snakemake.params.source, snakemake.params.filters
    )
    Path(snakemake.output[kind]).write_text(text)
