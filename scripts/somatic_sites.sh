#!/usr/bin/env bash
# Autosomal SNVs at which a person's two copies can be told apart: those at which the normal is heterozygous (PASS), without
# a normal those of the population with a frequency of 0.1 to 0.9; none without either.
set -euo pipefail
exec 2> "${snakemake_log[0]}"

if [[ -n ${snakemake_input[vcf]:-} ]]; then
    bcftools view --no-version -H -f PASS -v snps -g het -r "${snakemake_params[autosomes]}" "${snakemake_input[vcf]}" |
        awk -F '\t' -v OFS='\t' '{ print $1, $2 - 1, $2 }' | uniq > "${snakemake_output[0]}"
elif [[ -n ${snakemake_input[frequencies]:-} ]]; then
    bgzip -dc "${snakemake_input[frequencies]}" |
        awk -F '\t' -v OFS='\t' -v names="${snakemake_params[autosomes]}" '
            BEGIN { for (i = split(names, name, ","); i; i--) autosome[name[i]] = 1 }
            $1 in autosome && $4 >= 0.1 && $4 <= 0.9 { print $1, $2 - 1, $2 }' | uniq > "${snakemake_output[0]}"
else
    touch "${snakemake_output[0]}"
fi
