"""Somatic SNVs and indels with GATK Mutect2, scattered; how tumour and normal stand to each other; a panel of normals."""


rule gatk_mutect2:
    input:
        fasta=FASTA,
        fai=f"{FASTA}.fai",
        dict=FASTA_DICT,
        crams=with_normal("results/alignment/{sample}.cram"),
        crais=with_normal("results/alignment/{sample}.cram.crai"),
        clearances=with_normal("results/gate/{sample}.cleared"),
        intervals=of_sex("results/intake/regions/scatter.{sex}.{part}.bed"),
        resources=SOMATIC_RESOURCES,
    output:
        vcf=temp("results/somatic/{sample}.{part}.vcf.gz"),
        tbi=temp("results/somatic/{sample}.{part}.vcf.gz.tbi"),
        stats=temp("results/somatic/{sample}.{part}.vcf.gz.stats"),
        f1r2=temp("results/somatic/{sample}.{part}.f1r2.tar.gz"),
    log:
        "logs/somatic/{sample}.{part}.gatk_mutect2.log",
    benchmark:
        "benchmarks/somatic/{sample}.{part}.gatk_mutect2.tsv"
    conda:
        "../envs/gatk.yaml"
    threads: 1
    resources:
        mem_mb=memory(4000),
        runtime=minutes(60, per_gb=240 / len(PARTS)),
    params:
        java=java,
        reads=read_options,
        resources=somatic_resource_options(),
    shell:
        "gatk --java-options {params.java:q} Mutect2 -R {input.fasta:q} {params.reads} -L {input.intervals:q}"
        " {params.resources} --f1r2-tar-gz {output.f1r2:q} -A StrandBiasBySample"
        " --native-pair-hmm-threads {threads} -O {output.vcf:q} > {log:q} 2>&1"


# The sums of Mutect2's statistics are those of GATK's MergeMutectStats, which is one more start of Java.
rule bcftools_join_somatic:
    input:
        vcfs=expand("results/somatic/{{sample}}.{part}.vcf.gz", part=PARTS),
        tbis=expand("results/somatic/{{sample}}.{part}.vcf.gz.tbi", part=PARTS),
        stats=expand("results/somatic/{{sample}}.{part}.vcf.gz.stats", part=PARTS),
    output:
        vcf=temp("results/somatic/{sample}.raw.vcf.gz"),
        tbi=temp("results/somatic/{sample}.raw.vcf.gz.tbi"),
        stats=temp("results/somatic/{sample}.raw.vcf.gz.stats"),
    log:
        "logs/somatic/{sample}.bcftools_join_somatic.log",
    conda:
        "../envs/bcftools.yaml"
    threads: 1
    resources:
        mem_mb=memory(1000),
        runtime=minutes(60),
    shell:
        "( bcftools concat --no-version -a -Oz -o {output.vcf:q} {input.vcfs:q} && tabix -p vcf {output.vcf:q}"
        " && awk -F '\\t' 'FNR == 1 {{ header = $0; next }} {{ sum[$1] += $2 }}"
        ' END {{ print header; for (name in sum) printf "%s\\t%.1f\\n", name, sum[name] }}\' {input.stats:q}'
        " > {output.stats:q} ) 2> {log:q}"


rule gatk_learn_read_orientation_model:
    input:
        f1r2=expand("results/somatic/{{sample}}.{part}.f1r2.tar.gz", part=PARTS),
    output:
        temp("results/somatic/{sample}.orientation.tar.gz"),
    log:
        "logs/somatic/{sample}.gatk_learn_read_orientation_model.log",
    benchmark:
        "benchmarks/somatic/{sample}.gatk_learn_read_orientation_model.tsv"
    conda:
        "../envs/gatk.yaml"
    threads: 1
    resources:
        mem_mb=memory(8000),
        runtime=minutes(120),
    params:
        java=java,
        counts=f1r2_options,
    shell:
        "gatk --java-options {params.java:q} LearnReadOrientationModel {params.counts} -O {output:q} > {log:q} 2>&1"


