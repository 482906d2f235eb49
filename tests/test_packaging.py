"""What the project promises of itself: its constraints, its commands, its wheel."""

import os
import subprocess
import sys
import zipfile
from importlib.metadata import PackageNotFoundError, requires, version
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[1]


def pinned() -> dict[str, str]:
    """The versions in constraints.txt."""
    lines = (ROOT / "constraints.txt").read_text().splitlines()
    pairs = (line.split("==") for line in lines if line and not line.startswith("#"))
    return {canonicalize_name(name): number for name, number in pairs}


def installed(name: str, extras: frozenset[str] = frozenset()) -> dict[str, str]:
    """The versions of all that a package needs, as they are installed."""
    found: dict[str, str] = {}
    waiting = [(name, extras)]
    while waiting:
        package, chosen = waiting.pop()
        for line in requires(package) or []:
            needed = Requirement(line)
            environments = [{"extra": extra} for extra in ("", *chosen)]
            if needed.marker and not any(map(needed.marker.evaluate, environments)):
                continue
            key = canonicalize_name(needed.name)
            if key in found:
                continue
            try:
                found[key] = version(key).partition("+")[0]
            except PackageNotFoundError:
                continue
            waiting.append((key, frozenset(needed.extras)))
    return found


def test_constraints_name_the_version_of_all_that_is_installed() -> None:
    found = installed("csvision", frozenset({"dev"}))
    assert len(found) > 40
    assert found == {name: pinned().get(name) for name in found}


def test_constraints_name_nothing_else() -> None:
    assert pinned().keys() - installed("csvision", frozenset({"dev"})).keys() == set()


def test_continuous_integration_runs_the_test_command_of_readme() -> None:
    readme, script = (ROOT / name for name in ("README.md", ".ci/run"))
    (command,) = [line for line in readme.read_text().splitlines() if line.endswith("-m pytest")]
    assert command in script.read_text().splitlines()


@pytest.fixture(scope="module")
def unpacked_wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel's content, as an installation has it."""
    folder = tmp_path_factory.mktemp("wheel")
    options = ["--no-deps", "--no-build-isolation", "--quiet", "--wheel-dir", str(folder)]
    subprocess.run([sys.executable, "-m", "pip", "wheel", *options, str(ROOT)], check=True)
    (wheel,) = folder.glob("csvision-*.whl")
    zipfile.ZipFile(wheel).extractall(folder / "content")
    return folder / "content"


def test_an_installed_csvision_trains_outside_the_project(unpacked_wheel: Path) -> None:
    code = "import csvision; print(csvision.__file__, csvision.train('debug=fast').metrics)"
    environment = os.environ | {"PYTHONPATH": str(unpacked_wheel)}
    result = subprocess.run(
        [sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True
    )
    assert str(unpacked_wheel) in result.stdout
    assert "test/acc" in result.stdout
    licences = [path.name for path in unpacked_wheel.rglob("LICENSE*")]
    assert {"LICENSE", "LICENSE-fashion-mnist"} <= set(licences)


def test_an_installed_csvision_has_what_its_pages_are_made_of(unpacked_wheel: Path) -> None:
    package = ROOT / "src" / "csvision"
    kinds = {".jinja", ".css", ".js"}
    parts = [path.relative_to(package) for path in package.rglob("*") if path.suffix in kinds]
    assert len(parts) > 2
    assert all((unpacked_wheel / "csvision" / part).is_file() for part in parts)
