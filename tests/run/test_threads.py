"""The number of CPU threads of a run."""

import logging
from collections.abc import Iterator

import pytest
import torch

from csvision.config.compose import load_config
from csvision.run import threads
from csvision.run.threads import choose_num_threads, limit_threads


class TestLimitThreads:
    def test_number_is_set_and_restored(self) -> None:
        before = torch.get_num_threads()
        with limit_threads(before + 1):
            assert torch.get_num_threads() == before + 1
        assert torch.get_num_threads() == before

    def test_none_keeps_the_number(self) -> None:
        before = torch.get_num_threads()
        with limit_threads(None):
            assert torch.get_num_threads() == before


def choose(*overrides: str) -> int:
    """Return the number of threads of a run with images of 28x28 pixels and 10 classes."""
    config = load_config("train", ["accelerator=cpu", *overrides])
    return choose_num_threads(config, (1, 28, 28), 10)


class TestChooseNumThreads:
    @pytest.fixture(autouse=True)
    def default_of_four_threads(self, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
        monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
        with limit_threads(4):
            yield

    @pytest.mark.parametrize(("idle", "expected"), [(None, 4), (8, 4), (4, 4), (3, 3), (0, 1)])
    def test_not_more_than_the_idle_processors(
        self, idle: int | None, expected: int, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(threads, "idle_processors", lambda: idle)
        assert choose() == expected

    def test_fewer_than_the_default_are_logged(
        self, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
    ) -> None:
        monkeypatch.setattr(threads, "idle_processors", lambda: 2)
        with caplog.at_level(logging.INFO, "csvision"):
            choose()
        (message,) = caplog.messages
        assert message.startswith("accelerator.num_threads=2 instead of 4: ")

    def test_default_is_not_logged(
        self, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
    ) -> None:
        monkeypatch.setattr(threads, "idle_processors", lambda: None)
        with caplog.at_level(logging.INFO, "csvision"):
            choose()
        assert caplog.messages == []

    @pytest.mark.parametrize(
        ("overrides", "expected"),
        [
            # 784 * 39 + 39 * 10 multiply-adds for each of 32 images: 0.99 million.
            (["model=mlp", "model.hidden=[39]", "batch_size=32"], 1),
            (["model=mlp", "model.hidden=[40]", "batch_size=32"], 4),
            (["model=mlp", "model.hidden=[39]", "batch_size=33"], 4),
            (["model=cnn", "batch_size=1"], 4),
        ],
    )
    def test_small_mlp_has_one_thread(
        self, overrides: list[str], expected: int, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(threads, "idle_processors", lambda: None)
        assert choose(*overrides) == expected

    @pytest.mark.slow
    def test_number_of_the_user_is_kept(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(threads, "idle_processors", lambda: 1)
        assert choose("accelerator.num_threads=7") == 7
        assert choose("accelerator.devices=2") == 4
        monkeypatch.setenv("OMP_NUM_THREADS", "4")
        assert choose("model=mlp", "model.hidden=[]") == 4
