"""Entry of rule accept: fails for a submission that the checker refused."""

import json
import sys
from pathlib import Path

from ngc_wgs import verdict

sys.stderr = open(snakemake.log[0], "w", buffering=1)

report = json.loads(Path(snakemake.input[0]).read_text())
reasons = verdict.reasons(report)
if report["verdict"] != "CONFORMS":
    sys.exit(f"Submission {snakemake.wildcards.case} is refused:\n" + "\n".join(reasons))
