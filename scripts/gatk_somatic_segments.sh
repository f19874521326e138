#!/usr/bin/env bash
# Segments of a tumour by GATK: its denoised copy ratios over its normal's, bin by bin, with the allelic counts of both at
# the normal's heterozygous sites. Logarithms are kept within 2, as in gatk_copy_segments.sh; bins that are empty in the
# normal tell nothing. Of a tumour with too little data (a reason in not_called) the outputs are empty.
set -euo pipefail
exec > "${snakemake_log[0]}" 2>&1

if [[ ! -s ${snakemake_input[counts]} ]]; then
    : > "${snakemake_output[segments]}"
    : > "${snakemake_output[called]}"
    exit 0
fi
scratch=$(mktemp -d "${snakemake_resources[tmpdir]}/somatic_copy_number.XXXXXXXX")
trap 'rm -rf "$scratch"' EXIT

gatk --java-options "${snakemake_params[java]}" DenoiseReadCounts -I "${snakemake_input[counts]}" \
    --annotated-intervals "${snakemake_input[gc]}" \
    --standardized-copy-ratios "$scratch/standardized.tsv" --denoised-copy-ratios "$scratch/denoised.tsv"

normal=${snakemake_input[normal]:-}
[[ -n $normal && -s $normal ]] || normal=/dev/null
awk -F '\t' -v OFS='\t' -v matched="$([[ $normal == /dev/null ]] || echo 1)" '
    FILENAME == ARGV[1] { unused[$1, $2 + 1] = 1; next }
    FILENAME == ARGV[2] { if (!/^@/ && $2 != "START") normal[$1, $2] = $4; next }
    /^@/ || $2 == "START" { print; next }
    ($1, $2) in unused { next }
    matched && (!(($1, $2) in normal) || normal[$1, $2] < -2) { next }
    { if (matched) $4 -= normal[$1, $2]; if ($4 < -2) $4 = -2; if ($4 > 2) $4 = 2; print }' \
    "${snakemake_input[unused]}" "$normal" "$scratch/denoised.tsv" > "$scratch/ratios.tsv"

# GATK compares the headers of ratios and counts: of @SQ lines name and length are kept, as `write_gatk` keeps them.
plain() {
    awk -F '\t' -v OFS='\t' '/^@SQ/ { print $1, $2, $3; next } { print }' "$1" > "$2"
    grep -qv -e '^@' -e '^CONTIG' "$2"
}
# Without a normal the tumour itself must tell where the person has two alleles. With GATK's own 5 % for errors only those
# sites are left, where most cells lost an allele, at which many reads kept it: the lesser fraction is too high.
alleles=()
genotyping=()
if plain "${snakemake_input[alleles]}" "$scratch/alleles.tsv"; then
    alleles=(--allelic-counts "$scratch/alleles.tsv")
    if [[ -n ${snakemake_input[normal_alleles]:-} ]] && plain "${snakemake_input[normal_alleles]}" "$scratch/normal.tsv"; then
        alleles+=(--normal-allelic-counts "$scratch/normal.tsv")
    else
        genotyping=(--genotyping-base-error-rate "${snakemake_params[base_error]}")
    fi
fi
gatk --java-options "${snakemake_params[java]}" ModelSegments --denoised-copy-ratios "$scratch/ratios.tsv" \
    "${alleles[@]}" "${genotyping[@]}" --number-of-changepoints-penalty-factor "${snakemake_params[penalty]}" \
    --output "$scratch" --output-prefix sample
gatk --java-options "${snakemake_params[java]}" CallCopyRatioSegments -I "$scratch/sample.cr.seg" -O "$scratch/called.seg"
mv "$scratch/sample.modelFinal.seg" "${snakemake_output[segments]}"
mv "$scratch/called.seg" "${snakemake_output[called]}"
