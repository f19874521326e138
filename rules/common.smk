"""Reads the tables once and holds every input and parameter function of the workflow."""

import functools
import gc
import hashlib
import json
import os
import shlex
import shutil
import subprocess
import sys
from collections import Counter
from logging.handlers import QueueHandler
from pathlib import Path

import snakemake.common
import snakemake.io
import snakemake.jobs
import snakemake.rules
import snakemake.sourcecache
import yaml
from snakemake.exceptions import WorkflowError

# A batch of a thousand genomes makes millions of small objects that live to the end.
gc.set_threshold(100_000, 50, 50)

HOUSE = Path(workflow.basedir)
sys.path.insert(0, str(HOUSE / "scripts"))
# Numbers and order are those of the files, not of the operator's language: awk in Danish reads 0.993 as 0, and sort puts AA
# behind Z. LC_ALL would overrule both; its alphabet stays.
if language := os.environ.pop("LC_ALL", ""):
    os.environ |= {"LANG": language, "LC_CTYPE": language}
os.environ |= {"LC_NUMERIC": "C", "LC_COLLATE": "C"}
# No tool may look for a reference on the network.
shell.prefix("set -euo pipefail; export REF_PATH=/dev/null REF_CACHE=/dev/null; ")

import ngc_profile
from ngc_wgs import (
    __version__,
    clearance,
    errors,
    family,
    identity,
    progress,
    regions,
    signing,
    somatic,
    tables,
    verdict,
)
from ngc_wgs import report as run_report


async def never_protected(self):
    """Products are read-only because sealed bags hold hard links to them. Snakemake removes an output before it makes
    it again, so nothing is written through to a bag, and its guard would stop the run of every other case."""
    return False


snakemake.io._IOFile.protected = never_protected
# What Snakemake finds out anew for each job though it is the same for all of a rule: the parts of a script's path, what
# a function's arguments are, and the environment, which no rule here makes of a job's parameters.
snakemake.sourcecache.parse_uri = functools.cache(snakemake.sourcecache.parse_uri)
snakemake.common.get_function_params = functools.cache(snakemake.common.get_function_params)
snakemake.rules.get_function_params = snakemake.common.get_function_params
snakemake.jobs.Job.conda_env_spec = property(lambda job: job.rule.expand_conda_env(job.wildcards_dict))

faults = tables.load_config(config, HOUSE / "config" / "schemas" / "config.schema.yaml")
if faults:
    raise WorkflowError("\n".join(faults))

PROFILE_FILE = config["profile"] or str(ngc_profile.default_profile())
OVERLAY = config["overlay"] or []
TABLE_FILES = [config[table] for table in ("cases", "samples", "units")]
FASTA = config["reference"]["fasta"]
FASTA_DICT = str(Path(FASTA).with_suffix(".dict"))
INDEX_SUFFIXES = {"bwa": ("amb", "ann", "bwt", "pac", "sa"), "bwa-mem2": ("0123", "amb", "ann", "bwt.2bit.64", "pac")}
ALIGNER_INDEX = multiext(FASTA, *(f".{suffix}" for suffix in INDEX_SUFFIXES[config["aligner"]]))
PANEL_BINS = config["copy_number_panel"] and f"{config['copy_number_panel']}.bins.bed"
TOOLS = yaml.safe_load((HOUSE / "envs" / "tools.yaml").read_text())


def population_index():
    """Index of the population VCF: the .csi where there is one, else the .tbi; None without a VCF."""
    vcf = config["population"]["vcf"]
    return vcf and f"{vcf}.{'csi' if Path(f'{vcf}.csi').is_file() else 'tbi'}"


def verifybamid2_files():
    """Files of VerifyBamID2's resource, none where it is not the tool."""
    if config["contamination"] != "verifybamid2":
        return []
    return [f"{config['verifybamid2_resource']}.{suffix}" for suffix in ("UD", "mu", "bed")]


def missing_files():
    """Files that the configuration names, or needs beside what it names, and that are not there: one line each."""
    makers = {
        FASTA: "give the path of the reference",
        f"{FASTA}.fai": f"run: samtools faidx {shlex.quote(FASTA)}",
        FASTA_DICT: f"run: samtools dict {shlex.quote(FASTA)} -o {shlex.quote(FASTA_DICT)}",
        **{path: f"run: {config['aligner']} index {shlex.quote(FASTA)}" for path in ALIGNER_INDEX},
        **{
            path: "give the path of the file"
            for path in (config["overlay"], config["evaluation_regions"], config["waivers"], config["sv_exclude"])
            if path
        },
    }
    makers |= {path: "give the path of the receiver's public key" for path in config["recipients"]}
    if population := config["population"]["vcf"]:
        makers |= {population: "give the path of the population VCF, or null"}
        if Path(population).is_file():
            makers |= {population_index(): f"run: bcftools index -t {shlex.quote(population)}"}
        makers |= {path: "give the prefix of VerifyBamID2's resource" for path in verifybamid2_files()}
    if known := config["known_genotypes"]:
        makers |= {
            known: "give the path of the VCF, or null",
            f"{known}.tbi": f"run: bcftools index -t {shlex.quote(known)}",
        }
    if panel := config["copy_number_panel"]:
        made = "run: snakemake ... results/panel_of_normals/copy_number.hdf5"
        makers |= dict.fromkeys([panel, f"{panel}.bins.bed"], made)
    for key, path in config["somatic"].items():
        if path:
            makers |= {
                path: f"give the path of the VCF as somatic.{key}, or null",
                f"{path}.tbi": f"run: bcftools index -t {shlex.quote(path)}",
            }
    if key := config["signing_key"]:
        makers |= {path: "run: ngc-wgs keygen" for path in (key, str(signing.public_half(Path(key))))}
    return [
        f"config: {path}: there is no such file. Mend: {mend}."
        for path, mend in makers.items()
        if not Path(path).is_file()
    ]


