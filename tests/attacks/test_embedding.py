"""csvision inside other programs: threads, processes, a notebook and another Hydra program."""

import gc
import json
import logging
import multiprocessing
import os
import random
import signal
import subprocess
import sys
import threading
import warnings
from pathlib import Path
from typing import Any

import matplotlib
import nbformat
import numpy as np
import pytest
import torch
from hydra.core.global_hydra import GlobalHydra
from matplotlib import pyplot
from nbclient import NotebookClient

import csvision
from csvision.run.directory import RunDirectory
from tests.conftest import SMALL_MLP, SMALL_TRAINING

SMALL = (*SMALL_TRAINING, *SMALL_MLP, "epochs=1", "model.dropout=0.1")

pytestmark = pytest.mark.usefixtures("digits_csv")


def train(seed: int = 0, *overrides: str) -> str:
    """Train; return the hash of the weights."""
    run = csvision.train(*SMALL, f"seed={seed}", *overrides)
    return str(RunDirectory(run.directory).read_manifest()["weights_sha256"])


def caller_state() -> dict[str, Any]:
    """Return what a caller of csvision has set, or shares with it."""
    loggers = [logging.root, *logging.root.manager.loggerDict.values()]
    return {
        "random": random.getstate(),
        "numpy": str(np.random.get_state()),
        "torch": torch.get_rng_state().tolist(),
        "threads of torch": torch.get_num_threads(),
        "dtype": torch.get_default_dtype(),
        "gradients": torch.is_grad_enabled(),
        "deterministic": torch.are_deterministic_algorithms_enabled(),
        "signals": {number: signal.getsignal(number) for number in signal.valid_signals()},
        "cwd": Path.cwd(),
        "environment": dict(os.environ),
        "warnings": (list(warnings.filters), warnings.showwarning, warnings.formatwarning),
        "logging": [
            (logger.name, logger.level, logger.propagate, logger.disabled, list(logger.handlers))
            for logger in loggers
            if isinstance(logger, logging.Logger)
        ],
        "matplotlib": {**matplotlib.rcParams},
        "figures": pyplot.get_fignums(),
        "hooks": (sys.excepthook, threading.excepthook, sys.unraisablehook, sys.displayhook),
        "hydra": GlobalHydra.instance().hydra,
        "python": (list(sys.path), list(sys.argv), sys.stdout, sys.stderr),
        "threads": threading.active_count(),
        "open files": len([*Path("/proc/self/fd").iterdir()]),
    }


def set_unusual_state() -> None:
    """Set what csvision might set back to a default."""
    random.seed(7)
    np.random.seed(7)
    torch.manual_seed(7)
    matplotlib.rcParams["lines.linewidth"] = 7.0
    warnings.simplefilter("error", UserWarning)
    logging.getLogger("csvision").setLevel(logging.ERROR)
    pyplot.figure()


