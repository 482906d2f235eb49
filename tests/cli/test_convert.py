"""The command convert: what it writes and prints."""

import shlex
from pathlib import Path

import numpy as np
import pytest

import csvision
from csvision.config import schema
from csvision.config.compose import load_config
from tests.cli.conftest import RunCommand
from tests.data.conventions.images import Content, gray
from tests.data.conventions.write import pixel_names, rows_of, write_csv


@pytest.mark.slow
def test_command_prints_how_to_train(csvision_command: RunCommand) -> None:
    dark = Content(np.minimum(gray(height=3, width=7).images, 9), gray().labels)
    path = write_csv(rows_of(dark), ["label", *pixel_names(21)])
    keys = ("data.image_shape=[1,3,7]", "data.pixel_range=255")
    output = csvision_command("convert", f"data.csv={path}", "out=my clean.csv", *keys).out
    *_, command, result = output.splitlines()
    assert result == "my clean.csv"
    words = shlex.split(command.partition(": ")[2])
    assert words[:2] == ["csvision", "train"]
    trained: schema.TrainConfig = load_config("train", words[2:])
    table = csvision.load_splits(trained.data).train.table
    np.testing.assert_array_equal(table.images, dark.images)


def test_file_without_labels_is_converted(csvision_command: RunCommand) -> None:
    content = gray()
    path = write_csv(rows_of(content, None), pixel_names(25))
    csvision_command("convert", f"data.csv={path}", "out=clean.csv")
    assert Path("clean.csv").read_text(encoding="utf-8").startswith("pixel0,pixel1,")
