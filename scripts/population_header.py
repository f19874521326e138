"""Entry of rule population_header: which population VCF this is, and whether its header can serve."""

import hashlib
import json
import sys
from pathlib import Path

import pysam

from ngc_wgs import identity

sys.stderr = open(snakemake.log[0], "w", buffering=1)

vcf = snakemake.input.vcf
population = {"name": None, "version": None, "sha256": None}
if vcf:
    try:
        with pysam.VariantFile(vcf) as file:
            lengths = {name: contig.length for name, contig in file.header.contigs.items()}
            info = list(file.header.info)
    except (OSError, ValueError) as error:
        sys.exit(f"The identity stage refuses the run:\n{vcf}: cannot be read ({error}). Mend: {identity.MEND_VCF}.")
    faults = identity.header_faults(vcf, lengths, info, identity.read_fai(snakemake.input.fai))
    if faults:
        sys.exit("\n".join(["The identity stage refuses the run:", *faults]))
    with open(vcf, "rb") as file:
        sha256 = hashlib.file_digest(file, "sha256").hexdigest()
    population = {"name": snakemake.params.name, "version": snakemake.params.version, "sha256": sha256}
Path(snakemake.output[0]).write_text(json.dumps(population, indent=2) + "\n")