def unwritable_folders():
    """Folders of the run that exist and cannot be written to: one line each."""
    mend = "make it writable, or run in another folder (--directory)"
    folders = [path.resolve() for path in (Path(), Path("results")) if path.exists()]
    return [f"{path}: cannot be written to. Mend: {mend}." for path in folders if not os.access(path, os.W_OK)]


def unusable_bin(profile):
    """One line where no autosome of the reference is as long as a bin of read depth."""
    length, longest = config["copy_number"]["bin"], max((c["length"] for c in profile.contigs("autosome")), default=0)
    if length <= longest:
        return []
    told = f"the longest autosome has {longest} bp" if longest else "the reference has no autosome"
    return [f"config: copy_number.bin: {length} bp, and {told}. Mend: write shorter bins, or give another reference."]


def unusable_resources(profile):
    """Why the somatic resources cannot serve: one line each. Of a reference that is not the profile's preflight tells."""
    if identity.read_fai(f"{FASTA}.fai") != {contig["name"]: contig["length"] for contig in profile.contigs()}:
        return []
    return somatic.resource_faults(config["somatic"], FASTA)


def load_everything():
    """Profile and tables: judged in full by the launching process, only read by the others."""
    if not workflow.is_main_process:
        profile = ngc_profile.load(PROFILE_FILE, config["overlay"])
        return profile, tables.read_tables(*TABLE_FILES), tables.by_sample(tables.read_waivers(config["waivers"]))
    faults = unwritable_folders() + missing_files()
    for bed in (config["sv_exclude"], PANEL_BINS):
        if not faults and bed:
            faults = regions.bed_faults(bed, f"{FASTA}.fai")
    if faults:
        raise WorkflowError("\n".join(faults))
    try:
        profile = ngc_profile.load_valid(PROFILE_FILE, config["overlay"])
        if faults := unusable_bin(profile) + unusable_resources(profile):
            raise WorkflowError("\n".join(faults))
        loaded = tables.load_tables(*TABLE_FILES, profile)
        waivers = tables.by_sample(tables.load_waivers(config["waivers"], loaded, profile))
        for warning in loaded.warnings:
            logger.warning(str(warning))
        if config["signing_key"]:
            signing.private_key(Path(config["signing_key"]))
    except (tables.TableError, ngc_profile.ProfileError, errors.SealError) as error:
        raise WorkflowError(str(error)) from None
    return profile, loaded, waivers


PROFILE, TABLES, WAIVERS = load_everything()
SEXES = sorted(PROFILE.data["ploidy"])
PARTS = [f"{part:03d}" for part in range(1, config["calling"]["scatter"] + 1)]
POPULATION = bool(config["population"]["vcf"])
MANTA = "manta" in config["structural_callers"]
NOT_USED = {
    *(() if MANTA else ("manta",)),
    {"bwa": "bwa-mem2", "bwa-mem2": "bwa"}[config["aligner"]],
    *(() if POPULATION else ("plink2",)),
    *(() if POPULATION and config["contamination"] == "verifybamid2" else ("verifybamid2",)),
}
TOOLS_USED = [tool for tool in TOOLS if tool not in NOT_USED]
# Of both somatic resources, and of the germline resource alone, with their indexes: what a job that reads them asks for.
SOMATIC_RESOURCES = [f"{path}{end}" for path in config["somatic"].values() if path for end in ("", ".tbi")]
SOMATIC_RESOURCE = [f"{path}{end}" for path in [config["somatic"]["germline_resource"]] if path for end in ("", ".tbi")]
NORMALS = [sample for sample, row in TABLES.samples.items() if row["sample_type"] == "germline"]
AUTOSOMES = ",".join(contig["name"] for contig in PROFILE.contigs("autosome"))
MITOCHONDRION = next((contig["name"] for contig in PROFILE.contigs("M")), "none")
TURNS = ("straight", "shifted")
CALLER = "GATK HaplotypeCaller"
DRAGEN = config["calling"]["mode"] == "dragen"
# Below GATK's default of 30: after a DRAGEN gVCF that drops true indels.
GENOTYPE_THRESHOLD = "-stand-call-conf 3" if DRAGEN else ""
FILTERS = config["calling"]["filters"][config["calling"]["mode"]]
# Where the product of each file type is made; an index lies beside what it indexes.
PRODUCTS = {
    "germline_vcf": "results/conform/{sample}.vcf.gz",
    "germline_vcf_index": "results/conform/{sample}.vcf.gz.tbi",
    "germline_gvcf": "results/conform/{sample}.g.vcf.gz",
    "germline_gvcf_index": "results/conform/{sample}.g.vcf.gz.tbi",
    "mitochondrial_vcf": "results/conform/{sample}.mt.vcf.gz",
    "mitochondrial_vcf_index": "results/conform/{sample}.mt.vcf.gz.tbi",
    "structural_vcf": "results/sv/{case}.sv.vcf.gz",
    "structural_vcf_index": "results/sv/{case}.sv.vcf.gz.tbi",
    "copy_number_vcf": "results/copy_number/{sample}.cnv.vcf.gz",
    "copy_number_vcf_index": "results/copy_number/{sample}.cnv.vcf.gz.tbi",
    "somatic_copy_number_vcf": "results/copy_number/{sample}.somatic.cnv.vcf.gz",
    "somatic_copy_number_vcf_index": "results/copy_number/{sample}.somatic.cnv.vcf.gz.tbi",
    "somatic_structural_vcf": "results/sv/{sample}.somatic.sv.vcf.gz",
    "somatic_structural_vcf_index": "results/sv/{sample}.somatic.sv.vcf.gz.tbi",
    "somatic_vcf": "results/conform/{sample}.somatic.vcf.gz",
    "somatic_vcf_index": "results/conform/{sample}.somatic.vcf.gz.tbi",
    "mutation_contexts": "results/somatic/{sample}.contexts.tsv",
    "family_vcf": "results/conform/{case}.family.vcf.gz",
    "family_vcf_index": "results/conform/{case}.family.vcf.gz.tbi",
    "alignment_cram": "results/alignment/{sample}.cram",
    "alignment_index": "results/alignment/{sample}.cram.crai",
    "qc_metrics": "results/qc/{sample}.metrics.json",
    "multiqc_report": "results/qc/{case}.multiqc.html",
}
# Of each file type that the profile lets be left out: where it is said whether it was. A list of {file_type, sample,
# reason}, empty where it was called; where it was not, the product and its index are empty files, which no tool takes for
# a result, and package leaves them out.
NOT_CALLED = {
    "structural_vcf": "results/sv/{case}.not_called.json",
    "copy_number_vcf": "results/copy_number/{sample}.not_called.json",
    "somatic_copy_number_vcf": "results/copy_number/{sample}.not_called.json",
    "somatic_structural_vcf": "results/sv/{sample}.somatic.not_called.json",
}


