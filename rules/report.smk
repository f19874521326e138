"""One MultiQC report per case, inside its submission."""


rule multiqc:
    input:
        fastp=case_files("results/qc/{unit}.fastp.json"),
        alignment=case_files(
            "results/qc/{sample}.samtools_stats.txt",
            "results/alignment/{sample}.markdup.json",
            "results/qc/{sample}.wgs_metrics.txt",
            "results/qc/{sample}.mosdepth.summary.txt",
            "results/qc/{sample}.mosdepth.global.dist.txt",
            "results/qc/{sample}.mosdepth.region.dist.txt",
        ),
        calls=case_files("results/qc/{sample}.bcftools_stats.txt"),
        metrics=case_files("results/qc/{sample}.metrics.json"),
        preflight="results/intake/preflight.json",
    output:
        ensure("results/qc/{case}.multiqc.html", non_empty=True),
    log:
        "logs/qc/{case}.multiqc.log",
    benchmark:
        "benchmarks/qc/{case}.multiqc.tsv"
    conda:
        "../envs/multiqc.yaml"
    threads: 1
    resources:
        mem_mb=2000,
        runtime=30,
    params:
        config=str(HOUSE / "config" / "multiqc.yaml"),
    script:
        "../scripts/multiqc_report.py"
