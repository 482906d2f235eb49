"""Run code of the user's own: report what it must not do, and tell its errors from others."""

import os
import sysconfig
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from traceback import extract_tb
from typing import Any

import torch

from csvision.config.model_schema import CustomModelConfig
from csvision.config.schema import LossConfig, MetricConfig, TrainConfig, TransformConfig
from csvision.errors import ConfigError

UserCode = CustomModelConfig | LossConfig | MetricConfig | TransformConfig
"""A part of the configuration whose `path` names a file and a class in it."""

PACKAGE = Path(__file__).parents[1].resolve()

INSTALLED = [Path(sysconfig.get_path(key)).resolve() for key in ("stdlib", "purelib", "platlib")]
"""The folders of Python's own modules and of installed packages."""


@dataclass(frozen=True)
class ProcessSetting:
    """A setting of the whole process that a network must not change, and what to do instead."""

    name: str
    get: Callable[[], Any]
    set: Callable[[Any], Any]
    instead: str


def set_default_device(device: torch.device) -> None:
    """Set torch's default device; None is the CPU without the overhead of a default."""
    torch.set_default_device(None if device.type == "cpu" else device)


SETTINGS = (
    ProcessSetting(
        "torch's default dtype",
        torch.get_default_dtype,
        torch.set_default_dtype,
        "choose accelerator.precision",
    ),
    ProcessSetting(
        "torch's default device",
        torch.get_default_device,
        set_default_device,
        "choose accelerator",
    ),
    ProcessSetting(
        "torch's number of threads",
        torch.get_num_threads,
        torch.set_num_threads,
        "set accelerator.num_threads",
    ),
    ProcessSetting(
        "torch's gradient mode",
        torch.is_grad_enabled,
        torch.set_grad_enabled,
        "write `with torch.no_grad():`",
    ),
    ProcessSetting("the current folder", os.getcwd, os.chdir, "use absolute paths"),
)


def user_code(config: Any) -> list[UserCode]:
    """Return the parts of a configuration that are defined in the user's own files.

    Only that of a training has some.
    """
    if not isinstance(config, TrainConfig):
        return []
    return named_code(config.model, config.loss, config.metric, config.transform)


def named_code(*parts: Any) -> list[UserCode]:
    """Return those of some parts of a configuration that name code of the user's own."""
    return [part for part in parts if isinstance(part, UserCode) and part.path is not None]


@contextmanager
def run_user_code(model: UserCode) -> Iterator[None]:
    """Run code of the user's own; settings of the process are restored afterwards.

    Raises ConfigError if it ends the process, imports a missing module or changes a setting.
    """
    before = [setting.get() for setting in SETTINGS]
    changes = []
    try:
        with refuse_exit(model):
            yield
    except ImportError as error:
        raise ConfigError(f"{model.KEY}={model.path}: {describe_import_error(error, model)}") from (
            error
        )
    finally:
        for setting, value in zip(SETTINGS, before, strict=True):
            if (changed := setting.get()) != value:
                setting.set(value)
                changes.append(
                    f"{model.KEY}={model.path}: this code changes {setting.name} from {value} to "
                    f"{changed}, also for other code; {setting.instead} instead"
                )
    if changes:
        raise ConfigError(changes)


@contextmanager
def refuse_exit(*parts: Any) -> Iterator[None]:
    """Raise ConfigError if the user's own code calls sys.exit, with any exit code.

    `parts` of the configuration that name no code are ignored.
    """
    try:
        yield
    except SystemExit as error:
        code = named_code(*parts)
        # Lightning converts a KeyboardInterrupt to SystemExit.
        if isinstance(error.__context__, KeyboardInterrupt) or not code:
            raise
        # A custom network may end the process in a package that it calls.
        part = next((part for part in code if user_frames(error, part)), code[0])
        places = user_frames(error, part) or ["the code"]
        raise ConfigError(
            f"{part.KEY}={part.path}: {places[-1]} calls sys.exit({error.code!r}), which ends "
            "the process; raise an exception instead"
        ) from error


def describe_import_error(error: ImportError, model: UserCode) -> str:
    """Say which import failed and why: the code is one file, and its neighbors are not found."""
    folder = model_file(model).parent
    name = (error.name or "").partition(".")[0]
    is_neighbor = name and ((folder / f"{name}.py").is_file() or (folder / name).is_dir())
    if is_neighbor or "relative import" in str(error):
        return (
            f"{error}; csvision imports, and records in run.json, this one file: move the code "
            "into it, or install it as a package"
        )
    return f"{error}; install what is missing where csvision is installed"


def raised_in_user_code(error: BaseException, *parts: Any) -> bool:
    """Return whether an error went through a file of the user's own code or its neighbors."""
    return any(user_frames(error, part) for part in named_code(*parts))


def user_frames(error: BaseException, model: UserCode) -> list[str]:
    """Return file and line of each frame of a traceback in the code's file or below its folder.

    Installed packages, Python and csvision itself do not count, wherever they are.
    """
    file = model_file(model)
    return [
        f"{frame.filename}, line {frame.lineno}"
        for frame in extract_tb(error.__traceback__)
        if (path := Path(frame.filename).resolve()) == file or is_user_file(path, file.parent)
    ]


def is_user_file(path: Path, folder: Path) -> bool:
    """Return whether a path is a file below `folder` that belongs to no installed package."""
    installed = any(path.is_relative_to(other) for other in (PACKAGE, *INSTALLED))
    return path.is_relative_to(folder) and not installed and path.is_file()


def model_file(model: UserCode) -> Path:
    """Return the absolute path of the file of the user's own code."""
    assert model.path is not None
    return Path(model.path.rpartition(":")[0]).resolve()