def called_as(row):
    """What of a sample's row decides how it is called: a tumour and its normal may not keep their clearances if swapped."""
    return f"{row['sex']} {row['sample_type']}"


def uncleared(stage, as_whose=lambda row: None):
    """Wildcard constraint of a stage's clearance: samples that have none for their reads, and for what they are called as.

    A clearance that holds is a plain file to the run, which no job makes. So whoever joins a case later has its gates
    made anew, and the others' alignments and calls are still asked for changes of their own: behind `ancient` they were
    not (Snakemake 9.27). Jobs are started where the clearance is there, so they need not ask.
    """
    missing = [
        sample
        for sample, row in (TABLES.samples if workflow.is_main_process else {}).items()
        if not clearance.holds(
            Path(f"results/{stage}/{sample}.cleared"),
            [TABLES.units[unit] for unit in TABLES.units_of_sample[sample]],
            as_whose(row),
        )
    ]
    return "|".join(missing) or "(?!)"


wildcard_constraints:
    case="[A-Z0-9]+",
    sample="[A-Z0-9]+",
    unit=r"[A-Z0-9]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.L\d+",
    part=r"\d{3}",
    tool="[a-z0-9-]+",
    sex="[a-z]+",


# ---- who belongs to whom -------------------------------------------------------------------


def unit_fastqs(wildcards):
    """The two FASTQ files of a unit."""
    unit = TABLES.units[wildcards.unit]
    return {"fq1": unit["fq1"], "fq2": unit["fq2"]}


def clearance_of_unit(wildcards):
    """What says that the unit's sample has passed the intake gate of a case."""
    return f"results/intake/{TABLES.units[wildcards.unit]['sample']}.cleared"


def sample_units(wildcards):
    """Rows of units.tsv of a sample."""
    return [TABLES.units[unit] for unit in TABLES.units_of_sample[wildcards.sample]]


def case_intake_reports(wildcards):
    """Intake reports of all units of a case."""
    return expand("results/intake/{unit}.json", unit=TABLES.units_of_case[wildcards.case])


def sample_intake_reports(wildcards):
    """Intake reports of all units of a sample."""
    return expand("results/intake/{unit}.json", unit=TABLES.units_of_sample[wildcards.sample])


def sample_unit_crams(wildcards):
    """Sorted CRAMs of all units of a sample."""
    return expand("results/alignment/{unit}.cram", unit=TABLES.units_of_sample[wildcards.sample])


def sample_fastp_reports(wildcards):
    """fastp reports of all units of a sample."""
    return expand("results/qc/{unit}.fastp.json", unit=TABLES.units_of_sample[wildcards.sample])


def of_sex(pattern):
    """Input function: `pattern` with the sex of the wildcards' sample."""

    def files(wildcards):
        return expand(pattern, sex=TABLES.samples[wildcards.sample]["sex"], part=wildcards.get("part"))[0]

    return files


def sample_gvcf_parts(suffix):
    """Input function: the scattered gVCFs of a sample, in genome order."""

    def files(wildcards):
        return expand(f"results/calling/{wildcards.sample}.{{part}}.g.vcf.gz{suffix}", part=PARTS)

    return files


def case_files(*patterns):
    """Input function: `patterns` over the samples (and, where they ask, the units) of the wildcards' case."""

    def files(wildcards):
        names = {
            "sample": TABLES.samples_of_case[wildcards.case],
            "unit": TABLES.units_of_case[wildcards.case],
            **{key: [value] for key, value in wildcards.items()},
        }
        return [
            path
            for pattern in patterns
            for path in expand(pattern, **{key: value for key, value in names.items() if f"{{{key}}}" in pattern})
        ]

    return files


def case_parts(suffix):
    """Input function: the scattered VCFs of a case, in genome order."""

    def files(wildcards):
        return expand(f"results/family/{wildcards.case}.{{part}}{suffix}", part=PARTS)

    return files


def clearance_of_sample(wildcards):
    """What says that the sample has passed the alignment gate of a case: whatever calls waits for it."""
    return f"results/gate/{wildcards.sample}.cleared"


