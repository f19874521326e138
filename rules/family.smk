"""A case of several people: genotyped together from their gVCFs, with posteriors and de novo candidates beside."""


rule pedigree:
    output:
        "results/family/{case}.ped",
    log:
        "logs/family/{case}.pedigree.log",
    conda:
        "../envs/python.yaml"
    threads: 1
    resources:
        mem_mb=memory(500),
        runtime=minutes(10),
    params:
        lines=pedigree_lines,
    shell:
        "printf '%s\\n' {params.lines:q} > {output:q} 2> {log:q}"


# Where nobody has a variant the family's VCF has no record: only what overlaps a variant of somebody is read on.
# bcftools refuses an empty list, so the part's first base is always in it.
rule bcftools_family_sites:
    input:
        gvcfs=case_files("results/conform/{sample}.g.vcf.gz"),
        tbis=case_files("results/conform/{sample}.g.vcf.gz.tbi"),
        part="results/intake/regions/scatter.unknown.{part}.bed",
    output:
        temp("results/family/{case}.{part}.sites.bed"),
    log:
        "logs/family/{case}.{part}.bcftools_family_sites.log",
    conda:
        "../envs/bcftools.yaml"
    threads: 1
    resources:
        mem_mb=memory(2000),
        runtime=minutes(60),
    shell:
        "( {{ head -n 1 {input.part:q} | awk -v OFS='\\t' '{{ print $1, $2, $2 + 1 }}'; for gvcf in {input.gvcfs:q};"
        " do bcftools query -R {input.part:q} -e 'N_ALT==1' -f '%CHROM\\t%POS0\\t%END\\n' \"$gvcf\"; done; }}"
        " | sort -u -k 1,1 -k 2,2n -k 3,3n -T {resources.tmpdir:q} > {output:q} ) 2> {log:q}"


rule bcftools_family_records:
    input:
        gvcf="results/conform/{sample}.g.vcf.gz",
        tbi="results/conform/{sample}.g.vcf.gz.tbi",
        part="results/intake/regions/scatter.unknown.{part}.bed",
        sites="results/family/{case}.{part}.sites.bed",
    output:
        gvcf=temp("results/family/{case}.{sample}.{part}.g.vcf.gz"),
        tbi=temp("results/family/{case}.{sample}.{part}.g.vcf.gz.tbi"),
    log:
        "logs/family/{case}.{sample}.{part}.bcftools_family_records.log",
    conda:
        "../envs/bcftools.yaml"
    threads: 1
    resources:
        mem_mb=memory(2000),
        runtime=minutes(60),
    shell:
        "( bcftools view --no-version -R {input.part:q} -T {input.sites:q} --targets-overlap 1 -Oz -o {output.gvcf:q}"
        " {input.gvcf:q} && tabix -p vcf {output.gvcf:q} ) 2> {log:q}"


rule gatk_combinegvcfs:
    input:
        fasta=FASTA,
        fai=f"{FASTA}.fai",
        dict=FASTA_DICT,
        gvcfs=case_files("results/family/{case}.{sample}.{part}.g.vcf.gz"),
        tbis=case_files("results/family/{case}.{sample}.{part}.g.vcf.gz.tbi"),
    output:
        gvcf=temp("results/family/{case}.{part}.g.vcf.gz"),
        tbi=temp("results/family/{case}.{part}.g.vcf.gz.tbi"),
    log:
        "logs/family/{case}.{part}.gatk_combinegvcfs.log",
    benchmark:
        "benchmarks/family/{case}.{part}.gatk_combinegvcfs.tsv"
    conda:
        "../envs/gatk.yaml"
    threads: 1
    resources:
        mem_mb=memory(4000),
        runtime=minutes(240),
    params:
        java=java,
        gvcfs=variant_options,
    shell:
        "gatk --java-options {params.java:q} CombineGVCFs -R {input.fasta:q} {params.gvcfs}"
        " -O {output.gvcf:q} > {log:q} 2>&1"


