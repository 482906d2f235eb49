"""Hashes that tell what a run was made from."""

import hashlib
import subprocess
from pathlib import Path

import numpy as np
import pytest
import torch

from csvision import config, schema
from csvision.data.split import read_parts
from csvision.run import provenance


def configured(*overrides: str) -> schema.Train:
    settings: schema.Train = config.load(config.compose("train", overrides))
    return settings


def test_weights_differ_by_value_name_type_and_shape() -> None:
    state = {"a": torch.arange(6.0), "b": torch.ones(2, dtype=torch.int64)}
    same = {"b": torch.ones(2, dtype=torch.int64), "a": torch.arange(6.0)}
    others = [
        state | {"a": torch.arange(6.0).nextafter(torch.tensor(9.0))},
        {"c": state["a"], "b": state["b"]},
        state | {"a": torch.arange(6.0).reshape(2, 3)},
        state | {"b": torch.ones(2, dtype=torch.int32)},
        {"a": state["a"]},
    ]
    expected = provenance.weights_sha256(state)
    assert provenance.weights_sha256(same) == expected
    assert len({expected, *map(provenance.weights_sha256, others)}) == 1 + len(others)


def test_weights_of_every_type_have_one_of_their_own() -> None:
    types = (torch.bfloat16, torch.float16, torch.float64, torch.bool)
    states = [{"a": torch.ones(3, dtype=kind), "scalar": torch.tensor(1)} for kind in types]
    assert len({*map(provenance.weights_sha256, states)}) == len(types)


def test_arrays_differ_by_value_type_and_shape() -> None:
    arrays = [np.arange(4), np.arange(4).reshape(2, 2), np.arange(4.0), np.arange(1, 5)]
    assert len({provenance.arrays_sha256(array) for array in arrays}) == 4
    assert provenance.arrays_sha256(arrays[1].T) != provenance.arrays_sha256(arrays[1])


def test_data_tell_the_files_and_the_split(digits_csv: Path) -> None:
    first = provenance.data_hashes(read_parts(configured("data=csv", "data.csv=digits.csv").data))
    assert first["sha256"] == hashlib.sha256(digits_csv.read_bytes()).hexdigest()
    other = configured("data=csv", "data.csv=digits.csv", "data.split_seed=3").data
    second = provenance.data_hashes(read_parts(other))
    assert second["sha256"] == first["sha256"]
    assert second["split_sha256"] != first["split_sha256"]


def test_code_is_every_file_of_the_package_and_the_users_own() -> None:
    Path("net.py").write_text("# a network\n", encoding="utf-8")
    settings = configured("model=custom", "model.path=net.py:Net")
    code = provenance.code_hashes(settings.model)
    assert (
        code["models/cnn.py"]
        == hashlib.sha256((provenance.PACKAGE / "models" / "cnn.py").read_bytes()).hexdigest()
    )
    assert code["model.path"] == hashlib.sha256(b"# a network\n").hexdigest()


def test_git_tells_commit_and_changes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    package = tmp_path / "checkout" / "package"
    package.mkdir(parents=True)
    monkeypatch.setattr(provenance, "PACKAGE", package)
    assert provenance.git_state() is None
    (package / "__init__.py").write_text("", encoding="utf-8")
    names = ("-c", "user.name=a", "-c", "user.email=a@b")
    for command in (("init",), ("add", "."), (*names, "commit", "-m", "first")):
        subprocess.run(["git", "-C", str(package), *command], check=True, capture_output=True)
    clean = provenance.git_state()
    assert clean is not None
    assert len(clean["commit"]) == 40
    assert clean["dirty"] is False
    (package / "__init__.py").write_text("# changed\n", encoding="utf-8")
    assert provenance.git_state() == clean | {"dirty": True}


def test_an_installed_package_inside_another_checkout_has_no_commit(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    subprocess.run(["git", "init", str(tmp_path)], check=True, capture_output=True)
    (tmp_path / "__init__.py").write_text("", encoding="utf-8")
    monkeypatch.setattr(provenance, "PACKAGE", tmp_path)
    assert provenance.git_state() is None
