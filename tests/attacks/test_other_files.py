"""Files for evaluate and predict whose pixels, columns or header differ from those of training."""

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd

from tests.attacks.attack import Attack, Result, attack_parameters, run_attack
from tests.attacks.runs import both, train_run

EVALUATE = "csvision evaluate run=run data.csv=other.csv"
PREDICT = "csvision predict run=run data.csv=other.csv"

Change = Callable[[pd.DataFrame], pd.DataFrame]


def trained(path: Path) -> None:
    """Train the run `run` well enough to tell right from wrong columns."""
    train_run(path, "epochs=20", "model.hidden=[32]", "optimizer.lr=0.03").rename(path / "run")


def other_file(change: Change) -> Callable[[Path], None]:
    """Return a function that trains the run and writes other.csv, changed digits.csv."""

    def write(path: Path) -> None:
        change(pd.read_csv(path / "digits.csv")).to_csv(path / "other.csv", index=False)

    return both(trained, write)


def threshold(table: pd.DataFrame) -> pd.DataFrame:
    """Return black and white images, as 0 and 1."""
    return table.assign(**{name: (table[name] > 127).astype(int) for name in pixels(table)})


def sort_columns(table: pd.DataFrame) -> pd.DataFrame:
    """Return the columns by name: pixel0, pixel1, pixel10, ...; the label is the last one."""
    return table[[*sorted(pixels(table)), "label"]]


def identify(table: pd.DataFrame) -> pd.DataFrame:
    """Return ten rows with an identifier and without labels."""
    first = table.head(10).drop(columns="label")
    first.insert(0, "id", range(500, 510))
    return first


def write_without_header(path: Path) -> None:
    """Train the run and write other.csv as numpy.savetxt does: no header, exponents."""
    trained(path)
    table = pd.read_csv(path / "digits.csv")
    np.savetxt(path / "other.csv", table.to_numpy(float), delimiter=",")


def pixels(table: pd.DataFrame) -> list[str]:
    """Return the names of the pixel columns."""
    return [str(name) for name in table if name != "label"]


def predictions(result: Result) -> pd.DataFrame:
    """Return the only table of predictions that was written for other.csv."""
    (path,) = [
        *(result.folder / "run").glob("evaluations/*/predictions.csv"),
        *(result.folder / "run").glob("predictions/other_*.csv"),
    ]
    return pd.read_csv(path)


def check_accuracy(result: Result) -> None:
    """Check that nearly all of the images, most of them trained on, are recognized."""
    table = predictions(result)
    assert len(table) == 60
    assert (table["label"] == table["prediction"]).mean() > 0.8


def check_ids(result: Result) -> None:
    """Check that the identifiers are carried over and are not taken for labels."""
    table = predictions(result)
    assert [*table["id"]] == [*range(500, 510)]
    assert "label" not in table


def attack(
    name: str,
    command: str,
    exit_code: int,
    prepare: Callable[[Path], None],
    *checks: Callable[[Result], None],
    says: tuple[str, ...] = (),
) -> Attack:
    """Return an attack by another file; tests/run/test_other_files.py calls the same functions."""
    return Attack(
        name,
        command,
        exit_code,
        says,
        prepare=prepare,
        checks=checks,
        keeps_run=True,
        thorough=True,
    )


ATTACKS = (
    attack(
        "another range",
        EVALUATE,
        2,
        other_file(threshold),
        says=("other.csv", "from 0 to 1", "from 0 to 255", "data.pixel_range="),
    ),
    attack(
        "another range that is given",
        f"{EVALUATE} data.pixel_range=1",
        0,
        other_file(threshold),
        check_accuracy,
    ),
    attack("sorted columns", EVALUATE, 0, other_file(sort_columns), check_accuracy),
    attack("identifiers", PREDICT, 0, other_file(identify), check_ids),
    attack(
        "no header",
        PREDICT,
        2,
        write_without_header,
        says=("which column is the label: 0 (10 distinct", "data.label_column="),
    ),
    attack(
        "no header, label given",
        f"{PREDICT} data.label_column=0",
        0,
        write_without_header,
        check_accuracy,
    ),
)


def write_two_labels(path: Path) -> None:
    """Add a second column with the usual name of a label to digits.csv."""
    table = pd.read_csv(path / "digits.csv")
    table.assign(**{"class": table["label"] % 2}).to_csv(path / "digits.csv", index=False)


def write_on_side(path: Path) -> None:
    """Write on_side.csv, digits.csv with each image stored column by column."""
    table = pd.read_csv(path / "digits.csv")
    images = table[pixels(table)].to_numpy().reshape(-1, 8, 8)
    table[pixels(table)] = images.transpose(0, 2, 1).reshape(-1, 64)
    table.to_csv(path / "on_side.csv", index=False)


def check_equal_weights(result: Result) -> None:
    """Check that two runs have the same weights."""
    first, second = (json.loads(path.read_text("utf-8")) for path in result.manifests)
    assert first["weights_sha256"] == second["weights_sha256"]


FLIP = "csvision $TRAIN augmentation.hflip=1"

TRAINING_FILES = (
    Attack(
        "two labels",
        "csvision $TRAIN",
        2,
        ("label (", "class (", "data.label_column=label", "data.ignore=[class]"),
        prepare=write_two_labels,
        thorough=True,
    ),
    Attack(
        "two labels, hint followed",
        "csvision $TRAIN data.label_column=label data.ignore=[class]",
        0,
        prepare=write_two_labels,
        thorough=True,
    ),
    Attack(
        "flips of images on their side",
        f"{FLIP} && {FLIP} data.csv=on_side.csv data.transpose=true",
        0,
        prepare=write_on_side,
        checks=(check_equal_weights,),
        thorough=True,
    ),
)


@attack_parameters(*TRAINING_FILES)
def test_training_file_is_read_as_its_keys_say(attack: Attack, attacked_folder: Path) -> None:
    run_attack(attack, attacked_folder)


@attack_parameters(*ATTACKS)
def test_other_file_is_read_as_in_training_or_refused(
    attack: Attack, attacked_folder: Path
) -> None:
    run_attack(attack, attacked_folder)
