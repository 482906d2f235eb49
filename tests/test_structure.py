"""The direction of imports, the public names, and what a command imports at start-up.

pyproject.toml has the contracts on imports, which import-linter checks.
"""

import ast
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import csvision
from tests.conftest import ROOT

PLUGIN_MODULES = {
    "csvision.cli.commands",
    "csvision.page",
    *(f"csvision.page.{name}" for name in ("axes", "charts", "colors", "curves", "numbers")),
    *(f"csvision.page.{name}" for name in ("svg", "template")),
}
"""What csvision_claims may import for its command and its page, besides the public names."""


def lint_imports(source: Path) -> tuple[int, str]:
    """Check the contracts for the packages in a folder; return the exit code and the report."""
    code = "from importlinter.cli import lint_imports_command as main; main()"
    ended = subprocess.run(
        [sys.executable, "-c", code, "--no-cache", str(ROOT / "pyproject.toml")],
        cwd=source,
        env=os.environ | {"PYTHONPATH": str(source)},
        capture_output=True,
        text=True,
        check=False,
    )
    return ended.returncode, ended.stdout + ended.stderr


def test_imports_keep_the_contracts() -> None:
    code, report = lint_imports(ROOT / "src")
    assert code == 0, report
    assert "4 kept, 0 broken" in report


VIOLATIONS = {
    # A higher layer of csvision, imported in each way that Python has.
    "csvision.layer_shapes -> csvision.run.train": "from csvision.run.train import train",
    "csvision.rng -> csvision.run.device": "import csvision.run.device as x",
    "csvision.errors -> csvision.api": "def f():\n    from csvision import api",
    "csvision.data.table -> csvision.run.log": "if True:\n    from ..run import log",
    # A public name of csvision, of which csvision/__init__.py knows the module.
    "csvision.data.splits -> csvision": "from csvision import CNN",
    "csvision.models.mlp -> csvision": "import csvision",
    # Two modules of one layer.
    "csvision.optim -> csvision.augmentation": "import csvision.augmentation",
    # The other package, and its layers.
    "csvision.api -> csvision_claims.engine.claim": "import csvision_claims.engine.claim",
    "csvision_claims.engine.claim -> csvision_claims.page.text": "from ..page import text",
}


