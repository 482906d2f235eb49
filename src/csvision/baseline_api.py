"""Baselines as Python functions: fit, load and resume."""

from pathlib import Path

from csvision.arguments import AnyRun, resolve_config, run_path
from csvision.baselines import reuse
from csvision.baselines.fit import BaselineResult, fit_baseline
from csvision.baselines.fitted import FittedBaseline
from csvision.baselines.prepare import prepare_baseline
from csvision.config.baseline_schema import BaselineConfig
from csvision.process_state import exclusive
from csvision.run.directory import RunDirectory, default_run_dir
from csvision.run.log import log_to_console


@exclusive()
def baseline(*overrides: str | BaselineConfig) -> BaselineResult:
    """Fit an estimator of scikit-learn as `csvision baseline OVERRIDES` does.

    Takes overrides such as "baseline=knn", or a single BaselineConfig instead. Raises UserError for
    what the command refuses.
    """
    config: BaselineConfig = resolve_config("baseline", overrides)
    arguments = [override for override in overrides if isinstance(override, str)]
    with log_to_console(config.quiet):
        return fit_baseline(prepare_baseline(config), default_run_dir(config), arguments)


@exclusive()
def load_baseline(run: AnyRun, check_weights: bool = True) -> FittedBaseline:
    """Return the fitted baseline of a run, ready for `predict_proba(images)`.

    With `check_weights`, raises RunError if the baseline of a finished run has changed.
    """
    return reuse.load(run_path(run), check_weights)


def resume_baseline(run: Path, epochs: int | None = None) -> BaselineResult:
    """Fit an unfinished baseline again; raises RunError for `epochs`, which it does not have."""
    with log_to_console(RunDirectory(run).read_baseline_config().quiet):
        return reuse.resume(run, epochs)
