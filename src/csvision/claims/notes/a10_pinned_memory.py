"""A10: pinned memory makes the copy to the accelerator faster."""

import time
from statistics import median

import torch

from csvision.claims.bench import Bench
from csvision.claims.charts import Bars
from csvision.claims.claim import Claim, Measurement, Statement
from csvision.claims.jobs import Job
from csvision.claims.rules import Ratio

BATCH = (256, 1, 28, 28)

REPEATS = 20

CALLS = 50


def copies(repeats: int) -> dict[str, list[float]]:
    """Seconds of a copy to the CUDA device from ordinary and from pinned memory, in turn."""
    ordinary = torch.zeros(BATCH)
    sources = {"ordinary": ordinary, "pinned": ordinary.pin_memory()}
    # The first copies pay for what CUDA sets up.
    rows = [[seconds_of(source) for source in sources.values()] for _ in range(repeats + 1)][1:]
    return {name: [row[index] for row in rows] for index, name in enumerate(sources)}


def seconds_of(source: torch.Tensor) -> float:
    """Seconds of one copy, over several."""
    torch.cuda.synchronize()
    start = time.perf_counter()
    for _ in range(CALLS):
        source.to("cuda", non_blocking=True)
    torch.cuda.synchronize()
    return (time.perf_counter() - start) / CALLS


def measure(bench: Bench) -> Measurement:
    """Time both copies where there is a CUDA device; elsewhere it stays open."""
    if not torch.cuda.is_available():
        return Measurement(
            evidence={"A10": None},
            finding=(
                "This machine has no CUDA device: nothing is copied and pinning memory has "
                "nothing to speed up."
            ),
        )
    (seconds,) = bench.run([Job(copies, {"repeats": REPEATS})], alone=True)
    micros = {name: 1e6 * median(values) for name, values in seconds.items()}
    shown = "; ".join(f"{name} {value:.0f} microseconds" for name, value in micros.items())
    return Measurement(
        evidence={
            "A10": [
                one / other
                for one, other in zip(seconds["ordinary"], seconds["pinned"], strict=True)
            ]
        },
        finding=f"A batch of {BATCH[0]} images of {BATCH[2]}x{BATCH[3]} is copied in: {shown}.",
        charts=[Bars("copy of a batch", "microseconds", micros, alt=shown)],
    )


CLAIM = Claim(
    id="A10",
    title="Pinned memory makes the copy to the accelerator faster",
    statements=(
        Statement(
            "A10",
            "A batch in pinned memory is copied to the accelerator in less time",
            Ratio(1.0),
        ),
    ),
    why=(
        "The notes set pin_memory everywhere. On a CPU there is no copy, on MPS it is switched "
        "off, and a table that lives on the device needs neither."
    ),
    method=(
        "A batch is copied to a CUDA device from ordinary and from pinned memory, 50 times a "
        "repeat, without waiting in between."
    ),
    measure=measure,
)
