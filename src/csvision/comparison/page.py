"""The page of a sweep, sweep.html: a single file, written at the end and while the sweep runs."""

import logging
import time
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from filelock import FileLock, Timeout

from csvision.command_hints import command_line, resume_command
from csvision.comparison.compare import compare_sources
from csvision.comparison.data_sets import check_same_data
from csvision.comparison.result import ComparisonResult
from csvision.comparison.sources import Source, read_sources
from csvision.errors import RunError, UserError, first_line
from csvision.files import replace_file
from csvision.run.recorded_code import recorded_code

if TYPE_CHECKING:
    from csvision.comparison.page_search import FoundSearch

log = logging.getLogger("csvision")

PAGE = "sweep.html"

MIN_SECONDS = 5.0
"""Time between two versions of a page while the sweep runs."""

MAX_SHARE = 0.01
"""Share of the time of a sweep that its page may take."""

LAST_COST = [0.5]
"""Seconds that this process needed for its last page; before the first one, an estimate."""


def write_page(
    sources: Sequence[Source],
    comparison: ComparisonResult | None,
    folder: Path,
    options: Sequence[str] = (),
) -> Path:
    """Write the page into a folder; raises RunError if it cannot be written.

    A page of anything but a single sweep is called comparison.html. `comparison` is None if no run
    is finished, or if their data differ. `options` are the overrides of `csvision compare`, except
    `run`, that give this page.
    """
    from csvision.comparison.page_render import render_page
    from csvision.comparison.page_search import read_search

    sweep = len(sources) == 1 and sources[0].sweep
    path = folder / (PAGE if sweep else "comparison.html")
    search, notes = None, [] if comparison is None else [*comparison.notes]
    if sweep:
        try:
            search = read_search(sources[0].path)
        except UserError as error:
            notes.append(f"the report of the search is missing: {first_line(error)}")
    facts = page_facts(sources, search, notes, options)
    problem = data_problem(sources) if comparison is None else ""
    text = render_page(sources, comparison, folder, facts, search, problem)
    try:
        with replace_file(path) as file:
            file.write(text.encode())
    except OSError as error:
        raise RunError(
            f"{path} cannot be written: {error.strerror}; choose another folder: output_dir=DIR"
        ) from error
    return path


def page_facts(
    sources: Sequence[Source],
    search: "FoundSearch | None",
    notes: Sequence[str],
    options: Sequence[str],
) -> list[tuple[str, str]]:
    """Return the facts at the top of a page, by name."""
    records = [record for source in sources for record in source.records]
    states = Counter(record.state for record in records)
    seconds = sum(record.seconds or 0.0 for record in records)
    paths = [str(source.path) for source in sources]
    listed = paths[0] if len(paths) == 1 else f"[{','.join(paths)}]"
    facts = [
        ("Folder", ", ".join(paths)),
        ("Runs", ", ".join(f"{count} {state}" for state, count in states.items())),
        ("Cost", f"{seconds:,.0f} s of training and testing in all runs"),
        ("Compare again", command_line("compare", f"run={listed}", *options)),
    ]
    unfinished = states["finished"] < len(records) if search is None else search.unfinished
    if len(sources) == 1 and sources[0].sweep and unfinished:
        folder = sources[0].path
        facts.append(("Resume", resume_command(folder, recorded_code(folder).words())))
    return facts + [("Note", note) for note in notes]


def refresh_page(sweep: Path, final: bool = False) -> None:
    """Write the page of a sweep again unless it is recent; at its end, always.

    Safe to call after each job in any process: only one of them writes, and pages take at most
    MAX_SHARE of the time. A page that cannot be written is not worth stopping a sweep.
    """
    wait = max(MIN_SECONDS, LAST_COST[0] / MAX_SHARE)
    if not final and page_age(sweep) < wait:
        return
    lock = FileLock(sweep / f".{PAGE}.lock", timeout=30 if final else 0)
    try:
        with lock:
            started = time.process_time()
            sources = read_sources([sweep])
            comparison = compare_or_none(sources)
            shows_test = comparison is not None and comparison.test == "all"
            write_page(sources, comparison, sweep, ["test=all"] if shows_test else [])
            LAST_COST[0] = time.process_time() - started
    except Timeout:
        return
    except Exception as error:
        bug = not isinstance(error, UserError | OSError)
        log.warning("%s was not written: %s", sweep / PAGE, first_line(error), exc_info=bug)


def page_age(sweep: Path) -> float:
    """Return the seconds since the page was written; before that, since the sweep was recorded."""
    times = []
    for name in (PAGE, "sweep.json", "multirun.yaml", "search.json"):
        try:
            times.append((sweep / name).stat().st_mtime)
        except OSError:
            continue
    return time.time() - max(times, default=0.0)


def data_problem(sources: Sequence[Source]) -> str:
    """Return that runs have used different data; "" if they have not."""
    try:
        check_same_data([record for source in sources for record in source.records])
    except RunError as error:
        return first_line(error)
    return ""


def compare_or_none(sources: Sequence[Source]) -> ComparisonResult | None:
    """Compare the runs of a sweep; None if there is nothing to compare yet.

    Without validation rows, test figures are compared.
    """
    for show_test in (False, True):
        try:
            return compare_sources(sources, show_test=show_test)
        except UserError:
            continue
    return None
