"""Entry of rule multiqc: one report for a case, from the files it is given and no others.

Runs in MultiQC's environment: standard library only.
"""

import sys
from pathlib import Path

from ngc_wgs import __version__, report

sys.stderr = open(snakemake.log[0], "w", buffering=1)

source, params = snakemake.input, snakemake.params
try:
    facts = report.gather(
        report.Facts(params.profile, workflow=__version__),
        params.cases,
        metrics=source.metrics,
        units=source.units,
        coverage=source.coverage,
        inserts=source.stats,
        identity=source.identity,
        families=source.families,
        mitochondria=source.mitochondria,
        copies=source.copies,
        dosage=source.dosage,
        homozygosity=source.homozygosity,
        preflight=[source.preflight],
        databases=source.databases,
        structural=source.structural,
        somatic_structural=source.somatic_structural,
        somatic_copies=source.somatic_copies,
        somatic=source.somatic,
        tumours=source.tumours,
    )
except report.ReportError as error:
    sys.exit(str(error))
report.write(
    report.sections(facts),
    f"ngc-wgs, case {snakemake.wildcards.case}",
    Path(snakemake.output[0]),
    Path(params.config),
    sys.stderr,
    files=[*source.fastp, *source.stats, *source.more, *source.calls],
    scratch=snakemake.resources.tmpdir,
)
