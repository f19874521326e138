"""Entry of rule multiqc: one report for a case, from the files it is given and no others.

Runs in MultiQC's environment: standard library only.
"""

import json
import shlex
import subprocess
import sys
import tempfile
from pathlib import Path

sys.stderr = open(snakemake.log[0], "w", buffering=1)

# MultiQC's script asks a server for a paper's title when a reader points at its DOI. With this the browser refuses.
NO_NETWORK = (
    "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src data: blob: 'unsafe-inline' 'unsafe-eval'; "
    "base-uri 'none'; form-action 'none'\">"
)

source = snakemake.input
output = Path(snakemake.output[0])


def gate_text(metric):
    gate = metric["gate"]
    return f"{gate['status']} if {gate['op']} {gate['value']:g} ({gate['basis']})" if gate else "reported"


rows = {}
for path in source.metrics:
    report = json.loads(Path(path).read_text())
    for metric in report["metrics"]:
        rows[f"{report['sample']} {metric['name']}"] = {
            "value": "" if metric["value"] is None else f"{metric['value']:,.6g}",
            "unit": metric["unit"],
            "status": metric["status"],
            "gate": gate_text(metric),
            "tool": f"{metric['tool']} {metric['version'] or ''}".strip(),
            "definition": metric["definition"],
        }
tools = {tool["name"]: tool["version"] for tool in json.loads(Path(source.preflight).read_text())["tools"]}
gates = {
    "id": "quality_gates",
    "section_name": "Quality gates",
    "description": "Each metric, the profile's gate, the tool and version that measured it, and its definition.",
    "plot_type": "table",
    "pconfig": {
        "id": "quality_gates_table",
        "title": "Quality gates",
        "col1_header": "Sample and metric",
        "no_violin": True,
    },
    "headers": {name: {"title": name.capitalize(), "scale": False} for name in next(iter(rows.values()))},
    "data": rows,
}  # fmt: skip

with tempfile.TemporaryDirectory(dir=snakemake.resources.tmpdir) as scratch:
    scratch = Path(scratch)
    (scratch / "quality_gates_mqc.json").write_text(json.dumps(gates))
    (scratch / "ngc_wgs_mqc_versions.yml").write_text(
        "".join(f'{name}: "{version}"\n' for name, version in tools.items())
    )
    given = [*source.fastp, *source.alignment, *source.calls, *sorted(str(path) for path in scratch.iterdir())]
    (scratch / "files.txt").write_text("".join(f"{path}\n" for path in given))
    command = ["multiqc", "--force", "--no-data-dir", "--config", snakemake.params.config]
    command += ["--title", f"ngc-wgs, case {snakemake.wildcards.case}"]
    command += ["--file-list", str(scratch / "files.txt"), "--outdir", str(output.parent), "--filename", output.name]
    print(shlex.join(command), file=sys.stderr)
    subprocess.run(command, stdout=sys.stderr, stderr=sys.stderr, check=True)

before, head, after = output.read_text(encoding="utf-8").partition("<head>")
if not head:
    sys.exit("MultiQC's report has no <head> to forbid the network in")
output.write_text(before + head + NO_NETWORK + after, encoding="utf-8")
