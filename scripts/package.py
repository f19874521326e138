"""Entry of rule package: a case's products as one sealed bag with its manifest."""

import hashlib
import json
import sys
from pathlib import Path

import ngc_profile
from ngc_wgs import intake as fastq
from ngc_wgs import package

sys.stderr = open(snakemake.log[0], "w", buffering=1)


def read(path):
    return json.loads(Path(path).read_text())


source = snakemake.input
qc = {Path(path).name.split(".")[0]: read(path) for path in source.products if path.endswith(".metrics.json")}
intake = {report["unit"]: report for report in map(read, source.intake)}
units = snakemake.params.case["units"]
if replaced := [path for unit, report in intake.items() for path in fastq.replaced(report, units[unit])]:
    sys.exit(
        f"Package refuses case {snakemake.wildcards.case}: changed since intake read them: {', '.join(replaced)}."
        " Mend: start the same command again, which reads them anew."
    )


def digest_of(path):
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


own = [
    {"name": name, "version": "of the site", "sha256": digest_of(path)}
    for name, paths in (
        ("regions without structural variants", source.sv_exclude),
        ("panel of normals", source.panel_of_normals),
        ("germline resource", source.germline_resource),
    )
    for path in paths
]
folder = Path(snakemake.params.submission)
digest = package.build(
    snakemake.params.case,
    source.products,
    folder,
    profile=ngc_profile.load(source.profile, source.overlay or None),
    overlay=source.overlay or None,
    fasta=source.fasta,
    intake=intake,
    qc=qc,
    preflight=read(source.preflight),
    identity=read(source.identity),
    databases=[read(source.population), *own],
    evaluation=next(iter(qc.values()))["evaluation_regions"],
    configuration=snakemake.params.configuration,
    house=Path(snakemake.scriptdir).parent,
    code_at_start=read(source.accepted)["code_sha256"],
    processes=snakemake.threads,
    signing_key=snakemake.config["signing_key"],
    not_called=[entry for path in source.not_called for entry in read(path)],
)
receipt = {"case": snakemake.wildcards.case, "submission": str(folder), "tagmanifest_sha256": digest}
Path(snakemake.output.receipt).write_text(json.dumps(receipt, indent=2) + "\n")
