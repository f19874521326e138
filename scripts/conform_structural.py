"""Entry of rule conform_structural: the submission's VCF of structural variants; empty files where not called."""

import json
import sys
from pathlib import Path

import pysam

import ngc_profile
from ngc_wgs import conform, structural

sys.stderr = open(snakemake.log[0], "w", buffering=1)

source, output = snakemake.input, snakemake.output
if json.loads(Path(source.not_called).read_text()):
    for path in output:
        Path(path).write_bytes(b"")
    sys.exit()
profile = ngc_profile.load(snakemake.config["profile"], snakemake.config["overlay"])
columns, plain = list(snakemake.params.sexes), output.vcf.removesuffix(".gz")
filters = profile.data["structural"]["filters"]
with pysam.FastaFile(source.fasta) as fasta, pysam.VariantFile(source.calls) as calls, open(plain, "w") as vcf:
    lines = structural.records(
        calls, columns, snakemake.params.sexes, profile, lambda chrom, pos: fasta.fetch(chrom, pos - 1, pos).upper()
    )
    vcf.write(conform.header(profile, "structural_vcf", columns, conform.md5s(source.identity), "delly", filters))
    vcf.write("".join(f"{line}\n" for line in lines))
conform.compress(plain)
