"""Check that a launcher can be used, before anything is written."""

import shutil
from collections.abc import Sequence
from importlib.util import find_spec

from csvision.config import launcher_schema, schema
from csvision.errors import ConfigError

CLUSTERS = launcher_schema.SlurmLauncherConfig | launcher_schema.RayLauncherConfig


def common_launcher(configs: Sequence[schema.TrainConfig]) -> launcher_schema.LauncherConfig:
    """Return the launcher of all jobs of a sweep; raises ConfigError if they have several."""
    launchers = [config.launcher for config in configs]
    if any(launcher != launchers[0] for launcher in launchers):
        raise ConfigError(
            "launcher: all jobs of a sweep have the same launcher; give one value for each key of "
            "launcher"
        )
    return launchers[0]


def check_single_run(launcher: launcher_schema.LauncherConfig) -> None:
    """Raise ConfigError for a single run with the launcher of a cluster."""
    if isinstance(launcher, CLUSTERS):
        raise ConfigError(
            f"launcher={launcher.name}: a single run is trained in this process; for one job, too, "
            f"write csvision train -m ... launcher={launcher.name}, or call csvision.sweep(...)"
        )


def check_launcher(launcher: launcher_schema.LauncherConfig) -> None:
    """Raise ConfigError if what a launcher needs is not installed."""
    match launcher:
        case launcher_schema.SlurmLauncherConfig():
            check_package("submitit", launcher.name)
            if shutil.which("sbatch") is None:
                raise ConfigError(
                    "launcher=slurm: the command sbatch was not found; start the sweep on a login "
                    "node of the cluster"
                )
        case launcher_schema.RayLauncherConfig():
            check_package("ray", launcher.name)


def check_package(package: str, extra: str) -> None:
    """Raise ConfigError if an optional package is not installed."""
    if find_spec(package) is None:
        raise ConfigError(
            f"launcher={extra} needs the package {package}; install it: pip install "
            f"'csvision[{extra}]'"
        )
