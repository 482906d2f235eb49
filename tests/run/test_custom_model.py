"""Runs with a custom network: no code is imported from a run directory."""

import json
import random
from pathlib import Path

import numpy as np
import pytest
import torch

import csvision
from csvision.errors import ConfigError, RunError
from csvision.run.directory import RunDirectory
from tests.conftest import SMALL_TRAINING
from tests.run.interrupt import CUSTOM_CODE, CUSTOM_MODEL, train_until

CODE = """
from pathlib import Path
from torch import nn

Path("imported").touch()

class Net(nn.Module):
    def __init__(self, image_shape, num_classes, width):
        super().__init__()
        self.layers = nn.Sequential(
            nn.Flatten(), nn.Linear(64, width), nn.ReLU(), nn.Linear(width, num_classes)
        )

    def forward(self, images):
        return self.layers(images)

class Other(nn.Sequential):
    def __init__(self, image_shape, num_classes, width):
        super().__init__(nn.Flatten(), nn.Linear(64, num_classes))
"""


@pytest.fixture
def custom_run(digits_csv: Path) -> RunDirectory:
    """A run of Net in net.py, which creates the file `imported` whenever it is imported."""
    Path("net.py").write_text(CODE, encoding="utf-8")
    overrides = (*SMALL_TRAINING, *CUSTOM_MODEL, "model.kwargs.width=9", "epochs=1")
    run = RunDirectory(csvision.train(*overrides).directory)
    Path("imported").unlink()
    return run


@pytest.mark.slow
def test_evaluate_predict_and_load_use_the_code_that_is_given(
    custom_run: RunDirectory, digits_csv: Path
) -> None:
    options = ("model.path=net.py:Net", "quiet=true")
    metrics = csvision.evaluate(custom_run.path, *options).metrics
    recorded = json.loads(custom_run.metrics.read_text(encoding="utf-8"))
    assert metrics.items() <= recorded.items()
    result = csvision.predict(custom_run.path, digits_csv, *options)
    classifier = csvision.load(custom_run.path, model_path="net.py:Net")
    assert classifier.network.layers[1].out_features == 9  # type: ignore[union-attr, index]
    images = torch.from_numpy(csvision.read_table(str(digits_csv)).images)
    probabilities = classifier.predict_proba(images).numpy()
    np.testing.assert_allclose(
        result.filter(like="probability ").to_numpy(), probabilities, rtol=1e-5
    )


@pytest.mark.slow
def test_code_named_in_the_run_is_not_imported(custom_run: RunDirectory, digits_csv: Path) -> None:
    for act in (
        lambda: csvision.load(custom_run.path),
        lambda: csvision.evaluate(custom_run.path, "quiet=true"),
        lambda: csvision.predict(custom_run.path, digits_csv, "quiet=true"),
        lambda: csvision.reproduce(custom_run.path),
    ):
        with pytest.raises(RunError, match=r"custom network; write model\.path=FILE\.py:CLASS"):
            act()
    assert not Path("imported").exists()


@pytest.mark.slow
def test_code_of_another_network_is_refused(custom_run: RunDirectory) -> None:
    with pytest.raises(RunError, match="does not contain the weights of this network"):
        csvision.load(custom_run.path, model_path="net.py:Other")


RANDOM_NET = """
import random
import numpy as np
import torch
from torch import nn

class Net(nn.Module):
    def __init__(self, image_shape, num_classes):
        super().__init__()
        self.layers = nn.Sequential(nn.Flatten(), nn.LazyLinear(num_classes))
        self.register_buffer("mask", torch.rand(64), persistent=False)
        self.scale = nn.Parameter(torch.tensor(np.random.rand(), dtype=torch.float32))
        self.shift = random.random()

    def forward(self, images):
        torch.manual_seed(torch.randint(9, (1,)).item())
        noise = torch.rand(64) + random.random() + np.random.rand()
        return self.layers((images.flatten(1) + noise) * self.mask) * self.scale + self.shift
"""
"""A network that draws from all global generators, also in evaluation mode."""


