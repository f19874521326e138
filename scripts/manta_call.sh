#!/usr/bin/env bash
# manta over all members of a case at once, or a tumour and its normal. A member with too few read pairs to tell their orientation from (100 of high
# confidence) makes it refuse them all: then the calls are an empty file, and not_called says of whom.
set -euo pipefail
log=${snakemake_log[0]}
calls=${snakemake_output[calls]}
read -ra bams <<< "${snakemake_params[bams]}"
folder=$(mktemp -d -p "${snakemake_resources[tmpdir]}")
trap 'rm -rf "$folder"' EXIT

status=0
{ configManta.py "${bams[@]}" --referenceFasta "${snakemake_input[fasta]}" --runDir "$folder/run" &&
    "$folder/run/runWorkflow.py" -m local -j "${snakemake[threads]}" -g $((${snakemake_resources[mem_mb]} / 1024)); } \
    > "$log" 2>&1 || status=$?
few=$(sed -n "s/.*Too few high-confidence read pairs.*'\(.*\/\)\?\([A-Z0-9]*\)\.cram.*/\2/p" "$log" | sort -u | paste -sd ' ')
if ((status == 0)); then
    cp "$folder/run/results/variants/${snakemake_params[result]}.vcf.gz" "$calls"
    echo '[]' > "${snakemake_output[not_called]}"
elif [[ -n $few ]]; then
    : > "$calls"
    reason="too few read pairs of $few to tell their orientation from (manta needs 100 of high confidence)"
    printf '[{"file_type": "%s", "sample": %s, "reason": "%s"}]\n' "${snakemake_params[file_type]}" \
        "${snakemake_params[sample]}" "$reason" > "${snakemake_output[not_called]}"
    echo "Not called: $reason." >> "$log"
else
    echo "manta ended with exit status $status. Mend: see its message above, then start the same command again." >> "$log"
    exit "$status"
fi
