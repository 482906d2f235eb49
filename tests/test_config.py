"""conf/ as a whole, the command line's spelling, and what is said when it does not fit."""

import json
import sys
from collections.abc import Iterator
from dataclasses import fields
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from hydra import compose as hydra_compose
from hydra import initialize_config_dir
from hydra.core.global_hydra import GlobalHydra
from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.utils import JobRuntime
from hypothesis import example, given, settings
from hypothesis import strategies as st
from omegaconf import OmegaConf

from csvision import config, schema
from csvision.errors import ConfigError
from csvision.schema import Head, PaddingMode, Stage

CONF = Path(__file__).parents[1] / "conf"
CHOICES = sorted(f"{path.parent.name}={path.stem}" for path in CONF.glob("*/*.yaml"))
NEEDED = {
    "data=csv": ["data.csv=own.csv"],
    "model=custom": ["model.path=my_net.py:MyNet", "model.arguments.width=64"],
}
"""What a choice cannot do without."""

KEYS = [entry.name for entry in fields(schema.Train)]

printable = st.text(st.characters(exclude_categories=("C", "Zl", "Zp")))
"""Any text without control characters."""


def load(*overrides: str) -> schema.Train:
    loaded: schema.Train = config.load(config.compose("train", overrides))
    return loaded


def load_choice(choice: str, *overrides: str) -> schema.Train:
    return load(choice, *NEEDED.get(choice, []), *overrides)


def refusal(*overrides: str) -> list[str]:
    with pytest.raises(ConfigError) as refused:
        load(*overrides)
    return refused.value.faults


def value_at(node: Any, key: str) -> Any:
    for part in key.split("."):
        node = node[int(part)] if part.isdigit() else getattr(node, part)
    return node


def test_conf_is_found_and_has_its_groups() -> None:
    assert config.conf_dir().samefile(CONF)
    groups = {choice.partition("=")[0] for choice in CHOICES}
    assert groups == {*config.CHOICES, "experiment"}


@pytest.mark.parametrize("choice", CHOICES)
def test_every_choice_composes_and_loads(choice: str) -> None:
    group, _, name = choice.partition("=")
    settings = load_choice(choice)
    assert isinstance(settings, schema.Train)
    if group not in ("augmentation", "debug", "experiment"):
        assert getattr(settings, group).name == name


@pytest.mark.parametrize("choice", CHOICES)
def test_every_choice_goes_to_plain_values_and_back(choice: str) -> None:
    settings = load_choice(choice)
    written = json.loads(json.dumps(config.plain(settings)))
    read = config.from_plain(written)
    assert read == settings
    # Equal is not enough: a word of an enum equals its string.
    assert repr(read) == repr(settings)


@pytest.mark.parametrize("command", ["evaluate", "predict"])
def test_commands_on_a_run_compose_and_load(command: str) -> None:
    settings = config.load(config.compose(command, ["run=somewhere", "data.csv=own.csv"]))
    assert isinstance(settings, schema.Evaluate)
    assert isinstance(settings, schema.Predict) is (command == "predict")
    assert (settings.run, settings.data.csv, settings.model.path) == ("somewhere", "own.csv", None)
    assert settings.device is schema.AcceleratorName.auto


def test_an_experiment_chooses_and_sets() -> None:
    settings = load("experiment=notebook_cnn")
    assert (settings.batch_size, settings.data.val_size, settings.optimizer.lr) == (32, 0.0, 0.1)
    assert settings.optimizer.name is schema.OptimizerName.sgd
    assert settings.scheduler.name is schema.SchedulerName.none


def test_the_command_line_has_the_last_word_over_an_experiment() -> None:
    settings = load("experiment=notebook_mlp", "model=cnn", "optimizer.lr=0.5", "seed=7")
    assert isinstance(settings.model, schema.CNN)
    assert (settings.optimizer.lr, settings.seed, settings.batch_size) == (0.5, 7, 32)


@pytest.mark.parametrize(
    ("choice", "expected"),
    [
        ("fast", {"debug.rows": 128, "debug.profile": False, "epochs": 1}),
        ("overfit", {"debug.rows": 64, "debug.profile": False, "epochs": 100, "data.val_size": 0}),
        ("profile", {"debug.rows": None, "debug.profile": True, "epochs": 1}),
        ("none", {"debug.rows": None, "debug.profile": False}),
    ],
)
def test_a_debug_choice_sets_what_it_says(choice: str, expected: dict[str, Any]) -> None:
    settings = load(f"debug={choice}")
    assert {key: value_at(settings, key) for key in expected} == expected


