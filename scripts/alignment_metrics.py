"""Entry of rule alignment_metrics: what is known of a case's samples before anything is called."""

import json
import sys
from pathlib import Path

import ngc_profile
from ngc_wgs import __version__, metrics, regions
from ngc_wgs.metrics import Measured, read

sys.stderr = open(snakemake.log[0], "w", buffering=1)

source, rows = snakemake.input, snakemake.params.case
profile = ngc_profile.load(source.profile, source.overlay or None)
versions = {tool["name"]: tool["version"] for tool in json.loads(Path(source.preflight).read_text())["tools"]}
files = {Path(path).name: path for path in [*source.intake, *source.alignment, *source.identity]}
lengths = regions.sizes(regions.read_bed(source.regions))
evaluation = snakemake.params.evaluation


def values_of(row, present):
    """All that was measured of a sample; present: bases of the evaluation regions on the contigs that its sex has."""
    sample, sex = row["sample"], row["sex"]
    units = [unit for unit, values in rows["units"].items() if values["sample"] == sample]
    summary = files[f"{sample}.mosdepth.summary.txt"]
    found = read(metrics.read_intake, *(files[f"{unit}.json"] for unit in units))
    found |= read(metrics.read_samtools_stats, files[f"{sample}.samtools_stats.txt"])
    found |= read(metrics.read_markdup, files[f"{sample}.markdup.json"])
    found |= read(metrics.read_mosdepth, summary, files[f"{sample}.thresholds.bed.gz"], also=(present,))
    found |= read(metrics.read_wgs_metrics, files[f"{sample}.wgs_metrics.txt"])
    read_length = found["mean_read_length"].value
    found |= read(metrics.read_sex, summary, files[f"{sample}.regions.bed.gz"], also=(profile, sex, read_length))
    if not source.identity:
        none = Measured(None, reason="no population VCF in the configuration")
        return found | dict.fromkeys(("identity_concordance", "kinship_concordance", "cross_contamination_rate"), none)
    found |= read(metrics.read_identity, files[f"{rows['case']['case']}.json"], also=(sample,))
    return found | read(metrics.read_measured, files[f"{sample}.contamination.json"])


def document(row):
    """A sample's metrics of the stage `alignment`."""
    present = {contig: lengths[contig] for contig in regions.present(profile, row["sex"]) if contig in lengths}
    judged = metrics.judge(
        values_of(row, present),
        profile,
        stage="alignment",
        sample_type=row["sample_type"],
        study_type=rows["case"]["study_type"],
        versions={"intake": __version__, **versions},
        whole_genome=evaluation["id"] == "whole_genome",
        waivers={waiver["rule"]: waiver for waiver in snakemake.params.waivers[row["sample"]]},
    )
    return metrics.document(row["sample"], judged, profile, {**evaluation, "bases": sum(present.values())})


try:
    samples = [document(row) for row in rows["samples"]]
except metrics.BadReport as error:
    sys.exit(str(error))
Path(snakemake.output[0]).write_text(json.dumps({"case": rows["case"]["case"], "samples": samples}, indent=2) + "\n")
