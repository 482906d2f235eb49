"""Write decided claims: records and page in a results folder, or in docs/ of the project."""

from collections.abc import Sequence
from pathlib import Path

from csvision import RunError
from csvision_claims.engine.profile import Profile
from csvision_claims.engine.record import ClaimRecord, read_records, write_records
from csvision_claims.page.markdown import replace_table, summary_table
from csvision_claims.page.page import render_page

RECORDS = "claims.json"

PAGE = "claims.html"

TABLE = "claims.md"


def prepare_results_folder(output_dir: Path, profile: Profile) -> Path:
    """Create and return the folder for the results of a profile.

    Raises RunError if it cannot be created or if the records in it cannot be read.
    """
    folder = output_dir / "claims" / profile.name
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise RunError(
            f"{folder}: cannot create this folder for the results: {error.strerror}; "
            "choose another output_dir"
        ) from error
    read_records(folder / RECORDS)
    return folder


def upsert(record: ClaimRecord, folder: Path, order: Sequence[str]) -> None:
    """Insert a record into those of a folder, or replace the one of the same claim.

    Records are written in `order`, the ids of all claims.
    """
    path = folder / RECORDS
    records = {known.id: known for known in read_records(path)} | {record.id: record}
    write_records(path, [records[name] for name in order if name in records])


def write_page(folder: Path) -> Path:
    """Render the records of a folder as a page and return its path."""
    path = folder / PAGE
    path.write_text(render_page(read_records(folder / RECORDS)), encoding="utf-8")
    return path


def publish(records: Sequence[ClaimRecord], project: Path) -> Path:
    """Write records, page and table into docs/ of the project, and return the page's path.

    Raises RunError if docs/claims.md does not exist there or has no place for the table.
    """
    docs = project / "docs"
    document = docs / TABLE
    try:
        text = document.read_text(encoding="utf-8")
        changed = replace_table(text, summary_table(records))
    except (OSError, ValueError) as error:
        raise RunError(
            f"publish=true: {document}: {error}; run the command in the project folder"
        ) from error
    write_records(docs / RECORDS, records)
    document.write_text(changed, encoding="utf-8")
    return write_page(docs)
