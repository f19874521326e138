"""Entry of rule preflight: stops the run before any compute over tools, the reference or the disk."""

import json
import re
import sys
from pathlib import Path

from ngc_wgs import intake, tables
from ngc_wgs.tools import ToolError, read_version

sys.stderr = open(snakemake.log[0], "w", buffering=1)

faults, tools = [], []
for path in snakemake.input.tools:
    name, text = Path(path).stem, Path(path).read_text(errors="replace")
    try:
        tools.append(read_version(name, snakemake.params.tools[name], text))
    except ToolError as error:
        faults.append(str(error))
        continue
    picard = re.search(r"Picard Version: (\S+)", text)
    if picard:
        tools.append({**tools[-1], "name": "picard", "version": picard[1], "pinned": picard[1], "minimum": picard[1]})

identity = json.loads(Path(snakemake.input.reference).read_text())
units = tables.read_tables(*snakemake.params.tables).units.values()
fastq_bytes = sum(Path(unit[fq]).stat().st_size for unit in units for fq in ("fq1", "fq2"))
disk = intake.free_disk(".", intake.estimate_disk(fastq_bytes)["needed_bytes"])
faults += map(intake.line, identity["findings"] + disk["findings"])
if faults:
    sys.exit("\n".join(["Preflight refuses the run:", *faults]))
Path(snakemake.output[0]).write_text(json.dumps({"tools": tools}, indent=2) + "\n")
