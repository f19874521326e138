"""Structural variants by manta, beside delly's: for runs that name both in `structural_callers`."""


rule manta_call:
    input:
        crams=germline_of_case("results/alignment/{sample}.cram"),
        crais=germline_of_case("results/alignment/{sample}.cram.crai"),
        gate="results/gate/{case}.aligned",
        fasta=FASTA,
        fai=f"{FASTA}.fai",
    output:
        calls=temp("results/sv/{case}.manta.vcf.gz"),
        not_called=temp("results/sv/{case}.manta.not_called.json"),
    log:
        "logs/sv/{case}.manta_call.log",
    benchmark:
        "benchmarks/sv/{case}.manta_call.tsv"
    conda:
        "../envs/manta.yaml"
    threads: 4
    resources:
        mem_mb=memory(8000),
        runtime=minutes(60, per_gb=6),
    params:
        crams=quoted_crams,
    script:
        "../scripts/manta_call.sh"


# A case is called by every caller of the configuration or by none: one file never says less than another of its run.
rule structural_not_called:
    input:
        delly="results/sv/{case}.delly.not_called.json",
        manta="results/sv/{case}.manta.not_called.json",
    output:
        "results/sv/{case}.not_called.json",
    log:
        "logs/sv/{case}.structural_not_called.log",
    conda:
        "../envs/python.yaml"
    threads: 1
    resources:
        mem_mb=memory(500),
        runtime=minutes(10),
    shell:
        "( if [[ $(cat {input.delly:q}) != '[]' ]]; then cp {input.delly:q} {output:q};"
        " else cp {input.manta:q} {output:q}; fi ) 2> {log:q}"
