"""B4: first layers find edges, later ones shapes."""

from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from sklearn.linear_model import RidgeClassifierCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from torch import Tensor, nn

from csvision.claims.arms import Arm
from csvision.claims.bench import Bench
from csvision.claims.charts import Curves, Panel, Panels
from csvision.claims.claim import Claim, Measurement, Statement
from csvision.claims.measuring.looks import images_of
from csvision.claims.paired import POINTS, band, score_table
from csvision.claims.rules import Difference, Shares
from csvision.claims.training import Scores
from csvision.models.build import build_network
from csvision.models.cnn import CNN
from csvision.run.train import Trained
from csvision.seeding import stream_seed

ARM = Arm(
    "CNN",
    ("model=cnn", "model.stages=[{filters:16},{filters:16},{filters:16,pool:none}]", "epochs=10"),
)
"""Every depth has as many maps, so that probes see vectors of one size."""

GRADIENTS = np.array(
    [np.outer([1, 1, 1], [-1, 0, 1]).ravel(), np.outer([-1, 0, 1], [1, 1, 1]).ravel()]
) / np.sqrt(6)
"""An orthonormal basis of the 3x3 filters that answer to a straight edge (Prewitt's two)."""

EDGE_SHARE = 0.5
"""A filter is an edge filter if more of its energy than this lies in their plane."""

PROBE_SIDE = 7


def edge_energy(filters: NDArray[np.float64]) -> NDArray[np.float64]:
    """The share of the energy of filters (K, 3, 3) in the plane of gradients (K,)."""
    flat = filters.reshape(len(filters), 9)
    energy: NDArray[np.float64] = ((flat @ GRADIENTS.T) ** 2).sum(1) / (flat**2).sum(1)
    return energy


def look(trained: Trained) -> dict[str, Any]:
    """First filters before and after training, and linear probes of each depth."""
    config, table = trained.config, trained.parts.train.table
    seed = stream_seed(config.seed, "weights")
    initial = build_network(config.model, table.image_shape, len(table.classes), seed).eval()
    network = trained.classifier.network.eval()
    assert isinstance(initial, CNN)
    assert isinstance(network, CNN)
    return {
        "filters": first_filters(network),
        "initial filters": first_filters(initial),
        "probes": probes(trained, network),
        "initial probes": probes(trained, initial),
    }


def first_filters(network: CNN) -> list[Any]:
    """The filters of the first convolution (K, 3, 3)."""
    convolution = network.stages[0].get_submodule("convolution")
    assert isinstance(convolution, nn.Conv2d)
    filters: list[Any] = convolution.weight.detach()[:, 0].tolist()
    return filters


def probes(trained: Trained, network: CNN) -> list[float]:
    """The test accuracy of a linear classifier on the maps after each stage.

    Its regularisation is chosen by leaving out training rows.
    """
    train, test = trained.parts.train, trained.parts.test
    inputs, tested = (features(network, images_of(part)) for part in (train, test))
    scores = []
    for depth in range(len(inputs)):
        ridge = RidgeClassifierCV(alphas=(10.0, 100.0, 1000.0, 10000.0))
        probe = make_pipeline(StandardScaler(), ridge).fit(inputs[depth], train.labels)
        scores.append(float(probe.score(tested[depth], test.labels)))
    return scores


@torch.no_grad()
def features(network: CNN, images: Tensor) -> list[NDArray[np.float32]]:
    """The maps after each stage, all averaged down to one size and flattened (N, D)."""
    collected: list[list[Tensor]] = [[] for _ in network.stages]
    for batch in torch.split(images, 500):
        maps = batch.float() / 255
        for depth, stage in enumerate(network.stages):
            maps = stage(maps)
            collected[depth].append(F.adaptive_avg_pool2d(maps, PROBE_SIDE).flatten(1))
    return [torch.cat(parts).numpy() for parts in collected]


def pooled(runs: list[Scores], name: str) -> NDArray[np.float64]:
    """The filters of all seeds (K, 3, 3)."""
    return np.concatenate([np.array(run[name]) for run in runs])


def measure(bench: Bench) -> Measurement:
    """Train, then look at filters and probe each depth, before and after."""
    arms = bench.tuned([ARM])
    runs = bench.train(arms, look)[ARM.name]
    trained, initial = (pooled(runs, name) for name in ("filters", "initial filters"))
    energies = [edge_energy(filters) for filters in (trained, initial)]
    groups = [(energy > EDGE_SHARE).tolist() for energy in energies]
    shares = [POINTS * float(np.mean(group)) for group in groups]
    table = POINTS * np.array([[run["probes"], run["initial probes"]] for run in runs])
    learned, random = table.mean(axis=0)
    stages = [float(stage + 1) for stage in range(len(learned))]
    strongest = np.argsort(-energies[0])[:6]
    return Measurement(
        evidence={
            "B4a": groups,
            "B4b": (table[:, 0, -1] - table[:, 0, 0]).tolist(),
            "B4c": (
                (table[:, 0, -1] - table[:, 0, 0]) - (table[:, 1, -1] - table[:, 1, 0])
            ).tolist(),
        },
        finding=(
            f"{shares[0]:.0f} % of the {len(trained)} trained first filters have most of their "
            f"energy in the plane of gradients, against {shares[1]:.0f} % of the same filters "
            f"before training. A linear probe reads {learned[0]:.1f} % of the classes off the "
            f"first stage and {learned[-1]:.1f} % off the last; before training "
            f"{random[0]:.1f} % and {random[-1]:.1f} %."
        ),
        table=score_table(arms, {ARM.name: runs}, {"test/acc": "test accuracy"}),
        charts=[
            Panels(
                "the trained first filters with most of an edge, and with least",
                [
                    Panel(f"{energies[0][index]:.0%}", trained[index].tolist())
                    for index in [*strongest, *np.argsort(energies[0])[:6]]
                ],
                alt=(
                    f"Twelve 3x3 filters; {shares[0]:.0f} % of all have over half of their energy "
                    "in horizontal and vertical gradients"
                ),
                style="filter",
            ),
            Curves(
                "what a linear probe reads off each stage",
                "stage",
                "test accuracy of the probe, %",
                [
                    band("trained", stages, table[:, 0].T.tolist()),
                    band("before training", stages, table[:, 1].T.tolist(), dashed=True),
                ],
                alt=(
                    f"trained: {learned[0]:.1f} to {learned[-1]:.1f} %; before training: "
                    f"{random[0]:.1f} to {random[-1]:.1f} %"
                ),
            ),
        ],
        arms=bench.complete(arms),
    )


CLAIM = Claim(
    id="B4",
    title="First layers find edges, later ones shapes",
    statements=(
        Statement(
            "B4a",
            "Training makes more edge filters: more first filters than before it have over half of "
            "their energy in the plane of horizontal and vertical gradients",
            Shares(),
        ),
        Statement(
            "B4b",
            "Later layers tell the class better: a linear probe of the third stage is over a "
            "point better than one of the first",
            Difference(1.0, "points"),
        ),
        Statement(
            "B4c",
            "That is learned: the rise is over a point larger than in the untrained network",
            Difference(1.0, "points"),
        ),
    ),
    why=(
        "It is the usual picture of what a CNN learns. A 3x3 filter looks like an edge to the eye "
        "easily, initial ones too, so both are counted."
    ),
    method=(
        "The share of a filter's energy in the plane of the two gradients, over the filters of all "
        "seeds, against the same filters before training. Maps of every stage, averaged down to "
        "7x7, go into a linear classifier."
    ),
    measure=measure,
    minutes=7,
)
