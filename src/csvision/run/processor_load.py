"""How many processors other processes leave idle."""

import os
from dataclasses import dataclass
from functools import cache
from time import monotonic, sleep

import psutil

BACKGROUND_LOAD = 0.1
"""Below this fraction of busy processors, the load of other processes does not count."""

MIN_SECONDS = 0.2
"""The shortest measurement."""


@dataclass(frozen=True)
class ProcessorTimes:
    """Seconds for which the processors of this process were busy, and with this process itself."""

    clock: float
    processors: int
    busy: float
    own: float


def read_times() -> ProcessorTimes | None:
    """Return the times so far; None if the system does not tell them."""
    try:
        every = psutil.cpu_times(percpu=True)
    except (OSError, psutil.Error):
        return None
    # In a container, a process may be limited to some of the processors.
    if hasattr(os, "sched_getaffinity"):
        every = [every[index] for index in os.sched_getaffinity(0) if index < len(every)]
    names = ("user", "nice", "system", "irq", "softirq", "steal")
    busy = sum(getattr(times, name, 0.0) for times in every for name in names)
    return ProcessorTimes(monotonic(), len(every), busy, sum(os.times()[:4]))


class FirstTimes:
    """The times at the start of the process, if it is one of csvision's own."""

    times: ProcessorTimes | None = None


def start_load_measurement() -> None:
    """Measure from now on, so that idle_processors does not have to wait."""
    FirstTimes.times = read_times()


@cache
def idle_processors() -> int | None:
    """Return how many processors other processes leave idle; None if they use hardly any.

    Measured once in a process: the load of other jobs of its sweep must not count.
    """
    start, end = FirstTimes.times, read_times()
    if end is not None and (start is None or end.clock - start.clock < MIN_SECONDS):
        sleep(MIN_SECONDS)
        start, end = end, read_times()
    if start is None or end is None:
        return None
    others = (end.busy - start.busy) - (end.own - start.own)
    busy = max(0.0, others) / (end.clock - start.clock)
    return None if busy < BACKGROUND_LOAD * end.processors else round(end.processors - busy)
