"""Variants of the mitochondrion with their heteroplasmy, the ends of the contig called where reads cross the origin."""


# The contig as it is and the contig turned by half: by themselves to align to, side by side to call on.
rule mitochondrion_reference:
    input:
        fasta=FASTA,
        fai=f"{FASTA}.fai",
        identity="results/intake/reference.json",
    output:
        both="results/mitochondrion/both.fa",
        fai="results/mitochondrion/both.fa.fai",
        dict="results/mitochondrion/both.dict",
        turns=expand("results/mitochondrion/{turn}.fa", turn=TURNS),
        index=expand("results/mitochondrion/{turn}.fa.{suffix}", turn=TURNS, suffix=INDEX_SUFFIXES[config["aligner"]]),
        intervals="results/mitochondrion/intervals.bed",
    log:
        "logs/mitochondrion/mitochondrion_reference.log",
    conda:
        f"../envs/{config['aligner']}.yaml"
    threads: 1
    resources:
        mem_mb=memory(1000),
        runtime=minutes(10),
    params:
        aligner=config["aligner"],
        contig=MITOCHONDRION,
        ends=PROFILE.data["mitochondrion"]["control_region"],
    script:
        "../scripts/mitochondrion_reference.sh"


rule bwa_mem_mitochondrion:
    input:
        cram="results/alignment/{sample}.cram",
        crai="results/alignment/{sample}.cram.crai",
        clearance=clearance_of_sample,
        fasta=FASTA,
        fai=f"{FASTA}.fai",
        dict="results/mitochondrion/both.dict",
        turns=expand("results/mitochondrion/{turn}.fa", turn=TURNS),
        index=expand("results/mitochondrion/{turn}.fa.{suffix}", turn=TURNS, suffix=INDEX_SUFFIXES[config["aligner"]]),
    output:
        bam=temp("results/mitochondrion/{sample}.bam"),
        bai=temp("results/mitochondrion/{sample}.bam.bai"),
    log:
        "logs/mitochondrion/{sample}.bwa_mem_mitochondrion.log",
    benchmark:
        "benchmarks/mitochondrion/{sample}.bwa_mem_mitochondrion.tsv"
    conda:
        f"../envs/{config['aligner']}.yaml"
    threads: 1
    resources:
        mem_mb=memory(4000),
        runtime=minutes(120),
    params:
        aligner=config["aligner"],
        contig=MITOCHONDRION,
    script:
        "../scripts/mitochondrion_reads.sh"


rule gatk_mutect2_mitochondrion:
    input:
        fasta="results/mitochondrion/both.fa",
        fai="results/mitochondrion/both.fa.fai",
        dict="results/mitochondrion/both.dict",
        bam="results/mitochondrion/{sample}.bam",
        bai="results/mitochondrion/{sample}.bam.bai",
        intervals="results/mitochondrion/intervals.bed",
        clearance=clearance_of_sample,
    output:
        vcf=temp("results/mitochondrion/{sample}.raw.vcf.gz"),
        tbi=temp("results/mitochondrion/{sample}.raw.vcf.gz.tbi"),
        stats=temp("results/mitochondrion/{sample}.raw.vcf.gz.stats"),
    log:
        "logs/mitochondrion/{sample}.gatk_mutect2_mitochondrion.log",
    benchmark:
        "benchmarks/mitochondrion/{sample}.gatk_mutect2_mitochondrion.tsv"
    conda:
        "../envs/gatk.yaml"
    threads: 1
    resources:
        mem_mb=memory(4000),
        runtime=minutes(60, per_gb=4),
    params:
        java=java,
    shell:
        "gatk --java-options {params.java:q} Mutect2 -R {input.fasta:q} -I {input.bam:q} -L {input.intervals:q}"
        " --mitochondria-mode --max-reads-per-alignment-start 75 --max-mnp-distance 0 -A StrandBiasBySample"
        " --native-pair-hmm-threads {threads} -O {output.vcf:q} > {log:q} 2>&1"


