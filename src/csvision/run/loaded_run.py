"""A run whose network is loaded: what evaluate and predict have in common."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from lightning import Trainer

from csvision.classifier import Classifier
from csvision.config import command_schema, schema
from csvision.config.pixel_range import AUTO
from csvision.config.training_schema import TTA
from csvision.data.read_options import ReadOptions
from csvision.data.table import ImageTable, read_table
from csvision.models.user_code import refuse_exit, user_code
from csvision.rng import isolate_rng
from csvision.run.code_paths import CodePaths, with_code_paths
from csvision.run.device import validate_accelerator
from csvision.run.directory import RunDirectory
from csvision.run.ensemble import ensemble_members
from csvision.run.launch_environment import hide_trainer_defaults, validate_launch_environment
from csvision.run.load import load
from csvision.run.log import ignore_known_warnings, log
from csvision.run.prepare import check_writable
from csvision.run.resume import recorded_threads
from csvision.run.run_data import read_data_spec
from csvision.run.sweep_folder import is_sweep
from csvision.run.threads import limit_threads
from csvision.run.trainer import build_eval_trainer
from csvision.signals import handle_signals

RunCommandConfig = (
    command_schema.EvaluateConfig
    | command_schema.PredictConfig
    | command_schema.InspectConfig
    | command_schema.ExportConfig
)
"""The configurations of commands that use the network of a run."""


@dataclass(frozen=True)
class LoadedRun:
    """A run with its classifier, and the configuration with which it was trained.

    `results` is the folder in which results will be written.
    """

    directory: RunDirectory
    classifier: Classifier
    trained: schema.TrainConfig
    results: Path

    @classmethod
    def open(
        cls, config: RunCommandConfig, folder: str, device: schema.AcceleratorName
    ) -> "LoadedRun":
        """Load a run; `folder` is the folder of results in the run directory.

        Raises RunError or ConfigError for what cannot be loaded, or if no results can be written.
        """
        validate_launch_environment(devices=1)
        validate_accelerator(device, key="device")
        run_dir = RunDirectory(Path(config.run))
        return cls.load(run_dir, config, results_parent(config.output_dir, run_dir.path / folder))

    @classmethod
    def load(cls, run_dir: RunDirectory, config: RunCommandConfig, results: Path) -> "LoadedRun":
        """Load a run whose results will be written into `results`."""
        needed: tuple[str, ...] = ("transform",)
        metric_path = None
        # Predictions have no metrics.
        if isinstance(config, command_schema.EvaluateConfig):
            needed, metric_path = ("transform", "metric"), config.metric.path
        paths = CodePaths(config.model.path, metric=metric_path, transform=config.transform.path)
        trained = with_code_paths(run_dir.read_config(), run_dir, paths, needed)
        classifier = load(
            run_dir.path, paths.model, config.check_weights, paths.transform, paths.metric
        )
        warn_if_unfinished(run_dir)
        if not isinstance(config, command_schema.EvaluateConfig | command_schema.PredictConfig):
            # Pages and exported files show the network itself.
            classifier.tta = TTA.none
        elif config.tta is not None:
            classifier.tta = config.tta
        return cls(run_dir, classifier, trained, results)

    @contextmanager
    def use_network(self, device: schema.AcceleratorName) -> Iterator[Trainer]:
        """Yield a Trainer on `device` with precision and threads as in training."""
        threads = recorded_threads(self.directory) or self.trained.accelerator.num_threads
        with (
            isolate_rng(),
            ignore_known_warnings(),
            hide_trainer_defaults(),
            limit_threads(threads),
            handle_signals(),
        ):
            trainer = build_eval_trainer(self.trained.accelerator, device)
            with refuse_exit(*user_code(self.trained)):
                yield trainer


def open_runs(
    config: RunCommandConfig, folder: str, device: schema.AcceleratorName
) -> list[LoadedRun]:
    """Load a run, or all finished runs of a sweep; raises RunError or ConfigError like `open`."""
    path = Path(config.run)
    if not is_sweep(path):
        return [LoadedRun.open(config, folder, device)]
    members, results = find_members(config, folder, device)
    return [LoadedRun.load(member, config, results) for member in members]


def find_members(
    config: RunCommandConfig, folder: str, device: schema.AcceleratorName
) -> tuple[list[RunDirectory], Path]:
    """Return the finished runs of a sweep and the folder for results; log how many runs there are.

    Raises RunError or ConfigError like `open`.
    """
    validate_launch_environment(devices=1)
    validate_accelerator(device, key="device")
    path = Path(config.run)
    results = results_parent(config.output_dir, path / folder)
    members = ensemble_members(path)
    log.info("run=%s is a sweep: using the ensemble of its %d finished runs", path, len(members))
    return members, results


def warn_if_unfinished(run_dir: RunDirectory) -> None:
    """Warn that the weights of an unfinished run are those of its last checkpoint."""
    state = run_dir.read_manifest().get("state")
    if state != "finished":
        log.warning("run=%s is %s; using its last checkpoint", run_dir.path, state)


def results_parent(output_dir: str | None, default: Path) -> Path:
    """Return the folder in which results are written; raises ConfigError if it is not writable."""
    if output_dir is not None:
        check_writable(Path(output_dir))
        return Path(output_dir)
    check_writable(default, f"run={default.parent}", "write output_dir=FOLDER")
    return default


def other_file_options(
    trained: schema.DataConfig, other: command_schema.OtherFileConfig
) -> ReadOptions:
    """Return how to read another file than that of the run.

    Its pixel range is the given one, or compared with that of the run. Its columns are those of the
    training file, unless its own are given.
    """
    return replace(
        ReadOptions.from_config(trained),
        labels_csv=None,
        label_column=other.label_column or trained.label_column,
        header=trained.header if other.header == AUTO else other.header,
        ignore=(*trained.ignore, *other.ignore),
        pixel_range=other.pixel_range,
    )


def read_for_run(run_dir: RunDirectory, data: command_schema.PredictDataConfig) -> ImageTable:
    """Read a file, with or without labels, for the network of a run."""
    return read_matching_table(data.csv, run_dir, predict_options(run_dir, data))


def predict_options(run_dir: RunDirectory, data: command_schema.PredictDataConfig) -> ReadOptions:
    """Return how to read a file, with or without labels, for the network of a run.

    Images of a folder are in the order of the numbers in their names, as people count them.
    """
    options = other_file_options(run_dir.read_run_config().data, data)
    return replace(options, allow_missing_labels=True, natural_order=True)


def read_matching_table(csv: str, run_dir: RunDirectory, options: ReadOptions) -> ImageTable:
    """Read a file whose image shape, columns, labels and pixel range must match those of the run.

    Logs what was decided while it was read.
    """
    table = read_table(csv, options, reference=read_data_spec(run_dir))
    if table.notices:
        log.info("%s: %s", csv, "; ".join(table.notices))
    return table
