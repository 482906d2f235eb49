"""Use the run of a baseline: load, evaluate, predict, resume and reproduce it."""

from collections.abc import Sequence
from pathlib import Path
from time import perf_counter

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray
from torch import Tensor

from csvision.baselines.fit import BaselineResult, fit_baseline
from csvision.baselines.fitted import CHUNK_ROWS, FittedBaseline
from csvision.baselines.prepare import PreparedBaseline, prepare_baseline
from csvision.baselines.results import evaluate_subset
from csvision.baselines.store import FILE, estimator_sha256, load_baseline
from csvision.config import command_schema
from csvision.errors import RunError
from csvision.evaluation import EvalResult, Floats, write_results
from csvision.files import make_dir, replace_file, result_name, results_dir, timestamp
from csvision.process_state import use_threads
from csvision.run.code_paths import CodePaths
from csvision.run.directory import RunDirectory
from csvision.run.eval_subset import eval_subset
from csvision.run.loaded_run import results_parent
from csvision.run.manifest import RESULT_HASHES
from csvision.run.predict import (
    PredictedFile,
    TableFile,
    needs_probabilities,
    predict_rows,
    report_disk_errors,
)
from csvision.run.predictor import Predict
from csvision.run.reproduce import Comparison, check_finished, provenance_lines
from csvision.run.run_data import load_run_splits, read_data_spec
from csvision.run.standard_input import display_name, open_path


def load(run: Path, check_weights: bool = True) -> FittedBaseline:
    """Return the fitted baseline of a run.

    Raises RunError if this is not the run of a baseline or, with `check_weights`, if the baseline
    is not the one that was tested.
    """
    use_threads()
    run_dir = RunDirectory(run)
    config = run_dir.read_baseline_config()
    spec = read_data_spec(run_dir)
    fitted = load_baseline(run_dir.path, config, spec.image_shape, spec.classes)
    expected = run_dir.read_manifest().get("weights_sha256")
    if check_weights and expected not in (None, estimator_sha256(fitted.estimator)):
        raise RunError(
            f"{run_dir.path / FILE}: this is not the baseline of this run: its hash differs from "
            f"weights_sha256 in {run_dir.manifest.name}; to use it: check_weights=false"
        )
    return fitted


def evaluate(config: command_schema.EvaluateConfig) -> tuple[EvalResult, Path]:
    """Test a baseline on its own test rows or on a file; return the result and its folder."""
    run_dir = RunDirectory(Path(config.run))
    results = results_parent(config.output_dir, run_dir.evaluations)
    fitted = load(run_dir.path, config.check_weights)
    subset = eval_subset(run_dir, run_dir.read_baseline_config(), config)
    result = evaluate_subset(fitted, subset)
    folder = make_dir(results / timestamp())
    write_results(result, result.metrics, folder)
    return result, folder


def predict(
    config: command_schema.PredictConfig, tables: list[pd.DataFrame] | None = None
) -> PredictedFile:
    """Predict the labels of a file as for a network, with the same table."""
    run_dir = RunDirectory(Path(config.run))
    path = results_parent(config.output_dir, run_dir.predictions) / result_name(
        display_name(config.data.csv), ".csv"
    )
    fitted = load(run_dir.path, config.check_weights)
    probabilities = fitted.has_probabilities and needs_probabilities(config)
    with (
        results_dir(path.parent),
        report_disk_errors(path),
        open_path(config.data.csv, path.parent) as source,
        replace_file(path) as file,
    ):
        start = perf_counter()
        rows = predict_rows(
            config,
            run_dir,
            predictor(fitted, probabilities),
            CHUNK_ROWS,
            source,
            TableFile(file, tables),
            probabilities,
        )
        seconds = perf_counter() - start
    return PredictedFile(path, rows, seconds)


def predictor(fitted: FittedBaseline, probabilities: bool) -> Predict:
    """Return a function that predicts batches; probabilities are 0 if they are not needed."""

    def predict(batches: Sequence[Tensor]) -> tuple[Floats, NDArray[np.int64]]:
        images = torch.cat([*batches]).numpy()
        predicted = fitted.predict(images)
        if probabilities:
            return fitted.predict_proba(images).astype(np.float32), predicted
        return np.zeros((len(images), len(fitted.classes)), np.float32), predicted

    return predict


def prepare_again(run_dir: RunDirectory) -> PreparedBaseline:
    """Prepare a baseline with the rows that it has used; raises RunError if these have changed."""
    config = run_dir.read_baseline_config()
    if run_dir.read_manifest().get("data") is None:
        return prepare_baseline(config, directory=run_dir.path)
    return prepare_baseline(config, load_run_splits(run_dir, config), run_dir.path)


def resume(run: Path, epochs: int | None) -> BaselineResult:
    """Fit an unfinished baseline again, from the beginning."""
    run_dir = RunDirectory.reopen(run)
    if epochs is not None:
        raise RunError(f"run={run} is a baseline, which has no epochs; remove epochs={epochs}")
    return fit_baseline(prepare_again(run_dir), run, resume=True)


def reproduce(run: Path) -> Comparison:
    """Fit a finished baseline again and compare; raises RunError if it has not finished."""
    run_dir = RunDirectory(run)
    check_finished(run_dir, CodePaths())
    path = run_dir.reproductions / timestamp()
    fit_baseline(prepare_again(run_dir), path)
    before, now = run_dir.read_manifest(), RunDirectory(path).read_manifest()
    lines = provenance_lines(before, now)
    changed = [name for name in RESULT_HASHES if before[name] != now[name]]
    lines += [f"{name}: the results are different" for name in changed]
    return Comparison(path, not changed, lines)
