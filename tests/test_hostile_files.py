"""Nothing from a file is executed, chooses a folder, fills the memory or writes on a page."""

import gzip
import json
import pickle
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import polars
import pytest
import zstandard
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

import csvision
from csvision.errors import DataError, RunError
from csvision.run.directory import RunDirectory
from tests.conftest import ROOT, digits
from tests.run.small import SMALL, unfinished

SCRIPT = "<script>alert(1)</script>"

EXECUTE = "import pathlib; pathlib.Path('executed').touch()"


def edit(run: RunDirectory, change: Callable[[dict[str, Any]], object]) -> None:
    """Change the configuration that run.json holds."""
    content = run.read_manifest()
    change(content["config"])
    run.manifest.write_text(json.dumps(content), encoding="utf-8")


@pytest.fixture
def run() -> RunDirectory:
    return RunDirectory(csvision.train(*SMALL, "epochs=1").directory)


class TestConfiguration:
    @pytest.mark.parametrize(
        "change",
        [
            lambda config: config.update(_target_="os.mkdir", path="executed"),
            lambda config: config["model"].update(_target_="os.mkdir", path="executed"),
            lambda config: config["optimizer"].update(
                {"_target_": "builtins.exec", "_args_": [EXECUTE]}
            ),
            lambda config: config.update(model={"_target_": "os.mkdir", "path": "executed"}),
            lambda config: config["model"].update(name="custom", path="evil.py:Net"),
            lambda config: config.update(
                model={"name": "custom", "path": "evil.py:Net", "arguments": {}}
            ),
        ],
    )
    @pytest.mark.parametrize("use", [csvision.evaluate, csvision.reproduce, csvision.load])
    def test_names_no_code(
        self, run: RunDirectory, change: Callable[..., object], use: Callable[..., object]
    ) -> None:
        Path("evil.py").write_text(EXECUTE, encoding="utf-8")
        edit(run, change)
        with pytest.raises(RunError):
            use(run.path)
        assert not Path("executed").exists()

    def test_names_no_code_to_a_run_that_goes_on(self) -> None:
        run = unfinished(20)
        Path("evil.py").write_text(EXECUTE, encoding="utf-8")
        edit(
            run,
            lambda config: config.update(
                model={"name": "custom", "path": "evil.py:Net", "arguments": {}}
            ),
        )
        with pytest.raises(RunError, match="name its code"):
            csvision.resume(run.path)
        assert not Path("executed").exists()

    def test_chooses_no_folder(self, run: RunDirectory, tmp_path: Path) -> None:
        def escape(config: dict[str, Any]) -> None:
            config["outputs"] = "../../escaped"
            config["data"]["cache"] = "../../escaped"
            config["hydra"] = {"run": {"dir": "../../escaped"}}

        edit(run, escape)
        with pytest.raises(RunError):
            csvision.evaluate(run.path)
        edit(run, lambda config: config.pop("hydra"))
        csvision.evaluate(run.path)
        csvision.reproduce(run.path)
        assert not [*tmp_path.parent.parent.glob("**/escaped")]

    def test_of_a_cache_is_plain_values(self, digits_csv: Path, cache_folder: Path) -> None:
        csvision.read_table("digits.csv")
        (entry,) = (cache_folder / "csvision").iterdir()

        class Payload:
            def __reduce__(self) -> tuple[object, tuple[str]]:
                return exec, (EXECUTE,)

        for file in entry.iterdir():
            file.write_bytes(pickle.dumps(Payload()))
        csvision.read_table("digits.csv")
        assert not Path("executed").exists()
        pickle.loads(pickle.dumps(Payload()))
        assert Path("executed").exists()


def write_gzip_bomb(path: Path) -> None:
    with gzip.open(path, "wb") as file:
        file.write(b"label,a\n")
        for _ in range(40):
            file.write(b"1,1\n" * (1 << 18))


def write_zstandard_bomb(path: Path) -> None:
    path.write_bytes(zstandard.compress(b"label,a\n" + b"1,1\n" * (10 << 20)))


def write_parquet_bomb(path: Path) -> None:
    zeros = polars.zeros(20_000_000, polars.Int64, eager=True)
    polars.DataFrame({"label": zeros, "a": zeros}).write_parquet(path)


MEASURED = """
import resource, sys
from csvision.data.table import read_table
from csvision.errors import DataError
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
try:
    read_table(sys.argv[1], cache="kept", unpacked_gib=float(sys.argv[2]))
except DataError as error:
    print(error)
print((resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024)
"""


