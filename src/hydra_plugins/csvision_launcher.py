"""The Hydra launcher of `csvision train -m`; Hydra finds launchers in the package hydra_plugins."""

from collections.abc import Sequence
from dataclasses import dataclass

from hydra.core.config_store import ConfigStore
from hydra.core.utils import JobReturn
from hydra.plugins.launcher import Launcher
from hydra.types import HydraContext, TaskFunction
from omegaconf import DictConfig


@dataclass
class CsvisionLauncherConfig:
    """`hydra/launcher=csvision`; the keys are those of the group `launcher=`."""

    _target_: str = "hydra_plugins.csvision_launcher.CsvisionLauncher"


ConfigStore.instance().store(
    group="hydra/launcher", name="csvision", node=CsvisionLauncherConfig, provider="csvision"
)


class CsvisionLauncher(Launcher):
    """Runs the jobs of a sweep as `launcher=` says."""

    def setup(
        self, *, hydra_context: HydraContext, task_function: TaskFunction, config: DictConfig
    ) -> None:
        """Keep the configuration of the sweep."""
        self.config = config

    def launch(
        self, job_overrides: Sequence[Sequence[str]], initial_job_idx: int
    ) -> Sequence[JobReturn]:
        """Run jobs; return the value of each for a sweeper that searches."""
        from csvision.cli.sweep_launch import launch_jobs

        return launch_jobs(self.config, [[*job] for job in job_overrides], initial_job_idx)
