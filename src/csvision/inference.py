"""Predict with a finished run, and export its network, as Python functions."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from csvision.arguments import AnyRun, resolve_run_config
from csvision.baselines import reuse
from csvision.config import command_schema
from csvision.config.quoting import quote_override
from csvision.exporting.export import ExportResult, int8_warning, report
from csvision.exporting.export import export as export_run
from csvision.process_state import exclusive
from csvision.run.directory import RunDirectory
from csvision.run.log import log, log_to_console
from csvision.run.predict import predict as predict_file
from csvision.wording import pluralize


@exclusive()
def predict(
    run: AnyRun | command_schema.PredictConfig,
    csv: str | Path | None = None,
    *overrides: str,
) -> pd.DataFrame:
    """Predict the labels of a file as `csvision predict run=RUN data.csv=CSV OVERRIDES` does.

    Takes a run or a sweep, a file and overrides, or a single PredictConfig instead. The path of the
    written file is in `attrs["path"]` of the result. Keeps all rows in memory; `predict_to_file`
    does not.
    """
    tables: list[pd.DataFrame] = []
    path = predict_and_report(resolve_predict_config(run, csv, overrides), tables)
    predictions = pd.concat(tables, ignore_index=True)
    predictions.attrs["path"] = path
    return predictions


@exclusive()
def predict_to_file(
    run: AnyRun | command_schema.PredictConfig,
    csv: str | Path | None = None,
    *overrides: str,
) -> Path:
    """Predict like `predict`, in memory that does not depend on the number of rows.

    Returns the path of the written file.
    """
    return predict_and_report(resolve_predict_config(run, csv, overrides))


def resolve_predict_config(
    run: Any, csv: str | Path | None, overrides: Sequence[str]
) -> command_schema.PredictConfig:
    """Return the configuration of predict."""
    files = [] if csv is None else [f"data.csv={quote_override(str(csv))}"]
    config: command_schema.PredictConfig = resolve_run_config("predict", run, (*files, *overrides))
    return config


def predict_and_report(
    config: command_schema.PredictConfig, tables: list[pd.DataFrame] | None = None
) -> Path:
    """Predict, log how many rows there were and how fast, and return the path of the file."""
    with log_to_console(config.quiet):
        is_baseline = RunDirectory(Path(config.run)).is_baseline()
        predicted = (reuse.predict if is_baseline else predict_file)(config, tables)
        speed = f"{predicted.rows / predicted.seconds:,.0f}"
        log.info("%s, %s images/s", pluralize(predicted.rows, "row"), speed)
    return predicted.path


@exclusive()
def export(
    run: AnyRun | command_schema.ExportConfig,
    format: str = "onnx",
    *overrides: str,
) -> ExportResult:
    """Write the network of a run into a file, as `csvision export run=RUN OVERRIDES` does.

    Takes a run directory, a format (onnx, pt2 or state_dict) and overrides, or a single
    ExportConfig instead.
    """
    if isinstance(run, AnyRun):
        overrides = (f"format={format}", *overrides)
    config: command_schema.ExportConfig = resolve_run_config("export", run, overrides)
    with log_to_console(config.quiet):
        result = export_run(config)
        for line in report(result):
            log.info(line)
        if warning := int8_warning(result.scores):
            log.warning(warning)
    return result