@pytest.mark.parametrize(
    ("override", "key", "value"),
    [
        ("seed=0", "seed", 0),
        ("optimizer.lr=1", "optimizer.lr", 1.0),
        ("model.hidden=[]", "model.hidden", []),
        ("model.hidden=[128,32]", "model.hidden", [128, 32]),
        ("model.hidden.0=5", "model.hidden", [5]),
        ("model.head=global_average", "model.head", Head.global_average),
        ("model.stages.1.pool_stride=3", "model.stages.1.pool_stride", 3),
        ("model.stages.0.padding=2", "model.stages.0.padding", 2),
        ("model.stages.0.padding=same", "model.stages.0.padding", "same"),
        (
            "model.stages.0.padding_mode=reflect",
            "model.stages.0.padding_mode",
            PaddingMode.reflect,
        ),
        ("data.image_shape=[3,4,5]", "data.image_shape", [3, 4, 5]),
        ("debug.rows=null", "debug.rows", None),
    ],
)
def test_a_key_takes_its_value(override: str, key: str, value: Any) -> None:
    found = value_at(load(override), key)
    assert found == value
    assert type(found) is type(value)


def test_one_stage_is_edited_by_its_number() -> None:
    settings = load("model.stages.0.filters=8", "model.stages.1.kernel_size=5")
    assert isinstance(settings.model, schema.CNN)
    assert settings.model.stages == [Stage(filters=8), Stage(filters=64, kernel_size=5)]


def test_another_number_of_stages_is_the_whole_list() -> None:
    settings = load("model.stages=[{filters: 4},{filters: 5, padding: valid},{}]")
    assert isinstance(settings.model, schema.CNN)
    assert settings.model.stages == [Stage(filters=4), Stage(filters=5, padding="valid"), Stage()]


def test_arguments_of_an_own_network_need_no_plus() -> None:
    settings = load(
        "model=custom",
        "model.path=my_net.py:MyNet",
        "model.arguments.width=64",
        "model.arguments.names=[a,b]",
        "model.arguments.deep.er=null",
        "+model.arguments.plus=true",
    )
    assert isinstance(settings.model, schema.Custom)
    assert settings.model.arguments == {
        "width": 64,
        "names": ["a", "b"],
        "deep": {"er": None},
        "plus": True,
    }


def test_arguments_of_one_network_do_not_stay_for_the_next() -> None:
    load("model=custom", "model.path=my_net.py:MyNet", "model.arguments.width=64")
    settings = load("model=custom", "model.path=my_net.py:MyNet")
    assert isinstance(settings.model, schema.Custom)
    assert settings.model.arguments == {}


LISTS = "; --help lists the keys"

