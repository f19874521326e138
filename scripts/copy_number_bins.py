"""Entry of rule copy_number_bins: the bins of the reference and their GC."""

import sys
from pathlib import Path

import ngc_profile
from ngc_wgs import copy_number, regions

sys.stderr = open(snakemake.log[0], "w", buffering=1)

source, output = snakemake.input, snakemake.output
profile = ngc_profile.load(snakemake.config["profile"], snakemake.config["overlay"])
bins = copy_number.bins(regions.read_bed(source.evaluation), profile, snakemake.params.length)
regions.write_bed(output.bins, bins)
if source.panel_bins and regions.read_bed(source.panel_bins) != bins:
    sys.exit(
        f"{snakemake.config['copy_number_panel']}: its bins are not those of this run (reference, evaluation_regions"
        " and copy_number.bin decide). Mend: make the panel anew with these, or write copy_number_panel: null."
    )
shares = (f"{share:.4f}" for share in copy_number.gc_contents(source.fasta, bins))
rows = zip(bins, shares, strict=True)
copy_number.write_gatk(Path(output.gc), Path(source.dict).read_text(), "GC_CONTENT", rows)