# For a tumour by itself: where it lost or gained a copy, germline variants have fractions like somatic ones. The sites for
# contamination are too few to tell where that is, so all of the population's that are common enough are taken.
rule tumour_pileups:
    input:
        counts="results/somatic/{sample}.allelic_counts.tsv",
        frequencies="results/identity/sites/frequencies.tsv.gz",
    output:
        temp("results/somatic/{sample}.pileups.table"),
    log:
        "logs/somatic/{sample}.tumour_pileups.log",
    conda:
        "../envs/bcftools.yaml"
    threads: 1
    resources:
        mem_mb=memory(4000),
        runtime=minutes(60),
    shell:
        "( printf '#<METADATA>SAMPLE=%s\\n' {wildcards.sample};"
        " printf 'contig\\tposition\\tref_count\\talt_count\\tother_alt_count\\tallele_frequency\\n';"
        " bgzip -dc {input.frequencies:q} | awk -F '\\t' -v OFS='\\t'"
        " 'NR == FNR {{ if (!/^@/) counts[$1, $2] = $3 OFS $4; next }}"
        " ($1, $2) in counts {{ print $1, $2, counts[$1, $2], 0, $4 }}' {input.counts:q} - ) > {output:q} 2> {log:q}"


rule gatk_tumour_segments:
    input:
        "results/somatic/{sample}.pileups.table",
    output:
        segments=temp("results/somatic/{sample}.segments.table"),
        contamination=temp("results/somatic/{sample}.contamination.table"),
    log:
        "logs/somatic/{sample}.gatk_tumour_segments.log",
    conda:
        "../envs/gatk.yaml"
    threads: 1
    resources:
        mem_mb=memory(8000),
        runtime=minutes(60),
    params:
        java=java,
    shell:
        "gatk --java-options {params.java:q} CalculateContamination -I {input:q}"
        " --tumor-segmentation {output.segments:q} -O {output.contamination:q} > {log:q} 2>&1"


rule gatk_filter_mutect:
    input:
        fasta=FASTA,
        fai=f"{FASTA}.fai",
        dict=FASTA_DICT,
        vcf="results/somatic/{sample}.raw.vcf.gz",
        tbi="results/somatic/{sample}.raw.vcf.gz.tbi",
        stats="results/somatic/{sample}.raw.vcf.gz.stats",
        orientation="results/somatic/{sample}.orientation.tar.gz",
        contamination=["results/identity/{sample}.contamination.table"] if POPULATION else [],
        segments=tumour_segments,
    output:
        vcf=temp("results/somatic/{sample}.vcf.gz"),
        tbi=temp("results/somatic/{sample}.vcf.gz.tbi"),
        stats=temp("results/somatic/{sample}.vcf.gz.filteringStats.tsv"),
    log:
        "logs/somatic/{sample}.gatk_filter_mutect.log",
    benchmark:
        "benchmarks/somatic/{sample}.gatk_filter_mutect.tsv"
    conda:
        "../envs/gatk.yaml"
    threads: 1
    resources:
        mem_mb=memory(4000),
        runtime=minutes(120),
    params:
        java=java,
        contamination=contamination_options,
    shell:
        "gatk --java-options {params.java:q} FilterMutectCalls -R {input.fasta:q} -V {input.vcf:q} --stats {input.stats:q}"
        " --orientation-bias-artifact-priors {input.orientation:q} {params.contamination} -O {output.vcf:q} > {log:q} 2>&1"


rule somatic_header:
    input:
        preflight="results/intake/preflight.json",
        identity="results/intake/reference.json",
    output:
        somatic_vcf=temp("results/conform/{sample}.somatic.vcf.header"),
    log:
        "logs/conform/{sample}.somatic_header.log",
    conda:
        "../envs/python.yaml"
    threads: 1
    resources:
        mem_mb=memory(1000),
        runtime=minutes(10),
    params:
        samples=somatic_columns,
        filters=PROFILE.data["somatic"]["filters"],
        source="GATK Mutect2",
        profile=profile_parts("id", "reference", "somatic_vcf", "somatic"),
    script:
        "../scripts/vcf_header.py"


