"""Hostile files: they execute no code, choose no folder, and exhaust no memory."""

import gzip
import json
import pickle
import shutil
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
from tests.conftest import ROOT, SMALL_MLP, SMALL_TRAINING, digits

SCRIPT = "<script>alert(1)</script>"

EXECUTE = "import pathlib; pathlib.Path('executed').touch()"


def edit_config(run: RunDirectory, change: Callable[[dict[str, Any]], object]) -> None:
    """Change the configuration in run.json."""
    content = run.read_manifest()
    change(content["config"])
    run.manifest.write_text(json.dumps(content), encoding="utf-8")


def use_custom_model(config: dict[str, Any]) -> None:
    """Replace the network by code in evil.py."""
    config["model"] = {"name": "custom", "path": "evil.py:Net", "kwargs": {}}


class TestRunConfig:
    @pytest.mark.slow
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
            use_custom_model,
        ],
    )
    def test_names_no_code(self, small_run: RunDirectory, change: Callable[..., object]) -> None:
        Path("evil.py").write_text(EXECUTE, encoding="utf-8")
        edit_config(small_run, change)
        for command in (csvision.evaluate, csvision.reproduce, csvision.load):
            with pytest.raises(RunError):
                command(small_run.path)
        assert not Path("executed").exists()

    def test_names_no_code_for_resume(self, interrupted_run: RunDirectory) -> None:
        Path("evil.py").write_text(EXECUTE, encoding="utf-8")
        edit_config(interrupted_run, use_custom_model)
        with pytest.raises(RunError, match=r"write model\.path=FILE\.py:CLASS"):
            csvision.resume(interrupted_run.path)
        assert not Path("executed").exists()

    @pytest.mark.slow
    def test_chooses_no_folder(self, small_run: RunDirectory, tmp_path: Path) -> None:
        def escape(config: dict[str, Any]) -> None:
            config["output_dir"] = "../../escaped"
            config["data"]["cache"] = "../../escaped"
            config["hydra"] = {"run": {"dir": "../../escaped"}}

        edit_config(small_run, escape)
        with pytest.raises(RunError):
            csvision.evaluate(small_run.path)
        edit_config(small_run, lambda config: config.pop("hydra"))
        csvision.evaluate(small_run.path)
        csvision.reproduce(small_run.path)
        assert not list(tmp_path.rglob("escaped"))
        assert not [folder for folder in tmp_path.parents if (folder / "escaped").exists()]


@pytest.mark.usefixtures("digits_csv")
def test_cache_contains_no_code(cache_folder: Path) -> None:
    csvision.read_table("digits.csv")
    (entry,) = (cache_folder / "csvision").iterdir()

    class Payload:
        def __reduce__(self) -> tuple[object, tuple[str]]:
            return exec, (EXECUTE,)

    for file in entry.iterdir():
        file.write_bytes(pickle.dumps(Payload()))
    csvision.read_table("digits.csv")
    assert not Path("executed").exists()
    # The payload works where a pickle is loaded.
    pickle.loads(pickle.dumps(Payload()))
    assert Path("executed").exists()


def write_gzip(path: str, header: bytes, mib: bytes, count: int) -> None:
    """Write a header, then `count` times one MiB, as members of a gzip file."""
    assert len(mib) == 1 << 20
    Path(path).write_bytes(gzip.compress(header) + gzip.compress(mib) * count)


def write_gzip_bomb(path: str) -> None:
    write_gzip(path, b"label,a\n", b"1,1\n" * (1 << 18), count=40)


def write_zstandard_bomb(path: Path) -> None:
    path.write_bytes(zstandard.compress(b"label,a\n" + b"1,1\n" * (1 << 19)))


def write_parquet_bomb(path: Path) -> None:
    zeros = polars.zeros(20_000_000, polars.Int64, eager=True)
    polars.DataFrame({"label": zeros, "a": zeros}).write_parquet(path)


READ_AND_MEASURE = """
import resource, sys
from csvision.data.table import read_table
from csvision.errors import DataError
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
try:
    read_table(sys.argv[1])
except DataError as error:
    print(error)
print((resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024)
"""
"""Prints the error of reading a file, and by how many MiB the peak memory grew."""


def assert_too_large(path: str, limit_gib: float) -> None:
    """Assert that a file is rejected for its size after decompression."""
    options = csvision.ReadOptions(
        image_shape=[1, 1, 1], cache="cache", max_decompressed_gib=limit_gib
    )
    with pytest.raises(DataError) as raised:
        csvision.read_table(path, options)
    (message,) = raised.value.messages
    assert message.startswith(f"{path}: ")
    assert f"more than {limit_gib} GiB" in message
    assert "set data.max_decompressed_gib" in message
    assert not [file for file in Path("cache").rglob("*") if file.is_file()]


