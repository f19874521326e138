"""Entry of rule conform_somatic_structural: a tumour's VCF of structural variants, and what the report shows of it."""

import json
import sys
from pathlib import Path

import pysam

import ngc_profile
from ngc_wgs import conform, somatic_structural

sys.stderr = open(snakemake.log[0], "w", buffering=1)

source, output, params = snakemake.input, snakemake.output, snakemake.params
tumour = snakemake.wildcards.sample
entries = json.loads(Path(source.not_called).read_text())
result = {"sample": tumour, "not_called": next((entry["reason"] for entry in entries), None)}
if entries:
    for path in (output.vcf, output.tbi):
        Path(path).write_bytes(b"")
else:
    profile = ngc_profile.load(snakemake.config["profile"], snakemake.config["overlay"])
    kind, plain = "somatic_structural_vcf", output.vcf.removesuffix(".gz")
    filters, columns = profile.data["somatic_structural"]["filters"], [params.normal, tumour]
    with pysam.FastaFile(source.fasta) as fasta, pysam.VariantFile(source.calls) as calls, open(plain, "w") as vcf:
        lines = somatic_structural.records(
            calls, tumour, params.normal, params.sex, profile,
            lambda chrom, pos: fasta.fetch(chrom, pos - 1, pos).upper(),
        )  # fmt: skip
        vcf.write(conform.header(profile, kind, columns, conform.md5s(source.identity), "delly", filters))
        vcf.write("".join(f"{line}\n" for line in lines))
    conform.compress(plain)
    result |= somatic_structural.report(lines)
Path(output.report).write_text(json.dumps(result, indent=2) + "\n")
