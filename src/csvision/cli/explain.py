"""Print or write what `csvision explain` has found; torch is imported only if it is needed."""

from pathlib import Path

from csvision.arithmetic.explain import explain
from csvision.arithmetic.explanation import Explanation
from csvision.command_hints import display_path
from csvision.config.explain_schema import ExplainConfig, ExplainFormat
from csvision.errors import RunError
from csvision.files import replace_file


def run_explain(config: ExplainConfig) -> None:
    """Explain a network or a filter."""
    content = format_explanation(explain(config), config.format)
    if config.output is None:
        print(content)
        return
    path = Path(config.output)
    write_text(path, content)
    print(display_path(path))


def format_explanation(explanation: Explanation, form: ExplainFormat) -> str:
    """Return an explanation in a format."""
    match form:
        case ExplainFormat.text:
            return explanation.to_text()
        case ExplainFormat.json:
            return explanation.to_json()
        case ExplainFormat.svg:
            return explanation.to_svg().rstrip("\n")


def write_text(path: Path, content: str) -> None:
    """Write a file completely or not at all; raises RunError if it cannot be written."""
    if path.is_dir():
        raise RunError(f"output={path}: this is a folder; write the name of a file")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with replace_file(path) as file:
            file.write(f"{content}\n".encode())
    except OSError as error:
        raise RunError(
            f"output={path}: cannot be written: {error.strerror}; choose another file"
        ) from error
