"""The page of a search: its own report, in a real browser, written by the search."""

import json
import shutil
from pathlib import Path

import pytest
from playwright.sync_api import Browser

import csvision
from csvision.comparison.compare import compare_sources
from csvision.comparison.default_metric import default_metric
from csvision.comparison.page import PAGE, refresh_page, write_page
from csvision.comparison.sources import read_sources
from csvision.search.definition import read_definition
from csvision.search.storage import JOURNAL
from csvision.search.table import train_command
from tests.browser import SCHEMES, WIDTHS, Scheme, open_page, page_problems
from tests.search.conftest import small_search_original as small_search_original

pytestmark = pytest.mark.slow


class TestBrowser:
    def test_page_shows_the_report_of_the_search(
        self, browser: Browser, small_search_original: Path
    ) -> None:
        report = csvision.search_report(small_search_original)
        assert report.best is not None
        best = report.trials[report.best]
        states = [trial.state for trial in report.trials]
        with open_page(browser, small_search_original / PAGE) as visit:
            assert visit.page.locator("h1").inner_text() == "Search search"
            section = visit.page.locator("#search")
            text = section.inner_text()
            counts = ", ".join(
                f"{states.count(state)} {state}" for state in ("finished", "pruned", "failed")
            )
            assert f"maximize val/acc. {counts}, of 8 trials" in text
            assert f"trial {best.number} with val/acc {best.value:.4f}" in text
            link = section.get_by_role("link").get_attribute("href")
            assert link == f"{best.directory}/"
            definition = read_definition(small_search_original)
            assert section.locator("code").inner_text() == train_command(definition, best)
            commands = visit.page.locator("td.command code").all_inner_texts()
            assert all("csvision train data=csv data.csv=digits.csv " in each for each in commands)
            course = section.get_by_role("img")
            assert f"{report.best_values[-1]:.4f} at last" in str(
                course.get_attribute("aria-label")
            )
            assert section.locator(".importance").inner_text().split() == ["optimizer.lr", "100.0%"]
            # A trial that was stopped early is not a failure, and nothing is left to resume.
            assert "Failures" not in visit.page.inner_text("main")
            assert "Resume" not in visit.page.inner_text("header")
            assert visit.page.locator("meta[http-equiv=refresh]").count() == 0

    @pytest.mark.parametrize("width", WIDTHS)
    @pytest.mark.parametrize("scheme", SCHEMES)
    def test_page_has_no_overflow_low_contrast_or_errors(
        self, width: int, scheme: Scheme, browser: Browser, small_search_original: Path
    ) -> None:
        assert page_problems(browser, small_search_original / PAGE, width, scheme) == []


@pytest.fixture
def search(small_search_original: Path, tmp_path: Path) -> Path:
    """Return a copy of a search without its page."""
    copy = Path(shutil.copytree(small_search_original, tmp_path / "a search"))
    (copy / PAGE).unlink()
    return copy


def edit_definition(search: Path, **changes: object) -> None:
    """Change entries of search.json."""
    file = search / "search.json"
    content = json.loads(file.read_text(encoding="utf-8"))
    content["settings"]["n_trials"] = changes.pop("n_trials", 8)
    file.write_text(json.dumps(content | changes), encoding="utf-8")


def test_unfinished_search_shows_how_to_resume(search: Path) -> None:
    edit_definition(search, n_trials=9)
    refresh_page(search, final=True)
    text = (search / PAGE).read_text(encoding="utf-8")
    assert "of 9 trials in total" in text
    assert "csvision resume &#39;run=" in text
    assert 'http-equiv="refresh"' in text


def test_search_with_a_damaged_journal_has_a_page_with_a_note(search: Path) -> None:
    (search / JOURNAL).write_text("no JSON\n{}\n", encoding="utf-8")
    sources = read_sources([search])
    write_page(sources, compare_sources(sources), search)
    text = (search / PAGE).read_text(encoding="utf-8")
    assert "the report of the search is missing: " in text
    assert f"{JOURNAL} is damaged" in text
    assert "Settings</h2>" in text


@pytest.mark.parametrize(
    ("monitor", "direction", "metric"),
    [
        ("val/loss", "minimize", "val/loss"),
        ("val/f1", "maximize", "val/f1"),
        ("val/TopTwo", "maximize", "val/TopTwo"),
        ("val/Wrong", "minimize", "val/Wrong"),
    ],
)
def test_settings_are_compared_by_monitor(
    search: Path, monitor: str, direction: str, metric: str
) -> None:
    edit_definition(search, monitor=monitor, direction=direction)
    assert default_metric(read_sources([search])) == metric
