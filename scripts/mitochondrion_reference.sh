#!/usr/bin/env bash
# The mitochondrial contig, straight and shifted by half its length, each with the aligner's index; both in one FASTA,
# and the intervals to call there: the middle on the straight one, the ends, where reads cross the origin, on the other.
set -euo pipefail
exec 2> "${snakemake_log[0]}"

fasta=${snakemake_input[fasta]} contig=${snakemake_params[contig]} both=${snakemake_output[both]}
ends=${snakemake_params[ends]} margin=100 # bp called beyond the border and dropped later, so that nothing is lost on it
folder=$(dirname "$both")
length=$(awk -F '\t' -v contig="$contig" '$1 == contig { print $2 }' "${snakemake_input[fai]}")
half=$((length / 2))
if ((2 * (ends + margin) >= length)); then
    echo "$contig has $length bases, too few for control_region $ends. Mend: lower it in the profile." >&2
    exit 1
fi

bases() { samtools faidx "$fasta" "$contig:$1-$2" | tail -n +2 | tr -d '\n'; }
{ echo ">$contig"; bases 1 "$length" | fold -w 60; echo; } > "$folder/straight.fa"
{ echo ">${contig}_shifted"; { bases $((half + 1)) "$length"; bases 1 "$half"; } | fold -w 60; echo; } > "$folder/shifted.fa"
cat "$folder/straight.fa" "$folder/shifted.fa" > "$both"
samtools faidx "$both"
samtools dict "$both" | sed 's/\tUR:[^\t]*//' > "${snakemake_output[dict]}"
for turn in straight shifted; do "${snakemake_params[aligner]}" index "$folder/$turn.fa"; done

origin=$((length - half))
{
    printf '%s\t%d\t%d\n' "$contig" $((ends - margin)) $((length - ends + margin))
    printf '%s\t%d\t%d\n' "${contig}_shifted" $((origin - ends - margin)) $((origin + ends + margin))
} > "${snakemake_output[intervals]}"
