"""Swept keys in Hydra's syntax as distributions of Optuna."""

import optuna
import pytest
from hydra.core.override_parser.overrides_parser import OverridesParser
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from optuna.distributions import (
    BaseDistribution,
    CategoricalDistribution,
    FloatDistribution,
    IntDistribution,
)

from csvision.errors import ConfigError
from csvision.search.space import MAX_CHOICES, format_value, parse_space, probe_points
from csvision.search.space import split_overrides as split

PARSER = OverridesParser.create()


def parse(*words: str) -> dict[str, BaseDistribution]:
    """Return the space of swept keys."""
    return parse_space(PARSER.parse_overrides([*words]))


def sample(distribution: BaseDistribution, seed: int) -> str:
    """Return a random value as it is written on the command line."""
    study = optuna.create_study(sampler=optuna.samplers.RandomSampler(seed))
    return format_value(distribution, study.ask({"key": distribution}).params["key"])


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("interval(0.1,0.9)", FloatDistribution(0.1, 0.9)),
        ("tag(log,interval(1e-4,1e-1))", FloatDistribution(1e-4, 1e-1, log=True)),
        ("int(interval(1,8))", IntDistribution(1, 8)),
        ("tag(log,int(interval(1,8)))", IntDistribution(1, 8, log=True)),
        ("range(1,10,2)", IntDistribution(1, 9, step=2)),
        ("range(5,1,-2)", IntDistribution(3, 5, step=2)),
        ("range(0,1,0.25)", FloatDistribution(0, 0.75, step=0.25)),
        ("mlp,cnn", CategoricalDistribution(["mlp", "cnn"])),
        ("choice(32,64)", CategoricalDistribution(["32", "64"])),
        ("[64],[128,64]", CategoricalDistribution(["[64]", "[128,64]"])),
        ("null,0.5", CategoricalDistribution(["null", "0.5"])),
        ("0,1,1", CategoricalDistribution(["0", "1"])),
    ],
)
def test_sweep_becomes_its_distribution(value: str, expected: BaseDistribution) -> None:
    assert parse(f"key={value}") == {"key": expected}


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        ("interval(2,1)", "empty"),
        ("interval(1,1)", "empty"),
        ("interval(0,inf)", "finite"),
        ("interval(nan,1)", "finite"),
        ("tag(log,interval(0,1))", "above 0"),
        ("tag(log,range(-1,3))", "above 0"),
        ("tag(linear,interval(0,1))", "linear"),
        ("tag(log,choice(1,2))", "leave it out"),
        ("tag(log,range(1,9,2))", "step 1"),
        ("range(3,1)", "empty"),
        ("range(1,5,0)", "zero"),
        ("range(0,1,0.001)", f"over {MAX_CHOICES}"),
        (f"choice({','.join(map(str, range(MAX_CHOICES + 1)))})", f"over {MAX_CHOICES}"),
    ],
)
def test_value_that_cannot_be_searched_is_refused_with_the_key(value: str, reason: str) -> None:
    with pytest.raises(ConfigError) as caught:
        parse(f"optimizer.lr={value}")
    (error,) = caught.value.messages
    assert error.startswith(f"optimizer.lr={value}: ")
    assert reason in error


@pytest.mark.parametrize(
    "key", ["search.seed", "output_dir", "quiet", "data.cache", "model.path", "accelerator.devices"]
)
def test_key_of_all_trials_cannot_be_searched(key: str) -> None:
    with pytest.raises(ConfigError, match=f"{key}=1,2: this key has one value in all trials"):
        parse(f"{key}=1,2")


def test_errors_of_all_keys_are_reported_together() -> None:
    with pytest.raises(ConfigError) as caught:
        parse("a=interval(2,1)", "b=1,2", "c=range(3,1)")
    assert [error.partition("=")[0] for error in caught.value.messages] == ["a", "c"]


def test_space_without_keys_is_refused_with_an_example() -> None:
    with pytest.raises(ConfigError, match="no key to search; write"):
        parse()


def test_last_of_several_values_for_a_key_counts() -> None:
    words = ["a=1,2", "b=1", "a=3", "b=4,5", "c=6"]
    fixed, swept = split(PARSER.parse_overrides(words))
    assert [each.input_line for each in fixed] == ["a=3", "c=6"]
    assert [each.input_line for each in swept] == ["b=4,5"]


@settings(max_examples=30)
@given(st.floats(1e-6, 1e6), st.floats(1e-6, 1e6), st.booleans(), st.integers(0, 2**32 - 1))
def test_sampled_float_is_inside_its_interval(
    one: float, other: float, log: bool, seed: int
) -> None:
    low, high = sorted([one, other])
    assume(low < high)
    interval = f"interval({low!r},{high!r})"
    (distribution,) = parse(f"key=tag(log,{interval})" if log else f"key={interval}").values()
    text = sample(distribution, seed)
    assert low <= float(text) <= high
    # Hydra reads the same number again.
    assert PARSER.parse_override(f"key={text}").value() == float(text)


@settings(max_examples=30)
@given(st.integers(-50, 50), st.integers(-50, 50), st.integers(1, 9), st.integers(0, 99))
def test_sampled_integer_is_in_the_range(start: int, stop: int, step: int, seed: int) -> None:
    assume(start < stop)
    (distribution,) = parse(f"key=range({start},{stop},{step})").values()
    assert int(sample(distribution, seed)) in range(start, stop, step)


@settings(max_examples=20)
@given(st.integers(0, 99))
def test_sampled_value_of_a_range_of_floats_is_written_in_decimals(seed: int) -> None:
    (distribution,) = parse("key=range(0,1,0.1)").values()
    assert sample(distribution, seed) in {f"{tenth / 10}" for tenth in range(10)}


@pytest.mark.parametrize(
    ("low", "high", "value", "written"),
    [
        (0.0, 1.0, 0.123456789, "0.123457"),
        (1e-7, 1.0, 1.23456789e-6, "1.23457e-06"),
        # Six digits would be outside of the interval.
        (0.1234561, 1.0, 0.1234561, "0.1234561"),
        (0.0, 0.9999999, 0.9999999, "0.9999999"),
    ],
)
def test_float_is_written_with_six_digits_inside_its_interval(
    low: float, high: float, value: float, written: str
) -> None:
    assert format_value(FloatDistribution(low, high), value) == written


def test_probe_points_have_every_listed_value_and_both_ends() -> None:
    points = [*probe_points(parse("a=interval(1,2)", "b=x,y,z", "c=int(interval(3,9))"))]
    assert {point["a"] for point in points} == {"1.0", "2.0"}
    assert {point["b"] for point in points} == {"x", "y", "z"}
    assert {point["c"] for point in points} == {"3", "9"}
    assert len(points) == 5
