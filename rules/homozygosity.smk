"""Runs of homozygosity per sample and uniparental disomy in trios: for the report, nothing is judged by them."""


# Genotypes alone, each wrong in one of a thousand (-G 30). The population's frequencies, where there is one.
rule bcftools_roh:
    input:
        vcf="results/conform/{sample}.vcf.gz",
        tbi="results/conform/{sample}.vcf.gz.tbi",
        population=config["population"]["vcf"] or [],
        population_index=population_index() or [],
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
        frequency=PROFILE.data["homozygosity"]["default_frequency"],
        annotate=population_frequencies,
    shell:
        "( bcftools view --no-version -Ou -f PASS -v snps -r {params.autosomes:q} {input.vcf:q}"
        " | bcftools annotate --no-version -Ou -x INFO - {params.annotate}"
        " -G 30 --AF-dflt {params.frequency} -O r -o {output:q} - ) 2> {log:q}"


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
