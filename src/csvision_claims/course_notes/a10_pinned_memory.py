"""A10: pinned memory makes the copy to the accelerator faster."""

import time
from statistics import median

import torch

from csvision_claims.engine.charts import Bars
from csvision_claims.engine.claim import Claim, Measurement, Statement
from csvision_claims.engine.jobs import Job
from csvision_claims.engine.rules import Ratio
from csvision_claims.engine.runner import Runner

BATCH = (256, 1, 28, 28)

REPEATS = 20

CALLS = 50


def time_copies(repeats: int) -> dict[str, list[float]]:
    """Return the seconds per copy to the CUDA device from pageable and pinned memory, in turn."""
    pageable = torch.zeros(BATCH)
    sources = {"pageable": pageable, "pinned": pageable.pin_memory()}
    # The first copies include the initialization of CUDA.
    rows = [[time_copy(source) for source in sources.values()] for _ in range(repeats + 1)][1:]
    return {name: [row[index] for row in rows] for index, name in enumerate(sources)}


def time_copy(source: torch.Tensor) -> float:
    """Return the seconds of one copy, averaged over CALLS copies."""
    torch.cuda.synchronize()
    start = time.perf_counter()
    for _ in range(CALLS):
        source.to("cuda", non_blocking=True)
    torch.cuda.synchronize()
    return (time.perf_counter() - start) / CALLS


def measure(runner: Runner) -> Measurement:
    """Time both copies if there is a CUDA device; otherwise nothing is decided."""
    if not torch.cuda.is_available():
        return Measurement(
            evidence={"A10": None},
            finding=(
                "Not measured: this machine has no CUDA device, so nothing is copied and pinned "
                "memory has nothing to speed up."
            ),
        )
    (seconds,) = runner.run([Job(time_copies, {"repeats": REPEATS})], sequential=True)
    ratios = [
        one / other for one, other in zip(seconds["pageable"], seconds["pinned"], strict=True)
    ]
    microseconds = {name: 1e6 * median(values) for name, values in seconds.items()}
    shown = "; ".join(f"{name} {value:.0f} microseconds" for name, value in microseconds.items())
    return Measurement(
        evidence={"A10": ratios},
        finding=(
            f"A copy from pinned memory is {median(ratios):.2f} times as fast as one from pageable "
            f"memory, for a batch of {BATCH[0]} images of {BATCH[2]}x{BATCH[3]} (medians: {shown})."
        ),
        charts=[Bars("copy of a batch", "microseconds", microseconds, alt=shown)],
    )


CLAIM = Claim(
    id="A10",
    title="Pinned memory makes the copy to the accelerator faster",
    statements=(
        Statement(
            "A10",
            "Copying a batch to the accelerator is faster from pinned memory than from pageable "
            "memory",
            Ratio(1.0),
        ),
    ),
    why=(
        "The notes set pin_memory everywhere. On a CPU there is no copy, on MPS pinning is "
        "disabled, and a table that is kept on the device needs neither."
    ),
    method=(
        "A batch is copied to a CUDA device from pageable and from pinned memory, 50 times per "
        "repeat, without waiting in between."
    ),
    measure=measure,
)
