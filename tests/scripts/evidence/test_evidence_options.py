"""The arguments of the scripts: values, --help, and one line per error."""

from dataclasses import dataclass

import pytest

import csvision
from evidence_options import parse_options
from tests.conftest import ROOT
from tests.scripts.evidence.run_script import run_script

SCRIPTS = sorted(
    path.name
    for path in (ROOT / "scripts" / "evidence").glob("*.py")
    if "= parse_options(" in path.read_text(encoding="utf-8")
)


@dataclass
class Options:
    """Options of each type."""

    folder: str = csvision.option("a required folder")
    count: int = csvision.option("a number", 3, ge=1)
    share: float = csvision.option("a fraction", 0.5, le=1)
    name: str | None = csvision.option("an optional text", None)


def parse(monkeypatch: pytest.MonkeyPatch, *arguments: str) -> Options:
    monkeypatch.setattr("sys.argv", ["script.py", *arguments])
    return parse_options(Options, "Try options.")


def test_values_have_the_types_of_the_fields(monkeypatch: pytest.MonkeyPatch) -> None:
    options = parse(monkeypatch, "folder=a b/c=1,2", "count=7", "share=0.25")
    assert options == Options("a b/c=1,2", 7, 0.25, None)
    assert parse(monkeypatch, "folder=007", "name=null").folder == "007"


@pytest.mark.parametrize(
    ("arguments", "errors"),
    [
        (["folder=x", "cuont=3"], ["cuont=3: unknown option"]),
        (["folder=x", "5"], ["5: unknown option"]),
        (["folder=x", "count=many"], ["count=many: Value 'many'"]),
        (["folder=x", "count=1.5"], ["count=1.5: Value '1.5'"]),
        (["folder=x", "count=0"], ["count=0 must be >= 1"]),
        ([], ["folder is missing: write folder=VALUE"]),
        (["count=x", "other=1"], ["count=x: Value 'x'", "other=1: unknown", "folder is missing"]),
        (["folder=x", "count=0", "share=2"], ["count=0 must be >= 1", "share=2.0 must be <= 1"]),
    ],
)
def test_errors_are_reported_together_with_exit_code_2(
    arguments: list[str],
    errors: list[str],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    with pytest.raises(SystemExit, match="2"):
        parse(monkeypatch, *arguments)
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == len(errors)
    for line, error in zip(lines, errors, strict=True):
        assert line.startswith(f"error: {error}")


def test_help_lists_every_option_with_its_default(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit, match="0"):
        parse(monkeypatch, "--help")
    assert capsys.readouterr().out.splitlines() == [
        "usage: python scripts/evidence/script.py [KEY=VALUE ...]",
        "",
        "Try options.",
        "",
        "  folder=VALUE (required)  a required folder",
        "  count=3                  a number",
        "  share=0.5                a fraction",
        "  name=null                an optional text",
    ]


@pytest.mark.slow
@pytest.mark.parametrize("script", SCRIPTS)
def test_each_script_has_help_and_rejects_unknown_options(script: str) -> None:
    helped = run_script(script, "--help")
    assert (helped.returncode, helped.stderr) == (0, "")
    assert f"usage: python scripts/evidence/{script} " in helped.stdout
    refused = run_script(script, "speed=9")
    assert (refused.returncode, refused.stdout) == (2, "")
    assert refused.stderr.startswith("error: speed=9: unknown option")
