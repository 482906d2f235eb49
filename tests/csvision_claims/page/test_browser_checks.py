"""The browser checks detect errors that are inserted into the page."""

import re
import shutil
from pathlib import Path

import pytest
from playwright.sync_api import Browser

from tests.browser import (
    SCHEMES,
    WIDTHS,
    find_chromium,
    low_contrast,
    open_page,
    other_requests,
    overflow,
    page_problems,
    zero_size_pictures,
)

pytestmark = pytest.mark.slow


def insert(path: Path, html: str, markup: str) -> Path:
    """Write the page with markup inserted at its end; return its path."""
    changed = path.with_name("inserted.html")
    changed.write_text(html.replace("</main>", f"{markup}</main>"), encoding="utf-8")
    return changed


def without_policy(html: str) -> str:
    """Return the page without its Content Security Policy."""
    changed = re.sub(r'<meta http-equiv="Content-Security-Policy"[^>]*>', "", html)
    assert changed != html
    return changed


class TestBrowserChecks:
    def test_console_error_is_detected(self, browser: Browser, path: Path, html: str) -> None:
        changed = insert(path, without_policy(html), "<script>console.error('inserted')</script>")
        with open_page(browser, changed) as visit:
            pass
        assert visit.errors == ["inserted"]

    def test_exception_is_detected(self, browser: Browser, path: Path, html: str) -> None:
        changed = insert(path, without_policy(html), "<script>throw Error('inserted')</script>")
        with open_page(browser, changed) as visit:
            pass
        assert visit.errors == ["inserted"]

    def test_external_script_is_detected(self, browser: Browser, path: Path, html: str) -> None:
        changed = insert(path, html, "<script>document.title = 'inserted'</script>")
        with open_page(browser, changed) as visit:
            assert visit.page.title() != "inserted"
        assert "Content Security Policy" in visit.errors[0]

    @pytest.mark.parametrize("policy", [True, False], ids=["policy", "no-policy"])
    def test_external_image_is_detected(
        self, browser: Browser, path: Path, html: str, policy: bool
    ) -> None:
        # A local port without a server.
        image = "<img src='http://127.0.0.1:9/inserted.png' width='9' height='9' alt=''>"
        changed = insert(path, html if policy else without_policy(html), image)
        with open_page(browser, changed) as visit:
            pass
        assert visit.errors
        if not policy:
            assert other_requests(visit, changed) == ["http://127.0.0.1:9/inserted.png"]

    def test_overflow_is_detected(self, browser: Browser, path: Path, html: str) -> None:
        changed = insert(path, html, "<div style='width: 1500px'>wide</div>")
        for width in WIDTHS:
            with open_page(browser, changed, width) as visit:
                assert overflow(visit.page) != []

    def test_picture_without_size_is_detected(
        self, browser: Browser, path: Path, html: str
    ) -> None:
        changed = insert(path, html, "<svg width='9' height='0' aria-label='flat'></svg>")
        with open_page(browser, changed) as visit:
            assert zero_size_pictures(visit.page) == ["flat"]

    def test_low_contrast_is_detected(self, browser: Browser, path: Path, html: str) -> None:
        # Medium gray has a contrast below 4.5:1 on both backgrounds.
        faint = "<p style='color: #808080; background: #ddd'>faint</p><svg><text fill='#777'>faint"
        changed = insert(path, html, f"{faint}</text></svg>")
        for scheme in SCHEMES:
            with open_page(browser, changed, scheme=scheme) as visit:
                found = low_contrast(visit.page)
                assert [text.split(": ")[1] for text in found] == ["faint", "faint"]

    def test_all_problems_of_a_page_are_collected(
        self, browser: Browser, path: Path, html: str
    ) -> None:
        faint = "<details>closed<p style='color: #808080; background: #ddd'>faint</p></details>"
        wide = "<div style='width: 1500px'>wide</div><svg width='9' height='0'></svg>"
        script = "<script>throw Error('inserted')</script>"
        image = "<img src='http://127.0.0.1:9/a.png' width='9' height='9' alt=''>"
        page = re.sub("<h1", "<h1 hidden", without_policy(html))
        changed = insert(path, page, faint + wide + script + image)
        found = page_problems(browser, changed, WIDTHS[0], "light")
        assert [text.partition(":")[0] for text in dict.fromkeys(found)] == [
            *("heading", "picture without size", "overflow", "low contrast"),
            *("error", "error", "request"),
        ]
        assert page_problems(browser, path, WIDTHS[0], "light") == []


class TestMissingBrowser:
    @pytest.fixture(autouse=True)
    def without_chromium(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(shutil, "which", lambda name: None)

    def test_test_fails_in_ci(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("CI", "1")
        with pytest.raises(pytest.fail.Exception, match="chromium is not installed"):
            find_chromium()

    def test_test_is_skipped_elsewhere(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.delenv("CI", raising=False)
        with pytest.raises(pytest.skip.Exception, match="apt-get install chromium"):
            find_chromium()
