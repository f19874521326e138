"""Entry of rule mitochondrion_report: a sample's depth along the mitochondrion and its variants."""

import json
import sys
from pathlib import Path

import pysam

from ngc_wgs import mitochondrion

sys.stderr = open(snakemake.log[0], "w", buffering=1)

source, params = snakemake.input, snakemake.params
with pysam.VariantFile(source.vcf) as records:
    length = records.header.contigs[params.contig].length
    variants = [
        {
            "pos": record.pos,
            "ref": record.ref,
            "alt": record.alts[0],
            "fraction": round(record.samples[0]["AF"][0], 4),
            "depth": record.samples[0]["DP"],
            "genotype": "/".join(map(str, record.samples[0]["GT"])),
            "filters": [name for name in record.filter if name != "PASS"],
        }
        for record in records
    ]
with open(source.depths) as lines:
    depths = mitochondrion.depths(lines, params.contig, length, params.ends)
found = mitochondrion.summary(snakemake.wildcards.sample, depths, variants)
Path(snakemake.output[0]).write_text(json.dumps(found, indent=1) + "\n")