REFUSED = [
    ("optimizer.lrr=1", f"there is no key optimizer.lrr; did you mean optimizer.lr?{LISTS}"),
    ("optimzer.lr=1", f"there is no key optimzer.lr; did you mean optimizer.lr?{LISTS}"),
    ("modle=cnn", f"there is no key modle; did you mean model?{LISTS}"),
    ("epoch=3", f"there is no key epoch; did you mean epochs?{LISTS}"),
    ("nothing.like.it=3", f"there is no key nothing.like.it{LISTS}"),
    (
        "model.stages.1.filter=3",
        f"there is no key model.stages.1.filter; did you mean model.stages.1.filters?{LISTS}",
    ),
    ("model.path=x.py:X", f"there is no key model.path; it belongs to model=custom{LISTS}"),
    (
        "optimizer.momentum=0.9",
        f"there is no key optimizer.momentum; it belongs to optimizer=sgd{LISTS}",
    ),
    (
        "optimizer={lrr: 1}",
        f"there is no key optimizer.lrr; did you mean optimizer.lr?{LISTS}",
    ),
    (
        "model.stages=[{filter: 3}]",
        f"there is no key model.stages.filter; did you mean model.stages.filters?{LISTS}",
    ),
    (
        "model.stages.2.filters=3",
        "there is no model.stages.2; give another number of stages as a whole list",
    ),
    ("+epoch=3", f"there is no key epoch; did you mean epochs?{LISTS}"),
    ("+optimizer.lrr=1", f"there is no key optimizer.lrr; did you mean optimizer.lr?{LISTS}"),
    ("++optimizer.foo=1", f"there is no key optimizer.foo{LISTS}"),
    ("+model.stages.0.foo=3", f"there is no key model.stages.0.foo{LISTS}"),
    (
        "+model.arguments.a=1",
        f"there is no key model.arguments; it belongs to model=custom{LISTS}",
    ),
    (
        "optimizer.lr=fast",
        "optimizer.lr=fast: Value 'fast' of type 'str' could not be converted to Float",
    ),
    ("epochs=1.5", "epochs=1.5: Value '1.5' of type 'float' could not be converted to Integer"),
    ("seed=null", "seed=null: field 'seed' is not Optional"),
    (
        "model.head=flat",
        "model.head=flat: Invalid value 'flat', expected one of [flatten, global_average, "
        "global_max]",
    ),
    (
        "model.stages.0.padding=1.5",
        "model.stages.0.padding=1.5: Value '1.5' of type 'float' is incompatible with type "
        "hint 'Union[int, str]'",
    ),
    ("model=cnnn", "model=cnnn: there is none; choose from cnn, custom, mlp"),
    ("debug=slow", "debug=slow: there is none; choose from fast, none, overfit, profile"),
    (
        "seed=1,2",
        "Ambiguous value for argument 'seed=1,2': several values are a sweep, which needs -m, "
        "or a list, which needs [...]",
    ),
    ("epochs", "epochs: cannot be read as KEY=VALUE; quote a value with signs in it"),
    ("data=csv", "data.csv is missing: write data.csv=VALUE"),
    ("model=custom", "model.path is missing: write model.path=VALUE"),
    ("~seed", "seed is missing: write seed=VALUE"),
    ("~scheduler", "scheduler.name is missing: write scheduler.name=VALUE"),
    ("seed=${foo}", "seed: Interpolation key 'foo' not found"),
    ("model.stages=${foo}", "model.stages: Interpolation key 'foo' not found"),
    ("optimizer.lr=-1", "optimizer.lr=-1.0 must be > 0"),
    ("optimizer.lr=nan", "optimizer.lr=nan must be > 0"),
    ("model.name=mlp", "model.name=mlp alone changes no model; write model=mlp"),
    ("optimizer.name=sgd", "optimizer.name=sgd alone changes no optimizer; write optimizer=sgd"),
    (
        "scheduler.name=cosine",
        "scheduler.name=cosine alone changes no scheduler; write scheduler=cosine",
    ),
]


@pytest.mark.parametrize(("override", "fault"), REFUSED)
def test_what_does_not_fit_is_said_in_one_line(override: str, fault: str) -> None:
    assert refusal(override) == [fault]


@pytest.mark.parametrize("override", ["optimizer=null", "=3", "model.stages.x.filters=3"])
def test_what_hydra_answers_with_an_error_of_pythons_is_a_config_error(override: str) -> None:
    (fault,) = refusal(override)
    assert fault


def test_all_that_is_missing_or_unknown_is_told_together() -> None:
    assert refusal("data=csv", "model=custom", "+foo=1", "+data.bar=2") == [
        f"there is no key foo{LISTS}",
        f"there is no key data.bar{LISTS}",
        "data.csv is missing: write data.csv=VALUE",
        "model.path is missing: write model.path=VALUE",
    ]


def test_all_values_that_cannot_be_are_told_together() -> None:
    assert refusal("scheduler.name=step", "epochs=0", "batch_size=0") == [
        "scheduler.name=step alone changes no scheduler; write scheduler=step",
        "epochs=0 must be >= 1",
        "batch_size=0 must be >= 1",
    ]


@cache
def good() -> dict[str, Any]:
    """The plain values of the default configuration."""
    return config.plain(load())


def test_plain_values_are_strings_numbers_lists_and_dicts() -> None:
    kinds = {str, int, float, bool, type(None), list, dict}

    def inside(value: Any) -> Iterator[Any]:
        yield value
        if isinstance(value, list | dict):
            for item in value.values() if isinstance(value, dict) else value:
                yield from inside(item)

    assert {type(value) for value in inside(good())} <= kinds


