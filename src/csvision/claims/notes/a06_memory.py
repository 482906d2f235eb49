"""A6: the maps of 32 images of 228x228x3 under 100 filters of 3x3 take about 634 MB."""

import torch
from torch import nn

from csvision.claims.bench import Bench
from csvision.claims.charts import Bars
from csvision.claims.claim import Claim, Measurement, Statement
from csvision.claims.jobs import Job
from csvision.claims.rules import Comparison, Exact

IMAGES, CHANNELS, SIDE, FILTERS = 32, 3, 228, 100

CLAIMED_SIDE = 226
CLAIMED_MB = 634

MB = 10**6
MIB = 2**20


def layer_on_batch(images: int, padding: int, device: str) -> dict[str, int]:
    """Shape and bytes of the maps of a batch; on the device meta nothing is allocated."""
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


def bars(valid: int, same: int) -> Bars:
    """The notes' figure beside what the maps take in either unit."""
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


def row(name: str, size: int) -> dict[str, str | float]:
    """Bytes in all units."""
    return {"what": name, "bytes": size, "MB": size / MB, "MiB": size / MIB}


def measure(bench: Bench) -> Measurement:
    """Shapes of a real image, shapes and bytes of the batch."""
    one, valid, same = bench.run(
        [
            Job(layer_on_batch, {"images": 1, "padding": 0, "device": "cpu"}),
            Job(layer_on_batch, {"images": IMAGES, "padding": 0, "device": "meta"}),
            Job(layer_on_batch, {"images": IMAGES, "padding": 1, "device": "meta"}),
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
            f"The maps are {valid['filters']} of {valid['height']}x{valid['width']} for each of "
            f"{valid['images']} images and take {valid['maps']:,} bytes: "
            f"{valid['maps'] / MB:.1f} MB or {valid['maps'] / MIB:.1f} MiB. The notes' "
            f"{CLAIMED_MB} is {same['maps'] / MIB:.1f} MiB, which maps of {padded} take. The "
            f"layer's own weights take {valid['weights']:,} bytes."
        ),
        table=[
            row(f"the batch, {SIDE}x{SIDE}x{CHANNELS}", valid["batch"]),
            row("weights and biases", valid["weights"]),
            row(f"maps of {valid['height']}x{valid['width']}", valid["maps"]),
            row(f"maps of {padded}", same["maps"]),
        ],
        charts=[bars(valid["maps"], same["maps"])],
    )


CLAIM = Claim(
    id="A6",
    title="32 images of 228x228x3 under 100 filters of 3x3 take about 634 MB",
    statements=(
        Statement("A6a", "Each image becomes 100 maps of 226x226", Exact()),
        Statement("A6b", "At 4 bytes a value the batch's maps take 634 MB", Exact()),
    ),
    why=(
        "Memory bounds the batch. The notes' other figure of memory (A9) counts in millions of "
        "bytes, this one in units of 1,048,576 and from another size of map."
    ),
    method=(
        "The layer on one image for the shape, and on the batch without allocating it (torch's "
        "device meta) for shape and bytes. Bytes are turned into MB and into MiB and rounded to "
        "whole ones."
    ),
    measure=measure,
)