# Each member keeps the ploidy of its own gVCF, also where a mother's X stands beside her son's.
rule gatk_genotype_family:
    input:
        fasta=FASTA,
        fai=f"{FASTA}.fai",
        dict=FASTA_DICT,
        gvcf="results/family/{case}.{part}.g.vcf.gz",
        tbi="results/family/{case}.{part}.g.vcf.gz.tbi",
        part="results/intake/regions/scatter.unknown.{part}.bed",
        gate="results/gate/{case}.aligned",
    output:
        vcf=temp("results/family/{case}.{part}.vcf.gz"),
        tbi=temp("results/family/{case}.{part}.vcf.gz.tbi"),
    log:
        "logs/family/{case}.{part}.gatk_genotype_family.log",
    benchmark:
        "benchmarks/family/{case}.{part}.gatk_genotype_family.tsv"
    conda:
        "../envs/gatk.yaml"
    threads: 1
    resources:
        mem_mb=memory(4000),
        runtime=minutes(240),
    params:
        java=java,
        threshold=GENOTYPE_THRESHOLD,
    shell:
        "gatk --java-options {params.java:q} GenotypeGVCFs -R {input.fasta:q} -V {input.gvcf:q} {params.threshold}"
        " -L {input.part:q} --only-output-calls-starting-in-intervals -O {output.vcf:q} > {log:q} 2>&1"


rule bcftools_join_family:
    input:
        vcfs=case_parts(".vcf.gz"),
        tbis=case_parts(".vcf.gz.tbi"),
    output:
        vcf=temp("results/family/{case}.joint.vcf.gz"),
        tbi=temp("results/family/{case}.joint.vcf.gz.tbi"),
    log:
        "logs/family/{case}.bcftools_join_family.log",
    conda:
        "../envs/bcftools.yaml"
    threads: 1
    resources:
        mem_mb=memory(1000),
        runtime=minutes(120),
    shell:
        "( bcftools concat --no-version -a -Oz -o {output.vcf:q} {input.vcfs:q}"
        " && tabix -p vcf {output.vcf:q} ) 2> {log:q}"


# GATK's family priors know diploid genotypes only: X and Y outside the PARs have none where a member has one copy.
rule bcftools_diploid_records:
    input:
        vcf="results/family/{case}.joint.vcf.gz",
        tbi="results/family/{case}.joint.vcf.gz.tbi",
    output:
        vcf=temp("results/family/{case}.diploid.vcf.gz"),
        tbi=temp("results/family/{case}.diploid.vcf.gz.tbi"),
    log:
        "logs/family/{case}.bcftools_diploid_records.log",
    conda:
        "../envs/bcftools.yaml"
    threads: 1
    resources:
        mem_mb=memory(1000),
        runtime=minutes(60),
    shell:
        "( bcftools view --no-version -e 'GT=\"hap\"' -Oz -o {output.vcf:q} {input.vcf:q}"
        " && tabix -p vcf {output.vcf:q} ) 2> {log:q}"


rule gatk_calculate_genotype_posteriors:
    input:
        vcf="results/family/{case}.diploid.vcf.gz",
        tbi="results/family/{case}.diploid.vcf.gz.tbi",
        ped="results/family/{case}.ped",
    output:
        vcf=temp("results/family/{case}.posteriors.vcf.gz"),
        tbi=temp("results/family/{case}.posteriors.vcf.gz.tbi"),
    log:
        "logs/family/{case}.gatk_calculate_genotype_posteriors.log",
    benchmark:
        "benchmarks/family/{case}.gatk_calculate_genotype_posteriors.tsv"
    conda:
        "../envs/gatk.yaml"
    threads: 1
    resources:
        mem_mb=memory(4000),
        runtime=minutes(240),
    params:
        java=java,
    shell:
        "gatk --java-options {params.java:q} CalculateGenotypePosteriors -V {input.vcf:q} -ped {input.ped:q}"
        " --skip-population-priors -O {output.vcf:q} > {log:q} 2>&1"


# Sorted, since the order of the alleles of one place depends on how the gVCFs were combined.
rule bcftools_split_family:
    input:
        vcf="results/family/{case}.joint.vcf.gz",
        tbi="results/family/{case}.joint.vcf.gz.tbi",
        fasta=FASTA,
        fai=f"{FASTA}.fai",
    output:
        vcf=temp("results/family/{case}.split.vcf.gz"),
        tbi=temp("results/family/{case}.split.vcf.gz.tbi"),
    log:
        "logs/family/{case}.bcftools_split_family.log",
    conda:
        "../envs/bcftools.yaml"
    threads: 1
    resources:
        mem_mb=memory(2000),
        runtime=minutes(120),
    params:
        filters=soft_filters(),
    shell:
        "( bcftools view --no-version -Ou {input.vcf:q} | {params.filters}"
        " | bcftools norm --no-version -Ou -m -both --check-ref e -f {input.fasta:q}"
        " | bcftools norm --no-version -Ou --rm-dup exact"
        " | bcftools view --no-version -Ou -e 'ALT=\"*\"'"
        " | bcftools sort -T {resources.tmpdir:q}/{wildcards.case}.split -Oz -o {output.vcf:q} -"
        " && tabix -p vcf {output.vcf:q} ) 2> {log:q}"