class TestDecompressionBomb:
    def test_in_gzip_is_rejected(self) -> None:
        write_gzip_bomb("bomb.csv.gz")
        assert Path("bomb.csv.gz").stat().st_size < 200_000
        assert_too_large("bomb.csv.gz", limit_gib=0.01)

    def test_in_zstandard_is_rejected_unless_the_limit_is_raised(self) -> None:
        write_zstandard_bomb(Path("bomb.csv.zst"))
        assert Path("bomb.csv.zst").stat().st_size < 200_000
        assert_too_large("bomb.csv.zst", limit_gib=0.001)
        # Now the whole file is read, and its content is rejected.
        options = csvision.ReadOptions(image_shape=[1, 1, 1], max_decompressed_gib=1)
        with pytest.raises(DataError, match="the only label is 1"):
            csvision.read_table("bomb.csv.zst", options)

    def test_in_parquet_is_rejected(self) -> None:
        write_parquet_bomb(Path("bomb.parquet"))
        assert Path("bomb.parquet").stat().st_size < 200_000
        assert_too_large("bomb.parquet", limit_gib=0.1)

    @pytest.mark.slow
    def test_in_one_line_does_not_fill_the_memory(self) -> None:
        write_gzip("bomb.csv.gz", b"label,a\n", b"1" * (1 << 20), count=400)
        command = [sys.executable, "-c", READ_AND_MEASURE, "bomb.csv.gz"]
        result = subprocess.run(command, capture_output=True, text=True, check=True)
        message, megabytes = result.stdout.splitlines()
        assert "line is longer than 64 MiB" in message
        assert float(megabytes) < 400

    def test_in_the_header_is_rejected(self) -> None:
        write_gzip("bomb.csv.gz", b"", b"1" * (1 << 20), count=400)
        with pytest.raises(DataError, match="line is longer than 64 MiB"):
            csvision.read_table("bomb.csv.gz")

    @pytest.mark.slow
    def test_is_rejected_on_the_command_line(self) -> None:
        write_gzip_bomb("bomb.csv.gz")
        command = [sys.executable, str(ROOT / "scripts" / "train.py"), "data=csv"]
        command += ["data.csv=bomb.csv.gz", "data.max_decompressed_gib=0.01"]
        command += ["data.image_shape=[1,1,1]"]
        result = subprocess.run(command, capture_output=True, text=True)
        assert result.returncode == 2
        assert "bomb.csv.gz" in result.stderr
        assert "more than 0.01 GiB" in result.stderr
        assert "Traceback" not in result.stderr


@pytest.fixture(scope="module")
def named_run_original(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Train a run whose class names are a script, a formula and a control sequence."""
    home = tmp_path_factory.mktemp("named_run")
    table = digits(200)
    names = [SCRIPT, "$\\frac{1}{", "\x1b[2J", *(f"class {number}" for number in range(7))]
    table["label"] = [names[label] for label in table["label"]]
    table.to_csv(home / "named.csv", index=False)
    overrides = (f"data.csv={home / 'named.csv'}", "data.cache=none", f"output_dir={home}")
    result = csvision.train(
        *SMALL_TRAINING, *SMALL_MLP, *overrides, "epochs=1", "logger=tensorboard"
    )
    return result.directory


@pytest.fixture
def named_run(named_run_original: Path, tmp_path: Path) -> Path:
    """Return a copy of the run with hostile class names."""
    return Path(shutil.copytree(named_run_original, tmp_path / "named_run"))


class TestClassNames:
    @pytest.mark.slow
    def test_are_drawn_as_plain_text(self, named_run: Path) -> None:
        assert (named_run / "confusion_matrix.png").stat().st_size > 5_000

    @pytest.mark.slow
    def test_do_not_control_the_terminal(
        self, named_run: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        csvision.evaluate(named_run)
        output = capsys.readouterr().out
        assert "\x1b" not in output
        assert "?[2J" in output

    @pytest.mark.slow
    @pytest.mark.filterwarnings("ignore:html5lib's sanitizer is deprecated")
    def test_are_escaped_on_pages_of_tensorboard(self, named_run: Path) -> None:
        from tensorboard.plugin_util import markdowns_to_safe_html

        events = EventAccumulator(str(named_run)).Reload()
        texts = [SCRIPT.encode()]
        for tag in events.Tags()["tensors"]:
            texts += [
                value for event in events.Tensors(tag) for value in event.tensor_proto.string_val
            ]
        page = markdowns_to_safe_html(texts, lambda parts: "".join(parts))
        assert len(texts) > 1
        assert "alert(1)" in page
        assert "<script" not in page
