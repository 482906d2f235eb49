"""What the checks in a browser notice when it is planted in the page."""

import re
import shutil
from pathlib import Path

import pytest
from playwright.sync_api import Browser

from tests.csvision_claims.page.browser import (
    SCHEMES,
    WIDTHS,
    chromium,
    empty_boxes,
    other_requests,
    overflow,
    visited,
    weak_text,
)


def planted(path: Path, html: str, markup: str) -> Path:
    """The page with something added at its end."""
    changed = path.with_name("planted.html")
    changed.write_text(html.replace("</main>", f"{markup}</main>"), encoding="utf-8")
    return changed


def without_policy(html: str) -> str:
    """The page without what forbids it to ask for anything."""
    changed = re.sub(r'<meta http-equiv="Content-Security-Policy"[^>]*>', "", html)
    assert changed != html
    return changed


class TestTheChecksNotice:
    def test_an_error_on_the_console(self, browser: Browser, path: Path, html: str) -> None:
        changed = planted(path, without_policy(html), "<script>console.error('planted')</script>")
        with visited(browser, changed) as visit:
            pass
        assert visit.complaints == ["planted"]

    def test_an_exception(self, browser: Browser, path: Path, html: str) -> None:
        changed = planted(path, without_policy(html), "<script>throw Error('planted')</script>")
        with visited(browser, changed) as visit:
            pass
        assert visit.complaints == ["planted"]

    def test_a_foreign_script(self, browser: Browser, path: Path, html: str) -> None:
        changed = planted(path, html, "<script>document.title = 'planted'</script>")
        with visited(browser, changed) as visit:
            assert visit.page.title() != "planted"
        assert "Content Security Policy" in visit.complaints[0]

    @pytest.mark.parametrize("policy", [True, False], ids=["policy", "no-policy"])
    def test_an_image_from_elsewhere(
        self, browser: Browser, path: Path, html: str, policy: bool
    ) -> None:
        # A port of this machine at which nobody answers.
        image = "<img src='http://127.0.0.1:9/planted.png' width='9' height='9' alt=''>"
        changed = planted(path, html if policy else without_policy(html), image)
        with visited(browser, changed) as visit:
            pass
        assert visit.complaints
        if not policy:
            assert other_requests(visit, changed) == ["http://127.0.0.1:9/planted.png"]

    def test_what_is_too_wide(self, browser: Browser, path: Path, html: str) -> None:
        changed = planted(path, html, "<div style='width: 1500px'>wide</div>")
        for width in WIDTHS:
            with visited(browser, changed, width) as visit:
                assert overflow(visit.page) != []

    def test_a_picture_without_room(self, browser: Browser, path: Path, html: str) -> None:
        changed = planted(path, html, "<svg width='9' height='0' aria-label='flat'></svg>")
        with visited(browser, changed) as visit:
            assert empty_boxes(visit.page) == ["flat"]

    def test_text_that_is_too_faint(self, browser: Browser, path: Path, html: str) -> None:
        # Grey in the middle: 4.5:1 on neither ground.
        faint = "<p style='color: #808080; background: #ddd'>faint</p><svg><text fill='#777'>faint"
        changed = planted(path, html, f"{faint}</text></svg>")
        for scheme in SCHEMES:
            with visited(browser, changed, scheme=scheme) as visit:
                found = weak_text(visit.page)
                assert [text.split(": ")[1] for text in found] == ["faint", "faint"]


class TestWithoutABrowser:
    @pytest.fixture(autouse=True)
    def nothing_installed(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(shutil, "which", lambda name: None)

    def test_fails_where_all_must_be_tested(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("CI", "1")
        with pytest.raises(pytest.fail.Exception, match="no chromium"):
            chromium()

    def test_is_skipped_elsewhere(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.delenv("CI", raising=False)
        with pytest.raises(pytest.skip.Exception, match="apt-get install chromium"):
            chromium()
