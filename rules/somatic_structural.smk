"""Somatic structural variants of a tumour, its normal beside it in one look by delly; manta.smk adds another's."""


use rule delly_call as delly_call_somatic with:
    input:
        crams=pair_of_tumour("results/alignment/{sample}.cram"),
        crais=pair_of_tumour("results/alignment/{sample}.cram.crai"),
        clearances=pair_of_tumour("results/gate/{sample}.cleared"),
        exclude="results/sv/exclude.bed",
        fasta=FASTA,
        fai=f"{FASTA}.fai",
    output:
        calls=temp("results/sv/{sample}.pair.bcf"),
        csi=temp("results/sv/{sample}.pair.bcf.csi"),
        # With manta the tumour's own is made of both.
        not_called=f"results/sv/{{sample}}.somatic{'.delly' if MANTA else ''}.not_called.json",
    log:
        "logs/sv/{sample}.delly_call_somatic.log",
    benchmark:
        "benchmarks/sv/{sample}.delly_call_somatic.tsv"
    threads: 2
    params:
        crams=quoted_crams,
        file_type="somatic_structural_vcf",
        sample=quoted_sample,


# The profile's widest limits: what they keep is told of with its filters. Nothing of a pair that was not called.
rule delly_filter_somatic:
    input:
        calls="results/sv/{sample}.pair.bcf",
        csi="results/sv/{sample}.pair.bcf.csi",
    output:
        calls=temp("results/sv/{sample}.somatic.bcf"),
        csi=temp("results/sv/{sample}.somatic.bcf.csi"),
        pair=temp("results/sv/{sample}.pair.tsv"),
    log:
        "logs/sv/{sample}.delly_filter_somatic.log",
    conda:
        "../envs/delly.yaml"
    threads: 1
    resources:
        mem_mb=memory(1000),
        runtime=minutes(10),
    params:
        normal=normal_name,
        limits=delly_somatic_limits(),
    shell:
        "( printf '%s\\ttumor\\n%s\\tcontrol\\n' {wildcards.sample} {params.normal} > {output.pair:q};"
        " [[ -s {input.calls:q} ]] || {{ touch {output.calls:q} {output.csi:q}; exit 0; }};"
        " delly filter -f somatic {params.limits} -s {output.pair:q} -o {output.calls:q} {input.calls:q}"
        " ) > {log:q} 2>&1"


# Empty files where the pair was not called: `not_called` says why.
rule conform_somatic_structural:
    input:
        calls="results/sv/{sample}.somatic.bcf",
        csi="results/sv/{sample}.somatic.bcf.csi",
        manta="results/sv/{sample}.somatic.manta.vcf.gz" if MANTA else [],
        exclude="results/sv/exclude.bed",
        not_called="results/sv/{sample}.somatic.not_called.json",
        identity="results/intake/reference.json",
        fasta=FASTA,
        fai=f"{FASTA}.fai",
    output:
        vcf="results/sv/{sample}.somatic.sv.vcf.gz",
        tbi="results/sv/{sample}.somatic.sv.vcf.gz.tbi",
        report="results/sv/{sample}.somatic.json",
    log:
        "logs/sv/{sample}.conform_somatic_structural.log",
    conda:
        "../envs/python.yaml"
    threads: 1
    resources:
        mem_mb=memory(1000),
        runtime=minutes(30),
    params:
        normal=normal_name,
        sex=sex_of_sample,
        profile=profile_parts("id", "reference", "ploidy", "structural", "somatic_structural_vcf", "somatic_structural"),
    script:
        "../scripts/conform_somatic_structural.py"
