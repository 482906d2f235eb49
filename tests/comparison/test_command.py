"""The options of compare: the command on the page, references by directory, notes, the default."""

import shlex
from pathlib import Path

import pytest

import csvision
from csvision.comparison.compare import compare_runs
from csvision.comparison.comparison import Comparison
from csvision.errors import ConfigError, RunError
from tests.cli.conftest import RunCommand
from tests.comparison.made_up_runs import accuracies, write_run, write_sweep


@pytest.fixture
def sweep(tmp_path: Path) -> Path:
    jobs: list[tuple[list[str], dict[str, float] | str]] = [
        (
            [f"model={model}", f"optimizer.lr={lr}", f"seed={seed}"],
            {"val__acc": value + 0.01 * seed, "test__acc": value, "val__loss": 1 - lr},
        )
        for model, lr, value in (("mlp", 0.1, 0.6), ("cnn", 0.1, 0.9), ("cnn", 0.01, 0.8))
        for seed in (0, 1)
    ]
    return write_sweep(tmp_path / "a sweep", jobs)


def page_of(comparison: Comparison) -> Path:
    assert comparison.directory is not None
    (path,) = (*comparison.directory.glob("sweep.html"), *comparison.directory.glob("c*.html"))
    return path


def command_on(page: str) -> list[str]:
    """Return the words of the command that a page shows."""
    from html import unescape

    text = unescape(page.partition("Compare again</dt><dd><code>")[2].partition("</code>")[0])
    return shlex.split(text)[1:]


class TestPageCommand:
    @pytest.mark.slow
    @pytest.mark.parametrize(
        "options",
        [
            ["by=model", "metric=val/loss", "test=all"],
            ["over=[optimizer.lr,seed]"],
            ["reference=lr=0.01"],
            ["by=[model]", "output_dir=out folder"],
            ["reference=a sweep/4_model=cnn_lr=0.01_seed=0"],
        ],
    )
    def test_shown_command_writes_the_same_page_again(
        self,
        options: list[str],
        sweep: Path,
        csvision_command: RunCommand,
        monkeypatch: pytest.MonkeyPatch,
        tmp_path: Path,
    ) -> None:
        assert csvision_command("compare", f"run={sweep}", *options).code == 0
        folder = tmp_path / "out folder" if "output_dir=out folder" in options else sweep
        page = folder / "sweep.html"
        before = page.read_text(encoding="utf-8")
        words = command_on(before)
        assert len(words) == 2 + len(options)
        page.unlink()
        (tmp_path / "elsewhere").mkdir()
        monkeypatch.chdir(tmp_path / "elsewhere")
        assert csvision_command(*words).code == 0
        assert page.read_text(encoding="utf-8") == before

    def test_page_of_runs_without_validation_shows_its_command(
        self, tmp_path: Path, csvision_command: RunCommand
    ) -> None:
        from csvision.comparison.page import refresh_page

        jobs = [([f"seed={seed}"], {"test__acc": 0.5}) for seed in (0, 1)]
        sweep = write_sweep(tmp_path / "s", jobs)
        refresh_page(sweep, final=True)
        before = (sweep / "sweep.html").read_text(encoding="utf-8")
        assert csvision_command(*command_on(before)).code == 0
        assert (sweep / "sweep.html").read_text(encoding="utf-8") == before

    @pytest.mark.slow
    def test_title_names_what_was_compared(self, sweep: Path, tmp_path: Path) -> None:
        run = write_run(tmp_path / "single", ["model=mlp"], val__acc=0.5)
        (tmp_path / "two").mkdir()
        write_run(tmp_path / "two" / "x", ["model=mlp"], val__acc=0.5)
        write_run(tmp_path / "two" / "y", ["model=cnn"], val__acc=0.5)
        others = [
            write_run(tmp_path / f"other{seed}", ["model=mlp", f"seed={seed}"], val__acc=0.5)
            for seed in range(5)
        ]
        titles = {
            (sweep,): "Sweep a sweep",
            (sweep, run): "Comparison of a sweep and single",
            (tmp_path / "two",): "Comparison of the runs in two",
            (run, *others): "Comparison of single, other0, other1 and 3 more",
        }
        for number, (paths, title) in enumerate(titles.items()):
            config = ["metric=val/acc", f"output_dir='{tmp_path}/{number}'"]
            found = csvision.compare([*paths] if len(paths) > 1 else paths[0], *config)
            text = page_of(found).read_text(encoding="utf-8")
            assert f"<h1>{title}</h1>" in text
            assert f"<title>{title} " in text


