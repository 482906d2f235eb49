"""Test the mean of the probabilities of all finished runs of a sweep.

Shapes: N images, K classes.
"""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F

from csvision.config import command_schema
from csvision.data.splits import Subset
from csvision.errors import RunError
from csvision.evaluation import EvalResult, Floats, evaluate_split, write_results
from csvision.files import make_dir, timestamp
from csvision.metrics import SplitMetrics
from csvision.run.directory import RunDirectory
from csvision.run.ensemble import average_probabilities
from csvision.run.eval_subset import eval_subset
from csvision.run.loaded_run import LoadedRun, find_members
from csvision.run.log import log


def evaluate_ensemble(config: command_schema.EvaluateConfig) -> tuple[EvalResult, Path]:
    """Test an ensemble on the test rows of its runs or on a file; return result and folder.

    Raises RunError, DataError or ConfigError for what cannot be evaluated.
    """
    members, results = find_members(config, "evaluations", config.device)
    subsets: list[Subset] = []
    probabilities = average_probabilities(member_probabilities(members, config, results, subsets))
    log.info("ensemble of %d runs, the mean of their probabilities:", len(members))
    result = ensemble_result(subsets[0], probabilities)
    path = make_dir(results / timestamp())
    write_results(result, result.metrics, path)
    return result, path


def member_probabilities(
    members: list[RunDirectory],
    config: command_schema.EvaluateConfig,
    results: Path,
    subsets: list[Subset],
) -> Iterator[Floats]:
    """Yield the probabilities (N, K) of each run; append the rows that it has tested to `subsets`.

    Raises RunError if two runs have different test rows.
    """
    for member in members:
        run = LoadedRun.load(member, config, results)
        subset = eval_subset(run.directory, run.trained, config)
        if subsets and not same_rows(subset, subsets[0]):
            raise RunError(
                f"run={member.path}: its test rows differ from those of {members[0].path.name}; "
                "an ensemble needs equal ones, or a file of other images: data.csv=FILE"
            )
        subsets.append(subset)
        with run.use_network(config.device) as trainer:
            result = evaluate_split(trainer, run.classifier, subset, run.trained.batch_size)
        log.info("%s  test/acc %.4f", member.path.name, result.metrics["test/acc"])
        yield result.probabilities


def same_rows(subset: Subset, other: Subset) -> bool:
    """Return whether two subsets have the same images in the same order."""
    first, second = (each.table.hashes[each.indices] for each in (subset, other))
    return np.array_equal(first, second)


def ensemble_result(subset: Subset, probabilities: Floats) -> EvalResult:
    """Return the result of mean probabilities (N, K)."""
    logits = torch.from_numpy(probabilities).log()
    labels = torch.from_numpy(subset.labels)
    metrics = SplitMetrics("test", probabilities.shape[1])
    metrics.update(F.nll_loss(logits, labels, reduction="none"), logits, labels)
    values = {name: float(value) for name, value in metrics.compute().items()}
    return EvalResult(subset, values, probabilities, probabilities.argmax(axis=1))
