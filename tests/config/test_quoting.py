"""Paths and other text on the command line, read literally whatever characters they contain."""

import json
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest
from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.override_parser.types import ChoiceSweep, QuotedString
from hypothesis import example, given, settings
from omegaconf import OmegaConf

from csvision.config.compose import load_config
from csvision.config.limits import MAX_ARGUMENT
from csvision.config.quoting import PATH_KEYS, format_value, quote_override, quote_paths
from csvision.errors import ConfigError
from tests.config.strategies import printable
from tests.conftest import ROOT

NAMES = [
    "plain.csv",
    "/tmp/with space.csv",
    "a,b.csv",
    "lr=0.1/x=y.csv",
    "été/größe.csv",
    "it's.csv",
    'say "hello".csv',
    "(1)[2]{3}.csv",
    "back\\slash.csv",
    "ends with \\",
    "${oc.env:HOME}.csv",
    "~/home.csv",
    "12",
    "true",
    "a: b # c.csv",
]


def parse(argument: str) -> str | list[str]:
    """Return the value of an argument, or the values of a sweep, as Hydra reads them."""
    value = OverridesParser.create().parse_override(argument).value()
    if isinstance(value, ChoiceSweep):
        return [text_of(item) for item in value.list]
    return text_of(value)


def text_of(value: object) -> str:
    assert isinstance(value, str | QuotedString)
    text = value.text if isinstance(value, QuotedString) else value
    # OmegaConf reads an escaped interpolation as the text itself.
    return text.replace("\\${", "${")


class TestQuoteOverride:
    @given(text=printable)
    @settings(deadline=None)
    @example("")
    @example(" ")
    @example("a'b\"c")
    @example("\\")
    @example("\\'")
    @example("x\\\\")
    @example("${oc.env:HOME}")
    @example("\\${x}")
    @example("\\\\${x")
    @example("a,b=c [d] {e: f} é#$%")
    @example("null")
    @example("1")
    def test_text_is_read_literally_by_hydra(self, text: str) -> None:
        # OmegaConf reads `???` as a missing value.
        text = text.replace("???", "")
        override = OverridesParser.create().parse_override(f"run={quote_override(text)}")
        assert not override.is_sweep_override()
        # OmegaConf reads what Hydra returns; ${ would begin an interpolation.
        value = OmegaConf.create({"run": override.value()}).run
        assert value == text
        assert isinstance(value, str)

    @pytest.mark.slow
    @given(text=printable.filter(bool))
    @settings(max_examples=20, deadline=None)
    @example("my runs, 2=3/é '${x}' \\${y}\\")
    def test_text_survives_composition(self, text: str) -> None:
        text = text.replace("???", "x")
        assert load_config("evaluate", [f"run={quote_override(text)}"]).run == text


class TestQuotePaths:
    @pytest.mark.parametrize("name", NAMES)
    @pytest.mark.parametrize("key", PATH_KEYS)
    def test_path_is_read_literally(self, key: str, name: str) -> None:
        (argument,) = quote_paths([f"{key}={name}"])
        assert argument.startswith(f"{key}=")
        assert parse(argument) == name

    @pytest.mark.parametrize(
        "key", ["run", "data.csv", "data.test_csv", "output_dir", "model.path"]
    )
    def test_path_keys_of_the_commands_are_known(self, key: str) -> None:
        assert key in PATH_KEYS

    @pytest.mark.parametrize(
        "argument",
        [
            "data.csv='my file.csv'",
            'data.csv="a,b.csv"',
            "data.test_csv=null",
            "data.csv=",
            "data.csv",
            "model=mlp,cnn",
            "data.classes=[cat,dog]",
            "-m",
            "--cfg",
            "~data.test_csv",
        ],
    )
    def test_quoted_values_and_other_keys_are_unchanged(self, argument: str) -> None:
        assert quote_paths([argument]) == [argument]

    def test_plus_before_the_key_is_kept(self) -> None:
        assert quote_paths(["+data.csv=a b"]) == ["+data.csv='a b'"]

    def test_argument_that_hydra_would_parse_for_minutes_is_refused(self) -> None:
        longest = "model.hidden=[" + "8," * 4992 + "8]"
        assert len(longest) == MAX_ARGUMENT
        assert quote_paths([longest]) == [longest]
        with pytest.raises(ConfigError) as raised:
            quote_paths(["seed=1", f"{longest} ", f"data.csv={'x' * 20_000}"])
        assert [message.split(";")[0] for message in raised.value.messages] == [
            "model.hidden has 10001 characters",
            "data.csv has 20009 characters",
        ]