class TestBomb:
    def test_of_gzip_is_refused_above_a_limit_that_can_be_raised(self) -> None:
        write_gzip_bomb(Path("bomb.csv.gz"))
        assert Path("bomb.csv.gz").stat().st_size < 200_000
        with pytest.raises(DataError, match=r"bomb\.csv\.gz unpacks to more than 0\.01 GiB"):
            csvision.read_table("bomb.csv.gz", unpacked_gib=0.01)
        assert not [*Path().glob("kept/*")]

    def test_of_zstandard_too(self) -> None:
        write_zstandard_bomb(Path("bomb.csv.zst"))
        with pytest.raises(DataError, match=r"write a larger data\.unpacked_gib"):
            csvision.read_table("bomb.csv.zst", unpacked_gib=0.01)
        with pytest.raises(DataError, match="one label only"):
            csvision.read_table("bomb.csv.zst", unpacked_gib=1)

    def test_of_parquet_too(self) -> None:
        write_parquet_bomb(Path("bomb.parquet"))
        assert Path("bomb.parquet").stat().st_size < 200_000
        with pytest.raises(DataError, match=r"bomb\.parquet unpacks to more than 0\.1 GiB"):
            csvision.read_table("bomb.parquet", unpacked_gib=0.1)

    def test_without_an_end_of_line_fills_no_memory(self) -> None:
        with gzip.open("bomb.csv.gz", "wb", compresslevel=1) as file:
            file.write(b"label,a\n")
            for _ in range(400):
                file.write(b"1" * (1 << 20))
        command = [sys.executable, "-c", MEASURED, "bomb.csv.gz", "16"]
        ended = subprocess.run(command, capture_output=True, text=True, check=True)
        complaint, megabytes = ended.stdout.splitlines()
        assert "a line is longer than 64 MiB" in complaint
        assert float(megabytes) < 400

    def test_in_the_header_fills_no_memory(self) -> None:
        with gzip.open("bomb.csv.gz", "wb", compresslevel=1) as file:
            for _ in range(400):
                file.write(b"1" * (1 << 20))
        with pytest.raises(DataError, match="a line is longer than 64 MiB"):
            csvision.read_table("bomb.csv.gz")

    def test_is_refused_by_the_command(self) -> None:
        write_gzip_bomb(Path("bomb.csv.gz"))
        command = [sys.executable, str(ROOT / "scripts" / "train.py"), "data=csv"]
        command += ["data.csv=bomb.csv.gz", "data.unpacked_gib=0.01"]
        ended = subprocess.run(command, capture_output=True, text=True)
        assert ended.returncode == 2
        assert "unpacks to more than 0.01 GiB" in ended.stderr
        assert "Traceback" not in ended.stderr


class TestNames:
    @pytest.fixture
    def run(self) -> RunDirectory:
        """A run whose classes are a script, a formula and what clears a terminal."""
        table = digits(200)
        names = [SCRIPT, "$\\frac{1}{", "\x1b[2J", *(f"class {number}" for number in range(7))]
        table["label"] = [names[label] for label in table["label"]]
        table.to_csv("named.csv", index=False)
        overrides = ("data=csv", "data.csv=named.csv", "epochs=1", "logger=tensorboard")
        return RunDirectory(csvision.train(*SMALL, *overrides).directory)

    def test_draw_and_steer_nothing(
        self, run: RunDirectory, capsys: pytest.CaptureFixture[str]
    ) -> None:
        assert (run.path / "confusion_matrix.png").stat().st_size > 5_000
        csvision.evaluate(run.path)
        said = capsys.readouterr().out
        assert "\x1b" not in said
        assert "?[2J" in said

    @pytest.mark.filterwarnings("ignore:html5lib's sanitizer is deprecated")
    def test_are_text_on_tensorboards_pages(self, run: RunDirectory) -> None:
        from tensorboard.plugin_util import markdowns_to_safe_html

        events = EventAccumulator(str(run.path)).Reload()
        hostile = [SCRIPT.encode()]
        for tag in events.Tags()["tensors"]:
            hostile += [
                value for event in events.Tensors(tag) for value in event.tensor_proto.string_val
            ]
        page = markdowns_to_safe_html(hostile, lambda parts: "".join(parts))
        assert len(hostile) > 1
        assert "alert(1)" in page
        assert "<script" not in page