def case_identity(wildcards):
    """Identity of a case's lanes; nothing without a population VCF."""
    return [f"results/identity/{wildcards.case}.json"] if POPULATION else []


def identity_reports(wildcards):
    """Identity of the case and contamination of its samples; nothing without a population VCF."""
    contamination = case_files("results/identity/{sample}.contamination.json")(wildcards) if POPULATION else []
    return case_identity(wildcards) + contamination


def mendel_report(wildcards):
    """The report on Mendel's laws of a sample's case where it is a trio."""
    case = TABLES.samples[wildcards.sample]["case"]
    return [f"results/identity/{case}.mendel.json"] if TABLES.cases[case]["study_type"] == "trio" else []


def of_germline(pattern):
    """Input function: `pattern` with the wildcards' sample, nothing of a tumour."""

    def files(wildcards):
        germline = TABLES.samples[wildcards.sample]["sample_type"] == "germline"
        return [pattern.format(sample=wildcards.sample)] if germline else []

    return files


def contamination_tables(wildcards):
    """What the configured tool says of a sample's contamination."""
    stem = f"results/identity/{wildcards.sample}"
    if config["contamination"] == "verifybamid2":
        return {"verifybamid2": f"{stem}.verifybamid2.selfSM"}
    found = {"gatk": f"{stem}.gatk.contamination", "pileups": f"{stem}.pileups.table"}
    if normal := normal_of(wildcards.sample):
        found["matched"] = f"results/identity/{normal}.pileups.table"
    return found


# ---- tumours ---------------------------------------------------------------------------------


def normal_of(sample):
    """The normal of a tumour; None where its case has none, and of a sample that is no tumour."""
    row = TABLES.samples[sample]
    rows = [TABLES.samples[other] for other in TABLES.samples_of_case[row["case"]]]
    normals = [other["sample"] for other in rows if other["sample_type"] == "germline"]
    return normals[0] if row["sample_type"] == "tumour" and normals else None


def normal_name(wildcards):
    """The same of the wildcards' sample."""
    return normal_of(wildcards.sample)


def of_normal(pattern):
    """Input function: `pattern` with the normal of the wildcards' tumour; nothing where there is none."""

    def files(wildcards):
        normal = normal_of(wildcards.sample)
        return [pattern.format(sample=normal)] if normal else []

    return files


def of_case_normal(pattern):
    """Input function: `pattern` with the normal of a case of tumours; nothing where there is none."""

    def files(wildcards):
        rows = case_members(wildcards)
        return [pattern.format(sample=row["sample"]) for row in rows if row["sample_type"] == "germline"]

    return files


def with_normal(pattern):
    """Input function: `pattern` with the wildcards' tumour, then with its normal where there is one."""

    def files(wildcards):
        return [pattern.format(sample=wildcards.sample), *of_normal(pattern)(wildcards)]

    return files


def pair_report(wildcards):
    """How a tumour and its normal stand to each other; nothing where it has none."""
    return of_normal(f"results/somatic/{wildcards.sample}.pair.json")(wildcards)


def somatic_columns(wildcards):
    """Columns of a tumour's VCF: its normal where there is one, then the tumour."""
    normal = normal_of(wildcards.sample)
    return [normal, wildcards.sample] if normal else [wildcards.sample]


def somatic_column_list(wildcards):
    """The same as bcftools takes them."""
    return ",".join(somatic_columns(wildcards))


def read_options(wildcards, input):
    """Mutect2's options for the reads of a tumour and its normal, and which of the two is the normal."""
    reads = " ".join(f"-I {shlex.quote(str(cram))}" for cram in input.crams)
    normal = normal_of(wildcards.sample)
    return f"{reads} -normal {normal}" if normal else reads


def germline_resource_option():
    """GATK's option for the germline resource; nothing without one."""
    path = config["somatic"]["germline_resource"]
    return f"--germline-resource {shlex.quote(path)}" if path else ""


def somatic_resource_options():
    """Mutect2's options for the panel of normals and the germline resource, as far as there are any."""
    panel = config["somatic"]["panel_of_normals"]
    return " ".join([*([f"--panel-of-normals {shlex.quote(panel)}"] if panel else []), germline_resource_option()])


def f1r2_options(wildcards, input):
    """GATK's option for each of several tables of read orientation."""
    return " ".join(f"-I {shlex.quote(str(path))}" for path in input.f1r2)


def tumour_segments(wildcards):
    """Where a tumour has more of one copy than of the other, as FilterMutectCalls takes it; nothing without a population."""
    folder = "identity" if normal_of(wildcards.sample) else "somatic"
    return [f"results/{folder}/{wildcards.sample}.segments.table"] if POPULATION else []


def contamination_options(wildcards, input):
    """FilterMutectCalls' options for contamination and copies, where they are measured."""
    if not POPULATION:
        return ""
    return f"--contamination-table {shlex.quote(str(input.contamination))} --tumor-segmentation {shlex.quote(str(input.segments))}"


def panel_options(wildcards, input):
    """GATK's option for each of several VCFs."""
    return " ".join(f"-V {shlex.quote(str(vcf))}" for vcf in input.vcfs)


def matched_option(wildcards, input):
    """CalculateContamination's option for the normal of a tumour."""
    return f"-matched {shlex.quote(str(input.matched))}" if input.matched else ""


def case_resources(wildcards):
    """Files of the site that decided about results of a case, by the name that its manifest's databases give them."""
    named = {
        "regions without structural variants": config["sv_exclude"],
        "panel of normals for copy number": config["copy_number_panel"],
    }
    if any(row["sample_type"] == "tumour" for row in case_members(wildcards)):
        named |= {
            "panel of normals": config["somatic"]["panel_of_normals"],
            "germline resource": config["somatic"]["germline_resource"],
        }
    return {name: path for name, path in named.items() if path}


