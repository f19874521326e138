"""Somatic copy number of a tumour: depth over that of its normal, and the lesser allele's share where the normal has two."""


# Without a normal that was counted the tumour's own depth is taken; without sites of two alleles the depth alone.
rule gatk_somatic_segments:
    input:
        counts="results/copy_number/{sample}.counts.tsv",
        unused="results/copy_number/{sample}.unused.bed",
        gc="results/copy_number/bins.gc.tsv",
        normal=of_normal("results/copy_number/{sample}.denoised.tsv"),
        alleles="results/somatic/{sample}.allelic_counts.tsv",
        normal_alleles=of_normal("results/somatic/{sample}.allelic_counts.tsv"),
    output:
        segments=temp("results/copy_number/{sample}.modelled.tsv"),
        called=temp("results/copy_number/{sample}.called.tsv"),
    log:
        "logs/copy_number/{sample}.gatk_somatic_segments.log",
    benchmark:
        "benchmarks/copy_number/{sample}.gatk_somatic_segments.tsv"
    conda:
        "../envs/gatk.yaml"
    threads: 1
    resources:
        mem_mb=memory(8000),
        runtime=minutes(240),
    params:
        java=java,
        penalty=PROFILE.data["somatic_copy_number"]["penalty"],
        base_error=PROFILE.data["somatic_copy_number"]["base_error"],
    script:
        "../scripts/gatk_somatic_segments.sh"


# Empty files where the tumour's reads are too few: `not_called` says so.
rule conform_somatic_copy_number:
    input:
        segments="results/copy_number/{sample}.modelled.tsv",
        called="results/copy_number/{sample}.called.tsv",
        normal=of_normal("results/copy_number/{sample}.not_called.json"),
        not_called="results/copy_number/{sample}.not_called.json",
        identity="results/intake/reference.json",
        fasta=FASTA,
        fai=f"{FASTA}.fai",
    output:
        vcf="results/copy_number/{sample}.somatic.cnv.vcf.gz",
        tbi="results/copy_number/{sample}.somatic.cnv.vcf.gz.tbi",
        report="results/copy_number/{sample}.somatic.json",
    log:
        "logs/copy_number/{sample}.conform_somatic_copy_number.log",
    conda:
        "../envs/python.yaml"
    threads: 1
    resources:
        mem_mb=memory(2000),
        runtime=minutes(30),
    params:
        length=config["copy_number"]["bin"],
        profile=profile_parts("id", "reference", "somatic_copy_number_vcf", "somatic_copy_number"),
    script:
        "../scripts/conform_somatic_copy_number.py"
