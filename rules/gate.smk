"""Metrics under their names, and the two gates of a case: before anything is called, and after."""


rule alignment_metrics:
    input:
        intake=case_intake_reports,
        alignment=case_files(
            "results/qc/{sample}.samtools_stats.txt",
            "results/alignment/{sample}.markdup.json",
            "results/qc/{sample}.mosdepth.summary.txt",
            "results/qc/{sample}.thresholds.bed.gz",
            "results/qc/{sample}.regions.bed.gz",
            "results/qc/{sample}.wgs_metrics.txt",
        ),
        identity=identity_reports,
        preflight="results/intake/preflight.json",
        regions="results/intake/regions/evaluation.bed",
        profile=PROFILE_FILE,
        overlay=OVERLAY,
    output:
        "results/gate/{case}.aligned.json",
    log:
        "logs/gate/{case}.alignment_metrics.log",
    conda:
        "../envs/python.yaml"
    threads: 1
    resources:
        mem_mb=1000,
        runtime=10,
    params:
        case=case_rows,
        evaluation=evaluation(),
        waivers=case_waivers,
    script:
        "../scripts/alignment_metrics.py"


# Callers take it as ancient(): it decides whether a case is called, not what the calls are.
rule alignment_gate:
    input:
        metrics=["results/gate/{case}.aligned.json"],
        profile=PROFILE_FILE,
        overlay=OVERLAY,
    output:
        "results/gate/{case}.aligned",
    log:
        "logs/gate/{case}.alignment_gate.log",
    conda:
        "../envs/python.yaml"
    threads: 1
    resources:
        mem_mb=500,
        runtime=10,
    params:
        stage="alignment",
        proceed=config["proceed_on_fail"],
        waivers=case_waivers,
    script:
        "../scripts/quality_gate.py"


rule metrics:
    input:
        aligned=aligned_of_sample,
        calls="results/qc/{sample}.bcftools_stats.txt",
        mendel=mendel_report,
        preflight="results/intake/preflight.json",
        profile=PROFILE_FILE,
        overlay=OVERLAY,
    output:
        "results/qc/{sample}.metrics.json",
    log:
        "logs/qc/{sample}.metrics.log",
    conda:
        "../envs/python.yaml"
    threads: 1
    resources:
        mem_mb=1000,
        runtime=10,
    params:
        sample=sample_row,
        study_type=study_type,
        waivers=sample_waivers,
    script:
        "../scripts/metrics.py"


rule calling_gate:
    input:
        metrics=case_files("results/qc/{sample}.metrics.json"),
        profile=PROFILE_FILE,
        overlay=OVERLAY,
    output:
        "results/gate/{case}.called",
    log:
        "logs/gate/{case}.calling_gate.log",
    conda:
        "../envs/python.yaml"
    threads: 1
    resources:
        mem_mb=500,
        runtime=10,
    params:
        stage="calling",
        proceed=config["proceed_on_fail"],
        waivers=case_waivers,
    script:
        "../scripts/quality_gate.py"
