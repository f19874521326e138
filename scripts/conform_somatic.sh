#!/usr/bin/env bash
# The submission's somatic VCF: split, each allele with its own filters (the caller has them in AS_FilterStatus), the normal's
# column before the tumour's. What is not the profile's is dropped; what the caller filtered stays, with its filters.
set -euo pipefail
exec 2> "${snakemake_log[0]}"

header=${snakemake_input[header]} out=${snakemake_output[vcf]}

# The filters of one allele are in AS_FilterStatus, alleles apart by |, which is against its own Number=A.
bcftools view --no-version -I -s "${snakemake_params[columns]}" "${snakemake_input[vcf]}" |
    awk -F '\t' -v OFS='\t' '
        !/^#/ && match($8, /AS_FilterStatus=[^;]*/) {
            status = substr($8, RSTART, RLENGTH)
            before = substr($8, 1, RSTART - 1); after = substr($8, RSTART + RLENGTH)
            gsub(/, */, "+", status); gsub(/\|/, ",", status)
            $8 = before status after
        }
        { print }' |
    bcftools norm --no-version -m -both --check-ref e -f "${snakemake_input[fasta]}" |
    awk -F '\t' -v OFS='\t' -v tumour="${snakemake_params[tumour]}" '
        function add(filter) {
            if (filter == "PASS" || filter == "SITE" || filter == "." || filter == "") return
            if ((";" filters ";") !~ (";" filter ";")) filters = filters (filters == "" ? "" : ";") filter
        }
        /^##/ { print; next }
        /^#/ { for (i = 10; i <= NF; i++) if ($i == tumour) column = i; print; next }
        $5 == "*" { next }
        {
            filters = ""
            for (i = split($7, caller, ";"); i; i--) add(caller[i])
            if (match($8, /AS_FilterStatus=[^;]*/))
                for (i = split(substr($8, RSTART + 16, RLENGTH - 16), caller, "+"); i; i--) add(caller[i])
            $7 = filters == "" ? "PASS" : filters
            # A record of several alleles has a genotype of several, which no allele has by itself.
            for (i = 10; i <= NF; i++) {
                genotype = $i; sub(/:.*/, "", genotype)
                if (genotype !~ /^[01][\/|][01]$/) $i = (i == column ? "0/1" : "0/0") substr($i, length(genotype) + 1)
            }
            print
        }' |
    bcftools norm --no-version -Ou --rm-dup exact - |
    bcftools annotate --no-version -x "${snakemake_params[drop]}" - |
    awk '!/^#/' | cat "$header" - | bgzip -c > "$out"
tabix -p vcf "$out"
