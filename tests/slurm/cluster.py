"""A real Slurm on this machine: one controller and three nodes of 2 CPUs and 64 GB in name, which share what is there.

As a command `python tests/slurm/cluster.py` it runs until interrupted; the integration tests start it themselves.
Slurm reads /etc/slurm/slurm.conf, since job steps do not inherit SLURM_CONF: a machine that has one is left alone, and
only what was started here is stopped. Needs root and Debian's slurm-wlm and munge, which `make test` installs.
"""

from __future__ import annotations

import ctypes
import os
import secrets
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from pathlib import Path

import psutil

CONFIGURATION = Path("/etc/slurm/slurm.conf")
NODES = ("n1", "n2", "n3")
MARK = "# Written by tests/slurm/cluster.py, which deletes it when it ends.\n"
CONTROLLER_PORT = 16817
# Memory is watched by sampling each second, as no cgroups are asked for; a node is down after five silent seconds, and
# what ran on it is requeued after the five of a credential.
TEXT = """\
ClusterName=test
SlurmctldHost={host}(127.0.0.1)
SlurmctldPort={port}
SlurmUser=root
AuthType=auth/munge
AuthInfo=socket={folder}/munge/socket,cred_expire=5
CredType=cred/munge
StateSaveLocation={folder}/state
SlurmdSpoolDir={folder}/%n
SlurmctldPidFile={folder}/slurmctld.pid
SlurmdPidFile={folder}/%n.pid
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SwitchType=switch/none
MpiDefault=none
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU_Memory
AccountingStorageType=accounting_storage/none
JobAcctGatherType=jobacct_gather/linux
JobAcctGatherFrequency=task=1
JobAcctGatherParams=OverMemoryKill
SlurmdParameters=config_overrides
SchedulerParameters=batch_sched_delay=0,sched_min_interval=0
ReturnToService=2
SlurmdTimeout=5
KillWait=2
MaxArraySize=1001
{nodes}
PartitionName=main Nodes={names} Default=YES MaxTime=INFINITE State=UP
"""


def why_not() -> str | None:
    """Why no cluster can be had on this machine, or nothing."""
    if os.geteuid() != 0:
        return "a Slurm for tests needs root"
    for program in ("slurmctld", "slurmd", "munged"):
        if not daemon(program):
            return f"{program} is not installed: `make test` as root installs Debian's slurm-wlm and munge"
    if CONFIGURATION.exists() and not is_left_over(CONFIGURATION.read_text()):
        return f"this machine has a Slurm configuration, {CONFIGURATION}, which is left alone"
    return None


def is_left_over(text: str) -> bool:
    """Whether a configuration is that of a cluster of this script which was killed: all its daemons died with it."""
    if not text.startswith(MARK):
        return False
    folder = text.partition("StateSaveLocation=")[2].partition("/state\n")[0]
    lines = (" ".join(process.info["cmdline"] or []) for process in psutil.process_iter(["cmdline"]))
    return not any(folder in line for line in lines)


def die_with_parent() -> None:
    """In a child before it becomes a daemon: be killed when the process that started it ends, however it ends."""
    ctypes.CDLL(None).prctl(1, signal.SIGKILL)  # PR_SET_PDEATHSIG


def daemon(program: str) -> str | None:
    return shutil.which(program, path=f"{os.environ['PATH']}:/usr/sbin:/sbin")


