"""One run over two processes that a launcher of the user's has started: torchrun, or Slurm tasks.

Each way stands for two nodes with one process each.
"""

import os
import socket
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest

import csvision
from csvision.run.directory import RunDirectory
from tests.conftest import ROOT, digits
from tests.launch.test_clusters import slurm as slurm
from tests.run.test_ddp import COMMON, MLP, TEST_ROWS, TWO_PROCESSES

pytestmark = [pytest.mark.slow, pytest.mark.thorough]

TRAIN = (str(ROOT / "scripts" / "train.py"), *COMMON, *MLP, *TWO_PROCESSES)


@pytest.fixture
def home(tmp_path: Path) -> Path:
    digits(300).to_csv(tmp_path / "digits.csv", index=False)
    return tmp_path


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def check_run(home: Path) -> None:
    """Check that there is one run, that each test row was predicted once, and with what result."""
    (path,) = (home / "outputs" / "runs").iterdir()
    run = RunDirectory(path)
    assert run.read_manifest()["state"] == "finished"
    table = pd.read_csv(path / "predictions.csv")
    assert len(table) == TEST_ROWS
    evaluated = csvision.evaluate(path, "quiet=true")
    assert evaluated.subset.indices.tolist() == table["row"].tolist()
    metrics = pd.read_json(run.metrics, typ="series")
    for name, value in evaluated.metrics.items():
        assert value == pytest.approx(metrics[name], abs=1e-6)


def test_torchrun_on_two_nodes(home: Path) -> None:
    rendezvous = ("--nnodes=2", "--nproc-per-node=1", "--master-addr=127.0.0.1")
    torchrun = [sys.executable, "-m", "torch.distributed.run", *rendezvous]
    port = f"--master-port={free_port()}"
    nodes = [
        subprocess.Popen(
            [*torchrun, port, f"--node-rank={rank}", *TRAIN],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        for rank in (0, 1)
    ]
    outputs = [node.communicate(timeout=300)[0] for node in nodes]
    assert [node.returncode for node in nodes] == [0, 0], outputs
    check_run(home)


def test_two_tasks_of_slurm(home: Path, slurm: None) -> None:
    command = ["srun", "--ntasks=2", "--ntasks-per-node=2", sys.executable, *TRAIN]
    environment = os.environ | {"OMP_NUM_THREADS": "1"}
    ended = subprocess.run(
        command, env=environment, capture_output=True, text=True, timeout=300, check=False
    )
    assert ended.returncode == 0, ended.stdout + ended.stderr
    assert ended.stdout.count("epoch 3/3") == 1
    check_run(home)
