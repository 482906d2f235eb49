"""Where decided claims are shown: a folder of their own, and the project's docs/ and README."""

from collections.abc import Sequence
from pathlib import Path

from csvision.claims.profile import Profile
from csvision.claims.record import ClaimRecord, read_records, write_records
from csvision.errors import RunError
from csvision.report.claims.markdown import replace_table, summary_table
from csvision.report.claims.page import render_page
from csvision.run.directory import new_folder

RECORDS = "claims.json"

PAGE = "claims.html"


def results_folder(outputs: Path, profile: Profile) -> Path:
    """The folder for the results of a profile.

    Raises RunError before anything is measured where nothing can be written, or where what is
    there cannot be read.
    """
    folder = new_folder(outputs / "claims" / profile.name)
    read_records(folder / RECORDS)
    return folder


def keep(record: ClaimRecord, folder: Path, order: Sequence[str]) -> None:
    """Put a record among those of a folder in place of the one before, in the notes' order."""
    path = folder / RECORDS
    records = {known.id: known for known in read_records(path)} | {record.id: record}
    write_records(path, [records[name] for name in order if name in records])


def write_page(folder: Path) -> Path:
    """Make the page of a folder's records; its file."""
    path = folder / PAGE
    path.write_text(render_page(read_records(folder / RECORDS)), encoding="utf-8")
    return path


def record_in_project(records: Sequence[ClaimRecord], project: Path) -> Path:
    """Write records and page into docs/ and the table into README.md; the page's file.

    Raises RunError where this is not the project's folder.
    """
    readme, docs = project / "README.md", project / "docs"
    try:
        text = readme.read_text(encoding="utf-8")
        changed = replace_table(text, summary_table(records))
    except (OSError, ValueError) as error:
        raise RunError(f"record=true: {readme}: {error}; run it in the project's folder") from error
    write_records(docs / RECORDS, records)
    readme.write_text(changed, encoding="utf-8")
    return write_page(docs)
