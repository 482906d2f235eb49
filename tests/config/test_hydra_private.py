"""The private parts of Hydra and OmegaConf: these tests fail when a release changes one of them."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from hydra import compose, initialize_config_dir
from hydra.utils import get_class
from omegaconf import DictConfig, ListConfig, OmegaConf

from csvision.config.compose import conf_dir, register_schemas
from csvision.config.hydra_private import BASIC_SWEEPER, child_nodes, hydra_argument_parser
from csvision.config.sweep import expand_sweep

OPTIONS = {
    "overrides": [],
    "help": ["--help", "-h"],
    "hydra_help": ["--hydra-help"],
    "version": ["--version"],
    "cfg": ["--cfg", "-c"],
    "resolve": ["--resolve"],
    "package": ["--package", "-p"],
    "run": ["--run", "-r"],
    "multirun": ["--multirun", "-m"],
    "shell_completion": ["--shell-completion", "-sc"],
    "config_path": ["--config-path", "-cp"],
    "config_name": ["--config-name", "-cn"],
    "config_dir": ["--config-dir", "-cd"],
    "experimental_rerun": ["--experimental-rerun"],
    "info": ["--info", "-i"],
}
"""The options of Hydra by attribute; a new one may need a decision in csvision.cli."""

APP = """
import json
import hydra
from hydra.core.hydra_config import HydraConfig

@hydra.main(config_path=".", config_name="app", version_base="1.3")
def main(config):
    with open("jobs.txt", "a") as file:
        file.write(json.dumps(list(HydraConfig.get().overrides.task)) + "\\n")

main()
"""
"""A Hydra program that records the overrides of each of its jobs."""

CONF = """
seed: 0
a: 1
b: {c: [0]}
path: x
f: 1
"""

PARAMS = {"seed": "0,1", "a": "choice(3,1)"}
"""The values of hydra.sweeper.params."""

SWEEP = ["b.c=[1,2],[3]", "path='a, b=c','d'", "+new={x: 1, y: [2]}", "~f"]


class TestArgumentParser:
    def test_has_the_known_options(self) -> None:
        actions = hydra_argument_parser()._actions
        assert {action.dest: list(action.option_strings) for action in actions} == OPTIONS

    def test_separates_overrides_options_and_unknown_arguments(self) -> None:
        arguments = ["a=1", "b=2", "-m", "--cfg", "job", "--unknown", "c=3"]
        known, unknown = hydra_argument_parser().parse_known_args(arguments)
        assert (known.overrides, known.multirun, known.cfg) == (["a=1", "b=2"], True, "job")
        assert (known.run, known.info, known.experimental_rerun) == (False, None, None)
        assert unknown == ["--unknown", "c=3"]


class TestSweeper:
    def test_is_the_default_of_hydra(self) -> None:
        register_schemas()
        with initialize_config_dir(str(conf_dir().resolve()), version_base="1.3"):
            config = compose("train", return_hydra_config=True)
        assert config.hydra.sweeper._target_ == BASIC_SWEEPER
        assert get_class(BASIC_SWEEPER).__name__ == "BasicSweeper"

    @pytest.mark.slow
    @pytest.mark.parametrize("batch_size", [None, 3])
    def test_starts_the_jobs_of_expand_sweep(self, batch_size: int | None, tmp_path: Path) -> None:
        (tmp_path / "app.py").write_text(APP, encoding="utf-8")
        sweeper = f"hydra: {{sweeper: {{params: {json.dumps(PARAMS)}}}}}\n"
        (tmp_path / "app.yaml").write_text(CONF + sweeper, encoding="utf-8")
        options = [] if batch_size is None else [f"hydra.sweeper.max_batch_size={batch_size}"]
        command = [sys.executable, "app.py", "-m", *SWEEP, *options]
        subprocess.run(command, check=True, capture_output=True, cwd=tmp_path)
        lines = (tmp_path / "jobs.txt").read_text(encoding="utf-8").splitlines()
        jobs = [json.loads(line) for line in lines]
        assert len(jobs) == 16
        assert list(expand_sweep(SWEEP, PARAMS)) == jobs


class TestChildNodes:
    def test_of_a_mapping_are_raw_nodes(self) -> None:
        config = OmegaConf.create({"a": 1, "b": "${missing}", "c": "???", "d": {"e": None}})
        children = dict(child_nodes(config))
        assert list(children) == ["a", "b", "c", "d"]
        # Resolving b or c would raise.
        assert children["b"]._value() == "${missing}"
        assert children["c"]._value() == "???"
        assert isinstance(children["d"], DictConfig)
        assert dict(child_nodes(children["d"])).keys() == {"e"}

    def test_of_a_list_have_indices(self) -> None:
        config = OmegaConf.create([5, "${missing}", [6]])
        (_, first), (_, second), (_, third) = child_nodes(config)
        assert [index for index, _ in child_nodes(config)] == [0, 1, 2]
        assert (first._value(), second._value()) == (5, "${missing}")
        assert isinstance(third, ListConfig)

    @pytest.mark.parametrize("content", ["${missing}", "???", None])
    @pytest.mark.parametrize("kind", [DictConfig, ListConfig])
    def test_of_a_container_without_content_are_none(
        self, kind: type[DictConfig] | type[ListConfig], content: str | None
    ) -> None:
        assert child_nodes(kind(content)) == []
