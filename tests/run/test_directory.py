"""RunDirectory: created once, never overwritten, and its manifest run.json."""

import multiprocessing
import re
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path

import pytest
from omegaconf import OmegaConf

from csvision.config import schema
from csvision.config.compose import conf_dir, load_config
from csvision.config.schema import CheckpointName
from csvision.config.serialize import config_to_dict
from csvision.errors import DivergedError, RunError
from csvision.files import timestamp, write_json
from csvision.run.directory import RunDirectory, default_run_dir, with_absolute_paths


def load(*overrides: str) -> schema.TrainConfig:
    config: schema.TrainConfig = load_config("train", overrides)
    return config


HASH = "0" * 64
METADATA = {
    "data": {
        "image_shape": [1, 8, 8],
        "label_values": [0, 1],
        "classes": ["a", "b"],
        "rows": {"train": 3, "val": 0, "test": 1},
        "sha256": HASH,
        "test_sha256": HASH,
        "split_sha256": HASH,
    },
    "code": {},
    "versions": {},
    "accelerator": "cpu",
    "threads": 1,
}
"""What run.json has when the training has started."""

RESULTS = {"weights_sha256": HASH, "predictions_sha256": HASH}


def written_files(run: RunDirectory) -> list[str]:
    """Return the names of the files in a run directory, except its lock."""
    return [path.name for path in run.path.iterdir() if path.is_file() and path.name != ".lock"]


@pytest.fixture
def run(tmp_path: Path) -> RunDirectory:
    return RunDirectory.create(tmp_path / "run", load(), ["seed=1"])


class TestName:
    @pytest.mark.slow
    def test_is_that_of_hydra(self) -> None:
        path = default_run_dir(load("model=mlp", "seed=7", "output_dir=my results"))
        time = r"\d{4}-\d\d-\d\d_\d\d-\d\d-\d\d\.\d{6}"
        assert path.parent == Path("my results/runs").absolute()
        assert re.fullmatch(rf"{time}_mlp_seed7", path.name)
        text = (conf_dir() / "train.yaml").read_text(encoding="utf-8")
        name = "${now:%Y-%m-%d_%H-%M-%S.%f}_${model.name}_seed${seed}"
        assert f"dir: ${{output_dir}}/runs/{name}" in text

    def test_differs_between_runs_of_one_second(self) -> None:
        names = [timestamp() for _ in range(100)]
        assert names == sorted(names)
        assert len(set(names)) > 50


class TestCreate:
    def test_records_config_and_overrides(self, run: RunDirectory) -> None:
        manifest = run.read_manifest()
        assert manifest["state"] == "running"
        assert manifest["overrides"] == ["seed=1"]
        assert manifest["config"] == config_to_dict(load())

    def test_records_absolute_paths_of_data_files(self, tmp_path: Path) -> None:
        config = load("data=csv", "data.csv=my.csv", "data.test_csv=/tmp/test.csv")
        run = RunDirectory.create(tmp_path / "run", config, [])
        data = run.read_config().data
        assert (data.csv, data.test_csv) == (str(tmp_path / "my.csv"), "/tmp/test.csv")

    def test_existing_run_is_refused_and_unchanged(self, run: RunDirectory) -> None:
        before = run.manifest.read_bytes()
        with pytest.raises(RunError, match="run already contains a run; choose another directory"):
            RunDirectory.create(run.path, load("seed=5"), [])
        assert run.manifest.read_bytes() == before

    def test_succeeds_for_one_of_several_concurrent_attempts(self, tmp_path: Path) -> None:
        config = load()

        def attempt(number: int) -> int | None:
            try:
                RunDirectory.create(tmp_path / "run", config, [f"seed={number}"])
            except RunError:
                return None
            return number

        with ThreadPoolExecutor(8) as threads:
            winners = [number for number in threads.map(attempt, range(8)) if number is not None]
        assert len(winners) == 1
        manifest = RunDirectory(tmp_path / "run").read_manifest()
        assert manifest["overrides"] == [f"seed={winners[0]}"]

    def test_files_of_hydra_are_kept(self, tmp_path: Path) -> None:
        hydra_config = tmp_path / "run" / ".hydra" / "config.yaml"
        hydra_config.parent.mkdir(parents=True)
        hydra_config.write_text("written: by hydra", encoding="utf-8")
        RunDirectory.create(tmp_path / "run", load(), [])
        assert hydra_config.read_text(encoding="utf-8") == "written: by hydra"

    def test_files_of_hydra_are_written_for_a_run_from_python(self, run: RunDirectory) -> None:
        folder = run.path / ".hydra"
        assert OmegaConf.load(folder / "config.yaml") == config_to_dict(load())
        assert OmegaConf.load(folder / "overrides.yaml") == ["seed=1"]

    def test_folder_below_a_file_is_refused(self, tmp_path: Path) -> None:
        (tmp_path / "file").touch()
        with pytest.raises(RunError, match=r"file/run cannot be written: .* output_dir"):
            RunDirectory.create(tmp_path / "file" / "run", load(), [])


class TestReopen:
    @pytest.mark.parametrize("state", ["running", "failed", "interrupted"])
    def test_unfinished_run_is_opened(self, state: str, run: RunDirectory) -> None:
        run.update_manifest(state=state)
        assert RunDirectory.reopen(run.path).path == run.path

    def test_finished_run_is_refused(self, run: RunDirectory) -> None:
        run.update_manifest(**METADATA, **RESULTS, state="finished")
        with pytest.raises(RunError, match=f"run={run.path} is finished"):
            RunDirectory.reopen(run.path)