class TestMultirun:
    @pytest.mark.parametrize("option", ["-m", "--multirun"])
    def test_commas_separate_paths(self, option: str) -> None:
        _, argument = quote_paths([option, "data.csv=one file.csv,lr=0.1.csv"])
        assert parse(argument) == ["one file.csv", "lr=0.1.csv"]

    def test_comma_in_the_name_of_an_existing_file_separates_nothing(self) -> None:
        Path("a,b.csv").touch()
        argument, _ = quote_paths(["data.csv=a,b.csv", "-m"])
        assert parse(argument) == "a,b.csv"

    def test_commas_separate_quoted_paths(self) -> None:
        argument, _ = quote_paths(["data.csv='a,b.csv','c d.csv'", "-m"])
        assert parse(argument) == ["a,b.csv", "c d.csv"]

    @pytest.mark.parametrize("sweep", ["choice(a.csv,b.csv)", "glob(*)", "shuffle(a.csv,b.csv)"])
    def test_sweep_functions_of_hydra_are_unchanged(self, sweep: str) -> None:
        assert quote_paths(["-m", f"data.csv={sweep}"]) == ["-m", f"data.csv={sweep}"]


def run_script(name: str, *arguments: str) -> str:
    """Run a script; return its last line, the path of the results."""
    result = subprocess.run(
        [sys.executable, ROOT / "scripts" / name, *arguments],
        capture_output=True,
        text=True,
        check=False,
    )
    assert (result.returncode, result.stderr) == (0, "")
    return result.stdout.splitlines()[-1]


@pytest.mark.slow
def test_paths_with_special_characters_work_from_training_to_prediction(digits_csv: Path) -> None:
    source = Path("été, lr=0.1 (it's)")
    source.mkdir()
    data = digits_csv.rename(source / "my digits,v=2.csv")
    small = ("model=mlp", "model.hidden=[8]", "epochs=1", "accelerator=cpu", "logger=none")
    own = ("data=csv", f"data.csv={data}", "output_dir=my results, a=b")
    run = Path(run_script("train.py", *own, *small))
    assert run.absolute().parent == Path("my results, a=b/runs").absolute()
    assert {path.name for path in (run / ".hydra").iterdir()} == {
        "config.yaml",
        "hydra.yaml",
        "overrides.yaml",
    }
    before = sorted(Path().rglob("*"))

    moved = run.rename("run, v=2 für it's")
    folder = Path(run_script("evaluate.py", f"run={moved}"))
    metrics = json.loads((folder / "metrics.json").read_text(encoding="utf-8"))
    assert metrics.items() <= json.loads((moved / "metrics.json").read_text()).items()
    table = Path(run_script("predict.py", f"run={moved}", f"data.csv={data}"))
    assert len(pd.read_csv(table)) == 300

    moved.rename(run)
    new = {path for path in Path().rglob("*") if path not in before}
    folder = run.absolute().relative_to(Path.cwd())
    results = {folder / name for name in ("evaluations", "predictions")}
    assert {path for path in new if not results & {path, *path.parents}} == set()


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, "null"),
        (True, "true"),
        (0.01, "0.01"),
        ([], "[]"),
        ([1, 28, None], "[1,28,null]"),
        ({}, "{}"),
        ({"a": [1, 2], "b": False}, "{a: [1,2], b: false}"),
    ],
)
def test_values_are_formatted_as_hydra_parses_them(value: object, text: str) -> None:
    assert format_value(value) == text
    assert format_value(OmegaConf.create({"key": value}).key) == text
    assert OverridesParser.create().parse_override(f"key={text}").value() == value
