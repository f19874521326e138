"""Entry of rule identity_peers: the case's genotypes, and what of other cases is there to compare with."""

import gzip
import json
import os
import sys
from pathlib import Path

from ngc_wgs import SHOWN_LANES, identity, tables

sys.stderr = open(snakemake.log[0], "w", buffering=1)

source, output, case = snakemake.input, snakemake.output, snakemake.wildcards.case
sheet = tables.read_tables(*snakemake.params.tables)
with gzip.open(source.alleles, "rt") as file:
    sites = [(fields[0], int(fields[1])) for fields in (line.split("\t") for line in file)]
fingerprints = {}
own = {"case": case, "sites": len(sites), "sites_sha256": identity.digest(repr(sites)), "samples": {}}
try:
    for path in source.fingerprints:
        with gzip.open(path, "rt") as file:
            lanes, likelihoods = identity.read_fingerprint(file, path)
        name = Path(path).name.split(".")[0]
        own["samples"][name] = {"lanes": lanes, "genotypes": identity.genotypes_of(likelihoods, sites)}
        fingerprints[name] = likelihoods
except (EOFError, OSError) as error:
    sys.exit(str(identity.unusable(path, f"cannot be read ({error})")))
except identity.IdentityError as error:
    sys.exit(str(error))
# In one rename: another case may be looking.
partial = Path(f"{output.genotypes}.partial")
partial.write_text(json.dumps(own) + "\n")
os.replace(partial, output.genotypes)

others = {
    name: sample
    for report in identity.peers(case, sheet.cases, own["sites_sha256"], Path(output.genotypes).parent)
    for name, sample in report["samples"].items()
}
samples = {**own["samples"], **others}
genotypes = {name: sample["genotypes"] for name, sample in samples.items()}
Path(output.vcf).write_text(identity.genotypes_vcf(sites, genotypes))
Path(output.pairs).write_text(identity.king_pairs(own["samples"], others))
compared = set(others)
if sum(len(sample["lanes"]) for sample in samples.values()) > SHOWN_LANES:
    peers = {name: genotypes[name] for name in others}
    compared = set().union(
        *(identity.nearest(found, sites, peers, identity.NEAREST) for found in fingerprints.values())
    )
# Picard takes these paths for URIs: a folder with a space in its name must not be part of them.
folder = Path(output.genotypes).parent
files = {name: f"{folder}/{name}.fingerprint.vcf.gz" for name in samples if name in own["samples"] or name in compared}
Path(output.own).write_text("".join(f"{files[name]}\n" for name in own["samples"]))
known = [Path(path).resolve().as_uri() for path in source.known]
there = [path for path in files.values() if os.path.isfile(path)]
Path(output.peers).write_text("".join(f"{path}\n" for path in [*there, *known]))
