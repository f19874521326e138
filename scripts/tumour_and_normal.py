"""Entry of rule tumour_and_normal: how much of a tumour is in its normal, and whether the two are swapped."""

import json
import sys
from pathlib import Path

from ngc_wgs import somatic

sys.stderr = open(snakemake.log[0], "w", buffering=1)

source, limits = snakemake.input, snakemake.params.limits
found = list(somatic.candidates(source.vcf, snakemake.wildcards.sample, snakemake.params.normal))
tumour, normal = (
    somatic.read_allelic_counts(Path(path).read_text().splitlines()) for path in (source.tumour, *source.normal)
)
result = {
    "tumour_in_normal": somatic.tumour_in_normal(found, limits["tumour_in_normal"]),
    "tumour_normal_order": somatic.order(found, tumour, normal, limits["tumour_normal_order"]),
}
Path(snakemake.output[0]).write_text(json.dumps(result, indent=2) + "\n")
