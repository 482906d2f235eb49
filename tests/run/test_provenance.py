"""Hashes and versions that identify code, data and results of a run."""

import hashlib
import subprocess
from pathlib import Path

import numpy as np
import pytest
import torch

from csvision.config import schema
from csvision.config.compose import load_config
from csvision.data.splits import load_splits
from csvision.run import provenance


def data_config(*overrides: str) -> schema.DataConfig:
    config: schema.TrainConfig = load_config(
        "train", ["data=csv", "data.csv=digits.csv", *overrides]
    )
    return config.data


def test_weights_hash_depends_on_names_values_types_and_shapes() -> None:
    state = {"a": torch.arange(6.0), "b": torch.ones(2, dtype=torch.int64)}
    reordered = {"b": torch.ones(2, dtype=torch.int64), "a": torch.arange(6.0)}
    others = [
        state | {"a": torch.arange(6.0).nextafter(torch.tensor(9.0))},
        {"c": state["a"], "b": state["b"]},
        state | {"a": torch.arange(6.0).reshape(2, 3)},
        state | {"b": torch.ones(2, dtype=torch.int32)},
        {"a": state["a"]},
    ]
    expected = provenance.weights_sha256(state)
    assert provenance.weights_sha256(reordered) == expected
    assert len({expected, *map(provenance.weights_sha256, others)}) == 1 + len(others)


def test_weights_of_every_type_can_be_hashed() -> None:
    types = (torch.bfloat16, torch.float16, torch.float64, torch.bool)
    states = [{"a": torch.ones(3, dtype=dtype), "scalar": torch.tensor(1)} for dtype in types]
    assert len({*map(provenance.weights_sha256, states)}) == len(types)


def test_array_hash_depends_on_values_types_and_shapes() -> None:
    arrays = [np.arange(4), np.arange(4).reshape(2, 2), np.arange(4.0), np.arange(1, 5)]
    assert len({provenance.arrays_sha256(array) for array in arrays}) == 4
    assert provenance.arrays_sha256(arrays[1].T) != provenance.arrays_sha256(arrays[1])


def test_data_hashes_identify_files_and_split(digits_csv: Path) -> None:
    first = provenance.data_hashes(load_splits(data_config()))
    assert first["sha256"] == hashlib.sha256(digits_csv.read_bytes()).hexdigest()
    second = provenance.data_hashes(load_splits(data_config("data.split_seed=3")))
    assert second["sha256"] == first["sha256"]
    assert second["split_sha256"] != first["split_sha256"]


def test_code_hashes_include_the_package_and_the_custom_network() -> None:
    Path("net.py").write_text("# a network\n", encoding="utf-8")
    config: schema.TrainConfig = load_config("train", ["model=custom", "model.path=net.py:Net"])
    code = provenance.code_hashes(config.model)
    assert (
        code["models/cnn.py"]
        == hashlib.sha256((provenance.PACKAGE / "models" / "cnn.py").read_bytes()).hexdigest()
    )
    assert code["model.path"] == hashlib.sha256(b"# a network\n").hexdigest()


def test_git_state_has_commit_and_whether_files_changed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    package = tmp_path / "checkout" / "package"
    package.mkdir(parents=True)
    monkeypatch.setattr(provenance, "PACKAGE", package)
    assert provenance.git_state() is None
    (package / "__init__.py").write_text("", encoding="utf-8")
    author = ("-c", "user.name=a", "-c", "user.email=a@b")
    for command in (("init",), ("add", "."), (*author, "commit", "-m", "first")):
        subprocess.run(["git", "-C", str(package), *command], check=True, capture_output=True)
    clean = provenance.git_state()
    assert clean is not None
    assert len(clean["commit"]) == 40
    assert clean["dirty"] is False
    (package / "__init__.py").write_text("# changed\n", encoding="utf-8")
    assert provenance.git_state() == clean | {"dirty": True}


def test_package_installed_inside_another_checkout_has_no_git_state(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    subprocess.run(["git", "init", str(tmp_path)], check=True, capture_output=True)
    (tmp_path / "__init__.py").write_text("", encoding="utf-8")
    monkeypatch.setattr(provenance, "PACKAGE", tmp_path)
    assert provenance.git_state() is None


def test_hashes_are_abbreviated_in_messages() -> None:
    line = f"sha256 was {'a' * 64} and is {'b' * 64}"
    assert provenance.abbreviate_hashes(line) == f"sha256 was {'a' * 12} and is {'b' * 12}"
