#!/usr/bin/env bash
# A panel of normals for copy number: what varies from bin to bin in people who have no change there. Samples without counts
# had too few reads. Half as many eigensamples as there are normals, twenty at most (GATK's default): with as many as normals
# their noise is taken from a sample too. Bins below the 5th centile are left out, as GATK's tutorial on somatic copy number does.
set -euo pipefail
exec > "${snakemake_log[0]}" 2>&1

normals=()
for counts in ${snakemake_input[counts]}; do
    [[ ! -s $counts ]] || normals+=(--input "$counts")
done
count=$((${#normals[@]} / 2))
if ((count < 4)); then
    echo "$count normals have counts, a panel needs 4 and is good with 40. Mend: give more samples."
    exit 1
fi
eigensamples=$((count / 2 < 20 ? count / 2 : 20))
# Java 17 keeps Spark from its own classes where it is not told to.
opened=()
for package in io lang lang.invoke lang.reflect net nio util util.concurrent util.concurrent.atomic; do
    opened+=("--add-opens=java.base/java.$package=ALL-UNNAMED")
done
for package in nio.ch nio.cs security.action util.calendar; do
    opened+=("--add-opens=java.base/sun.$package=ALL-UNNAMED")
done
# GATK writes the file first and then computes what belongs into it: one that broke off would look like a panel.
made="${snakemake_output[panel]}.part"
gatk --java-options "${snakemake_params[java]} ${opened[*]}" CreateReadCountPanelOfNormals "${normals[@]}" \
    --annotated-intervals "${snakemake_input[gc]}" --minimum-interval-median-percentile 5 \
    --number-of-eigensamples "$eigensamples" --spark-master "local[${snakemake[threads]}]" \
    --tmp-dir "${snakemake_resources[tmpdir]}" --output "$made"
mv "$made" "${snakemake_output[panel]}"
cp "${snakemake_input[bins]}" "${snakemake_output[bins]}"
