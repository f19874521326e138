"""Per unit one sorted CRAM, per sample one duplicate-marked CRAM 3.0."""


rule bwa_mem:
    input:
        unpack(unit_fastqs),
        clearance=clearance_of_unit,
        # It decides whether, not what: another population aligns nothing again.
        population=ancient("results/identity/population.json"),
        fasta=FASTA,
        fai=f"{FASTA}.fai",
        index=ALIGNER_INDEX,
    output:
        temp("results/alignment/{unit}.cram"),
    log:
        "logs/alignment/{unit}.bwa_mem.log",
    benchmark:
        "benchmarks/alignment/{unit}.bwa_mem.tsv"
    conda:
        f"../envs/{config['aligner']}.yaml"
    threads: 2
    resources:
        mem_mb=memory(12000),
        runtime=minutes(30, per_gb=60),
    params:
        aligner=config["aligner"],
        read_group=read_group,
    shell:
        "( {params.aligner} mem -t {threads} -K 100000000 -Y -R {params.read_group:q}"
        " {input.fasta:q} {input.fq1:q} {input.fq2:q}"
        " | samtools fixmate --no-PG -u -m - -"
        " | samtools sort --no-PG -m 1G -T {resources.tmpdir:q}/{wildcards.unit}"
        " -O cram,version=3.0,level=1 --reference {input.fasta:q} -o {output:q} -"
        " ) 2> {log:q}"


rule samtools_markdup:
    input:
        lanes=sample_unit_crams,
        fasta=FASTA,
        fai=f"{FASTA}.fai",
        identity="results/intake/reference.json",
    output:
        cram=ensure("results/alignment/{sample}.cram", non_empty=True),
        crai="results/alignment/{sample}.cram.crai",
        metrics="results/alignment/{sample}.markdup.json",
    log:
        "logs/alignment/{sample}.samtools_markdup.log",
    benchmark:
        "benchmarks/alignment/{sample}.samtools_markdup.tsv"
    conda:
        "../envs/samtools.yaml"
    threads: 2
    resources:
        mem_mb=memory(4000),
        runtime=minutes(30, per_gb=8),
    params:
        libraries=crams_by_library,
        optical_distance=config["optical_distance"],
    script:
        "../scripts/mark_duplicates.sh"
