"""Entry of rule identity_sites: the sites at which lanes, relations and contamination are measured."""

import json
import sys
from pathlib import Path

import polars
import pysam

import ngc_profile
from ngc_wgs import identity

sys.stderr = open(snakemake.log[0], "w", buffering=1)

source, output = snakemake.input, snakemake.output
vcf, spacing = snakemake.config["population"]["vcf"], snakemake.params.spacing
population = json.loads(Path(source.population).read_text())


def known_sites(path):
    """Places of the known genotypes; they go first where there is a choice."""
    with pysam.VariantFile(path) as file:
        unknown = sorted(set(file.header.samples) - set(snakemake.params.samples))
        if len(unknown) == len(file.header.samples):
            raise ValueError("no column is named after a sample of this run")
        return {(record.chrom, record.pos) for record in file}


def make_sites():
    """Write every file of sites; a list of faults where the resources cannot serve."""
    profile = ngc_profile.load(snakemake.config["profile"], snakemake.config["overlay"])
    autosomes = [contig["name"] for contig in profile.contigs("autosome")]
    columns = {"chrom": polars.String, "pos": polars.Int64, "ref": polars.String, "alt": polars.String}
    candidates = polars.read_csv(
        source.candidates, separator="\t", has_header=False, schema={**columns, "af": polars.Float64}, quote_char=None
    )
    known = set()
    if source.known:
        try:
            known = known_sites(source.known)
        except (OSError, ValueError) as error:
            mend = "name a VCF whose columns are pseudonyms of samples.tsv"
            return [f"{source.known}: cannot be used ({error}). Mend: {mend}."]
    chosen, common = identity.choose_sites(candidates, autosomes, spacing, known)
    with pysam.FastaFile(source.fasta) as fasta:

        def base_at(contig, pos):
            return fasta.fetch(contig, pos - 1, pos).upper()

        faults = identity.site_faults(vcf, chosen, common, base_at, spacing)
    if faults:
        return faults
    lengths = identity.read_fai(source.fai)
    Path(output.haplotype_map).write_text(identity.haplotype_map(chosen, lengths))
    alleles = output.alleles.removesuffix(".gz")
    chosen.select("chrom", "pos", polars.concat_str("ref", "alt", separator=",")).write_csv(
        alleles, separator="\t", include_header=False
    )
    pysam.tabix_index(alleles, seq_col=0, start_col=1, end_col=1, force=True)
    every = polars.concat([chosen.select("chrom", "contig", "pos"), common.select("chrom", "contig", "pos")])
    every.unique().sort("contig", "pos").select("chrom", polars.col("pos") - 1, end="pos").write_csv(
        output.bed, separator="\t", include_header=False
    )
    plain = output.common.removesuffix(".gz")
    Path(plain).write_text(identity.common_vcf(common, lengths))
    pysam.tabix_index(plain, preset="vcf", force=True)
    population.update(sites=len(chosen), common_sites=len(common), known_sites=int(chosen["known"].sum()))
    return []


faults = make_sites() if vcf else []
if faults:
    sys.exit("\n".join(["The identity stage refuses the run:", *faults]))
for path in output:
    # Without a population VCF there are no sites, and nobody asks for them.
    Path(path).touch()
Path(output.population).write_text(json.dumps(population, indent=2) + "\n")
