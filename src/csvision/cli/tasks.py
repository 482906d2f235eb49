"""Run the commands other than train; each prints where its results are.

Heavy modules are imported when a command runs, after its configuration has been checked.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from csvision.cli.check_run import check_run
from csvision.cli.search import resume_search
from csvision.cli.sweep_session import SESSION
from csvision.command_hints import command_line, display_path
from csvision.config import command_schema, compare_schema
from csvision.config.hydra_errors import unknown_key
from csvision.config.lr_find_schema import LRFindConfig
from csvision.config.search_schema import ResumeSearchConfig
from csvision.errors import ConfigError, RunError

if TYPE_CHECKING:
    from csvision.run.code_paths import OtherCode


def other_code(
    config: command_schema.ResumeConfig | command_schema.ReproduceConfig,
) -> "OtherCode":
    """Return the paths of the user's own code, except that of the network."""
    return {
        "loss_path": config.loss.path,
        "metric_path": config.metric.path,
        "transform_path": config.transform.path,
    }


def check_sweep(folder: Path) -> None:
    """Raise RunError for a sweep that is running or damaged, before torch is imported."""
    from csvision.run.directory import RunDirectory
    from csvision.run.sweep_record import has_record, read_record

    with RunDirectory(folder).lock():
        if has_record(folder):
            read_record(folder)


def run_resume(config: command_schema.ResumeConfig) -> None:
    """Resume a run, or all jobs of a sweep."""
    from csvision.run.sweep_folder import is_search, is_sweep

    if is_search(Path(config.run)):
        resume_search(config)
        return
    if config.search != ResumeSearchConfig(None, None):
        raise RunError(f"run={config.run} is not a search; leave search.n_trials and n_jobs out")
    if is_sweep(Path(config.run)):
        resume_sweep(config)
        return
    if config.sweep:
        keys = [word.partition("=")[0] for word in config.sweep]
        raise ConfigError(
            f"{unknown_key(key)}; keys of train are for sweeps, and run={config.run} is no sweep"
            for key in keys
        )
    check_run(config)
    from csvision import api, baseline_api
    from csvision.run.directory import RunDirectory

    if RunDirectory(Path(config.run)).is_baseline():
        print(display_path(baseline_api.resume_baseline(Path(config.run), config.epochs).directory))
        return
    result = api.resume(config.run, config.model.path, config.epochs, **other_code(config))
    if result.is_global_zero:
        print(display_path(result.directory))


def resume_sweep(config: command_schema.ResumeConfig) -> None:
    """Resume all jobs of a sweep; exit with code 1 if one fails again."""
    if config.epochs is not None:
        raise RunError(
            f"run={config.run} is a sweep; epochs={config.epochs} extends a single run; give the "
            "directory of one of its jobs"
        )
    from csvision.run.code_paths import CodePaths

    check_sweep(Path(config.run))
    SESSION.run_here(Path(config.run))
    SESSION.code = CodePaths.of(config.model.path, **other_code(config))
    from csvision import api

    finished = api.resume_sweep(config.run, config.model.path, config.sweep, **other_code(config))
    SESSION.finish()
    if not finished:
        raise SystemExit(1)


def run_lr_find(config: LRFindConfig) -> None:
    """Find a learning rate; exit with code 1 if none can be suggested."""
    from csvision import search_api

    result = search_api.find_lr(config)
    print(display_path(result.directory))
    if result.suggestion is None:
        raise SystemExit(1)


def run_evaluate(config: command_schema.EvaluateConfig) -> None:
    """Test a run, or all finished runs of a sweep together."""
    from csvision.run.sweep_folder import is_sweep

    if not is_sweep(Path(config.run)):
        check_run(config)
    from csvision import api

    result = api.evaluate(config)
    assert result.directory is not None
    print(display_path(result.directory))


def run_predict(config: command_schema.PredictConfig) -> None:
    """Predict the labels of a file."""
    from csvision.run.sweep_folder import is_sweep

    if not is_sweep(Path(config.run)):
        check_run(config)
    from csvision import inference

    print(display_path(inference.predict_to_file(config)))


