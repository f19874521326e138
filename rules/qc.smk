"""Measures: raw reads, alignment, coverage and calls."""


rule fastp:
    input:
        unpack(unit_fastqs),
        clearance=clearance_of_unit,
    output:
        json="results/qc/{unit}.fastp.json",
        html=temp("results/qc/{unit}.fastp.html"),
    log:
        "logs/qc/{unit}.fastp.log",
    benchmark:
        "benchmarks/qc/{unit}.fastp.tsv"
    conda:
        "../envs/fastp.yaml"
    threads: 1
    resources:
        mem_mb=memory(2000),
        runtime=minutes(30, per_gb=4),
    shell:
        "fastp --in1 {input.fq1:q} --in2 {input.fq2:q} --thread {threads} --dont_eval_duplication"
        " --disable_adapter_trimming --disable_quality_filtering --disable_length_filtering --disable_trim_poly_g"
        " --json {output.json:q} --html {output.html:q} --report_title {wildcards.unit} 2> {log:q}"


rule samtools_stats:
    input:
        cram="results/alignment/{sample}.cram",
        crai="results/alignment/{sample}.cram.crai",
        fasta=FASTA,
        fai=f"{FASTA}.fai",
    output:
        "results/qc/{sample}.samtools_stats.txt",
    log:
        "logs/qc/{sample}.samtools_stats.log",
    benchmark:
        "benchmarks/qc/{sample}.samtools_stats.tsv"
    conda:
        "../envs/samtools.yaml"
    threads: 1
    resources:
        mem_mb=memory(2000),
        runtime=minutes(30, per_gb=5),
    shell:
        "samtools stats -@ {threads} --reference {input.fasta:q} {input.cram:q} > {output:q} 2> {log:q}"


rule mosdepth:
    input:
        cram="results/alignment/{sample}.cram",
        crai="results/alignment/{sample}.cram.crai",
        fasta=FASTA,
        fai=f"{FASTA}.fai",
        regions="results/intake/regions/evaluation.bed",
    output:
        summary="results/qc/{sample}.mosdepth.summary.txt",
        global_dist="results/qc/{sample}.mosdepth.global.dist.txt",
        region_dist="results/qc/{sample}.mosdepth.region.dist.txt",
        regions="results/qc/{sample}.regions.bed.gz",
        csi=temp("results/qc/{sample}.regions.bed.gz.csi"),
        thresholds="results/qc/{sample}.thresholds.bed.gz",
        thresholds_csi=temp("results/qc/{sample}.thresholds.bed.gz.csi"),
    log:
        "logs/qc/{sample}.mosdepth.log",
    benchmark:
        "benchmarks/qc/{sample}.mosdepth.tsv"
    conda:
        "../envs/mosdepth.yaml"
    threads: 2
    resources:
        mem_mb=memory(4000),
        runtime=minutes(30, per_gb=2),
    params:
        prefix="results/qc/{sample}",
    shell:
        "mosdepth --threads {threads} --no-per-base --fasta {input.fasta:q} --by {input.regions:q} --thresholds 10,20"
        " {params.prefix:q} {input.cram:q} > {log:q} 2>&1"


# The sample size serves HET_SNP_SENSITIVITY only, which is not used and costs seconds: that column says nothing here.
rule picard_collect_wgs_metrics:
    input:
        cram="results/alignment/{sample}.cram",
        crai="results/alignment/{sample}.cram.crai",
        fasta=FASTA,
        fai=f"{FASTA}.fai",
        dict=FASTA_DICT,
        intervals="results/intake/regions/autosomes.interval_list",
    output:
        "results/qc/{sample}.wgs_metrics.txt",
    log:
        "logs/qc/{sample}.picard_collect_wgs_metrics.log",
    benchmark:
        "benchmarks/qc/{sample}.picard_collect_wgs_metrics.tsv"
    conda:
        "../envs/gatk.yaml"
    threads: 1
    resources:
        mem_mb=memory(4000),
        runtime=minutes(30, per_gb=20),
    params:
        java=java,
    shell:
        "gatk --java-options {params.java:q} CollectWgsMetrics -I {input.cram:q} -R {input.fasta:q}"
        " --INTERVALS {input.intervals:q} -O {output:q} --SAMPLE_SIZE 1 --VERBOSITY WARNING --QUIET true > {log:q} 2>&1"


rule bcftools_stats:
    input:
        vcf="results/conform/{sample}.vcf.gz",
        tbi="results/conform/{sample}.vcf.gz.tbi",
    output:
        "results/qc/{sample}.bcftools_stats.txt",
    log:
        "logs/qc/{sample}.bcftools_stats.log",
    conda:
        "../envs/bcftools.yaml"
    threads: 1
    resources:
        mem_mb=memory(1000),
        runtime=minutes(30),
    params:
        autosomes=AUTOSOMES,
    shell:
        "bcftools stats -s - -f PASS -r {params.autosomes:q} {input.vcf:q} > {output:q} 2> {log:q}"