@pytest.fixture(scope="module")
def planted(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the source with all violations."""
    folder = tmp_path_factory.mktemp("planted") / "src"
    ignored = shutil.ignore_patterns("__pycache__", "bundled")
    shutil.copytree(ROOT / "src", folder, ignore=ignored)
    for arrow, line in VIOLATIONS.items():
        module = arrow.partition(" -> ")[0]
        with (folder / module.replace(".", "/")).with_suffix(".py").open("a") as file:
            file.write(f"\n{line}\n")
    (folder / "csvision" / "utils.py").write_text("", encoding="utf-8")
    return folder


def test_planted_violations_are_found(planted: Path) -> None:
    code, report = lint_imports(planted)
    assert code == 1
    assert [arrow for arrow in VIOLATIONS if f"{arrow} (l." not in report] == []


def test_module_without_a_layer_is_found(planted: Path) -> None:
    _, report = lint_imports(planted)
    assert "not listed as layers:\n\n- csvision.utils" in report


def sources(package: str) -> dict[str, str]:
    """The text of every module of a package, by its path below src/."""
    paths = (ROOT / "src" / package).rglob("*.py")
    return {str(path.relative_to(ROOT / "src")): path.read_text("utf-8") for path in paths}


def private_names(text: str) -> Iterator[str]:
    """The names of csvision that a module uses and that are not public."""
    for node in ast.walk(ast.parse(text)):
        match node:
            case ast.Import():
                names = [alias.name for alias in node.names if alias.name != "csvision"]
            case ast.ImportFrom(module="csvision"):
                names = [f"csvision.{alias.name}" for alias in node.names]
            case ast.ImportFrom(module=str() as module) if module not in PLUGIN_MODULES:
                names = [module]
            case ast.Attribute(value=ast.Name(id="csvision")):
                names = [f"csvision.{node.attr}"]
            case ast.Constant(value=str() as value) if value.isprintable() and " " not in value:
                names = [value]
            case _:
                continue
        public = {f"csvision.{name}" for name in csvision.__all__}
        yield from (name for name in names if name.startswith("csvision.") and name not in public)


def test_csvision_claims_uses_public_names_only() -> None:
    found = {path: [*private_names(text)] for path, text in sources("csvision_claims").items()}
    assert len(found) > 40
    assert {path: names for path, names in found.items() if names} == {}


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("import csvision\ncsvision.read_table('bundled')", []),
        ("from csvision import CNN, read_table", []),
        ("from csvision.cli.commands import Command", []),
        ("import csvision.data.table", ["csvision.data.table"]),
        ("from csvision.data.table import read_table", ["csvision.data.table"]),
        ("def f():\n    from csvision import api, CNN", ["csvision.api"]),
        ("import csvision\ncsvision.data.table.read_table('bundled')", ["csvision.data"]),
        ("import_module('csvision.run.train')", ["csvision.run.train"]),
    ],
)
def test_private_names_are_found(text: str, names: list[str]) -> None:
    assert [*private_names(text)] == names


def test_only_lists_of_names_are_imported_by_a_string() -> None:
    """import-linter does not see these imports."""
    texts = sources("csvision") | sources("csvision_claims")
    found = {path for path, text in texts.items() if "import_module(" in text}
    assert found == {
        "csvision/__init__.py",
        "csvision/cli/commands.py",
        "csvision_claims/engine/catalog.py",
    }
    assert not any("__import__(" in text for text in texts.values())


@pytest.mark.parametrize("name", csvision.__all__)
def test_every_public_name_can_be_loaded(name: str) -> None:
    value = getattr(csvision, name)
    assert value.__name__ == name
    assert value.__module__ == csvision._EXPORTS[name]
    assert name in dir(csvision)


def test_unknown_name_raises_attribute_error() -> None:
    assert not hasattr(csvision, "nothing")
    with pytest.raises(AttributeError, match="module 'csvision' has no attribute 'nothing'"):
        csvision.nothing  # noqa: B018


REPORT_IMPORTS = """
import json, runpy, sys
try:
    runpy.run_module("csvision", run_name="__main__", alter_sys=True)
finally:
    print(json.dumps(sorted({"torch", "lightning"} & set(sys.modules))), file=sys.stderr)
"""
"""Runs the command and then prints which slow packages are imported."""


def run_reporting_imports(code: str, *arguments: str) -> tuple[int, str, list[str]]:
    """Run code in a new process; return the exit code, the output and the slow packages."""
    process = subprocess.run(
        [sys.executable, "-c", code, *arguments], capture_output=True, text=True, check=False
    )
    *errors, imported = process.stderr.splitlines()
    return process.returncode, "\n".join([process.stdout, *errors]), json.loads(imported)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("arguments", "code", "expected"),
    [
        (["--help"], 0, "train"),
        (["train", "--help"], 0, "optimizer="),
        (["train", "--cfg", "job", "batch_size=7"], 0, "batch_size: 7"),
        (["train", "epoch=3"], 2, "epochs"),
        (["train", "optimizer.lr=-1"], 2, "optimizer.lr=-1.0 must be > 0"),
        (["train", "model=cnnn"], 2, "model=cnnn"),
        (["evaluate", "--help"], 0, "run="),
        (["predict"], 2, "data.csv is missing"),
        (["explain"], 0, "220,234"),
        (["claims", "--help"], 0, "claim="),
    ],
)
def test_command_that_does_not_train_imports_no_slow_package(
    arguments: list[str], code: int, expected: str, working_folder: Path
) -> None:
    exit_code, printed, imported = run_reporting_imports(REPORT_IMPORTS, *arguments)
    assert expected in printed
    assert (exit_code, imported) == (code, [])
    assert list(working_folder.iterdir()) == []


@pytest.mark.slow
@pytest.mark.parametrize(
    ("code", "slow"),
    [
        ("import csvision; dir(csvision)", []),
        ("from csvision import Stage, UserError", []),
        # Imports that do load them are noticed.
        ("import csvision.classifier", ["lightning", "torch"]),
        ("from csvision import MLP", ["torch"]),
    ],
)
def test_import_loads_only_what_it_needs(code: str, slow: list[str]) -> None:
    report = REPORT_IMPORTS.replace(
        'runpy.run_module("csvision", run_name="__main__", alter_sys=True)', code
    )
    assert run_reporting_imports(report) == (0, "", slow)
