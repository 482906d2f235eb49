"""Small sweeps on real data."""

from collections.abc import Callable
from pathlib import Path

import pytest

import csvision
from csvision.run.directory import RunDirectory
from csvision.run.sweep_jobs import SweepJob, read_sweep
from tests.cli.conftest import csvision_command as csvision_command
from tests.conftest import SMALL_MLP, SMALL_TRAINING

SMALL_SWEEP = tuple(
    word for word in (*SMALL_TRAINING, *SMALL_MLP) if not word.startswith(("launcher", "quiet"))
)
"""The overrides of a sweep without those that tests vary; a job takes a third of a second."""

SLOW_NET = """
import os, signal, time
from pathlib import Path
from torch import nn

class Net(nn.Module):
    # `what` happens in one training step of the second epoch, once per file `marker`.
    def __init__(self, image_shape, num_classes, what="nothing", seconds=0.0):
        super().__init__()
        self.what, self.seconds, self.steps = what, seconds, 0
        self.layers = nn.Sequential(nn.Flatten(), nn.Dropout(0.2), nn.Linear(64, num_classes))

    def forward(self, images):
        # The check before training uses two images.
        if self.training and len(images) > 2:
            self.steps += 1
            time.sleep(self.seconds)
            marker = Path(f"happened-{self.what}")
            if self.steps == 12 and not (marker.exists() and self.what.startswith("once")):
                marker.touch()
                match self.what.removeprefix("once-"):
                    case "raise":
                        raise RuntimeError("failed on purpose")
                    case "kill":
                        os.kill(os.getpid(), signal.SIGKILL)
        return self.layers(images)
"""
"""A network that can be slow, fail, or kill its process."""


@pytest.fixture
def slow_net() -> tuple[str, ...]:
    """Write net.py and return the overrides that select its network."""
    Path("net.py").write_text(SLOW_NET, encoding="utf-8")
    return ("model=custom", "model.path=net.py:Net")


def jobs_of(sweep: Path, model_path: str | None = None) -> list[SweepJob]:
    """Return the jobs of a sweep."""
    return read_sweep(sweep, model_path)


def weights_of(sweep: Path) -> list[str]:
    """Return the hash of the weights of each job in the order of their numbers."""
    folders = [path.parent for path in sweep.glob("*/run.json")]
    folders.sort(key=lambda path: int(path.name.partition("_")[0]))
    return [RunDirectory(path).read_manifest()["weights_sha256"] for path in folders]


RunSweep = Callable[..., "csvision.SweepResult"]


@pytest.fixture
def run_sweep(digits_csv: Path) -> RunSweep:
    """Return a function that runs a small sweep; it takes more overrides."""

    def run(*overrides: str, launcher: str = "local") -> "csvision.SweepResult":
        keys = {word.partition("=")[0] for word in overrides}
        common = [word for word in SMALL_SWEEP if word.partition("=")[0] not in keys]
        if "model=custom" in overrides:
            common = [word for word in common if not word.startswith("model")]
        return csvision.sweep(*common, *overrides, launcher=launcher)

    return run
