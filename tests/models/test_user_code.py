"""The code of a custom network may not end the process or change its settings."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from csvision.config.model_schema import CustomModelConfig, MLPConfig, ModelName
from csvision.errors import ConfigError
from csvision.models.custom import split_model_path
from csvision.models.user_code import raised_in_user_code, refuse_exit, run_user_code
from tests.conftest import ROOT

MODEL = CustomModelConfig(ModelName.custom, "net.py:Net", {})


def run_file(code: str, file: str = "net.py") -> None:
    """Write and run a Python file."""
    path = Path(file)
    path.parent.mkdir(exist_ok=True)
    path.write_text(code, encoding="utf-8")
    exec(compile(code, str(path.absolute()), "exec"), {})


class TestExit:
    @pytest.mark.parametrize("argument", ["", "0", "1", "'the end'"])
    def test_is_refused_with_its_place(self, argument: str) -> None:
        with (
            pytest.raises(ConfigError, match=r"net.py:Net: .*net\.py, line 2 calls sys.exit\("),
            refuse_exit(MODEL),
        ):
            run_file(f"import sys\nsys.exit({argument})")

    def test_of_a_builtin_names_the_line_of_the_network(self) -> None:
        with pytest.raises(ConfigError, match=r"net\.py, line 1 calls"), refuse_exit(MODEL):
            run_file("exit(0)")

    def test_by_ctrl_c_is_left_to_its_handler(self) -> None:
        # As Lightning converts it.
        ended = SystemExit(1)
        ended.__context__ = KeyboardInterrupt()
        with pytest.raises(SystemExit), refuse_exit(MODEL):
            raise ended

    def test_of_other_code_is_not_changed(self) -> None:
        mlp = MLPConfig(ModelName.mlp, [], "relu", 0.0)  # type: ignore[arg-type]
        with pytest.raises(SystemExit), refuse_exit(mlp):
            raise SystemExit(3)


SETTINGS: dict[str, tuple[str, Callable[[], Any], str]] = {
    "dtype": (
        "torch.set_default_dtype(torch.float64)",
        torch.get_default_dtype,
        "accelerator.precision",
    ),
    "device": ("torch.set_default_device('meta')", torch.get_default_device, "accelerator"),
    "threads": (
        "torch.set_num_threads(torch.get_num_threads() + 1)",
        torch.get_num_threads,
        "accelerator.num_threads",
    ),
    "gradients": ("torch.set_grad_enabled(False)", torch.is_grad_enabled, "torch.no_grad"),
    "folder": ("os.chdir('/')", os.getcwd, "absolute paths"),
}


@pytest.mark.parametrize("name", SETTINGS)
def test_change_of_a_setting_is_refused_and_undone(name: str) -> None:
    code, get, instead = SETTINGS[name]
    before = get()
    message = rf"net.py:Net: .* from .* to .*{instead}"
    with pytest.raises(ConfigError, match=message), run_user_code(MODEL):
        run_file(f"import os, torch\n{code}")
    assert get() == before


@pytest.mark.parametrize("name", SETTINGS)
def test_change_of_a_setting_is_undone_after_an_error(name: str) -> None:
    code, get, _ = SETTINGS[name]
    before = get()
    with pytest.raises(ZeroDivisionError), run_user_code(MODEL):
        run_file(f"import os, torch\n{code}\n1 / 0")
    assert get() == before


class TestErrors:
    @pytest.mark.parametrize("file", ["net.py", "neighbor.py", "package/layers.py"])
    def test_of_the_network_and_its_neighbors_are_recognized(self, file: str) -> None:
        with pytest.raises(ZeroDivisionError) as raised:
            run_file("1 / 0", file)
        assert raised_in_user_code(raised.value, MODEL)

    def test_of_packages_that_the_network_calls_are_recognized(self) -> None:
        with pytest.raises(RuntimeError) as raised:
            run_file("import torch\ntorch.nn.Linear(2, 2)(torch.zeros(3))")
        assert raised_in_user_code(raised.value, MODEL)

    def test_of_others_are_not(self, tmp_path_factory: pytest.TempPathFactory) -> None:
        other = tmp_path_factory.mktemp("other") / "net.py"
        with pytest.raises(ZeroDivisionError) as raised:
            run_file("1 / 0", str(other))
        assert not raised_in_user_code(raised.value, MODEL)

    def test_of_csvision_are_not_even_if_the_network_lies_above_it(self) -> None:
        model = CustomModelConfig(ModelName.custom, f"{ROOT / 'net.py'}:Net", {})
        with pytest.raises(ConfigError) as raised:
            split_model_path("nothing")
        # Without the frame of this test, which lies below the folder of the network.
        error = raised.value.with_traceback(raised.tb.tb_next)
        assert not raised_in_user_code(error, model)
