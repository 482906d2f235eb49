"""The page of a sweep: its contents, in a real browser, and when it is written."""

import os
import re
import time
from pathlib import Path

import pytest
from playwright.sync_api import Browser

from csvision.comparison import page
from csvision.comparison.compare import compare_sources
from csvision.comparison.page import PAGE, compare_or_none, refresh_page, write_page
from csvision.comparison.sources import read_sources
from tests.browser import SCHEMES, WIDTHS, Scheme, open_page, page_problems
from tests.cli.conftest import RunCommand
from tests.comparison.made_up_runs import accuracies, write_sweep

HOSTILE = "<script>alert(1)</script>"


def write_history(run: Path, epochs: int, best: float) -> None:
    """Write the curves of a run."""
    lines = ["epoch,lr,train/loss,val/loss,val/acc,seconds"]
    lines += [
        f"{epoch},0.1,{1 / epoch},{1.2 / epoch},{best * epoch / epochs},0.5"
        for epoch in range(1, epochs + 1)
    ]
    (run / "history.csv").write_text("\n".join(lines), encoding="utf-8")


@pytest.fixture(scope="module")
def search(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A sweep over three keys and two seeds with a failed job, and its page."""
    jobs: list[tuple[list[str], dict[str, float] | str]] = [
        (
            [f"model={model}", f"optimizer.lr={lr}", f"batch_size={size}", f"seed={seed}"],
            {
                "val__acc": 0.5 + (0.2 if model == "cnn" else 0) + lr - size / 1000 + 0.01 * seed,
                "val__loss": 0.3,
                "test__acc": 0.6,
            },
        )
        for model in ("mlp", "cnn")
        for lr in (0.01, 0.1)
        for size in (16, 32)
        for seed in (0, 1)
    ]
    jobs.append((["model=mlp", "optimizer.lr=9", "batch_size=16", "seed=0"], "failed"))
    sweep = write_sweep(tmp_path_factory.mktemp("page") / "a sweep", jobs)
    for run in sweep.glob("*_model*"):
        write_history(run, 5, 0.8)
        if run.name.startswith("16_"):
            (run / "train.log").write_text(f"Traceback\nError: {HOSTILE}", encoding="utf-8")
    sources = read_sources([sweep])
    write_page(sources, compare_sources(sources), sweep)
    return sweep


class TestContents:
    @pytest.mark.slow
    def test_page_has_settings_differences_curves_keys_failures_and_runs(
        self, search: Path
    ) -> None:
        text = (search / PAGE).read_text(encoding="utf-8")
        for title in ("Settings", "Differences", "Curves", "Keys", "Failures", "Runs"):
            assert f">{title}</h2>" in text
        assert "model=cnn lr=0.1 batch_size=16" in text
        assert "16 finished, 1 failed" in text
        assert "csvision train model=cnn optimizer.lr=0.1 batch_size=16 seed=1" in text
        assert 'href="0_model%3Dmlp_lr%3D0.01_batch_size%3D16_seed%3D0/"' in text
        assert "csvision resume &#39;run=" in text
        assert 'http-equiv="refresh"' not in text

    @pytest.mark.slow
    def test_metrics_of_runs_and_of_the_heat_map_have_four_decimals(self, search: Path) -> None:
        text = (search / PAGE).read_text(encoding="utf-8")
        cells = re.findall(r'<td class="shade-\d">([^<]*)</td>', text)
        cells += re.findall(r"<td data-rank=\"\d+\">finished</td><td [^>]*>([^<]*)</td>", text)
        assert len(cells) > 16
        assert all(re.fullmatch(r"\d\.\d{4}", cell) for cell in cells)

    def test_texts_of_files_are_escaped(self, search: Path) -> None:
        text = (search / PAGE).read_text(encoding="utf-8")
        assert HOSTILE not in text
        assert "&lt;script&gt;alert(1)&lt;/script&gt;" in text

    @pytest.mark.slow
    @pytest.mark.parametrize(("keys", "shown"), [(1, False), (2, True)])
    def test_share_of_the_variance_is_shown_for_several_keys_only(
        self, keys: int, shown: bool, tmp_path: Path
    ) -> None:
        jobs: list[tuple[list[str], dict[str, float] | str]] = [
            ([f"optimizer.lr={lr}", f"batch_size={16 * (1 + lr % keys)}"], {"val__acc": lr / 10})
            for lr in range(1, 9)
        ]
        sweep = write_sweep(tmp_path / "s", jobs)
        refresh_page(sweep, final=True)
        text = (sweep / PAGE).read_text(encoding="utf-8")
        assert ">Keys</h2>" in text
        assert ("eta squared" in text) is shown
        assert ('<div class="importance">' in text) is shown

    def test_page_without_finished_runs_lists_them(self, tmp_path: Path) -> None:
        sweep = write_sweep(tmp_path / "s", [(["seed=0"], "running"), (["seed=1"], "not started")])
        sources = read_sources([sweep])
        text = write_page(sources, compare_or_none(sources), sweep).read_text(encoding="utf-8")
        assert "No run is finished yet." in text
        assert "1 running, 1 not started" in text
        assert 'http-equiv="refresh"' in text

    def test_runs_without_validation_are_shown_by_test_figures(self, tmp_path: Path) -> None:
        jobs = [([f"seed={seed}"], {"test__acc": 0.5}) for seed in (0, 1)]
        sweep = write_sweep(tmp_path / "s", jobs)
        refresh_page(sweep, final=True)
        assert "No setting is chosen" in (sweep / PAGE).read_text(encoding="utf-8")


class TestRefresh:
    @pytest.fixture
    def sweep(self, tmp_path: Path) -> Path:
        return write_sweep(tmp_path / "s", accuracies(mlp=(0.7, 0.71)))

    def test_recent_page_is_kept_until_the_end(
        self, sweep: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(page, "LAST_COST", [0.1])
        refresh_page(sweep)
        assert not (sweep / PAGE).exists()
        # The sweep has been running for longer than a hundred times the cost of a page.
        before = time.time() - 20
        os.utime(sweep / "sweep.json", (before, before))
        refresh_page(sweep)
        written = (sweep / PAGE).stat().st_mtime_ns
        refresh_page(sweep)
        assert (sweep / PAGE).stat().st_mtime_ns == written
        refresh_page(sweep, final=True)
        assert (sweep / PAGE).stat().st_mtime_ns > written

    def test_page_that_cannot_be_written_is_a_warning(
        self, sweep: Path, caplog: pytest.LogCaptureFixture
    ) -> None:
        (sweep / PAGE).mkdir()
        refresh_page(sweep, final=True)
        assert f"{PAGE} was not written" in caplog.text
        assert "Traceback" not in caplog.text

    def test_compare_writes_the_page_in_another_folder(
        self, sweep: Path, tmp_path: Path, csvision_command: RunCommand
    ) -> None:
        output = csvision_command("compare", f"run={sweep}", f"output_dir={tmp_path}/out")
        assert output.code == 0
        assert not (sweep / PAGE).exists()
        text = (tmp_path / "out" / PAGE).read_text(encoding="utf-8")
        assert 'href="../s/0_model%3Dmlp_seed%3D0/"' in text


@pytest.mark.slow
class TestBrowser:
    @pytest.mark.parametrize("width", WIDTHS)
    @pytest.mark.parametrize("scheme", SCHEMES)
    def test_page_has_no_overflow_low_contrast_or_errors(
        self, width: int, scheme: Scheme, browser: Browser, search: Path
    ) -> None:
        assert page_problems(browser, search / PAGE, width, scheme) == []

    @pytest.mark.parametrize("width", WIDTHS)
    def test_equal_runs_and_differences_have_a_dash_and_the_reason(
        self, width: int, browser: Browser, tmp_path: Path
    ) -> None:
        sweep = write_sweep(tmp_path / "s", accuracies(mlp=(0.7, 0.7), cnn=(0.9, 0.9)))
        refresh_page(sweep, final=True)
        assert page_problems(browser, sweep / PAGE, width, "light") == []
        with open_page(browser, sweep / PAGE, width) as visit:
            settings = visit.page.locator("#settings tbody tr > :nth-child(4)").all_inner_texts()
            assert settings == ["-", "-"]
            section = visit.page.locator("section[aria-labelledby=differences-title]")
            assert section.locator("tbody tr > :nth-child(5)").all_inner_texts() == ["-"]
            assert "No interval where all pairs have the same difference" in section.inner_text()

    def test_settings_can_be_sorted(self, browser: Browser, search: Path) -> None:
        with open_page(browser, search / PAGE) as visit:
            table = visit.page.locator("#settings table")
            first = table.locator("tbody tr th").first
            assert first.inner_text() == "model=cnn lr=0.1 batch_size=16"
            button = table.get_by_role("button", name="val/acc")
            button.click()
            button.click()
            assert first.inner_text() == "model=mlp lr=0.01 batch_size=32"

    def test_printed_page_has_no_links_to_skip_and_is_white(
        self, browser: Browser, search: Path
    ) -> None:
        with open_page(browser, search / PAGE, scheme="dark") as visit:
            visit.page.emulate_media(media="print", color_scheme="dark")
            background = visit.page.evaluate("getComputedStyle(document.body).backgroundColor")
            assert background == "rgb(255, 255, 255)"
            assert visit.page.locator(".skip").is_hidden()
            assert visit.page.pdf(format="A4").startswith(b"%PDF")
