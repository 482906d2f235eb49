"""Exporting a run, and using the files without csvision."""

import json
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import onnxruntime
import pandas as pd
import pytest
import torch
from numpy.typing import NDArray

import csvision
from csvision.errors import ConfigError, RunError
from csvision.exporting import verify
from csvision.exporting.export import int8_warning
from csvision.run.directory import RunDirectory
from tests.cli.conftest import RunCommand
from tests.conftest import ROOT, SMALL_MLP, SMALL_TRAINING
from tests.run.interrupt import CUSTOM_CODE, CUSTOM_MODEL


def first_images(run: csvision.TrainResult, count: int) -> NDArray[np.uint8]:
    """Return the first test images of a run (count, C, H, W)."""
    test = run.splits.test
    return test.table.images[test.indices[:count]]


def read_metadata(session: onnxruntime.InferenceSession) -> dict[str, object]:
    metadata = session.get_modelmeta().custom_metadata_map
    return {name: json.loads(text) for name, text in metadata.items()}


@pytest.mark.slow
class TestOnnx:
    def test_file_gives_the_probabilities_of_the_run_for_every_number_of_images(
        self, odd_run: csvision.TrainResult
    ) -> None:
        result = csvision.export(odd_run, "onnx", "quiet=true")
        session = onnxruntime.InferenceSession(result.path)
        for count in (1, 3, 24):
            images = first_images(odd_run, count)
            assert images.dtype == np.uint8
            assert images.shape == (count, 3, 13, 17)
            (found,) = session.run(None, {"images": images})
            np.testing.assert_allclose(found, odd_run.evaluation.probabilities[:count], atol=1e-5)
        assert len(set(found.argmax(axis=1))) > 1
        assert 0 <= result.max_difference < 1e-5

    def test_metadata_are_in_the_file_and_in_the_report(
        self, odd_run: csvision.TrainResult
    ) -> None:
        result = csvision.export(odd_run, "onnx", "quiet=true")
        found = read_metadata(onnxruntime.InferenceSession(result.path))
        manifest = RunDirectory(odd_run.directory).read_manifest()
        assert found == result.metadata
        assert found["classes"] == found["label_values"] == ["ant", "bee", "cat", "dog"]
        assert (found["image_shape"], found["pixel_range"]) == ([3, 13, 17], [-1.0, 1.0])
        assert found["run"] == odd_run.directory.name
        assert found["weights_sha256"] == manifest["weights_sha256"]
        report = json.loads((result.path.parent / "export.json").read_text(encoding="utf-8"))
        assert report["metadata"] == found
        assert report["max_difference"] == result.max_difference
        assert str(ROOT).encode() not in result.path.read_bytes()

    def test_int8_is_calibrated_on_training_rows_and_reported_beside_fp32(
        self, small_run: RunDirectory, capsys: pytest.CaptureFixture[str]
    ) -> None:
        result = csvision.export(small_run.path, "onnx", "quantize=int8")
        assert result.int8_path is not None
        assert result.scores.keys() == {"fp32", "int8"}
        metrics = json.loads(small_run.metrics.read_text(encoding="utf-8"))
        fp32, int8 = result.scores["fp32"], result.scores["int8"]
        assert fp32["accuracy"] == pytest.approx(metrics["test/acc"], abs=1e-6)
        assert abs(int8["accuracy"] - fp32["accuracy"]) < 0.1
        assert int8["bytes"] == result.int8_path.stat().st_size < fp32["bytes"]
        assert min(fp32["images_per_second"], int8["images_per_second"]) > 0
        first, second = (
            line for line in capsys.readouterr().out.splitlines() if ": accuracy " in line
        )
        assert first.startswith(f"fp32: accuracy {fp32['accuracy']:.4f}")
        assert second.startswith(f"int8: accuracy {int8['accuracy']:.4f}")
        assert read_metadata(onnxruntime.InferenceSession(result.int8_path)) == result.metadata

    @pytest.mark.parametrize(("int8", "warns"), [(0.9, False), (0.895, False), (0.88, True)])
    def test_loss_of_accuracy_by_quantization_is_a_warning(self, int8: float, warns: bool) -> None:
        warning = int8_warning({"fp32": {"accuracy": 0.9}, "int8": {"accuracy": int8}})
        assert warning.startswith("int8: 2.0 points of accuracy are lost") is warns
        assert bool(warning) is warns

    def test_paths_of_both_files_are_printed(
        self, small_run: RunDirectory, csvision_command: RunCommand
    ) -> None:
        words = (f"run={small_run.path}", "quantize=int8", "quiet=true")
        fp32, int8 = csvision_command("export", *words).out.splitlines()[-2:]
        assert [Path(path).name for path in (fp32, int8)] == ["model.onnx", "model_int8.onnx"]
        assert Path(fp32).is_file()
        assert Path(int8).is_file()

    def test_example_in_the_documentation_needs_no_csvision(
        self, small_run: RunDirectory, digits_csv: Path
    ) -> None:
        self.run_example(small_run.path, digits_csv)

    def test_example_in_the_documentation_reads_labels_of_text(
        self, odd_run: csvision.TrainResult, working_folder: Path
    ) -> None:
        source = odd_run.directory.parents[2] / "images.csv"
        table = pd.read_csv(source)
        # A comma and a number sign, which loadtxt would take for a comment, in quotes.
        table["label"] = table["label"].map({"ant": "ant, red", "bee": "#bee"}).fillna("cat")
        table.to_csv("unknown.csv", index=False)
        self.run_example(odd_run.directory, source, given=Path("unknown.csv"))

    def run_example(self, run: Path, csv: Path, given: Path | None = None) -> None:
        """Run the example on `given` (default: `csv`); compare it with predictions for `csv`."""
        (code,) = re.findall("```python\n(.*?)```", (ROOT / "docs/export.md").read_text(), re.S)
        assert len([line for line in code.splitlines() if line]) <= 16
        csvision.export(run, "onnx", "quiet=true").path.rename("model.onnx")
        expected = csvision.predict(run, csv, "quiet=true")
        (given or csv).rename("images.csv")
        program = f"{code}\nimport sys\nassert not {{'csvision', 'torch'}} & set(sys.modules)"
        ended = subprocess.run(
            [sys.executable, "-c", program], capture_output=True, text=True, check=True
        )
        lines = [line.split() for line in ended.stdout.splitlines()]
        assert [(int(row), name) for row, name, _ in lines] == [
            *zip(expected["row"], expected["prediction"].astype(str), strict=True)
        ]
        largest = expected.filter(like="probability ").max(axis=1)
        np.testing.assert_allclose([float(line[2]) for line in lines], largest, atol=1e-4)


