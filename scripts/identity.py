"""Entry of rule identity: lanes and relations of a case, judged."""

import json
import sys
from pathlib import Path

from ngc_wgs import identity, tables

sys.stderr = open(snakemake.log[0], "w", buffering=1)

source, case = snakemake.input, snakemake.wildcards.case
limits = snakemake.params.limits
sheet = tables.read_tables(*snakemake.params.tables)
own = json.loads(Path(source.genotypes).read_text())
lanes = [lane for sample in own["samples"].values() for lane in sample["lanes"]]
try:
    lods = identity.read_crosscheck(Path(source.crosscheck).read_text(), source.crosscheck, lanes)
    king = identity.read_king(Path(source.king).read_text(), source.king) if source.king else {}
except identity.IdentityError as error:
    sys.exit(str(error))
columns = {right for _, right in lods}
owners = {unit: row["sample"] for unit, row in sheet.units.items() if unit in columns}
known = columns & set(sheet.samples)
relations = identity.judge_relations(case, sheet.samples, king, limits["kinship_concordance"])
relatives = identity.unproven_relatives(relations, limits["kinship_concordance"])
concordance = identity.judge_lanes(case, sheet.samples, owners, lods, limits["identity_concordance"], known, relatives)
kinship = identity.judge_kinship(case, sheet.samples, relations, limits["kinship_concordance"])
report = {
    "case": case,
    "sites": own["sites"],
    "lanes": [{"unit": lane, "sample": owners[lane]} for lane in lanes],
    "lods": identity.lod_rows(lods, lanes, limits["identity_concordance"]),
    "relations": relations,
    "samples": {
        sample: {
            "identity_concordance": concordance[sample],
            **({"kinship_concordance": kinship[sample]} if sample in kinship else {}),
        }
        for sample in own["samples"]
    },
}
Path(snakemake.output[0]).write_text(json.dumps(report, indent=2) + "\n")
