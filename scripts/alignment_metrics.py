"""Entry of rule alignment_metrics: what was measured of a case's samples before anything is called, not judged yet."""

import json
import sys
from dataclasses import asdict
from pathlib import Path

import ngc_profile
from ngc_wgs import metrics, regions
from ngc_wgs.metrics import Measured, read

sys.stderr = open(snakemake.log[0], "w", buffering=1)

source, case = snakemake.input, snakemake.wildcards.case
profile = ngc_profile.load(snakemake.config["profile"], snakemake.config["overlay"])
files = {Path(path).name: path for path in [*source.intake, *source.alignment, *source.identity]}
lengths = regions.sizes(regions.read_bed(source.regions))


def values_of(sample, units, present):
    """All that was measured of a sample; present: bases of the evaluation regions on the contigs that its sex has."""
    summary = files[f"{sample}.mosdepth.summary.txt"]
    found = read(metrics.read_intake, *(files[f"{unit}.json"] for unit in units))
    found |= read(metrics.read_samtools_stats, files[f"{sample}.samtools_stats.txt"])
    found |= read(metrics.read_markdup, files[f"{sample}.markdup.json"])
    found |= read(metrics.read_mosdepth, summary, files[f"{sample}.thresholds.bed.gz"], also=(present,))
    found |= read(metrics.read_mitochondrion, summary, also=(profile,))
    found |= read(metrics.read_wgs_metrics, files[f"{sample}.wgs_metrics.txt"])
    read_length = found["mean_read_length"].value
    found |= read(metrics.read_sex, summary, files[f"{sample}.regions.bed.gz"], also=(profile, read_length))
    if not source.identity:
        none = Measured(None, reason="no population VCF in the configuration")
        return found | dict.fromkeys(("identity_concordance", "kinship_concordance", "cross_contamination_rate"), none)
    found |= read(metrics.read_identity, files[f"{case}.json"], also=(sample,))
    return found | read(metrics.read_measured, files[f"{sample}.contamination.json"])


samples, found = {}, {}
normal = next((row["sample"] for row in snakemake.params.samples if row["sample_type"] == "germline"), None)
try:
    for row in snakemake.params.samples:
        present = {contig: lengths[contig] for contig in regions.present(profile, row["sex"]) if contig in lengths}
        found[row["sample"]] = values_of(row["sample"], row["units"], present)
except metrics.BadReport as error:
    sys.exit(str(error))
for row in snakemake.params.samples:
    values = found[row["sample"]]
    if row["sample_type"] == "tumour" and normal:
        both = values["mean_coverage"], found[normal]["mean_coverage"]
        values["tumour_over_normal_coverage"] = metrics.tumour_over_normal(*both)
    samples[row["sample"]] = {
        "evaluation_regions": {**snakemake.params.evaluation, "bases": sum(lengths.values())},
        "values": {name: asdict(item) for name, item in values.items()},
    }
Path(snakemake.output[0]).write_text(json.dumps({"case": case, "samples": samples}, indent=2) + "\n")
