"""One judgement in a process of its own, with what it cost; run by the proofs.

Arguments: a JSON object {target, kind, profile, overlay, reference, sample, sex, threads}; all but target may be left
out. With `sample` the target is a VCF (kind vcf, the default) or gVCF, judged as in a submission of that person; else
it is what `ngc-wgs check` takes. Prints one JSON object: {exit, findings: [[rule, status, evidence]], cpu, wall, rss,
read} in seconds, MB and bytes.
"""

from __future__ import annotations

import json
import os
import sys
import time
from pathlib import Path


def bytes_read() -> int:
    """Bytes that this process and the children it has reaped asked for, from files and pipes."""
    return int(Path("/proc/self/io").read_text().split("rchar: ")[1].split()[0])


def peak() -> float:
    """Largest resident memory of this process in MB. (`ru_maxrss` would count what its parent held at the fork.)"""
    return int(Path("/proc/self/status").read_text().split("VmHWM:")[1].split()[0]) / 1024


def main(ask: dict) -> dict:
    """Judge what is asked for."""
    os.environ["POLARS_MAX_THREADS"] = str(ask.get("threads", 1))  # as the command does
    import ngc_profile
    from ngc_check import vcf_fast  # noqa: F401  read before the count of bytes begins
    from ngc_check.submission import CannotJudge, check
    from ngc_check.vcf import check_vcf

    profile = ngc_profile.load_valid(ask.get("profile"), ask.get("overlay"))
    before = bytes_read()
    if ask.get("sample"):
        found = list(
            check_vcf(
                ask["target"], profile, kind=ask.get("kind", "vcf"), sample=ask["sample"], sex=ask["sex"],
                reference=ask.get("reference"), digests={}, threads=ask.get("threads", 1),
            )
        )  # fmt: skip
        status = int(any(not finding.status for finding in found))
    else:
        try:
            report = check(
                ask["target"], profile, profile_path=ask.get("profile"), overlay_given=ask.get("overlay") is not None,
                reference=ask.get("reference"),
            )  # fmt: skip
            found, status = report.findings, report.exit_code
        except CannotJudge as error:
            return {"exit": 2, "findings": [["", "", str(error)]]} | cost(before)
    return {"exit": status, "findings": [[f.rule, f.status, f.evidence] for f in found]} | cost(before)


def cost(before: int) -> dict:
    """What this process and its children cost so far."""
    used = os.times()
    cpu = used.user + used.system + used.children_user + used.children_system
    return {"cpu": cpu, "rss": peak(), "read": bytes_read() - before}


if __name__ == "__main__":
    start = time.perf_counter()
    answer = main(json.loads(sys.argv[1]))
    print(json.dumps(answer | {"wall": time.perf_counter() - start}))
