"""Inspecting a run: what is found, what is written, and what is refused."""

import json
from dataclasses import fields
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch
from PIL import Image
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

import csvision
from csvision.errors import ConfigError, RunError
from csvision.inspection.attributions import Attribution
from csvision.inspection.filters import Filters
from csvision.inspection.result import Inspection
from csvision.run.directory import RunDirectory
from tests.conftest import SMALL_MLP, SMALL_TRAINING
from tests.inspection.conftest import COLOR_SHAPE

pytestmark = pytest.mark.slow

OPTIONS = ("device=cpu", "quiet=true")


def read_json(folder: Path) -> dict[str, Any]:
    content: dict[str, Any] = json.loads((folder / "inspection.json").read_text(encoding="utf-8"))
    return content


class TestResult:
    def test_predictions_are_those_of_the_run(
        self, small_inspection: Inspection, small_run_result: csvision.TrainResult
    ) -> None:
        trained = small_run_result.evaluation
        np.testing.assert_array_equal(
            small_inspection.evaluation.probabilities, trained.probabilities
        )
        assert small_inspection.calibration.accuracy.value == pytest.approx(
            small_run_result.metrics["test/acc"]
        )

    def test_everything_applies_to_a_cnn(self, small_inspection: Inspection) -> None:
        assert small_inspection.missing == []
        methods = [each.method for each in attributions(small_inspection)]
        assert methods == ["Grad-CAM", "occlusion", "integrated gradients"]

    def test_initial_weights_are_verified_by_their_hash(self, small_inspection: Inspection) -> None:
        filters = small_inspection.filters
        assert isinstance(filters, Filters)
        assert "verified" in filters.initial_status
        assert filters.initial is not None
        assert filters.changes is not None
        assert min(filters.changes) > 0

    def test_control_has_other_weights(self, small_inspection: Inspection) -> None:
        for each in attributions(small_inspection):
            assert not np.allclose(each.trained, each.control)

    def test_rows_are_right_and_wrong(self, small_inspection: Inspection) -> None:
        assert {row.correct for row in small_inspection.rows} == {True, False}
        counts = [row.correct for row in small_inspection.rows]
        assert counts == [True] * 3 + [False] * 3

    def test_numbers_are_in_the_json_file(self, small_inspection: Inspection) -> None:
        content = read_json(small_inspection.directory)
        assert content["calibration"]["error"] == small_inspection.calibration.error
        assert [row["row"] for row in content["rows"]] == [row.row for row in small_inspection.rows]
        assert len(content["answers"]) == 8
        assert content["not_applicable"] == []
        names = {entry.name for entry in fields(Inspection) if entry.repr}
        assert names <= content.keys()


def attributions(inspection: Inspection) -> list[Attribution]:
    return [each for each in inspection.attributions if isinstance(each, Attribution)]


class TestColorImages:
    def test_odd_sizes_are_kept(self, color_inspection: Inspection) -> None:
        assert color_inspection.images.shape[1:] == COLOR_SHAPE
        assert isinstance(color_inspection.filters, Filters)
        assert color_inspection.filters.trained.shape == (4, 3, 3, 3)
        grad_cam, occlusion, gradients = attributions(color_inspection)
        assert grad_cam.trained.shape[1:] == (6, 8)
        assert occlusion.trained.shape[1:] == (7, 9)
        assert gradients.trained.shape[1:] == (13, 17)