def case_resource_files(wildcards):
    """The same, as a rule's input."""
    return list(case_resources(wildcards).values())


def panel_counts(wildcards):
    """Counts of every germline sample of the tables."""
    return expand("results/copy_number/{sample}.counts.tsv", sample=NORMALS)


def of_index(pattern):
    """Input function: `pattern` with the germline sample of the case's index."""

    def files(wildcards):
        return pattern.format(sample=germline_of(wildcards.case, "index"))

    return files


def of_kinds(patterns, wildcards):
    """`patterns` by file type, of those that the profile wants of the case and for samples of the types that have them."""
    found = []
    for name, spec in files_of_case(wildcards).items():
        if name not in patterns:
            continue
        if spec["per"] == "case":
            found.append(patterns[name].format(case=wildcards.case))
        else:
            rows = case_members(wildcards)
            found += [
                patterns[name].format(sample=row["sample"])
                for row in rows
                if row["sample_type"] in spec["sample_types"]
            ]
    return found


def case_products(wildcards):
    """Every file that the submission of a case holds, as the profile has it for the study and the reference."""
    return of_kinds(PRODUCTS, wildcards)


def files_of_case(wildcards):
    """Types of the files that the profile wants of a case."""
    return PROFILE.files(TABLES.cases[wildcards.case]["study_type"])


def family_report(wildcards):
    """What the report shows of a case's joint VCF; nothing where it has none."""
    return [f"results/family/{wildcards.case}.json"] if "family_vcf" in files_of_case(wildcards) else []


def mitochondrion_reports(wildcards):
    """What the report shows of the mitochondria of a case; nothing where the reference has none."""
    return of_kinds({"mitochondrial_vcf": "results/mitochondrion/{sample}.json"}, wildcards)


def somatic_structural_reports(wildcards):
    """What the report shows of the structural variants of a case's tumours; nothing without a normal."""
    return of_kinds({"somatic_structural_vcf": "results/sv/{sample}.somatic.json"}, wildcards)


def case_not_called(wildcards):
    """What says of the case's files that may be left out whether they were called."""
    return of_kinds(NOT_CALLED, wildcards)


def germline_of_case(pattern):
    """Input function: `pattern` over the germline members of a case, in the order of its joint VCFs."""

    def files(wildcards):
        return expand(pattern, sample=family_columns(wildcards))

    return files


def case_of_sample(pattern):
    """Input function: `pattern` with the case of the wildcards' sample."""

    def files(wildcards):
        return pattern.format(case=TABLES.samples[wildcards.sample]["case"])

    return files


def case_members(wildcards):
    """Rows of samples.tsv of a case."""
    return [TABLES.samples[sample] for sample in TABLES.samples_of_case[wildcards.case]]


def annotated_family(wildcards):
    """A family's split VCF with index, annotated where a child has both parents."""
    stage = "denovo" if family.trios(case_members(wildcards)) else "split"
    return {key: f"results/family/{wildcards.case}.{stage}.vcf.gz{end}" for key, end in (("vcf", ""), ("tbi", ".tbi"))}


def parents_of_child(wildcards):
    """Father and mother of a sample where both are in its case; nothing for others."""
    case = TABLES.samples[wildcards.sample]["case"]
    rows = [TABLES.samples[sample] for sample in TABLES.samples_of_case[case]]
    return list(family.parents(rows)[wildcards.sample]) if wildcards.sample in family.trios(rows) else []


def family_of_child(wildcards):
    """The joint VCF of a sample's case with its index, where both of its parents are there."""
    joint = case_of_sample("results/conform/{case}.family.vcf.gz")(wildcards)
    return [joint, f"{joint}.tbi"] if parents_of_child(wildcards) else []


def tumours_of_case(wildcards):
    """Tumour samples of a case, in the order of the table."""
    return [row["sample"] for row in case_members(wildcards) if row["sample_type"] == "tumour"]


def of_tumours(pattern):
    """Input function: `pattern` over the tumours of the wildcards' case."""

    def files(wildcards):
        return expand(pattern, sample=tumours_of_case(wildcards))

    return files


def of_tumour(pattern):
    """Input function: `pattern` with the wildcards' sample, nothing of another than a tumour."""

    def files(wildcards):
        tumour = TABLES.samples[wildcards.sample]["sample_type"] == "tumour"
        return [pattern.format(sample=wildcards.sample)] if tumour else []

    return files


def tumour_comparison(wildcards):
    """What a person's tumours share; nothing where there is one or none."""
    several = len(tumours_of_case(wildcards)) > 1
    return [f"results/somatic/{wildcards.case}.tumours.json"] if several else []


# ---- parameters of the tools ---------------------------------------------------------------


def somatic_contigs():
    """Contigs that have somatic records."""
    return [contig["name"] for contig in PROFILE.contigs(*PROFILE.data["somatic_vcf"]["record_roles"])]


def version_command(wildcards):
    """Command that prints a tool's version."""
    return TOOLS[wildcards.tool]["version_command"]


def tool_env(wildcards):
    """Conda environment of a tool."""
    return str(HOUSE / "envs" / f"{TOOLS[wildcards.tool]['env']}.yaml")


def file_state(path):
    """Path, size and time of a file: another one in its place is noticed, though it be older than what came of it."""
    status = os.stat(path)
    return [path, status.st_size, status.st_mtime_ns]


def fastq_states(wildcards):
    """State of a unit's two files: a mended copy keeps the time of its original."""
    return [file_state(path) for path in unit_fastqs(wildcards).values()]


