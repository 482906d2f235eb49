"""Jobs: parts of a measurement that are computed once, in their own process, and then cached.

The key of a cached result is made of the claim and its version, the function, and its arguments;
for a training, of the composed configuration and the hashes of the data files.
"""

import hashlib
import json
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from csvision import RunError, limit_threads, write_json


@dataclass(frozen=True)
class Job:
    """A module-level function and its arguments.

    `depends_on` replaces the arguments in the key of the cached result.
    """

    function: Callable[..., Any]
    arguments: dict[str, Any]
    depends_on: dict[str, Any] | None = field(default=None, compare=False)

    def key(self, claim: str, version: int) -> str:
        """Return the key of the cached result for one version of a claim."""
        content = {
            "claim": claim,
            "version": version,
            "function": function_name(self.function),
            "arguments": self.depends_on or self.arguments,
        }
        text = json.dumps(content, sort_keys=True, default=function_name)
        return hashlib.sha256(text.encode()).hexdigest()


@dataclass(frozen=True)
class JobResult:
    """The result of a job as plain values, its duration in seconds, and when it ended."""

    result: Any
    seconds: float
    date: str


class JobCache:
    """A folder with one file per finished job."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def path(self, key: str) -> Path:
        """Return the file of a job."""
        return self.folder / f"{key}.json"

    def get(self, key: str) -> JobResult | None:
        """Return the cached result; None if the file is missing or unreadable."""
        try:
            return JobResult(**json.loads(self.path(key).read_text(encoding="utf-8")))
        except (OSError, ValueError, TypeError):
            return None

    def put(self, key: str, result: JobResult) -> None:
        """Write a result completely or not at all; raises RunError if it cannot be written."""
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            write_json(self.path(key), asdict(result))
        except OSError as error:
            raise RunError(
                f"{self.folder}: cannot write a result: {error.strerror}; choose another output_dir"
            ) from error


def run_job(job: Job) -> JobResult:
    """Run a job on one thread, so that its result is the same on any number of processors."""
    with limit_threads(1):
        start = time.perf_counter()
        result = job.function(**job.arguments)
        seconds = time.perf_counter() - start
    # Convert as the cache does, so that a resumed run gets exactly the same values.
    return JobResult(json.loads(json.dumps(result)), seconds, iso_time())


def function_name(function: Callable[..., Any]) -> str:
    """Return the full name of a function."""
    return f"{function.__module__}.{function.__qualname__}"


def iso_time() -> str:
    """Return the current time with its time zone."""
    return datetime.now().astimezone().isoformat()
