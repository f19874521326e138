#!/usr/bin/env bash
# The submission's mitochondrial VCF: split and left-aligned while the ends still lie in the middle of the shifted
# contig, then lifted back, with genotype and filters by the profile's limits:
#   low_heteroplasmy   fraction below the limit
#   possible_numt      no more reads than a NuMT of so many autosomal copies can give, 99th centile of Poisson (as
#                      GATK's NuMTFilterTool)
#   mt_many_low_hets   of low fraction and without another filter, more often than one person has it (as GATK's
#                      MTLowHeteroplasmyFilterTool)
# What the caller itself finds no evidence for (weak_evidence: mostly one read with an error) is left out.
set -euo pipefail
exec 2> "${snakemake_log[0]}"

contig=${snakemake_params[contig]} header=${snakemake_input[header]} out=${snakemake_output[vcf]}
length=$(awk -F '\t' -v contig="$contig" '$1 == contig { print $2 }' "${snakemake_input[fai]}")

# Reads that explain an allele by a NuMT, from the mean depth of the autosomes (0 where none was judged).
numt_reads=$(awk -F '\t' -v names="${snakemake_params[autosomes]}" -v copies="${snakemake_params[numt_copies]}" '
    BEGIN { n = split(names, name, ","); for (i = 1; i <= n; i++) autosome[name[i] "_region"] = 1 }
    $1 in autosome { bases += $3; size += $2 }
    END {
        mean = size ? bases / size * copies / 2 : 0
        # Beyond 600 exp(-mean) leaves the numbers; there the normal approximation is as good.
        if (mean > 600) { print int(mean + 2.326 * sqrt(mean)); exit }
        term = exp(-mean)
        for (sum = term; mean && sum < 0.99; sum += term) term *= mean / ++k
        print k + 0
    }' "${snakemake_input[depths]}")

# The filters of one allele are in AS_FilterStatus, alleles apart by |, which is against its own Number=A.
bcftools view --no-version "${snakemake_input[vcf]}" |
    awk -F '\t' -v OFS='\t' '
        !/^#/ && match($8, /AS_FilterStatus=[^;]*/) {
            status = substr($8, RSTART, RLENGTH)
            before = substr($8, 1, RSTART - 1); after = substr($8, RSTART + RLENGTH)
            gsub(/, */, "+", status); gsub(/\|/, ",", status)
            $8 = before status after
        }
        { print }' |
    bcftools norm --no-version -m -both --check-ref e -f "${snakemake_input[fasta]}" |
    awk -F '\t' -v OFS='\t' -v contig="$contig" -v size="$length" -v ends="${snakemake_params[control_region]}" \
        -v homoplasmic="${snakemake_params[homoplasmic]}" -v low="${snakemake_params[low_heteroplasmy]}" \
        -v many="${snakemake_params[many_low_heteroplasmies]}" -v numt="$numt_reads" '
        function add(filter) { if ((";" filters ";") !~ (";" filter ";")) filters = filters (filters == "" ? "" : ";") filter }
        /^##/ { print; next }
        /^#/ {
            for (i = split("low_heteroplasmy possible_numt mt_many_low_hets", id, " "); i; i--)
                print "##FILTER=<ID=" id[i] ",Description=\"\">"
            print
            next
        }
        $5 == "*" { next }
        {
            shifted = $1 != contig
            if (shifted) { $1 = contig; $2 = ($2 - 1 + int(size / 2)) % size + 1 }
            at_end = $2 <= ends || $2 > size - ends
            if (shifted != at_end || $2 + length($4) - 1 > size) next
            n = split($9, key, ":"); split($10, value, ":")
            for (k = 1; k <= n; k++) of[key[k]] = value[k]
            split(of["AD"], depth, ",")
            filters = ""
            for (k = split($7, caller, ";"); k; k--) if (caller[k] != "PASS" && caller[k] != ".") add(caller[k])
            if (match($8, /AS_FilterStatus=[^;]*/)) {
                status = substr($8, RSTART + 16, RLENGTH - 16)
                for (k = split(status, caller, "+"); k; k--) if (caller[k] != "SITE" && caller[k] != ".") add(caller[k])
            }
            seldom = of["AF"] + 0 < low + 0
            if ((";" filters ";") ~ /;weak_evidence;/) next
            if (depth[2] + 0 <= numt + 0 && numt + 0 > 0) add("possible_numt")
            suspect = seldom && filters == ""
            suspects += suspect
            if (seldom) add("low_heteroplasmy")
            $10 = (of["AF"] + 0 >= homoplasmic + 0 ? "1" : "0/1") substr($10, length(value[1]) + 1)
            line[++lines] = $0; found[lines] = filters; low_one[lines] = suspect
        }
        END {
            for (i = 1; i <= lines; i++) {
                filters = found[i]
                if (low_one[i] && suspects > many + 0) add("mt_many_low_hets")
                $0 = line[i]; $7 = filters == "" ? "PASS" : filters
                print
            }
        }' |
    bcftools annotate --no-version -x "${snakemake_params[drop]}" - |
    awk '!/^#/' | sort -t $'\t' -k 2,2n -k 4,4 -k 5,5 |
    cat "$header" - | bgzip -c > "$out"
tabix -p vcf "$out"
