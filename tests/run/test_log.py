"""Log messages on the console and in train.log."""

import logging
import warnings
from pathlib import Path

import pytest

from csvision.run.log import (
    LIGHTNING,
    disable_log,
    ignore_known_warnings,
    log,
    log_to_console,
    log_to_file,
)

LOG_FILE = Path("train.log")


def log_messages() -> None:
    log.info("epoch 1/2")
    log.warning("a warning")
    LIGHTNING[0].info("GPU available: False")
    LIGHTNING[0].warning("a warning of Lightning")


def loggers() -> tuple[logging.Logger, ...]:
    return log, *LIGHTNING


class TestConsole:
    def test_prints_messages_of_csvision_only(self, capsys: pytest.CaptureFixture[str]) -> None:
        with log_to_console():
            log_messages()
        assert capsys.readouterr() == ("epoch 1/2\na warning\n", "")

    def test_quiet_prints_only_warnings(self, capsys: pytest.CaptureFixture[str]) -> None:
        with log_to_console(quiet=True):
            log_messages()
        assert capsys.readouterr() == ("a warning\n", "")

    def test_inner_call_replaces_the_outer_one(self, capsys: pytest.CaptureFixture[str]) -> None:
        with log_to_console():
            with log_to_console(quiet=True):
                log_messages()
            log.info("outer")
        assert capsys.readouterr() == ("a warning\nouter\n", "")

    def test_messages_are_not_passed_to_the_root_logger(
        self, capsys: pytest.CaptureFixture[str]
    ) -> None:
        handler = logging.StreamHandler()
        logging.getLogger().addHandler(handler)
        try:
            with log_to_console():
                log_messages()
        finally:
            logging.getLogger().removeHandler(handler)
        assert capsys.readouterr().err == ""

    def test_loggers_are_restored_after_an_error(self, caplog: pytest.LogCaptureFixture) -> None:
        for logger in loggers():
            caplog.set_level(logging.ERROR, logger.name)
        before = [(logger.handlers[:], logger.level, logger.propagate) for logger in loggers()]
        with pytest.raises(ZeroDivisionError), log_to_console(), log_to_file(LOG_FILE):
            raise ZeroDivisionError
        assert before == [(logger.handlers, logger.level, logger.propagate) for logger in loggers()]

    def test_disabled_log_prints_nothing_until_it_is_enabled_again(
        self, capsys: pytest.CaptureFixture[str]
    ) -> None:
        with log_to_console():
            with disable_log():
                log_messages()
            log.info("enabled")
        assert capsys.readouterr() == ("enabled\n", "")


class TestFile:
    def test_contains_all_messages_even_if_the_console_is_quiet(self) -> None:
        with log_to_console(quiet=True), log_to_file(LOG_FILE):
            log_messages()
        lines = LOG_FILE.read_text(encoding="utf-8").splitlines()
        assert [line.split(" ", 2)[2] for line in lines] == [
            "csvision INFO epoch 1/2",
            "csvision WARNING a warning",
            "lightning.pytorch WARNING a warning of Lightning",
        ]

    def test_full_disk_ends_no_run(self, capsys: pytest.CaptureFixture[str]) -> None:
        with log_to_console(), log_to_file(Path("/dev/full")):
            log_messages()
        assert capsys.readouterr() == ("epoch 1/2\na warning\n", "")

    def test_contains_the_final_traceback_but_the_console_does_not(
        self, capsys: pytest.CaptureFixture[str]
    ) -> None:
        with pytest.raises(KeyboardInterrupt), log_to_console(), log_to_file(LOG_FILE):
            raise KeyboardInterrupt
        text = LOG_FILE.read_text(encoding="utf-8")
        assert "Traceback (most recent call last)" in text
        assert "raise KeyboardInterrupt" in text
        # Python itself prints it.
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
    def test_known_warnings_of_dependencies_are_suppressed(self, message: str) -> None:
        with ignore_known_warnings():
            warnings.warn(message, FutureWarning, stacklevel=1)
        with pytest.raises(FutureWarning):
            warnings.warn(message, FutureWarning, stacklevel=1)

    def test_other_warnings_are_not_suppressed(self) -> None:
        with ignore_known_warnings(), pytest.raises(UserWarning, match="of the user's network"):
            warnings.warn("of the user's network", UserWarning, stacklevel=1)
