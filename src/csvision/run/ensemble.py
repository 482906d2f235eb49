"""Combine the finished runs of a sweep: the mean of their probabilities.

Shapes: N images, K classes.
"""

from collections.abc import Iterable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from csvision.errors import RunError
from csvision.run.directory import RunDirectory
from csvision.run.manifest import read_json_object
from csvision.run.sweep_folder import is_sweep
from csvision.run.sweep_record import has_record, read_record

Floats = NDArray[np.float32]

SHARED = ("image_shape", "label_values", "classes", "pixel_range")
"""What run.json records about the data and all members of an ensemble must have in common."""


def average_probabilities(probabilities: Iterable[Floats]) -> Floats:
    """Return the mean over the members of an ensemble; each array is (N, K).

    Arrays are added one after another, so an iterator needs the memory of two of them. Raises
    ValueError without an array.
    """
    members = iter(probabilities)
    if (first := next(members, None)) is None:
        raise ValueError("an ensemble needs at least one array of probabilities")
    total, count = first.astype(np.float64), 1
    for each in members:
        total += each
        count += 1
    mean: Floats = (total / count).astype(np.float32)
    return mean


def ensemble_members(folder: Path) -> list[RunDirectory]:
    """Return the finished runs of a sweep, in the order of its jobs.

    Raises RunError if the folder is no sweep of networks, fewer than two runs have finished, or two
    of them have different classes or images.
    """
    if not is_sweep(folder):
        raise RunError(f"run={folder} is not a sweep; an ensemble needs the folder of a sweep")
    members = [run for run in map(RunDirectory, job_directories(folder)) if is_finished(run)]
    if len(members) < 2:
        raise RunError(
            f"run={folder}: {len(members)} of its jobs have finished; an ensemble needs two"
        )
    if members[0].is_baseline():
        raise RunError(
            f"run={folder} is a sweep of baselines, which have no ensemble; give the directory of "
            f"one of its jobs, such as run={members[0].path}"
        )
    check_same_data(members)
    return members


def job_directories(folder: Path) -> list[Path]:
    """Return the directories of the jobs of a sweep that have started, in their order."""
    if has_record(folder):
        paths = [folder / job.directory for job in read_record(folder)]
    else:
        # A sweeper that chooses jobs while it runs keeps no record here.
        paths = [path.parent for path in folder.glob("*/run.json")]
        paths.sort(key=lambda path: (len(path.name.partition("_")[0]), path.name))
    return [path for path in paths if (path / "run.json").exists()]


def is_finished(run: RunDirectory) -> bool:
    """Return whether a run has finished; a damaged one has not."""
    try:
        return read_json_object(run.manifest).get("state") == "finished"
    except (OSError, RunError):
        return False


def check_same_data(members: list[RunDirectory]) -> None:
    """Raise RunError, naming what differs, if two runs have different classes or images."""
    first, *others = (member.read_manifest()["data"] for member in members)
    for member, data in zip(members[1:], others, strict=True):
        for name in SHARED:
            if data.get(name) != first.get(name):
                raise RunError(
                    f"run={member.path}: data.{name} differs from that of {members[0].path.name}; "
                    "an ensemble needs runs on the same classes and images"
                )