class TestManifest:
    def test_update_adds_entries_and_keeps_the_others(self, run: RunDirectory) -> None:
        before = run.read_manifest()
        run.update_manifest(**METADATA)
        assert run.read_manifest() == before | METADATA

    def test_is_complete_whenever_it_is_read(self, run: RunDirectory) -> None:
        def write() -> None:
            for number in range(200):
                run.update_manifest(number=number)

        with ThreadPoolExecutor(1) as threads:
            written = threads.submit(write)
            while not written.done():
                assert run.read_manifest()["state"] == "running"
        written.result()
        assert written_files(run) == ["run.json"]

    def test_is_unchanged_if_new_content_cannot_be_written(self, run: RunDirectory) -> None:
        before = run.manifest.read_bytes()
        with pytest.raises(TypeError):
            write_json(run.manifest, {"valid": 1, "invalid": object()})
        assert run.manifest.read_bytes() == before
        assert written_files(run) == ["run.json"]

    def test_config_is_read_as_it_was_written(self, tmp_path: Path) -> None:
        config = load("model=mlp", "model.hidden=[3,2]", "optimizer=sgd", "scheduler=step")
        run = RunDirectory.create(tmp_path / "run", config, [])
        assert run.read_config() == with_absolute_paths(config)

    @pytest.mark.slow
    def test_cache_folder_in_the_manifest_is_ignored(self, tmp_path: Path) -> None:
        for number, (cache, expected) in enumerate([("../elsewhere", None), ("none", "none")]):
            config = load(f"data.cache={cache}")
            run = RunDirectory.create(tmp_path / str(number), config, [])
            assert run.read_config().data.cache == expected

    def test_missing_folder_is_reported(self, tmp_path: Path) -> None:
        with pytest.raises(RunError, match=f"run={tmp_path}/run: this folder does not exist"):
            RunDirectory(tmp_path / "run").read_manifest()

    def test_file_in_a_run_directory_is_reported_with_the_folder(self, run: RunDirectory) -> None:
        with pytest.raises(RunError, match=rf"run.json is a file; write run={run.path}$"):
            RunDirectory(run.manifest).read_manifest()

    def test_other_folder_is_reported(self, tmp_path: Path) -> None:
        with pytest.raises(RunError, match=f"run={tmp_path} is not a run directory: .*run\\.json"):
            RunDirectory(tmp_path).read_manifest()

    def test_sweep_is_reported(self, tmp_path: Path) -> None:
        (tmp_path / "multirun.yaml").touch()
        with pytest.raises(RunError, match=f"run={tmp_path} is a sweep"):
            RunDirectory(tmp_path).read_manifest()


class TestCheckpoint:
    @pytest.mark.parametrize(
        ("names", "chosen", "expected"),
        [
            (["best.ckpt", "last.ckpt"], CheckpointName.last, "last.ckpt"),
            (["best.ckpt", "last.ckpt"], CheckpointName.best, "best.ckpt"),
            (["last.ckpt"], CheckpointName.best, "last.ckpt"),
        ],
    )
    def test_is_the_chosen_one_or_else_the_last(
        self, names: list[str], chosen: CheckpointName, expected: str, run: RunDirectory
    ) -> None:
        run.checkpoints.mkdir()
        for name in names:
            (run.checkpoints / name).touch()
        assert run.checkpoint(chosen) == run.checkpoints / expected

    def test_missing_checkpoint_is_refused(self, run: RunDirectory) -> None:
        with pytest.raises(RunError, match=f"run={run.path} has no last.ckpt: training stopped"):
            run.checkpoint(CheckpointName.best)

    def test_deleted_checkpoint_of_a_finished_run_is_reported_as_such(
        self, small_run: RunDirectory
    ) -> None:
        small_run.last.unlink()
        with pytest.raises(RunError, match=r"has no last.ckpt: its checkpoints were deleted"):
            small_run.checkpoint(CheckpointName.last)


class TestState:
    @pytest.mark.parametrize(
        ("error", "state"),
        [
            (None, "finished"),
            (RuntimeError, "failed"),
            (DivergedError, "diverged"),
            (MemoryError, "failed"),
            (KeyboardInterrupt, "interrupted"),
            (SystemExit, "interrupted"),
        ],
    )
    def test_end_of_the_run_is_recorded(
        self, error: type[BaseException] | None, state: str, run: RunDirectory
    ) -> None:
        raises: AbstractContextManager[object] = pytest.raises(error) if error else nullcontext()
        run.update_manifest(**METADATA, **RESULTS)
        with raises, run.record_state():
            assert run.read_manifest()["state"] == "running"
            if error:
                raise error
        manifest = run.read_manifest()
        assert manifest["state"] == state
        assert manifest["started"] < manifest["ended"]


def lock_and_wait(path: Path, locked: "multiprocessing.synchronize.Event") -> None:
    """Lock a run directory until the process is killed."""
    with RunDirectory(path).lock():
        locked.set()
        multiprocessing.Event().wait()


class TestLock:
    def test_excludes_another_process_until_that_is_killed(self, run: RunDirectory) -> None:
        context = multiprocessing.get_context("spawn")
        locked = context.Event()
        process = context.Process(target=lock_and_wait, args=(run.path, locked))
        process.start()
        assert locked.wait(60)
        with pytest.raises(RunError, match=f"run={run.path} is running in another process"):
            run.lock().__enter__()
        process.kill()
        process.join()
        with run.lock():
            pass

    def test_is_released_after_an_error(self, run: RunDirectory) -> None:
        with pytest.raises(ZeroDivisionError), run.lock():
            raise ZeroDivisionError
        with run.lock():
            pass

    def test_folder_that_cannot_be_written_is_refused(self, run: RunDirectory) -> None:
        (run.path / ".lock").unlink()
        (run.path / ".lock").mkdir()
        with pytest.raises(RunError, match=f"run={run.path} cannot be written: Is a directory"):
            run.lock().__enter__()
