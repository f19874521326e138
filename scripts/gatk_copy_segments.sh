#!/usr/bin/env bash
# GATK's denoised copy ratios of a sample and its segments. Between the two, bins that are not used are left out and the
# logarithms of the ratios are kept within 2 of none: that of an empty bin is -30, and beside it no other change counts.
# Of a sample with too little data (a reason in not_called) there is nothing to make: the outputs are empty.
set -euo pipefail
exec > "${snakemake_log[0]}" 2>&1

if [[ ! -s ${snakemake_input[counts]} ]]; then
    : > "${snakemake_output[denoised]}"
    : > "${snakemake_output[segments]}"
    exit 0
fi
scratch=$(mktemp -d "${snakemake_resources[tmpdir]}/copy_number.XXXXXXXX")
trap 'rm -rf "$scratch"' EXIT

# A panel knows the GC of its bins.
correction=(--annotated-intervals "${snakemake_input[gc]}")
[[ -z ${snakemake_input[panel]-} ]] || correction=(--count-panel-of-normals "${snakemake_input[panel]}")
gatk --java-options "${snakemake_params[java]}" DenoiseReadCounts -I "${snakemake_input[counts]}" "${correction[@]}" \
    --standardized-copy-ratios "$scratch/standardized.tsv" --denoised-copy-ratios "${snakemake_output[denoised]}"

awk -F '\t' -v OFS='\t' '
    FILENAME == ARGV[1] { unused[$1, $2 + 1] = 1; next }
    /^@/ || $2 == "START" { print; next }
    ($1, $2) in unused { next }
    { if ($4 < -2) $4 = -2; if ($4 > 2) $4 = 2; print }' \
    "${snakemake_input[unused]}" "${snakemake_output[denoised]}" > "$scratch/ratios.tsv"

gatk --java-options "${snakemake_params[java]}" ModelSegments --denoised-copy-ratios "$scratch/ratios.tsv" \
    --number-of-changepoints-penalty-factor "${snakemake_params[penalty]}" \
    --window-size 4 --window-size 8 --window-size 16 --window-size 32 --window-size 64 --window-size 128 \
    --window-size 256 \
    --output "$scratch" --output-prefix sample
mv "$scratch/sample.modelFinal.seg" "${snakemake_output[segments]}"
