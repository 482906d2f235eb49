"""How the package hangs together: which way imports point, and what a start-up loads."""

import ast
import json
import subprocess
import sys
from collections.abc import Iterator
from graphlib import CycleError, TopologicalSorter
from importlib.util import resolve_name
from pathlib import Path

import pytest

import csvision

ROOT = Path(__file__).parents[1]
SOURCE = ROOT / "src" / "csvision"

LAYERS = [
    {"errors", "schema", "geometry", "checks", "config", "multirun", "paths", "seeding", "stamp"},
    {"data"},
    {"models", "optimization", "augmentation", "arrangement"},
    {"classifier"},
    {"run"},
    {"claims"},
    {"report"},
    {"api"},
    {"command_line"},
]
"""What csvision consists of, low to high: nothing imports from a layer above its own."""

Graph = dict[str, set[str]]
"""The modules that each module imports."""


def module_name(path: Path) -> str:
    parts = path.relative_to(SOURCE.parent).with_suffix("").parts
    return ".".join(part for part in parts if part != "__init__")


def sources() -> dict[str, str]:
    """The text of every module but csvision itself, whose names are loaded when first used."""
    texts = {module_name(path): path.read_text(encoding="utf-8") for path in SOURCE.rglob("*.py")}
    del texts["csvision"]
    return texts


def named(text: str, module: str) -> Iterator[str]:
    """Every dotted name that a module imports anywhere, or spells out as import_module takes it."""
    for node in ast.walk(ast.parse(text)):
        match node:
            case ast.Import():
                yield from (alias.name for alias in node.names)
            case ast.ImportFrom():
                origin = "." * node.level + (node.module or "")
                origin = resolve_name(origin, module.rpartition(".")[0])
                yield from (f"{origin}.{alias.name}" for alias in node.names)
            case ast.Constant(value=str() as value) if value.startswith("csvision."):
                yield value


def graph_of(texts: dict[str, str]) -> Graph:
    """Who imports whom; a public name of csvision counts as the module that it lives in."""
    graph: Graph = {module: set() for module in texts}
    for module, text in texts.items():
        for name in named(text, module):
            package, _, last = name.partition(".")
            name = csvision.HOMES.get(last, name) if package == "csvision" else name
            while name not in texts and "." in name:
                name = name.rpartition(".")[0]
            if name in texts or name == "csvision":
                graph[module].add(name)
    return graph


def layer(module: str) -> int:
    """The layer of a module; csvision itself can load anything and so is above them all."""
    part = f"{module}.".split(".")[1]
    found = [index for index, parts in enumerate(LAYERS) if part in parts]
    return found[0] if found else len(LAYERS)


def arrows_back(texts: dict[str, str]) -> set[str]:
    return {
        f"{module} -> {name}"
        for module, names in graph_of(texts).items()
        for name in names
        if layer(name) > layer(module)
    }


def refuse_cycles(texts: dict[str, str]) -> None:
    TopologicalSorter(graph_of(texts)).prepare()


def test_every_module_has_a_layer() -> None:
    assert [module for module in sources() if layer(module) == len(LAYERS)] == []
    assert len(sources()) > 30


def test_no_import_points_back() -> None:
    assert arrows_back(sources()) == set()


def test_no_two_modules_need_each_other() -> None:
    refuse_cycles(sources())


@pytest.mark.parametrize(
    ("module", "text", "arrow"),
    [
        ("geometry", "from csvision.run.train import train", "geometry -> csvision.run.train"),
        ("geometry", "from csvision.run import train", "geometry -> csvision.run.train"),
        ("geometry", "import csvision.run.train as x", "geometry -> csvision.run.train"),
        ("geometry", "def f():\n    from csvision import api", "geometry -> csvision.api"),
        (
            "data.table",
            "if True:\n    from ..run import device",
            "data.table -> csvision.run.device",
        ),
        ("data.table", "from csvision import CNN", "data.table -> csvision.models.cnn"),
        ("data.table", "import csvision", "data.table -> csvision"),
        ("run.train", "import_module('csvision.api')", "run.train -> csvision.api"),
    ],
)
def test_a_planted_arrow_back_would_be_seen(module: str, text: str, arrow: str) -> None:
    planted = sources()
    planted[f"csvision.{module}"] += f"\n{text}\n"
    assert arrows_back(planted) - arrows_back(sources()) == {f"csvision.{arrow}"}


