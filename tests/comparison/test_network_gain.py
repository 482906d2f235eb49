"""Whether a network is worth it: the best network against the best baseline."""

import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from scipy import stats

import csvision
from csvision.comparison.compare import compare_runs
from csvision.comparison.network_gain_text import answer, describe_gain
from csvision.comparison.predictions import read_predictions
from csvision.comparison.result import NetworkGain
from tests.comparison.made_up_runs import write_run


def write_runs(folder: Path, override: str, val: float, test: Sequence[float]) -> None:
    """Write one run per seed with the same val/acc."""
    for seed, value in enumerate(test):
        name = f"{override}_{seed}".replace("/", "_")
        metrics = {"val__acc": val, "test__acc": value, "val__loss": 1 - val}
        write_run(folder / name, [override, f"seed={seed}"], "finished", **metrics)


def gain_of(folder: Path, metric: str = "val/acc") -> NetworkGain:
    found = compare_runs([folder], metric=metric).network_gain
    assert found is not None
    return found


CNN, KNN = (0.80, 0.83, 0.79), (0.70, 0.71, 0.72)


@pytest.fixture
def runs(tmp_path: Path) -> Path:
    """Networks and baselines, two of each; those with the best val/acc have the worst test/acc."""
    folder = tmp_path / "runs"
    write_runs(folder, "model=cnn", 0.9, CNN)
    write_runs(folder, "model=mlp", 0.8, (0.9, 0.9, 0.9))
    write_runs(folder, "baseline=knn", 0.7, KNN)
    write_runs(folder, "baseline=logistic", 0.6, (0.95, 0.95, 0.95))
    return folder


class TestFindGain:
    def test_pair_chosen_by_validation_is_compared_by_test_rows(self, runs: Path) -> None:
        gain = gain_of(runs)
        assert (gain.difference.setting, gain.difference.reference) == ("model=cnn", "model=knn")
        assert (gain.networks, gain.baselines, gain.chosen_by) == (2, 2, "val/acc")
        assert (gain.difference.metric, gain.difference.pairs) == ("test/acc", 3)
        test = gain.difference.test
        assert test is not None
        expected = stats.ttest_rel(CNN, KNN)
        assert test.p_t == pytest.approx(expected.pvalue)
        assert test.difference.mean == pytest.approx(np.mean(CNN) - np.mean(KNN))
        assert test.difference.low == pytest.approx(expected.confidence_interval().low)

    def test_best_of_all_settings_is_compared_whatever_by_selects(self, runs: Path) -> None:
        gain = compare_runs([runs], by=["model"]).network_gain
        assert gain == gain_of(runs)

    def test_baseline_of_one_run_is_compared_with_each_network(self, tmp_path: Path) -> None:
        write_runs(tmp_path, "model=cnn", 0.9, CNN)
        write_runs(tmp_path, "baseline=knn", 0.7, [0.75])
        gain = gain_of(tmp_path)
        assert gain.difference.pairs == 0
        assert gain.difference.test is not None
        assert gain.difference.test.p_t == pytest.approx(stats.ttest_1samp(CNN, 0.75).pvalue)

    @pytest.mark.parametrize("override", ["model=mlp", "baseline=svm_rbf"])
    def test_one_kind_alone_gives_no_answer(self, tmp_path: Path, override: str) -> None:
        write_runs(tmp_path, override, 0.9, (0.8, 0.9))
        comparison = compare_runs([tmp_path])
        assert comparison.network_gain is None
        assert "worth" not in str(comparison)

    def test_test_metric_chooses_neither(self, runs: Path) -> None:
        assert compare_runs([runs], metric="test/acc", show_test=True).network_gain is None

    def test_without_shared_seeds_there_is_no_test(self, tmp_path: Path) -> None:
        folder = tmp_path / "other"
        write_runs(folder, "model=cnn", 0.9, CNN)
        for seed in (7, 8):
            write_run(folder / f"b{seed}", ["baseline=knn", f"seed={seed}"], val__acc=0.7)
        gain = gain_of(folder)
        assert (gain.difference.test, gain.predictions) == (None, None)
        assert "seed=0,1,2" in gain.problem

    def test_runs_with_other_test_rows_are_not_compared(self, runs: Path) -> None:
        for run in runs.iterdir():
            label = int(run.name.startswith("baseline"))
            arrays = {"test_images": np.arange(9), "test_labels": np.full(9, label)}
            np.savez(run / "splits.npz", allow_pickle=False, **arrays)
        gain = gain_of(runs)
        assert gain.difference.test is None
        assert gain.problem.startswith("their test rows differ")

    def test_damaged_splits_are_a_problem_not_an_error(self, runs: Path) -> None:
        (runs / "baseline=knn_0" / "splits.npz").write_bytes(b"PK")
        assert "baseline=knn_0/splits.npz is damaged" in gain_of(runs).problem


