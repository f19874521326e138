from snakemake.utils import min_version

min_version("9.27")


configfile: f"{workflow.basedir}/config/config.yaml"


include: "rules/common.smk"
include: "rules/intake.smk"
include: "rules/alignment.smk"
include: "rules/qc.smk"
include: "rules/calling.smk"
include: "rules/conform.smk"
include: "rules/package.smk"
include: "rules/check.smk"
include: "rules/encrypt.smk"


rule all:
    default_target: True
    input:
        expand("results/check/{case}.accepted", case=TABLES.cases),
        expand("results/encrypt/{case}.json", case=TABLES.cases if config["recipients"] else []),


onsuccess:
    if give_verdict({}):
        raise WorkflowError("a case was refused, see results/verdict.tsv")


onerror:
    forget_refusal()
    give_verdict(unfinished_jobs())
