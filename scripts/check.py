"""Entry of rule check: the receiver's own command on the submission; fails only where it could not judge."""

import subprocess
import sys
from pathlib import Path

command = [sys.executable, "-m", "ngc_check.cli", "check", snakemake.params.submission, "--json"]
command += ["--profile", snakemake.input.profile, "--reference", snakemake.input.fasta]
with open(snakemake.log[0], "w") as log, open(snakemake.output[0], "w") as output:
    status = subprocess.run(command, stdout=output, stderr=log, cwd=None, env=None).returncode
if status not in (0, 1):
    sys.exit(f"The checker could not judge the submission:\n{Path(snakemake.log[0]).read_text()}")
