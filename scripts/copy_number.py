"""Entry of rule copy_number: a sample's copy-number VCF, and what the report shows of it."""

import json
import sys
from pathlib import Path

import pysam

import ngc_profile
from ngc_wgs import conform, copy_number

sys.stderr = open(snakemake.log[0], "w", buffering=1)

source, output, params = snakemake.input, snakemake.output, snakemake.params
profile = ngc_profile.load(snakemake.config["profile"], snakemake.config["overlay"])
limits = profile.data["copy_number"]
refusals = json.loads(Path(source.not_called).read_text())
if refusals:
    # Empty files, which no tool takes for a VCF in which nothing was found.
    for path in (output.vcf, output.tbi):
        Path(path).touch()
    Path(output.report).write_text(json.dumps({"not_called": refusals[0]["reason"]}) + "\n")
    sys.exit()
sample, sex = params.sample["sample"], params.sample["sex"]
depths = copy_number.read_depths(source.all, source.unique, profile, sex)
ratio = copy_number.copy_ratios(depths, copy_number.read_table(source.denoised))
found = copy_number.stretches(depths, ratio, copy_number.read_table(source.segments), limits["gap"])
whole = copy_number.chromosomes(depths, ratio, found, profile)
aneuploid = copy_number.aneuploidies(whole, profile, limits)
calls = copy_number.named(found, whole, aneuploid)

md5s = conform.md5s(source.identity)
caller = "GATK ModelSegments"
plain = output.vcf.removesuffix(".gz")
with open(plain, "w") as out, pysam.FastaFile(source.fasta) as reference:
    out.write(conform.header(profile, "copy_number_vcf", [sample], md5s, caller, limits["filters"]))
    for call in calls:
        pos = max(call.start, 1)
        base = reference.fetch(call.contig, pos - 1, pos).upper()
        ploidy = profile.copies(call.contig, call.start + 1, sex)
        out.write(copy_number.record(call, base, ploidy, params.length, limits))
conform.compress(plain)
document = copy_number.document(depths, ratio, whole, aneuploid, calls, params.length, limits)
Path(output.report).write_text(json.dumps(document) + "\n")
