"""Runs of homozygosity per sample and uniparental disomy in trios: for the report, nothing is judged by them."""


rule bcftools_population_frequencies:
    input:
        vcf=config["population"]["vcf"] or [],
        index=population_index() or [],
    output:
        tsv="results/qc/population.frequencies.tsv.gz",
        tbi="results/qc/population.frequencies.tsv.gz.tbi",
    log:
        "logs/qc/bcftools_population_frequencies.log",
    benchmark:
        "benchmarks/qc/bcftools_population_frequencies.tsv"
    conda:
        "../envs/bcftools.yaml"
    threads: 1
    resources:
        mem_mb=memory(1000),
        runtime=minutes(600),
    params:
        autosomes=AUTOSOMES,
    shell:
        "( bcftools view --no-version -Ou -G -v snps -m 2 -M 2 -r {params.autosomes:q} {input.vcf:q}"
        " | bcftools query -f '%CHROM\t%POS\t%REF,%ALT\t%INFO/AF\n' | bgzip -c > {output.tsv:q}"
        " && tabix -s 1 -b 2 -e 2 {output.tsv:q} ) 2> {log:q}"


# Genotypes alone, each wrong in one of a thousand (-G 30). The population's frequencies, where there is one.
rule bcftools_roh:
    input:
        vcf="results/conform/{sample}.vcf.gz",
        tbi="results/conform/{sample}.vcf.gz.tbi",
        frequencies="results/qc/population.frequencies.tsv.gz" if POPULATION else [],
        index="results/qc/population.frequencies.tsv.gz.tbi" if POPULATION else [],
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
        frequencies=population_frequencies,
    shell:
        "( bcftools view --no-version -Ou -f PASS -v snps -r {params.autosomes:q} {input.vcf:q}"
        " | bcftools roh -G 30 --AF-dflt {params.frequency} {params.frequencies} -O r -o {output:q} - ) 2> {log:q}"


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
