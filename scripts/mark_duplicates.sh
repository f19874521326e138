#!/usr/bin/env bash
# Merges the sorted unit CRAMs of one sample and marks duplicates within each library, straight to CRAM 3.0 with index.
# Libraries are apart by `--`: samtools before 1.17 marks across them. Every stage's exit status counts: what a pipe
# cannot join is joined by FIFOs and waited for. Paths and command lines leave the header, since the CRAM ships.
set -euo pipefail
exec 2> "${snakemake_log[0]}"

fasta=${snakemake_input[fasta]} cram=${snakemake_output[cram]}
scratch=$(mktemp -d "${snakemake_resources[tmpdir]}/markdup.XXXXXX")
trap 'kill $(jobs -p) 2> /dev/null || true; rm -rf "$scratch"' EXIT

workers=() fifos=() crams=()
mark_library() {
    local n=${#fifos[@]}
    mkfifo "$scratch/$n.bam"
    samtools merge --no-PG --reference "$fasta" -c -p -u - "${crams[@]}" |
        samtools markdup --no-PG -u -d "${snakemake_params[optical_distance]}" -f "$scratch/$n.txt" \
            -T "$scratch/$n" - "$scratch/$n.bam" &
    workers+=($!)
    fifos+=("$scratch/$n.bam")
    crams=()
}
for word in ${snakemake_params[libraries]} --; do
    if [[ $word == -- ]]; then mark_library; else crams+=("$word"); fi
done

if ((${#fifos[@]} > 1)); then merge=(samtools merge --no-PG -c -p -u - "${fifos[@]}"); else merge=(cat "${fifos[0]}"); fi
"${merge[@]}" |
    samtools view --no-PG -@ "${snakemake[threads]}" -T "$fasta" -O cram,version=3.0 --write-index -o "$cram" -
for worker in "${workers[@]}"; do wait "$worker"; done

# What goes is longer than what comes, so the header stays within its place.
version=$(samtools --version | awk 'NR == 1 { print $2 }')
marked="@PG\tID:samtools.markdup\tPN:samtools markdup\tVN:$version"
samtools reheader -P -i -c "sed -e 's/\tCL:[^\t]*//' -e 's/\tUR:[^\t]*//' -e '\$a $marked'" "$cram"
# One report per sample, in the form of samtools' own JSON (from 1.17 on), with the counts of all libraries.
awk -F': ' -v distance="${snakemake_params[optical_distance]}" '
    FNR == 1 { libraries++; next }
    !($1 in sum) { order[++n] = $1 }
    { sum[$1] += $2 }
    END {
        printf "{\n  \"COMMAND\": \"samtools markdup -d %d, each of %d libraries by itself\"", distance, libraries
        for (i = 1; i <= n; i++) printf ",\n  \"%s\": %.0f", order[i], sum[order[i]]
        print "\n}"
    }' "$scratch"/*.txt > "${snakemake_output[metrics]}"
