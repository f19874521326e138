"""Entry of rule count_somatic: what is counted of a tumour's somatic VCF, and its table of mutation contexts."""

import json
import sys
from pathlib import Path

import pysam
from isal import igzip

from ngc_wgs import somatic_counts

sys.stderr = open(snakemake.log[0], "w", buffering=1)

source, params, tumour = snakemake.input, snakemake.params, snakemake.wildcards.sample
with igzip.open(source.thresholds, "rt") as text:
    evaluated = somatic_counts.read_thresholds(text.read(), params.contigs, params.depth)
with pysam.FastaFile(source.fasta) as reference:
    found = somatic_counts.count(
        somatic_counts.read_calls(source.vcf, tumour),
        evaluated,
        lambda contig, start, end: reference.fetch(contig, start, end).upper(),
    )
Path(snakemake.output.contexts).write_text(somatic_counts.table(found["contexts"]))
result = {"sample": tumour, "normal": params.normal, **found}
Path(snakemake.output.counts).write_text(json.dumps(result, indent=2) + "\n")
