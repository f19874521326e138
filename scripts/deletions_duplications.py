"""Entry of rule deletions_duplications: a sample's deletions and duplications by read pairs beside those by depth."""

import json
import sys
from pathlib import Path

import pysam

from ngc_wgs import structural

sys.stderr = open(snakemake.log[0], "w", buffering=1)

source, params = snakemake.input, snakemake.params
sample = snakemake.wildcards.sample
ways = {"reads": (source.structural, source.no_structural), "depth": (source.copy_number, source.no_copy_number)}
reasons = {way: entry["reason"] for way, (_, reason) in ways.items() for entry in json.loads(Path(reason).read_text())}
records = {}
for way, (path, _) in ways.items():
    if way in reasons:
        records[way] = []
    else:
        # pysam opens no empty file, which is what there is of a VCF that was not called.
        with pysam.VariantFile(path) as calls:
            records[way] = list(calls)
result = {
    "sample": sample,
    "least": params.least,
    "not_called": reasons,
    "variants": structural.beside_depth(records["reads"], records["depth"], sample, params.overlap, params.least),
}
Path(snakemake.output[0]).write_text(json.dumps(result, indent=2) + "\n")
