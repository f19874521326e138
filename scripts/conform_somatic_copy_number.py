"""Entry of rule conform_somatic_copy_number: a tumour's copy-number VCF, and what the report shows of it."""

import json
import sys
from pathlib import Path

import pysam

import ngc_profile
from ngc_wgs import conform, copy_number, somatic_copy_number

sys.stderr = open(snakemake.log[0], "w", buffering=1)

source, output, params = snakemake.input, snakemake.output, snakemake.params
refusals = json.loads(Path(source.not_called).read_text())
if refusals:
    for path in (output.vcf, output.tbi):
        Path(path).write_bytes(b"")
    Path(output.report).write_text(json.dumps({"not_called": refusals[0]["reason"]}) + "\n")
    sys.exit()
profile = ngc_profile.load(snakemake.config["profile"], snakemake.config["overlay"])
limits = profile.data["somatic_copy_number"]
found = somatic_copy_number.segments(copy_number.read_table(source.segments), copy_number.read_table(source.called))
plain = output.vcf.removesuffix(".gz")
kind, caller = "somatic_copy_number_vcf", "GATK ModelSegments"
with open(plain, "w") as out, pysam.FastaFile(source.fasta) as reference:
    md5s = conform.md5s(source.identity)
    out.write(conform.header(profile, kind, [snakemake.wildcards.sample], md5s, caller, limits["filters"]))
    for segment in found:
        pos = max(segment.start, 1)
        base = reference.fetch(segment.contig, pos - 1, pos).upper()
        out.write(somatic_copy_number.record(segment, base, params.length, limits) or "")
conform.compress(plain)
matched = any(json.loads(Path(path).read_text()) == [] for path in source.get("normal", []))
document = somatic_copy_number.document(found, params.length, matched, limits)
Path(output.report).write_text(json.dumps(document) + "\n")
