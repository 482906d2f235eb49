"""The directory of a run: claimed once, never overwritten, readable whatever happened to it."""

import re
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path

import pytest
from omegaconf import OmegaConf

from csvision import config, schema
from csvision.errors import RunError
from csvision.run.directory import (
    RunDirectory,
    add_to_manifest,
    claim,
    new_path,
    state_recorded,
    write_json,
)
from csvision.run.recorded_config import read_config
from csvision.schema import Weights
from csvision.stamp import stamp


def configured(*overrides: str) -> schema.Train:
    settings: schema.Train = config.load(config.compose("train", overrides))
    return settings


@pytest.fixture
def run(tmp_path: Path) -> RunDirectory:
    return claim(tmp_path / "run", configured(), ["seed=1"])


class TestName:
    def test_is_the_one_that_hydra_would_give(self) -> None:
        path = new_path(configured("model=mlp", "seed=7", "outputs=my results"))
        moment = r"\d{4}-\d\d-\d\d_\d\d-\d\d-\d\d\.\d{6}"
        assert re.fullmatch(rf"my results/runs/{moment}_mlp_seed7", path.as_posix())
        text = (config.conf_dir() / "train.yaml").read_text(encoding="utf-8")
        assert "dir: ${outputs}/runs/${now:%Y-%m-%d_%H-%M-%S.%f}_${model.name}_seed${seed}" in text

    def test_differs_from_moment_to_moment(self) -> None:
        stamps = [stamp() for _ in range(100)]
        assert stamps == sorted(stamps)
        assert len(set(stamps)) > 50


class TestClaim:
    def test_records_configuration_and_overrides(self, run: RunDirectory) -> None:
        manifest = run.read_manifest()
        assert manifest["state"] == "running"
        assert manifest["overrides"] == ["seed=1"]
        assert manifest["config"] == config.plain(configured())

    def test_can_be_made_once(self, run: RunDirectory) -> None:
        before = run.manifest.read_bytes()
        with pytest.raises(RunError, match=r"already holds a run; choose another directory"):
            claim(run.path, configured("seed=5"), [])
        assert run.manifest.read_bytes() == before

    def test_of_many_at_one_moment_succeeds_for_one(self, tmp_path: Path) -> None:
        settings = configured()

        def attempt(number: int) -> int | None:
            try:
                claim(tmp_path / "run", settings, [f"seed={number}"])
            except RunError:
                return None
            return number

        with ThreadPoolExecutor(8) as threads:
            winners = [number for number in threads.map(attempt, range(8)) if number is not None]
        assert len(winners) == 1
        manifest = RunDirectory(tmp_path / "run").read_manifest()
        assert manifest["overrides"] == [f"seed={winners[0]}"]

    def test_leaves_hydras_files_as_hydra_wrote_them(self, tmp_path: Path) -> None:
        hydras = tmp_path / "run" / ".hydra" / "config.yaml"
        hydras.parent.mkdir(parents=True)
        hydras.write_text("written: by hydra", encoding="utf-8")
        claim(tmp_path / "run", configured(), [])
        assert hydras.read_text(encoding="utf-8") == "written: by hydra"

    def test_writes_what_hydra_would_for_a_run_from_python(self, run: RunDirectory) -> None:
        folder = run.path / ".hydra"
        assert OmegaConf.load(folder / "config.yaml") == config.plain(configured())
        assert OmegaConf.load(folder / "overrides.yaml") == ["seed=1"]

    def test_below_a_file_names_the_key_to_change(self, tmp_path: Path) -> None:
        (tmp_path / "file").touch()
        with pytest.raises(
            RunError, match=r"cannot be written: Not a directory; choose another folder"
        ):
            claim(tmp_path / "file" / "run", configured(), [])


class TestManifest:
    def test_takes_facts_and_keeps_what_it_has(self, run: RunDirectory) -> None:
        before = run.read_manifest()
        add_to_manifest(run, threads=3)
        assert run.read_manifest() == before | {"threads": 3}

    def test_is_whole_whenever_it_is_read(self, run: RunDirectory) -> None:
        def write() -> None:
            for number in range(200):
                add_to_manifest(run, number=number)

        with ThreadPoolExecutor(1) as threads:
            written = threads.submit(write)
            while not written.done():
                assert run.read_manifest()["state"] == "running"
        written.result()
        assert [path.name for path in run.path.iterdir() if path.is_file()] == ["run.json"]

    def test_is_not_written_when_it_cannot_be_whole(self, run: RunDirectory) -> None:
        before = run.manifest.read_bytes()
        with pytest.raises(TypeError):
            write_json(run.manifest, {"half": 1, "other half": object()})
        assert run.manifest.read_bytes() == before
        assert [path.name for path in run.path.iterdir() if path.is_file()] == ["run.json"]

    def test_gives_the_configuration_back(self, tmp_path: Path) -> None:
        settings = configured("model=mlp", "model.hidden=[3,2]", "optimizer=sgd", "scheduler=step")
        assert read_config(claim(tmp_path / "run", settings, [])) == settings

    @pytest.mark.parametrize(
        ("before", "message"),
        [
            (None, r"there is no such folder"),
            ("", r"it has no run\.json; name a folder that train\.py made"),
        ],
    )
    def test_that_is_missing_is_told_apart(
        self, before: str | None, message: str, tmp_path: Path
    ) -> None:
        if before is not None:
            (tmp_path / "run").mkdir()
        with pytest.raises(RunError, match=message):
            RunDirectory(tmp_path / "run").read_manifest()


class TestCheckpoint:
    @pytest.mark.parametrize(
        ("names", "weights", "expected"),
        [
            (["best.ckpt", "last.ckpt"], Weights.last, "last.ckpt"),
            (["best.ckpt", "last.ckpt"], Weights.best, "best.ckpt"),
            (["last.ckpt"], Weights.best, "last.ckpt"),
        ],
    )
    def test_is_the_chosen_one_or_else_the_last(
        self, names: list[str], weights: Weights, expected: str, run: RunDirectory
    ) -> None:
        (run.path / "checkpoints").mkdir()
        for name in names:
            (run.path / "checkpoints" / name).touch()
        assert run.checkpoint(weights) == run.path / "checkpoints" / expected

    def test_that_is_missing_is_refused(self, run: RunDirectory) -> None:
        with pytest.raises(RunError, match=r"has no last.ckpt"):
            run.checkpoint(Weights.best)


class TestState:
    @pytest.mark.parametrize(
        ("error", "state"),
        [
            (None, "finished"),
            (RuntimeError, "failed"),
            (MemoryError, "failed"),
            (KeyboardInterrupt, "interrupted"),
            (SystemExit, "interrupted"),
        ],
    )
    def test_says_how_the_run_ended(
        self, error: type[BaseException] | None, state: str, run: RunDirectory
    ) -> None:
        raised: AbstractContextManager[object] = pytest.raises(error) if error else nullcontext()
        with raised, state_recorded(run):
            assert run.read_manifest()["state"] == "running"
            if error:
                raise error
        manifest = run.read_manifest()
        assert manifest["state"] == state
        assert manifest["started"] < manifest["ended"]
