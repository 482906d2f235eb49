"""A finished run looked at again: the same figures, other files, and directories not to trust."""

import json
import pickle
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch

import csvision
from csvision.classifier import Classifier
from csvision.errors import DataError, RunError, UserError

SMALL = ("data=csv", "epochs=2", "batch_size=64", "accelerator=cpu", "logger=none", "quiet=true")
MLP = ("model=mlp", "model.hidden=[16]")


def train(digits_csv: Path, *overrides: str) -> Path:
    return csvision.train(*SMALL, f"data.csv={digits_csv}", *(overrides or MLP)).directory


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("kept")


@pytest.fixture
def run(kept: Path, digits_csv: Path, tmp_path: Path) -> Path:
    """A copy of one finished run, which is trained once."""
    if not (kept / "run").exists():
        shutil.copy(digits_csv, kept)
        train(kept / "digits.csv", *MLP, "epochs=5", "optimizer.lr=0.03").rename(kept / "run")
    return shutil.copytree(kept / "run", tmp_path / "run")


def read_json(path: Path) -> dict[str, Any]:
    content: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return content


def change_manifest(run: Path, *keys: str, value: Any) -> None:
    """Give one entry of run.json another value."""
    manifest = read_json(run / "run.json")
    node = manifest
    for key in keys[:-1]:
        node = node[key]
    node[keys[-1]] = value
    (run / "run.json").write_text(json.dumps(manifest), encoding="utf-8")


class TestEvaluate:
    @pytest.mark.parametrize(
        "overrides",
        [
            ("model=mlp", "model.hidden=[16]", "model.dropout=0.5"),
            ("model=cnn", "model.stages=[{filters:4,normalization:batch}]", "batch_size=7"),
            (*MLP, "data.val_size=0", "data.test_size=0.4", "data.split_seed=1"),
            (*MLP, "data.test_csv=test.csv"),
            (*MLP, "debug.rows=30"),
            (*MLP, "accelerator.precision=64-true"),
            (*MLP, "accelerator.precision=bf16-mixed"),
        ],
        ids=lambda overrides: overrides[-1],
    )
    def test_on_the_runs_own_rows_gives_the_very_figures_of_metrics_json(
        self, overrides: tuple[str, ...], digits_csv: Path
    ) -> None:
        pd.read_csv(digits_csv).tail(50).to_csv("test.csv", index=False)
        run = train(digits_csv, *overrides)
        evaluation = csvision.evaluate(run, "quiet=true")
        (folder,) = (run / "evaluations").iterdir()
        again, trained = read_json(folder / "metrics.json"), read_json(run / "metrics.json")
        assert set(again) == {"test/loss", "test/acc", "test/f1", "test/acc by class"}
        assert again == {name: trained[name] for name in again}
        for name in ("predictions.csv", "confusion_matrix.csv", "per_class.csv"):
            assert (folder / name).read_bytes() == (run / name).read_bytes()
        assert len(evaluation.part) == len(pd.read_csv(run / "predictions.csv"))

    def test_on_another_file_takes_all_of_its_rows(self, run: Path, digits_csv: Path) -> None:
        other = pd.read_csv(digits_csv).query("label in (3, 8)")
        other.to_csv("other.csv", index=False)
        evaluation = csvision.evaluate(run, "data.csv=other.csv", "quiet=true")
        assert 20 < len(evaluation.part) == len(other) < 300
        assert evaluation.confusion.sum(axis=1).nonzero()[0].tolist() == [3, 8]
        (folder,) = (run / "evaluations").iterdir()
        table = pd.read_csv(folder / "predictions.csv")
        assert [*table["label"]] == [*other["label"]]
        accuracy = (table["label"] == table["prediction"]).mean()
        assert evaluation.metrics["test/acc"] == pytest.approx(accuracy)

    def test_gives_no_accuracy_to_a_class_without_rows(self, run: Path, digits_csv: Path) -> None:
        pd.read_csv(digits_csv).query("label in (3, 8)").to_csv("other.csv", index=False)
        csvision.evaluate(run, "data.csv=other.csv", "quiet=true")
        (folder,) = (run / "evaluations").iterdir()
        by_class = read_json(folder / "metrics.json")["test/acc by class"]
        assert {name for name, value in by_class.items() if value is not None} == {"3", "8"}
        recalls = pd.read_csv(folder / "per_class.csv")["recall"]
        assert [*recalls[recalls.notna()]] == pytest.approx([by_class["3"], by_class["8"]])

    def test_refuses_a_label_that_the_run_does_not_know(self, run: Path, digits_csv: Path) -> None:
        table = pd.read_csv(digits_csv)
        table.loc[4, "label"] = 11
        table.to_csv("other.csv", index=False)
        with pytest.raises(DataError, match=r"other\.csv, row 4: label 11 is none of the known"):
            csvision.evaluate(run, "data.csv=other.csv", "quiet=true")
        assert not (run / "evaluations").exists()

    def test_overwrites_nothing(self, run: Path) -> None:
        before = {path: path.read_bytes() for path in run.rglob("*") if path.is_file()}
        csvision.evaluate(run, "quiet=true")
        first = {path: path.read_bytes() for path in run.rglob("*") if path.is_file()}
        csvision.evaluate(run, "quiet=true")
        assert len(list((run / "evaluations").iterdir())) == 2
        for path, content in (before | first).items():
            assert path.read_bytes() == content

    def test_leaves_the_callers_random_state_and_threads_alone(self, digits_csv: Path) -> None:
        threads = torch.get_num_threads()
        run = train(digits_csv, *MLP, f"accelerator.threads={threads + 1}")
        state = torch.get_rng_state()
        csvision.evaluate(run, "quiet=true")
        assert torch.equal(torch.get_rng_state(), state)
        assert torch.get_num_threads() == threads


