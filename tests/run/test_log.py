"""What a run says: on the console as much as is wanted, in train.log all of it."""

import logging
import warnings
from pathlib import Path

import pytest

from csvision.run.log import LIGHTNING, console, file, known_warnings_ignored, log


def say_everything() -> None:
    log.info("epoch 1/2")
    log.warning("something odd")
    LIGHTNING[0].info("GPU available: False")
    LIGHTNING[0].warning("something odd in Lightning")


class TestConsole:
    def test_shows_what_the_run_says_and_nothing_of_lightnings(
        self, capsys: pytest.CaptureFixture[str]
    ) -> None:
        with console():
            say_everything()
        assert capsys.readouterr() == ("epoch 1/2\nsomething odd\n", "")

    def test_shows_only_what_went_wrong_when_quiet(
        self, capsys: pytest.CaptureFixture[str]
    ) -> None:
        with console(quiet=True):
            say_everything()
        assert capsys.readouterr() == ("something odd\n", "")

    def test_says_nothing_twice_when_the_program_around_it_logs_too(
        self, capsys: pytest.CaptureFixture[str]
    ) -> None:
        handler = logging.StreamHandler()
        logging.getLogger().addHandler(handler)
        try:
            with console():
                say_everything()
        finally:
            logging.getLogger().removeHandler(handler)
        assert capsys.readouterr().err == ""

    def test_leaves_the_loggers_as_they_were(self, caplog: pytest.LogCaptureFixture) -> None:
        for logger in loggers():
            caplog.set_level(logging.ERROR, logger.name)
        before = [(logger.handlers[:], logger.level, logger.propagate) for logger in loggers()]
        with pytest.raises(ZeroDivisionError), console(), file(Path("train.log")):
            raise ZeroDivisionError
        assert before == [(logger.handlers, logger.level, logger.propagate) for logger in loggers()]


def loggers() -> tuple[logging.Logger, ...]:
    return log, *LIGHTNING


class TestFile:
    def test_has_all_of_it_even_when_the_console_is_quiet(self) -> None:
        with console(quiet=True), file(Path("train.log")):
            say_everything()
        lines = Path("train.log").read_text(encoding="utf-8").splitlines()
        assert [line.split(" ", 2)[2] for line in lines] == [
            "csvision INFO epoch 1/2",
            "csvision WARNING something odd",
            "lightning.pytorch WARNING something odd in Lightning",
        ]

    def test_has_the_traceback_that_a_run_ends_with(
        self, capsys: pytest.CaptureFixture[str]
    ) -> None:
        with pytest.raises(KeyboardInterrupt), console(), file(Path("train.log")):
            raise KeyboardInterrupt
        text = Path("train.log").read_text(encoding="utf-8")
        assert "Traceback (most recent call last)" in text
        assert "raise KeyboardInterrupt" in text
        # Python itself shows it on the console.
        assert capsys.readouterr() == ("", "")


class TestKnownWarnings:
    @pytest.mark.parametrize(
        "message",
        [
            "`isinstance(treespec, LeafSpec)` is deprecated, use another",
            "`torch.jit.trace` is deprecated. Please switch to another",
            "GPU available but not used. You can set it by doing another",
        ],
    )
    def test_of_third_parties_are_not_shown(self, message: str) -> None:
        with known_warnings_ignored():
            warnings.warn(message, FutureWarning, stacklevel=1)
        with pytest.raises(FutureWarning):
            warnings.warn(message, FutureWarning, stacklevel=1)

    def test_leave_all_others_to_be_seen(self) -> None:
        with known_warnings_ignored(), pytest.raises(UserWarning, match="of the user's network"):
            warnings.warn("of the user's network", UserWarning, stacklevel=1)
