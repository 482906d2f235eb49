"""The project as it is released: constraints, test command, wheel and source distribution."""

import os
import shutil
import subprocess
import sys
import tarfile
import zipfile
from importlib.metadata import PackageNotFoundError, requires, version
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests.conftest import ROOT


def pinned_versions() -> dict[str, str]:
    """The versions in constraints.txt."""
    lines = (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()
    pairs = (line.split("==") for line in lines if line and not line.startswith("#"))
    return {canonicalize_name(name): number for name, number in pairs}


def installed_versions(name: str, extras: frozenset[str] = frozenset()) -> dict[str, str]:
    """The installed versions of everything that a package requires, directly or indirectly."""
    found: dict[str, str] = {}
    queue = [(name, extras)]
    while queue:
        package, chosen = queue.pop()
        for line in requires(package) or []:
            requirement = Requirement(line)
            environments = [{"extra": extra} for extra in ("", *chosen)]
            if requirement.marker and not any(map(requirement.marker.evaluate, environments)):
                continue
            key = canonicalize_name(requirement.name)
            if key in found:
                continue
            try:
                found[key] = version(key).partition("+")[0]
            except PackageNotFoundError:
                continue
            queue.append((key, frozenset(requirement.extras)))
    return found


def test_constraints_pin_the_installed_version_of_every_requirement() -> None:
    found = installed_versions("csvision", frozenset({"dev"}))
    assert len(found) > 40
    assert found == {name: pinned_versions().get(name) for name in found}


def test_constraints_pin_nothing_else() -> None:
    found = installed_versions("csvision", frozenset({"dev"}))
    assert pinned_versions().keys() - found.keys() == set()


def test_continuous_integration_runs_the_test_command_of_readme() -> None:
    readme, script = ((ROOT / name).read_text("utf-8") for name in ("README.md", ".ci/run"))
    (command,) = [line for line in readme.splitlines() if "venv .venv" in line and "pytest" in line]
    assert command in script.splitlines()


def run(*command: str | Path, cwd: Path | None = None) -> None:
    subprocess.run([*map(str, command)], cwd=cwd, check=True, capture_output=True)


def build(project: Path, target: str) -> Path:
    """Build a wheel or an sdist of a project; return the file."""
    run(sys.executable, "-m", "hatchling", "build", "-t", target, cwd=project)
    (file,) = (project / "dist").glob("*.whl" if target == "wheel" else "*.tar.gz")
    return file


def names_in(wheel: Path) -> set[str]:
    return set(zipfile.ZipFile(wheel).namelist())


def files_in(folder: Path) -> set[str]:
    paths = (path for path in folder.rglob("*") if path.is_file())
    return {path.relative_to(folder).as_posix() for path in paths}


CONF = files_in(ROOT / "conf")

UNTRACKED = ("experiment/untracked.yaml", "untracked.yaml")


@pytest.fixture(scope="module")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A Git checkout of the project, with untracked files in conf/."""
    folder = tmp_path_factory.mktemp("checkout")
    for name in ("pyproject.toml", "hatch_build.py", "README.md", "LICENSE", "constraints.txt"):
        shutil.copy(ROOT / name, folder)
    for name in ("conf", "src"):
        shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in UNTRACKED:
        (folder / "conf" / name).unlink(missing_ok=True)
    run("git", "init", "-q", cwd=folder)
    run("git", "add", "-A", cwd=folder)
    for name in UNTRACKED:
        (folder / "conf" / name).write_text("seed: 1\n", encoding="utf-8")
    return folder


@pytest.fixture(scope="module")
def wheel(checkout: Path) -> Path:
    return build(checkout, "wheel")


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder into which pip installed the wheel."""
    folder = tmp_path_factory.mktemp("installed")
    options = ["--no-deps", "--quiet", "--disable-pip-version-check", "--no-compile"]
    run(sys.executable, "-m", "pip", "install", *options, "--target", folder, wheel)
    return folder


def csvision_command(installed: Path, *arguments: str) -> str:
    """The output of the installed command."""
    command = [str(installed / "bin" / "csvision"), *arguments]
    environment = os.environ | {"PYTHONPATH": str(installed)}
    ended = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert ended.returncode == 0, ended.stderr
    return ended.stdout


@pytest.mark.slow
def test_wheel_has_the_tracked_files_of_conf_only(wheel: Path) -> None:
    prefix = "csvision/conf/"
    found = {name.removeprefix(prefix) for name in names_in(wheel) if name.startswith(prefix)}
    assert found == CONF - set(UNTRACKED)
    assert {"train.yaml", "model/cnn.yaml"} <= found


@pytest.mark.slow
def test_sdist_builds_the_same_wheel_without_git(checkout: Path, wheel: Path) -> None:
    with tarfile.open(build(checkout, "sdist")) as archive:
        # Inside the checkout, whose Git does not know these files.
        archive.extractall(checkout / "unpacked", filter="data")
    (project,) = (checkout / "unpacked").iterdir()
    assert names_in(build(project, "wheel")) == names_in(wheel)


@pytest.mark.slow
def test_wheel_has_every_file_of_both_packages(wheel: Path) -> None:
    packages = {name for name in files_in(ROOT / "src") if "__pycache__" not in name}
    assert packages - names_in(wheel) == set()
    suffixes = {Path(name).suffix for name in packages}
    assert {".jinja", ".css", ".js", ".gz", ".typed"} <= suffixes


def test_wheel_has_the_licenses(wheel: Path) -> None:
    names = {Path(name).name for name in names_in(wheel) if "/licenses/" in name}
    assert names == {"LICENSE", "LICENSE-fashion-mnist"}


@pytest.mark.slow
def test_installed_command_lists_the_commands_of_both_packages(installed: Path) -> None:
    words = csvision_command(installed, "--help").split()
    assert {"train", "resume", "evaluate", "predict", "claims"} <= set(words)


@pytest.mark.slow
def test_installed_command_trains_outside_the_project(installed: Path) -> None:
    output = csvision_command(installed, "train", "debug=fast", "accelerator=cpu")
    (directory,) = Path("outputs/runs").iterdir()
    assert str(directory) in output
    assert (directory / "metrics.json").is_file()
    code = (directory / "run.json").read_text(encoding="utf-8")
    assert '"state": "finished"' in code


@pytest.mark.slow
def test_installed_command_runs_a_sweep_outside_the_project(installed: Path) -> None:
    output = csvision_command(
        installed, "train", "-m", "debug=fast", "model=mlp,cnn", "accelerator=cpu", "logger=none"
    )
    (sweep,) = Path("outputs/sweeps").iterdir()
    assert str(sweep) in output
    lines = (sweep / "sweep.csv").read_text(encoding="utf-8").splitlines()
    assert len(lines) == 3
    assert all("finished" in line for line in lines[1:])


@pytest.mark.slow
def test_installed_python_package_is_the_one_of_the_wheel(installed: Path) -> None:
    code = "import csvision, csvision_claims; print(csvision.__file__, csvision_claims.__file__)"
    environment = os.environ | {"PYTHONPATH": str(installed)}
    output = subprocess.check_output([sys.executable, "-c", code], env=environment, text=True)
    assert output.split() == [
        str(installed / name / "__init__.py") for name in ("csvision", "csvision_claims")
    ]
