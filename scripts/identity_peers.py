"""Entry of rule identity_peers: the case's genotypes, and what of other cases is there to compare with."""

import gzip
import json
import os
import sys
from pathlib import Path

from ngc_wgs import identity, tables

sys.stderr = open(snakemake.log[0], "w", buffering=1)

source, output, case = snakemake.input, snakemake.output, snakemake.wildcards.case
sheet = tables.read_tables(*snakemake.params.tables)
with gzip.open(source.alleles, "rt") as file:
    sites = [(fields[0], int(fields[1])) for fields in (line.split("\t") for line in file)]
own = {"case": case, "sites": len(sites), "sites_sha256": identity.digest(repr(sites)), "samples": {}}
try:
    for path in source.fingerprints:
        with gzip.open(path, "rt") as file:
            lanes, found = identity.read_fingerprint(file, path)
        genotypes = "".join(found.get(site, ".") for site in sites)
        own["samples"][Path(path).name.split(".")[0]] = {"lanes": lanes, "genotypes": genotypes}
except (EOFError, OSError) as error:
    sys.exit(str(identity.unusable(path, f"cannot be read ({error})")))
except identity.IdentityError as error:
    sys.exit(str(error))
# In one rename: another case may be looking.
partial = Path(f"{output.genotypes}.partial")
partial.write_text(json.dumps(own) + "\n")
os.replace(partial, output.genotypes)

others = list(identity.peers(case, sheet.cases, own["sites_sha256"], Path(output.genotypes).parent))
genotypes = {name: sample["genotypes"] for report in [own, *others] for name, sample in report["samples"].items()}
Path(output.vcf).write_text(identity.genotypes_vcf(sites, genotypes))
# Picard takes these paths for URIs: a folder with a space in its name must not be part of them.
folder = Path(output.genotypes).parent
fingerprints = {name: f"{folder}/{name}.fingerprint.vcf.gz" for name in genotypes}
Path(output.own).write_text("".join(f"{fingerprints[name]}\n" for name in own["samples"]))
known = [Path(path).resolve().as_uri() for path in source.known]
compared = [path for path in fingerprints.values() if os.path.isfile(path)]
Path(output.peers).write_text("".join(f"{path}\n" for path in [*compared, *known]))
