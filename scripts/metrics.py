"""Entry of rule metrics: one sample's metrics under GA4GH's names, each with definition, tool, version and status."""

import gzip
import json
import sys
from pathlib import Path

import ngc_profile
from ngc_wgs import __version__, metrics, regions

sys.stderr = open(snakemake.log[0], "w", buffering=1)

source, sample = snakemake.input, snakemake.params.sample
profile = ngc_profile.load(source.profile, source.overlay or None)
tools = json.loads(Path(source.preflight).read_text())["tools"]
text = {name: Path(source[name]).read_text() for name in ("stats", "markdup", "mosdepth", "wgs", "calls")}
thresholds = gzip.decompress(Path(source.thresholds).read_bytes()).decode()
lengths = regions.sizes(regions.read_bed(source.regions))
present = {contig: lengths[contig] for contig in regions.present(profile, sample["sex"]) if contig in lengths}
values = {
    **metrics.read_intake(json.loads(Path(path).read_text()) for path in source.intake),
    **metrics.read_samtools_stats(text["stats"]),
    **metrics.read_markdup(text["markdup"]),
    **metrics.read_mosdepth(text["mosdepth"], thresholds, present),
    **metrics.read_mitochondrion(text["mosdepth"], profile),
    **metrics.read_wgs_metrics(text["wgs"]),
    **metrics.read_bcftools_stats(text["calls"]),
    **metrics.sex_concordance(text["mosdepth"], lengths, profile, sample["sex"]),
}
versions = {"intake": __version__, **{tool["name"]: tool["version"] for tool in tools}}
judged = metrics.judge(values, profile, sample["sample_type"], snakemake.params.study_type, versions)
report = {
    "sample": sample["sample"],
    "metrics_version": "1.0",
    "profile": {"id": profile.id, "version": profile.version},
    "evaluation_regions": {**snakemake.params.evaluation, "bases": sum(lengths.values())},
    "metrics": judged,
    "status": metrics.worst(judged, profile),
}
Path(snakemake.output[0]).write_text(json.dumps(report, indent=2) + "\n")
