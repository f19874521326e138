"""What is counted of somatic variants: types, fractions, burden and mutation contexts; what several tumours share."""


rule count_somatic:
    input:
        vcf="results/conform/{sample}.somatic.vcf.gz",
        tbi="results/conform/{sample}.somatic.vcf.gz.tbi",
        thresholds="results/qc/{sample}.thresholds.bed.gz",
        fasta=FASTA,
        fai=f"{FASTA}.fai",
    output:
        counts="results/somatic/{sample}.json",
        contexts="results/somatic/{sample}.contexts.tsv",
    log:
        "logs/somatic/{sample}.count_somatic.log",
    conda:
        "../envs/python.yaml"
    threads: 1
    resources:
        mem_mb=memory(1000),
        runtime=minutes(30),
    params:
        normal=normal_name,
        contigs=somatic_contigs(),
        depth=PROFILE.data["somatic"]["depth"],
    script:
        "../scripts/count_somatic.py"


rule compare_tumours:
    input:
        vcfs=of_tumours("results/conform/{sample}.somatic.vcf.gz"),
        tbis=of_tumours("results/conform/{sample}.somatic.vcf.gz.tbi"),
    output:
        "results/somatic/{case}.tumours.json",
    log:
        "logs/somatic/{case}.compare_tumours.log",
    conda:
        "../envs/python.yaml"
    threads: 1
    resources:
        mem_mb=memory(2000),
        runtime=minutes(30),
    params:
        tumours=tumours_of_case,
    script:
        "../scripts/compare_tumours.py"
