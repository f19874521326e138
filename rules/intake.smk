"""Refuses before any compute: tools, reference, disk, and every FASTQ in one read."""


rule tool_version:
    output:
        "results/intake/tools/{tool}.txt",
    log:
        "logs/intake/tools/{tool}.log",
    conda:
        tool_env
    threads: 1
    resources:
        mem_mb=memory(1000),
        runtime=minutes(10),
    params:
        command=version_command,
    shell:
        "( {params.command} ) > {output} 2>&1 || echo 'exit status' $? >> {output}; cp {output} {log}"


rule reference_identity:
    input:
        fasta=FASTA,
        fai=f"{FASTA}.fai",
        dict=FASTA_DICT,
        index=ALIGNER_INDEX,
        evaluation_regions=config["evaluation_regions"] or [],
    output:
        identity="results/intake/reference.json",
        evaluation="results/intake/regions/evaluation.bed",
        autosomes="results/intake/regions/autosomes.interval_list",
        scatter=expand("results/intake/regions/scatter.{sex}.{part}.bed", sex=SEXES, part=PARTS),
    log:
        "logs/intake/reference_identity.log",
    benchmark:
        "benchmarks/intake/reference_identity.tsv"
    conda:
        "../envs/python.yaml"
    threads: 1
    resources:
        mem_mb=memory(4000),
        runtime=minutes(60),
    params:
        aligner=config["aligner"],
        profile=profile_parts("reference", "ploidy"),
        sexes=SEXES,
    script:
        "../scripts/reference_identity.py"


rule preflight:
    input:
        tools=expand("results/intake/tools/{tool}.txt", tool=TOOLS_USED),
        reference="results/intake/reference.json",
    output:
        "results/intake/preflight.json",
    log:
        "logs/intake/preflight.log",
    retries: 0
    conda:
        "../envs/python.yaml"
    threads: 1
    resources:
        mem_mb=memory(1000),
        runtime=minutes(10),
    params:
        tools={tool: TOOLS[tool] for tool in TOOLS_USED},
        tables=TABLE_FILES,
    script:
        "../scripts/preflight.py"


rule fastq_intake:
    input:
        unpack(unit_fastqs),
        preflight="results/intake/preflight.json",
    output:
        "results/intake/{unit}.json",
    log:
        "logs/intake/{unit}.log",
    benchmark:
        "benchmarks/intake/{unit}.tsv"
    conda:
        "../envs/python.yaml"
    threads: 2
    resources:
        mem_mb=memory(1000),
        runtime=minutes(30, per_gb=2),
    params:
        unit=unit_row,
        files=fastq_states,
    script:
        "../scripts/fastq_intake.py"


rule intake_gate:
    input:
        case_intake_reports,
    output:
        "results/intake/{case}.accepted",
    log:
        "logs/intake/{case}.log",
    retries: 0
    conda:
        "../envs/python.yaml"
    threads: 1
    resources:
        mem_mb=memory(1000),
        runtime=minutes(10),
    params:
        tables=TABLE_FILES,
    script:
        "../scripts/intake_gate.py"


# A sample that a case's gate let pass keeps its clearance while its reads are the same, whatever becomes of the case.
rule intake_clearance:
    input:
        gate=case_of_sample("results/intake/{case}.accepted"),
        reports=sample_intake_reports,
    output:
        "results/intake/{sample}.cleared",
    log:
        "logs/intake/{sample}.intake_clearance.log",
    wildcard_constraints:
        sample=uncleared("intake"),
    conda:
        "../envs/python.yaml"
    threads: 1
    resources:
        mem_mb=memory(500),
        runtime=minutes(10),
    params:
        units=sample_units,
        as_whose=None,
    script:
        "../scripts/clearance.py"