@given(text=printable)
@settings(max_examples=60, deadline=None)
@example("${oc.env:HOME}")
@example("\\${x}\\")
def test_any_text_comes_back_from_plain_values(text: str) -> None:
    # `???` is OmegaConf's word for a missing value and no text.
    text = text.replace("???", "")
    values = good() | {"outputs": text}
    values["data"] = values["data"] | {"classes": [text, "b"]}
    read = config.from_plain(values)
    assert (read.outputs, read.data.classes) == (text, [text, "b"])
    assert config.plain(read) == values


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("_target_", "os.system"),
        ("optimizer", {"_target_": "antigravity.fly", "name": "sgd"}),
        ("optimizer", {"name": "antigravity", "lr": 1.0, "weight_decay": 0.0}),
        ("optimizer", {"name": ["sgd"]}),
        ("optimizer", {}),
        ("optimizer", None),
        ("optimizer", []),
        ("optimizer", "sgd"),
        ("model", {"name": "custom", "path": 3, "arguments": 3}),
        ("model", {"name": "antigravity:Fly"}),
        ("model", None),
        ("scheduler", {"name": "none", "_target_": "antigravity.fly"}),
        ("scheduler", {"name": "cosine"}),
        ("debug", []),
        ("debug", None),
        ("data", 3),
        ("logger", {"name": "antigravity"}),
        ("accelerator", {"name": "cpu", "precision": "32-true", "threads": "${antigravity:1}"}),
        ("epochs", "???"),
        ("epochs", "many"),
        ("epochs", None),
        ("epochs", -1),
        ("seed", {"a": 1}),
    ],
)
def test_hostile_values_are_refused_and_import_nothing(key: str, value: Any) -> None:
    hostile = good() | {key: value}
    before = set(sys.modules)
    with pytest.raises((ValueError, TypeError, KeyError)):
        config.from_plain(hostile)
    assert set(sys.modules) == before
    assert "antigravity" not in sys.modules


@pytest.mark.parametrize("stages", [None, 3, [3], [None], [{"_target_": "os.system"}], {"0": {}}])
def test_hostile_stages_are_refused(stages: Any) -> None:
    hostile = good() | {"model": good()["model"] | {"stages": stages}}
    with pytest.raises((ValueError, TypeError, KeyError)):
        config.from_plain(hostile)


@pytest.mark.parametrize("values", [None, [], "text", 3, {}, {"data": None}])
def test_what_is_no_configuration_at_all_is_refused(values: Any) -> None:
    with pytest.raises((ValueError, TypeError, KeyError)):
        config.from_plain(values)


@pytest.mark.parametrize("key", KEYS)
def test_values_that_lack_a_key_are_refused(key: str) -> None:
    lacking = {name: value for name, value in good().items() if name != key}
    with pytest.raises((ValueError, TypeError, KeyError), match=key):
        config.from_plain(lacking)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-3, 300) | st.floats() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["name", "lr", "stages", "0", "filters"]), inner, max_size=3
        )
    ),
    max_leaves=6,
)


@given(key=st.sampled_from(KEYS), value=json_values)
@settings(max_examples=80, deadline=None)
def test_anything_in_place_of_a_value_is_read_or_refused(key: str, value: Any) -> None:
    try:
        read = config.from_plain(good() | {key: value})
    except (ValueError, TypeError, KeyError):
        return
    assert isinstance(read, schema.Train)
    assert config.from_plain(config.plain(read)) == read


@given(text=printable)
@settings(deadline=None)
@example("")
@example(" ")
@example("a'b\"c")
@example("\\")
@example("\\'")
@example("x\\\\")
@example("${oc.env:HOME}")
@example("\\${x}")
@example("\\\\${x")
@example("a,b=c [d] {e: f} é#$%")
@example("null")
@example("1")
def test_quoted_text_is_read_as_it_was_by_hydras_parser(text: str) -> None:
    text = text.replace("???", "")
    read = OverridesParser.create().parse_override(f"run={config.quoted(text)}")
    assert not read.is_sweep_override()
    # What Hydra reads goes through OmegaConf, where ${ would begin an interpolation.
    value = OmegaConf.create({"run": read.value()}).run
    assert value == text
    assert isinstance(value, str)


@given(text=printable.filter(bool))
@settings(max_examples=20, deadline=None)
@example("my runs, 2=3/é '${x}' \\${y}\\")
def test_quoted_run_comes_back_through_compose(text: str) -> None:
    text = text.replace("???", "x")
    composed = config.compose("evaluate", [f"run={config.quoted(text)}"])
    assert config.load(composed).run == text


def test_compose_leaves_no_hydra_behind() -> None:
    assert not GlobalHydra.instance().is_initialized()
    config.compose("train", [])
    assert not GlobalHydra.instance().is_initialized()
    refusal("model=cnnn")
    assert not GlobalHydra.instance().is_initialized()


def test_compose_works_inside_another_hydra_program(tmp_path: Path) -> None:
    (tmp_path / "other.yaml").write_text("greeting: hello\n")
    with initialize_config_dir(str(tmp_path), "another_job", version_base="1.3"):
        outer = GlobalHydra.instance().hydra
        assert outer is not None
        assert load("model=mlp").model.name is schema.ModelName.mlp
        refusal("model=cnnn")
        assert GlobalHydra.instance().hydra is outer
        assert JobRuntime.instance().get("name") == "another_job"
        assert hydra_compose("other").greeting == "hello"
