#!/usr/bin/env bash
# delly over all members of a case at once, or a tumour and its normal. A member with too few read pairs to tell its insert size from (1,000; in
# practice none that passed the gates) makes delly refuse them all: then the calls are an empty file, and not_called says
# of whom.
set -euo pipefail
log=${snakemake_log[0]}
calls=${snakemake_output[calls]}
read -ra crams <<< "${snakemake_params[crams]}"
exclude=()
[[ ! -s ${snakemake_input[exclude]} ]] || exclude=(-x "${snakemake_input[exclude]}")

status=0
OMP_NUM_THREADS=${snakemake[threads]} delly call -g "${snakemake_input[fasta]}" "${exclude[@]}" -o "$calls" \
    "${crams[@]}" > "$log" 2>&1 || status=$?
few=$(sed -n 's/^Sample has not enough data to estimate library parameters! File: .*\/\([A-Z0-9]*\)\.cram$/\1/p' "$log")
if ((status == 0)); then
    echo '[]' > "${snakemake_output[not_called]}"
elif [[ -n $few ]]; then
    : > "$calls"
    : > "$calls.csi"
    reason="too few read pairs of $few to estimate its insert size from (delly needs 1,000)"
    printf '[{"file_type": "%s", "sample": %s, "reason": "%s"}]\n' "${snakemake_params[file_type]}" \
        "${snakemake_params[sample]}" "$reason" > "${snakemake_output[not_called]}"
    echo "Not called: $reason." >> "$log"
else
    echo "delly ended with exit status $status. Mend: see its message above, then start the same command again." >> "$log"
    exit "$status"
fi