# Only where a child has both parents in the case. The caller's genotypes stay as they are.
rule bcftools_denovo:
    input:
        vcf="results/family/{case}.split.vcf.gz",
        tbi="results/family/{case}.split.vcf.gz.tbi",
        posteriors="results/family/{case}.posteriors.vcf.gz",
        posteriors_tbi="results/family/{case}.posteriors.vcf.gz.tbi",
        ped="results/family/{case}.ped",
    output:
        vcf=temp("results/family/{case}.denovo.vcf.gz"),
        tbi=temp("results/family/{case}.denovo.vcf.gz.tbi"),
    log:
        "logs/family/{case}.bcftools_denovo.log",
    benchmark:
        "benchmarks/family/{case}.bcftools_denovo.tsv"
    conda:
        "../envs/bcftools.yaml"
    threads: 1
    resources:
        mem_mb=memory(2000),
        runtime=minutes(120),
    params:
        one_x=one_copy_of_x(),
        high=PROFILE.data["denovo"]["high"],
        low=PROFILE.data["denovo"]["low"],
    script:
        "../scripts/denovo.sh"


rule family_header:
    input:
        preflight="results/intake/preflight.json",
        identity="results/intake/reference.json",
    output:
        family_vcf=temp("results/conform/{case}.family.vcf.header"),
    log:
        "logs/conform/{case}.family_header.log",
    conda:
        "../envs/python.yaml"
    threads: 1
    resources:
        mem_mb=memory(1000),
        runtime=minutes(10),
    params:
        samples=family_columns,
        filters=FILTERS,
        source=CALLER,
        profile=profile_parts("id", "reference", "family_vcf"),
    script:
        "../scripts/vcf_header.py"


rule bcftools_conform_family:
    input:
        unpack(annotated_family),
        header="results/conform/{case}.family.vcf.header",
    output:
        vcf=ensure("results/conform/{case}.family.vcf.gz", non_empty=True),
        tbi="results/conform/{case}.family.vcf.gz.tbi",
    log:
        "logs/conform/{case}.bcftools_conform_family.log",
    benchmark:
        "benchmarks/conform/{case}.bcftools_conform_family.tsv"
    conda:
        "../envs/bcftools.yaml"
    threads: 1
    resources:
        mem_mb=memory(1000),
        runtime=minutes(120),
    params:
        samples=family_column_list,
        drop=only_declared("family_vcf"),
    shell:
        "( bcftools view --no-version -Ou -s {params.samples:q} {input.vcf:q}"
        " | bcftools annotate --no-version -Ou -x {params.drop:q}"
        " | bcftools view --no-version -H"
        " | cat {input.header:q} - | bgzip -c > {output.vcf:q}"
        " && tabix -p vcf {output.vcf:q} ) 2> {log:q}"


# For the report: a number for each kind of record. It is read as one stream and kept, being small.
rule bcftools_family_counts:
    input:
        vcf="results/conform/{case}.family.vcf.gz",
        tbi="results/conform/{case}.family.vcf.gz.tbi",
    output:
        "results/family/{case}.counts.tsv",
    log:
        "logs/family/{case}.bcftools_family_counts.log",
    conda:
        "../envs/bcftools.yaml"
    threads: 1
    resources:
        mem_mb=memory(1000),
        runtime=minutes(60),
    shell:
        "( bcftools query -f"
        " '%CHROM\\t%FILTER\\t%TYPE\\t%INFO/DENOVO_HIGH\\t%INFO/DENOVO_LOW[\\t%SAMPLE=%GT]\\n' {input.vcf:q}"
        " | awk '{{ n[$0]++ }} END {{ for (kind in n) print n[kind] \"\\t\" kind }}' | sort > {output:q} ) 2> {log:q}"


rule family_report:
    input:
        counts="results/family/{case}.counts.tsv",
    output:
        "results/family/{case}.json",
    log:
        "logs/family/{case}.family_report.log",
    conda:
        "../envs/python.yaml"
    threads: 1
    resources:
        mem_mb=memory(500),
        runtime=minutes(10),
    params:
        members=case_members,
        autosomes=AUTOSOMES,
    script:
        "../scripts/family_report.py"
