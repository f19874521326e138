"""Entry of rule reference_identity: what the FASTA is, and every region derived from it."""

import json
import sys
from pathlib import Path

import ngc_profile
from ngc_wgs import metrics, reference, regions

sys.stderr = open(snakemake.log[0], "w", buffering=1)

fasta, output = snakemake.input.fasta, snakemake.output
profile = ngc_profile.load(snakemake.config["profile"], snakemake.config["overlay"])
identity = reference.reference_identity(fasta, profile)
identity["result"] = "FAIL" if identity["findings"] else "NOT_CHECKED" if identity["not_verified"] else "PASS"
if not identity["findings"]:
    identity["findings"] += reference.par_findings(fasta, profile)
identity["findings"] += reference.side_file_findings(fasta, identity, snakemake.params.aligner)


def write_regions():
    """Write every region that the later stages need; raises ValueError where the configuration asks for none."""
    restriction = snakemake.input.evaluation_regions
    contigs = [contig["name"] for contig in profile.contigs("autosome", "X", "Y")]
    every_base = regions.without_n(fasta, contigs)
    judged = regions.intersect(every_base, regions.read_bed(restriction)) if restriction else every_base
    if not judged:
        raise ValueError(f"{restriction}: holds no base of autosomes, X or Y of {fasta}")
    regions.write_bed(output.evaluation, regions.cut_x_and_y(judged, profile, metrics.WINDOW))
    autosomes = {contig["name"] for contig in profile.contigs("autosome")}
    header = "@HD\tVN:1.6\tSO:coordinate\n" + reference.sam_sequence_lines(identity)
    regions.write_interval_list(output.autosomes, header, [interval for interval in judged if interval[0] in autosomes])
    blocks = regions.without_n(fasta, contigs, shortest=regions.SHORTEST_GAP)
    scattered = iter(output.scatter)
    parts = len(output.scatter) // len(snakemake.params.sexes)
    for sex in snakemake.params.sexes:
        present = regions.present(profile, sex)
        called = [interval for interval in blocks if interval[0] in present]
        for ploidy, part in regions.scatter_by_ploidy(called, regions.haploid(profile, sex), parts):
            regions.write_bed(next(scattered), part, str(ploidy))


if not identity["findings"]:
    try:
        write_regions()
    except ValueError as error:
        sys.exit(f"The reference stage refuses the run:\n{error}")
Path(output.identity).write_text(json.dumps(identity, indent=2) + "\n")
for path in output:
    # A refused reference has no regions; preflight stops the run over the findings above.
    Path(path).touch()
