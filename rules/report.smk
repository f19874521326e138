"""One MultiQC report per case, inside its submission; that of the run is made at its end (`give_report`)."""


rule multiqc:
    input:
        metrics=case_files("results/qc/{sample}.metrics.json"),
        units=case_intake_reports,
        coverage=case_files("results/qc/{sample}.wgs_metrics.txt"),
        stats=case_files("results/qc/{sample}.samtools_stats.txt"),
        identity=case_identity,
        families=family_report,
        mitochondria=mitochondrion_reports,
        copies=germline_of_case("results/copy_number/{sample}.json"),
        dosage=germline_of_case("results/qc/{sample}.dosage.json"),
        homozygosity=germline_of_case("results/qc/{sample}.homozygosity.json"),
        databases=["results/identity/population.json"] if POPULATION else [],
        structural=germline_of_case("results/qc/{sample}.sv.json"),
        somatic_structural=somatic_structural_reports,
        somatic_copies=of_tumours("results/copy_number/{sample}.somatic.json"),
        somatic=of_tumours("results/somatic/{sample}.json"),
        tumours=tumour_comparison,
        preflight="results/intake/preflight.json",
        fastp=case_files("results/qc/{unit}.fastp.json"),
        more=case_files(
            "results/alignment/{sample}.markdup.json",
            "results/qc/{sample}.mosdepth.summary.txt",
            "results/qc/{sample}.mosdepth.global.dist.txt",
            "results/qc/{sample}.mosdepth.region.dist.txt",
        ),
        calls=germline_of_case("results/qc/{sample}.bcftools_stats.txt"),
    output:
        ensure("results/qc/{case}.multiqc.html", non_empty=True),
    log:
        "logs/qc/{case}.multiqc.log",
    benchmark:
        "benchmarks/qc/{case}.multiqc.tsv"
    conda:
        "../envs/multiqc.yaml"
    threads: 1
    resources:
        mem_mb=memory(2000),
        runtime=minutes(60),
    params:
        config=str(HOUSE / "config" / "multiqc.yaml"),
        cases=cases_of_samples,
        profile=profile_of_report(),
    script:
        "../scripts/multiqc_report.py"