@pytest.mark.slow
def test_pt2_file_runs_in_torch_for_every_number_of_images(odd_run: csvision.TrainResult) -> None:
    result = csvision.export(odd_run, "pt2", "quiet=true")
    extra = {"metadata.json": ""}
    module = torch.export.load(result.path, extra_files=extra).module()
    assert json.loads(extra["metadata.json"]) == result.metadata
    for count in (1, 24):
        found = module(torch.from_numpy(first_images(odd_run, count))).numpy()
        np.testing.assert_allclose(found, odd_run.evaluation.probabilities[:count], atol=1e-5)


@pytest.mark.slow
def test_state_dict_loads_without_executing_code(odd_run: csvision.TrainResult) -> None:
    result = csvision.export(odd_run, "state_dict", "quiet=true")
    content = torch.load(result.path, weights_only=True)
    expected = odd_run.classifier.network.state_dict()
    torch.testing.assert_close(content["state_dict"], dict(expected), rtol=0, atol=0)
    torch.testing.assert_close(content["mean"], odd_run.classifier.mean, rtol=0, atol=0)
    torch.testing.assert_close(content["std"], odd_run.classifier.std, rtol=0, atol=0)
    assert len(content["mean"].unique()) == 3
    assert content["metadata"] == result.metadata


@pytest.mark.slow
@pytest.mark.parametrize("precision", ["64-true", "bf16-mixed"])
def test_network_of_another_precision_is_exported_in_float32(
    precision: str, digits_csv: Path
) -> None:
    run = csvision.train(*SMALL_TRAINING, *SMALL_MLP, f"accelerator.precision={precision}")
    path = csvision.export(run, "state_dict", "quiet=true").path
    content = torch.load(path, weights_only=True)
    assert {value.dtype for value in content["state_dict"].values()} == {torch.float32}


