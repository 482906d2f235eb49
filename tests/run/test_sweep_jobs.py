"""Resumed sweeps: finished jobs are kept, the others are resumed or started."""

import json
import shlex
import shutil
import signal
from pathlib import Path

import pandas as pd
import pytest

import csvision
from csvision.cli.main import main
from csvision.config.model_schema import MLPConfig
from csvision.errors import RunError
from csvision.run.directory import RunDirectory
from csvision.run.sweep_folder import is_sweep
from csvision.run.sweep_jobs import lock_sweep, read_sweep
from tests.cli.conftest import RunCommand
from tests.conftest import SMALL_MLP, SMALL_TRAINING, digits
from tests.run.interrupt import signaling_model
from tests.run.test_resume import file_contents, result_of

NAMES = ("0_seed=0", "1_seed=1", "2_seed=2")


@pytest.fixture(scope="module")
def finished_sweep(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Run a sweep of three jobs once for all tests; they must not change its files."""
    home = tmp_path_factory.mktemp("sweep")
    digits(300).to_csv(home / "digits.csv", index=False)
    overrides = (*SMALL_TRAINING, *SMALL_MLP, "data.cache=none", "epochs=2", "seed=0,1,2")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(home)
        patch.setenv("HYDRA_FULL_ERROR", "1")
        main(["train", "-m", *overrides])
    (sweep,) = (home / "outputs/sweeps").iterdir()
    return sweep


@pytest.fixture
def sweep(finished_sweep: Path, tmp_path: Path) -> Path:
    """Copy the sweep with one job finished, one interrupted, one not started."""
    sweep = Path(shutil.copytree(finished_sweep, tmp_path / "sweep"))
    shutil.rmtree(sweep / NAMES[2])
    RunDirectory(sweep / NAMES[1]).update_manifest(state="interrupted")
    return sweep


@pytest.mark.slow
def test_finished_jobs_are_kept_and_the_others_give_the_same_results(
    sweep: Path, finished_sweep: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert is_sweep(sweep)
    before = file_contents(sweep / NAMES[0])
    assert csvision.resume_sweep(sweep)
    assert file_contents(sweep / NAMES[0]) == before
    for name in NAMES:
        expected = result_of(RunDirectory(finished_sweep / name))
        assert result_of(RunDirectory(sweep / name)) == expected
    assert pd.read_csv(sweep / "sweep.csv")["state"].tolist() == ["finished"] * 3
    assert "over seeds" in capsys.readouterr().out


@pytest.mark.slow
def test_interrupted_sweep_shows_how_to_resume_all_of_it(
    digits_csv: Path, csvision_command: RunCommand
) -> None:
    overrides = (*SMALL_TRAINING, *signaling_model(5, signal.SIGINT), "seed=0,1")
    output = csvision_command("train", "-m", *overrides)
    assert output.code == 130
    (sweep,) = Path("outputs/sweeps").iterdir()
    (hint,) = [line for line in output.out.splitlines() if "resume" in line]
    words = shlex.split(hint)[-4:]
    assert words == ["csvision", "resume", f"run={sweep}", "model.path=net.py:Net"]
    assert csvision_command(*words[1:]).code == 0
    assert len([*sweep.glob("*/metrics.json")]) == 2


@pytest.mark.slow
def test_job_that_fails_again_is_reported(sweep: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (sweep / NAMES[2]).touch()
    assert not csvision.resume_sweep(sweep)
    assert "] job 2 failed in " in capsys.readouterr().out
    assert RunDirectory(sweep / NAMES[1]).read_manifest()["state"] == "finished"


@pytest.mark.slow
def test_sweep_cannot_be_resumed_as_a_run(sweep: Path) -> None:
    with pytest.raises(RunError, match=f"run={sweep} is a sweep; give the directory of one"):
        csvision.resume(sweep)


def edit_record(sweep: Path, old: str, new: str) -> None:
    """Replace a text in sweep.json."""
    file = sweep / "sweep.json"
    text = file.read_text(encoding="utf-8")
    assert old in text
    file.write_text(text.replace(old, new), encoding="utf-8")


def test_code_named_in_the_sweep_is_not_imported(sweep: Path) -> None:
    Path("evil.py").write_text("from pathlib import Path\nPath('executed').touch()\n", "utf-8")
    content = json.loads((sweep / "sweep.json").read_text(encoding="utf-8"))
    custom = {"name": "custom", "path": "evil.py:Net", "kwargs": {}}
    for job in content["jobs"]:
        job["config"]["model"] = custom
    (sweep / "sweep.json").write_text(json.dumps(content), encoding="utf-8")
    with pytest.raises(RunError, match=r"write model\.path=FILE\.py:CLASS"):
        csvision.resume_sweep(sweep)
    assert not Path("executed").exists()


def test_sweep_chooses_no_folder(sweep: Path) -> None:
    edit_record(sweep, '"cache": "none"', '"cache": "../elsewhere"')
    jobs = read_sweep(sweep, None)
    assert [job.config.data.cache for job in jobs] == [None] * 3
    assert [job.directory for job in jobs] == [sweep / name for name in NAMES]


@pytest.mark.slow
def test_sweep_of_an_earlier_version_has_the_same_jobs(sweep: Path) -> None:
    recorded = read_sweep(sweep, None)
    (sweep / "sweep.json").unlink()
    assert read_sweep(sweep, None) == recorded


@pytest.mark.slow
def test_damaged_jobs_are_set_aside_and_give_the_same_results(
    sweep: Path, finished_sweep: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (sweep / NAMES[0] / "run.json").write_text("", encoding="utf-8")
    for name in ("last.ckpt", "previous.ckpt"):
        (sweep / NAMES[1] / "checkpoints" / name).write_bytes(b"PK")
    assert csvision.resume_sweep(sweep)
    warnings = [message for message in caplog.messages if "starts again" in message]
    for number, (warning, file) in enumerate(zip(warnings, ("run.json", "last.ckpt"), strict=True)):
        assert warning.startswith(f"job {number} starts again: ")
        assert file in warning
        assert warning.endswith(f"moved to {sweep / 'damaged' / NAMES[number]}")
        assert (sweep / "damaged" / NAMES[number] / "train.log").exists()
    for name in NAMES:
        expected = result_of(RunDirectory(finished_sweep / name))
        assert result_of(RunDirectory(sweep / name)) == expected
    assert pd.read_csv(sweep / "sweep.csv")["state"].tolist() == ["finished"] * 3


def test_sweep_is_resumed_by_one_process_at_a_time(sweep: Path) -> None:
    before = file_contents(sweep)
    with lock_sweep(sweep), pytest.raises(RunError, match=f"{sweep} is running in another process"):
        csvision.resume_sweep(sweep)
    assert file_contents(sweep) == before


@pytest.mark.slow
def test_job_that_runs_elsewhere_fails_and_the_others_proceed(
    sweep: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with RunDirectory(sweep / NAMES[1]).lock():
        assert not csvision.resume_sweep(sweep)
    lines = capsys.readouterr().out.splitlines()
    (message,) = [line for line in lines if "] job 1 failed in " in line]
    assert "running in another process" in message
    assert RunDirectory(sweep / NAMES[2]).read_manifest()["state"] == "finished"


@pytest.mark.slow
def test_resume_needs_no_file_of_the_search_path(
    digits_csv: Path, csvision_command: RunCommand
) -> None:
    own = Path("own/model")
    own.mkdir(parents=True)
    (own / "tiny.yaml").write_text("defaults: [mlp, _self_]\nhidden: [4]\n", encoding="utf-8")
    Path("own/mine.yaml").write_text("defaults: [train, _self_]\nepochs: 1\n", encoding="utf-8")
    options = ("model=tiny", "seed=0,1", "--config-dir=own", "--config-name=mine")
    training = [word for word in SMALL_TRAINING if not word.startswith("epochs")]
    assert csvision_command("train", "-m", *training, *options).code == 0
    (sweep,) = Path("outputs/sweeps").iterdir()
    expected = result_of(RunDirectory(sweep / NAMES[1]))
    shutil.rmtree(own)
    shutil.rmtree(sweep / NAMES[1])
    assert csvision_command("resume", f"run={sweep}").code == 0
    assert result_of(RunDirectory(sweep / NAMES[1])) == expected
    config = RunDirectory(sweep / NAMES[1]).read_config()
    assert config.epochs == 1
    assert isinstance(config.model, MLPConfig)
    assert config.model.hidden == [4]


def test_jobs_know_whether_they_were_started_and_finished(sweep: Path) -> None:
    jobs = read_sweep(sweep, None)
    assert [job.started for job in jobs] == [True, True, False]
    assert [job.finished for job in jobs] == [True, False, False]


@pytest.mark.parametrize("content", ["", "[1]", "hydra: {sweeper: 3}", "a: [", "hydra: {}"])
def test_damaged_file_is_refused(content: str) -> None:
    Path("multirun.yaml").write_text(content, encoding="utf-8")
    with pytest.raises(RunError, match=r"multirun\.yaml is damaged"):
        csvision.resume_sweep(".")


def test_sweep_of_another_sweeper_is_refused() -> None:
    Path("multirun.yaml").write_text("hydra: {sweeper: {_target_: optuna}}", encoding="utf-8")
    with pytest.raises(RunError, match=r"multirun\.yaml: .*default sweeper"):
        csvision.resume_sweep(".")
