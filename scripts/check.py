"""Entry of rule check: the receiver's own command on the submission; fails only where it could not judge."""

import os
import subprocess
import sys
from pathlib import Path

from ngc_wgs import signing

command = [sys.executable, "-m", "ngc_check.cli", "check", snakemake.params.submission, "--json"]
command += ["--profile", snakemake.input.profile, "--reference", snakemake.input.fasta]
command += ["--threads", str(snakemake.threads)]
if key := snakemake.config["signing_key"]:
    command += ["--public-key", str(signing.public_half(Path(key)))]
# A process of its own does not inherit where this one finds the checker's modules: beside this script.
environment = {**os.environ, "PYTHONPATH": snakemake.scriptdir}
with open(snakemake.log[0], "w") as log, open(snakemake.output[0], "w") as output:
    status = subprocess.run(command, stdout=output, stderr=log, env=environment).returncode
# Python itself ends with 1 where the checker does not even start.
if status not in (0, 1) or not Path(snakemake.output[0]).stat().st_size:
    sys.exit(f"The checker could not judge the submission:\n{Path(snakemake.log[0]).read_text()}")
