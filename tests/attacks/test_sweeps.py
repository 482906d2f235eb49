"""Sweeps: what is typed, what interrupts them, what damages them, and how they are resumed."""

import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest

from tests.attacks.attack import Attack, Result, attack_parameters, run_attack
from tests.attacks.runs import train_run

SWEEP = "csvision $TRAIN -m seed=0,1"
IN_S = "hydra.sweep.dir=s"


def own_files(folder: Path) -> None:
    """Write a group choice, a main file and an experiment of the user's own into own/."""
    for name, text in {
        "model/tiny.yaml": "defaults: [mlp, _self_]\nhidden: [4]\n",
        "mine.yaml": "defaults: [train, _self_]\nbatch_size: 20\n",
        "experiment/seeds.yaml": (
            "# @package _global_\nhydra: {mode: MULTIRUN, sweeper: {params: {seed: '0,1,2'}}}\n"
        ),
    }.items():
        file = folder / "own" / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")


def refused(name: str, command: str, *says: str, thorough: bool = False) -> Attack:
    """Return an attack that is refused in lines with these words; no job starts."""
    return Attack(name, command, 2, ("error: ", *says), prepare=own_files, thorough=thorough)


REFUSED = (
    refused("interval", f"{SWEEP} 'optimizer.lr=interval(0.001,0.1)'", "choice(", "optuna"),
    refused("empty range", f"{SWEEP} 'epochs=range(5,5)'", "epochs=range(5,5): ", thorough=True),
    refused(
        "endless range",
        f"{SWEEP} 'optimizer.lr=range(0,1,0.0)'",
        "optimizer.lr=range",
        thorough=True,
    ),
    refused(
        "a billion jobs", f"{SWEEP} 'epochs=range(1000000000)'", "over 10000 jobs", thorough=True
    ),
    refused(
        "glob without a match",
        f"{SWEEP} 'optimizer=glob(x*)'",
        "optimizer=glob(x*): ",
        thorough=True,
    ),
    refused("folders of outputs", f"{SWEEP} output_dir=a,b", "job 0", "job 1", "output_dir"),
    refused(
        "one directory",
        f"{SWEEP} hydra.sweep.subdir=x",
        "hydra.sweep.subdir=x: two jobs",
        thorough=True,
    ),
    refused(
        "directory outside", f"{SWEEP} 'hydra.sweep.subdir=../${{hydra.job.num}}'", "subdir=../0: "
    ),
    refused("no search path", f"{SWEEP} --config-dir=nothing", "nothing' not found"),
    refused(
        "no choice in the search path",
        f"{SWEEP} model=none hydra.searchpath=[own]",
        "model=none: unknown choice; choose from cnn, custom, mlp, tiny",
    ),
    refused(
        "no worker",
        f"{SWEEP} hydra/launcher=joblib hydra.launcher.n_jobs=0",
        "n_jobs=0: ",
        thorough=True,
    ),
    refused("used folder", f"mkdir s; touch s/multirun.yaml; {SWEEP} {IN_S}", "already contains"),
    refused(
        "running folder",
        f"mkdir s; flock s/.lock {SWEEP} {IN_S}",
        "s is running in another process",
    ),
    refused("resume nothing", "csvision resume run=s", "run=s: this folder does not exist"),
    refused(
        "resume a running sweep",
        "mkdir s; touch s/multirun.yaml; flock s/.lock csvision resume run=s",
        "run=s is running in another process",
    ),
    refused(
        "resume without a record",
        "mkdir s; echo '{' >s/sweep.json; csvision resume run=s",
        "s/sweep.json is damaged: ",
    ),
    refused(
        "record of another folder",
        'mkdir s; echo \'{"jobs": [{"directory": "/x", "overrides": []}]}\' >s/sweep.json;'
        " csvision resume run=s",
        "s/sweep.json is damaged: directory is /x",
    ),
)


@attack_parameters(*REFUSED)
def test_sweep_is_refused(attack: Attack, attacked_folder: Path) -> None:
    run_attack(attack, attacked_folder)


