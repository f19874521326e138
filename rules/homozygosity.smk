"""Runs of homozygosity per sample and uniparental disomy in trios: for the report, nothing is judged by them."""


rule population_frequencies:
    input:
        "results/identity/sites/candidates.tsv",
    output:
        tsv="results/identity/sites/frequencies.tsv.gz",
        tbi="results/identity/sites/frequencies.tsv.gz.tbi",
    log:
        "logs/identity/population_frequencies.log",
    conda:
        "../envs/bcftools.yaml"
    threads: 1
    resources:
        mem_mb=memory(1000),
        runtime=minutes(60),
    shell:
        "( awk -F '\t' -v OFS='\t' '{{ print $1, $2, $3 \",\" $4, $5 }}' {input:q} | bgzip -c > {output.tsv:q}"
        " && tabix -s 1 -b 2 -e 2 {output.tsv:q} ) 2> {log:q}"


# Genotypes alone, each wrong in one of a thousand (-G 30), at the sites of the population where there is one.
rule bcftools_roh:
    input:
        vcf="results/conform/{sample}.vcf.gz",
        tbi="results/conform/{sample}.vcf.gz.tbi",
        frequencies="results/identity/sites/frequencies.tsv.gz" if POPULATION else [],
        index="results/identity/sites/frequencies.tsv.gz.tbi" if POPULATION else [],
    output:
        "results/qc/{sample}.roh.txt",
    log:
        "logs/qc/{sample}.bcftools_roh.log",
    benchmark:
        "benchmarks/qc/{sample}.bcftools_roh.tsv"
    conda:
        "../envs/bcftools.yaml"
    threads: 1
    resources:
        mem_mb=memory(2000),
        runtime=minutes(60),
    params:
        autosomes=AUTOSOMES,
        frequency=frequency_option,
    shell:
        "( bcftools view --no-version -Ou -f PASS -v snps -r {params.autosomes:q} {input.vcf:q}"
        " | bcftools roh -G 30 {params.frequency} -O r -o {output:q} - ) 2> {log:q}"


rule homozygosity:
    input:
        runs="results/qc/{sample}.roh.txt",
        family=family_of_child,
    output:
        "results/qc/{sample}.homozygosity.json",
    log:
        "logs/qc/{sample}.homozygosity.log",
    conda:
        "../envs/python.yaml"
    threads: 1
    resources:
        mem_mb=memory(1000),
        runtime=minutes(60),
    params:
        parents=parents_of_child,
        profile=profile_parts("reference", "homozygosity"),
    script:
        "../scripts/homozygosity.py"
