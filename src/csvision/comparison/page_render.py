"""Render the page of a sweep from its template."""

from collections.abc import Sequence
from pathlib import Path

from markupsafe import Markup

from csvision.comparison.format import format_mean, format_p, format_range
from csvision.comparison.importance import key_importance
from csvision.comparison.metric import Mode
from csvision.comparison.network_gain_text import describe_gain
from csvision.comparison.page_charts import (
    bar_limits,
    curve_chart,
    curve_svg,
    interval_bar,
    parallel_svg,
)
from csvision.comparison.page_data import (
    MAX_CURVES,
    MAX_DIFFERENCES,
    MAX_JOBS,
    MAX_SETTINGS,
    HeatMap,
    best_settings,
    heat_map,
    job_rows,
    key_columns,
)
from csvision.comparison.page_search import FoundSearch, search_section
from csvision.comparison.power_text import describe_equal, describe_power
from csvision.comparison.result import ComparisonResult, Difference, SettingResult
from csvision.comparison.sources import Source
from csvision.comparison.text import (
    count_runs,
    describe_choice,
    shown_differences,
)
from csvision.page.numbers import format_fixed, format_number
from csvision.page.template import FOLDER as SHARED
from csvision.page.template import read_asset, render_template

FOLDER = Path(__file__).parent

NO_FAILURES = ("finished", "running", "not started", "pruned")

MIN_SEARCH = 6
"""Settings from which on parallel coordinates and importance say something."""


def render_page(
    sources: Sequence[Source],
    comparison: ComparisonResult | None,
    folder: Path,
    facts: Sequence[tuple[str, str]],
    search: FoundSearch | None = None,
    problem: str = "",
) -> str:
    """Return the page as HTML; `comparison` is None if no run is finished, or due to `problem`."""
    records = [record for source in sources for record in source.records]
    metric = "val/acc" if comparison is None else comparison.metric
    jobs = job_rows(records, metric, folder)
    return render_template(
        FOLDER / "sweep.html.jinja",
        read_asset(SHARED / "heat.css") + read_asset(FOLDER / "sweep.css"),
        {"number": format_cell, "score": format_score, "share": "{:.1%}".format},
        title=page_title(sources, search is not None),
        problem=problem,
        facts=facts,
        running=any(record.state == "running" for record in records)
        or (search is not None and search.unfinished),
        search=None if search is None else search_section(search, folder),
        metric=metric,
        jobs=jobs,
        all_jobs=len(records),
        failures=[job for job in jobs if job.state not in NO_FAILURES],
        max_jobs=MAX_JOBS,
        found=None if comparison is None else comparison_parts(comparison),
    )


def page_title(sources: Sequence[Source], search: bool) -> str:
    """Return the title of a page: what was compared, with the names of the folders."""
    names = [source.path.name for source in sources]
    if len(sources) > 1:
        more = [f"{len(names) - 3} more"] if len(names) > 4 else []
        *first, last = [*(names[:3] if more else names), *more]
        return f"Comparison of {', '.join(first)} and {last}"
    if not sources[0].sweep:
        return f"Comparison of the runs in {names[0]}"
    return f"{'Search' if search else 'Sweep'} {names[0]}"


def format_cell(value: float | None) -> str:
    """Return a number for a table; nothing for None."""
    return "" if value is None else format_number(float(value))


def format_score(value: float | None) -> str:
    """Return a metric with the decimals of the other tables; nothing for None."""
    return "" if value is None else format_fixed(float(value), 4)


def comparison_parts(comparison: ComparisonResult) -> dict[str, object]:
    """Return what the template shows of a comparison."""
    metric = comparison.metric
    best = best_settings(comparison, MAX_SETTINGS)
    tested = [each for each in comparison.differences if each.test is not None]
    shown = shown_differences(comparison, tested)[:MAX_DIFFERENCES]
    return {
        "choice": [
            line.strip("* ").replace("+-", "\N{PLUS-MINUS SIGN}")
            for line in describe_choice(comparison).splitlines()
        ],
        "network_gain": ""
        if comparison.network_gain is None
        else describe_gain(comparison.network_gain),
        "settings": setting_rows(comparison, best),
        "more_settings": len(comparison.settings) - len(best),
        "differences": [difference_cells(each) for each in shown],
        "more_differences": len(tested) - len(shown),
        "correction": comparison.correction,
        "power": [
            f"{line[:1].upper()}{line[1:]}".replace(" %", "\N{NO-BREAK SPACE}%")
            for line in (*describe_equal(shown), *describe_power(shown))
        ],
        "curves": curves(best[:MAX_CURVES], metric, comparison.mode),
        **search_parts(comparison),
    }