class TestPredict:
    @pytest.mark.parametrize("labelled", [True, False], ids=["labels", "no labels"])
    def test_gives_the_probabilities_of_the_loaded_classifier(
        self, labelled: bool, run: Path, digits_csv: Path
    ) -> None:
        source = pd.read_csv(digits_csv).tail(90)
        source.iloc[:, 0 if labelled else 1 :].to_csv("new digits.csv", index=False)
        result = csvision.predict(run, "new digits.csv", "quiet=true")

        images = torch.tensor(source.iloc[:, 1:].to_numpy(np.uint8)).reshape(-1, 1, 8, 8)
        expected = csvision.load(run).probabilities(images).numpy()
        probabilities = result.filter(like="probability ").to_numpy()
        np.testing.assert_allclose(probabilities, expected, rtol=1e-5)
        assert [*result["row"]] == [*range(90)]
        assert [*result["prediction"]] == [*expected.argmax(axis=1)]
        assert len(set(result["prediction"])) > 3
        assert ("label" in result) is labelled
        if labelled:
            assert [*result["label"]] == [*source["label"]]

    def test_writes_its_table_into_the_run_each_time_anew(
        self, run: Path, digits_csv: Path
    ) -> None:
        result = csvision.predict(run, digits_csv, "quiet=true")
        csvision.predict(run, digits_csv, "quiet=true")
        files = list((run / "predictions").iterdir())
        assert len(files) == 2
        for path in files:
            assert path.name.startswith("digits_")
            assert path.suffix == ".csv"
            pd.testing.assert_frame_equal(pd.read_csv(path), result, check_dtype=False)

    def test_gives_the_files_own_labels(self, digits_csv: Path) -> None:
        table = pd.read_csv(digits_csv)
        table["label"] = table["label"] * 10 - 30
        table.to_csv(digits_csv, index=False)
        run = train(digits_csv, *MLP, "epochs=10", "optimizer.lr=0.03")
        result = csvision.predict(run, digits_csv, "quiet=true")
        assert (result["prediction"] == table["label"]).mean() > 0.6

    def test_refuses_images_of_another_size(self, run: Path) -> None:
        pd.DataFrame(np.zeros((2, 49), int)).add_prefix("pixel").to_csv("7x7.csv", index=False)
        with pytest.raises(DataError, match=r"7x7\.csv has 49 columns .* needs 64 pixels"):
            csvision.predict(run, "7x7.csv", "quiet=true")


