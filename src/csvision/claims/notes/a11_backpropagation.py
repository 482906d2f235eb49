"""A11: backpropagation has a convolution, pooling and flatten part and a matrix part."""

import torch
from torch.nn import functional as F

from csvision.claims.bench import Bench
from csvision.claims.charts import Panel, Panels
from csvision.claims.claim import Claim, Measurement, Statement
from csvision.claims.jobs import Job
from csvision.claims.measuring.agreement import alike, difference_of
from csvision.claims.measuring.backpropagation import SHAPES, gradients, numerical, ties
from csvision.claims.rules import TOLERANCE, Comparison, Exact

SEEDS = (0, 1, 2)

PRODUCTS = [
    (size, side, c, k) for size in (5, 8) for side in (2, 3) for c in (1, 3) for k in (1, 4)
]
"""Sides of image and filter, channels, filters."""


def products(seed: int) -> list[tuple[float, float]]:
    """The convolution layer against a matrix product with the unfolded image, case by case."""
    generator = torch.Generator().manual_seed(seed)
    found = []
    for size, side, channels, filters in PRODUCTS:
        image = torch.randn(1, channels, size, size, generator=generator, dtype=torch.float64)
        weights = torch.randn(
            filters, channels, side, side, generator=generator, dtype=torch.float64
        )
        layer = F.conv2d(image, weights)
        product = weights.flatten(1) @ F.unfold(image, side)[0]
        found.append(difference_of(product.reshape(layer.shape), layer))
    return found


def matrix() -> dict[str, list[list[float]]]:
    """A filter of 3x3, and the matrix (9, 25) by which it acts on an image of 5x5."""
    weights = torch.arange(1.0, 10.0).reshape(1, 1, 3, 3)
    columns = F.conv2d(torch.eye(25).reshape(25, 1, 5, 5), weights)
    return {"filter": weights[0, 0].tolist(), "matrix": columns.reshape(25, 9).T.tolist()}


def panels(found: dict[str, list[list[float]]]) -> Panels:
    """The filter and its matrix."""
    rows = found["matrix"]
    filled = sum(value != 0 for row in rows for value in row)
    return Panels(
        "a 3x3 filter, and the matrix that does the same to an image of 5x5",
        [Panel(name, values, -9, 9) for name, values in found.items()],
        alt=(
            f"The matrix has {len(rows)} rows, one a place of the filter, and {len(rows[0])} "
            f"columns, one a pixel; {filled} of its {len(rows) * len(rows[0])} entries are not "
            "zero: the filter's nine values, moved along from row to row"
        ),
        style="filter",
        columns=2,
    )


def measure(bench: Bench) -> Measurement:
    """Gradients by hand, by autograd and by finite differences; convolution as a product."""
    by_seed = bench.run([Job(gradients, {"seed": seed}) for seed in SEEDS])
    checked, tied, multiplied, drawn = bench.run(
        [Job(numerical, {"seed": 0}), Job(ties, {}), Job(products, {"seed": 0}), Job(matrix, {})]
    )
    on_black = checked.pop("maximum pooling of black")
    worst = max(difference for found in by_seed for _, difference in found.values())
    apart = max(difference for _, difference in multiplied)
    names = [f"n = {n}, f = {f}, {c} channels, {k} filters" for n, f, c, k in PRODUCTS]
    return Measurement(
        evidence={
            "A11a": [
                *(
                    alike(f"gradient of the {name}, draw {seed}", *pair)
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
                for name, pair in zip(names, multiplied, strict=True)
            ],
        },
        finding=(
            f"Written out by hand the gradients are those of autograd to {worst:.1g}: that of the "
            "filters is the correlation of input and output gradient, that of the image a full "
            "convolution with the filters, maximum pooling hands on to the largest value and "
            "flattening only reshapes. Convolution is a matrix product as well, with the unfolded "
            f"image; the two differ by at most {apart:.1g}. Where the largest value occurs twice, "
            f"in {100 * tied:.0f} % of the garments' 2x2 windows, a maximum has no derivative, and "
            f"finite differences {'agree' if on_black else 'disagree'} with the one that torch "
            "chooses."
        ),
        table=[
            {
                "gradient of": name,
                "largest value": by_seed[0][name][0],
                "by hand against autograd": by_seed[0][name][1],
            }
            for name in SHAPES
        ],
        charts=[panels(drawn)],
    )


def is_product(largest: float, difference: float) -> bool:
    """Whether layer and matrix product agree."""
    return difference <= TOLERANCE * largest


CLAIM = Claim(
    id="A11",
    title="Backpropagation: a convolution, pooling and flatten part, and a matrix part",
    statements=(
        Statement(
            "A11a",
            "The gradient goes back through the matrix part, flattening, pooling and convolution, "
            "each by its own rule",
            Exact(),
        ),
        Statement(
            "A11b",
            "The convolution part is something else than a matrix product",
            Exact(),
        ),
    ),
    why="One chain rule serves both parts, and the same fast matrix routines can compute both.",
    method=(
        "The gradients of a small network on random input are written out by hand in float64 and "
        "compared with autograd, and each part with finite differences. The convolution is "
        "computed a second time as filters times unfolded image."
    ),
    measure=measure,
)
