"""Structural variants by manta, beside delly's, of cases and of tumours: for runs that name both in `structural_callers`."""


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
        bams=manta_bams,
        result="diploidSV",
        file_type="structural_vcf",
        sample="null",
    script:
        "../scripts/manta_call.sh"


use rule manta_call as manta_call_somatic with:
    input:
        crams=pair_of_tumour("results/alignment/{sample}.cram"),
        crais=pair_of_tumour("results/alignment/{sample}.cram.crai"),
        clearances=pair_of_tumour("results/gate/{sample}.cleared"),
        fasta=FASTA,
        fai=f"{FASTA}.fai",
    output:
        calls=temp("results/sv/{sample}.somatic.manta.vcf.gz"),
        not_called=temp("results/sv/{sample}.somatic.manta.not_called.json"),
    log:
        "logs/sv/{sample}.manta_call_somatic.log",
    benchmark:
        "benchmarks/sv/{sample}.manta_call_somatic.tsv"
    params:
        bams=manta_bams,
        result="somaticSV",
        file_type="somatic_structural_vcf",
        sample=quoted_sample,


# A case, or a tumour, is called by every caller of the configuration or by none: one file never says less than another of its run.
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


use rule structural_not_called as somatic_structural_not_called with:
    input:
        delly="results/sv/{sample}.somatic.delly.not_called.json",
        manta="results/sv/{sample}.somatic.manta.not_called.json",
    output:
        "results/sv/{sample}.somatic.not_called.json",
    log:
        "logs/sv/{sample}.somatic_structural_not_called.log",
