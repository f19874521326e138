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
    limits, joined, columns = profile.data["somatic_structural"], profile.data["structural"], [params.normal, tumour]
    filters, without, callers = limits["filters"], {"CALLERS", "SOMATICSCORE"}, "delly"
    with pysam.FastaFile(source.fasta) as fasta, pysam.VariantFile(source.calls) as calls, open(plain, "w") as vcf:
        how = (tumour, params.normal, params.sex, profile, lambda chrom, pos: fasta.fetch(chrom, pos - 1, pos).upper())
        if source.manta:
            excluded = manta.excluded(Path(source.exclude).read_text().splitlines())
            with pysam.VariantFile(source.manta) as others:
                found = {
                    "delly": somatic_structural.events(calls, *how),
                    "manta": somatic_structural.events(manta.calls(others, excluded), *how),
                }
            lines = structural.merged(found, joined["reciprocal_overlap"], joined["distance"])
            filters, without, callers = filters + limits["manta_filters"], (), "delly, manta"
        else:
            lines = somatic_structural.records(calls, *how)
        vcf.write(conform.header(profile, kind, columns, conform.md5s(source.identity), callers, filters, without))
        vcf.write("".join(f"{line}\n" for line in lines))
    conform.compress(plain)
    result |= somatic_structural.report(lines)
Path(output.report).write_text(json.dumps(result, indent=2) + "\n")
