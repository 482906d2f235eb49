"""The keys and the groups of runs in TensorBoard's HParams tab."""

import pytest

import csvision
from csvision.config.compose import load_config
from csvision.hparams import group_name, hparam_values


def config_of(*overrides: str) -> csvision.TrainConfig:
    config: csvision.TrainConfig = load_config("train", overrides)
    return config


def test_keys_are_short_and_have_values() -> None:
    values = hparam_values(config_of("model=mlp", "model.hidden=[8]"), {})
    assert values["model"] == "mlp"
    assert values["hidden"] == "8"
    assert isinstance(values["lr"], float)
    # Text in every run: it is auto in some and numbers in others.
    assert values["pixel_range"] == "auto"
    assert not {"test_csv", "image_shape", "output_dir", "quiet", "num_threads"} & set(values)


def test_jobs_of_a_sweep_have_the_swept_keys_and_the_seed() -> None:
    swept = {"model": "cnn", "optimizer.lr": "0.01"}
    values = hparam_values(config_of("optimizer.lr=0.01", "seed=3"), swept)
    assert values == {"model": "cnn", "lr": 0.01, "seed": 3}


def test_swept_values_that_only_the_command_line_has_are_shown() -> None:
    swept = {"model": "tiny", "model.kwargs.width": "4", "model.stages.0.filters": "8"}
    values = hparam_values(config_of("model.stages.0.filters=8"), swept)
    assert values["model"] == "tiny"
    assert values["filters"] == "8"


def test_pixel_range_is_text_even_if_it_is_a_number() -> None:
    swept = {"data.pixel_range": "16"}
    assert hparam_values(config_of("data.pixel_range=16"), swept)["pixel_range"] == "16"


@pytest.mark.slow
def test_runs_that_differ_in_seed_and_fold_share_a_group() -> None:
    folds = ("data.folds=3", "optimizer.lr=0.01")
    one, two, other = (
        group_name(config_of(*folds, *words), dict(word.split("=") for word in words))
        for words in (
            ("seed=0", "data.fold=0"),
            ("seed=1", "data.fold=2"),
            ("seed=0", "data.fold=0", "epochs=3"),
        )
    )
    assert one == two
    assert other.startswith("epochs=3 #")
    assert group_name(config_of(), {}).startswith("cnn #")