def unit_row(wildcards):
    """A unit's row of units.tsv."""
    return TABLES.units[wildcards.unit]


def sex_of_sample(wildcards):
    """Sex of a sample as the table has it."""
    return TABLES.samples[wildcards.sample]["sex"]


def called_as_whose(wildcards):
    """What decides how a sample is called."""
    return called_as(TABLES.samples[wildcards.sample])


def sample_row(wildcards):
    """A sample's row of samples.tsv."""
    return TABLES.samples[wildcards.sample]


def study_type(wildcards):
    """Study type of a case, or of a sample's case."""
    case = wildcards.get("case") or TABLES.samples[wildcards.sample]["case"]
    return TABLES.cases[case]["study_type"]


def case_samples(wildcards):
    """What decides about the metrics of a case's samples: type, sex and units by sample."""
    return [
        {
            **{key: TABLES.samples[sample][key] for key in ("sample", "sample_type", "sex")},
            "units": list(TABLES.units_of_sample[sample]),
        }
        for sample in TABLES.samples_of_case[wildcards.case]
    ]


def evaluation():
    """Which regions coverage is judged over: the whole genome, or a BED file named by its digest."""
    bed = config["evaluation_regions"]
    if not bed:
        return {"id": "whole_genome", "sha256": None}
    return {"id": "regions", "sha256": hashlib.sha256(Path(bed).read_bytes()).hexdigest()}


def read_group(wildcards):
    """@RG line of a unit, tabs written as bwa wants them."""
    unit = TABLES.units[wildcards.unit]
    fields = {
        "ID": wildcards.unit,
        "PU": f"{unit['flowcell']}.{unit['lane']}",
        "LB": unit["library"],
        "SM": unit["sample"],
        "PL": unit["platform"],
        "PM": unit["model"],
    }
    return "\\t".join(["@RG", *(f"{key}:{value}" for key, value in fields.items() if value)])


def crams_by_library(wildcards):
    """Arguments `CRAM ... ` per library, libraries apart by `--`: duplicates are marked within a library."""
    libraries = {}
    for unit in TABLES.units_of_sample[wildcards.sample]:
        libraries.setdefault(TABLES.units[unit]["library"], []).append(f"results/alignment/{unit}.cram")
    return " -- ".join(shlex.join(crams) for crams in libraries.values())


def java(wildcards, resources):
    """Java options of a GATK step: 85 % of its own memory, its scratch, and the site's own tuning."""
    heap = int((resources.mem_mb - SNAKEMAKE_MB) * 0.85)
    return f"-Xmx{heap}m -Djava.io.tmpdir={resources.tmpdir} {config['java_options']}".strip()


def pcr_indel_model(wildcards):
    """GATK's PCR indel model: none only where every library of the sample is PCR-free."""
    free = all(TABLES.units[unit]["pcr_free"] == "yes" for unit in TABLES.units_of_sample[wildcards.sample])
    return "NONE" if free else "CONSERVATIVE"


def caller_mode(wildcards, input):
    """HaplotypeCaller's arguments for the configured mode."""
    if DRAGEN:
        return f"--dragen-mode --dragstr-params-path {shlex.quote(str(input.dragstr))}"
    return f"--pcr-indel-model {pcr_indel_model(wildcards)}"


def lanes_as_samples(wildcards):
    """Words `unit unit` for each unit of a sample: read group and the name of its column."""
    return " ".join(f"{shlex.quote(unit)} {shlex.quote(unit)}" for unit in TABLES.units_of_sample[wildcards.sample])


def known_columns():
    """Names that a column of the known genotypes may have."""
    return list(TABLES.samples) if config["known_genotypes"] else []


def germline_of(case, relation):
    """The germline sample of a relation in a case."""
    rows = [TABLES.samples[sample] for sample in TABLES.samples_of_case[case]]
    return next(row["sample"] for row in rows if (row["relation"], row["sample_type"]) == (relation, "germline"))


def trio_pedigree(wildcards):
    """PED line of a trio: family, child, father, mother, sex and phenotype unknown (autosomes need neither)."""
    members = [germline_of(wildcards.case, relation) for relation in ("index", "father", "mother")]
    return "\t".join([wildcards.case, *members, "0", "0"])


def metric_limits(*metrics):
    """The profile's parameters of metrics: what they decide is made again where they change, not for another version."""
    return {metric: PROFILE.data["metrics"][metric]["parameters"] for metric in metrics}


def without_suffix(wildcards, output):
    """A tool's output prefix: the output without its last suffix."""
    return str(Path(output[0]).with_suffix(""))


def mendel_limits():
    """Arguments of FindMendelianViolations from the profile."""
    limits = metric_limits("mendelian_error_rate")["mendelian_error_rate"]
    return f"--MIN_GQ {limits['minimum_gq']} --MIN_DP {limits['minimum_dp']}"


def case_rows(wildcards):
    """A case with its samples and their units, as the tables have them."""
    return {
        "case": TABLES.cases[wildcards.case],
        "samples": [TABLES.samples[sample] for sample in TABLES.samples_of_case[wildcards.case]],
        "units": {unit: TABLES.units[unit] for unit in TABLES.units_of_case[wildcards.case]},
    }


def sample_waivers(wildcards):
    """Waivers of a sample's warnings."""
    return WAIVERS.get(wildcards.sample, [])


def biology():
    """What of the configuration decides about results: tables, paths and what becomes of a failed case apart."""
    paths = (
        "cases",
        "samples",
        "units",
        "profile",
        "overlay",
        "reference",
        "evaluation_regions",
        "signing_key",
        "recipients",
        "waivers",
        "proceed_on_fail",
        "population",
        "known_genotypes",
        "verifybamid2_resource",
        "sv_exclude",
        "copy_number_panel",
        "somatic",
    )
    return {key: value for key, value in config.items() if key not in paths}