def states(result: Result) -> list[str]:
    """Return the state of each run, in the order of their directories."""
    return [json.loads(path.read_text(encoding="utf-8"))["state"] for path in result.manifests]


def has_finished(number: int) -> Callable[[Result], None]:
    """Return a check that there are this many jobs and all of them have finished."""

    def check(result: Result) -> None:
        assert states(result) == ["finished"] * number

    return check


def accepted(name: str, command: str, jobs: int) -> Attack:
    """Return an attack that trains a number of jobs."""
    checks = (has_finished(jobs),)
    return Attack(name, command, 0, prepare=own_files, checks=checks, thorough=True)


ACCEPTED = (
    accepted("--config-dir", "csvision $TRAIN -m model=tiny,mlp --config-dir=own", 2),
    accepted("hydra.searchpath", "csvision $TRAIN -m model=tiny,mlp hydra.searchpath=[own]", 2),
    accepted("--config-name", f"{SWEEP} --config-dir=own --config-name=mine", 2),
    accepted("hydra.mode", "csvision $TRAIN experiment=seeds --config-dir=own", 3),
    accepted("glob", "csvision $TRAIN -m 'optimizer=glob(*)'", 3),
    accepted("nested directories", f"{SWEEP} 'hydra.sweep.subdir=a/${{hydra:job.num}}'", 2),
    accepted("without console", f"{SWEEP} >&- 2>&-", 2),
    accepted("into a closed pipe", f"({SWEEP}) | true", 2),
    accepted("joblib", f"{SWEEP} hydra/launcher=joblib", 2),
    accepted("joblib without console", f"{SWEEP} hydra/launcher=joblib >&- 2>&-", 2),
    accepted("joblib into a closed pipe", f"({SWEEP} hydra/launcher=joblib) | true", 2),
    accepted("joblib with one worker", f"{SWEEP} hydra/launcher=joblib hydra.launcher.n_jobs=1", 2),
)


@attack_parameters(*ACCEPTED)
def test_sweep_trains(attack: Attack, attacked_folder: Path) -> None:
    run_attack(attack, attacked_folder)


LONG = f"csvision $TRAIN -m seed=0,1,2 epochs=100000 checkpoint_interval_seconds=1000 {IN_S}"
PARALLEL = f"{LONG} launcher.n_jobs=2"
JOBLIB = f"{LONG} hydra/launcher=joblib hydra.launcher.n_jobs=2"
SERIAL = f"{LONG} launcher=serial"
TRAINING = (
    "until [ $(ls s/*/checkpoints/last.ckpt 2>/dev/null | wc -l) -ge $jobs ]; do sleep 0.1; done"
)
GROUP, MAIN = "-$pid", "$pid"
WORKER = "$(pgrep -P $pid -f LokyProcess-1)"
RESUME = "csvision resume run=s"


def stopped(
    name: str,
    signal: str,
    code: int,
    target: str,
    start: str = PARALLEL,
    when: str = TRAINING,
    thorough: bool = True,
    check: Callable[[Result], None] | None = None,
) -> Attack:
    """Return an attack that sends a signal to a sweep, which `set -m` makes a process group."""
    jobs = 1 if start == SERIAL else 2
    command = (
        f"set -m; jobs={jobs}; {start} & pid=$!; {when}; kill -{signal} {target};"
        " wait $pid; code=$?; sleep 1; exit $code"
    )
    checks = (check_no_process, *([check] if check else []))
    return Attack(name, command, code, (RESUME,), checks=checks, thorough=thorough)


def check_no_process(result: Result) -> None:
    """Check that no process of the sweep is left in its folder, and that one line was printed."""
    processes = psutil.process_iter(["pid", "cwd"])
    left = [process.info for process in processes if process.info["cwd"] == str(result.folder)]
    # The current directory of the test is the folder, too.
    assert [info["pid"] for info in left] == [os.getpid()]
    assert result.text.count(RESUME) == 1, result.text


