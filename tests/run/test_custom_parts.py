"""Runs with a loss, a metric and a transform of the user's own."""

import hashlib
import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch

import csvision
from csvision.errors import ConfigError, RunError
from csvision.run.code_paths import OtherCode
from csvision.run.directory import RunDirectory
from tests.conftest import ROOT, SMALL_MLP, SMALL_TRAINING, reproducible_results
from tests.run.interrupt import train_until

CODE = """
from pathlib import Path
import torch
import torch.nn.functional as F
from torch import nn
from torchmetrics import Metric

Path("imported").touch()

class Focal(nn.Module):
    def __init__(self, num_classes, gamma=2.0):
        super().__init__()
        self.gamma = gamma

    def forward(self, logits, labels):
        p = logits.softmax(dim=1).gather(1, labels[:, None])[:, 0]
        return (F.cross_entropy(logits, labels, reduction="none") * (1 - p) ** self.gamma).mean()

class TopTwo(Metric):
    def __init__(self, num_classes):
        super().__init__()
        self.add_state("correct", torch.tensor(0), dist_reduce_fx="sum")
        self.add_state("count", torch.tensor(0), dist_reduce_fx="sum")

    def update(self, logits, labels):
        self.correct += (logits.topk(2, dim=1).indices == labels[:, None]).sum()
        self.count += len(labels)

    def compute(self):
        return self.correct / self.count

class Crop(nn.Module):
    def __init__(self, image_shape, margin=1):
        super().__init__()
        self.margin = margin

    def forward(self, images):
        m = self.margin
        images = images[:, :, m:-m, m:-m]
        if self.training:
            images = torch.where(torch.rand(len(images), 1, 1, 1) < 0.5, images, images // 2)
        return images
"""

PARTS = {"loss": "Focal", "metric": "TopTwo", "transform": "Crop"}
ALL = tuple(f"{part}.path=parts.py:{name}" for part, name in PARTS.items())
RUN = (*SMALL_TRAINING, *SMALL_MLP, *ALL, "monitor=val/TopTwo")


@pytest.fixture(autouse=True)
def code(digits_csv: Path) -> Path:
    path = digits_csv.with_name("parts.py")
    path.write_text(CODE, encoding="utf-8")
    return path


class TestRun:
    @pytest.fixture
    def run(self) -> RunDirectory:
        overrides = (*RUN, "loss.kwargs.gamma=1.5", "transform.kwargs.margin=2", "epochs=1")
        run = RunDirectory(csvision.train(*overrides).directory)
        Path("imported").unlink()
        return run

    @pytest.mark.slow
    def test_uses_and_records_all_parts(self, run: RunDirectory, code: Path) -> None:
        metrics = json.loads(run.metrics.read_text(encoding="utf-8"))
        table = pd.read_csv(run.path / "predictions.csv")
        probabilities = table.filter(like="probability ").to_numpy()
        top = np.argsort(probabilities, axis=1)[:, -2:]
        labels = table["label"].to_numpy()
        assert metrics["test/TopTwo"] == pytest.approx((top == labels[:, None]).any(axis=1).mean())
        # Validation and test have the loss of every other run, so that runs can be compared.
        loss = -np.log(probabilities[np.arange(len(labels)), labels]).mean()
        assert metrics["test/loss"] == pytest.approx(loss, rel=1e-4)
        manifest = run.read_manifest()
        sha256 = hashlib.sha256(code.read_bytes()).hexdigest()
        assert [manifest["code"][f"{part}.path"] for part in PARTS] == [sha256] * 3
        # The network gets images of 8 - 2 * 2 pixels.
        weight = torch.load(run.last)["state_dict"]["network.dense.0.linear.weight"]
        assert weight.shape == (16, 4 * 4)

    @pytest.mark.slow
    def test_evaluate_predict_and_load_use_the_code_that_is_given(self, run: RunDirectory) -> None:
        parts = ("metric.path=parts.py:TopTwo", "transform.path=parts.py:Crop")
        metrics = csvision.evaluate(run.path, *parts, "quiet=true").metrics
        assert metrics.items() <= json.loads(run.metrics.read_text(encoding="utf-8")).items()
        assert "test/TopTwo" in metrics
        predicted = csvision.predict(run.path, "digits.csv", parts[1], "quiet=true")
        classifier = csvision.load(run.path, transform_path="parts.py:Crop")
        images = torch.from_numpy(csvision.read_table("digits.csv").images)
        found = predicted.filter(like="probability ").to_numpy()
        np.testing.assert_allclose(found, classifier.predict_proba(images).numpy(), rtol=1e-5)

    @pytest.mark.slow
    def test_code_named_in_the_run_is_not_imported(self, run: RunDirectory) -> None:
        others: OtherCode = {"metric_path": "parts.py:TopTwo", "transform_path": "parts.py:Crop"}
        with pytest.raises(RunError, match=r"custom transform; write transform\.path=FILE\.py:C"):
            csvision.load(run.path)
        with pytest.raises(RunError, match=r"custom metric; write metric\.path=FILE\.py:CLASS"):
            csvision.evaluate(run.path, "transform.path=parts.py:Crop")
        with pytest.raises(RunError, match=r"custom loss; write loss\.path=FILE\.py:CLASS"):
            csvision.reproduce(run.path, **others)
        with pytest.raises(RunError, match="custom transform"):
            csvision.predict(run.path, "digits.csv")
        assert not Path("imported").exists()

    @pytest.mark.slow
    def test_reproduction_is_identical(self, run: RunDirectory) -> None:
        assert csvision.reproduce(
            run.path,
            loss_path="parts.py:Focal",
            metric_path="parts.py:TopTwo",
            transform_path="parts.py:Crop",
        ).equal


