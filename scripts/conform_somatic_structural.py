"""Entry of rule conform_somatic_structural: a tumour's VCF of structural variants, and what the report shows of it."""

import json
import sys
from pathlib import Path

import pysam

import ngc_profile
from ngc_wgs import conform, manta, somatic_structural, structural

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
    limits, columns = profile.data["somatic_structural"], [params.normal, tumour]
    filters, without = limits["filters"], {"CALLERS", "SOMATICSCORE"}
    with pysam.FastaFile(source.fasta) as fasta, pysam.VariantFile(source.calls) as calls, open(plain, "w") as vcf:
        how = (tumour, params.normal, params.sex, profile, lambda chrom, pos: fasta.fetch(chrom, pos - 1, pos).upper())
        found = {"delly": somatic_structural.events(calls, *how)}
        if source.manta:
            found["manta"] = somatic_structural.events(manta.read(source.manta, source.exclude), *how)
            filters, without = filters + limits["manta_filters"], ()
        callers, lines = ", ".join(found), structural.merged(found, profile.data["structural"])
        vcf.write(conform.header(profile, kind, columns, conform.md5s(source.identity), callers, filters, without))
        vcf.write("".join(f"{line}\n" for line in lines))
    conform.compress(plain)
    result |= somatic_structural.report(lines)
Path(output.report).write_text(json.dumps(result, indent=2) + "\n")
