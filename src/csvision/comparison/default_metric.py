"""The metric by which settings are compared unless `metric` names one."""

from collections.abc import Sequence

from csvision.comparison.sources import Source
from csvision.errors import RunError
from csvision.run.manifest import read_json_object
from csvision.run.sweep_folder import SEARCH_RECORD, is_search

METRIC = "val/acc"


def default_metric(sources: Sequence[Source]) -> str:
    """Return `monitor` of searches, if all sources are searches with the same one; else METRIC.

    This needs no Optuna.
    """
    monitors = {search_monitor(source) for source in sources}
    return monitors.pop() if len(monitors) == 1 else METRIC


def search_monitor(source: Source) -> str:
    """Return `monitor` of a search; METRIC for other sources and for a damaged search."""
    if not is_search(source.path):
        return METRIC
    try:
        content = read_json_object(source.path / SEARCH_RECORD)
        # Older searches have their metric among the settings.
        return str(content.get("monitor") or content["settings"].get("metric") or METRIC)
    except (OSError, RunError, KeyError, AttributeError):
        return METRIC
