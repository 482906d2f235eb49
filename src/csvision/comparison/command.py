"""`csvision compare` and `csvision.compare`."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from csvision.comparison.compare import compare_sources
from csvision.comparison.comparison import Comparison
from csvision.comparison.data_sets import select_data
from csvision.comparison.page import write_page
from csvision.comparison.sources import read_sources
from csvision.comparison.write import results_folder, write_comparison
from csvision.config import compare_schema
from csvision.config.compose import load_config
from csvision.config.flatten import REPLICATE_KEYS
from csvision.config.quoting import quote_override
from csvision.errors import ConfigError, RunError
from csvision.run.has_directory import HasDirectory

OUTPUTS = Path("outputs")
"""Where comparisons of anything but a single sweep are written."""

Run = str | Path | HasDirectory


def compare(run: Run | Sequence[Run] | compare_schema.CompareConfig, *overrides: str) -> Comparison:
    """Compare the settings of sweeps and runs as `csvision compare run=RUN OVERRIDES` does.

    Takes a sweep, a folder of runs, or a list of these or of runs, and overrides such as
    "by=model"; or a single CompareConfig instead. The result has its `directory`. Raises RunError
    if there are no finished runs, and ConfigError for keys that they do not have.
    """
    if isinstance(run, compare_schema.CompareConfig):
        return run_comparison(run)
    runs = [run] if isinstance(run, Run) else [*run]
    text = ",".join(str(getattr(each, "directory", each)) for each in runs)
    listed = f"[{text}]" if len(runs) > 1 else text
    config = load_config("compare", [f"run={quote_override(listed)}", *overrides])
    return run_comparison(config)


def run_comparison(config: compare_schema.CompareConfig) -> Comparison:
    """Compare and write the results."""
    paths = run_paths(config.run)
    sources = select_data(read_sources(paths), config.dataset)
    comparison = compare_sources(
        sources,
        to_list(config.by, "by"),
        to_list(config.over, "over"),
        config.metric,
        config.reference,
        config.test is compare_schema.CompareTest.all,
    )
    output_dir = None if config.output_dir is None else Path(config.output_dir)
    folder = results_folder(sources, output_dir, OUTPUTS)
    write_comparison(comparison, folder)
    write_page(sources, comparison, folder, option_words(config))
    return replace(comparison, directory=folder)


def option_words(config: compare_schema.CompareConfig) -> list[str]:
    """Return the overrides that give the same page in any directory, except `run` and `quiet`."""
    reference = config.reference
    if reference is not None and (Path(reference) / "run.json").is_file():
        reference = str(Path(reference).absolute())
    output_dir = None if config.output_dir is None else str(Path(config.output_dir).absolute())
    by, over = to_list(config.by, "by"), to_list(config.over, "over")
    values = {
        "by": list_text(by) if by else None,
        "over": None if over == [*REPLICATE_KEYS] else list_text(over),
        "metric": config.metric,
        "reference": reference,
        "test": None if config.test is compare_schema.CompareTest.chosen else config.test.value,
        "dataset": config.dataset,
        "output_dir": output_dir,
    }
    return [f"{key}={value}" for key, value in values.items() if value is not None]


def list_text(names: Sequence[str]) -> str:
    """Return names as the value of a key."""
    return names[0] if len(names) == 1 else f"[{','.join(names)}]"


def run_paths(run: str) -> list[Path]:
    """Return the paths in DIR or [DIR,DIR]; a folder of exactly that name comes first.

    Raises RunError for a list without a path.
    """
    if not (run.startswith("[") and run.endswith("]")) or Path(run).exists():
        return [Path(run)]
    paths = [Path(name.strip()) for name in run[1:-1].split(",") if name.strip()]
    if not paths:
        raise RunError(f"run={run} has no directory; write run=DIR or run=[DIR,DIR]")
    return paths


def to_list(value: Any, key: str) -> list[str]:
    """Return the names in a list or in a single text; raises ConfigError for other values."""
    names = [value] if isinstance(value, str) else value
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
        raise ConfigError(f"{key}={value} must be a key or a list of keys, such as {key}=[model]")
    return names
