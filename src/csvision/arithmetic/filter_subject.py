"""The image and the network for the explanation of a filter: untrained, or of a run."""

from dataclasses import dataclass, replace
from pathlib import Path

from csvision.arithmetic.filter_step import FilterExplanation, explain_filter
from csvision.arithmetic.subject import check_run_keys, run_model_path
from csvision.classifier import Classifier
from csvision.config import schema
from csvision.config.explain_schema import ExplainConfig
from csvision.data.channel_stats import channel_stats
from csvision.data.read_options import ReadOptions
from csvision.data.splits import load_splits
from csvision.data.table import ImageTable, read_table
from csvision.errors import ConfigError
from csvision.layer_shapes import transformed_shape
from csvision.models.build import build_model
from csvision.rng import derive_seed
from csvision.run.code_paths import CodePaths, check_needed
from csvision.run.directory import RunDirectory
from csvision.run.load import load
from csvision.run.run_data import check_exists, read_data_spec
from csvision.transforms import PadAndPermute
from csvision.wording import pluralize


@dataclass(frozen=True)
class FilterSubject:
    """A classifier and the file of its images."""

    classifier: Classifier
    table: ImageTable


def explain_configured_filter(config: ExplainConfig) -> FilterExplanation:
    """Explain the filter that a configuration selects, on the image in `row`."""
    assert config.row is not None
    subject = untrained_subject(config) if config.run is None else run_subject(config)
    table = subject.table
    if config.row >= len(table.images):
        rows = pluralize(len(table.images), "row")
        raise ConfigError(f"row={config.row}: the file has {rows}, from 0; write a smaller row")
    index = -1 if table.labels is None else table.labels[config.row]
    label = "" if index < 0 else table.classes[index]
    return explain_filter(
        subject.classifier,
        table.images[config.row],
        config.row,
        label,
        config.layer,
        config.filter or 0,
        config.position,
    )


def untrained_subject(config: ExplainConfig) -> FilterSubject:
    """Return the configured network with the initial weights of a training with this seed."""
    train = load_splits(config.data).train
    table, data = train.table, config.data
    channels = table.image_shape[0]
    mean, std = [0.0] * channels, [1.0] * channels
    if data.normalize:
        mean, std = channel_stats(train)
    shape = transformed_shape(table.image_shape, data)
    classes = config.num_classes or len(table.classes)
    network = build_model(config.model, shape, classes, derive_seed(config.seed, "weights"))
    names = [*map(str, range(classes))]
    transform = PadAndPermute(data, table.image_shape)
    return FilterSubject(Classifier(network, names, mean=mean, std=std, transform=transform), table)


def run_subject(config: ExplainConfig) -> FilterSubject:
    """Return the trained network of a run and its data file; raises RunError without them.

    `data.csv` is the current path of the file, if it is given, or another file.
    """
    check_run_keys(config)
    assert config.run is not None
    run_dir = RunDirectory(Path(config.run))
    check_needed(run_dir.read_config(), run_dir, CodePaths(run_model_path(config)))
    classifier = load(run_dir.path, run_model_path(config))
    data = run_dir.read_config().data
    csv, options = data.csv, ReadOptions.from_config(data)
    if config.data.csv == schema.BUNDLED:
        check_exists(run_dir, csv, "if it was moved: data.csv=FILE")
    else:
        csv = config.data.csv
        options = replace(options, labels_csv=None, allow_missing_labels=True)
    reference = read_data_spec(run_dir)
    table = read_table(csv, options, reference=reference, allow_other_labels=True)
    return FilterSubject(classifier, table)