rule bcftools_conform_somatic:
    input:
        vcf="results/somatic/{sample}.vcf.gz",
        tbi="results/somatic/{sample}.vcf.gz.tbi",
        fasta=FASTA,
        fai=f"{FASTA}.fai",
        header="results/conform/{sample}.somatic.vcf.header",
    output:
        vcf=ensure("results/conform/{sample}.somatic.vcf.gz", non_empty=True),
        tbi="results/conform/{sample}.somatic.vcf.gz.tbi",
    log:
        "logs/conform/{sample}.bcftools_conform_somatic.log",
    benchmark:
        "benchmarks/conform/{sample}.bcftools_conform_somatic.tsv"
    conda:
        "../envs/bcftools.yaml"
    threads: 1
    resources:
        mem_mb=memory(2000),
        runtime=minutes(60),
    params:
        columns=somatic_column_list,
        tumour="{sample}",
        drop=only_declared("somatic_vcf"),
    script:
        "../scripts/conform_somatic.sh"


# ---- tumour and normal -----------------------------------------------------------------------


# Where a person's two copies can be told apart: by the normal's own VCF, without a normal by the population's frequencies.
rule somatic_sites:
    input:
        vcf=of_case_normal("results/conform/{sample}.vcf.gz"),
        tbi=of_case_normal("results/conform/{sample}.vcf.gz.tbi"),
        frequencies=["results/identity/sites/frequencies.tsv.gz"] if POPULATION else [],
    output:
        "results/somatic/{case}.sites.bed",
    log:
        "logs/somatic/{case}.somatic_sites.log",
    conda:
        "../envs/bcftools.yaml"
    threads: 1
    resources:
        mem_mb=memory(1000),
        runtime=minutes(60),
    params:
        autosomes=AUTOSOMES,
    script:
        "../scripts/somatic_sites.sh"


# GATK refuses a list without sites; there the table is empty.
rule gatk_collect_allelic_counts:
    input:
        fasta=FASTA,
        fai=f"{FASTA}.fai",
        dict=FASTA_DICT,
        cram="results/alignment/{sample}.cram",
        crai="results/alignment/{sample}.cram.crai",
        clearance=clearance_of_sample,
        sites=case_of_sample("results/somatic/{case}.sites.bed"),
    output:
        "results/somatic/{sample}.allelic_counts.tsv",
    log:
        "logs/somatic/{sample}.gatk_collect_allelic_counts.log",
    benchmark:
        "benchmarks/somatic/{sample}.gatk_collect_allelic_counts.tsv"
    conda:
        "../envs/gatk.yaml"
    threads: 1
    resources:
        mem_mb=memory(8000),
        runtime=minutes(120, per_gb=20),
    params:
        java=java,
    shell:
        "( [[ -s {input.sites:q} ]] || {{ touch {output:q}; exit 0; }};"
        " gatk --java-options {params.java:q} CollectAllelicCounts -R {input.fasta:q} -I {input.cram:q} -L {input.sites:q}"
        " -O {output:q} ) > {log:q} 2>&1"


rule tumour_and_normal:
    input:
        vcf="results/conform/{sample}.somatic.vcf.gz",
        tbi="results/conform/{sample}.somatic.vcf.gz.tbi",
        tumour="results/somatic/{sample}.allelic_counts.tsv",
        normal=of_normal("results/somatic/{sample}.allelic_counts.tsv"),
    output:
        "results/somatic/{sample}.pair.json",
    log:
        "logs/somatic/{sample}.tumour_and_normal.log",
    conda:
        "../envs/python.yaml"
    threads: 1
    resources:
        mem_mb=memory(4000),
        runtime=minutes(30),
    params:
        normal=normal_name,
        limits=metric_limits("tumour_in_normal", "tumour_normal_order"),
    script:
        "../scripts/tumour_and_normal.py"


# ---- panel of normals: a run of its own, see docs/operators.md -------------------------------


