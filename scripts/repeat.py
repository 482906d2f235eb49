"""Train configurations in four ways and compare their weights, bit by bit:

python scripts/repeat.py configurations=20
"""

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

COMMON = (
    "accelerator=cpu",
    "accelerator.threads=1",
    "debug.rows=200",
    "epochs=2",
    "model.dropout=0.2",
    "model.hidden=[16]",
)

ACTIVATIONS = ("relu", "gelu", "tanh", "silu", "leaky_relu")

CHOICES = ("model=mlp,cnn", "augmentation=none,standard")

TRAIN = str(Path(__file__).with_name("train.py"))

Hashes = list[str]
"""The hash of the weights of each configuration."""


def start(cache: Path, *arguments: str) -> None:
    """Run scripts/train.py to its end."""
    environment = os.environ | {"XDG_CACHE_HOME": str(cache)}
    command = [sys.executable, TRAIN, *COMMON, *arguments]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, env=environment)


def weights(directory: Path) -> str:
    """The hash of a run's weights."""
    manifest = json.loads((directory / "run.json").read_text(encoding="utf-8"))
    return str(manifest["weights_sha256"])


def only_run(outputs: Path) -> str:
    """The hash of the one run below a folder."""
    (directory,) = outputs.glob("runs/*")
    return weights(directory)


def directly(folder: Path, jobs: Sequence[list[str]], processes: int) -> Hashes:
    """A command each, so many at a time, each with a cold cache and the logger on."""

    def run(number: int) -> str:
        outputs = folder / str(number)
        start(folder / f"cache{number}", *jobs[number], f"outputs={outputs}")
        return only_run(outputs)

    with ThreadPoolExecutor(processes) as workers:
        return [*workers.map(run, range(len(jobs)))]


def as_sweep(folder: Path, overrides: Sequence[str]) -> Hashes:
    """One multirun, with a cache that its first job warms."""
    start(folder / "cache", "-m", *overrides, f"outputs={folder}", "logger=none")
    directories = folder.glob("sweeps/*/*_*")
    return [*map(weights, sorted(directories, key=lambda path: int(path.name.split("_")[0])))]


def from_python(folder: Path, jobs: Sequence[list[str]]) -> Hashes:
    """One call each, in this process, after whatever it has drawn from its streams of chance."""
    import csvision

    extra = (f"outputs={folder}", "quiet=true", "logger=none", "checkpoint_seconds=0.01")
    return [weights(csvision.train(*COMMON, *job, *extra).directory) for job in jobs]


def main() -> None:
    """Compare as many configurations as the command line says."""
    if "--help" in sys.argv:
        print(__doc__)
        return
    from csvision.multirun import job_overrides

    key, _, number = sys.argv[-1].partition("=")
    most = len(ACTIVATIONS) * 4
    if (
        key != "configurations"
        or not number.isdecimal()
        or int(number) not in range(4, most + 1, 4)
    ):
        raise SystemExit(
            f"error: write python scripts/repeat.py configurations={most}, or 4, 8 ..."
        )
    overrides = [f"model.activation={','.join(ACTIVATIONS[: int(number) // 4])}", *CHOICES]
    jobs = [*job_overrides(overrides)]
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        ways = {
            "command": directly(folder / "command", jobs, processes=1),
            "two commands at once": directly(folder / "parallel", jobs, processes=2),
            "sweep": as_sweep(folder / "sweep", overrides),
            "from Python": from_python(folder / "python", jobs),
        }
    equal = 0
    for job, hashes in zip(jobs, zip(*ways.values(), strict=True), strict=True):
        same = len(set(hashes)) == 1
        equal += same
        found = hashes[0][:12] if same else dict(zip(ways, hashes, strict=True))
        print(f"{' '.join(job)}: {found}")
    different = len(set(ways["command"]))
    print(f"{equal} of {len(jobs)} configurations equal in {len(ways)} ways, {different} different")
    raise SystemExit(0 if equal == different == len(jobs) else 1)


if __name__ == "__main__":
    main()
