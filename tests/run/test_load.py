"""Loading a run from its directory, whatever its name and whatever was done to its files."""

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
import torch

import csvision
from csvision.classifier import Classifier
from csvision.errors import RunError, UserError
from csvision.run.directory import RunDirectory
from tests.conftest import SMALL_MLP, SMALL_TRAINING


def change_manifest(run: RunDirectory, *keys: str, value: Any) -> None:
    """Replace one entry of run.json."""
    manifest = node = run.read_manifest()
    for key in keys[:-1]:
        node = node[key]
    node[keys[-1]] = value
    run.manifest.write_text(json.dumps(manifest), encoding="utf-8")


class TestLoad:
    def test_classifier_is_in_eval_mode_with_the_tested_weights(
        self, small_run: RunDirectory
    ) -> None:
        classifier = csvision.load(str(small_run.path))
        assert isinstance(classifier, Classifier)
        assert not any(module.training for module in classifier.modules())
        last = torch.load(small_run.last, weights_only=True)["state_dict"]
        torch.testing.assert_close(dict(classifier.state_dict()), dict(last), rtol=0, atol=0)

    def test_best_checkpoint_is_loaded_if_the_run_tested_it(self, small_run: RunDirectory) -> None:
        change_manifest(small_run, "config", "test_checkpoint", value="best")
        best = torch.load(small_run.best, weights_only=True)
        best["state_dict"]["network.logits.bias"] += 1
        torch.save(best, small_run.best)
        state = csvision.load(small_run.path, check_weights=False).state_dict()
        torch.testing.assert_close(dict(state), dict(best["state_dict"]), rtol=0, atol=0)

    @pytest.mark.slow
    @pytest.mark.parametrize(
        "name", ["with space", "a,b", "lr=0.1", "été", "it's", "[1]", "${x}", "back\\slash"]
    )
    def test_directory_may_have_any_name(
        self, name: str, small_run: RunDirectory, digits_csv: Path
    ) -> None:
        moved = RunDirectory(small_run.path.rename(name))
        result = csvision.evaluate(moved.path, "quiet=true")
        metrics = json.loads(moved.metrics.read_text(encoding="utf-8"))
        assert result.metrics["test/acc"] == metrics["test/acc"]
        csvision.predict(moved.path, digits_csv, "quiet=true")
        assert len(list(moved.predictions.iterdir())) == 1

    def test_folder_that_is_not_a_run_is_refused(self, tmp_path: Path) -> None:
        with pytest.raises(RunError, match="run=nowhere: this folder does not exist"):
            csvision.load("nowhere")
        with pytest.raises(RunError, match=r"is not a run directory: .* run\.json"):
            csvision.evaluate(tmp_path, "quiet=true")


class TestDamagedRun:
    @pytest.mark.slow
    @pytest.mark.parametrize("content", ["", '{"state": ', "[]", "5", '"text"', "\ud800"], ids=repr)
    def test_damaged_manifest_is_refused(self, content: str, small_run: RunDirectory) -> None:
        small_run.manifest.write_bytes(content.encode(errors="surrogatepass"))
        with pytest.raises(RunError, match=r"run\.json.* damaged"):
            csvision.evaluate(small_run.path, "quiet=true")

    @pytest.mark.parametrize("key", ["config", "data"])
    @pytest.mark.parametrize("value", [None, 5, [], {}, "text"], ids=repr)
    def test_damaged_entry_of_the_manifest_is_refused(
        self, key: str, value: Any, small_run: RunDirectory
    ) -> None:
        change_manifest(small_run, key, value=value)
        with pytest.raises(RunError):
            csvision.load(small_run.path)

    def test_missing_checkpoint_is_refused(self, small_run: RunDirectory) -> None:
        shutil.rmtree(small_run.checkpoints)
        with pytest.raises(RunError, match=r"has no last\.ckpt"):
            csvision.evaluate(small_run.path, "quiet=true")

    @pytest.mark.slow
    def test_weights_of_another_network_are_refused(
        self, small_run: RunDirectory, digits_csv: Path
    ) -> None:
        other = csvision.train(*SMALL_TRAINING, *SMALL_MLP, "epochs=1").directory
        shutil.copy(other / "checkpoints/last.ckpt", small_run.last)
        with pytest.raises(RunError, match=r"last\.ckpt does not contain the weights of this"):
            csvision.load(small_run.path)


CODE = {"_target_": "pathlib.Path.mkdir", "self": "executed"}
"""Values that Hydra's `instantiate` would execute."""


@pytest.mark.slow
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
def test_manipulated_config_is_refused_and_executes_nothing(
    keys: tuple[str, ...], value: Any, small_run: RunDirectory, digits_csv: Path
) -> None:
    change_manifest(small_run, *keys, value=value)
    for act in (
        lambda: csvision.load(small_run.path),
        lambda: csvision.evaluate(small_run.path, "quiet=true"),
        lambda: csvision.predict(small_run.path, digits_csv, "quiet=true"),
    ):
        with pytest.raises(UserError) as raised:
            act()
        assert raised.value.messages
    assert not Path("executed").exists()
