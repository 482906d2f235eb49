"""The report on a data set, and the function that prints it."""

import shlex
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from matplotlib.image import imread
from PIL import Image

import csvision
from csvision.config import command_schema, schema
from csvision.config.compose import load_config
from csvision.data.splits import load_splits
from csvision.data_report import DEFAULTS, describe_data, report_data, train_command
from csvision.errors import UserError


def config_of(*overrides: str) -> command_schema.InspectDataConfig:
    config: command_schema.InspectDataConfig = load_config("inspect_data", overrides)
    return config


@pytest.fixture
def color_csv(tmp_path: Path) -> Path:
    """Write 40 images 3x2x2 of two classes, with the channels of each pixel next to each other."""
    generator = np.random.default_rng(0)
    table = pd.DataFrame(generator.integers(0, 256, (40, 12)))
    table.insert(0, "label", ["cat", "dog"] * 20)
    path = tmp_path / "color.csv"
    table.to_csv(path, index=False)
    return path


COLOR = ("data.csv=color.csv", "data.image_shape=[3,2,2]", "data.layout=channels_last")


class TestDescription:
    def test_counts_the_rows_of_each_class_in_each_split(self, digits_csv: Path) -> None:
        splits = load_splits(config_of(f"data.csv={digits_csv}", "data.val_size=0.2").data)
        lines = describe_data(splits).splitlines()
        assert lines[0] == "images 1x8x8 (channels x height x width), pixels from 0 to 255"
        assert lines[1].split() == ["label", "class", "train", "val", "test"]
        labels = pd.read_csv(digits_csv)["label"].to_numpy()
        subsets = (splits.train, splits.val, splits.test)
        for digit, line in enumerate(lines[2:12]):
            counts = [int((labels[subset.indices] == digit).sum()) for subset in subsets]
            assert line.split() == [str(digit), str(digit), *map(str, counts)]
        assert lines[12:] == [
            "train 192  val 48  test 60",
            "no warnings",
            "label column: label",
            "if the sample images are on their side, set data.transpose=true",
        ]

    def test_contains_class_names_pixel_range_and_warnings(self) -> None:
        lines = [
            "label,a,b,c,d",
            *(f"{row % 2}{f',{row / 100}' * 4}" for row in range(60)),
            "1,0,0,0,0",
        ]
        Path("unit_range.csv").write_text("\n".join(lines), encoding="utf-8")
        data = config_of("data.csv=unit_range.csv", "data.classes=[cat,dog,owl]").data
        report = describe_data(load_splits(data))
        assert "pixels from 0 to 1, stored in 256 steps" in report
        assert "class owl" in report
        assert "all pixels are equal" in report
        assert "no warnings" not in report


class TestReport:
    def test_figure_is_written_below_output_dir(self, color_csv: Path) -> None:
        report, path = report_data(config_of(*COLOR, "output_dir=my results"))
        description, _, command = report.rpartition("\n")
        assert description == describe_data(load_splits(config_of(*COLOR).data))
        assert command == (
            "to train: csvision train data=csv data.csv=color.csv 'data.image_shape=[3,2,2]' "
            "data.layout=channels_last"
        )
        assert path.parent == Path("my results/inspections")
        assert path.name.startswith("color_")
        height, width, _ = imread(path).shape
        assert height > 50
        assert width > 500

    def test_missing_validation_split_and_empty_class_are_reported(self) -> None:
        Path("images.csv").write_text("label,a,b\n0,1,1\n2,2,20\n", encoding="utf-8")
        classes = "data.classes=['$x$','$','__']"
        shape = "data.image_shape=[1,1,2]"
        files = ("data.csv=images.csv", "data.test_csv=images.csv", "data.val_size=0.0")
        report, path = report_data(config_of(*files, classes, shape))
        assert path.exists()
        assert "train 2  val 0  test 2" in report

    @pytest.mark.parametrize(
        "invalid", ["data.csv=missing.csv", "data.vsc=digits.csv", "data=fmnist_smal"]
    )
    def test_invalid_arguments_are_reported_in_one_line(
        self, invalid: str, digits_csv: Path
    ) -> None:
        with pytest.raises(UserError, match=r"missing\.csv|vsc|fmnist_smal") as raised:
            report_data(config_of("data.csv=digits.csv", invalid))
        assert "\n" not in str(raised.value)
        assert not Path("outputs").exists()

    def test_errors_of_a_file_are_all_reported_and_nothing_is_written(self) -> None:
        lines = ["label,a,b,c,d", "0,1,2,3,40", "1,x,2,3,4", "0,1,2,3", "1,1,2,300,"]
        Path("broken.csv").write_text("\n".join(lines), encoding="utf-8")
        with pytest.raises(UserError) as raised:
            csvision.inspect_data("data.csv=broken.csv")
        locations = ["line 3, column a", "line 4", "line 5, column c", "line 5, column d"]
        values = ["'x'", "4", "300", "''"]
        for message, location, value in zip(raised.value.messages, locations, values, strict=True):
            assert message.startswith(f"broken.csv, {location}: ")
            assert value in message.partition(": ")[2]
        assert not Path("outputs").exists()


def test_function_prints_the_report_and_returns_the_path_of_the_figure(
    color_csv: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = csvision.inspect_data(*COLOR)
    report = describe_data(load_splits(config_of(*COLOR).data))
    output = capsys.readouterr()
    assert output.out.startswith(f"{report}\nto train: csvision train data=csv data.csv=color.csv")
    assert output.err == ""
    assert path.read_bytes().startswith(b"\x89PNG\r\n\x1a\n")


def test_decisions_about_the_file_are_reported() -> None:
    images = pd.DataFrame(np.random.default_rng(0).integers(0, 17, (40, 9)))
    images.insert(0, "name", [f"{row}.png" for row in range(40)])
    images["kind"] = ["cat", "dog"] * 20
    images.to_csv("images.csv", index=False)
    report = describe_data(load_splits(config_of("data.csv=images.csv").data))
    assert "pixels from 0 to 16" in report
    assert "label column: kind" in report
    assert "read: column name identifies the rows and is not read as a pixel" in report
    assert "data.transpose=true" in report


def test_folder_of_images_is_described_without_columns() -> None:
    for label in ("cat", "dog"):
        Path("animals", label).mkdir(parents=True)
        for row, pixels in enumerate(np.random.default_rng(0).integers(0, 256, (20, 5, 4))):
            Image.fromarray(pixels.astype(np.uint8)).save(Path("animals", label, f"{row}.png"))
    report, _ = report_data(config_of("data.csv=animals"))
    assert "images 1x5x4 (channels x height x width)" in report
    assert "label: the name of the folder of the image" in report
    assert "column" not in report


def test_printed_command_trains_with_the_same_keys() -> None:
    data = config_of(
        "data.csv=own file.csv",
        "data.header=false",
        "data.ignore=[1,x]",
        "data.pixel_range=[-1,1]",
        "data.transpose=true",
        "data.classes={circle: Kreis, cross: Kreuz}",
    ).data
    words = shlex.split(train_command(data))
    assert words[:2] == ["csvision", "train"]
    trained: schema.TrainConfig = load_config("train", words[2:])
    assert trained.data == data


def test_defaults_are_those_of_the_configuration() -> None:
    data = config_of("data.csv=images.csv").data
    assert {name: getattr(data, name) for name in DEFAULTS} == DEFAULTS
