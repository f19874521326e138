"""Entry of rule encrypt: a sealed, encrypted copy of an accepted submission, signed where the site has a key."""

import json
import sys
from pathlib import Path

from ngc_wgs import encryption, package, signing

sys.stderr = open(snakemake.log[0], "w", buffering=1)

copy = Path(snakemake.params.encrypted)
package.discard(copy)
recipients = [Path(path) for path in snakemake.input.recipients]
files = encryption.encrypt(Path(snakemake.params.submission), copy, recipients)
if key := snakemake.config["signing_key"]:
    signing.sign(copy, Path(key))
receipt = {"case": snakemake.wildcards.case, "encrypted": str(copy), "files": files}
Path(snakemake.output.receipt).write_text(json.dumps(receipt, indent=2) + "\n")
