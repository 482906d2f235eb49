"""What an arm of the benchmark of training does and returns, and the summary of its repeats."""

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from statistics import median


@dataclass(frozen=True)
class Task:
    """What an arm trains: `mlp` or `cnn`, for some epochs in batches of some size, from a seed."""

    model: str
    batch_size: int
    epochs: int
    seed: int


@dataclass
class Result:
    """The seconds of each epoch, and the test accuracy; None where there is none."""

    seconds: list[float] = field(default_factory=list)
    accuracy: float | None = None

    @contextmanager
    def timed(self) -> Iterator[None]:
        """Add the time of one epoch."""
        start = time.perf_counter()
        yield
        self.seconds.append(time.perf_counter() - start)


def summarize(
    results: Sequence[Result], references: Sequence[Result]
) -> tuple[float, float, float | None]:
    """Return the median seconds of an epoch, their ratio to the reference, the mean accuracy.

    The ratio is the median of the ratios of each repeat, because the speed of a shared machine
    changes between repeats.
    """
    medians = [median(result.seconds) for result in results]
    ratios = [
        seconds / median(reference.seconds)
        for seconds, reference in zip(medians, references, strict=True)
    ]
    accuracies = [result.accuracy for result in results if result.accuracy is not None]
    accuracy = sum(accuracies) / len(accuracies) if accuracies else None
    return median(medians), median(ratios), accuracy
