"""The study of a search: which trial comes next, and how each one ended.

Any number of processes, on any number of machines that share the folder, take trials from it.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import optuna
from filelock import FileLock, Timeout
from optuna.samplers import TPESampler
from optuna.trial import FrozenTrial, TrialState

from csvision.config.search_schema import OptunaConfig
from csvision.rng import derive_seed
from csvision.search.definition import SearchDefinition, read_definition
from csvision.search.pruning import build_pruner
from csvision.search.storage import open_storage, report_damage

STUDY_NAME = "search"
"""Optuna's Hyperband pruner derives the bracket of a trial from this name."""

DIRECTORY = "directory"
"""The attribute of a trial with the name of its run directory."""

ERROR = "error"
"""The attribute of a failed trial with the reason."""

KILLED = "killed"
"""The attribute of a trial with the number of its processes that were killed."""


@dataclass(frozen=True)
class ActiveTrial:
    """A trial that this process runs; no other process runs it while `lock` is held."""

    trial: optuna.Trial
    frozen: FrozenTrial
    lock: FileLock

    @property
    def number(self) -> int:
        """The number of the trial, from 0."""
        return self.frozen.number


class Study:
    """The trials of a search, in its folder. Raises RunError if the journal is damaged."""

    def __init__(self, folder: Path, definition: SearchDefinition) -> None:
        self.folder = folder
        self.space = dict(definition.space)
        self.settings = definition.settings
        with self.exclusive(), report_damage(folder):
            self.study = optuna.create_study(
                storage=open_storage(folder),
                pruner=build_pruner(self.settings, definition.max_epochs),
                study_name=STUDY_NAME,
                direction=definition.direction,
                load_if_exists=True,
            )

    @contextmanager
    def exclusive(self) -> Iterator[None]:
        """Exclude other processes while a trial is chosen."""
        with FileLock(self.folder / ".next.lock"):
            yield

    def trials(self) -> list[FrozenTrial]:
        """Return all trials by number."""
        with report_damage(self.folder):
            return self.study.get_trials(deepcopy=False)

    def next_trial(self) -> ActiveTrial | None:
        """Return an interrupted trial, or else a new one; None if there are enough trials.

        For one process, the trials are the same whether the search was interrupted or not.
        """
        with self.exclusive():
            trials = self.trials()
            for frozen in trials:
                if frozen.state is TrialState.RUNNING and (lock := self.try_lock(frozen.number)):
                    return ActiveTrial(optuna.Trial(self.study, frozen._trial_id), frozen, lock)
            # Another process may have extended the search.
            if len(trials) >= read_definition(self.folder).settings.n_trials:
                return None
            return self.ask(len(trials))

    def ask(self, number: int) -> ActiveTrial:
        """Return a new trial with its values chosen from the trials before it."""
        self.study.sampler = build_sampler(self.settings, number)
        lock = self.try_lock(number)
        assert lock is not None
        with report_damage(self.folder):
            trial = self.study.ask(self.space)
            return ActiveTrial(trial, self.trials()[number], lock)

    def try_lock(self, number: int) -> FileLock | None:
        """Return the lock of a trial; None if a process runs the trial."""
        folder = self.folder / ".locks"
        folder.mkdir(exist_ok=True)
        lock = FileLock(folder / str(number), timeout=0)
        try:
            lock.acquire()
        except Timeout:
            return None
        return lock

    def finish(self, active: ActiveTrial, state: TrialState, value: float | None = None) -> None:
        """Record how a trial ended."""
        with report_damage(self.folder):
            self.study.tell(active.number, value, state=state)
        active.lock.release()


def build_sampler(settings: OptunaConfig, number: int) -> TPESampler:
    """Return the sampler of one trial.

    Its seed depends on the number of the trial, so a resumed search draws no number twice.
    """
    seed = derive_seed(settings.seed, "trial", number) % 2**32
    return TPESampler(n_startup_trials=settings.n_startup_trials, seed=seed)