@pytest.mark.parametrize("failing", [False, True])
def test_state_of_the_caller_is_unchanged(failing: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    everything = ("logger=tensorboard", "quiet=false")
    train(0, *everything)
    monkeypatch.setenv("PL_TRAINER_MAX_STEPS", "1")
    with warnings.catch_warnings(), matplotlib.rc_context():
        set_unusual_state()
        gc.collect()
        before = caller_state()
        if failing:
            with pytest.raises(csvision.DivergedError):
                train(0, *everything, "optimizer=sgd", "optimizer.lr=1e30")
        else:
            run = csvision.train(*SMALL, *everything).directory
            csvision.load(run)
            csvision.evaluate(run)
            csvision.predict(run, "digits.csv")
            csvision.reproduce(run)
        gc.collect()
        after = caller_state()
        pyplot.close()
    logging.getLogger("csvision").setLevel(logging.NOTSET)
    for name, value in before.items():
        assert after[name] == value, name


def test_variables_of_lightning_do_not_change_a_run(monkeypatch: pytest.MonkeyPatch) -> None:
    expected = train()
    for name, value in {"MAX_STEPS": "1", "LIMIT_TRAIN_BATCHES": "1", "PRECISION": "64"}.items():
        monkeypatch.setenv(f"PL_TRAINER_{name}", value)
    monkeypatch.setenv("PL_GLOBAL_SEED", "junk")
    assert train() == expected


def test_training_in_a_thread_gives_the_same_weights() -> None:
    expected = [train(seed) for seed in range(3)]
    found: dict[int, str] = {}
    threads = [
        threading.Thread(target=lambda seed=seed: found.update({seed: train(seed)}))
        for seed in range(3)
    ]
    before = list(logging.getLogger("csvision").handlers)
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(120)
    assert [found[seed] for seed in range(3)] == expected
    assert logging.getLogger("csvision").handlers == before


def test_data_are_read_and_configs_composed_in_several_threads() -> None:
    results: list[tuple[int, str]] = []

    def read(seed: int) -> None:
        config = csvision.load_config("train", [*SMALL, f"seed={seed}"])
        results.append((config.seed, csvision.read_table("digits.csv").sha256))

    threads = [threading.Thread(target=read, args=(seed,)) for seed in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(120)
    assert sorted(seed for seed, _ in results) == [*range(8)]
    assert len({sha256 for _, sha256 in results}) == 1


POOL = """
import multiprocessing, os, sys
import csvision

def train(seed):
    run = csvision.train(*sys.argv[3:], f"seed={seed}", "accelerator.num_threads=2")
    return run.metrics["test/loss"]

def main():
    method, use_before = sys.argv[1:3]
    if use_before == "used":
        print(train(0))
    with multiprocessing.get_context(method).Pool(2) as pool:
        try:
            print(*pool.map(train, [0, 1]))
        except csvision.UserError as error:
            print(type(error).__name__, error)
        pool.close()
        pool.join()

if __name__ == "__main__":
    main()
"""
"""Trains in two processes of a pool, after having trained in this one if asked to."""


def run_program(code: str, *arguments: str) -> list[str]:
    """Run a program, which must print no error and end in time; return the lines of its output."""
    Path("program.py").write_text(code, encoding="utf-8")
    # Threads do not survive a fork only where there are several.
    environment = {name: os.environ[name] for name in os.environ if name != "OMP_NUM_THREADS"}
    ended = subprocess.run(
        [sys.executable, "program.py", *arguments],
        env=environment,
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert (ended.returncode, ended.stderr) == (0, "")
    return ended.stdout.splitlines()


@pytest.mark.slow
class TestPool:
    @pytest.mark.parametrize(
        ("method", "use_before"),
        [
            ("spawn", "used"),
            ("fork", "unused"),
            pytest.param("forkserver", "used", marks=pytest.mark.thorough),
        ],
    )
    def test_trains_in_each_process(self, method: str, use_before: str) -> None:
        expected = [
            csvision.train(*SMALL, f"seed={seed}", "accelerator.num_threads=2").metrics["test/loss"]
            for seed in (0, 1)
        ]
        *_, line = run_program(POOL, method, use_before, *SMALL)
        assert [float(word) for word in line.split()] == expected

    @pytest.mark.parametrize(
        "cache", [pytest.param("data.cache=none", marks=pytest.mark.thorough), "data.cache=null"]
    )
    def test_forked_after_use_is_refused_in_one_line(self, cache: str) -> None:
        _, line = run_program(POOL, "fork", "used", *SMALL, cache)
        assert line.startswith("RunError process ")
        assert "was forked after csvision was used" in line
        assert "get_context('spawn')" in line


def train_in_child(results: Any) -> None:
    """Train; report an error, as it would end the process with a traceback."""
    try:
        results.put(train())
    except csvision.UserError as error:
        results.put(str(error))


def test_fork_of_a_process_that_has_trained_does_not_wait_forever() -> None:
    train()
    context = multiprocessing.get_context("fork")
    results = context.Queue()
    process = context.Process(target=train_in_child, args=(results,))
    process.start()
    try:
        assert "was forked after csvision was used" in results.get(timeout=60)
        process.join(60)
        assert process.exitcode == 0
    finally:
        process.kill()


CELLS = (
    """
import csvision, torch
overrides = ["data=csv", "data.csv=digits.csv", "model=mlp", "model.hidden=[16]", "epochs=2",
             "accelerator=cpu", "accelerator.num_threads=1"]
first = csvision.train(*overrides)
""",
    "second = csvision.train(*overrides, 'quiet=true')",
    """
table = csvision.read_table("digits.csv")
images = torch.from_numpy(table.images[:5])
probabilities = [csvision.load(run.directory).predict_proba(images) for run in (first, second)]
print(torch.equal(*probabilities), probabilities[0].shape == (5, 10))
""",
    "csvision.evaluate(first.directory).metrics",
    "len(csvision.predict(first.directory, 'digits.csv'))",
    "csvision.train(*overrides, 'epochs=0')",
)


@pytest.mark.slow
def test_notebook_has_readable_output_and_equal_weights(working_folder: Path) -> None:
    notebook = nbformat.v4.new_notebook(cells=[*map(nbformat.v4.new_code_cell, CELLS)])
    client = NotebookClient(
        notebook,
        timeout=300,
        allow_errors=True,
        resources={"metadata": {"path": str(working_folder)}},
    )
    client.execute()
    outputs = [cell.outputs for cell in notebook.cells]
    errors = [output.ename for cell in outputs for output in cell if output.output_type == "error"]
    assert errors == ["ConfigError"]
    assert outputs[-1][0].output_type == "error"
    streams = [[output for output in cell if output.output_type == "stream"] for cell in outputs]
    assert {stream.name for cell in streams for stream in cell} == {"stdout"}
    first, second, third, *_ = ["".join(stream.text for stream in cell) for cell in streams]
    epochs = [line[:9] for line in first.splitlines() if line.startswith("epoch")]
    assert epochs == ["epoch 1/2", "epoch 2/2"]
    assert "\r" not in first
    assert second == ""
    assert third == "True True\n"
    hashes = {json.loads(path.read_text())["weights_sha256"] for path in Path().rglob("run.json")}
    assert len(hashes) == 1


HYDRA_PROGRAM = """
import logging
import os
from pathlib import Path
import hydra
from hydra.core.hydra_config import HydraConfig
import csvision

log = logging.getLogger("outer")

@hydra.main(config_path=".", config_name="outer", version_base="1.3")
def main(config):
    before = config.copy(), os.getcwd(), HydraConfig.get().runtime.output_dir
    handlers = list(logging.root.handlers)
    log.info("message before")
    losses = {csvision.train(*config.overrides, f"seed={config.seed}").metrics["test/loss"]
              for _ in range(2)}
    log.info("message after")
    assert (config, os.getcwd(), HydraConfig.get().runtime.output_dir) == before
    assert logging.root.handlers == handlers
    assert HydraConfig.get().job.name == "program"
    print(config.seed, *losses)

main()
"""


@pytest.mark.slow
def test_another_hydra_program_keeps_config_logging_and_folder(working_folder: Path) -> None:
    text = "seed: 0\noverrides: []\nhydra:\n  job:\n    chdir: true\n"
    Path("outer.yaml").write_text(text, encoding="utf-8")
    data = f"data.csv={working_folder / 'digits.csv'}"
    overrides = ",".join(f"'{override}'" for override in (*SMALL, data))
    lines = run_program(HYDRA_PROGRAM, "-m", f"overrides=[{overrides}]", "seed=0,1")
    results = [line.split() for line in lines if line[:2] in ("0 ", "1 ")]
    expected = [str(csvision.train(*SMALL, f"seed={s}").metrics["test/loss"]) for s in (0, 1)]
    assert results == [["0", expected[0]], ["1", expected[1]]]
    logs = sorted(working_folder.glob("multirun/**/program.log"))
    assert len(logs) == 2
    for path in logs:
        lines = path.read_text(encoding="utf-8").splitlines()
        outer = [line.rpartition(" - ")[2] for line in lines if "[outer]" in line]
        assert outer == ["message before", "message after"]
        assert not any("[csvision]" in line for line in lines)
        assert len(list(path.parent.glob("outputs/runs/*/run.json"))) == 2