def run_export(config: command_schema.ExportConfig) -> None:
    """Export the network of a run."""
    check_run(config)
    from csvision import inference

    result = inference.export(config)
    for path in filter(None, (result.path, result.int8_path)):
        print(display_path(path))


def run_inspect(config: command_schema.InspectConfig) -> None:
    """Look inside a run."""
    check_run(config)
    from csvision import api

    print(display_path(api.inspect(config).directory / "index.html"))


def run_demo(config: command_schema.DemoConfig) -> None:
    """Serve the page of a run until Ctrl-C."""
    check_run(config)
    from csvision import api

    api.demo(config)


def run_reproduce(config: command_schema.ReproduceConfig) -> None:
    """Train a run again and compare."""
    check_run(config)
    from csvision import api

    comparison = api.reproduce(config.run, config.model.path, **other_code(config))
    print(display_path(comparison.reproduction))
    if not comparison.equal:
        raise SystemExit(1)


def run_compare(config: compare_schema.CompareConfig) -> None:
    """Compare settings; this needs no torch."""
    from csvision.comparison.command import run_comparison

    comparison = run_comparison(config)
    assert comparison.directory is not None
    if not config.quiet:
        print(comparison)
    print(display_path(comparison.directory))


def run_inspect_data(config: command_schema.InspectDataConfig) -> None:
    """Report on a data set."""
    from csvision import api

    print(display_path(api.inspect_data(config)))


def run_convert(config: command_schema.ConvertConfig) -> None:
    """Write a data file in the canonical form, and print how to train on it."""
    from csvision.data.convert import reading_overrides, write_table
    from csvision.data.read_options import ReadOptions
    from csvision.data.table import read_table

    options = ReadOptions.from_config(config.data, allow_missing_labels=True)
    table = read_table(config.data.csv, options)
    path = Path(config.out)
    write_table(table, path)
    for notice in table.notices:
        print(f"{config.data.csv}: {notice}")
    if table.labels is not None:
        print_training_command(path, reading_overrides(table))
    print(display_path(path))


def run_cache(config: command_schema.CacheConfig) -> None:
    """Show or clear the cache."""
    from csvision.data import cache

    place = config.folder or "cache"
    try:
        folder = Path(config.folder) if config.folder else cache.default_folder()
        place = str(folder)
        if config.clear:
            print(f"{cache.clear(folder) / 1e6:.1f} MB freed in {folder}")
            return
        entries = cache.list_entries(folder)
    except OSError as error:
        raise RunError(f"{place}: cannot use the cache: {error}; check folder") from error
    for source, size in entries:
        print(f"{size / 1e6:10.1f} MB  {source}")
    total = sum(size for _, size in entries)
    print(f"{total / 1e6:10.1f} MB in {len(entries)} entries of {folder}")


def run_example_data(config: command_schema.ExampleDataConfig) -> None:
    """Write an example data set, and print how to train on it."""
    from csvision.data.example_data import READING_OVERRIDES, write_example_data

    output = None if config.output is None else Path(config.output)
    path = write_example_data(config.name, output)
    print_training_command(path, READING_OVERRIDES[config.name])
    print(display_path(path))


def print_training_command(path: Path, overrides: Sequence[str]) -> None:
    """Print the command that trains on a data file, which is read with some overrides."""
    words = ("data=csv", f"data.csv={display_path(path)}", *overrides)
    print(f"to train on it: {command_line('train', *words)}")


def run_prepare_fashion_mnist(config: command_schema.PrepareFashionMNISTConfig) -> None:
    """Write the files of Fashion-MNIST."""
    from csvision.data.fashion_mnist import prepare_fashion_mnist

    prepare_fashion_mnist(
        Path(config.output_dir),
        Path(config.source_dir) if config.source_dir else None,
        Path(config.bundled_csv) if config.bundled_csv else None,
    )
