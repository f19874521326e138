from snakemake.utils import min_version

min_version("9.27")


configfile: f"{workflow.basedir}/config/config.yaml"


include: "rules/common.smk"
include: "rules/intake.smk"
include: "rules/alignment.smk"
include: "rules/qc.smk"
include: "rules/identity.smk"
include: "rules/gate.smk"
include: "rules/calling.smk"
include: "rules/conform.smk"
include: "rules/family.smk"
include: "rules/mitochondrion.smk"
include: "rules/somatic.smk"
include: "rules/somatic_counts.smk"
include: "rules/structural.smk"


if MANTA:

    include: "rules/manta.smk"


include: "rules/somatic_structural.smk"
include: "rules/copy_number.smk"
include: "rules/somatic_copy_number.smk"
include: "rules/homozygosity.smk"
include: "rules/report.smk"
include: "rules/package.smk"
include: "rules/check.smk"
include: "rules/encrypt.smk"


# Gates and headers take less than a node's queue.
localrules:
    accept,
    alignment_clearance,
    family_header,
    intake_clearance,
    intake_gate,
    delly_regions,
    mitochondrial_header,
    pedigree,
    somatic_header,
    vcf_header,


rule all:
    default_target: True
    input:
        expand("results/check/{case}.accepted", case=TABLES.cases),
        expand("results/encrypt/{case}.json", case=TABLES.cases if config["recipients"] else []),


onstart:
    refuse_leftover_jobs()
    keep_journal()


onsuccess:
    end_journal()
    # A run of only some targets leaves cases unjudged, which is no fault of it.
    if not give_verdict({}) and whole_run():
        raise WorkflowError("not every case was accepted, see results/verdict.tsv")


onerror:
    end_journal()
    forget_refusal()
    give_verdict(unfinished_jobs())
