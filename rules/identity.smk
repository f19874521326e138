"""Whose reads are these: identity of every lane, relations, contamination; after calling, Mendel's laws in trios."""


rule population_header:
    input:
        vcf=config["population"]["vcf"] or [],
        index=population_index() or [],
        fai=f"{FASTA}.fai",
    output:
        "results/identity/sites/population.json",
    log:
        "logs/identity/population_header.log",
    conda:
        "../envs/python.yaml"
    threads: 1
    resources:
        mem_mb=memory(1000),
        runtime=minutes(60),
    params:
        name=config["population"]["name"],
        version=config["population"]["version"],
    script:
        "../scripts/population_header.py"


rule bcftools_population_sites:
    input:
        vcf=config["population"]["vcf"] or [],
        judged="results/identity/sites/population.json",
    output:
        temp("results/identity/sites/candidates.tsv"),
    log:
        "logs/identity/bcftools_population_sites.log",
    benchmark:
        "benchmarks/identity/bcftools_population_sites.tsv"
    conda:
        "../envs/bcftools.yaml"
    threads: 1
    resources:
        mem_mb=memory(1000),
        runtime=minutes(240),
    shell:
        'bcftools query -i \'TYPE="snp" && N_ALT=1 && INFO/AF>=0.01 && INFO/AF<=0.99 && (FILTER="PASS" || FILTER=".")\''
        " -f '%CHROM\\t%POS\\t%REF\\t%ALT\\t%INFO/AF\\n' {input.vcf:q} > {output:q} 2> {log:q}"


# Alignment waits for it: a resource that cannot serve is refused before any compute.
rule identity_sites:
    input:
        population="results/identity/sites/population.json",
        candidates="results/identity/sites/candidates.tsv" if POPULATION else [],
        known=config["known_genotypes"] or [],
        fasta=FASTA,
        fai=f"{FASTA}.fai",
    output:
        population="results/identity/population.json",
        haplotype_map="results/identity/sites/haplotype_map.txt",
        alleles="results/identity/sites/alleles.tsv.gz",
        alleles_tbi="results/identity/sites/alleles.tsv.gz.tbi",
        bed="results/identity/sites/sites.bed",
        common="results/identity/sites/common.vcf.gz",
        common_tbi="results/identity/sites/common.vcf.gz.tbi",
    log:
        "logs/identity/identity_sites.log",
    benchmark:
        "benchmarks/identity/identity_sites.tsv"
    conda:
        "../envs/python.yaml"
    threads: 1
    resources:
        mem_mb=memory(8000),
        runtime=minutes(60),
    params:
        spacing=config["population"]["spacing"],
        samples=known_columns(),
        profile=profile_parts("reference"),
    script:
        "../scripts/identity_sites.py"


# The one read of the CRAM for lanes, relations and contamination: only the containers with a site are decoded.
rule samtools_slice:
    input:
        cram="results/alignment/{sample}.cram",
        crai="results/alignment/{sample}.cram.crai",
        fasta=FASTA,
        fai=f"{FASTA}.fai",
        bed="results/identity/sites/sites.bed",
    output:
        bam=temp("results/identity/{sample}.bam"),
        bai=temp("results/identity/{sample}.bam.bai"),
    log:
        "logs/identity/{sample}.samtools_slice.log",
    benchmark:
        "benchmarks/identity/{sample}.samtools_slice.tsv"
    conda:
        "../envs/samtools.yaml"
    threads: 2
    resources:
        mem_mb=memory(1000),
        runtime=minutes(120),
    shell:
        "samtools view -@ {threads} -1 -M -L {input.bed:q} -T {input.fasta:q}"
        " --write-index -o {output.bam:q}##idx##{output.bai:q} {input.cram:q} 2> {log:q}"


# One column per lane. At a tenth of a megabyte per thousand sites and lane it stays; the slice of reads does not.
rule bcftools_fingerprint:
    input:
        bam="results/identity/{sample}.bam",
        bai="results/identity/{sample}.bam.bai",
        alleles="results/identity/sites/alleles.tsv.gz",
        alleles_tbi="results/identity/sites/alleles.tsv.gz.tbi",
        fasta=FASTA,
        fai=f"{FASTA}.fai",
    output:
        vcf="results/identity/{sample}.fingerprint.vcf.gz",
        tbi="results/identity/{sample}.fingerprint.vcf.gz.tbi",
    log:
        "logs/identity/{sample}.bcftools_fingerprint.log",
    benchmark:
        "benchmarks/identity/{sample}.bcftools_fingerprint.tsv"
    conda:
        "../envs/bcftools.yaml"
    threads: 1
    resources:
        mem_mb=memory(1000),
        runtime=minutes(120),
    params:
        lanes=lanes_as_samples,
    shell:
        "( bcftools mpileup --no-version -q 20 -Q 20 -d 8000 -a AD -f {input.fasta:q} -T {input.alleles:q}"
        " -G <(printf '%s\\t%s\\n' {params.lanes}) -Ou {input.bam:q}"
        " | bcftools call --no-version -m -A -C alleles -T {input.alleles:q} -Ou -"
        " | bcftools annotate --no-version -x INFO,^FORMAT/GT,^FORMAT/PL -Oz -o {output.vcf:q} -"
        " && tabix -p vcf {output.vcf:q} ) 2> {log:q}"


