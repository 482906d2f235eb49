"""Runs to export."""

import numpy as np
import pandas as pd
import pytest

import csvision
from tests.cli.conftest import csvision_command as csvision_command
from tests.conftest import SMALL_CNN, SMALL_TRAINING


@pytest.fixture(scope="session")
def odd_run(tmp_path_factory: pytest.TempPathFactory) -> csvision.TrainResult:
    """A CNN for RGB images of 13x17 from -1 to 1, padded, permuted and normalized by channel.

    Four classes with random images of different brightness in each channel.
    """
    home = tmp_path_factory.mktemp("odd")
    generator = np.random.default_rng(0)
    labels = np.arange(120) % 4
    scale = np.array([0.2, 0.5, 0.9])[:, None, None] * (labels[:, None, None, None] + 1) / 4
    images = generator.uniform(-1, -1 + 2 * scale, (120, 3, 13, 17)).round(3)
    table = pd.DataFrame(images.reshape(120, -1)).add_prefix("pixel")
    table.insert(0, "label", np.array(["ant", "bee", "cat", "dog"])[labels])
    table.to_csv(home / "images.csv", index=False)
    return csvision.train(
        *SMALL_TRAINING,
        *SMALL_CNN,
        f"data.csv={home / 'images.csv'}",
        f"output_dir={home / 'outputs'}",
        "data.cache=none",
        "data.image_shape=[3,13,17]",
        "data.pixel_range=[-1,1]",
        "data.pad=2",
        "data.permutation_seed=1",
        "data.normalize=true",
    )
