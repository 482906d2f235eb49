"""Weights from another run, and frozen layers."""

from pathlib import Path

import pytest
import torch

import csvision
from csvision.errors import ConfigError, RunError
from csvision.run.directory import RunDirectory
from csvision.run.initial_weights import freeze_layers, load_source, matches, read_source
from tests.conftest import SMALL_MLP, SMALL_RUN, SMALL_TRAINING, digits, reproducible_results
from tests.run.interrupt import train_until

pytestmark = pytest.mark.usefixtures("digits_csv")

# Nothing is trained: the weights afterwards are those before.
UNTRAINED = (*SMALL_RUN, "optimizer=sgd", "optimizer.lr=1e-30", "scheduler=none", "epochs=1")


def weights(run: Path) -> dict[str, torch.Tensor]:
    return csvision.load(run).network.state_dict()


class TestInitFrom:
    @pytest.mark.slow
    def test_takes_the_weights_of_a_run_and_records_their_hash(
        self, small_run: RunDirectory
    ) -> None:
        run = csvision.train(*UNTRAINED, f"init_from={small_run.path}").directory
        expected = weights(small_run.path)
        for name, value in weights(run).items():
            if "running" not in name and "tracked" not in name:
                torch.testing.assert_close(value, expected[name], rtol=0, atol=0)
        recorded = RunDirectory(run).read_manifest()["init_from"]
        assert recorded["path"] == str(small_run.path)
        assert recorded["sha256"] == small_run.read_manifest()["weights_sha256"]

    def test_takes_a_checkpoint_file(self, small_run: RunDirectory) -> None:
        last, previous = (
            read_source(str(path)).record["sha256"] for path in (small_run.last, small_run.previous)
        )
        assert last == small_run.read_manifest()["weights_sha256"] != previous

    @pytest.mark.slow
    def test_initializes_the_last_layer_for_another_number_of_classes(
        self, small_run: RunDirectory, capsys: pytest.CaptureFixture[str]
    ) -> None:
        table = digits(300)
        table[table["label"] < 7].to_csv("seven.csv", index=False)
        overrides = (*UNTRAINED, "data.csv=seven.csv", "quiet=false")
        fresh = csvision.train(*overrides).directory
        capsys.readouterr()
        run = csvision.train(*overrides, f"init_from={small_run.path}").directory
        assert capsys.readouterr().out.count("logits has another number of outputs") == 1
        source, found = weights(small_run.path), weights(run)
        assert found["logits.weight"].shape == (7, 16)
        torch.testing.assert_close(found["logits.weight"], weights(fresh)["logits.weight"])
        name = "stages.0.convolution.weight"
        torch.testing.assert_close(found[name], source[name], rtol=0, atol=0)

    @pytest.mark.slow
    def test_other_architecture_is_refused_with_parameter_and_shapes(
        self, small_run: RunDirectory
    ) -> None:
        with pytest.raises(ConfigError) as raised:
            csvision.train(*UNTRAINED, "model.hidden=[9]", f"init_from={small_run.path}")
        (message,) = raised.value.messages
        assert "(16, 128) there and (9, 128) in this network" in message
        with pytest.raises(ConfigError, match=r"dense\.0\.linear\.weight is missing there|exists"):
            csvision.train(*SMALL_TRAINING, *SMALL_MLP, f"init_from={small_run.path}")
        assert not Path("outputs").exists()

    @pytest.mark.parametrize("path", ["nothing", "digits.csv"])
    def test_path_without_weights_is_refused(self, path: str) -> None:
        with pytest.raises(ConfigError, match=f"init_from={path}: "):
            csvision.train(*SMALL_RUN, f"init_from={path}")

    @pytest.mark.slow
    def test_resumed_run_equals_an_uninterrupted_one_without_the_source(
        self, small_run: RunDirectory
    ) -> None:
        overrides = (*SMALL_RUN, f"init_from={small_run.path}", "freeze=[stages]")
        expected = reproducible_results(RunDirectory(csvision.train(*overrides).directory))
        run = train_until(21, overrides)
        small_run.manifest.unlink()
        csvision.resume(run.path)
        assert reproducible_results(run) == expected
        recorded = run.read_manifest()["config"]["init_from"]
        assert recorded == str(small_run.path)

    @pytest.mark.slow
    def test_run_without_checkpoint_is_not_started_again_from_other_weights(
        self, small_run: RunDirectory
    ) -> None:
        run = train_until(3, (*SMALL_RUN, f"init_from={small_run.last}"), save=False)
        content = torch.load(small_run.last)
        content["state_dict"]["network.logits.bias"] += 1
        torch.save(content, small_run.last)
        with pytest.raises(RunError, match="has changed since the run was started"):
            csvision.resume(run.path)


class TestFreeze:
    def network(self) -> torch.nn.Module:
        config = csvision.load_config("train", ["model.hidden=[8,4]"])
        return csvision.build_model(config.model, (1, 8, 8), 10, seed=0)

    @pytest.mark.slow
    def test_layers_keep_weights_and_running_statistics(self, small_run: RunDirectory) -> None:
        source = f"init_from={small_run.path}"
        run = csvision.train(*SMALL_RUN, source, "freeze=[stages.0]", "epochs=1").directory
        before, after = weights(small_run.path), weights(run)
        unchanged = {name for name in before if torch.equal(before[name], after[name])}
        assert unchanged == {name for name in before if name.startswith("stages.0.")}
        assert any("running_mean" in name for name in unchanged)

    def test_pattern_without_a_layer_is_refused_with_the_layers(self) -> None:
        with pytest.raises(ConfigError, match=r"no layer matches conv1; the layers are stages"):
            freeze_layers(self.network(), ["stages.*", "conv1"])

    def test_at_least_one_layer_is_trained(self) -> None:
        with pytest.raises(ConfigError, match="no layer is left to train"):
            freeze_layers(self.network(), ["*"])

    @pytest.mark.parametrize(
        ("pattern", "expected"),
        [
            ("stages", True),
            ("stages.0", True),
            ("stages.?.convolution", True),
            ("*.weight", True),
            ("stages.0.convolution.weight", True),
            ("stages.1", False),
            ("stage", False),
            ("convolution", False),
        ],
    )
    def test_pattern_matches_a_layer_and_what_it_contains(
        self, pattern: str, expected: bool
    ) -> None:
        assert matches("stages.0.convolution.weight", pattern) is expected

    @pytest.mark.slow
    def test_source_must_fit_every_parameter(self) -> None:
        source = read_source_of(self.network())
        del source.state["logits.bias"]
        with pytest.raises(ConfigError, match=r"logits\.bias is missing there"):
            load_source(self.network(), source)


def read_source_of(network: torch.nn.Module) -> "csvision.run.initial_weights.SourceWeights":
    torch.save(network.state_dict(), "weights.pt")
    return read_source("weights.pt")