@pytest.mark.slow
def test_resumed_run_equals_an_uninterrupted_one() -> None:
    expected = reproducible_results(RunDirectory(csvision.train(*RUN).directory))
    run = train_until(21, RUN)
    with pytest.raises(RunError, match="custom loss"):
        csvision.resume(run.path, transform_path="parts.py:Crop")
    csvision.resume(
        run.path,
        loss_path="parts.py:Focal",
        metric_path="parts.py:TopTwo",
        transform_path="parts.py:Crop",
    )
    assert reproducible_results(run) == expected


def with_body(name: str, base: str, body: str, argument: str = "num_classes") -> str:
    """Return code of a class with one method."""
    return (
        "import torch\nfrom torch import nn\nfrom torchmetrics import Metric\n"
        f"class {name}({base}):\n"
        f"    def __init__(self, {argument}):\n        super().__init__()\n"
        f"        self.prepare()\n"
        f"    def prepare(self):\n        pass\n{body}"
    )


FORWARD = "    def forward(self, a, b=None):\n        return "

REFUSED = {
    "loss that is a vector": ("loss", FORWARD + "a.sum(dim=1)", r"of the shape \(2,\)"),
    "loss that is a number": ("loss", FORWARD + "1.0", "returns float; it must return a tensor"),
    "loss without gradient": ("loss", FORWARD + "a.detach().sum()", "does not depend on the logit"),
    "loss without forward": ("loss", "", "forward"),
    "loss with weights": (
        "loss",
        "    def prepare(self):\n        self.w = nn.Parameter(torch.ones(1))",
        "w is a parameter or a saved buffer",
    ),
    "loss that ends the process": ("loss", FORWARD + "exit(0)", r"calls sys\.exit\(0\)"),
    "transform to floats": ("transform", FORWARD + "a / 2", "uint8 images returns torch.float32"),
    "transform to vectors": ("transform", FORWARD + "a.flatten(1)", r"must return \(2, 1, height"),
    "transform to nothing": ("transform", FORWARD + "a[:, :, :0]", r"must return \(2, 1, height"),
    "metric that computes a list": (
        "metric",
        "    def update(self, a, b):\n        pass\n    def compute(self):\n        return [1]",
        r"compute\(\) returns list",
    ),
}


@pytest.mark.slow
@pytest.mark.parametrize(("part", "body", "message"), REFUSED.values(), ids=REFUSED)
def test_unusable_code_is_refused_before_anything_is_written(
    part: str, body: str, message: str
) -> None:
    base = "Metric" if part == "metric" else "nn.Module"
    argument = "image_shape" if part == "transform" else "num_classes"
    Path("bad.py").write_text(with_body("Bad", base, body, argument), encoding="utf-8")
    with pytest.raises(ConfigError, match=message) as raised:
        csvision.train(*SMALL_TRAINING, *SMALL_MLP, f"{part}.path=bad.py:Bad")
    assert raised.value.messages[0].startswith(f"{part}.path=bad.py:Bad: ")
    assert not Path("outputs").exists()


@pytest.mark.parametrize(
    ("override", "message"),
    [
        ("loss.path=parts.py", r"loss\.path=parts\.py: not FILE\.py:CLASS"),
        ("loss.path=nope.py:Focal", r"loss\.path=nope\.py:Focal: nope\.py does not exist"),
        ("metric.path=parts.py:Focal", r"parts\.py defines no torchmetrics\.Metric named Focal"),
        ("transform.path=parts.py:Nope", r"parts\.py defines no nn\.Module named Nope"),
        ("loss.path=parts.py:Crop", r"it is called with num_classes= and loss\.kwargs=\{\}"),
    ],
)
def test_wrong_path_is_refused(override: str, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        csvision.train(*SMALL_TRAINING, *SMALL_MLP, override)


@pytest.mark.slow
def test_documented_code_can_be_trained(code: Path) -> None:
    text = (ROOT / "docs" / "training.md").read_text(encoding="utf-8")
    code.write_text(text.partition("```python\n")[2].partition("```")[0], encoding="utf-8")
    options = ("loss.kwargs.gamma=1", "loss.path=parts.py:Focal", "metric.path=parts.py:TopTwo")
    transform = ("monitor=val/TopTwo", "transform.path=parts.py:Crop", "epochs=1")
    metrics = csvision.train(*SMALL_TRAINING, *SMALL_MLP, *options, *transform).metrics
    assert 0 <= metrics["test/TopTwo"] <= 1
