"""The notebook docs/tour.ipynb, executed as it is."""

import os
import sys
from pathlib import Path
from typing import Any

import nbformat
import pytest
from nbclient import NotebookClient

from tests.conftest import ROOT

TOUR = ROOT / "docs" / "tour.ipynb"


def read_tour() -> Any:
    return nbformat.read(TOUR, as_version=4)


def test_tour_is_committed_without_outputs() -> None:
    for cell in read_tour().cells:
        assert not cell.get("outputs")
        assert cell.get("execution_count") is None


@pytest.fixture(scope="module")
def outputs(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """The outputs of each code cell by its first line, after all cells were executed in order."""
    home = tmp_path_factory.mktemp("tour")
    notebook = read_tour()
    scripts = str(Path(sys.executable).parent)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PATH", os.pathsep.join([scripts, os.environ["PATH"]]))
        patch.setenv("XDG_CACHE_HOME", str(home / "cache"))
        resources = {"metadata": {"path": str(home)}}
        NotebookClient(notebook, timeout=600, resources=resources).execute()
    return {
        line: cell.outputs
        for cell in notebook.cells
        if cell.cell_type == "code"
        for line in [cell.source.splitlines()[-1]]
    }


@pytest.mark.slow
class TestTour:
    def test_training_shows_a_bar_that_disappears_and_a_line_per_epoch(
        self, outputs: dict[str, Any]
    ) -> None:
        found = outputs['run = csvision.train("model=mlp", "epochs=3", "seed=1")']
        (bar,) = [output for output in found if output.output_type == "display_data"]
        assert bar.data["text/html"] == ""
        text = "".join(output.text for output in found if output.output_type == "stream")
        epochs = [line[:9] for line in text.splitlines() if line.startswith("epoch")]
        assert epochs == ["epoch 1/3", "epoch 2/3", "epoch 3/3"]
        assert "\r" not in text

    def test_run_shows_itself(self, outputs: dict[str, Any]) -> None:
        (result,) = outputs["run"]
        html = result.data["text/html"]
        assert "test/acc" in html
        assert "val/loss" in html
        assert "data:image/png;base64," in html

    def test_inspection_writes_its_page(self, outputs: dict[str, Any]) -> None:
        *_, result = outputs['inspection.directory / "index.html"']
        assert "inspection/index.html" in result.data["text/plain"]

    def test_sweep_has_a_row_per_job(self, outputs: dict[str, Any]) -> None:
        (result,) = outputs["sweep.table"]
        assert result.data["text/html"].count("<tr") == 1 + 4
        assert result.data["text/html"].count("finished") == 4

    def test_comparison_shows_its_settings_and_their_difference(
        self, outputs: dict[str, Any]
    ) -> None:
        (result,) = outputs["comparison"]
        html = result.data["text/html"]
        settings, differences = html.split("<table")[1:]
        assert settings.count("<tr") == 1 + 2
        assert differences.count("<tr") == 1 + 1
        assert "Chosen by the mean of val/acc: model=" in html

    def test_ensemble_of_the_sweep_is_tested_and_predicts(self, outputs: dict[str, Any]) -> None:
        (result,) = outputs['csvision.evaluate(sweep, "quiet=true").metrics']
        assert "'test/acc': 0." in result.data["text/plain"]
        (result,) = outputs['csvision.predict(sweep, "bundled", "quiet=true").head()']
        assert "probability Ankle boot" in result.data["text/html"]

    def test_exported_file_gives_class_names(self, outputs: dict[str, Any]) -> None:
        last = '[exported.metadata["classes"][index] for index in probabilities.argmax(axis=1)]'
        (result,) = outputs[last]
        assert result.data["text/plain"].count("'") == 10

    def test_no_cell_writes_to_standard_error(self, outputs: dict[str, Any]) -> None:
        streams = [each for found in outputs.values() for each in found if "text" in each]
        assert {stream.name for stream in streams} == {"stdout"}