rule gatk_filter_mitochondrion:
    input:
        fasta="results/mitochondrion/both.fa",
        fai="results/mitochondrion/both.fa.fai",
        dict="results/mitochondrion/both.dict",
        vcf="results/mitochondrion/{sample}.raw.vcf.gz",
        tbi="results/mitochondrion/{sample}.raw.vcf.gz.tbi",
        stats="results/mitochondrion/{sample}.raw.vcf.gz.stats",
    output:
        vcf=temp("results/mitochondrion/{sample}.vcf.gz"),
        tbi=temp("results/mitochondrion/{sample}.vcf.gz.tbi"),
        stats=temp("results/mitochondrion/{sample}.vcf.gz.filteringStats.tsv"),
    log:
        "logs/mitochondrion/{sample}.gatk_filter_mitochondrion.log",
    conda:
        "../envs/gatk.yaml"
    threads: 1
    resources:
        mem_mb=memory(2000),
        runtime=minutes(30),
    params:
        java=java,
    shell:
        "gatk --java-options {params.java:q} FilterMutectCalls -R {input.fasta:q} -V {input.vcf:q}"
        " --stats {input.stats:q} --mitochondria-mode -O {output.vcf:q} > {log:q} 2>&1"


rule mitochondrial_header:
    input:
        preflight="results/intake/preflight.json",
        identity="results/intake/reference.json",
    output:
        mitochondrial_vcf=temp("results/conform/{sample}.mt.vcf.header"),
    log:
        "logs/conform/{sample}.mitochondrial_header.log",
    conda:
        "../envs/python.yaml"
    threads: 1
    resources:
        mem_mb=memory(1000),
        runtime=minutes(10),
    params:
        samples=sample_columns,
        filters=PROFILE.data["mitochondrion"]["filters"],
        source="GATK Mutect2",
        profile=profile_parts("id", "reference", "mitochondrial_vcf", "mitochondrion"),
    script:
        "../scripts/vcf_header.py"


rule bcftools_conform_mitochondrion:
    input:
        vcf="results/mitochondrion/{sample}.vcf.gz",
        tbi="results/mitochondrion/{sample}.vcf.gz.tbi",
        fasta="results/mitochondrion/both.fa",
        fai="results/mitochondrion/both.fa.fai",
        header="results/conform/{sample}.mt.vcf.header",
        depths="results/qc/{sample}.mosdepth.summary.txt",
    output:
        vcf=ensure("results/conform/{sample}.mt.vcf.gz", non_empty=True),
        tbi="results/conform/{sample}.mt.vcf.gz.tbi",
    log:
        "logs/conform/{sample}.bcftools_conform_mitochondrion.log",
    conda:
        "../envs/bcftools.yaml"
    threads: 1
    resources:
        mem_mb=memory(1000),
        runtime=minutes(30),
    params:
        **{key: value for key, value in PROFILE.data["mitochondrion"].items() if key != "filters"},
        contig=MITOCHONDRION,
        autosomes=AUTOSOMES,
        drop=only_declared("mitochondrial_vcf"),
    script:
        "../scripts/conform_mitochondrion.sh"


rule samtools_mitochondrion_depth:
    input:
        bam="results/mitochondrion/{sample}.bam",
        bai="results/mitochondrion/{sample}.bam.bai",
    output:
        temp("results/mitochondrion/{sample}.depth.tsv"),
    log:
        "logs/mitochondrion/{sample}.samtools_mitochondrion_depth.log",
    conda:
        "../envs/samtools.yaml"
    threads: 1
    resources:
        mem_mb=memory(500),
        runtime=minutes(10),
    shell:
        "samtools depth -a {input.bam:q} > {output:q} 2> {log:q}"


rule mitochondrion_report:
    input:
        depths="results/mitochondrion/{sample}.depth.tsv",
        vcf="results/conform/{sample}.mt.vcf.gz",
        tbi="results/conform/{sample}.mt.vcf.gz.tbi",
    output:
        "results/mitochondrion/{sample}.json",
    log:
        "logs/mitochondrion/{sample}.mitochondrion_report.log",
    conda:
        "../envs/python.yaml"
    threads: 1
    resources:
        mem_mb=memory(500),
        runtime=minutes(10),
    params:
        contig=MITOCHONDRION,
        ends=PROFILE.data["mitochondrion"]["control_region"],
    script:
        "../scripts/mitochondrion_report.py"