def profile_parts(*parts):
    """Digest of parts of the profile: what they decide is made again where they change, not for another version."""
    text = json.dumps([PROFILE.data[part] for part in parts], sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()


def variant_options(wildcards, input):
    """GATK's option for each of several gVCFs."""
    return " ".join(f"-V {shlex.quote(str(gvcf))}" for gvcf in input.gvcfs)


def pedigree_lines(wildcards):
    """PED lines of a case."""
    return family.pedigree(wildcards.case, case_members(wildcards), PROFILE)


def sample_columns(wildcards):
    """The one column of a sample's VCF."""
    return [wildcards.sample]


def family_columns(wildcards):
    """Columns of a case's joint VCF: the germline members by name, whatever the order of the table."""
    return sorted(family.parents(case_members(wildcards)))


def family_column_list(wildcards):
    """The same as bcftools takes them."""
    return ",".join(family_columns(wildcards))


def quoted_crams(wildcards, input):
    """CRAMs of a case as a script takes them: pseudonyms below results/, so never with a space."""
    return " ".join(input.crams)


def manta_bams(wildcards, input):
    """manta's arguments for the CRAMs of a case, or for a tumour's normal and the tumour."""
    keys = ["--normalBam", "--tumorBam"] if "sample" in wildcards.keys() else ["--bam"] * len(input.crams)
    return " ".join(f"{key} {cram}" for key, cram in zip(keys, input.crams))


def germline_members(wildcards):
    """Number of germline members of a case: delly takes a thread for each."""
    return len(family_columns(wildcards))


def sexes_of_case(wildcards):
    """Sex by germline sample of a case."""
    return {sample: TABLES.samples[sample]["sex"] for sample in family_columns(wildcards)}


def pair_of_tumour(pattern):
    """Input function: `pattern` with the normal and with the tumour that the wildcards name, in the order of columns."""

    def files(wildcards):
        return [pattern.format(sample=sample) for sample in (normal_of(wildcards.sample), wildcards.sample)]

    return files


def quoted_sample(wildcards):
    """A sample's name as JSON writes it."""
    return json.dumps(wildcards.sample)


def delly_somatic_limits():
    """Arguments of `delly filter` with which it keeps what the submission holds, with filters or without."""
    limits = PROFILE.data["somatic_structural"]
    return f"-y 0 -v 1 -r 1 -a {limits['reported_fraction']} -c {limits['reported_normal']}"


def delly_excluded():
    """Contigs that have no records in the structural VCF: delly leaves them out."""
    roles = PROFILE.data["structural_vcf"]["record_roles"]
    return [contig["name"] for contig in PROFILE.contigs() if contig["role"] not in roles]


def frequency_option(wildcards, input):
    """Argument of bcftools roh: the population's allele frequencies, or the profile's one for all."""
    if POPULATION:
        return f"--AF-file {shlex.quote(str(input.frequencies))}"
    return f"--AF-dflt {PROFILE.data['homozygosity']['default_frequency']}"


def one_copy_of_x():
    """Where a man's X has one copy, as bcftools takes regions; a place that no reference has where there is no X."""
    names = {contig["name"] for contig in PROFILE.contigs("X")}
    found = [f"{name}:{start + 1}-{end}" for name, start, end in regions.haploid(PROFILE, "male") if name in names]
    return ",".join(found) or "no_X:1-1"


def cases_of_samples(wildcards):
    """The case of each sample of a case."""
    return dict.fromkeys(TABLES.samples_of_case[wildcards.case], wildcards.case)


def profile_of_report():
    """What a report shows of the profile."""
    return {"id": PROFILE.id, "version": PROFILE.version, "metrics": PROFILE.data["metrics"]}


def soft_filters():
    """The caller mode's soft filters as a chain of bcftools commands."""
    return " | ".join(
        f"bcftools filter --no-version -Ou -m + -s {item['id']} -e {shlex.quote(item['expression'])}"
        for item in FILTERS
    )


def only_declared(kind):
    """`bcftools annotate -x` argument that keeps what the profile declares for a content (`vcf`, `gvcf`, ...)."""
    spec = PROFILE.data[kind]
    keep = [f"{column}/{key}" for column in ("INFO", "FORMAT") for key in spec[column.lower()]]
    return ",".join(f"^{item}" for item in keep)


# ---- what a job asks of the machine: docs/cluster.md has the measurements ------------------

SNAKEMAKE_MB = 500  # a Slurm job counts its two Snakemake processes too, 200 MB each


@functools.cache
def fastq_gb(unit):
    """GB of the two FASTQ files of a unit, compressed; 0 where they are no longer there."""
    files = (Path(TABLES.units[unit][fq]) for fq in ("fq1", "fq2"))
    return sum(path.stat().st_size for path in files if path.is_file()) / 1e9


def gb_of_reads(wildcards):
    """GB of compressed FASTQ that a job works for: of its unit, its sample or its case."""
    if unit := wildcards.get("unit"):
        return fastq_gb(unit)
    if sample := wildcards.get("sample"):
        return sum(map(fastq_gb, TABLES.units_of_sample[sample]))
    return sum(map(fastq_gb, TABLES.units_of_case[wildcards.case]))


def memory(mb):
    """Resource function: MB of a job; each further attempt gets as much again."""

    def megabytes(wildcards, attempt):
        return SNAKEMAKE_MB + attempt * mb

    return megabytes


def minutes(least, per_gb=0):
    """Resource function: time limit in minutes, and more for each GB of reads; each further attempt gets as much again."""

    def limit(wildcards, attempt):
        return int(attempt * (least + (per_gb and per_gb * gb_of_reads(wildcards))))

    return limit


# ---- the start and the end of the run ------------------------------------------------------


def refuse_leftover_jobs():
    """Stop where Slurm jobs of an earlier launcher still work in this folder: no file has two writers."""
    logs = Path(".snakemake/slurm_logs").resolve()
    if not logs.is_dir() or not shutil.which("squeue"):
        return
    asked = subprocess.run(
        ["squeue", "--me", "--noheader", "--Format=JobID:32,STDOUT:4096"], capture_output=True, text=True
    )
    if asked.returncode:
        said = asked.stderr.strip()
        raise WorkflowError(
            f"{logs}: jobs of an earlier run may be left. Mend: start again when squeue answers ({said})."
        )
    jobs = [line[:32].strip() for line in asked.stdout.splitlines() if line[32:].startswith(f"{logs}/")]
    if jobs:
        raise WorkflowError(
            f"{Path().resolve()}: jobs of an earlier run still work here. Mend: wait for them, or scancel {' '.join(jobs)},"
            " then start again."
        )


def case_of(wildcards):
    """The case that a job with these wildcards works for; None for a job of the whole run."""
    if "case" in wildcards:
        return wildcards["case"]
    sample = wildcards.get("sample") or TABLES.units.get(wildcards.get("unit"), {}).get("sample")
    return TABLES.samples[sample]["case"] if sample else None


def is_news(record):
    """Whether a line of the log belongs on the terminal too: not the some forty a sample about temporary files."""
    return not str(record.msg).startswith(("Removing temporary output", "Touching output file"))


def keep_journal():
    """Note from now on how the jobs fare, for `ngc-wgs status`, and keep the terminal for what an operator acts on."""
    waiting = [job for job in workflow.dag.needrun_jobs() if job.rule.name != "all"]
    busy = {case_of(job.wildcards_dict) for job in waiting}
    done = {case: case not in busy and Path(f"results/check/{case}.accepted").is_file() for case in TABLES.cases}
    stages = {rule.name: Path(rule.snakefile).stem for rule in workflow.rules}
    rules = Counter(job.rule.name for job in waiting)
    logger.addHandler(progress.Journal(progress.JOURNAL, rules, stages, done, case_of))
    for handler in logger.handlers:
        if isinstance(handler, QueueHandler):  # that of the terminal; the log file's is another and keeps every line
            handler.addFilter(is_news)


def end_journal():
    """Note that this process came to its own end."""
    for handler in logger.handlers:
        if isinstance(handler, progress.Journal):
            handler.end()


def unfinished_jobs():
    """Per case, the jobs that had all their input and did not finish: those that failed or were interrupted."""
    stops = {case: [] for case in TABLES.cases}
    waiting = set(workflow.dag.needrun_jobs())
    for job in waiting:
        if job.rule.name != "all" and not any(other in waiting for other in workflow.dag.dependencies[job]):
            case = case_of(job.wildcards_dict)
            for case in [case] if case else TABLES.cases:
                stops[case].append(verdict.Stop(job.rule.name, job.log[0] if job.log else None))
    return stops


def forget_refusal():
    """Delete the versions that preflight refused: a tool that was mended changes no input, yet must be asked again."""
    if not Path("results/intake/preflight.json").is_file():
        for tool in TOOLS_USED:
            Path(f"results/intake/tools/{tool}.txt").unlink(missing_ok=True)


def whole_run():
    """Whether every case was asked for, and not only some targets."""
    return any(job.rule.name == "all" for job in workflow.dag.jobs)


def give_verdict(stops):
    """Print the verdicts, write results/verdict.tsv and .json, and tell whether every case was accepted.

    The report costs seconds, so a run of some targets makes it only where a verdict is another than before.
    """
    verdicts = [verdict.judge(case, stops.get(case, [])) for case in TABLES.cases]
    verdicts = verdict.warn_of_shared_persons(verdicts, {name: row["case"] for name, row in TABLES.samples.items()})
    print(verdict.for_people(verdicts), file=sys.stderr)  # first: a full disk takes no table
    Path("results").mkdir(exist_ok=True)
    Path("results/verdict.tsv").write_text(verdict.table(verdicts))
    file, text = Path("results/verdict.json"), verdict.as_json(verdicts)
    news = whole_run() or not file.is_file() or file.read_text() != text
    file.write_text(text)
    if news:
        give_report(verdicts)
    return all(item.verdict == "ACCEPTED" for item in verdicts)


def give_report(verdicts):
    """Write results/run.multiqc.html from what is there. It changes no verdict: where it fails, a line says so."""
    page, log = Path("results/run.multiqc.html"), Path("logs/run.multiqc.log")
    rows = [(item.case, item.verdict, item.reasons) for item in verdicts]
    cases = {sample: row["case"] for sample, row in TABLES.samples.items()}
    title, settings = f"ngc-wgs, run of {len(rows)} cases", HOUSE / "config" / "multiqc.yaml"
    try:
        log.parent.mkdir(exist_ok=True)
        facts = run_report.Facts(profile_of_report(), verdicts=rows, workflow=__version__)
        run_report.gather_run(facts, cases, TABLES.units, Path("results"))
        with open(log, "w") as messages:
            run_report.write(run_report.sections(facts), title, page, settings, messages)
    except Exception as error:  # whatever it is, the run has ended and its verdicts stand
        print(f"{page} could not be made: {type(error).__name__}: {error}; see {log}", file=sys.stderr)
