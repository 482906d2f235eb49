"""Run one trial of a search: train it, resume it, or read what a killed process has left."""

import traceback
from pathlib import Path

from optuna.trial import TrialState

from csvision.errors import PrunedError, RunError, UserError, first_line
from csvision.run.damaged_jobs import find_damage, set_aside
from csvision.run.directory import RunDirectory
from csvision.run.log import log, log_to_console
from csvision.run.manifest import read_json_object
from csvision.run.resume import prepare_again, resume_config, without_source
from csvision.run.resume_hint import part_of_sweep
from csvision.run.train import train
from csvision.search.create import check_trial
from csvision.search.definition import SearchDefinition, UserPaths
from csvision.search.prepared_trials import PreparedTrials
from csvision.search.pruning import PruningCallback
from csvision.search.study import DIRECTORY, ERROR, KILLED, ActiveTrial, Study

MAX_KILLED = 3
"""A trial whose process was killed so often, for lack of memory for example, has failed."""


class TrialRunner:
    """Runs trials of a search one after another; data are read once."""

    def __init__(
        self, folder: Path, definition: SearchDefinition, study: Study, paths: UserPaths
    ) -> None:
        self.folder = folder
        self.definition = definition
        self.study = study
        self.paths = paths
        self.prepared = PreparedTrials()

    def run(self, active: ActiveTrial) -> None:
        """Run a trial and record how it ended; if it is interrupted, it can be resumed."""
        overrides = self.definition.trial_overrides(active.frozen.params)
        searched = " ".join(overrides[len(self.definition.overrides) :])
        try:
            metric = self.definition.monitor
            value = self.train(active, overrides)
            self.study.finish(active, TrialState.COMPLETE, value)
            ended = f"finished, {metric} {value:.4f}"
        except PrunedError as error:
            self.study.finish(active, TrialState.PRUNED)
            ended = str(error)
        # The other trials still run.
        except Exception as error:
            ended = f"failed: {self.describe(active, error)}"
            active.trial.set_user_attr(ERROR, ended)
            self.study.finish(active, TrialState.FAIL)
        finally:
            active.lock.release()
        print(f"trial {active.number}: {ended}; {searched}", flush=True)

    def describe(self, active: ActiveTrial, error: Exception) -> str:
        """Return the message of an error; print the traceback of a bug that no log has."""
        directory = active.trial.user_attrs.get(DIRECTORY)
        logged = directory is not None and RunDirectory(self.folder / directory).log.exists()
        if not (logged or isinstance(error, UserError)):
            traceback.print_exception(error)
        return first_line(error) or type(error).__name__

    def train(self, active: ActiveTrial, overrides: list[str]) -> float:
        """Return the metric of a trial; raises PrunedError, or what made it fail."""
        config = self.paths.apply(self.folder, self.definition.compose(overrides))
        name = f"{active.number}_{config.model.name}_seed{config.seed}"
        active.trial.set_user_attr(DIRECTORY, name)
        run_dir = RunDirectory(self.folder / name)
        metric = self.definition.monitor
        pruning = PruningCallback(active.trial, metric, active.frozen.intermediate_values)
        if damage := find_damage(run_dir):
            moved = set_aside(self.folder, run_dir)
            log.warning("trial %s starts again: %s; moved to %s", active.number, damage, moved)
        with log_to_console(quiet=True), part_of_sweep():
            if not run_dir.manifest.exists():
                prepared = self.prepared.prepare(config, self.folder)
                check_trial(prepared)
                result = train(prepared, run_dir.path, overrides, callbacks=[pruning])
            elif (state := run_dir.read_manifest()["state"]) in ("running", "interrupted"):
                self.count_kills(active, state)
                config = self.paths.apply(self.folder, resume_config(run_dir, self.paths.code))
                prepared = prepare_again(run_dir, without_source(run_dir, config))
                result = train(prepared, run_dir.path, resume=True, callbacks=[pruning])
            else:
                return read_value(run_dir, state, metric)
        return result.metrics[metric]

    def count_kills(self, active: ActiveTrial, state: str) -> None:
        """Raise RunError if the process of a trial was killed too often."""
        if state == "running":
            killed = active.trial.user_attrs.get(KILLED, 0) + 1
            active.trial.set_user_attr(KILLED, killed)
            if killed >= MAX_KILLED:
                raise RunError(f"its process was killed {killed} times; reduce memory or n_jobs")


def read_value(run_dir: RunDirectory, state: str, metric: str) -> float:
    """Return the metric of a run that ended before its process could record it.

    Raises PrunedError or RunError for a run that ended without results.
    """
    if state == "pruned":
        raise PrunedError("pruned, because other trials have better values")
    if state != "finished":
        raise RunError(f"{state}; {run_dir.log} has the reason")
    return float(read_json_object(run_dir.metrics)[metric])