class TestReference:
    def test_directory_of_a_compared_run_names_its_setting(
        self, sweep: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.chdir(sweep)
        run = "../a sweep/3_model=cnn_lr=0.1_seed=1"
        comparison = compare_runs([sweep], baseline=run)
        assert comparison.baseline == "model=cnn lr=0.1"
        assert [each.pairs for each in comparison.differences] == [2, 2]
        assert comparison.states == {"finished": 6}

    def test_run_whose_setting_was_not_chosen_is_refused_with_those_that_were(
        self, sweep: Path
    ) -> None:
        run = sweep / "4_model=cnn_lr=0.01_seed=0"
        with pytest.raises(RunError, match=r"name a setting instead: model=mlp lr=0\.1; model=cnn"):
            compare_runs([sweep], by=["model"], baseline=str(run))


class TestNotes:
    def test_choice_is_noted_only_if_there_was_one(self, sweep: Path, tmp_path: Path) -> None:
        single = write_sweep(tmp_path / "s", accuracies(mlp=(0.5, 0.6), cnn=(0.7, 0.8)))
        assert compare_runs([single], by=["model"]).notes == []
        (note,) = compare_runs([sweep], by=["model"]).notes
        assert note == "for each model, the best of 1 to 2 settings was chosen by val/acc"
        found = compare_runs([sweep], by=["model"]).settings
        assert [each.candidates for each in found] == [1, 2]

    def test_setting_without_the_metric_is_named_with_the_reason(self, tmp_path: Path) -> None:
        write_run(tmp_path / "r" / "a", ["model=cnn"], val__acc=0.5, val__loss=0.7)
        write_run(tmp_path / "r" / "b", ["baseline=knn"], val__acc=0.9)
        comparison = compare_runs([tmp_path / "r"], metric="val/loss")
        assert comparison.chosen == "model=cnn"
        (note,) = comparison.notes
        assert note.startswith(
            "without val/loss and cannot be chosen: model=knn; a baseline has no"
        )

    def test_n_counts_the_runs_that_have_the_metric(self, tmp_path: Path) -> None:
        for seed, metrics in enumerate(({"val__acc": 0.5, "val__loss": 0.7}, {"val__acc": 0.6})):
            write_run(tmp_path / "r" / f"{seed}", [f"seed={seed}"], "finished", **metrics)
        comparison = compare_runs([tmp_path / "r"], metric="val/loss")
        assert comparison.notes == ["only the runs that have val/loss count: all runs"]
        row = next(line for line in str(comparison).splitlines() if line.startswith("*"))
        assert row.split()[:4] == ["*", "all", "runs", "1"]

    def test_single_runs_are_not_called_repeated(self, tmp_path: Path) -> None:
        jobs = [
            ([f"model={model}", f"seed={seed}"], {"val__acc": 0.5, "test__acc": 0.4})
            for seed, model in enumerate(("mlp", "cnn"))
        ]
        text = str(compare_runs([write_sweep(tmp_path / "s", jobs)]))
        assert "2 settings, one run each" in text
        assert "Its test figures: test/acc 0.4000\n" in text


class TestErrors:
    def test_unknown_by_key_hints_at_the_key_or_lists_several(self, sweep: Path) -> None:
        with pytest.raises(
            ConfigError, match=r"runs; did you mean model\? write one of: model, lr$"
        ):
            compare_runs([sweep], by=["modell"])

    def test_by_without_a_key_that_differs_says_so(self, tmp_path: Path) -> None:
        sweep = write_sweep(tmp_path / "s", [([f"seed={s}"], {"val__acc": 0.5}) for s in (0, 1)])
        with pytest.raises(ConfigError, match="no key does: leave out by"):
            compare_runs([sweep], by=["model"])


@pytest.mark.parametrize("runs", ["[]", "[,]", "[ ]"])
def test_list_without_a_directory_is_refused(runs: str, csvision_command: RunCommand) -> None:
    message = csvision_command("compare", f"run={runs}").error
    assert message == f"run={runs} has no directory; write run=DIR or run=[DIR,DIR]"