def test_a_planted_circle_would_be_seen() -> None:
    planted = sources()
    planted["csvision.schema"] += "\ndef f():\n    from csvision.geometry import Layer\n"
    assert arrows_back(planted) == arrows_back(sources())
    with pytest.raises(CycleError):
        refuse_cycles(planted)


def test_a_module_without_a_layer_would_be_seen() -> None:
    assert layer("csvision.utils") == layer("csvision.utils.helpers") == len(LAYERS)


@pytest.mark.parametrize("name", csvision.__all__)
def test_every_public_name_can_be_loaded(name: str) -> None:
    value = getattr(csvision, name)
    assert value.__name__ == name
    assert value.__module__ == csvision.HOMES[name]
    assert name in dir(csvision)


def test_a_name_that_is_none_is_refused_as_any_modules() -> None:
    assert not hasattr(csvision, "nothing")
    with pytest.raises(AttributeError, match="module 'csvision' has no attribute 'nothing'"):
        csvision.nothing  # noqa: B018


REPORTING = """
import json, runpy, sys
sys.argv = sys.argv[1:]
try:
    runpy.run_path(sys.argv[0], run_name="__main__")
finally:
    print(json.dumps(sorted({"torch", "lightning"} & set(sys.modules))), file=sys.stderr)
"""
"""Runs a script and ends by telling which heavy packages it has loaded."""


def run_fresh(script: Path, *arguments: str) -> tuple[int, str, list[str]]:
    """A script in a process of its own: exit code, what it printed, heavy packages loaded."""
    process = subprocess.run(
        [sys.executable, "-c", REPORTING, script, *arguments],
        capture_output=True,
        text=True,
        check=False,
    )
    *errors, loaded = process.stderr.splitlines()
    return process.returncode, "\n".join([process.stdout, *errors]), json.loads(loaded)


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["train", "--help"], 0, "Groups and their choices:"),
        (["train", "--cfg", "job", "batch_size=7"], 0, "batch_size: 7"),
        (["train", "epoch=3"], 2, "error: there is no key epoch; did you mean epochs?"),
        (["train", "optimizer.lr=-1"], 2, "error: optimizer.lr=-1.0 must be > 0"),
        (["train", "model=cnnn"], 2, "error: model=cnnn: there is none; choose from cnn"),
        (["evaluate", "--help"], 0, "Test a finished run"),
        (["predict"], 2, "error: data.csv is missing"),
    ],
)
def test_a_command_that_does_not_train_loads_nothing_heavy(
    arguments: list[str], code: int, said: str, working_folder: Path
) -> None:
    command, *rest = arguments
    exit_code, printed, loaded = run_fresh(ROOT / "scripts" / f"{command}.py", *rest)
    assert said in printed
    assert (exit_code, loaded) == (code, [])
    assert list(working_folder.iterdir()) == []


@pytest.mark.parametrize(
    ("text", "heavy"),
    [
        ("import csvision; dir(csvision)", []),
        ("from csvision import Stage, UserError", []),
        # The twin: what does load them is noticed.
        ("import csvision.classifier", ["lightning", "torch"]),
        ("from csvision import MLP", ["torch"]),
    ],
)
def test_an_import_loads_what_it_needs(text: str, heavy: list[str], tmp_path: Path) -> None:
    script = tmp_path / "script.py"
    script.write_text(text)
    assert run_fresh(script) == (0, "", heavy)