class TestRunFolder:
    @pytest.mark.parametrize(
        "name", ["with space", "a,b", "lr=0.1", "été", "it's", "[1]", "${x}", "back\\slash"]
    )
    def test_may_have_any_name(self, name: str, run: Path, digits_csv: Path) -> None:
        moved = run.rename(name)
        evaluation = csvision.evaluate(moved, "quiet=true")
        assert evaluation.metrics["test/acc"] == read_json(moved / "metrics.json")["test/acc"]
        csvision.predict(moved, digits_csv, "quiet=true")
        assert len(list((moved / "predictions").iterdir())) == 1

    def test_that_is_none_is_refused(self, tmp_path: Path) -> None:
        with pytest.raises(RunError, match=r"run=nowhere: there is no such folder"):
            csvision.load("nowhere")
        with pytest.raises(RunError, match=r"is no run: it has no run\.json"):
            csvision.evaluate(tmp_path, "quiet=true")

    def test_loads_in_eval_mode_with_the_weights_that_were_tested(self, run: Path) -> None:
        classifier = csvision.load(str(run))
        assert isinstance(classifier, Classifier)
        assert not any(module.training for module in classifier.modules())
        best = torch.load(run / "checkpoints/last.ckpt", weights_only=True)["state_dict"]
        torch.testing.assert_close(dict(classifier.state_dict()), dict(best), rtol=0, atol=0)

    @pytest.mark.parametrize("content", ["", '{"state": ', "[]", "5", '"text"', "\ud800"], ids=repr)
    def test_with_a_damaged_manifest_is_refused(self, content: str, run: Path) -> None:
        (run / "run.json").write_bytes(content.encode(errors="surrogatepass"))
        with pytest.raises(RunError, match=r"run\.json.* damaged"):
            csvision.evaluate(run, "quiet=true")

    @pytest.mark.parametrize("key", ["config", "data"])
    @pytest.mark.parametrize("value", [None, 5, [], {}, "text"], ids=repr)
    def test_with_a_damaged_part_of_the_manifest_is_refused(
        self, key: str, value: Any, run: Path
    ) -> None:
        change_manifest(run, key, value=value)
        with pytest.raises(RunError):
            csvision.load(run)

    def test_that_takes_no_results_is_refused(self, run: Path, digits_csv: Path) -> None:
        for name in ("evaluations", "predictions"):
            (run / name).touch()
        with pytest.raises(RunError, match=r"evaluations.* cannot be made: Not a directory"):
            csvision.evaluate(run, "quiet=true")
        with pytest.raises(RunError, match=r"predictions cannot be made: File exists"):
            csvision.predict(run, digits_csv, "quiet=true")

    def test_without_a_checkpoint_is_refused(self, run: Path) -> None:
        shutil.rmtree(run / "checkpoints")
        with pytest.raises(RunError, match=r"has no last.ckpt; its training did not get that far"):
            csvision.evaluate(run, "quiet=true")

    @pytest.mark.parametrize("content", [b"", b"no checkpoint at all", b"PK\x03\x04"])
    def test_with_a_damaged_checkpoint_is_refused(self, content: bytes, run: Path) -> None:
        (run / "checkpoints/last.ckpt").write_bytes(content)
        with pytest.raises(RunError, match=r"last\.ckpt is damaged"):
            csvision.evaluate(run, "quiet=true")

    def test_with_the_weights_of_another_network_is_refused(
        self, run: Path, digits_csv: Path
    ) -> None:
        other = train(digits_csv, "model=mlp", "model.hidden=[8]")
        shutil.copy(other / "checkpoints/last.ckpt", run / "checkpoints/last.ckpt")
        with pytest.raises(RunError, match=r"last\.ckpt holds no weights of this network"):
            csvision.load(run)


class Payload:
    """Makes a folder when it is unpickled."""

    def __reduce__(self) -> tuple[Any, tuple[str]]:
        return Path.mkdir, (Path("executed"),)  # type: ignore[return-value]


CODE = {"_target_": "pathlib.Path.mkdir", "self": "executed"}


