"""A cluster of Slurm with one node, this machine, without systemd; needs root.

`python tests/launch/slurm_cluster.py FOLDER` starts it and prints the line that a shell needs.
"""

import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

PROGRAMS = ("munged", "slurmctld", "slurmd", "sbatch")

CONFIG = """
ClusterName=test
SlurmctldHost=localhost(127.0.0.1)
SlurmctldPort={port}
SlurmdPort={node_port}
SlurmUser=root
AuthType=auth/munge
AuthInfo=socket={folder}/munge.socket,cred_expire=4
CredType=cred/munge
ProctrackType=proctrack/pgid
TaskPlugin=task/none
AccountingStorageType=accounting_storage/none
JobAcctGatherType=jobacct_gather/none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core
StateSaveLocation={folder}/state
SlurmdSpoolDir={folder}/spool
SlurmctldPidFile={folder}/slurmctld.pid
SlurmdPidFile={folder}/slurmd.pid
SlurmctldLogFile={folder}/slurmctld.log
SlurmdLogFile={folder}/slurmd.log
SchedulerParameters=sched_interval=2,sched_min_interval=0,defer_batch
SlurmctldParameters=idle_on_node_suspend
SwitchType=switch/none
MpiDefault=none
ReturnToService=2
MinJobAge=10
KillWait=10
NodeName=localhost NodeAddr=127.0.0.1 NodeHostname={host} CPUs=2 State=UNKNOWN
PartitionName=test Nodes=localhost Default=YES MaxTime=INFINITE State=UP
"""


def missing_programs() -> list[str]:
    """Return the programs of Slurm that are not installed."""
    path = os.environ["PATH"] + ":/usr/sbin"
    return [name for name in PROGRAMS if shutil.which(name, path=path) is None]


def free_port() -> int:
    """Return a free port."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def slurm_cluster(folder: Path) -> Iterator[Path]:
    """Start a cluster with its files in `folder`; yield the value of SLURM_CONF."""
    processes = start_cluster(folder)
    try:
        yield folder / "slurm.conf"
    finally:
        for process in reversed(processes):
            process.terminate()
        for process in processes:
            process.wait(timeout=30)


def start_cluster(folder: Path) -> "list[subprocess.Popen[bytes]]":
    """Start munged, slurmctld and slurmd; return their processes when a job can be submitted."""
    (folder / "state").mkdir(parents=True)
    (folder / "spool").mkdir()
    config = folder / "slurm.conf"
    names = {"folder": folder, "host": socket.gethostname().partition(".")[0]}
    ports = {"port": free_port(), "node_port": free_port()}
    config.write_text(CONFIG.format(**names, **ports), encoding="utf-8")
    environment = os.environ | {
        "SLURM_CONF": str(config),
        "PATH": os.environ["PATH"] + ":/usr/sbin",
    }
    for variable in ("http_proxy", "https_proxy"):
        environment.pop(variable, None)
    key = folder / "munge.key"
    key.write_bytes(os.urandom(128))
    key.chmod(0o400)
    folder.chmod(0o755)
    munge = ["--foreground", f"--socket={folder}/munge.socket", f"--key-file={key}"]
    files = [f"--pid-file={folder}/munged.pid", f"--seed-file={folder}/munge.seed"]
    commands = (
        ["munged", *munge, *files, f"--log-file={folder}/munged.log", "--force"],
        ["slurmctld", "-D"],
        ["slurmd", "-D", "-N", "localhost"],
    )
    processes = []
    for command in commands:
        with (folder / f"{command[0]}.out").open("wb") as log:
            processes.append(
                subprocess.Popen(command, env=environment, stdout=log, stderr=subprocess.STDOUT)
            )
        time.sleep(0.5)
    wait_until_idle(environment, folder)
    return processes


def wait_until_idle(environment: dict[str, str], folder: Path) -> None:
    """Wait until the node accepts jobs."""
    end = time.monotonic() + 60
    while time.monotonic() < end:
        command = ["sinfo", "--noheader", "--format=%T"]
        state = subprocess.run(
            command, env=environment, capture_output=True, text=True, check=False
        )
        if state.stdout.strip() == "idle":
            return
        time.sleep(0.2)
    logs = "\n".join(path.read_text("utf-8") for path in sorted(folder.glob("*.log")))
    raise RuntimeError(f"the cluster did not start: {state.stdout}{state.stderr}\n{logs}")


if __name__ == "__main__":
    start_cluster(Path(sys.argv[1]).absolute())
    print(f"export SLURM_CONF={Path(sys.argv[1]).absolute() / 'slurm.conf'}")
