#!/usr/bin/env bash
# Annotates a family's split VCF: FORMAT/PP as GATK's family priors have it, FORMAT/DNM, the probability that a child's
# allele is new, and INFO/DENOVO_HIGH and DENOVO_LOW, the children above the profile's limits.
#
# bcftools +trio-dnm2 wants three likelihoods: for its eyes alone a haploid genotype is written as homozygous, and
# heterozygous as impossible. It is told where a son's X has one copy. Y it does not judge.
set -euo pipefail
exec 2> "${snakemake_log[0]}"

vcf=${snakemake_input[vcf]} out=${snakemake_output[vcf]}
scratch=$(mktemp -d "${snakemake_resources[tmpdir]}/denovo.XXXXXX")
trap 'rm -rf "$scratch"' EXIT
# Family, child, father, mother, sex: children with both parents only.
awk -v OFS='\t' '$3 != "0" && $4 != "0" { print $1, $2, $3, $4, $5 }' "${snakemake_input[ped]}" > "$scratch/trios"

bcftools view --no-version "$vcf" | awk -F '\t' -v OFS='\t' '
    /^#/ { print; next }
    {
        keys = split($9, key, ":"); pl = 0
        for (k = 1; k <= keys; k++) if (key[k] == "PL") pl = k
        for (i = 10; i <= NF; i++) {
            n = split($i, value, ":")
            if (value[1] ~ /[\/|]/) continue
            value[1] = value[1] "/" value[1]
            if (pl && pl <= n && split(value[pl], p, ",") == 2) value[pl] = p[1] ",255," p[2]
            else if (pl && pl <= n) value[pl] = "."
            $i = value[1]
            for (k = 2; k <= n; k++) $i = $i ":" value[k]
        }
        print
    }' |
    bcftools +trio-dnm2 --no-version -P "$scratch/trios" -X "${snakemake_params[one_x]}" --with-pPL \
        --dnm-tag DNM:prob -Oz -o "$scratch/dnm.vcf.gz" -
tabix -p vcf "$scratch/dnm.vcf.gz"

bcftools query -f '%CHROM\t%POS\t%REF\t%ALT[\t%SAMPLE=%DNM]\n' "$scratch/dnm.vcf.gz" |
    awk -F '\t' -v OFS='\t' -v high="${snakemake_params[high]}" -v low="${snakemake_params[low]}" '{
        sure = unsure = ""
        for (i = 5; i <= NF; i++) {
            split($i, dnm, "=")
            if (dnm[2] == ".") continue
            if (dnm[2] + 0 >= high) sure = sure (sure == "" ? "" : ",") dnm[1]
            else if (dnm[2] + 0 >= low) unsure = unsure (unsure == "" ? "" : ",") dnm[1]
        }
        if (sure unsure != "") print $1, $2, $3, $4, (sure == "" ? "." : sure), (unsure == "" ? "." : unsure)
    }' | bgzip -c > "$scratch/children.tsv.gz"
tabix -s 1 -b 2 -e 2 "$scratch/children.tsv.gz"
for level in HIGH LOW; do
    echo "##INFO=<ID=DENOVO_$level,Number=.,Type=String,Description=\"De novo candidates\">"
done > "$scratch/header"

bcftools annotate --no-version -Oz -o "$scratch/1.vcf.gz" -a "$scratch/dnm.vcf.gz" -c FORMAT/DNM "$vcf"
tabix -p vcf "$scratch/1.vcf.gz"
bcftools annotate --no-version -Ou -a "${snakemake_input[posteriors]}" -c FORMAT/PP "$scratch/1.vcf.gz" |
    bcftools annotate --no-version -Oz -o "$out" -a "$scratch/children.tsv.gz" -h "$scratch/header" \
        -c CHROM,POS,REF,ALT,INFO/DENOVO_HIGH,INFO/DENOVO_LOW
tabix -p vcf "$out"
