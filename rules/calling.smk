"""Germline SNVs and indels with GATK HaplotypeCaller, scattered over fixed intervals."""


rule gatk_compose_str_table:
    input:
        fasta=FASTA,
        fai=f"{FASTA}.fai",
        dict=FASTA_DICT,
    output:
        "results/calling/str_table.zip",
    log:
        "logs/calling/gatk_compose_str_table.log",
    benchmark:
        "benchmarks/calling/gatk_compose_str_table.tsv"
    conda:
        "../envs/gatk.yaml"
    threads: 1
    resources:
        mem_mb=memory(4000),
        runtime=minutes(240),
    params:
        java=java,
    shell:
        "gatk --java-options {params.java:q} ComposeSTRTableFile -R {input.fasta:q} -O {output:q} > {log:q} 2>&1"


rule gatk_calibrate_dragstr_model:
    input:
        fasta=FASTA,
        fai=f"{FASTA}.fai",
        dict=FASTA_DICT,
        table="results/calling/str_table.zip",
        cram="results/alignment/{sample}.cram",
        crai="results/alignment/{sample}.cram.crai",
        clearance=clearance_of_sample,
    output:
        "results/calling/{sample}.dragstr.txt",
    log:
        "logs/calling/{sample}.gatk_calibrate_dragstr_model.log",
    benchmark:
        "benchmarks/calling/{sample}.gatk_calibrate_dragstr_model.tsv"
    conda:
        "../envs/gatk.yaml"
    threads: 2
    resources:
        mem_mb=memory(8000),
        runtime=minutes(480),
    params:
        java=java,
    shell:
        "gatk --java-options {params.java:q} CalibrateDragstrModel -R {input.fasta:q} -I {input.cram:q}"
        " -str {input.table:q} -O {output:q} --threads {threads} > {log:q} 2>&1"


# The fourth column of the intervals is their ploidy: a part has only one.
rule gatk_haplotypecaller:
    input:
        fasta=FASTA,
        fai=f"{FASTA}.fai",
        dict=FASTA_DICT,
        cram="results/alignment/{sample}.cram",
        crai="results/alignment/{sample}.cram.crai",
        intervals=of_sex("results/intake/regions/scatter.{sex}.{part}.bed"),
        dragstr="results/calling/{sample}.dragstr.txt" if DRAGEN else [],
        clearance=clearance_of_sample,
    output:
        gvcf=temp("results/calling/{sample}.{part}.g.vcf.gz"),
        tbi=temp("results/calling/{sample}.{part}.g.vcf.gz.tbi"),
    log:
        "logs/calling/{sample}.{part}.gatk_haplotypecaller.log",
    benchmark:
        "benchmarks/calling/{sample}.{part}.gatk_haplotypecaller.tsv"
    conda:
        "../envs/gatk.yaml"
    threads: 1
    resources:
        mem_mb=memory(4000),
        runtime=minutes(30, per_gb=180 / len(PARTS)),
    params:
        java=java,
        mode=caller_mode,
    shell:
        "gatk --java-options {params.java:q} HaplotypeCaller -R {input.fasta:q} -I {input.cram:q}"
        " -L {input.intervals:q} --sample-ploidy $(head -n 1 {input.intervals:q} | cut -f 4)"
        " -ERC GVCF {params.mode}"
        " --native-pair-hmm-threads {threads} -O {output.gvcf:q} > {log:q} 2>&1"


# One person's reference blocks say nothing to the genotyper: it reads the variant records only.
rule bcftools_variant_records:
    input:
        gvcfs=sample_gvcf_parts(""),
        tbis=sample_gvcf_parts(".tbi"),
    output:
        gvcf=temp("results/calling/{sample}.variants.g.vcf.gz"),
        tbi=temp("results/calling/{sample}.variants.g.vcf.gz.tbi"),
    log:
        "logs/calling/{sample}.bcftools_variant_records.log",
    conda:
        "../envs/bcftools.yaml"
    threads: 1
    resources:
        mem_mb=memory(1000),
        runtime=minutes(30, per_gb=1),
    shell:
        "( bcftools concat --no-version -a -Ou {input.gvcfs:q}"
        " | bcftools view --no-version -e 'N_ALT==1' -Oz -o {output.gvcf:q} -"
        " && tabix -p vcf {output.gvcf:q} ) 2> {log:q}"


rule gatk_genotypegvcfs:
    input:
        fasta=FASTA,
        fai=f"{FASTA}.fai",
        dict=FASTA_DICT,
        gvcf="results/calling/{sample}.variants.g.vcf.gz",
        tbi="results/calling/{sample}.variants.g.vcf.gz.tbi",
    output:
        vcf=temp("results/calling/{sample}.vcf.gz"),
        tbi=temp("results/calling/{sample}.vcf.gz.tbi"),
    log:
        "logs/calling/{sample}.gatk_genotypegvcfs.log",
    benchmark:
        "benchmarks/calling/{sample}.gatk_genotypegvcfs.tsv"
    conda:
        "../envs/gatk.yaml"
    threads: 1
    resources:
        mem_mb=memory(4000),
        runtime=minutes(30, per_gb=4),
    params:
        java=java,
        threshold=GENOTYPE_THRESHOLD,
    shell:
        "gatk --java-options {params.java:q} GenotypeGVCFs -R {input.fasta:q} -V {input.gvcf:q} {params.threshold}"
        " -O {output.vcf:q} > {log:q} 2>&1"
