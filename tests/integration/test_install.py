"""Installation where there is no conda: on machines made of fakes, and for real from the user's cache."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

HOUSE = Path(__file__).parents[2]
BASICS = (
    "awk bash cat chmod cmp cut dirname env flock grep head ln ls mkdir mktemp mv python3 "
    "rm sed sh sha256sum sort tail touch uniq"
)
PACKAGES = ["bwa", "samtools", "bcftools", "tabix", "fastp", "mosdepth", "delly", "plink2"]
PACKAGES += ["art-nextgen-simulation-tools"]
JAVA_PACKAGES = ["openjdk-17-jre-headless", "maven"]

APT = """
echo "$*" >> "$MACHINE/apt.log"
for word; do
    case $word in Dir::Etc::SourceList=*) cat "${word#*=}" >> "$MACHINE/sources" ;; esac
done
case "$*" in
    *update*) touch "$MACHINE/updated" ;;
    *--simulate*) [ -e "$MACHINE/updated" ] || [ ! -e "$MACHINE/empty_lists" ] && cat "$MACHINE/plan" ;;
esac
"""


class Machine:
    """A machine with the basic commands only, whose user, packages and tools are fakes; its paths hold spaces."""

    def __init__(self, folder):
        self.folder = folder / "a machine"
        self.bin = self.folder / "bin"
        self.checkout = self.folder / "check out"
        self.bin.mkdir(parents=True)
        for name in BASICS.split():
            (self.bin / name).symlink_to(shutil.which(name))
        shutil.copytree(HOUSE / "envs", self.checkout / "envs")
        (self.folder / "plan").write_text("Inst samtools (1.16.1-1 Debian:12.0/stable [amd64])\n")
        self.put("id", "echo 0")
        self.put("apt-get", APT)
        self.cache = folder / "cache"

    def put(self, name, text):
        """A command of the machine."""
        path = self.bin / name
        path.unlink(missing_ok=True)
        path.write_text(f"#!/bin/sh\n{text}\n")
        path.chmod(0o755)

    def install(self, *arguments, **variables):
        """Runs the installation: exit status, and all that it printed."""
        done = subprocess.run(
            [self.checkout / "envs" / "install.sh", *arguments],
            env={
                "PATH": str(self.bin),
                "MACHINE": str(self.folder),
                "XDG_CACHE_HOME": str(self.cache),
                "SLURM_CONF": str(self.folder / "slurm.conf"),
                **variables,
            },
            cwd=self.folder,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        return done.returncode, done.stdout

    def apt_calls(self):
        """Arguments of each call of apt-get."""
        log = self.folder / "apt.log"
        return log.read_text().splitlines() if log.exists() else []


@pytest.fixture
def machine(tmp_path):
    return Machine(tmp_path)


def test_without_root_prints_the_one_command_and_changes_nothing(machine):
    machine.put("id", "echo 1000")
    status, said = machine.install()
    command = said.splitlines()[1]
    assert status == 1
    assert command.startswith("apt-get update && apt-get install --no-install-recommends --no-upgrade --no-remove ")
    assert command.endswith(" ".join(PACKAGES + JAVA_PACKAGES))
    assert "sudo" not in said
    assert machine.apt_calls() == []


def test_as_root_installs_without_upgrading_or_removing(machine):
    status, said = machine.install()
    assert f"install: Debian packages: {' '.join(PACKAGES + JAVA_PACKAGES)}" in said
    simulated, real = machine.apt_calls()
    assert "--simulate" in simulated
    for call in (simulated, real):
        assert "--no-upgrade" in call and "--no-remove" in call and "--no-install-recommends" in call
    # The fake installed nothing, which is noticed.
    assert status == 1
    assert "still missing after the installation: bwa samtools" in said


def test_installs_nothing_for_what_is_on_path_already(machine):
    for name in ("bwa", "samtools", "mvn"):
        machine.put(name, "exit 0")
    machine.put("java", "echo 'openjdk version \"21.0.1\" 2023-10-17' >&2")
    machine.install()
    assert machine.apt_calls()[0].endswith(" " + " ".join(PACKAGES[2:]))


def test_only_the_tests_ask_for_a_slurm_and_only_where_there_is_none(machine):
    machine.install("test")
    assert machine.apt_calls()[0].endswith(" ".join(["", *PACKAGES, "slurm-wlm", "munge", *JAVA_PACKAGES]))
    for sign_of_one in (machine.bin / "sbatch", machine.folder / "slurm.conf"):
        machine.put(sign_of_one, "exit 0")
        (machine.folder / "apt.log").unlink()
        machine.install("test")
        assert machine.apt_calls()[0].endswith(" ".join(["", *PACKAGES, *JAVA_PACKAGES]))
        sign_of_one.unlink()


def test_only_the_proofs_ask_for_a_bare_machine(machine):
    machine.install("proof")
    wanted = ["", *PACKAGES, "slurm-wlm", "munge", "debootstrap", *JAVA_PACKAGES]
    assert machine.apt_calls()[0].endswith(" ".join(wanted))


def test_without_root_the_tests_and_proofs_ask_for_no_machines(machine):
    machine.put("id", "echo 1000")
    said = "".join(machine.install(action)[1] for action in ("test", "proof"))
    assert "apt-get install" in said
    assert "slurm" not in said and "debootstrap" not in said


def test_a_java_that_is_too_old_for_gatk_is_missing(machine):
    machine.put("java", "echo 'openjdk version \"11.0.20\" 2023-07-18' >&2")
    machine.install()
    assert "openjdk-17-jre-headless" in machine.apt_calls()[0]


def test_a_python_that_is_too_old_is_missing(machine):
    machine.put("python3", "exit 1")
    machine.install()
    assert " python3 " in machine.apt_calls()[0]


@pytest.mark.parametrize(
    "change", ["Inst libc6 [2.36-9] (2.36-10 Debian:12 [amd64])", "Remv libcurl4-openssl-dev [7.88.1]"]
)
def test_stops_before_anything_would_be_upgraded_or_removed(machine, change):
    with (machine.folder / "plan").open("a") as plan:
        plan.write(change + "\n")
    status, said = machine.install()
    assert status == 1
    assert f"would upgrade or remove {change.split()[1]}" in said
    assert all("--simulate" in call for call in machine.apt_calls())


def test_updates_the_package_lists_only_when_they_lack_a_package(machine):
    machine.install()
    assert not any("update" in call for call in machine.apt_calls())
    (machine.folder / "apt.log").unlink()
    (machine.folder / "empty_lists").touch()
    machine.install()
    assert [call for call in machine.apt_calls() if call.endswith("update")] != []


def test_names_what_is_missing_where_there_is_no_apt(machine):
    (machine.bin / "apt-get").unlink()
    status, said = machine.install()
    assert status == 1
    assert "no apt-get here" in said and "samtools" in said


def test_refuses_a_cache_with_spaces_and_names_the_mend(machine):
    machine.cache = machine.folder / "cache"
    status, said = machine.install()
    assert status == 1
    assert "set XDG_CACHE_HOME" in said
    assert machine.apt_calls() == []


# ---- from a bundle, without network ------------------------------------------------------------


@pytest.fixture
def bundle(machine):
    """A bundle beside the Snakefile; its files are empty."""
    folder = machine.checkout / "bundle"
    (folder / "gatk-4.6.2.0").mkdir(parents=True)
    shutil.copy(HOUSE / "envs" / "requirements.txt", folder)
    sums(folder)
    return folder


def sums(folder):
    with (folder / "SHA256SUMS").open("w") as out:
        subprocess.run(["sha256sum", "./requirements.txt"], cwd=folder, stdout=out, check=True)


def test_a_bundle_is_the_only_source_of_packages(machine, bundle):
    _, said = machine.install()
    assert f"install: from {bundle}, without network" in said
    assert len(machine.apt_calls()) > 1
    assert all("Dir::Etc::SourceParts=/dev/null" in call for call in machine.apt_calls())
    sources = set((machine.folder / "sources").read_text().splitlines())
    assert len(sources) == 1
    assert all(line.startswith("deb [trusted=yes] file:") and line.endswith("/debian ./") for line in sources)
    assert machine.apt_calls()[-1].endswith(" ".join([*PACKAGES, JAVA_PACKAGES[0]]))  # no maven
    assert list(machine.cache.glob("ngc-wgs/apt.*")) == []


def test_a_bundle_elsewhere_is_named_and_may_be_relative(machine, bundle):
    bundle.rename(machine.folder / "a bundle")
    assert "without network" not in machine.install()[1]
    assert f"from {machine.folder}/a bundle, without network" in machine.install(BUNDLE="a bundle")[1]


@pytest.mark.parametrize("fault", ["damaged", "another version", "another GATK"])
def test_a_bundle_that_will_not_do_stops_before_anything_is_installed(machine, bundle, fault):
    if fault == "another GATK":
        (bundle / "gatk-4.6.2.0").rename(bundle / "gatk-4.6.1.0")
    else:
        (bundle / "requirements.txt").write_text("x\n")
    if fault == "another version":
        sums(bundle)
    status, said = machine.install()
    assert status == 1 and "Mend: " in said
    assert ("is damaged" in said) == (fault == "damaged")
    assert machine.apt_calls() == []


def test_root_can_install_the_packages_of_a_bundle_and_no_more(machine, bundle):
    machine.put("id", "echo 1000")
    _, said = machine.install()
    command = said.splitlines()[-1]
    assert command == f"BUNDLE='{bundle}' '{machine.checkout}/envs/install.sh' --debian"
    machine.put("id", "echo 0")
    makes = "".join(f'cp "$0" "${{0%/*}}/{name}"\n' for name in "bwa samtools bcftools bgzip tabix fastp".split())
    makes += "".join(f'cp "$0" "${{0%/*}}/{name}"\n' for name in "mosdepth delly plink2 art_illumina java".split())
    machine.put("cp", f'exec {shutil.which("cp")} "$@"')
    machine.put("apt-get", APT + f'echo \'version "17.0"\'; case "$*" in *-y*)\n{makes};; esac')
    status, said = machine.install("--debian")
    assert (status, said.splitlines()[-1].startswith("install: Debian packages:")) == (0, True), said
    assert not (machine.checkout / ".tools" / "bin").exists()


def test_an_unknown_option_is_refused(machine):
    status, said = machine.install("--offline")
    assert status == 1 and "no such option" in said


@pytest.mark.parametrize("reached", [True, False])
def test_conda_packages_go_into_a_bundle_with_pins_where_channels_can_be_reached(tmp_path, reached):
    """With a fake conda: no channel could be reached where this was written."""
    release = tmp_path / "release"
    shutil.copytree(HOUSE / "envs", release / "envs")
    conda = tmp_path / "bin" / "conda"
    conda.parent.mkdir()
    conda.write_text(
        '#!/bin/bash\nif [ "$1" = env ]; then\n'
        f'mkdir -p "$CONDA_PKGS_DIRS"; echo "$*" >> \'{tmp_path}/calls\'; exit {int(not reached)}\n'
        'else echo "@EXPLICIT $*"; fi\n'
    )
    conda.chmod(0o755)
    script = (
        'set -euo pipefail; say() { echo "$*"; }; log=$1/log stage=$1 store=$1/store release=$1/release\n'
        f"source <(sed -n '/^bundle_conda()/,/^}}/p' '{HOUSE}/envs/bundle.sh'); bundle_conda"
    )
    path = f"{conda.parent}{os.pathsep}{os.environ['PATH']}"
    done = subprocess.run(
        ["bash", "-c", script, "bash", tmp_path], env={**os.environ, "PATH": path}, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    pins = {path.name for path in (release / "envs").glob("*.pin.txt")}
    if reached:
        environments = {path.stem for path in (HOUSE / "envs").glob("*.yaml")} - {"tools", "python"}
        assert pins == {f"{name}.linux-64.pin.txt" for name in environments}
        assert (release / "envs" / "gatk.linux-64.pin.txt").read_text().startswith("@EXPLICIT list --explicit --md5")
        assert len((tmp_path / "calls").read_text().splitlines()) == len(environments) + 1
    else:
        assert pins == set() and not (tmp_path / "store" / "conda").exists()
        assert "the bundle has no conda packages" in done.stdout


# ---- for real, from the cache that `make` has filled -------------------------------------------


@pytest.fixture(scope="module")
def installed(tmp_path_factory):
    """A second checkout, with spaces in its path, installed: (folder, environment with its tools first on PATH)."""
    checkout = tmp_path_factory.mktemp("install") / "a check out"
    for name in ("envs", "scripts", "config"):
        shutil.copytree(HOUSE / name, checkout / name)
    mine = str(HOUSE / ".tools" / "bin")
    rest = os.pathsep.join(part for part in os.environ["PATH"].split(os.pathsep) if part != mine)
    done = subprocess.run(
        [checkout / "envs" / "install.sh"], env={**os.environ, "PATH": rest}, stdout=subprocess.PIPE, text=True
    )
    assert done.returncode == 0, done.stdout
    return checkout, {**os.environ, "PATH": f"{checkout}/.tools/bin{os.pathsep}{rest}"}


def run(installed, *command, cwd=None):
    checkout, environment = installed
    return subprocess.run(
        command, env=environment, cwd=cwd or checkout, text=True, capture_output=True, check=True
    ).stdout


def test_a_second_run_says_one_line_and_does_nothing(installed):
    before = (installed[0] / ".tools" / "bin" / "gatk").stat().st_mtime_ns
    assert run(installed, "envs/install.sh") == "install: everything is in place\n"
    assert (installed[0] / ".tools" / "bin" / "gatk").stat().st_mtime_ns == before


def test_the_wrapped_tools_start_from_any_folder(installed, tmp_path):
    options = "-Xmx300m -Djava.io.tmpdir=."
    assert "(GATK) v4.6.2.0" in run(installed, "gatk", "--java-options", options, "--version", cwd=tmp_path)
    assert run(installed, "mosdepth", "--version", cwd=tmp_path).startswith("mosdepth ")
    assert run(installed, "ngc-wgs", "--help", cwd=tmp_path).startswith("usage: ngc-wgs")


def test_gatk_hands_on_its_java_options_and_its_arguments_as_they_are(installed, tmp_path):
    java = tmp_path / "java"
    java.write_text('#!/bin/sh\nfor word in "$@"; do echo "$word"; done\n')
    java.chmod(0o755)
    environment = {**installed[1], "PATH": f"{tmp_path}{os.pathsep}{installed[1]['PATH']}"}
    gatk = installed[0] / ".tools" / "bin" / "gatk"
    words = run((tmp_path, environment), gatk, "--java-options", "-Xmx1g -Da=*", "Tool", "-I", "a b.cram").splitlines()
    assert words[-4:] == ["org.broadinstitute.hellbender.Main", "Tool", "-I", "a b.cram"]
    assert {"-Xmx1g", "-Da=*", "-Dsamjdk.compression_level=2"} <= set(words)


def test_snakemake_runs_scripts_in_a_path_with_spaces(installed, tmp_path):
    folder = tmp_path / "a run"
    folder.mkdir()
    (folder / "Snakefile").write_text("rule one:\n    output:\n        'one.txt',\n    script:\n        'one.py'\n")
    (folder / "one.py").write_text("import sys, pysam\nopen(snakemake.output[0], 'w').write(sys.executable)\n")
    run(installed, "snakemake", "--cores", "1", "--quiet", "all", cwd=folder)
    assert " " not in (folder / "one.txt").read_text()