class TestTamperedRun:
    @pytest.mark.parametrize(
        ("keys", "value"),
        [
            (("config", "model", "_target_"), "os.mkdir"),
            (("config", "model"), CODE),
            (("config", "optimizer"), CODE | {"name": "sgd", "lr": 0.1}),
            (("config", "_target_"), "os.mkdir"),
            (("config", "optimizer", "name"), "os.mkdir"),
            (("config", "optimizer", "lr"), -1.0),
            (("config", "optimizer", "lr"), "${oc.env:HOME}"),
            (("config", "model", "name"), "transformer"),
            (("config", "model", "hidden"), [0]),
            (("config", "model", "hidden"), CODE),
            (("config", "batch_size"), "many"),
            (("config", "accelerator", "precision"), "8-bit"),
        ],
        ids=str,
    )
    def test_is_refused_and_runs_nothing(
        self, keys: tuple[str, ...], value: Any, run: Path, digits_csv: Path
    ) -> None:
        change_manifest(run, *keys, value=value)
        acts = (
            lambda: csvision.load(run),
            lambda: csvision.evaluate(run, "quiet=true"),
            lambda: csvision.predict(run, digits_csv, "quiet=true"),
        )
        for act in acts:
            with pytest.raises(UserError) as refused:
                act()
            assert refused.value.faults
        assert not Path("executed").exists()

    def test_has_a_checkpoint_that_executes_nothing(self, run: Path) -> None:
        with (run / "checkpoints/last.ckpt").open("wb") as file:
            pickle.dump({"state_dict": Payload()}, file, protocol=2)
        with pytest.raises(RunError):
            csvision.load(run)
        assert not Path("executed").exists()
        torch.save({"state_dict": Payload()}, run / "checkpoints/last.ckpt")
        with pytest.raises(RunError):
            csvision.load(run)
        assert not Path("executed").exists()


OWN = """
from pathlib import Path
from torch import nn

Path("imported").touch()

class Network(nn.Module):
    def __init__(self, image_shape, classes, width):
        super().__init__()
        self.layers = nn.Sequential(
            nn.Flatten(), nn.Linear(64, width), nn.ReLU(), nn.Linear(width, classes)
        )

    def forward(self, images):
        return self.layers(images)

class Other(nn.Sequential):
    def __init__(self, image_shape, classes, width):
        super().__init__(nn.Flatten(), nn.Linear(64, classes))
"""


class TestOwnNetwork:
    @pytest.fixture
    def own_run(self, digits_csv: Path) -> Path:
        Path("own.py").write_text(OWN, encoding="utf-8")
        path = ("model=custom", "model.path=own.py:Network", "model.arguments.width=9")
        run = train(digits_csv, *path)
        Path("imported").unlink()
        return run

    def test_is_evaluated_and_predicted_when_its_code_is_named_again(
        self, own_run: Path, digits_csv: Path
    ) -> None:
        options = ("model.path=own.py:Network", "quiet=true")
        metrics = csvision.evaluate(own_run, *options).metrics
        assert metrics.items() <= read_json(own_run / "metrics.json").items()
        result = csvision.predict(own_run, digits_csv, *options)
        classifier = csvision.load(own_run, model_path="own.py:Network")
        assert classifier.network.layers[1].out_features == 9  # type: ignore[union-attr, index]
        table = csvision.read_table(str(digits_csv))
        probabilities = classifier.probabilities(torch.from_numpy(table.images))
        np.testing.assert_allclose(
            result.filter(like="probability ").to_numpy(), probabilities.numpy(), rtol=1e-5
        )

    def test_is_not_imported_from_what_the_run_says(self, own_run: Path, digits_csv: Path) -> None:
        for act in (
            lambda: csvision.load(own_run),
            lambda: csvision.evaluate(own_run, "quiet=true"),
            lambda: csvision.predict(own_run, digits_csv, "quiet=true"),
        ):
            with pytest.raises(RunError, match=r"name its code: model\.path=FILE\.py:CLASS"):
                act()
        assert not Path("imported").exists()

    def test_is_refused_when_the_code_named_is_another(self, own_run: Path) -> None:
        with pytest.raises(RunError, match=r"holds no weights of this network"):
            csvision.load(own_run, model_path="own.py:Other")
