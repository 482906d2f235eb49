"""Pieces of a measurement that are computed once, in a process of their own, and then kept.

A result is found by what it depends on: the code of the claim's file that computes it (not its
wording, which may be polished), the arguments or the composed configuration, and the recorded
losses of the training code, which stay equal when that code is only moved about.
"""

import ast
import hashlib
import inspect
import json
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from functools import cache
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any

from csvision.errors import RunError
from csvision.run import device
from csvision.run.directory import new_folder, now, write_json
from csvision.run.provenance import versions

GOLDEN = Path(__file__).parents[3] / "tests" / "golden" / "losses.json"
"""The recorded losses, which only a checkout has."""

MEASURING = "csvision.claims.measuring."

WORDING = ("CLAIM", "measure")
"""What a claim's file says, plans and sums up; done anew each time, it is no part of a job."""


@dataclass(frozen=True)
class Job:
    """A function of a module, its arguments, and what stands for them in the job's key."""

    function: Callable[..., Any]
    arguments: dict[str, Any]
    identity: dict[str, Any] | None = field(default=None, compare=False)

    @property
    def key(self) -> str:
        """The hash of all that the result depends on."""
        depends_on = {
            "function": named(self.function),
            "arguments": self.identity or self.arguments,
            "training": training_code(),
        }
        text = json.dumps(depends_on, sort_keys=True, default=named)
        return hashlib.sha256(text.encode()).hexdigest()


@dataclass(frozen=True)
class Done:
    """The result of a job, as plain values, the seconds that it took and when it was done."""

    result: Any
    seconds: float
    date: str


class Store:
    """A folder with a file for each finished job."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def path(self, job: Job) -> Path:
        """The file of a job."""
        return self.folder / f"{job.key}.json"

    def get(self, job: Job) -> Done | None:
        """What was kept of a job; None when nothing, or nothing that can be read."""
        try:
            return Done(**json.loads(self.path(job).read_text(encoding="utf-8")))
        except (OSError, ValueError, TypeError):
            return None

    def put(self, job: Job, done: Done) -> None:
        """Keep the result of a job, whole or not at all; raises RunError where that fails."""
        new_folder(self.folder)
        try:
            write_json(self.path(job), asdict(done))
        except OSError as error:
            raise RunError(f"{self.folder} cannot be written: {error.strerror}") from error


def perform(job: Job) -> Done:
    """Do a job on one thread, as the figures are to be repeated with any number of processors."""
    with device.threads(1):
        start = time.perf_counter()
        result = job.function(**job.arguments)
        seconds = time.perf_counter() - start
    # As it will be read from the store: a run that went on gives the very same values.
    return Done(json.loads(json.dumps(result)), seconds, now())


def named(function: Callable[..., Any]) -> str:
    """A function's name with the hash of the code that it stands in."""
    module = inspect.getmodule(function)
    assert module is not None
    return f"{module.__name__}.{function.__qualname__}:{code_hash(module)}"


@cache
def code_hash(module: ModuleType) -> str:
    """The hash of a module's code, and of what it measures with, without wording and layout."""
    assert module.__file__ is not None
    text = Path(module.__file__).read_text(encoding="utf-8")
    used = [code_hash(import_module(name)) for name in sorted(imported(text))]
    return hashlib.sha256("".join([text_hash(text), *used]).encode()).hexdigest()


def imported(text: str) -> set[str]:
    """The modules of csvision.claims.measuring that a module's text imports from."""
    nodes = [node for node in ast.walk(ast.parse(text)) if isinstance(node, ast.ImportFrom)]
    return {node.module for node in nodes if node.module and node.module.startswith(MEASURING)}


def text_hash(text: str) -> str:
    """The hash of a module's text, reduced to what its jobs compute."""
    tree = ast.parse(text)
    tree.body = [node for node in tree.body if not wording(node)]
    for node in ast.walk(tree):
        if isinstance(node, ast.Module | ast.FunctionDef | ast.ClassDef) and docstring(node):
            node.body = node.body[1:]
    return hashlib.sha256(ast.dump(tree).encode()).hexdigest()


def docstring(node: ast.Module | ast.FunctionDef | ast.ClassDef) -> bool:
    """Whether a block begins with its docstring."""
    return ast.get_docstring(node, clean=False) is not None


def wording(node: ast.stmt) -> bool:
    """Whether a statement at the top of a file is one of WORDING."""
    match node:
        case ast.FunctionDef():
            return node.name in WORDING
        case ast.Assign(targets=[ast.Name(id=name)]):
            return name in WORDING
        case _:
            return False


@cache
def training_code() -> str:
    """What stands for the code of csvision: its recorded losses, else its version."""
    if GOLDEN.exists():
        return hashlib.sha256(GOLDEN.read_bytes()).hexdigest()
    return versions()["csvision"]
