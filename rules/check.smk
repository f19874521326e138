"""Judges each submission as the receiver will, then refuses what does not conform."""


rule check:
    input:
        receipt="results/package/{case}.json",
        fasta=FASTA,
        fai=f"{FASTA}.fai",
        profile=PROFILE_FILE,
        overlay=OVERLAY,
    output:
        "results/check/{case}.json",
    log:
        "logs/check/{case}.log",
    benchmark:
        "benchmarks/check/{case}.tsv"
    conda:
        "../envs/python.yaml"
    threads: 2
    resources:
        mem_mb=memory(2000),
        runtime=minutes(30, per_gb=8),
    params:
        submission="results/submissions/{case}",
    script:
        "../scripts/check.py"


rule accept:
    input:
        "results/check/{case}.json",
    output:
        touch("results/check/{case}.accepted"),
    log:
        "logs/check/{case}.accept.log",
    retries: 0
    conda:
        "../envs/python.yaml"
    threads: 1
    resources:
        mem_mb=memory(500),
        runtime=minutes(10),
    script:
        "../scripts/accept.py"
