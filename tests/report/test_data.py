"""The report on a data set: its counts, its picture, and the command that makes both."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from matplotlib.image import imread

from csvision import config, schema
from csvision.data.split import Part, read_parts, whole
from csvision.data.table import read_table
from csvision.report.data import GAP, describe_data, inspect_data, sample_sheet

SCRIPT = Path(__file__).parents[2] / "scripts" / "inspect_data.py"


def settings(*overrides: str) -> schema.InspectData:
    loaded: schema.InspectData = config.load(config.compose("inspect_data", overrides))
    return loaded


def run_script(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, SCRIPT, *arguments],
        env=os.environ,
        capture_output=True,
        text=True,
        check=False,
    )


def write_colours(rows: int) -> None:
    """Images 3x2x2 of two classes, the red, green and blue of a pixel in turn."""
    generator = np.random.default_rng(0)
    table = pd.DataFrame(generator.integers(0, 256, (rows, 12)))
    table.insert(0, "label", ["cat", "dog"] * (rows // 2))
    table.to_csv("colours.csv", index=False)


def sheet(part: Part) -> np.ndarray:
    """The picture of a part's samples as it is drawn, a pixel an element."""
    (axes,) = sample_sheet(part).axes
    (picture,) = axes.images
    return np.asarray(picture.get_array())


def test_the_rows_of_each_class_are_counted_in_each_part(digits_csv: Path) -> None:
    parts = read_parts(settings(f"data.csv={digits_csv}", "data.val_size=0.2").data)
    lines = describe_data(parts).splitlines()
    assert lines[0] == "images of 1x8x8 (channels x height x width), pixels from 0 to 255"
    assert lines[1].split() == ["label", "class", "train", "val", "test"]
    labels = pd.read_csv(digits_csv)["label"].to_numpy()
    named = (parts.train, parts.val, parts.test)
    for digit, line in enumerate(lines[2:12]):
        counts = [int((labels[part.rows] == digit).sum()) for part in named]
        assert line.split() == [str(digit), str(digit), *map(str, counts)]
    assert lines[12:] == ["train 192  val 48  test 60", "nothing remarkable"]


def test_names_shares_and_what_is_remarkable_are_told() -> None:
    lines = ["label,a", *(f"{row % 2},{row / 100}" for row in range(60)), "1,0.0"]
    Path("shares.csv").write_text("\n".join(lines), encoding="utf-8")
    parts = read_parts(settings("data.csv=shares.csv", "data.classes=[cat,dog,owl]").data)
    report = describe_data(parts)
    assert "pixels from 0 to 1, kept as 256 shades" in report
    assert "no training row is of class owl" in report
    assert "images are of one shade" in report
    assert "nothing remarkable" not in report


def test_the_picture_has_a_row_for_each_class() -> None:
    lines = ["label,a,b,c,d", "7,1,2,3,4", "5,9,9,9,0", "7,5,6,7,8"]
    Path("images.csv").write_text("\n".join(lines), encoding="utf-8")
    drawn = sheet(whole(read_table("images.csv", cache="none")))
    assert drawn[:2, :2].tolist() == [[9, 9], [9, 0]]
    assert drawn[2 + GAP : 4 + GAP, :2].tolist() == [[1, 2], [3, 4]]
    assert drawn[2 + GAP : 4 + GAP, 2 + GAP : 4 + GAP].tolist() == [[5, 6], [7, 8]]
    assert (drawn[2 : 2 + GAP] == 255).all()


def test_the_picture_shows_colours() -> None:
    write_colours(4)
    table = read_table("colours.csv", image_shape=[3, 2, 2], layout="channels_last", cache="none")
    drawn = sheet(whole(table))
    pixels = pd.read_csv("colours.csv").iloc[:, 1:].to_numpy().reshape(4, 2, 2, 3)
    np.testing.assert_array_equal(drawn[:2, :2], pixels[0])
    np.testing.assert_array_equal(drawn[2 + GAP : 4 + GAP, :2], pixels[1])
    np.testing.assert_array_equal(drawn[:2, 2 + GAP : 4 + GAP], pixels[2])


def test_a_class_without_a_row_and_signs_of_formulas_can_be_drawn() -> None:
    Path("images.csv").write_text("label,a\n0,1\n2,2\n", encoding="utf-8")
    classes = "data.classes=['$x$','$','__']"
    arguments = ("data.csv=images.csv", "data.test_csv=images.csv", "data.val_size=0.0", classes)
    assert inspect_data(settings(*arguments)).exists()


def test_the_command_prints_the_report_and_draws_the_samples() -> None:
    write_colours(40)
    shape = ("data.image_shape=[3,2,2]", "data.layout=channels_last")
    finished = run_script("data.csv=colours.csv", *shape, "outputs=my looks")
    assert finished.returncode == 0, finished.stderr
    *report, picture = finished.stdout.splitlines()
    overrides = ("data.csv=colours.csv", *shape)
    assert report == describe_data(read_parts(settings(*overrides).data)).splitlines()
    assert Path(picture).parent == Path("my looks/inspections")
    assert Path(picture).read_bytes().startswith(b"\x89PNG\r\n\x1a\n")
    height, width, _ = imread(picture).shape
    assert height > 50
    assert width > 500
    assert not finished.stderr


def test_the_command_tells_all_faults_of_a_broken_file() -> None:
    lines = ["label,a,b,c,d", "0,1,2,3,4", "1,x,2,3,4", "0,1,2,3", "1,1,2,300,"]
    Path("broken.csv").write_text("\n".join(lines), encoding="utf-8")
    refused = run_script("data.csv=broken.csv")
    assert refused.returncode == 2
    assert refused.stderr.splitlines() == [
        "error: broken.csv, line 3, column a: 'x' is no number",
        "error: broken.csv, line 4: 4 cells where the header has 5",
        "error: broken.csv, line 5, column c: '300' is outside 0 to 255",
        "error: broken.csv, line 5, column d: '' is missing",
    ]
    assert not refused.stdout
    assert not Path("outputs").exists()


@pytest.mark.parametrize(
    "wrong", ["data.csv=absent.csv", "data.vsc=digits.csv", "data=fmnist_smal"]
)
def test_wrong_arguments_are_refused_in_one_line(wrong: str) -> None:
    with pytest.raises(ValueError, match=r"absent|vsc|fmnist_smal") as refused:
        inspect_data(settings("data.csv=digits.csv", wrong))
    assert "\n" not in str(refused.value)
