"""Comparisons of made-up and of real runs."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy import stats

import csvision
from csvision.comparison.compare import compare_runs
from csvision.comparison.result import ComparisonResult, Difference
from csvision.errors import ConfigError, RunError
from csvision.run.directory import RunDirectory
from tests.cli.conftest import RunCommand
from tests.comparison.made_up_runs import accuracies, write_run, write_sweep
from tests.conftest import SMALL_MLP, SMALL_TRAINING

MLP, CNN = (0.70, 0.72, 0.71), (0.80, 0.83, 0.79)


@pytest.fixture
def sweep(tmp_path: Path) -> Path:
    return write_sweep(tmp_path / "sweep", accuracies(mlp=MLP, cnn=CNN))


def difference_of(comparison: ComparisonResult, metric: str = "val/acc") -> Difference:
    """Return the only difference in a metric."""
    (found,) = (each for each in comparison.differences if each.metric == metric)
    return found


class TestSettings:
    def test_settings_are_the_runs_that_differ_in_seeds_only(self, sweep: Path) -> None:
        comparison = compare_runs([sweep])
        assert [each.label for each in comparison.settings] == ["model=mlp", "model=cnn"]
        assert comparison.over == ["seed"]
        mlp = comparison.settings[0].metrics["val/acc"]
        assert mlp.n == 3
        assert mlp.mean == pytest.approx(0.71)
        assert mlp.std == pytest.approx(0.01)
        low, high = stats.t.interval(0.95, 2, 0.71, 0.01 / np.sqrt(3))
        assert mlp.low == pytest.approx(low)
        assert mlp.high == pytest.approx(high)
        assert comparison.settings[0].seconds == pytest.approx(3 * 12.5)

    @pytest.mark.slow
    def test_folds_and_seeds_repeat_a_setting(self, tmp_path: Path) -> None:
        jobs = [
            (
                [f"optimizer.lr={lr}", f"data.fold={fold}", "data.folds=3", f"seed={seed}"],
                {"val__acc": lr + 0.01 * fold + 0.001 * seed},
            )
            for lr in (0.1, 0.2)
            for fold in range(3)
            for seed in range(2)
        ]
        comparison = compare_runs([write_sweep(tmp_path / "s", jobs)])
        assert [each.label for each in comparison.settings] == ["lr=0.1", "lr=0.2"]
        assert comparison.over == ["seed", "data.fold"]
        assert difference_of(comparison).pairs == 6
        assert any("folds share training rows" in note for note in comparison.notes)

    def test_runs_of_other_sources_are_named_by_their_configurations(self, tmp_path: Path) -> None:
        one = write_sweep(tmp_path / "one", accuracies(mlp=MLP))
        jobs = [
            (
                ["model=cnn", f"model.hidden=[{units}]"],
                {"val__acc": 0.9},
            )
            for units in (8, 16)
        ]
        two = write_sweep(tmp_path / "two", jobs)
        comparison = compare_runs([one, two])
        assert [each.label for each in comparison.settings] == [
            "model=mlp",
            "model=cnn hidden=8",
            "model=cnn hidden=16",
        ]

    def test_folder_of_runs_and_sweeps_is_searched(self, sweep: Path, tmp_path: Path) -> None:
        write_run(tmp_path / "runs" / "a", ["model=mlp", "seed=7"], val__acc=0.9)
        (tmp_path / "runs" / "notes").mkdir()
        comparison = compare_runs([tmp_path])
        assert [len(each.runs) for each in comparison.settings] == [4, 3]

    def test_unfinished_jobs_are_counted_and_left_out(self, tmp_path: Path) -> None:
        jobs = accuracies(mlp=MLP)
        jobs += [(["model=cnn", "seed=0"], "failed"), (["model=cnn", "seed=1"], "not started")]
        comparison = compare_runs([write_sweep(tmp_path / "s", jobs)])
        assert comparison.states == {"finished": 3, "failed": 1, "not started": 1}
        assert "2 of 5 runs are not finished and left out" in comparison.notes

    def test_later_run_of_a_setting_and_seed_counts(self, sweep: Path, tmp_path: Path) -> None:
        write_run(tmp_path / "runs" / "a", ["model=mlp", "seed=0"], val__acc=0.5)
        comparison = compare_runs([sweep, tmp_path / "runs"])
        mlp = next(each for each in comparison.settings if each.label == "model=mlp")
        assert mlp.metrics["val/acc"].mean == pytest.approx((0.5 + 0.72 + 0.71) / 3)
        assert any(note.startswith("1 earlier run with the setting") for note in comparison.notes)


class TestTies:
    def test_all_settings_with_the_best_mean_are_named(self, tmp_path: Path) -> None:
        # Their sums differ by rounding only.
        rows = {0.1: (0.1, 0.2, 0.3), 0.2: (0.3, 0.2, 0.1), 0.3: (0.1, 0.1, 0.1)}
        assert sum(rows[0.1]) != sum(rows[0.2])
        jobs = [
            ([f"optimizer.lr={lr}", f"seed={seed}"], {"val__acc": value})
            for lr, values in rows.items()
            for seed, value in enumerate(values)
        ]
        comparison = compare_runs([write_sweep(tmp_path / "s", jobs)])
        assert comparison.chosen == "lr=0.1"
        (note,) = (each for each in comparison.notes if "same best mean of val/acc" in each)
        assert note.startswith("2 settings")
        assert "lr=0.1, lr=0.2; the first one was chosen" in note
        assert "Chosen by the mean of val/acc: lr=0.1, the first of 2 settings" in str(comparison)

    def test_single_best_setting_has_no_note(self, sweep: Path) -> None:
        comparison = compare_runs([sweep])
        assert not any("same best mean" in note for note in comparison.notes)
        assert "the first of" not in str(comparison)


class TestDifferences:
    def test_equal_differences_have_no_interval_and_say_why(self, tmp_path: Path) -> None:
        jobs = accuracies(mlp=(0.7, 0.6), cnn=(0.9, 0.8))
        comparison = compare_runs([write_sweep(tmp_path / "s", jobs)])
        found = difference_of(comparison)
        assert found.test is not None
        assert (found.test.difference.low, found.test.difference.high) == (None, None)
        row = next(
            line
            for line in str(comparison).splitlines()
            if line.startswith("model=mlp - model=cnn")
        )
        # Pairs, mean, interval, p (t), p (perm.), p (corrected), detectable, runs needed.
        assert row.split()[3:] == ["2", "-0.2000", "-", "-", "0.5000", "0.5000", "-", "-"]
        assert "no interval where all pairs have the same difference (2 pairs)" in str(comparison)

    def test_difference_is_paired_by_seed(self, sweep: Path) -> None:
        difference = difference_of(compare_runs([sweep], baseline="mlp"))
        assert (difference.setting, difference.reference) == ("model=cnn", "model=mlp")
        assert difference.test is not None
        expected = stats.ttest_rel(CNN, MLP)
        assert difference.test.p_t == pytest.approx(expected.pvalue)
        assert difference.p_corrected == pytest.approx(expected.pvalue)
        interval = expected.confidence_interval()
        assert difference.test.difference.low == pytest.approx(interval.low)
        assert difference.test.difference.high == pytest.approx(interval.high)
        assert difference.test.p_permutation == 0.25

    def test_only_shared_seeds_are_paired(self, tmp_path: Path) -> None:
        jobs = accuracies(mlp=(0.1, 0.2, 0.3, 0.4), cnn=(0.5, 0.61))
        assert difference_of(compare_runs([write_sweep(tmp_path / "s", jobs)])).pairs == 2

    def test_all_pairs_are_corrected_together(self, tmp_path: Path) -> None:
        generator = np.random.default_rng(0)
        rows = {f"{lr}": generator.normal(0.5 + lr, 0.05, 6) for lr in (0.1, 0.2, 0.3)}
        jobs = [
            ([f"optimizer.lr={lr}", f"seed={seed}"], {"val__acc": float(value)})
            for lr, values in rows.items()
            for seed, value in enumerate(values)
        ]
        comparison = compare_runs([write_sweep(tmp_path / "s", jobs)])
        found = comparison.differences
        assert len(found) == 3
        raw = sorted(each.test.p_t for each in found if each.test and each.test.p_t is not None)
        adjusted = sorted(each.p_corrected for each in found if each.p_corrected is not None)
        first, second = 3 * raw[0], max(3 * raw[0], 2 * raw[1])
        assert adjusted == pytest.approx([first, second, max(second, raw[2])])

    def test_settings_with_one_run_cannot_be_tested(self, tmp_path: Path) -> None:
        comparison = compare_runs([write_sweep(tmp_path / "s", accuracies(mlp=[0.7], cnn=[0.8]))])
        assert difference_of(comparison).test is None
        assert "differences cannot be tested" in str(comparison)

    def test_single_run_can_be_the_baseline_of_all_seeds(self, sweep: Path, tmp_path: Path) -> None:
        run = write_run(tmp_path / "other", ["model=mlp", "epochs=1"], val__acc=0.6)
        comparison = compare_runs([sweep], baseline=str(run))
        cnn = next(each for each in comparison.differences if "cnn" in each.setting)
        assert (cnn.pairs, cnn.test and cnn.test.difference.n) == (0, 3)
        assert cnn.test is not None
        assert cnn.test.p_t == pytest.approx(stats.ttest_1samp(CNN, 0.6).pvalue)


class TestChoice:
    def test_validation_figures_choose(self, tmp_path: Path) -> None:
        jobs = accuracies(mlp=MLP, cnn=CNN)
        for overrides, metrics in jobs:
            assert isinstance(metrics, dict)
            metrics["test__acc"] = 0.99 if "model=mlp" in overrides else 0.01
        comparison = compare_runs([write_sweep(tmp_path / "s", jobs)])
        assert comparison.chosen == "model=cnn"

    def test_lowest_loss_is_best(self, sweep: Path) -> None:
        assert compare_runs([sweep], metric="val/loss").chosen == "model=cnn"

    def test_test_figures_are_shown_for_the_chosen_setting_alone(self, sweep: Path) -> None:
        comparison = compare_runs([sweep])
        shown = {each.label: "test/acc" in each.metrics for each in comparison.settings}
        assert shown == {"model=mlp": False, "model=cnn": True}
        # The mean of the test accuracies of the MLP is in no output.
        assert "0.6100" not in str(comparison) + comparison._repr_html_()
        assert "test=all to see the test figures of the other settings" in str(comparison)

    def test_test_figures_of_all_settings_on_request(self, sweep: Path) -> None:
        comparison = compare_runs([sweep], show_test=True)
        assert all("test/acc" in each.metrics for each in comparison.settings)
        assert comparison.chosen == "model=cnn"
        assert "they must not choose one" in str(comparison)
        assert difference_of(comparison, "test/acc").pairs == 3

    def test_test_metric_is_refused_as_a_metric(self, sweep: Path) -> None:
        with pytest.raises(ConfigError, match="metric=test/acc: test rows must not choose"):
            compare_runs([sweep], metric="test/acc")

    def test_runs_without_validation_rows_are_compared_but_not_chosen(self, tmp_path: Path) -> None:
        jobs = [
            ([f"model={model}", f"seed={seed}"], {"test__acc": 0.5 + 0.1 * seed})
            for model in ("mlp", "cnn")
            for seed in (0, 1)
        ]
        sweep = write_sweep(tmp_path / "s", jobs)
        with pytest.raises(ConfigError, match="metric=val/acc: no finished run has it"):
            compare_runs([sweep])
        comparison = compare_runs([sweep], show_test=True)
        assert (comparison.metric, comparison.chosen) == ("test/acc", None)

    def test_by_compares_the_best_setting_of_each_value(self, tmp_path: Path) -> None:
        means = {("mlp", 0.1): 0.6, ("mlp", 0.01): 0.7, ("cnn", 0.1): 0.9, ("cnn", 0.01): 0.8}
        jobs = [
            (
                [f"model={model}", f"optimizer.lr={lr}", f"seed={seed}"],
                {"val__acc": value + 0.01 * seed},
            )
            for (model, lr), value in means.items()
            for seed in (0, 1)
        ]
        sweep = write_sweep(tmp_path / "s", jobs)
        comparison = compare_runs([sweep], by=["model"])
        assert [each.label for each in comparison.settings] == [
            "model=mlp lr=0.01",
            "model=cnn lr=0.1",
        ]
        assert any("the best of 2 settings" in note for note in comparison.notes)


class TestErrors:
    @pytest.mark.parametrize(
        ("options", "says"),
        [
            (
                {"by": ["modl"]},
                "by=modl: no such key differs between the runs; write by=model",
            ),
            ({"metric": "speed"}, "metric=speed: no finished run has it; the runs have val/acc"),
            ({"baseline": "resnet"}, "reference=resnet: no setting has it"),
            ({"over": ["optimizer.lrr"]}, "over=optimizer.lrr: the runs have no such key"),
            (
                {"metric": "val/accuracy"},
                "metric=val/accuracy: no finished run has it; did you mean val/acc? the runs have",
            ),
        ],
    )
    def test_unknown_names_list_the_known_ones(
        self, options: dict[str, str], says: str, sweep: Path
    ) -> None:
        with pytest.raises(ConfigError) as caught:
            compare_runs([sweep], **options)
        assert str(caught.value).startswith(says)

    def test_file_is_not_called_a_folder(self, tmp_path: Path) -> None:
        (tmp_path / "rgb.csv").touch()
        with pytest.raises(RunError, match=r"rgb\.csv is a file; give a run directory"):
            compare_runs([tmp_path / "rgb.csv"])

    def test_folder_without_runs_is_refused(self, tmp_path: Path) -> None:
        for path in (tmp_path, tmp_path / "nothing"):
            with pytest.raises(RunError, match=f"run={path}: "):
                compare_runs([path])

    def test_sweep_without_finished_runs_is_refused(self, tmp_path: Path) -> None:
        sweep = write_sweep(tmp_path / "s", [(["seed=0"], "failed")])
        with pytest.raises(RunError, match="none of 1 runs is finished"):
            compare_runs([sweep])

    def test_single_run_is_refused(self, sweep: Path) -> None:
        with pytest.raises(RunError, match=r"is a single run; .*run=\[DIR,DIR\]"):
            compare_runs([sweep / "0_model=mlp_seed=0"])

    @pytest.mark.parametrize("inside", ["", "0_model=mlp_seed=0"])
    def test_same_run_twice_is_refused(self, inside: str, sweep: Path, tmp_path: Path) -> None:
        link = tmp_path / "link"
        link.symlink_to(sweep, target_is_directory=True)
        with pytest.raises(RunError, match="the same run twice") as caught:
            compare_runs([sweep, link / inside])
        assert f"run={link / inside}" in str(caught.value)
        assert str(sweep / "0_model=mlp_seed=0") in str(caught.value)

    def test_damaged_run_is_left_out(self, sweep: Path) -> None:
        (sweep / "0_model=mlp_seed=0" / "run.json").write_text("{", encoding="utf-8")
        comparison = compare_runs([sweep])
        assert comparison.states["damaged"] == 1
        assert difference_of(comparison).pairs == 2


class TestFiles:
    def test_command_writes_json_and_tables_into_the_sweep(
        self, sweep: Path, csvision_command: RunCommand
    ) -> None:
        output = csvision_command("compare", f"run={sweep}", "by=model", "reference=mlp")
        assert (output.code, output.err) == (0, "")
        assert "Chosen by the mean of val/acc: model=cnn" in output.out
        assert output.out.splitlines()[-1] == str(sweep.relative_to(Path.cwd()))
        content = json.loads((sweep / "comparison.json").read_text(encoding="utf-8"))
        assert (content["chosen"], content["baseline"]) == ("model=cnn", "model=mlp")
        table = pd.read_csv(sweep / "comparison.csv").set_index("setting")
        assert table.loc["model=cnn", "val/acc"] == pytest.approx(np.mean(CNN))
        assert table["test/acc"].isna().to_dict() == {"model=mlp": True, "model=cnn": False}
        differences = pd.read_csv(sweep / "comparison_differences.csv")
        assert differences["difference"].tolist() == pytest.approx([np.mean(CNN) - np.mean(MLP)])

    @pytest.mark.slow
    def test_several_sweeps_get_a_folder_of_their_own(
        self, sweep: Path, tmp_path: Path, csvision_command: RunCommand
    ) -> None:
        other = write_sweep(tmp_path / "with, comma", accuracies(mlp=MLP))
        second = write_sweep(tmp_path / "second", accuracies(mlp=MLP))
        output = csvision_command("compare", f"run=[{sweep},{second}]", "quiet=true")
        (folder,) = Path("outputs/comparisons").iterdir()
        assert output.out == f"{folder}\n"
        assert csvision_command("compare", f"run={other}", "quiet=true").code == 0

    def test_python_takes_lists_and_results(self, sweep: Path, tmp_path: Path) -> None:
        second = write_sweep(tmp_path / "second", accuracies(mlp=MLP))
        comparison = csvision.compare([sweep, second], "by=model", f"output_dir={sweep}/x")
        assert comparison.directory == sweep / "x"
        assert comparison.table["setting"].tolist() == ["model=mlp", "model=cnn"]
        assert len(comparison.difference_table) == 1
        html = csvision.compare(sweep)._repr_html_()
        assert "<table" in html
        assert "model=cnn" in html


@pytest.fixture(scope="module")
def two_runs(tmp_path_factory: pytest.TempPathFactory) -> list[csvision.TrainResult]:
    """Train with two seeds on the same rows."""
    from tests.conftest import digits

    home = tmp_path_factory.mktemp("two")
    digits(300).to_csv(home / "digits.csv", index=False)
    files = (f"data.csv={home / 'digits.csv'}", "data.cache=none", f"output_dir={home}", "epochs=2")
    return [csvision.train(*SMALL_TRAINING, *SMALL_MLP, *files, f"seed={seed}") for seed in (0, 1)]


class TestPredictions:
    @pytest.mark.slow
    def test_predictions_of_two_runs_are_compared(
        self, two_runs: list[csvision.TrainResult]
    ) -> None:
        comparison = csvision.compare(two_runs)
        test = comparison.predictions
        assert test is not None
        labels = two_runs[0].splits.test.labels
        one, two = (run.evaluation.predictions == labels for run in two_runs)
        assert test.rows == len(labels)
        assert (test.only_first, test.only_second) == ((one & ~two).sum(), (two & ~one).sum())
        difference = two_runs[0].metrics["test/acc"] - two_runs[1].metrics["test/acc"]
        assert test.difference == pytest.approx(difference)
        assert "McNemar" in str(comparison)

    @pytest.mark.slow
    def test_run_is_compared_with_a_reference_run(
        self, two_runs: list[csvision.TrainResult]
    ) -> None:
        one, two = two_runs
        comparison = compare_runs([one.directory], baseline=str(two.directory))
        assert comparison.predictions == csvision.compare(two_runs).predictions

    @pytest.mark.slow
    def test_other_test_rows_are_refused(
        self, two_runs: list[csvision.TrainResult], small_run: RunDirectory
    ) -> None:
        changed = Path(two_runs[0].directory / "predictions.csv")
        table = pd.read_csv(changed)
        table.iloc[1:].to_csv(small_run.path / "predictions.csv", index=False)
        with pytest.raises(RunError, match="were tested on different rows"):
            csvision.compare([two_runs[0], small_run.path])
