"""The page of the sample records, in a browser."""

from pathlib import Path

import pytest

from csvision_claims.page.page import render_page
from tests.csvision_claims.page.samples import RECORDS


@pytest.fixture(scope="package")
def html() -> str:
    return render_page(RECORDS)


@pytest.fixture
def path(html: str, tmp_path: Path) -> Path:
    path = tmp_path / "claims page.html"
    path.write_text(html, encoding="utf-8")
    return path
