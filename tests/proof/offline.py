"""A bare Debian without network becomes a site: the bundle is installed, the demo is run, its submission accepted."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import support

# Runs as the only program of a machine without network: chroot has what debootstrap made and the archive, no more.
SITE = """
set -e
mount -t proc proc "$ROOT/proc"
mount --rbind /dev "$ROOT/dev"
exec chroot "$ROOT" env -i HOME=/root PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin bash -ec '
    [ "$(grep -c : /proc/net/dev)" = 1 ]
    cd /srv
    tar -xf *-offline.tar
    cd ngc-wgs-*/
    time envs/install.sh
    export PATH=$PWD/.tools/bin:$PATH
    python tests/simulate/make_demo.py --out /srv/demo
    time snakemake --profile profiles/default --configfile /srv/demo/config.yaml --directory /srv/demo
    for bag in /srv/demo/results/submissions/*; do
        ngc-wgs check "$bag" --reference /srv/demo/reference/genome.fa
    done
'
"""
NEEDS = ("debootstrap", "unshare", "chroot", "apt-get", "git")


def run(place: Path) -> Iterator[str]:
    """The proof, as text for the report. place: an empty folder with room for 4 GB."""
    missing = [name for name in NEEDS if not shutil.which(name)]
    if missing or os.geteuid():
        yield f"## Offline\n\nNot tried: needs root and {', '.join(NEEDS)}.\n"
        return
    yield "## Offline\n"
    seconds = {}

    def step(name: str, *command: str | Path, **variables: str | Path) -> str:
        began = time.monotonic()
        done = subprocess.run(
            command,
            cwd=support.REPOSITORY,
            env={**os.environ, **variables},
            text=True,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            stdin=subprocess.DEVNULL,
        )
        seconds[name] = time.monotonic() - began
        if done.returncode:
            raise support.NotProven(f"{name} ended with {done.returncode}: {done.stdout[-3000:]}")
        return done.stdout

    step("bundle", "envs/install.sh", "--bundle", OUT=place)
    (archive,) = place.glob("*-offline.tar")
    size = archive.stat().st_size / 1e6
    targets = step("mirror", "apt-get", "indextargets", "--format", "$(REPO_URI) $(CODENAME)", "Created-By: Packages")
    mirror, codename = targets.splitlines()[0].split()
    root = place / "root"
    step("debootstrap", "debootstrap", "--variant=minbase", codename, root, mirror)
    shutil.move(archive, root / "srv")
    namespaces = ("unshare", "--net", "--mount", "--pid", "--fork")
    said = step("site", *namespaces, "bash", "-c", SITE, ROOT=root)
    head = step("commit", "git", "rev-parse", "HEAD").strip()
    wrong = [] if "Verdict: 4 of 4 cases accepted" in said else ["not every case was accepted"]
    for manifest in (root / "srv" / "demo" / "results" / "submissions").glob("*/manifest.json"):
        workflow = json.loads(manifest.read_text())["workflow"]
        if workflow["commit"] != head or not workflow["clean_checkout"]:
            wrong.append(f"{manifest.parent.name}: the manifest does not name the release: {workflow}")
    yield from support.failed(wrong)
    yield (
        f"A bare Debian ({codename}, debootstrap minbase) in a network namespace of its own, with the bundle of commit "
        f"{head[:7]} ({size:.0f} MB, made in {seconds['bundle']:.0f} s) and nothing else: installed, the demo run "
        f"and its four cases accepted in {seconds['site']:.0f} s; their manifests name the commit as a clean release.\n"
    )
