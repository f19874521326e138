"""Structural variants of a case, all its members in one look by delly: found and genotyped together; manta.smk adds another's."""


rule delly_regions:
    input:
        bed=config["sv_exclude"] or [],
    output:
        "results/sv/exclude.bed",
    log:
        "logs/sv/delly_regions.log",
    conda:
        "../envs/python.yaml"
    threads: 1
    resources:
        mem_mb=memory(500),
        runtime=minutes(10),
    params:
        contigs=delly_excluded(),
    shell:
        "( printf '%s\\n' {params.contigs:q} && awk -F '\\t' -v OFS='\\t' 'NF > 2 && !/^(#|track|browser)/"
        " {{ print $1, $2, $3 }}' /dev/null {input.bed:q} ) | awk NF > {output:q} 2> {log:q}"


# One command for all members: what one of them has is looked for in every other by the same reads, and it is one pass
# over each CRAM where calling, merging and genotyping by themselves are two.
rule delly_call:
    input:
        crams=germline_of_case("results/alignment/{sample}.cram"),
        crais=germline_of_case("results/alignment/{sample}.cram.crai"),
        gate="results/gate/{case}.aligned",
        exclude="results/sv/exclude.bed",
        fasta=FASTA,
        fai=f"{FASTA}.fai",
    output:
        calls=temp("results/sv/{case}.delly.bcf"),
        csi=temp("results/sv/{case}.delly.bcf.csi"),
        # With manta the case's own is made of both.
        not_called=f"results/sv/{{case}}{'.delly' if MANTA else ''}.not_called.json",
    log:
        "logs/sv/{case}.delly_call.log",
    benchmark:
        "benchmarks/sv/{case}.delly_call.tsv"
    conda:
        "../envs/delly.yaml"
    threads: germline_members
    resources:
        mem_mb=memory(6000),
        runtime=minutes(60, per_gb=6),
    params:
        crams=quoted_crams,
        file_type="structural_vcf",
        sample="null",
    script:
        "../scripts/delly_call.sh"


# Empty files where the case was not called: `not_called` says why.
rule conform_structural:
    input:
        calls="results/sv/{case}.delly.bcf",
        csi="results/sv/{case}.delly.bcf.csi",
        manta="results/sv/{case}.manta.vcf.gz" if MANTA else [],
        exclude="results/sv/exclude.bed",
        not_called="results/sv/{case}.not_called.json",
        identity="results/intake/reference.json",
        fasta=FASTA,
        fai=f"{FASTA}.fai",
    output:
        vcf="results/sv/{case}.sv.vcf.gz",
        tbi="results/sv/{case}.sv.vcf.gz.tbi",
    log:
        "logs/sv/{case}.conform_structural.log",
    conda:
        "../envs/python.yaml"
    threads: 1
    resources:
        mem_mb=memory(1000),
        runtime=minutes(30),
    params:
        sexes=sexes_of_case,
        profile=profile_parts("id", "reference", "ploidy", "structural_vcf", "structural"),
    script:
        "../scripts/conform_structural.py"


rule count_structural:
    input:
        vcf=case_of_sample("results/sv/{case}.sv.vcf.gz"),
        tbi=case_of_sample("results/sv/{case}.sv.vcf.gz.tbi"),
        not_called=case_of_sample("results/sv/{case}.not_called.json"),
    output:
        "results/qc/{sample}.sv.json",
    log:
        "logs/qc/{sample}.count_structural.log",
    conda:
        "../envs/python.yaml"
    threads: 1
    resources:
        mem_mb=memory(1000),
        runtime=minutes(10),
    script:
        "../scripts/count_structural.py"