class Cluster:
    """A running Slurm. `with Cluster() as cluster:` stops it, its jobs included."""

    def __init__(self) -> None:
        if reason := why_not():
            raise RuntimeError(reason)
        self.processes: dict[str, subprocess.Popen] = {}

    def __enter__(self) -> Cluster:
        self.folder = Path(tempfile.mkdtemp(prefix="ngc-wgs-slurm."))
        host = socket.gethostname().split(".")[0]
        nodes = [
            f"NodeName={name} NodeHostname={host} NodeAddr=127.0.0.1 Port={CONTROLLER_PORT + number}"
            " CPUs=2 RealMemory=64000 State=UNKNOWN"
            for number, name in enumerate(NODES, 1)
        ]
        text = TEXT.format(
            folder=self.folder, host=host, port=CONTROLLER_PORT, names=",".join(NODES), nodes="\n".join(nodes)
        )
        for name in ("munge", "state", *NODES):
            (self.folder / name).mkdir()
        self.folder.chmod(0o755)
        key = self.folder / "munge" / "key"
        key.write_bytes(secrets.token_bytes(128))
        key.chmod(0o400)
        CONFIGURATION.unlink(missing_ok=True)  # one that was left over
        with CONFIGURATION.open("x") as file:
            file.write(MARK + text)
        try:
            self.start("munged")
            wait_until((self.folder / "munge" / "socket").exists, "munged")
            self.start("slurmctld")
            for name in NODES:
                self.start(name)
            wait_until(lambda: self.states() == dict.fromkeys(NODES, "idle"), "three idle nodes")
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        subprocess.run(["scancel", "--user=root"], capture_output=True, timeout=30)
        for name in [*NODES, "slurmctld", "munged"]:
            if name in self.processes:
                self.kill(name, signal.SIGTERM if name not in NODES else signal.SIGKILL)
        if CONFIGURATION.read_text().startswith(MARK):
            CONFIGURATION.unlink()
        shutil.rmtree(self.folder, ignore_errors=True)

    def start(self, name: str) -> None:
        """Start munged, slurmctld or a node."""
        munge = self.folder / "munge"
        command = {
            "munged": [
                *(daemon("munged"), "--foreground", "--force", f"--key-file={munge}/key", f"--socket={munge}/socket"),
                *(f"--pid-file={munge}/pid", f"--log-file={munge}/log", f"--seed-file={munge}/seed"),
            ],
            "slurmctld": [daemon("slurmctld"), "-D"],
        }.get(name) or [daemon("slurmd"), "-D", "-N", name]
        with (self.folder / f"{name}.log").open("a") as log:
            self.processes[name] = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
                preexec_fn=die_with_parent,
            )

    def kill(self, name: str, number: int = signal.SIGKILL) -> None:
        """End a daemon; a node with all that runs on it, as when its power fails."""
        process = self.processes.pop(name)
        victims = []
        if name in NODES:
            # slurmd starts a slurmstepd for each job step, named `slurmstepd: [JOB.STEP]`, which leaves the family.
            jobs = self.squeue("--states=running", f"--nodelist={name}", "--format=%A")
            for candidate in psutil.process_iter(["cmdline"]):
                line = " ".join(candidate.info["cmdline"] or [])
                if any(line.startswith(f"slurmstepd: [{job}.") for job in jobs):
                    victims += [candidate, *candidate.children(recursive=True)]
        process.send_signal(number)
        for victim in victims:
            if victim.is_running():
                victim.kill()
        process.wait(timeout=60)

    def states(self) -> dict[str, str]:
        """State of each node, as sinfo has it; empty while the controller does not answer."""
        done = subprocess.run(["sinfo", "-h", "-N", "-o", "%N %T"], capture_output=True, text=True)
        return dict(line.split() for line in done.stdout.splitlines())

    def squeue(self, *arguments: str) -> list[str]:
        done = subprocess.run(["squeue", "-h", *arguments], capture_output=True, text=True)
        return done.stdout.splitlines()


def wait_until(condition, what: str, seconds: float = 60, step: float = 0.2) -> None:
    """Wait for a condition to become true; an error names what did not come."""
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            raise TimeoutError(f"waited {seconds} s for {what}")
        time.sleep(step)


if __name__ == "__main__":
    with Cluster() as cluster:
        print(f"Slurm runs, its logs are in {cluster.folder}; Ctrl-C stops it", flush=True)
        signal.signal(signal.SIGTERM, signal.default_int_handler)
        try:
            signal.pause()
        except KeyboardInterrupt:
            print("stopping")
