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
filters, without, callers = limits["filters"], {"CALLERS"}, "delly"
with pysam.FastaFile(source.fasta) as fasta, pysam.VariantFile(source.calls) as calls, open(plain, "w") as vcf:
    how = (columns, snakemake.params.sexes, profile, lambda chrom, pos: fasta.fetch(chrom, pos - 1, pos).upper())
    if source.manta:
        excluded = manta.excluded(Path(source.exclude).read_text().splitlines())
        with pysam.VariantFile(source.manta) as others:
            found = {
                "delly": structural.events(calls, *how),
                "manta": structural.events(manta.calls(others, excluded), *how),
            }
        lines = structural.merged(found, limits["reciprocal_overlap"], limits["distance"])
        filters, without, callers = filters + limits["manta_filters"], (), "delly, manta"
    else:
        lines = structural.records(calls, *how)
    vcf.write(
        conform.header(profile, "structural_vcf", columns, conform.md5s(source.identity), callers, filters, without)
    )
    vcf.write("".join(f"{line}\n" for line in lines))
conform.compress(plain)