class TestOptions:
    def test_given_rows_are_shown_in_their_order(self, small_run: RunDirectory) -> None:
        rows = pd.read_csv(small_run.path / "predictions.csv")["row"].tolist()[:2][::-1]
        found = csvision.inspect(small_run.path, f"rows={rows}".replace(" ", ""), *OPTIONS)
        assert [row.row for row in found.rows] == rows
        assert found.directory == small_run.path / "inspection"
        images = csvision.read(small_run.path, small_run.read_config().data.csv).images
        np.testing.assert_array_equal(found.images, images[rows])

    def test_row_that_is_no_test_row_is_refused(self, small_run: RunDirectory) -> None:
        used = pd.read_csv(small_run.path / "predictions.csv")["row"]
        other = next(row for row in range(300) if row not in set(used))
        with pytest.raises(ConfigError, match=f"rows: row {other} of the file is not a test row"):
            csvision.inspect(small_run.path, f"rows=[{other}]", *OPTIONS)
        assert not (small_run.path / "inspection").exists()

    def test_moved_file_is_named_by_data_csv(self, small_run: RunDirectory) -> None:
        manifest = small_run.read_manifest()
        csv = Path(manifest["config"]["data"]["csv"])
        manifest["config"]["data"]["csv"] = str(csv.with_name("gone.csv"))
        small_run.write_manifest(manifest)
        with pytest.raises(RunError, match=r"gone\.csv.*does not exist; .*data\.csv=FILE"):
            csvision.inspect(small_run.path, *OPTIONS)
        found = csvision.inspect(small_run.path, f"data.csv={csv}", *OPTIONS)
        assert len(found.evaluation.subset) == 60

    def test_run_with_other_initial_weights_shows_none(self, small_run: RunDirectory) -> None:
        small_run.update_manifest(initial_weights_sha256="0" * 64)
        filters = csvision.inspect(small_run.path, *OPTIONS).filters
        assert isinstance(filters, Filters)
        assert filters.initial is None
        assert "differ from initial_weights_sha256" in filters.initial_status

    def test_run_of_an_earlier_version_is_not_verified(self, small_run: RunDirectory) -> None:
        manifest = small_run.read_manifest()
        del manifest["initial_weights_sha256"]
        small_run.write_manifest(manifest)
        filters = csvision.inspect(small_run.path, *OPTIONS).filters
        assert isinstance(filters, Filters)
        assert filters.initial is not None
        assert "not verified" in filters.initial_status

    def test_files_are_replaced(self, small_run: RunDirectory) -> None:
        folder = csvision.inspect(small_run.path, *OPTIONS).directory
        before = sorted(path.name for path in folder.iterdir())
        assert before == ["index.html", "inspection.json"]
        first = read_json(folder)
        csvision.inspect(small_run.path, *OPTIONS)
        assert sorted(path.name for path in folder.iterdir()) == before
        assert read_json(folder) == first

    def test_folder_that_cannot_be_created_is_refused_before_predicting(
        self, small_run: RunDirectory, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("csvision.inspection.inspect.evaluate_split", pytest.fail)
        with pytest.raises((ConfigError, RunError), match="/proc/x"):
            csvision.inspect(small_run.path, "output_dir=/proc/x", *OPTIONS)

    def test_failed_inspection_leaves_no_folder(
        self, small_run: RunDirectory, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def fail(*arguments: object) -> None:
            raise OSError("disk full")

        monkeypatch.setattr("csvision.inspection.inspect.write_inspection", fail)
        with pytest.raises(OSError, match="disk full"):
            csvision.inspect(small_run.path, *OPTIONS)
        assert not (small_run.path / "inspection").exists()


class TestOtherRuns:
    @pytest.mark.usefixtures("digits_csv")
    def test_mlp_has_weights_as_images_and_no_grad_cam(self) -> None:
        run = csvision.train(*SMALL_TRAINING, *SMALL_MLP, "epochs=1")
        found = csvision.inspect(run, *OPTIONS)
        assert isinstance(found.filters, Filters)
        assert found.filters.trained.shape == (16, 1, 8, 8)
        (missing,) = found.missing
        assert missing.analysis == "Grad-CAM"
        assert "no convolution" in missing.reason

    @pytest.mark.usefixtures("digits_csv")
    def test_transforms_and_double_precision(self) -> None:
        run = csvision.train(
            *SMALL_TRAINING,
            "epochs=1",
            "data.normalize=true",
            "data.pad=1",
            "data.permutation_seed=3",
            "accelerator.precision=64-true",
            "logger=tensorboard",
        )
        found = csvision.inspect(run, *OPTIONS)
        assert found.missing == []
        assert found.images.shape[1:] == (1, 10, 10)
        images = torch.from_numpy(found.evaluation.subset.table.images[[found.rows[0].row]])
        expected = run.classifier.transform(images)
        np.testing.assert_array_equal(found.images[:1], expected.numpy())
        tags = EventAccumulator(str(found.directory)).Reload().Tags()["images"]
        assert {"filters/trained", "filters/initial", "charts/reliability"} <= set(tags)
        row = found.rows[0].row
        assert f"feature maps of row {row}/stages.0.convolution" in tags
        assert f"attributions of row {row}/Grad-CAM, control" in tags

    def test_custom_network_names_what_does_not_apply(self, digits_csv: Path) -> None:
        Path("net.py").write_text(CUSTOM, encoding="utf-8")
        model = ("model=custom", "model.path=net.py:Net")
        run = csvision.train(*SMALL_TRAINING, "epochs=1", *model)
        found = csvision.inspect(run, "model.path=net.py:Net", *OPTIONS)
        assert isinstance(found.filters, Filters)
        assert found.filters.layer == "first"
        reasons = {each.analysis: each.reason for each in found.missing}
        assert reasons.keys() == {"integrated gradients", "Grad-CAM"}
        assert "no gradients, please" in reasons["integrated gradients"]
        page = (found.directory / "index.html").read_text(encoding="utf-8")
        assert "no gradients, please" in page


CUSTOM = """
from torch import nn

class Net(nn.Module):
    def __init__(self, image_shape, num_classes):
        super().__init__()
        self.first = nn.Conv2d(1, 3, 3)
        self.last = nn.Linear(3, num_classes)

    def forward(self, images):
        if images.requires_grad:
            raise ValueError("no gradients, please")
        return self.last(self.first(images).relu().mean((2, 3)))
"""


def test_page_of_a_folder_says_that_rows_are_images(
    small_inspection: Inspection, working_folder: Path
) -> None:
    rng = np.random.default_rng(0)
    for name in ("dark", "light"):
        folder = working_folder / "images" / name
        folder.mkdir(parents=True)
        for number in range(20):
            low = 0 if name == "dark" else 128
            pixels = rng.integers(low, low + 128, (6, 6), dtype=np.uint8)
            Image.fromarray(pixels).save(folder / f"{number}.png")
    run = csvision.train(*SMALL_TRAINING, *SMALL_MLP, "data.csv=images", "epochs=1")
    found = csvision.inspect(run, *OPTIONS)
    text = (found.directory / "index.html").read_text(encoding="utf-8")
    assert "A row is an image of the folder" in text
    assert f"row {found.rows[0].row} ({found.rows[0].id})" in text
    other = (small_inspection.directory / "index.html").read_text(encoding="utf-8")
    assert "A row is a row of the data file" in other
