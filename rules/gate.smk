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
        regions="results/intake/regions/evaluation.bed",
    output:
        "results/gate/{case}.measured.json",
    log:
        "logs/gate/{case}.alignment_metrics.log",
    conda:
        "../envs/python.yaml"
    threads: 1
    resources:
        mem_mb=memory(1000),
        runtime=minutes(10),
    params:
        samples=case_samples,
        evaluation=evaluation(),
    script:
        "../scripts/alignment_metrics.py"


# What it judges by (profile, waivers, proceed_on_fail) is no input: another profile must not have all cases called
# again. A case that was refused is judged anew in every run, one that passed by calling_gate. Not ancient() for the
# callers either: a job behind an ancient input is not asked for changes of its own while what makes that input runs.
# The judgement is a log, since Snakemake keeps those of a job that failed.
rule alignment_gate:
    input:
        measured="results/gate/{case}.measured.json",
        preflight="results/intake/preflight.json",
    output:
        "results/gate/{case}.aligned",
    log:
        "logs/gate/{case}.alignment_gate.log",
        judged="results/gate/{case}.aligned.json",
    retries: 0
    conda:
        "../envs/python.yaml"
    threads: 1
    resources:
        mem_mb=memory(500),
        runtime=minutes(10),
    params:
        samples=case_samples,
        study_type=study_type,
    script:
        "../scripts/alignment_gate.py"


# As intake_clearance, for what is called of a sample.
rule alignment_clearance:
    input:
        gate=case_of_sample("results/gate/{case}.aligned"),
        reports=sample_intake_reports,
    output:
        "results/gate/{sample}.cleared",
    log:
        "logs/gate/{sample}.alignment_clearance.log",
    wildcard_constraints:
        sample=uncleared("gate", called_as),
    conda:
        "../envs/python.yaml"
    threads: 1
    resources:
        mem_mb=memory(500),
        runtime=minutes(10),
    params:
        units=sample_units,
        as_whose=called_as_whose,
    script:
        "../scripts/clearance.py"


rule metrics:
    input:
        measured=case_of_sample("results/gate/{case}.measured.json"),
        calls=of_germline("results/qc/{sample}.bcftools_stats.txt"),
        mendel=mendel_report,
        pair=pair_report,
        structural=of_germline("results/qc/{sample}.sv.json"),
        somatic=of_tumour("results/somatic/{sample}.json"),
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
        mem_mb=memory(1000),
        runtime=minutes(10),
    params:
        sample=sample_row,
        study_type=study_type,
        waivers=sample_waivers,
    script:
        "../scripts/metrics.py"


rule calling_gate:
    input:
        metrics=case_files("results/qc/{sample}.metrics.json"),
        gate="results/gate/{case}.aligned",
    output:
        "results/gate/{case}.called",
    log:
        "logs/gate/{case}.calling_gate.log",
    retries: 0
    conda:
        "../envs/python.yaml"
    threads: 1
    resources:
        mem_mb=memory(500),
        runtime=minutes(10),
    script:
        "../scripts/calling_gate.py"