rule gatk_get_pileup_summaries:
    input:
        bam="results/identity/{sample}.bam",
        bai="results/identity/{sample}.bam.bai",
        common="results/identity/sites/common.vcf.gz",
        common_tbi="results/identity/sites/common.vcf.gz.tbi",
    output:
        "results/identity/{sample}.pileups.table",
    log:
        "logs/identity/{sample}.gatk_get_pileup_summaries.log",
    benchmark:
        "benchmarks/identity/{sample}.gatk_get_pileup_summaries.tsv"
    conda:
        "../envs/gatk.yaml"
    threads: 1
    resources:
        mem_mb=memory(4000),
        runtime=minutes(120),
    params:
        java=java,
    shell:
        "gatk --java-options {params.java:q} GetPileupSummaries -I {input.bam:q} -V {input.common:q} -L {input.common:q}"
        " -O {output:q} > {log:q} 2>&1"


# Of a tumour its normal says where the person has one allele only: where the tumour lost one, it seems so too.
rule gatk_calculate_contamination:
    input:
        pileups="results/identity/{sample}.pileups.table",
        matched=of_normal("results/identity/{sample}.pileups.table"),
    output:
        contamination="results/identity/{sample}.gatk.contamination",
        segments=temp("results/identity/{sample}.segments.table"),
    log:
        "logs/identity/{sample}.gatk_calculate_contamination.log",
    conda:
        "../envs/gatk.yaml"
    threads: 1
    resources:
        mem_mb=memory(2000),
        runtime=minutes(30),
    params:
        java=java,
        matched=matched_option,
    shell:
        "gatk --java-options {params.java:q} CalculateContamination -I {input.pileups:q} {params.matched}"
        " --tumor-segmentation {output.segments:q} -O {output.contamination:q} > {log:q} 2>&1"


# It has sites of its own, so it reads the CRAM.
rule verifybamid2:
    input:
        cram="results/alignment/{sample}.cram",
        crai="results/alignment/{sample}.cram.crai",
        fasta=FASTA,
        fai=f"{FASTA}.fai",
        resource=verifybamid2_files(),
    output:
        "results/identity/{sample}.verifybamid2.selfSM",
    log:
        "logs/identity/{sample}.verifybamid2.log",
    benchmark:
        "benchmarks/identity/{sample}.verifybamid2.tsv"
    conda:
        "../envs/verifybamid2.yaml"
    threads: 2
    resources:
        mem_mb=memory(4000),
        runtime=minutes(240),
    params:
        resource=config["verifybamid2_resource"],
        prefix=without_suffix,
    shell:
        "verifybamid2 --SVDPrefix {params.resource:q} --Reference {input.fasta:q} --BamFile {input.cram:q}"
        " --NumThread {threads} --Output {params.prefix:q} > {log:q} 2>&1"


rule contamination:
    input:
        unpack(contamination_tables),
    output:
        json="results/identity/{sample}.contamination.json",
        table="results/identity/{sample}.contamination.table",
    log:
        "logs/identity/{sample}.contamination.log",
    conda:
        "../envs/python.yaml"
    threads: 1
    resources:
        mem_mb=memory(1000),
        runtime=minutes(10),
    params:
        limits=metric_limits("cross_contamination_rate"),
    script:
        "../scripts/contamination.py"


# Looks at the other cases that are there, as intake_gate does, and waits for none.
rule identity_peers:
    input:
        fingerprints=case_files("results/identity/{sample}.fingerprint.vcf.gz"),
        tbis=case_files("results/identity/{sample}.fingerprint.vcf.gz.tbi"),
        alleles="results/identity/sites/alleles.tsv.gz",
        known=[config["known_genotypes"]] if config["known_genotypes"] else [],
    output:
        genotypes="results/identity/{case}.genotypes.json",
        vcf=temp("results/identity/{case}.genotypes.vcf"),
        pairs=temp("results/identity/{case}.pairs.tsv"),
        own=temp("results/identity/{case}.own.list"),
        peers=temp("results/identity/{case}.peers.list"),
    log:
        "logs/identity/{case}.identity_peers.log",
    conda:
        "../envs/python.yaml"
    threads: 1
    resources:
        mem_mb=memory(2000),
        runtime=minutes(30),
    params:
        tables=TABLE_FILES,
    script:
        "../scripts/identity_peers.py"


