"""Test a finished run, or the ensemble of a sweep, on its own test rows or on a file."""

from pathlib import Path

from csvision.config import command_schema
from csvision.evaluation import EvalResult, evaluate_split, write_results
from csvision.files import make_dir, timestamp
from csvision.run.eval_subset import eval_subset
from csvision.run.evaluate_ensemble import evaluate_ensemble
from csvision.run.loaded_run import LoadedRun
from csvision.run.sweep_folder import is_sweep


def evaluate(config: command_schema.EvaluateConfig) -> tuple[EvalResult, Path]:
    """Test a run on its own test rows or on a file; return the result and its folder.

    For a sweep, the mean of the probabilities of its finished runs is tested.

    Raises RunError, DataError or ConfigError for what cannot be evaluated.
    """
    if is_sweep(Path(config.run)):
        return evaluate_ensemble(config)
    run = LoadedRun.open(config, "evaluations", config.device)
    subset = eval_subset(run.directory, run.trained, config)
    with run.use_network(config.device) as trainer:
        result = evaluate_split(trainer, run.classifier, subset, run.trained.batch_size)
    folder = make_dir(run.results / timestamp())
    write_results(result, result.metrics, folder)
    return result, folder
