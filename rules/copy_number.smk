"""Copy number by read depth, per sample; which copies are expected follows the sex and the pseudoautosomal regions."""


rule copy_number_bins:
    input:
        fasta=FASTA,
        fai=f"{FASTA}.fai",
        dict=FASTA_DICT,
        evaluation="results/intake/regions/evaluation.bed",
        preflight="results/intake/preflight.json",
        panel_bins=PANEL_BINS or [],
    output:
        bins="results/copy_number/bins.bed",
        gc="results/copy_number/bins.gc.tsv",
    log:
        "logs/copy_number/copy_number_bins.log",
    conda:
        "../envs/python.yaml"
    threads: 1
    resources:
        mem_mb=memory(2000),
        runtime=minutes(60),
    params:
        length=config["copy_number"]["bin"],
        profile=profile_parts("reference"),
    script:
        "../scripts/copy_number_bins.py"


# Of all reads, and of those whose place is certain: where they differ, a copy has no depth of its own.
rule mosdepth_bins:
    input:
        cram="results/alignment/{sample}.cram",
        crai="results/alignment/{sample}.cram.crai",
        fasta=FASTA,
        fai=f"{FASTA}.fai",
        bins="results/copy_number/bins.bed",
        clearance=clearance_of_sample,
    output:
        all="results/copy_number/{sample}.all.regions.bed.gz",
        unique="results/copy_number/{sample}.unique.regions.bed.gz",
        more=temp(
            multiext(
                "results/copy_number/{sample}",
                *(
                    f".{kind}.{end}"
                    for kind in ("all", "unique")
                    for end in (
                        "regions.bed.gz.csi",
                        "mosdepth.summary.txt",
                        "mosdepth.global.dist.txt",
                        "mosdepth.region.dist.txt",
                    )
                ),
            )
        ),
    log:
        "logs/copy_number/{sample}.mosdepth_bins.log",
    benchmark:
        "benchmarks/copy_number/{sample}.mosdepth_bins.tsv"
    conda:
        "../envs/mosdepth.yaml"
    threads: 2
    resources:
        mem_mb=memory(4000),
        runtime=minutes(30, per_gb=2),
    params:
        prefix="results/copy_number/{sample}",
    shell:
        "( [[ -s {input.bins:q} ]] || {{ touch {output:q}; exit 0; }};"
        " for kind in 'all 0' 'unique 30'; do set -- $kind;"
        " mosdepth --threads {threads} --no-per-base --fast-mode --mapq $2 --fasta {input.fasta:q} --by {input.bins:q}"
        " {params.prefix:q}.$1 {input.cram:q}; done ) > {log:q} 2>&1"


rule copy_number_counts:
    input:
        all="results/copy_number/{sample}.all.regions.bed.gz",
        unique="results/copy_number/{sample}.unique.regions.bed.gz",
        dict=FASTA_DICT,
    output:
        counts="results/copy_number/{sample}.counts.tsv",
        unused=temp("results/copy_number/{sample}.unused.bed"),
        not_called="results/copy_number/{sample}.not_called.json",
    log:
        "logs/copy_number/{sample}.copy_number_counts.log",
    conda:
        "../envs/python.yaml"
    threads: 1
    resources:
        mem_mb=memory(4000),
        runtime=minutes(30),
    params:
        sample=sample_row,
        profile=profile_parts("reference", "ploidy", "copy_number"),
    script:
        "../scripts/copy_number_counts.py"


# For the runs to come (`copy_number_panel`), of all germline samples of this one. Never part of a case's own run.
rule gatk_copy_panel:
    input:
        counts=panel_counts,
        gc="results/copy_number/bins.gc.tsv",
        bins="results/copy_number/bins.bed",
    output:
        panel="results/panel_of_normals/copy_number.hdf5",
        bins="results/panel_of_normals/copy_number.hdf5.bins.bed",
    log:
        "logs/copy_number/gatk_copy_panel.log",
    benchmark:
        "benchmarks/copy_number/gatk_copy_panel.tsv"
    conda:
        "../envs/gatk.yaml"
    threads: 2
    resources:
        mem_mb=memory(16000),
        runtime=minutes(240),
    params:
        java=java,
    script:
        "../scripts/gatk_copy_panel.sh"


rule gatk_copy_segments:
    input:
        counts="results/copy_number/{sample}.counts.tsv",
        unused="results/copy_number/{sample}.unused.bed",
        gc="results/copy_number/bins.gc.tsv",
        panel=config["copy_number_panel"] or [],
    output:
        denoised=temp("results/copy_number/{sample}.denoised.tsv"),
        segments=temp("results/copy_number/{sample}.segments.tsv"),
    log:
        "logs/copy_number/{sample}.gatk_copy_segments.log",
    benchmark:
        "benchmarks/copy_number/{sample}.gatk_copy_segments.tsv"
    conda:
        "../envs/gatk.yaml"
    threads: 1
    resources:
        mem_mb=memory(8000),
        runtime=minutes(240),
    params:
        java=java,
        penalty=PROFILE.data["copy_number"]["penalty"],
    script:
        "../scripts/gatk_copy_segments.sh"


rule copy_number:
    input:
        all="results/copy_number/{sample}.all.regions.bed.gz",
        unique="results/copy_number/{sample}.unique.regions.bed.gz",
        denoised="results/copy_number/{sample}.denoised.tsv",
        segments="results/copy_number/{sample}.segments.tsv",
        not_called="results/copy_number/{sample}.not_called.json",
        identity="results/intake/reference.json",
        fasta=FASTA,
        fai=f"{FASTA}.fai",
    output:
        vcf="results/copy_number/{sample}.cnv.vcf.gz",
        tbi="results/copy_number/{sample}.cnv.vcf.gz.tbi",
        report="results/copy_number/{sample}.json",
    log:
        "logs/copy_number/{sample}.copy_number.log",
    conda:
        "../envs/python.yaml"
    threads: 1
    resources:
        mem_mb=memory(4000),
        runtime=minutes(60),
    params:
        sample=sample_row,
        length=config["copy_number"]["bin"],
        profile=profile_parts("id", "reference", "ploidy", "copy_number", "copy_number_vcf"),
    script:
        "../scripts/copy_number.py"


rule deletions_duplications:
    input:
        structural=case_of_sample("results/sv/{case}.sv.vcf.gz"),
        no_structural=case_of_sample("results/sv/{case}.not_called.json"),
        copy_number="results/copy_number/{sample}.cnv.vcf.gz",
        no_copy_number="results/copy_number/{sample}.not_called.json",
    output:
        "results/qc/{sample}.dosage.json",
    log:
        "logs/qc/{sample}.deletions_duplications.log",
    conda:
        "../envs/python.yaml"
    threads: 1
    resources:
        mem_mb=memory(1000),
        runtime=minutes(10),
    params:
        overlap=PROFILE.data["copy_number"]["reciprocal_overlap"],
        least=config["copy_number"]["bin"] * PROFILE.data["copy_number"]["minimum_bins"],
    script:
        "../scripts/deletions_duplications.py"