rule picard_crosscheck_fingerprints:
    input:
        own="results/identity/{case}.own.list",
        peers="results/identity/{case}.peers.list",
        haplotype_map="results/identity/sites/haplotype_map.txt",
    output:
        "results/identity/{case}.crosscheck.txt",
    log:
        "logs/identity/{case}.picard_crosscheck_fingerprints.log",
    benchmark:
        "benchmarks/identity/{case}.picard_crosscheck_fingerprints.tsv"
    conda:
        "../envs/gatk.yaml"
    threads: 1
    resources:
        mem_mb=memory(4000),
        runtime=minutes(240),
    params:
        java=java,
    shell:
        "gatk --java-options {params.java:q} CrosscheckFingerprints --INPUT {input.own:q} --SECOND_INPUT {input.peers:q}"
        " --CROSSCHECK_MODE CHECK_ALL_OTHERS --CROSSCHECK_BY READGROUP --HAPLOTYPE_MAP {input.haplotype_map:q}"
        " --OUTPUT {output:q} --EXIT_CODE_WHEN_MISMATCH 0 --EXIT_CODE_WHEN_NO_VALID_CHECKS 0 --VERBOSITY ERROR"
        " --QUIET true > {log:q} 2>&1"


rule plink2_king:
    input:
        vcf="results/identity/{case}.genotypes.vcf",
        pairs="results/identity/{case}.pairs.tsv",
    output:
        "results/identity/{case}.kin0",
    log:
        "logs/identity/{case}.plink2_king.log",
    conda:
        "../envs/plink2.yaml"
    threads: 1
    resources:
        mem_mb=memory(2000),
        runtime=minutes(60),
    params:
        prefix=without_suffix,
    shell:
        "plink2 --vcf {input.vcf:q} --allow-extra-chr --threads {threads} --memory {resources.mem_mb}"
        " --make-king-table --king-table-subset {input.pairs:q} --out {params.prefix:q} > {log:q} 2>&1 && rm {params.prefix:q}.log"


rule identity:
    input:
        crosscheck="results/identity/{case}.crosscheck.txt",
        king="results/identity/{case}.kin0",
        genotypes="results/identity/{case}.genotypes.json",
    output:
        "results/identity/{case}.json",
    log:
        "logs/identity/{case}.identity.log",
    conda:
        "../envs/python.yaml"
    threads: 1
    resources:
        mem_mb=memory(1000),
        runtime=minutes(30),
    params:
        limits=metric_limits("identity_concordance", "kinship_concordance"),
        tables=TABLE_FILES,
    script:
        "../scripts/identity.py"


# ---- after calling ---------------------------------------------------------------------------


# The index's records with what the parents have there: a parent's reference block counts as hom-ref with its quality.
rule bcftools_trio:
    input:
        vcf=of_index("results/conform/{sample}.vcf.gz"),
        tbi=of_index("results/conform/{sample}.vcf.gz.tbi"),
        gvcfs=case_files("results/conform/{sample}.g.vcf.gz"),
        tbis=case_files("results/conform/{sample}.g.vcf.gz.tbi"),
        fasta=FASTA,
        fai=f"{FASTA}.fai",
    output:
        vcf=temp("results/identity/{case}.trio.vcf.gz"),
        tbi=temp("results/identity/{case}.trio.vcf.gz.tbi"),
    log:
        "logs/identity/{case}.bcftools_trio.log",
    benchmark:
        "benchmarks/identity/{case}.bcftools_trio.tsv"
    conda:
        "../envs/bcftools.yaml"
    threads: 1
    resources:
        mem_mb=memory(2000),
        runtime=minutes(240),
    params:
        autosomes=AUTOSOMES,
    shell:
        "( bcftools view --no-version -H -f PASS -v snps -r {params.autosomes:q} {input.vcf:q} | cut -f 1,2 | uniq"
        " > {output.vcf:q}.sites && bcftools merge --no-version --gvcf {input.fasta:q} -m both -r {params.autosomes:q} -Ou"
        " {input.gvcfs:q} | bcftools view --no-version -T {output.vcf:q}.sites -Ou -"
        " | bcftools annotate --no-version -x INFO -Oz -o {output.vcf:q} - && rm {output.vcf:q}.sites"
        " && tabix -p vcf {output.vcf:q} ) 2> {log:q}"


rule picard_find_mendelian_violations:
    input:
        vcf="results/identity/{case}.trio.vcf.gz",
        tbi="results/identity/{case}.trio.vcf.gz.tbi",
        dict=FASTA_DICT,
    output:
        "results/identity/{case}.mendelian_violations.txt",
    log:
        "logs/identity/{case}.picard_find_mendelian_violations.log",
    benchmark:
        "benchmarks/identity/{case}.picard_find_mendelian_violations.tsv"
    conda:
        "../envs/gatk.yaml"
    threads: 1
    resources:
        mem_mb=memory(4000),
        runtime=minutes(120),
    params:
        java=java,
        pedigree=trio_pedigree,
        limits=mendel_limits(),
    shell:
        "gatk --java-options {params.java:q} FindMendelianViolations -I {input.vcf:q} --TRIOS <(echo {params.pedigree:q})"
        " -O {output:q} {params.limits} --VERBOSITY WARNING --QUIET true > {log:q} 2>&1"


rule mendel:
    input:
        violations="results/identity/{case}.mendelian_violations.txt",
    output:
        "results/identity/{case}.mendel.json",
    log:
        "logs/identity/{case}.mendel.log",
    conda:
        "../envs/python.yaml"
    threads: 1
    resources:
        mem_mb=memory(1000),
        runtime=minutes(10),
    params:
        limits=metric_limits("mendelian_error_rate"),
    script:
        "../scripts/mendel.py"
