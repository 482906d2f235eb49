"""Write the results of an inspection: inspection.json, index.html, and pictures for TensorBoard."""

from pathlib import Path
from typing import Any

from torch.utils.tensorboard import SummaryWriter

from csvision.config import schema
from csvision.files import replace_file, write_json
from csvision.inspection.drawings import Drawings, draw_inspection
from csvision.inspection.page import render_page
from csvision.inspection.pictures import enlarge
from csvision.inspection.result import Inspection, to_plain
from csvision.inspection.sentences import describe_answers
from csvision.run.loaded_run import LoadedRun


def write_inspection(inspection: Inspection, run: LoadedRun, source: Path) -> None:
    """Write all files; the pictures for TensorBoard only if the run uses TensorBoard.

    `source` is the file or the folder of the test rows. Raises OSError if a file cannot be written.
    """
    drawings = draw_inspection(inspection)
    manifest = run.directory.read_manifest()
    weights = manifest.get("weights_sha256") or f"of an unfinished run ({manifest['state']})"
    facts = {
        "Run": str(run.directory.path.absolute()),
        "Model": run.trained.model.name.value,
        "Test rows": f"{len(inspection.evaluation.subset):,}",
        "Weights": weights,
    }
    page = render_page(inspection, drawings, facts, source.is_dir())
    write_json(inspection.directory / "inspection.json", summarize(inspection, facts))
    with replace_file(inspection.directory / "index.html") as file:
        file.write(page.encode())
    if run.trained.logger.name is schema.LoggerName.tensorboard:
        log_pictures(inspection, drawings)


def summarize(inspection: Inspection, facts: dict[str, str]) -> dict[str, Any]:
    """Return the content of inspection.json: all numbers of the page."""
    missing = [to_plain(part) for part in inspection.missing]
    answers = [answer.text for answer in describe_answers(inspection)]
    metrics = inspection.evaluation.metrics
    numbers = {"facts": facts, "answers": answers, "metrics": metrics, "not_applicable": missing}
    return {**numbers, **to_plain(inspection)}


def log_pictures(inspection: Inspection, drawings: Drawings) -> None:
    """Add the pictures and charts to an event file in the folder of the page."""
    with SummaryWriter(inspection.directory) as writer:
        for name, figure in drawings.charts.items():
            writer.add_figure(f"charts/{name}", figure)
        for picture in drawings.pictures:
            pixels = enlarge(picture.pixels, picture.scale)
            writer.add_image(picture.name, pixels, dataformats="HWC")
