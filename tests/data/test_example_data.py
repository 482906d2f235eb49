"""The example data sets: written, read, and used for training."""

import json
import shlex
from pathlib import Path

import numpy as np
import pytest
from sklearn.datasets import load_digits, load_sample_image

import csvision
from csvision.cli.main import main
from csvision.config.example_schema import ExampleDataName
from csvision.data.example_data import READING_OVERRIDES, write_example_data
from csvision.data.read_options import ReadOptions
from csvision.data.table import ImageTable, read_table
from csvision.errors import ConfigError

TRAINING = ("data=csv", "epochs=2", "accelerator=cpu", "logger=none", "quiet=true")
PHOTOS = READING_OVERRIDES["photos"]
QUICK = ("model=mlp", "epochs=1", "debug.limit_rows=64", "logger=none", "quiet=true")


@pytest.fixture(scope="module")
def digits(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_example_data("digits", tmp_path_factory.mktemp("digits") / "digits.csv")


@pytest.fixture(scope="module")
def photos(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("photos")
    return write_example_data("photos", folder / "my photos" / "patches.csv")


def read_photos(path: Path) -> ImageTable:
    options = ReadOptions(image_shape=[3, 16, 16], layout="channels_last", cache="none")
    return read_table(str(path), options)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["digits", "photos"])
def test_command_prints_the_path_of_the_file(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    main(["example-data", f"name={name}"])
    main(["example-data", f"name={name}", f"output=my {name}/images.csv"])
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 4
    default, chosen = map(Path, lines[1::2])
    assert default == Path(f"outputs/data/{name}.csv")
    assert chosen == Path(f"my {name}/images.csv")
    assert default.read_text(encoding="utf-8").startswith("label,pixel1,pixel2,")
    assert chosen.read_bytes() == default.read_bytes()


@pytest.mark.slow
@pytest.mark.parametrize("name", [*READING_OVERRIDES])
@pytest.mark.parametrize("output", ["a.csv", "my files, it's {b}=c/a.csv.gz"])
def test_printed_command_trains_on_the_file(
    name: str, output: str, capsys: pytest.CaptureFixture[str]
) -> None:
    main(["example-data", f"name={name}", f"output={output}"])
    hint, _ = capsys.readouterr().out.splitlines()
    program, command, *arguments = shlex.split(hint.removeprefix("to train on it: "))
    assert (program, command) == ("csvision", "train")
    main(["train", *arguments, *QUICK])
    run = Path(capsys.readouterr().out.splitlines()[-1])
    recorded = json.loads((run / "run.json").read_text(encoding="utf-8"))["data"]
    assert recorded["image_shape"] == {"digits": [1, 8, 8], "photos": [3, 16, 16]}[name]
    assert (
        recorded["classes"]
        == {
            "digits": [str(digit) for digit in range(10)],
            "photos": ["china", "flower"],
        }[name]
    )


def test_every_data_set_has_a_command() -> None:
    assert [*READING_OVERRIDES] == [*ExampleDataName]


def test_digits_are_grayscale_squares(digits: Path) -> None:
    table = read_table(str(digits), ReadOptions(cache="none"))
    images, labels = load_digits(return_X_y=True)
    assert table.images.shape == (1797, 1, 8, 8)
    assert table.images.max() == 255
    np.testing.assert_allclose(table.images.reshape(1797, 64), images * 255 / 16, atol=0.5)
    np.testing.assert_array_equal(table.labels, labels)


def test_photos_are_color_patches(photos: Path) -> None:
    table = read_photos(photos)
    assert table.images.shape == (2080, 3, 16, 16)
    assert table.label_values == ["china", "flower"]
    assert table.labels is not None
    assert table.labels.tolist() == [0] * 1040 + [1] * 1040
    for first, name in ((0, "china"), (1040, "flower")):
        photo = load_sample_image(f"{name}.jpg").transpose(2, 0, 1)
        # A photograph of 640 pixels has 40 patches in a row.
        for index, top, left in ((0, 0, 0), (1, 0, 16), (40, 16, 0), (1039, 400, 624)):
            patch = photo[:, top : top + 16, left : left + 16]
            np.testing.assert_array_equal(table.images[first + index], patch)


def test_file_that_cannot_be_written_is_reported_with_its_key() -> None:
    Path("file").touch()
    with pytest.raises(ConfigError, match=r"^output=file/digits\.csv: cannot be written"):
        write_example_data("digits", Path("file/digits.csv"))


@pytest.mark.slow
def test_network_learns_digits(digits: Path) -> None:
    trained = csvision.train(*TRAINING, f"data.csv={digits}")
    assert trained.splits.train.table.image_shape == (1, 8, 8)
    assert trained.metrics["test/acc"] > 0.6


@pytest.mark.slow
def test_network_learns_photos(photos: Path) -> None:
    trained = csvision.train(*TRAINING, *PHOTOS, f"data.csv={photos}", "debug.limit_rows=600")
    assert trained.splits.train.table.classes == ["china", "flower"]
    assert trained.metrics["test/acc"] > 0.75
