"""The commands of `csvision`; other packages can add commands by an entry point."""

from dataclasses import dataclass
from importlib import import_module
from importlib.metadata import entry_points
from typing import Any

from csvision.config import (
    baseline_schema,
    command_schema,
    compare_schema,
    explain_schema,
    lr_find_schema,
    schema,
)
from csvision.config.schema_registry import COMMAND_SCHEMAS

ENTRY_POINTS = "csvision.commands"
"""The group of entry points whose objects are further commands."""


@dataclass(frozen=True)
class Command:
    """A command: its name as typed, its configuration, and the function that runs it.

    `function` is "MODULE:NAME", imported only when the command runs. The function takes the
    validated `schema`. The defaults are in conf/, in the file named after the command.
    """

    name: str
    description: str
    schema: type
    function: str

    @property
    def config_name(self) -> str:
        """The name of its file in conf/, without suffix."""
        return self.name.replace("-", "_")

    def register(self) -> None:
        """Add the schema to those that Hydra knows."""
        COMMAND_SCHEMAS[self.config_name] = self.schema

    def run(self, config: Any) -> Any:
        """Run the command."""
        module, _, name = self.function.partition(":")
        return getattr(import_module(module), name)(config)


BUILT_IN = (
    Command(
        "train",
        "Train a network on images in a CSV file, test it, and write a run directory.",
        schema.TrainConfig,
        "csvision.cli.train:run_train",
    ),
    Command(
        "lr-find",
        "Find a learning rate: train with a growing one while the loss decreases.",
        lr_find_schema.LRFindConfig,
        "csvision.cli.tasks:run_lr_find",
    ),
    Command(
        "baseline",
        "Fit an estimator of scikit-learn to the same splits, test it, and write a run directory.",
        baseline_schema.BaselineConfig,
        "csvision.cli.baseline:run_baseline",
    ),
    Command(
        "resume",
        "Resume an interrupted run or sweep, or train a finished run longer.",
        command_schema.ResumeConfig,
        "csvision.cli.tasks:run_resume",
    ),
    Command(
        "evaluate",
        "Test a finished run on its own test rows or on a file.",
        command_schema.EvaluateConfig,
        "csvision.cli.tasks:run_evaluate",
    ),
    Command(
        "predict",
        "Predict the labels of a file with a finished run.",
        command_schema.PredictConfig,
        "csvision.cli.tasks:run_predict",
    ),
    Command(
        "inspect",
        "Look inside a finished run: filters, feature maps, attributions, calibration, mistakes.",
        command_schema.InspectConfig,
        "csvision.cli.tasks:run_inspect",
    ),
    Command(
        "demo",
        "Show the network of a run on a local page on which one draws an image.",
        command_schema.DemoConfig,
        "csvision.cli.tasks:run_demo",
    ),
    Command(
        "export",
        "Write the network of a finished run into a file for other programs, such as ONNX.",
        command_schema.ExportConfig,
        "csvision.cli.tasks:run_export",
    ),
    Command(
        "reproduce",
        "Train a finished run again and compare the results bit by bit.",
        command_schema.ReproduceConfig,
        "csvision.cli.tasks:run_reproduce",
    ),
    Command(
        "compare",
        "Compare the settings of a sweep or of several runs, with intervals and tests.",
        compare_schema.CompareConfig,
        "csvision.cli.tasks:run_compare",
    ),
    Command(
        "inspect-data",
        "Report what a data file contains and what is wrong with it.",
        command_schema.InspectDataConfig,
        "csvision.cli.tasks:run_inspect_data",
    ),
    Command(
        "explain",
        "Explain the arithmetic of a network, or of one of its filters, without training.",
        explain_schema.ExplainConfig,
        "csvision.cli.explain:run_explain",
    ),
    Command(
        "convert",
        "Write a data file as a CSV or Parquet file with a label and pixels from 0 to 255.",
        command_schema.ConvertConfig,
        "csvision.cli.tasks:run_convert",
    ),
    Command(
        "cache",
        "Show or clear the cache of parsed data files.",
        command_schema.CacheConfig,
        "csvision.cli.tasks:run_cache",
    ),
    Command(
        "example-data",
        "Write a small example data set as a CSV file.",
        command_schema.ExampleDataConfig,
        "csvision.cli.tasks:run_example_data",
    ),
    Command(
        "prepare-fashion-mnist",
        "Write all 70,000 images of Fashion-MNIST as CSV files.",
        command_schema.PrepareFashionMNISTConfig,
        "csvision.cli.tasks:run_prepare_fashion_mnist",
    ),
)


def command_names() -> list[str]:
    """Return the names of all commands, the built-in ones first."""
    return [*(command.name for command in BUILT_IN), *entry_points(group=ENTRY_POINTS).names]


def find_command(name: str) -> Command:
    """Return a command; only this one is imported, so a broken package affects its own command."""
    for command in BUILT_IN:
        if command.name == name:
            return command
    (entry,) = entry_points(group=ENTRY_POINTS, name=name)
    added: Command = entry.load()
    return added


def list_commands() -> list[tuple[str, str]]:
    """Return name and description of each command; a broken package has its error instead."""
    listed = [(command.name, command.description) for command in BUILT_IN]
    for entry in entry_points(group=ENTRY_POINTS):
        try:
            listed.append((entry.name, entry.load().description))
        except Exception as error:
            listed.append((entry.name, f"(not available: {type(error).__name__}: {error})"))
    return listed
