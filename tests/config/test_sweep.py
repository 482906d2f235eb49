"""The jobs of a sweep: which there are, and how each is composed."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from hydra import compose, initialize_config_dir
from hydra.errors import OverrideParseException
from omegaconf import DictConfig

from csvision.config.compose import compose_config, conf_dir, drop_hydra_node, register_schemas
from csvision.config.limits import MAX_JOBS
from csvision.config.sweep import ComposedJob, compose_jobs, expand_sweep
from csvision.errors import ConfigError


@pytest.fixture(autouse=True)
def hydra_program() -> Iterator[None]:
    """Give each test Hydra's state in a running `csvision train`."""
    register_schemas()
    with initialize_config_dir(str(conf_dir()), "train", version_base="1.3"):
        yield


def sweep_config(*overrides: str, hydra: tuple[str, ...] = ()) -> DictConfig:
    """Return the configuration of a sweep: its overrides are recorded but not applied."""
    config = compose("train", overrides=list(hydra), return_hydra_config=True)
    config.hydra.job.config_name = "train"
    config.hydra.overrides.task = list(overrides)
    return config


def composed(*overrides: str, hydra: tuple[str, ...] = ()) -> list[ComposedJob]:
    """Return the jobs of a sweep."""
    return [compose_job() for compose_job in compose_jobs(sweep_config(*overrides, hydra=hydra))]


def errors_of(*overrides: str) -> list[str]:
    """Return the errors of values that cannot be swept."""
    with pytest.raises(ConfigError) as caught:
        expand_sweep(overrides)
    return caught.value.messages


class TestExpandSweep:
    def test_jobs_are_all_combinations_in_order(self) -> None:
        assert expand_sweep(["model=mlp,cnn", "seed=0,1", "epochs=2"]) == [
            ["model=mlp", "seed=0", "epochs=2"],
            ["model=mlp", "seed=1", "epochs=2"],
            ["model=cnn", "seed=0", "epochs=2"],
            ["model=cnn", "seed=1", "epochs=2"],
        ]

    def test_sweeper_params_come_before_the_command_line(self) -> None:
        assert expand_sweep(["epochs=2"], {"seed": "0,1"}) == [
            ["seed=0", "epochs=2"],
            ["seed=1", "epochs=2"],
        ]

    def test_no_overrides_give_one_job(self) -> None:
        assert expand_sweep([]) == [[]]

    def test_invalid_override_raises(self) -> None:
        with pytest.raises(OverrideParseException):
            expand_sweep(["seed=[0"])

    def test_interval_is_refused_with_what_to_write_instead(self) -> None:
        (error,) = errors_of("seed=0,1", "optimizer.lr=interval(0.001,0.1)")
        assert error.startswith("optimizer.lr=interval(0.001,0.1): ")
        for word in ("choice(", "range(", "search=optuna"):
            assert word in error

    @pytest.mark.parametrize("empty", ["seed=range(0)", "seed=range(5,5)"])
    def test_sweep_without_jobs_is_refused(self, empty: str) -> None:
        (error,) = errors_of("model=mlp,cnn", empty)
        assert error.startswith(f"{empty}: ")

    @pytest.mark.parametrize("step", ["0", "0.0"])
    def test_range_without_end_is_refused(self, step: str) -> None:
        (error,) = errors_of(f"optimizer.lr=range(0,1,{step})")
        assert error.startswith(f"optimizer.lr=range(0,1,{step}): ")

    @pytest.mark.parametrize(
        "overrides", [["seed=range(1000000000)"], ["seed=range(101)", "epochs=range(1,101)"]]
    )
    def test_number_of_jobs_is_limited(self, overrides: list[str]) -> None:
        (error,) = errors_of(*overrides)
        assert error.startswith(f"{', '.join(overrides)}: ")
        assert str(MAX_JOBS) in error

    def test_only_the_last_values_of_a_key_count(self) -> None:
        assert len(expand_sweep(["seed=range(1000)", "epochs=range(1,101)", "seed=0,1"])) == 200


class TestComposeJobs:
    @pytest.mark.slow
    def test_configurations_are_those_of_the_jobs_in_order(self) -> None:
        jobs = composed("model=mlp,cnn", "seed=0,1", "epochs=3")
        configs = [job.config for job in jobs]
        assert [(config.model.name, config.seed) for config in configs] == [
            ("mlp", 0),
            ("mlp", 1),
            ("cnn", 0),
            ("cnn", 1),
        ]
        assert configs[3] == compose_config("train", jobs[3].overrides)

    @pytest.mark.slow
    def test_directories_are_those_that_hydra_gives_the_jobs(self) -> None:
        assert [job.directory for job in composed("model=mlp,cnn", "seed=5")] == [
            "0_model=mlp",
            "1_model=cnn",
        ]
        subdir = "hydra.sweep.subdir='a/${hydra:job.num}'"
        assert [job.directory for job in composed("seed=5,6", hydra=(subdir,))] == ["a/0", "a/1"]

    @pytest.mark.slow
    def test_sweeper_params_count(self) -> None:
        config = sweep_config("epochs=3")
        config.hydra.sweeper.params = {"seed": "range(3)"}
        assert [compose_job().config.seed for compose_job in compose_jobs(config)] == [0, 1, 2]

    @pytest.mark.slow
    def test_glob_finds_the_choices_of_a_group(self) -> None:
        jobs = composed("optimizer=glob(*,exclude=sgd)")
        assert [job.config.optimizer.name for job in jobs] == ["adam", "adamw"]

    @pytest.mark.slow
    def test_own_choice_in_the_search_path_is_found(self, tmp_path: Path) -> None:
        (tmp_path / "own/model").mkdir(parents=True)
        own = "defaults: [mlp, _self_]\nhidden: [4]\n"
        (tmp_path / "own/model/tiny.yaml").write_text(own, encoding="utf-8")
        config = sweep_config("model=tiny,cnn", hydra=(f"hydra.searchpath=[{tmp_path}/own]",))
        config.hydra.overrides.hydra = [f"hydra.searchpath=[{tmp_path}/own]"]
        first, second = (compose_job().config for compose_job in compose_jobs(config))
        assert (first.model.name, list(first.model.hidden)) == ("mlp", [4])
        assert second.model.name == "cnn"

    @pytest.mark.slow
    def test_job_in_another_folder_is_refused(self) -> None:
        with pytest.raises(ConfigError, match=r"hydra\.sweep\.dir=b/.* output_dir"):
            composed("output_dir=b")

    def test_job_that_cannot_be_composed_is_refused_and_the_others_are_not(self) -> None:
        first, second = compose_jobs(sweep_config("model=nothing,mlp"))
        with pytest.raises(ConfigError, match=r"model=nothing: .* cnn, custom, mlp"):
            first()
        assert second().config.model.name == "mlp"


def test_drop_hydra_node_returns_the_configuration_of_csvision() -> None:
    config = compose("train", overrides=["seed=5"], return_hydra_config=True)
    assert drop_hydra_node(config) == compose_config("train", ["seed=5"])
    assert "hydra" in config