class TestCheck:
    @pytest.mark.slow
    @pytest.mark.parametrize("output_dir", [None, "results"])
    def test_file_that_differs_is_refused_and_nothing_is_left(
        self,
        output_dir: str | None,
        small_run: RunDirectory,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        original = verify.expected_probabilities
        monkeypatch.setattr(
            "csvision.exporting.export.expected_probabilities",
            lambda *args: [values + np.float32(2e-4) for values in original(*args)],
        )
        before = {*Path().rglob("*")}
        overrides = [f"output_dir={output_dir}"] if output_dir else []
        with pytest.raises(RunError, match=r"with 1 images, probabilities differ by 0\.0002"):
            csvision.export(small_run.path, "state_dict", "quiet=true", *overrides)
        assert {*Path().rglob("*")} == before

    def test_difference_is_printed(
        self, small_run: RunDirectory, capsys: pytest.CaptureFixture[str]
    ) -> None:
        result = csvision.export(small_run.path, "state_dict")
        assert 0 <= result.max_difference < 1e-6
        expected = f"40 test rows differ by at most {result.max_difference:.2g} from those of"
        assert expected in capsys.readouterr().out

    @pytest.mark.slow
    def test_few_test_rows_are_repeated(self, digits_csv: Path) -> None:
        pd.read_csv(digits_csv).tail(5).to_csv("test.csv", index=False)
        run = csvision.train(*SMALL_TRAINING, *SMALL_MLP, "epochs=1", "data.test_csv=test.csv")
        batches = verify.select_batches(run.splits.test)
        assert [len(batch) for batch in batches] == [1, 2, 37]
        assert (batches[2][2:7] == run.splits.test.table.images).all()

    def test_probability_that_is_not_a_number_is_refused(
        self, small_run_result: csvision.TrainResult
    ) -> None:
        batches = verify.select_batches(small_run_result.splits.test)
        expected = verify.expected_probabilities(small_run_result.classifier, batches)

        def predict(images: NDArray[np.uint8]) -> NDArray[np.float32]:
            return np.full((len(images), 10), np.nan, np.float32)

        with pytest.raises(RunError, match="here: with 1 images, probabilities differ by nan"):
            verify.largest_difference("here", predict, batches, expected)


@pytest.mark.slow
class TestCustomNetwork:
    def test_needs_the_path_of_its_code(self, digits_csv: Path) -> None:
        Path("net.py").write_text(CUSTOM_CODE, encoding="utf-8")
        run = csvision.train(*SMALL_TRAINING, *CUSTOM_MODEL, "epochs=1").directory
        with pytest.raises(RunError, match=r"custom network; write model\.path="):
            csvision.export(run)
        path = csvision.export(run, "onnx", "model.path=net.py:Net", "quiet=true").path
        assert path.is_file()

    @pytest.mark.parametrize("export_format", ["onnx", "pt2"])
    def test_that_cannot_be_traced_is_refused_with_another_format(
        self, export_format: str, digits_csv: Path
    ) -> None:
        depends_on_values = "images = -images if images.sum() > 0 else images\n        return"
        code = CUSTOM_CODE.replace("return", depends_on_values)
        Path("net.py").write_text(code, encoding="utf-8")
        run = csvision.train(*SMALL_TRAINING, *CUSTOM_MODEL, "epochs=1").directory
        with pytest.raises(RunError) as raised:
            csvision.export(run, export_format, "model.path=net.py:Net")
        (message,) = raised.value.messages
        assert message.startswith(f"run={run}: format={export_format}: ")
        assert message.endswith("write format=state_dict")
        assert not (run / "exports").exists()
        assert csvision.export(run, "state_dict", "model.path=net.py:Net").path.is_file()

    def test_that_draws_random_numbers_is_refused(self, digits_csv: Path) -> None:
        code = CUSTOM_CODE.replace("return", "images = images + torch.rand(1)\n        return")
        Path("net.py").write_text(f"import torch\n{code}", encoding="utf-8")
        run = csvision.train(*SMALL_TRAINING, *CUSTOM_MODEL, "epochs=1").directory
        with pytest.raises(RunError, match="probabilities differ by"):
            csvision.export(run, "pt2", "model.path=net.py:Net")


class TestRefused:
    def test_int8_of_another_format_names_both_keys(self, small_run: RunDirectory) -> None:
        with pytest.raises(ConfigError, match="quantize=int8 is for format=onnx, not format=pt2"):
            csvision.export(small_run.path, "pt2", "quantize=int8")

    def test_missing_package_names_the_extra(
        self, small_run: RunDirectory, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(
            "csvision.exporting.metadata.find_spec", lambda name: None if "runtime" in name else 1
        )
        with pytest.raises(ConfigError, match=r"needs onnxruntime; install .*csvision\[export\]"):
            csvision.export(small_run.path)
        assert csvision.export(small_run.path, "state_dict").path.is_file()

    @pytest.mark.slow
    def test_moved_data_file_is_found_by_a_key(self, digits_csv: Path) -> None:
        run = csvision.train(*SMALL_TRAINING, *SMALL_MLP, "epochs=1").directory
        digits_csv.rename("moved.csv")
        for overrides in ((), ("quantize=int8",)):
            with pytest.raises(RunError, match=r"does not exist; if it was moved: data\.csv=FILE$"):
                csvision.export(run, "onnx", *overrides)
        assert csvision.export(run, "state_dict", "data.csv=moved.csv").path.is_file()
