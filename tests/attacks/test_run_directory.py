"""Run directories that were damaged, edited or mixed up."""

from pathlib import Path
from typing import Any

import torch

from tests.attacks.attack import Attack, attack_parameters, run_attack
from tests.attacks.runs import (
    Change,
    both,
    change_checkpoint,
    change_manifest,
    finished,
    interrupted,
    swap_checkpoint,
    write_manifest,
)

EVALUATE, RESUME = "csvision evaluate run=run", "csvision resume run=run"


def update(*keys: str, value: Any) -> Change:
    """Return a change of one entry."""

    def change(content: dict[str, Any]) -> None:
        for key in keys[:-1]:
            content = content[key]
        content[keys[-1]] = value

    return change


def add_to_bias(content: dict[str, Any]) -> None:
    """Change the weights in a checkpoint."""
    content["state_dict"]["network.logits.bias"].add_(1)


TEXTS = {
    "empty": "",
    "half": '{"state": "runn',
    "deeply nested": "[" * 100_000,
    "a list": "[]",
    "null": "null",
}

ENTRIES = {
    "data is null": update("data", value=None),
    "data is a list": update("data", value=[]),
    "shape is negative": update("data", "image_shape", value=[1, -8, 8]),
    "shape is a float": update("data", "image_shape", value=[1, 8.5, 8]),
    "shape is huge": update("data", "image_shape", value=[1, 10**9, 8]),
    "shape is text": update("data", "image_shape", value="1,8,8"),
    "classes are missing": update("data", "classes", value=None),
    "classes are a number": update("data", "classes", value=10),
    "too many classes": update("data", "classes", value=["x"] * 10**6),
    "100,000 threads": update("threads", value=100_000),
    "threads are true": update("threads", value=True),
    "accelerator is a list": update("accelerator", value=["cpu"]),
    "hash is missing": lambda content: content.pop("weights_sha256") and None,
    "hidden is huge": update("config", "model", "hidden", value=[10**9]),
    "hidden is true": update("config", "model", "hidden", value=[True]),
    "batch size is huge": update("config", "batch_size", value=10**30),
    "config is null": update("config", value=None),
    "model is a list": update("config", "model", value=[]),
    "model names code": update("config", "model", value={"name": "os.system"}),
}

QUICK = ("data is null", "shape is huge", "100,000 threads", "hidden is huge", "model names code")
"""The names of the attacks that are not thorough; tests/run/test_manifest.py tests all entries."""

EDITED = tuple(
    Attack(
        f"{command.split()[1]}: {name}",
        command,
        2,
        ("run.json",),
        prepare=both(prepare, change_manifest(change)),
        thorough=command is RESUME or name not in QUICK,
    )
    for command, prepare in ((EVALUATE, finished), (RESUME, interrupted))
    for name, change in ENTRIES.items()
    if not (command is RESUME and name == "hash is missing")
)

ATTACKS = (
    *(
        Attack(
            f"run.json is {name}",
            command,
            2,
            ("run.json is damaged",),
            prepare=both(finished, write_manifest(text)),
            thorough=command is RESUME,
        )
        for command in (EVALUATE, RESUME)
        for name, text in TEXTS.items()
    ),
    Attack(
        "evaluate the checkpoint of another run",
        EVALUATE,
        2,
        ("last.ckpt", "check_weights=false"),
        prepare=both(finished, swap_checkpoint),
    ),
    Attack(
        "accept the checkpoint of another run",
        f"{EVALUATE} check_weights=false",
        0,
        ("test/acc",),
        prepare=both(finished, swap_checkpoint),
        thorough=True,
    ),
    Attack(
        "resume the checkpoint of another run",
        RESUME,
        2,
        ("run.json was modified: seed was 5 and is 42",),
        prepare=both(interrupted, swap_checkpoint),
    ),
    Attack(
        "checkpoint that is a tensor",
        EVALUATE,
        2,
        ("last.ckpt",),
        prepare=both(
            finished, lambda path: torch.save(torch.zeros(2), path / "run/checkpoints/last.ckpt")
        ),
        thorough=True,
    ),
    Attack(
        "resume without states of callbacks",
        RESUME,
        2,
        ("callbacks is missing", "no checkpoint can be resumed", "delete run/checkpoints"),
        prepare=both(interrupted, change_checkpoint(lambda content: content.pop("callbacks"))),
        thorough=True,
    ),
    Attack(
        "weights that are changed",
        EVALUATE,
        2,
        ("weights_sha256",),
        prepare=both(
            finished,
            change_checkpoint(add_to_bias),
        ),
        thorough=True,
    ),
    Attack(
        "run directory in use",
        f"(flock 9; {RESUME}) 9>run/.lock",
        2,
        ("running in another process",),
        prepare=interrupted,
    ),
)


@attack_parameters(*EDITED, *ATTACKS)
def test_damaged_run_is_refused_or_resumed(attack: Attack, attacked_folder: Path) -> None:
    run_attack(attack, attacked_folder)
