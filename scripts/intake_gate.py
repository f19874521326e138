"""Entry of rule intake_gate: stops a case of which a unit was refused, or which shares reads with another unit.

Its output says which code of the workflow the case began with.
"""

import json
import sys
from pathlib import Path

from ngc_wgs import intake, release, tables

sys.stderr = open(snakemake.log[0], "w", buffering=1)

own = [json.loads(Path(path).read_text()) for path in snakemake.input]
names = {report["unit"] for report in own}
# Reports of other cases that are already there: of two units with the same reads, the later one finds the earlier.
others = [Path(f"results/intake/{unit}.json") for unit in tables.read_tables(*snakemake.params.tables).units]
reports = own + [json.loads(path.read_text()) for path in others if path.stem not in names and path.is_file()]
findings = [finding for report in own for finding in report["findings"]]
findings += [
    finding
    for finding in intake.judge_case(reports)
    if finding["code"] != "UNIT_REFUSED" and any(name in finding["where"] for name in names)
]
if findings:
    sys.exit("\n".join([f"Intake refuses case {snakemake.wildcards.case}:", *map(intake.line, findings)]))
# Packaging asks again: who edits the workflow while a case is under way is told of in its manifest.
code = release.code_sha256(Path(snakemake.scriptdir).parent)
Path(snakemake.output[0]).write_text(json.dumps({"code_sha256": code}) + "\n")