class TestNetworkThatDrawsRandomNumbers:
    @pytest.fixture(autouse=True)
    def files(self, digits_csv: Path) -> None:
        Path("net.py").write_text(RANDOM_NET, encoding="utf-8")

    def train(self) -> RunDirectory:
        return RunDirectory(csvision.train(*SMALL_TRAINING, *CUSTOM_MODEL).directory)

    @pytest.mark.slow
    def test_gives_equal_results_for_equal_seeds(self) -> None:
        np.random.seed(1)
        random.seed(1)
        first = self.train().read_manifest()
        np.random.seed(2)
        random.seed(2)
        second = self.train().read_manifest()
        for name in ("weights_sha256", "predictions_sha256"):
            assert first[name] == second[name]

    @pytest.mark.slow
    def test_gives_the_metrics_and_probabilities_of_the_run_in_evaluations(self) -> None:
        run = self.train()
        metrics = csvision.evaluate(run.path, "model.path=net.py:Net", "quiet=true").metrics
        assert metrics.items() <= json.loads(run.metrics.read_text(encoding="utf-8")).items()
        first, second = (
            csvision.predict(run.path, "digits.csv", "model.path=net.py:Net", "quiet=true")
            for _ in range(2)
        )
        np.testing.assert_array_equal(first.to_numpy(), second.to_numpy())

    @pytest.mark.slow
    def test_can_be_resumed_with_the_same_bits(self) -> None:
        whole = self.train().read_manifest()
        run = train_until(20, (*SMALL_TRAINING, *CUSTOM_MODEL))
        csvision.resume(run.path, "net.py:Net")
        for name in ("weights_sha256", "predictions_sha256"):
            assert run.read_manifest()[name] == whole[name]


@pytest.mark.slow
@pytest.mark.parametrize("act", ["evaluate", "predict"])
def test_exit_in_an_evaluation_is_refused(
    act: str, custom_run: RunDirectory, digits_csv: Path
) -> None:
    # The check of a new network uses two images.
    code = CODE.replace(
        "        return self", "        len(images) > 2 and exit(0)\n        return self"
    )
    Path("net.py").write_text(code, encoding="utf-8")
    files = [digits_csv] if act == "predict" else []
    with pytest.raises(ConfigError, match=r"net\.py, line \d+ calls sys.exit\(0\)"):
        getattr(csvision, act)(custom_run.path, *files, "model.path=net.py:Net", "quiet=true")


class TestResume:
    @pytest.fixture
    def interrupted(self, digits_csv: Path) -> RunDirectory:
        Path("net.py").write_text(CUSTOM_CODE, encoding="utf-8")
        return train_until(20, (*SMALL_TRAINING, *CUSTOM_MODEL))

    @pytest.mark.slow
    def test_gives_the_weights_of_an_uninterrupted_run(self, interrupted: RunDirectory) -> None:
        whole = csvision.train(*SMALL_TRAINING, *CUSTOM_MODEL).directory
        csvision.resume(interrupted.path, "net.py:Net")
        expected = RunDirectory(whole).read_manifest()
        assert interrupted.read_manifest()["weights_sha256"] == expected["weights_sha256"]

    def test_without_its_code_is_refused(self, interrupted: RunDirectory) -> None:
        with pytest.raises(RunError, match=r"custom network; write model\.path=FILE\.py:CLASS"):
            csvision.resume(interrupted.path)

    @pytest.mark.slow
    @pytest.mark.parametrize("path", ["nope.py:Net", "net.py", "net.py:Nope"])
    def test_with_missing_code_is_refused(self, path: str, interrupted: RunDirectory) -> None:
        with pytest.raises(ConfigError, match=f"model.path={path}: "):
            csvision.resume(interrupted.path, path)

    def test_with_other_layers_is_refused(self, interrupted: RunDirectory) -> None:
        code = CUSTOM_CODE.replace("nn.Dropout(0.2)", "nn.BatchNorm1d(64)")
        Path("other.py").write_text(code, encoding="utf-8")
        with pytest.raises(RunError, match="does not contain the weights of this network"):
            csvision.resume(interrupted.path, "other.py:Net")
