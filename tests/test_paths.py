"""Paths on the command line, taken as they are whatever signs they have."""

import json
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest
from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.override_parser.types import ChoiceSweep, QuotedString

from csvision.paths import quote_paths

SCRIPTS = Path(__file__).parents[1] / "scripts"

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


def as_hydra_reads(argument: str) -> str | list[str]:
    """The value, or the values of a sweep, that Hydra makes of an argument."""
    value = OverridesParser.create().parse_override(argument).value()
    if isinstance(value, ChoiceSweep):
        return [text_of(item) for item in value.list]
    return text_of(value)


def text_of(value: object) -> str:
    assert isinstance(value, str | QuotedString)
    text = value.text if isinstance(value, QuotedString) else value
    # OmegaConf reads an escaped interpolation as the text itself.
    return text.replace("\\${", "${")


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("key", ["run", "data.csv", "data.test_csv", "outputs", "model.path"])
def test_a_path_reaches_hydra_as_it_is(key: str, name: str) -> None:
    (argument,) = quote_paths([f"{key}={name}"])
    assert argument.startswith(f"{key}=")
    assert as_hydra_reads(argument) == name


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
def test_what_is_quoted_or_no_path_stays_as_it_is(argument: str) -> None:
    assert quote_paths([argument]) == [argument]


def test_a_key_may_be_added() -> None:
    assert quote_paths(["+data.csv=a b"]) == ["+data.csv='a b'"]


class TestMultirun:
    @pytest.mark.parametrize("option", ["-m", "--multirun"])
    def test_parts_paths_at_commas(self, option: str) -> None:
        _, argument = quote_paths([option, "data.csv=one file.csv,lr=0.1.csv"])
        assert as_hydra_reads(argument) == ["one file.csv", "lr=0.1.csv"]

    def test_takes_the_comma_of_a_file_that_is_there_as_part_of_its_name(self) -> None:
        Path("a,b.csv").touch()
        argument, _ = quote_paths(["data.csv=a,b.csv", "-m"])
        assert as_hydra_reads(argument) == "a,b.csv"

    def test_parts_quoted_paths_as_hydra_does(self) -> None:
        argument, _ = quote_paths(["data.csv='a,b.csv','c d.csv'", "-m"])
        assert as_hydra_reads(argument) == ["a,b.csv", "c d.csv"]

    @pytest.mark.parametrize("sweep", ["choice(a.csv,b.csv)", "glob(*)", "shuffle(a.csv,b.csv)"])
    def test_leaves_hydras_sweeps_to_hydra(self, sweep: str) -> None:
        assert quote_paths(["-m", f"data.csv={sweep}"]) == ["-m", f"data.csv={sweep}"]


def run_script(name: str, *arguments: str) -> str:
    """The last line that a script prints: where its results are."""
    result = subprocess.run(
        [sys.executable, SCRIPTS / name, *arguments], capture_output=True, text=True, check=False
    )
    assert (result.returncode, result.stderr) == (0, "")
    return result.stdout.splitlines()[-1]


def test_files_and_folders_of_any_name_work_from_training_to_prediction(digits_csv: Path) -> None:
    source = Path("été, lr=0.1 (it's)")
    source.mkdir()
    data = digits_csv.rename(source / "my digits,v=2.csv")
    small = ("model=mlp", "model.hidden=[8]", "epochs=1", "accelerator=cpu", "logger=none")
    own = ("data=csv", f"data.csv={data}", "outputs=my results, a=b")
    run = Path(run_script("train.py", *own, *small))
    assert run.parent == Path("my results, a=b/runs").absolute()
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
    results = {run.relative_to(Path.cwd()) / name for name in ("evaluations", "predictions")}
    assert {path for path in new if not results & {path, *path.parents}} == set()
