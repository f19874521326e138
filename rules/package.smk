"""Puts a case's products into one sealed BagIt bag with its manifest."""


rule package:
    input:
        unpack(somatic_databases),
        products=case_products,
        not_called=case_not_called,
        gate="results/gate/{case}.called",
        intake=case_intake_reports,
        accepted="results/intake/{case}.accepted",
        preflight="results/intake/preflight.json",
        identity="results/intake/reference.json",
        population="results/identity/population.json",
        sv_exclude=[config["sv_exclude"]] if config["sv_exclude"] else [],
        fasta=FASTA,
        fai=f"{FASTA}.fai",
        profile=PROFILE_FILE,
        overlay=OVERLAY,
    output:
        receipt="results/package/{case}.json",
    log:
        "logs/package/{case}.log",
    benchmark:
        "benchmarks/package/{case}.tsv"
    conda:
        "../envs/python.yaml"
    threads: 2
    resources:
        mem_mb=memory(2000),
        runtime=minutes(30, per_gb=4),
    params:
        case=case_rows,
        configuration=biology(),
        submission="results/submissions/{case}",
    script:
        "../scripts/package.py"
