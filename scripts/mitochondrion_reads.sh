#!/usr/bin/env bash
# Pairs of which both reads lie on the mitochondrion, duplicates apart, aligned anew to the straight and to the shifted
# contig; the read groups stay. What fits a nuclear copy better lies there in the CRAM and does not come.
set -euo pipefail
exec 2> "${snakemake_log[0]}"

cram=${snakemake_input[cram]} fasta=${snakemake_input[fasta]} contig=${snakemake_params[contig]}
scratch=$(mktemp -d "${snakemake_resources[tmpdir]}/mitochondrion.XXXXXX")
trap 'rm -rf "$scratch"' EXIT

samtools view --no-PG -u -T "$fasta" -F 0xF00 -f 0x1 -e 'refid == mrefid' "$cram" "$contig" |
    samtools collate --no-PG -u -O - "$scratch/collate" |
    samtools fastq -n -T RG -0 /dev/null -s /dev/null - > "$scratch/pairs.fq"
{
    cat "${snakemake_input[dict]}"
    samtools view --no-PG -H -T "$fasta" "$cram" | grep '^@RG'
    for turn in ${snakemake_input[turns]}; do
        "${snakemake_params[aligner]}" mem -t "${snakemake[threads]}" -K 100000000 -Y -C -p "$turn" "$scratch/pairs.fq" |
            samtools view --no-PG -
    done
} | samtools sort --no-PG -T "$scratch/sort" -o "${snakemake_output[bam]}" -
samtools index "${snakemake_output[bam]}"