def setting_rows(
    comparison: ComparisonResult, settings: Sequence[SettingResult]
) -> list[dict[str, object]]:
    """Return the rows of the table of settings, the best one first."""
    metric = comparison.metric
    low, high = bar_limits([each.metrics[metric] for each in settings])
    return [
        {
            "label": each.label,
            "chosen": each.label == comparison.chosen,
            "n": count_runs(each, metric),
            "mean": format_mean(each.metrics[metric]).replace("+-", "\N{PLUS-MINUS SIGN}"),
            "interval": format_range(each.metrics[metric]),
            "bar": interval_bar(each.metrics[metric], low, high, each.label == comparison.chosen),
            "seconds": each.seconds,
            "rank": rank,
        }
        for rank, each in enumerate(settings)
    ]


def difference_cells(difference: Difference) -> dict[str, str]:
    """Return the cells of a difference."""
    test = difference.test
    assert test is not None
    return {
        "label": f"{difference.setting} \N{MINUS SIGN} {difference.reference}",
        "metric": difference.metric,
        "pairs": str(difference.pairs or f"{test.difference.n} to 1"),
        "mean": f"{test.difference.mean:+.4f}",
        "interval": format_range(test.difference, "+.4f"),
        "p_t": format_p(test.p_t),
        "p_permutation": format_p(test.p_permutation),
        "p_corrected": format_p(difference.p_corrected),
        "needed": "" if test.needed is None else str(test.needed),
    }


def curves(settings: Sequence[SettingResult], metric: str, mode: Mode) -> list[tuple[str, Markup]]:
    """Return the curves of the metric and of the losses, with captions."""
    modes: dict[str, Mode] = {metric: mode, "val/loss": "min", "train/loss": "min"}
    charts = [(name, curve_chart(settings, name, modes[name])) for name in modes]
    return [
        (f"the mean of {name} of the best settings; bands from the lowest to the highest run", svg)
        for index, (name, chart) in enumerate(charts)
        if chart is not None and (svg := curve_svg(chart, f"curve-{index}"))
    ]


def search_parts(comparison: ComparisonResult) -> dict[str, object]:
    """Return importance, parallel coordinates and heat map of many settings."""
    columns, values = key_columns(comparison)
    importance = key_importance(
        [{name: cells[index] for name, cells in columns.items()} for index in range(len(values))],
        values,
    )
    if len(values) < MIN_SEARCH or not importance:
        return {"importance": {}, "parallel": None, "heat_map": None}
    keys = list(importance)
    shown = {key: columns[key] for key in keys[:6]}
    high = comparison.mode == "max"
    found = heat_map(columns, values, keys, high)
    return {
        # A single key explains the whole variance, whatever its values are.
        "importance": importance if len(importance) > 1 else {},
        "parallel": parallel_svg(shown, comparison.metric, comparison.mode, values, "parallel"),
        "heat_map": None if found is None else heat_cells(found, high),
    }


def heat_cells(found: HeatMap, high: bool) -> dict[str, object]:
    """Return the cells of a heat map with the steps of their colors."""
    values = [cell for row in found.cells for cell in row if cell is not None]
    low, span = min(values), (max(values) - min(values)) or 1.0
    return {
        "row_key": found.row_key,
        "column_key": found.column_key,
        "columns": found.columns,
        "rows": [
            (
                name,
                [
                    None if cell is None else (cell, shade((cell - low) / span, high))
                    for cell in cells
                ],
            )
            for name, cells in zip(found.rows, found.cells, strict=True)
        ],
    }


def shade(place: float, high: bool) -> int:
    """Return the step of the color of a cell, from 0 to 4; the best one has the most color."""
    return round(4 * (place if high else 1 - place))