def check_saved(result: Result) -> None:
    """Check that all jobs that have started were saved."""
    assert set(states(result)) == {"interrupted"}
    assert not (result.folder / "s/.stop").exists()


STOPPED = (
    stopped("Ctrl-C", "INT", 130, GROUP, thorough=False, check=check_saved),
    stopped("request to end", "TERM", 143, MAIN, check=check_saved),
    stopped("request to all processes to end", "TERM", 143, GROUP, check=check_saved),
    stopped("terminal is closed", "HUP", 129, GROUP, check=check_saved),
    stopped("time limit of Slurm", "USR1", 138, GROUP, check=check_saved),
    stopped("main process is killed", "KILL", 137, MAIN, check=check_saved),
    stopped("Ctrl-C with joblib", "INT", 130, GROUP, start=JOBLIB, check=check_saved),
    stopped("joblib is killed", "KILL", 137, MAIN, start=JOBLIB, check=check_saved),
    stopped("worker of joblib is killed", "KILL", 1, WORKER, start=JOBLIB),
    stopped("sweep in one process", "INT", 130, GROUP, start=SERIAL, check=check_saved),
    *(
        stopped(
            f"Ctrl-C after {seconds} s",
            "INT",
            130,
            GROUP,
            when=f"until [ -e s/sweep.json ]; do sleep 0.1; done; sleep {seconds}",
        )
        for seconds in (0, 0.5, 1, 2, 4)
    ),
)


@attack_parameters(*STOPPED)
def test_stopped_sweep_can_be_resumed(attack: Attack, attacked_folder: Path) -> None:
    run_attack(attack, attacked_folder)
    if not attack.thorough:
        return
    resume = (
        f"{RESUME} launcher=serial >log & pid=$!; until grep -q '^job 0' log; do sleep 0.1; done;"
        " sleep 1; kill -TERM $pid; wait $pid; code=$?; cat log; exit $code"
    )
    resumed = run_attack(Attack("resume", resume, 143, (RESUME,)), attacked_folder)
    assert "interrupted" in states(resumed)


@pytest.mark.thorough
def test_damaged_jobs_start_again(attacked_folder: Path) -> None:
    command = f"csvision $TRAIN -m seed=0,1,2,3 {IN_S}"
    whole = run_attack(Attack("sweep", command, 0), attacked_folder)
    hashes = weights(whole)
    for name in ("0_seed=0", "1_seed=1"):
        (attacked_folder / "s" / name / "run.json").write_bytes(b"")
    (attacked_folder / "s/2_seed=2/run.json").unlink()
    shutil.rmtree(attacked_folder / "s/3_seed=3")
    says = [f"job {number} starts again: s/{number}_seed={number}" for number in range(3)]
    resumed = run_attack(Attack("resume", RESUME, 0, tuple(says)), attacked_folder)
    assert sorted(path.name for path in (attacked_folder / "s/damaged").iterdir()) == [
        f"{number}_seed={number}" for number in range(3)
    ]
    shutil.rmtree(attacked_folder / "s/damaged")
    assert weights(resumed) == hashes


def weights(result: Result) -> list[str]:
    """Return the hash of the weights of each run."""
    contents = [json.loads(path.read_text(encoding="utf-8")) for path in result.manifests]
    return [content["weights_sha256"] for content in contents]


@pytest.mark.thorough
def test_parallel_jobs_have_the_weights_of_single_runs(attacked_folder: Path) -> None:
    command = f"{SWEEP} {IN_S} hydra/launcher=joblib"
    parallel = run_attack(Attack("parallel", command, 0), attacked_folder)
    singles = [train_run(attacked_folder, f"seed={seed}") for seed in (0, 1)]
    for manifest, single in zip(parallel.manifests[-2:], singles, strict=True):
        expected = json.loads((single / "run.json").read_text(encoding="utf-8"))
        content = json.loads(manifest.read_text(encoding="utf-8"))
        assert content["weights_sha256"] == expected["weights_sha256"]
