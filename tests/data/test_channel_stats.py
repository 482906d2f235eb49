"""Channel statistics agree with numpy."""

from pathlib import Path

import numpy as np
import polars
import pytest

import csvision
from csvision.data import channel_stats as channel_stats_module
from csvision.data.channel_stats import channel_stats
from csvision.data.read_options import ReadOptions
from csvision.data.splits import Subset, load_splits
from csvision.data.table import ImageTable, read_table

SHAPE = (3, 4, 5)
ROWS = 40


@pytest.fixture
def table() -> ImageTable:
    """Return color images: brightness and contrast differ by channel, brightness also by row."""
    generator = np.random.default_rng(0)
    lows, highs = np.array([0, 100, 30]), np.array([256, 120, 31])
    pixels = generator.integers(lows[:, None, None], highs[:, None, None], (ROWS, *SHAPE))
    pixels[ROWS // 2 :] //= 2
    columns = polars.DataFrame(pixels.reshape(ROWS, -1), orient="row")
    columns.insert_column(0, polars.Series("label", [0, 1] * (ROWS // 2))).write_csv("images.csv")
    return read_table("images.csv", ReadOptions(image_shape=SHAPE, cache="none"))


def numpy_stats(subset: Subset) -> tuple[list[float], list[float]]:
    values = subset.table.images[subset.indices] / 255
    return values.mean(axis=(0, 2, 3)).tolist(), values.std(axis=(0, 2, 3)).tolist()


@pytest.mark.parametrize("chunk_rows", [1, 7, 10, 4096])
def test_equals_numpy_for_every_chunk_size(
    table: ImageTable, chunk_rows: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(channel_stats_module, "CHUNK_ROWS", chunk_rows)
    mean, std = channel_stats(Subset.full(table))
    expected_mean, expected_std = numpy_stats(Subset.full(table))
    assert mean == pytest.approx(expected_mean, rel=1e-12)
    assert std == pytest.approx(expected_std, rel=1e-12)


def test_uses_only_the_rows_of_the_subset(table: ImageTable) -> None:
    subset = Subset(table, np.array([3, 30, 7, 3]))
    mean, std = channel_stats(subset)
    assert mean == pytest.approx(numpy_stats(subset)[0], rel=1e-12)
    assert std == pytest.approx(numpy_stats(subset)[1], rel=1e-12)
    assert mean != pytest.approx(numpy_stats(Subset.full(table))[0], rel=0.01)


def test_std_of_a_constant_channel_is_1() -> None:
    pixels = {"a": [0, 0], "b": [255, 255], "c": [51, 51], "d": [0, 255]}
    polars.DataFrame({"label": [0, 1]} | pixels).write_csv("images.csv")
    table = read_table("images.csv", ReadOptions(image_shape=[4, 1, 1], cache="none"))
    mean, std = channel_stats(Subset.full(table))
    assert mean == pytest.approx([0, 1, 0.2, 0.5])
    assert std == [1, 1, 1, 0.5]


@pytest.mark.slow
def test_a_run_normalizes_by_its_training_rows_only(digits_csv: Path) -> None:
    trained = csvision.train(
        "data=csv",
        f"data.csv={digits_csv}",
        "data.normalize=true",
        "model=mlp",
        "model.hidden=[]",
        "epochs=1",
        "accelerator=cpu",
        "logger=none",
        "quiet=true",
    )
    mean, std = numpy_stats(load_splits(trained.config.data).train)
    for classifier in (trained.classifier, csvision.load(trained.directory)):
        assert classifier.mean.flatten().tolist() == pytest.approx(mean)
        assert classifier.std.flatten().tolist() == pytest.approx(std)
    images = trained.splits.train.table.images[trained.splits.train.indices]
    assert abs(images.mean() / 255 - mean[0]) < 1e-9
