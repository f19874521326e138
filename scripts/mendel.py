"""Entry of rule mendel: how often a trio's index has what its parents cannot give."""

import json
import sys
from pathlib import Path

from ngc_wgs import identity

sys.stderr = open(snakemake.log[0], "w", buffering=1)

source = snakemake.input
limits = snakemake.params.limits["mendelian_error_rate"]
try:
    value = identity.read_mendel(Path(source.violations).read_text(), source.violations, limits)
except identity.IdentityError as error:
    sys.exit(str(error))
Path(snakemake.output[0]).write_text(json.dumps({"mendelian_error_rate": value}, indent=2) + "\n")
