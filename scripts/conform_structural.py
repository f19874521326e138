"""Entry of rule conform_structural: the submission's VCF of structural variants; empty files where not called."""

import json
import sys
from pathlib import Path

import pysam

import ngc_profile
from ngc_wgs import conform, manta, structural

sys.stderr = open(snakemake.log[0], "w", buffering=1)

source, output = snakemake.input, snakemake.output
if json.loads(Path(source.not_called).read_text()):
    for path in output:
        Path(path).write_bytes(b"")
    sys.exit()
profile = ngc_profile.load(snakemake.config["profile"], snakemake.config["overlay"])
columns, plain = list(snakemake.params.sexes), output.vcf.removesuffix(".gz")
limits = profile.data["structural"]
filters, without = limits["filters"], {"CALLERS"}
with pysam.FastaFile(source.fasta) as fasta, pysam.VariantFile(source.calls) as calls, open(plain, "w") as vcf:
    how = (columns, snakemake.params.sexes, profile, lambda chrom, pos: fasta.fetch(chrom, pos - 1, pos).upper())
    found = {"delly": structural.events(calls, *how)}
    if source.manta:
        found["manta"] = structural.events(manta.read(source.manta, source.exclude), *how)
        filters, without = filters + limits["manta_filters"], ()
    callers, lines = ", ".join(found), structural.merged(found, limits)
    vcf.write(
        conform.header(profile, "structural_vcf", columns, conform.md5s(source.identity), callers, filters, without)
    )
    vcf.write("".join(f"{line}\n" for line in lines))
conform.compress(plain)
