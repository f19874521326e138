"""Makes an encrypted copy of each accepted submission, for the recipients that the configuration names."""


rule encrypt:
    input:
        accepted="results/check/{case}.accepted",
        receipt="results/package/{case}.json",
        recipients=config["recipients"],
    output:
        receipt="results/encrypt/{case}.json",
    log:
        "logs/encrypt/{case}.log",
    benchmark:
        "benchmarks/encrypt/{case}.tsv"
    conda:
        "../envs/python.yaml"
    threads: 1
    resources:
        mem_mb=memory(1000),
        runtime=minutes(30, per_gb=4),
    params:
        submission="results/submissions/{case}",
        encrypted="results/encrypt/{case}",
    script:
        "../scripts/encrypt.py"
