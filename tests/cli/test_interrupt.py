"""Ctrl-C ends each command in one line."""

from pathlib import Path

import pytest

import csvision
from tests.cli.conftest import RunCommand
from tests.conftest import SMALL_MLP, SMALL_TRAINING

TRANSFORM = """
import signal
from pathlib import Path
from torch import nn

class Interrupt(nn.Module):
    def __init__(self, image_shape):
        super().__init__()

    def forward(self, images):
        if Path("press Ctrl-C").exists():
            Path("press Ctrl-C").unlink()
            signal.raise_signal(signal.SIGINT)
        return images
"""


@pytest.mark.slow
def test_evaluate_and_predict_print_that_they_were_interrupted(
    digits_csv: Path, csvision_command: RunCommand
) -> None:
    Path("my.py").write_text(TRANSFORM, encoding="utf-8")
    code = "transform.path=my.py:Interrupt"
    run = csvision.train(*SMALL_TRAINING, *SMALL_MLP, code, "epochs=1").directory
    for words in (["evaluate"], ["predict", f"data.csv={digits_csv}"]):
        Path("press Ctrl-C").touch()
        output = csvision_command(*words, f"run={run}", code)
        assert (output.code, Path("press Ctrl-C").exists()) == (130, False), words
        assert (output.out, output.err) == ("", "interrupted\n")
    assert not [*run.glob("predictions/*.csv")]
    assert not [*run.glob("evaluations/*")]
