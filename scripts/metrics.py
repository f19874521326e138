"""Entry of rule metrics: all metrics of a sample, those of its calls beside those of its alignment, judged."""

import json
import sys
from dataclasses import asdict
from pathlib import Path

import ngc_profile
from ngc_wgs import metrics
from ngc_wgs.metrics import read

sys.stderr = open(snakemake.log[0], "w", buffering=1)

source, params = snakemake.input, snakemake.params
measured = json.loads(Path(source.measured).read_text())["samples"][params.sample["sample"]]
try:
    called = {}
    if source.somatic:
        called |= read(metrics.read_somatic, *source.somatic)
    if source.calls:
        called |= read(metrics.read_bcftools_stats, *source.calls)
        called |= read(metrics.read_structural, *source.structural)
    for measured_after in (source.mendel, source.pair):
        if measured_after:
            called |= read(metrics.read_measured, *measured_after)
except metrics.BadReport as error:
    sys.exit(str(error))
measured["values"] |= {name: asdict(item) for name, item in called.items()}
report = metrics.document(
    params.sample,
    params.study_type,
    measured,
    ngc_profile.load(source.profile, source.overlay or None),
    preflight=json.loads(Path(source.preflight).read_text()),
    waivers=params.waivers,
    stages=("alignment", "calling"),
)
Path(snakemake.output[0]).write_text(json.dumps(report, indent=2) + "\n")
