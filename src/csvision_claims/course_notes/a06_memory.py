"""A6: the maps of 32 images of 228x228x3 under 100 filters of 3x3 take about 634 MB."""

import torch
from torch import nn

from csvision_claims.engine.charts import Bars
from csvision_claims.engine.claim import Claim, Measurement, Statement
from csvision_claims.engine.jobs import Job
from csvision_claims.engine.rules import Comparison, Exact
from csvision_claims.engine.runner import Runner

IMAGES, CHANNELS, SIDE, FILTERS = 32, 3, 228, 100

CLAIMED_SIDE = 226
CLAIMED_MB = 634

MB = 10**6
MIB = 2**20


def measure_layer(images: int, padding: int, device: str) -> dict[str, int]:
    """Return shape and bytes of the maps of a batch; device meta allocates nothing."""
    layer = nn.Conv2d(CHANNELS, FILTERS, 3, padding=padding, device=device)
    batch = torch.zeros(images, CHANNELS, SIDE, SIDE, device=device)
    with torch.no_grad():
        maps = layer(batch)
    return {
        "images": maps.shape[0],
        "filters": maps.shape[1],
        "height": maps.shape[2],
        "width": maps.shape[3],
        "maps": maps.nbytes,
        "batch": batch.nbytes,
        "weights": sum(parameter.nbytes for parameter in layer.parameters()),
    }


def draw_bars(valid: int, same: int) -> Bars:
    """Show the value of the notes next to the size of the maps in both units."""
    values = {
        "the notes": float(CLAIMED_MB),
        "226x226, in MB": valid / MB,
        "226x226, in MiB": valid / MIB,
        "228x228, in MiB": same / MIB,
    }
    return Bars(
        "memory of the maps of a batch",
        "MB or MiB",
        values,
        alt="; ".join(f"{name} {value:.1f}" for name, value in values.items()),
    )


def size_row(name: str, size: int) -> dict[str, str | float]:
    """Return a table row with a size in all units."""
    return {"tensor": name, "bytes": size, "MB": size / MB, "MiB": size / MIB}


def measure(runner: Runner) -> Measurement:
    """Measure the shape for one image, and shape and bytes for the batch."""
    one, valid, same = runner.run(
        [
            Job(measure_layer, {"images": 1, "padding": 0, "device": "cpu"}),
            Job(measure_layer, {"images": IMAGES, "padding": 0, "device": "meta"}),
            Job(measure_layer, {"images": IMAGES, "padding": 1, "device": "meta"}),
        ]
    )
    shape = {"height": CLAIMED_SIDE, "width": CLAIMED_SIDE, "filters": FILTERS}
    padded = f"{same['height']}x{same['width']}"
    return Measurement(
        evidence={
            "A6a": [
                Comparison(f"{found['images']} images: {name}", claimed, found[name])
                for found in (one, valid)
                for name, claimed in shape.items()
            ],
            "A6b": [
                Comparison("MB, millions of bytes", CLAIMED_MB, round(valid["maps"] / MB)),
                Comparison("MiB, units of 1,048,576 bytes", CLAIMED_MB, round(valid["maps"] / MIB)),
            ],
        },
        finding=(
            f"The shape is right, the size is not: each of {valid['images']} images gives "
            f"{valid['filters']} maps of {valid['height']}x{valid['width']}, and all maps take "
            f"{valid['maps']:,} bytes, which is {valid['maps'] / MB:.1f} MB or "
            f"{valid['maps'] / MIB:.1f} MiB. The notes' {CLAIMED_MB} is the size of maps of "
            f"{padded}, {same['maps'] / MIB:.1f} MiB. The weights of the layer take only "
            f"{valid['weights']:,} bytes."
        ),
        table=[
            size_row(f"the batch, {SIDE}x{SIDE}x{CHANNELS}", valid["batch"]),
            size_row("weights and biases", valid["weights"]),
            size_row(f"maps of {valid['height']}x{valid['width']}", valid["maps"]),
            size_row(f"maps of {padded}", same["maps"]),
        ],
        charts=[draw_bars(valid["maps"], same["maps"])],
    )


CLAIM = Claim(
    id="A6",
    title="32 images of 228x228x3 under 100 filters of 3x3 take about 634 MB",
    statements=(
        Statement(
            "A6a", "100 filters of 3x3 turn each 228x228x3 image into 100 maps of 226x226", Exact()
        ),
        Statement(
            "A6b",
            "The 100 maps of each of 32 images of 228x228x3 take 634 MB at 4 bytes per value",
            Exact(),
        ),
    ),
    why=(
        "Memory limits the batch size. The notes' other memory size (A9) is in millions of bytes; "
        "this one is in units of 1,048,576 bytes and for maps of another size."
    ),
    method=(
        "The layer is applied to one image for the shape, and to the batch on torch's device meta, "
        "which allocates nothing, for shape and bytes. Bytes are converted to MB and MiB and "
        "rounded to integers."
    ),
    measure=measure,
)
