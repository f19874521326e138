"""The one place that makes a submission VCF or gVCF."""


rule vcf_header:
    input:
        preflight="results/intake/preflight.json",
        identity="results/intake/reference.json",
    output:
        vcf=temp("results/conform/{sample}.vcf.header"),
        gvcf=temp("results/conform/{sample}.gvcf.header"),
    log:
        "logs/conform/{sample}.vcf_header.log",
    conda:
        "../envs/python.yaml"
    threads: 1
    resources:
        mem_mb=memory(1000),
        runtime=minutes(10),
    params:
        samples=sample_columns,
        filters=FILTERS,
        source=CALLER,
        profile=profile_parts("id", "reference", "vcf", "gvcf"),
    script:
        "../scripts/vcf_header.py"


# `norm` and not more: --rm-dup all would drop real alleles, --check-ref s would invent genotypes.
# The allele `*` of a split record belongs to the deletion upstream, which has a record of its own.
rule bcftools_conform_vcf:
    input:
        vcf="results/calling/{sample}.vcf.gz",
        tbi="results/calling/{sample}.vcf.gz.tbi",
        header="results/conform/{sample}.vcf.header",
        fasta=FASTA,
        fai=f"{FASTA}.fai",
    output:
        vcf=ensure("results/conform/{sample}.vcf.gz", non_empty=True),
        tbi="results/conform/{sample}.vcf.gz.tbi",
    log:
        "logs/conform/{sample}.bcftools_conform_vcf.log",
    benchmark:
        "benchmarks/conform/{sample}.bcftools_conform_vcf.tsv"
    conda:
        "../envs/bcftools.yaml"
    threads: 1
    resources:
        mem_mb=memory(2000),
        runtime=minutes(30, per_gb=1),
    params:
        filters=soft_filters(),
        drop=only_declared("vcf"),
    shell:
        "( bcftools view --no-version -Ou {input.vcf:q} | {params.filters}"
        " | bcftools norm --no-version -Ou -m -both --check-ref e -f {input.fasta:q}"
        " | bcftools norm --no-version -Ou --rm-dup exact"
        " | bcftools view --no-version -Ou -e 'ALT=\"*\"'"
        " | bcftools annotate --no-version -Ou -x {params.drop:q}"
        " | bcftools view --no-version -H"
        " | cat {input.header:q} - | bgzip -c > {output.vcf:q}"
        " && tabix -p vcf {output.vcf:q} ) 2> {log:q}"


rule bcftools_conform_gvcf:
    input:
        gvcfs=sample_gvcf_parts(""),
        tbis=sample_gvcf_parts(".tbi"),
        header="results/conform/{sample}.gvcf.header",
    output:
        gvcf=ensure("results/conform/{sample}.g.vcf.gz", non_empty=True),
        tbi="results/conform/{sample}.g.vcf.gz.tbi",
    log:
        "logs/conform/{sample}.bcftools_conform_gvcf.log",
    benchmark:
        "benchmarks/conform/{sample}.bcftools_conform_gvcf.tsv"
    conda:
        "../envs/bcftools.yaml"
    threads: 1
    resources:
        mem_mb=memory(1000),
        runtime=minutes(30, per_gb=2),
    params:
        drop=only_declared("gvcf"),
    shell:
        "( bcftools concat --no-version -a -Ou {input.gvcfs:q}"
        " | bcftools annotate --no-version -Ou -x {params.drop:q}"
        " | bcftools view --no-version -H"
        " | cat {input.header:q} - | bgzip -c > {output.gvcf:q}"
        " && tabix -p vcf {output.gvcf:q} ) 2> {log:q}"
