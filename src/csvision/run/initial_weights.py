"""Start a training from the weights of another run, and freeze layers."""

from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm

from csvision.config import schema
from csvision.errors import ConfigError, RunError, first_line
from csvision.run.checkpoints import read_checkpoint
from csvision.run.directory import RunDirectory
from csvision.run.provenance import weights_sha256
from csvision.wording import pluralize

PREFIX = "network."

INIT_FROM = "init_from"
"""The entry of run.json with the path and the hash of the weights that training started from."""


@dataclass(frozen=True)
class SourceWeights:
    """The weights that `init_from` names, and their hash, which does not depend on the file."""

    path: str
    state: dict[str, Tensor]

    @property
    def record(self) -> dict[str, str]:
        """What run.json records."""
        return {"path": str(Path(self.path).absolute()), "sha256": weights_sha256(self.state)}


def read_source(path: str) -> SourceWeights:
    """Return the weights of a run directory, of a checkpoint or of a saved state_dict.

    Raises ConfigError if there are none; nothing in the file is executed.
    """
    try:
        content = read_checkpoint(checkpoint_file(Path(path)))
    except RunError as error:
        raise ConfigError(f"init_from={path}: {first_line(error)}") from error
    state: Any = content.get("state_dict", content)
    if not isinstance(state, dict) or not all(isinstance(each, Tensor) for each in state.values()):
        raise ConfigError(f"init_from={path}: it has no weights; give a run or a checkpoint")
    if any(name.startswith(PREFIX) for name in state):
        state = {
            name.removeprefix(PREFIX): value
            for name, value in state.items()
            if name.startswith(PREFIX)
        }
    return SourceWeights(path, state)


def checkpoint_file(path: Path) -> Path:
    """Return the checkpoint that a run has tested, or the file itself."""
    if path.is_file():
        return path
    run_dir = RunDirectory(path)
    return run_dir.checkpoint(run_dir.read_config().tested_checkpoint)


def load_source(network: nn.Module, source: SourceWeights) -> str:
    """Load weights into a network; return the name of the last layer if it keeps its own.

    It does if only the number of its outputs differs. Raises ConfigError, naming parameters and
    shapes, if the architecture differs otherwise.
    """
    expected = network.state_dict()
    errors = [
        *(f"{name} is missing there" for name in expected if name not in source.state),
        *(f"{name} exists only there" for name in source.state if name not in expected),
    ]
    last = [name for name, _ in network.named_parameters()][-1].rpartition(".")[0]
    other = [
        name
        for name, value in expected.items()
        if name in source.state and value.shape != source.state[name].shape
    ]
    errors += [
        f"{name} has the shape {tuple(source.state[name].shape)} there and "
        f"{tuple(expected[name].shape)} in this network"
        for name in other
        if not (
            name.startswith(f"{last}.") and expected[name].shape[1:] == source.state[name].shape[1:]
        )
    ]
    if errors:
        more = f" ({pluralize(len(errors) - 1, 'more difference')})" if len(errors) > 1 else ""
        raise ConfigError(
            f"init_from={source.path}: {errors[0]}{more}; choose the architecture of that run"
        )
    loaded = {name: value for name, value in source.state.items() if name not in other}
    network.load_state_dict(expected | loaded)
    return last if other else ""


def freeze_layers(network: nn.Module, patterns: list[str]) -> list[nn.Module]:
    """Freeze the parameters of matching layers; return batch normalizations that are frozen.

    A pattern matches a layer and all layers inside it. Raises ConfigError for a pattern that
    matches none, and if no parameter is left.
    """
    names = [name for name, _ in network.named_parameters()]
    layers = dict.fromkeys(name.rpartition(".")[0] or name for name in names)
    unmatched = [
        pattern for pattern in patterns if not any(matches(name, pattern) for name in names)
    ]
    if unmatched:
        raise ConfigError(
            f"freeze: no layer matches {unmatched[0]}; the layers are {', '.join(layers)}"[:1000]
        )
    for name, parameter in network.named_parameters():
        if any(matches(name, pattern) for pattern in patterns):
            parameter.requires_grad = False
    if not any(parameter.requires_grad for parameter in network.parameters()):
        raise ConfigError(
            f"freeze=[{','.join(patterns)}]: no layer is left to train; leave out one of "
            f"{', '.join(layers)}"[:1000]
        )
    return [module for module in network.modules() if is_frozen_normalization(module)]


def matches(parameter: str, pattern: str) -> bool:
    """Return whether a pattern matches a parameter or a layer that contains it."""
    parts = parameter.split(".")
    names = [".".join(parts[:count]) for count in range(1, len(parts) + 1)]
    return any(fnmatchcase(name, pattern) for name in names)


def is_frozen_normalization(module: nn.Module) -> bool:
    """Return whether a module is a batch normalization whose parameters are all frozen."""
    parameters = [*module.parameters()] if isinstance(module, _BatchNorm) else []
    return bool(parameters) and not any(each.requires_grad for each in parameters)


def initialize(network: nn.Module, config: schema.TrainConfig) -> tuple[str, list[nn.Module]]:
    """Apply `init_from` and `freeze`; return a message about a new last layer, and frozen norms.

    Raises ConfigError if one of them does not fit the network.
    """
    message = ""
    if config.init_from is not None:
        last = load_source(network, read_source(config.init_from))
        if last:
            message = (
                f"init_from={config.init_from}: {last} has another number of outputs there and "
                "starts from random weights"
            )
    frozen = freeze_layers(network, config.freeze) if config.freeze else []
    return message, frozen
