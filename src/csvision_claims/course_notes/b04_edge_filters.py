"""B4: first layers find edges, later ones shapes."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from sklearn.linear_model import RidgeClassifierCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from torch import Tensor, nn

from csvision import CNN, TrainResult, build_model, derive_seed
from csvision_claims.engine.arms import Arm
from csvision_claims.engine.charts import Curves, Panel, Panels, Series
from csvision_claims.engine.claim import (
    PREPARE_FASHION_MNIST,
    Claim,
    Measurement,
    Statement,
    conclude,
)
from csvision_claims.engine.paired import POINTS, accuracy_table, mean_ci_series
from csvision_claims.engine.rules import Difference, ProportionTest
from csvision_claims.engine.runner import Runner
from csvision_claims.engine.training import Metrics
from csvision_claims.measuring.subsets import subset_images

ARM = Arm(
    "CNN",
    ("model=cnn", "model.stages=[{filters:16},{filters:16},{filters:16,pool:none}]", "epochs=10"),
)
"""All stages have the same number of maps, so that all probes have inputs of one size."""

GRADIENTS = np.array(
    [np.outer([1, 1, 1], [-1, 0, 1]).ravel(), np.outer([-1, 0, 1], [1, 1, 1]).ravel()]
) / np.sqrt(6)
"""An orthonormal basis of the 3x3 filters that respond to a straight edge (Prewitt's two)."""

EDGE_SHARE = 0.5
"""An edge filter has more than this share of its energy in the plane of GRADIENTS."""

PROBE_SIDE = 7


def edge_energy(filters: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the share of energy of filters (K, 3, 3) in the plane of gradients (K,)."""
    flat = filters.reshape(len(filters), 9)
    energy: NDArray[np.float64] = ((flat @ GRADIENTS.T) ** 2).sum(1) / (flat**2).sum(1)
    return energy


def probe_filters(trained: TrainResult) -> dict[str, Any]:
    """Return first filters and linear probe accuracies, before and after training."""
    config, table = trained.config, trained.splits.train.table
    seed = derive_seed(config.seed, "weights")
    initial = build_model(config.model, table.image_shape, len(table.classes), seed).eval()
    network = trained.classifier.network.eval()
    assert isinstance(initial, CNN)
    assert isinstance(network, CNN)
    return {
        "filters": first_filters(network),
        "initial filters": first_filters(initial),
        "probes": linear_probes(trained, network),
        "initial probes": linear_probes(trained, initial),
    }


def first_filters(network: CNN) -> list[Any]:
    """Return the filters of the first convolution (K, 3, 3)."""
    convolution = network.stages[0].get_submodule("convolution")
    assert isinstance(convolution, nn.Conv2d)
    filters: list[Any] = convolution.weight.detach()[:, 0].tolist()
    return filters


def linear_probes(trained: TrainResult, network: CNN) -> list[float]:
    """Return the test accuracy of a linear classifier on the maps after each stage.

    Its regularization is chosen by leave-one-out cross-validation on the training rows.
    """
    train, test = trained.splits.train, trained.splits.test
    train_features, test_features = (
        stage_features(network, subset_images(subset)) for subset in (train, test)
    )
    scores = []
    for depth in range(len(train_features)):
        ridge = RidgeClassifierCV(alphas=(10.0, 100.0, 1000.0, 10000.0))
        probe = make_pipeline(StandardScaler(), ridge).fit(train_features[depth], train.labels)
        scores.append(float(probe.score(test_features[depth], test.labels)))
    return scores


@torch.no_grad()
def stage_features(network: CNN, images: Tensor) -> list[NDArray[np.float32]]:
    """Return the maps after each stage, average-pooled to one size and flattened (N, D)."""
    collected: list[list[Tensor]] = [[] for _ in network.stages]
    for batch in torch.split(images, 500):
        maps = batch.float() / 255
        for depth, stage in enumerate(network.stages):
            maps = stage(maps)
            collected[depth].append(F.adaptive_avg_pool2d(maps, PROBE_SIDE).flatten(1))
    return [torch.cat(batches).numpy() for batches in collected]


def pool_seeds(runs: list[Metrics], name: str) -> NDArray[np.float64]:
    """Return the filters of all seeds (K, 3, 3)."""
    return np.concatenate([np.array(run[name]) for run in runs])


def measure(runner: Runner) -> Measurement:
    """Train, then measure filters and probes before and after."""
    arms = runner.tune_lr([ARM])
    runs = runner.train(arms, probe_filters)[ARM.name]
    trained, initial = (pool_seeds(runs, name) for name in ("filters", "initial filters"))
    energies = [edge_energy(filters) for filters in (trained, initial)]
    groups = [(energy > EDGE_SHARE).tolist() for energy in energies]
    scores = POINTS * np.array([[run["probes"], run["initial probes"]] for run in runs])
    rise = scores[:, :, -1] - scores[:, :, 0]
    stages = [float(stage + 1) for stage in range(scores.shape[2])]
    after = mean_ci_series("trained", stages, scores[:, 0].T.tolist())
    before = mean_ci_series("before training", stages, scores[:, 1].T.tolist(), dashed=True)
    strongest = np.argsort(-energies[0])[:6]
    shown = [*strongest, *np.argsort(energies[0])[:6]]
    return Measurement(
        evidence={
            "B4a": groups,
            "B4b": rise[:, 0].tolist(),
            "B4c": (rise[:, 0] - rise[:, 1]).tolist(),
        },
        finding=describe(groups, after, before),
        table=accuracy_table(arms, {ARM.name: runs}, {"test/acc": "test accuracy"}),
        charts=[
            draw_filters(
                [Panel(f"{energies[0][i]:.0%}", trained[i].tolist()) for i in shown], groups
            ),
            draw_curves(after, before),
        ],
        arms=runner.with_data(arms),
    )


def percent_edge_filters(group: Sequence[bool]) -> float:
    """Return the percentage of edge filters in a group."""
    return POINTS * sum(group) / len(group)


def describe(groups: Sequence[Sequence[bool]], after: Series, before: Series) -> str:
    """Return the finding; `groups` mark the edge filters after and before training."""
    trained, initial = map(percent_edge_filters, groups)
    message = conclude(
        "Training increases the share of edge filters and the accuracy of probes of later stages.",
        supported=trained > initial
        and after.y[-1] > after.y[0]
        and after.y[-1] - after.y[0] > before.y[-1] - before.y[0],
    )
    return (
        f"{message} Of the {len(groups[0])} trained first filters, {trained:.0f} % have most of "
        f"their energy in the plane of gradients; before training {initial:.0f} % of the same "
        f"filters do. A linear probe classifies {after.y[0]:.1f} % of the test images from the "
        f"first stage and {after.y[-1]:.1f} % from the last; before training {before.y[0]:.1f} % "
        f"and {before.y[-1]:.1f} %."
    )


def draw_filters(panels: list[Panel], groups: Sequence[Sequence[bool]]) -> Panels:
    """Show the filters with the largest and the smallest share of edge energy."""
    return Panels(
        "trained first filters with the largest and the smallest share of edge energy",
        panels,
        alt=(
            f"{len(panels)} filters of 3x3; {percent_edge_filters(groups[0]):.0f} % of all have "
            "over half of their energy in horizontal and vertical gradients"
        ),
        style="filter",
    )


def draw_curves(after: Series, before: Series) -> Curves:
    """Show the accuracy of the probes over the stages."""
    return Curves(
        "accuracy of a linear probe of each stage",
        "stage",
        "test accuracy of the probe, %",
        [after, before],
        alt="; ".join(
            f"{series.name}: {series.y[0]:.1f} to {series.y[-1]:.1f} %"
            for series in (after, before)
        ),
    )


CLAIM = Claim(
    id="B4",
    title="First layers find edges, later ones shapes",
    statements=(
        Statement(
            "B4a",
            "After training more of the first filters are edge filters, with over half of their "
            "energy in the plane of horizontal and vertical gradients, than before",
            ProportionTest(),
        ),
        Statement(
            "B4b",
            "A linear probe of the third stage is more than 1 point more accurate than one of the "
            "first stage",
            Difference(1.0, "points"),
        ),
        Statement(
            "B4c",
            "The rise in probe accuracy from the first to the third stage is more than 1 point "
            "larger in the trained network than in the untrained one",
            Difference(1.0, "points"),
        ),
    ),
    why=(
        "It is the usual picture of what a CNN learns. To the eye, any 3x3 filter easily looks "
        "like an edge, even before training, so both are counted."
    ),
    method=(
        "The share of a filter's energy in the plane of the two gradients is computed for the "
        "filters of all seeds, before and after training. The maps of every stage, average-pooled "
        "to 7x7, are the input of a linear classifier."
    ),
    measure=measure,
    setup=(PREPARE_FASHION_MNIST,),
)
