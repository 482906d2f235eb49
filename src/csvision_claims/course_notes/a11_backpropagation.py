"""A11: backpropagation has a convolution, pooling and flatten part and a matrix part."""

import torch
from torch.nn import functional as F

from csvision_claims.engine.charts import Panel, Panels
from csvision_claims.engine.claim import Claim, Measurement, Statement
from csvision_claims.engine.jobs import Job
from csvision_claims.engine.rules import TOLERANCE, Comparison, Exact
from csvision_claims.engine.runner import Runner
from csvision_claims.measuring.agreement import agreement_case, compare_arrays
from csvision_claims.measuring.backpropagation import (
    SHAPES,
    check_gradients,
    compare_gradients,
    share_of_ties,
)

SEEDS = (0, 1, 2)

PRODUCTS = [
    (size, side, c, k) for size in (5, 8) for side in (2, 3) for c in (1, 3) for k in (1, 4)
]
"""Sides of image and filter, channels, filters."""


def compare_products(seed: int) -> list[tuple[float, float]]:
    """Compare the convolution layer with a matrix product with the unfolded image."""
    generator = torch.Generator().manual_seed(seed)
    found = []
    for size, side, channels, filters in PRODUCTS:
        image = torch.randn(1, channels, size, size, generator=generator, dtype=torch.float64)
        weights = torch.randn(
            filters, channels, side, side, generator=generator, dtype=torch.float64
        )
        layer = F.conv2d(image, weights)
        product = weights.flatten(1) @ F.unfold(image, side)[0]
        found.append(compare_arrays(product.reshape(layer.shape), layer))
    return found


def filter_as_matrix() -> dict[str, list[list[float]]]:
    """Return a 3x3 filter, and the matrix (9, 25) that applies it to a 5x5 image."""
    weights = torch.arange(1.0, 10.0).reshape(1, 1, 3, 3)
    columns = F.conv2d(torch.eye(25).reshape(25, 1, 5, 5), weights)
    return {"filter": weights[0, 0].tolist(), "matrix": columns.reshape(25, 9).T.tolist()}


def draw_panels(pictures: dict[str, list[list[float]]]) -> Panels:
    """Show the filter and its matrix."""
    rows = pictures["matrix"]
    filled = sum(value != 0 for row in rows for value in row)
    return Panels(
        "a 3x3 filter, and the matrix that applies it to a 5x5 image",
        [Panel(name, values, -9, 9) for name, values in pictures.items()],
        alt=(
            f"The matrix has {len(rows)} rows, one for each position of the filter, and "
            f"{len(rows[0])} columns, one for each pixel; {filled} of its "
            f"{len(rows) * len(rows[0])} entries are nonzero: the nine values of the filter, "
            "shifted from row to row"
        ),
        style="filter",
        columns=2,
    )


def measure(runner: Runner) -> Measurement:
    """Compare manual gradients, autograd and finite differences; convolution as a product."""
    by_seed = runner.run([Job(compare_gradients, {"seed": seed}) for seed in SEEDS])
    checked, tied, products, pictures = runner.run(
        [
            Job(check_gradients, {"seed": 0}),
            Job(share_of_ties, {}),
            Job(compare_products, {"seed": 0}),
            Job(filter_as_matrix, {}),
        ]
    )
    on_black = checked.pop("max pooling of black")
    worst_gradient = max(difference for found in by_seed for _, difference in found.values())
    worst_product = max(difference for _, difference in products)
    names = [f"n = {n}, f = {f}, {c} channels, {k} filters" for n, f, c, k in PRODUCTS]
    return Measurement(
        evidence={
            "A11a": [
                *(
                    agreement_case(f"gradient of the {name}, draw {seed}", *pair)
                    for seed, found in zip(SEEDS, by_seed, strict=True)
                    for name, pair in found.items()
                ),
                *(
                    Comparison(f"finite differences agree: {name}", True, bool(agrees))
                    for name, agrees in checked.items()
                ),
            ],
            "A11b": [
                Comparison(f"{name}: a matrix product", False, is_product(*pair))
                for name, pair in zip(names, products, strict=True)
            ],
        },
        finding=(
            "Each layer has a simple gradient rule, and convolution is a matrix product as well. "
            f"Gradients derived manually agree with autograd to {worst_gradient:.1g}: that of the "
            "filters is the correlation of input and output gradient, that of the image a full "
            "convolution with the filters; max pooling passes the gradient to the largest value, "
            "and flattening only reshapes it. The convolution and a matrix product with the "
            f"unfolded image differ by at most {worst_product:.1g}. Where the maximum is not "
            f"unique, in {100 * tied:.0f} % of the garments' 2x2 windows, it has no derivative, "
            f"and finite differences {'agree' if on_black else 'disagree'} with torch's choice."
        ),
        table=[
            {
                "gradient of": name,
                "largest value": by_seed[0][name][0],
                "manual minus autograd": by_seed[0][name][1],
            }
            for name in SHAPES
        ],
        charts=[draw_panels(pictures)],
    )


def is_product(largest: float, difference: float) -> bool:
    """Return whether a layer and its matrix product agree."""
    return difference <= TOLERANCE * largest


CLAIM = Claim(
    id="A11",
    title="Backpropagation: a convolution, pooling and flatten part, and a matrix part",
    statements=(
        Statement(
            "A11a",
            "The gradient passes back through dense layers, flattening, pooling and convolution, "
            "by one rule for each",
            Exact(),
        ),
        Statement("A11b", "A convolution is not a matrix product", Exact()),
    ),
    why="One chain rule applies to both parts, and the same fast matrix routines can compute both.",
    method=(
        "The gradients of a small network on random input are derived manually in float64 and "
        "compared with autograd, and each layer with finite differences. The convolution is also "
        "computed as the product of filters and unfolded image."
    ),
    measure=measure,
)