rule gatk_mutect2_normal:
    input:
        fasta=FASTA,
        fai=f"{FASTA}.fai",
        dict=FASTA_DICT,
        cram="results/alignment/{sample}.cram",
        crai="results/alignment/{sample}.cram.crai",
        clearance=clearance_of_sample,
        intervals="results/intake/regions/scatter.unknown.{part}.bed",
    output:
        vcf=temp("results/panel_of_normals/{sample}.{part}.vcf.gz"),
        tbi=temp("results/panel_of_normals/{sample}.{part}.vcf.gz.tbi"),
        stats=temp("results/panel_of_normals/{sample}.{part}.vcf.gz.stats"),
    log:
        "logs/panel_of_normals/{sample}.{part}.gatk_mutect2_normal.log",
    benchmark:
        "benchmarks/panel_of_normals/{sample}.{part}.gatk_mutect2_normal.tsv"
    conda:
        "../envs/gatk.yaml"
    threads: 1
    resources:
        mem_mb=memory(4000),
        runtime=minutes(60, per_gb=240 / len(PARTS)),
    params:
        java=java,
    shell:
        "gatk --java-options {params.java:q} Mutect2 -R {input.fasta:q} -I {input.cram:q} -L {input.intervals:q}"
        " --max-mnp-distance 0 --native-pair-hmm-threads {threads} -O {output.vcf:q} > {log:q} 2>&1"


rule gatk_genomicsdb_import:
    input:
        dict=FASTA_DICT,
        vcfs=expand("results/panel_of_normals/{sample}.{{part}}.vcf.gz", sample=NORMALS),
        tbis=expand("results/panel_of_normals/{sample}.{{part}}.vcf.gz.tbi", sample=NORMALS),
        intervals="results/intake/regions/scatter.unknown.{part}.bed",
    output:
        temp(directory("results/panel_of_normals/{part}.db")),
    log:
        "logs/panel_of_normals/{part}.gatk_genomicsdb_import.log",
    benchmark:
        "benchmarks/panel_of_normals/{part}.gatk_genomicsdb_import.tsv"
    conda:
        "../envs/gatk.yaml"
    threads: 1
    resources:
        mem_mb=memory(8000),
        runtime=minutes(600),
    params:
        java=java,
        vcfs=panel_options,
    shell:
        "gatk --java-options {params.java:q} GenomicsDBImport {params.vcfs} -L {input.intervals:q}"
        " --merge-input-intervals true --genomicsdb-workspace-path {output:q} > {log:q} 2>&1"


rule gatk_create_panel_of_normals:
    input:
        fasta=FASTA,
        fai=f"{FASTA}.fai",
        dict=FASTA_DICT,
        db="results/panel_of_normals/{part}.db",
        resource=SOMATIC_RESOURCE,
    output:
        vcf=temp("results/panel_of_normals/{part}.vcf.gz"),
        tbi=temp("results/panel_of_normals/{part}.vcf.gz.tbi"),
    log:
        "logs/panel_of_normals/{part}.gatk_create_panel_of_normals.log",
    benchmark:
        "benchmarks/panel_of_normals/{part}.gatk_create_panel_of_normals.tsv"
    conda:
        "../envs/gatk.yaml"
    threads: 1
    resources:
        mem_mb=memory(8000),
        runtime=minutes(600),
    params:
        java=java,
        resource=germline_resource_option(),
    shell:
        "gatk --java-options {params.java:q} CreateSomaticPanelOfNormals -R {input.fasta:q} -V gendb://{input.db:q}"
        " {params.resource} -O {output.vcf:q} > {log:q} 2>&1"


# Whose normals they were stands in the header's lines of GATK: these are left out.
rule bcftools_join_panel:
    input:
        vcfs=expand("results/panel_of_normals/{part}.vcf.gz", part=PARTS),
        tbis=expand("results/panel_of_normals/{part}.vcf.gz.tbi", part=PARTS),
    output:
        vcf="results/panel_of_normals/panel.vcf.gz",
        tbi="results/panel_of_normals/panel.vcf.gz.tbi",
    log:
        "logs/panel_of_normals/bcftools_join_panel.log",
    conda:
        "../envs/bcftools.yaml"
    threads: 1
    resources:
        mem_mb=memory(1000),
        runtime=minutes(60),
    shell:
        "( bcftools concat --no-version -a -Ov {input.vcfs:q} | grep -v '^##GATKCommandLine'"
        " | bgzip -c > {output.vcf:q} && tabix -p vcf {output.vcf:q} ) 2> {log:q}"
