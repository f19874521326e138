"""Entry of rule contamination: a sample's share of reads from other people, with its error."""

import json
import sys
from pathlib import Path

from ngc_wgs import identity

sys.stderr = open(snakemake.log[0], "w", buffering=1)

source = snakemake.input
limits = snakemake.params.limits["cross_contamination_rate"]
try:
    if snakemake.config["contamination"] == "gatk":
        text, pileups = Path(source.gatk).read_text(), Path(source.pileups).read_text()
        matched = Path(source.matched).read_text() if source.get("matched") else None
        value = identity.read_gatk_contamination(text, pileups, source.gatk, limits, matched)
    else:
        value = identity.read_verifybamid2(Path(source.verifybamid2).read_text(), source.verifybamid2, limits)
except identity.IdentityError as error:
    sys.exit(str(error))
Path(snakemake.output.json).write_text(json.dumps({"cross_contamination_rate": value}, indent=2) + "\n")
# For FilterMutectCalls: what was not measured is taken as none, as without a table.
row = (snakemake.wildcards.sample, value["value"] or 0.0, value["error"] or 0.0)
Path(snakemake.output.table).write_text("sample\tcontamination\terror\n" + "\t".join(map(str, row)) + "\n")
