"""Entry of rule homozygosity: what the report says of a sample's runs of homozygosity and of its parents' alleles."""

import json
import sys
from dataclasses import asdict
from pathlib import Path

import ngc_profile
from ngc_wgs import homozygosity

sys.stderr = open(snakemake.log[0], "w", buffering=1)

source, params = snakemake.input, snakemake.params
profile = ngc_profile.load(snakemake.config["profile"], snakemake.config["overlay"])
limits = profile.data["homozygosity"]
lengths = {contig["name"]: contig["length"] for contig in profile.contigs("autosome")}
summary = homozygosity.summary(homozygosity.read_runs(Path(source.runs).read_text(), limits), lengths)
found = {"runs_of_homozygosity": summary, "disomies": None}
if source.family:
    father, mother = params.parents
    sites = homozygosity.trio_sites(source.family[0], snakemake.wildcards.sample, father, mother, lengths, limits)
    found["disomies"] = [
        {
            **asdict(item),
            "told": homozygosity.told(item, summary["chromosomes"].get(item.contig, 0), lengths[item.contig], limits),
        }
        for item in homozygosity.disomies(sites)
    ]
Path(snakemake.output[0]).write_text(json.dumps(found) + "\n")