class TestSettings:
    def test_labels_leave_out_what_baselines_do_not_have(self, runs: Path) -> None:
        labels = [each.label for each in compare_runs([runs]).settings]
        assert sorted(labels) == ["model=cnn", "model=knn", "model=logistic", "model=mlp"]

    @pytest.mark.slow
    def test_keys_that_differ_between_networks_or_baselines_are_kept(self, tmp_path: Path) -> None:
        for number, overrides in enumerate(
            [
                ["model=mlp", "epochs=3"],
                ["model=mlp", "epochs=5"],
                ["baseline=random_forest", "baseline.max_depth=null"],
                ["baseline=random_forest", "baseline.max_depth=4"],
                ["baseline=random_forest", "baseline.max_depth=4", "data.permutation_seed=1"],
            ]
        ):
            write_run(tmp_path / str(number), overrides, val__acc=0.5)
        labels = [each.label for each in compare_runs([tmp_path]).settings]
        assert len(set(labels)) == 5
        assert [label.split()[-1] for label in labels[:2]] == ["epochs=3", "epochs=5"]
        assert not any("epochs" in label for label in labels[2:])
        assert "permutation_seed=1" in labels[4]


class TestText:
    @pytest.mark.parametrize(
        ("low", "high", "high_is_better", "says"),
        [
            (0.1, 0.2, True, "Yes"),
            (-0.2, -0.1, True, "No, the baseline is better"),
            (0.1, 0.2, False, "No, the baseline is better"),
            (-0.2, -0.1, False, "Yes"),
            (-0.1, 0.1, True, "Undecided, because the interval contains 0"),
            (0.0, 0.0, True, "Undecided, because the interval contains 0"),
        ],
    )
    def test_answer_follows_from_the_interval(
        self, low: float, high: float, high_is_better: bool, says: str
    ) -> None:
        assert answer(low, high, high_is_better) == says

    def test_equal_differences_decide_nothing(self, tmp_path: Path) -> None:
        write_runs(tmp_path, "model=cnn", 0.9, (0.8, 0.7))
        write_runs(tmp_path, "baseline=knn", 0.7, (0.1, 0.0))
        text = describe_gain(gain_of(tmp_path))
        assert text.startswith("Is a network worth it here? Undecided: ")
        assert "is +0.7000 in test/acc in each of 2 pairs: equal differences give no" in text
        assert "[" not in text
        assert "p =" not in text

    def test_settings_with_the_same_validation_figure_are_named(self, runs: Path) -> None:
        write_runs(runs, "baseline=majority", 0.7, KNN)
        write_runs(runs, "baseline=centroid", 0.7, KNN)
        gain = gain_of(runs)
        chosen, *others = gain.difference.reference, *gain.tied_baselines
        assert sorted([chosen, *others]) == ["model=centroid", "model=knn", "model=majority"]
        assert gain.tied_networks == []
        listed = f"({chosen}; the same val/acc: {', '.join(others)})"
        assert f"the best network (model=cnn) minus the best baseline {listed}" in describe_gain(
            gain
        )

    def test_sentence_is_in_text_html_json_and_page(self, runs: Path, working_folder: Path) -> None:
        comparison = csvision.compare(runs)
        (line,) = (text for text in str(comparison).splitlines() if text.startswith("Is a network"))
        gain = gain_of(runs)
        assert gain.difference.test is not None
        interval = gain.difference.test.difference
        assert line.startswith("Is a network worth it here? Yes: the best network (model=cnn)")
        assert "minus the best baseline (model=knn), both chosen by val/acc" in line
        assert f"is {interval.mean:+.4f} in test/acc" in line
        assert f"[{interval.low:+.4f}, {interval.high:+.4f}]" in line
        assert f"p = {gain.difference.test.p_t:.4f} (paired t-test, 3 pairs)" in line
        assert line in comparison._repr_html_()
        assert comparison.directory is not None
        content = json.loads((comparison.directory / "comparison.json").read_text(encoding="utf-8"))
        assert content["network_gain"]["difference"]["reference"] == "model=knn"
        page = (comparison.directory / "comparison.html").read_text(encoding="utf-8")
        assert f'<p id="network-gain">{line}</p>' in page
        # The commands of the runs can be pasted.
        assert "<code>csvision baseline baseline=knn seed=0</code>" in page
        assert "<code>csvision train model=cnn seed=0</code>" in page


@pytest.mark.slow
def test_single_real_runs_are_compared_on_their_test_rows(
    small_run_result: csvision.TrainResult, working_folder: Path
) -> None:
    csv = f"data.csv={small_run_result.config.data.csv}"
    options = ("data=csv", csv, "data.cache=none", "logger=none", "quiet=true")
    baseline = csvision.baseline("baseline=knn", *options)
    comparison = csvision.compare([baseline, small_run_result])
    gain = comparison.network_gain
    assert gain is not None
    assert gain.predictions is not None
    network, other = (
        np.array([right for _, right in read_predictions(each.directory).values()])
        for each in (small_run_result, baseline)
    )
    assert gain.predictions.only_first == (network & ~other).sum()
    assert gain.predictions.difference == pytest.approx(network.mean() - other.mean())
    assert "McNemar's exact test of 60 test rows, one run each" in str(comparison)
    assert [each.label for each in comparison.settings] == ["model=knn", "model=cnn"]
