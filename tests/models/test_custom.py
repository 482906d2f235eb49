"""Custom networks: arguments, weights by seed, and what is refused."""

import random
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from csvision.config import model_schema
from csvision.config.model_schema import ModelName
from csvision.errors import ConfigError
from csvision.models.build import build_model

IMAGE_SHAPE = (1, 4, 4)
CLASSES = 3
CUSTOM_NETWORKS = """
from torch import nn

class MyNet(nn.Sequential):
    def __init__(self, image_shape, num_classes, width=8):
        channels, height, image_width = image_shape
        pixels = channels * height * image_width
        super().__init__(nn.Flatten(), nn.Linear(pixels, width), nn.Linear(width, num_classes))

class TooManyLogits(MyNet):
    def __init__(self, image_shape, num_classes):
        super().__init__(image_shape, num_classes + 1)

class Pair(MyNet):
    def forward(self, images):
        return super().forward(images), images

class OnlyInEvalMode(MyNet):
    def forward(self, images):
        assert not self.training
        return super().forward(images)

class NoModule:
    pass

a_number = 3
"""


@pytest.fixture
def custom_file(tmp_path: Path) -> Path:
    """A file with custom networks."""
    path = tmp_path / "my net.py"
    path.write_text(CUSTOM_NETWORKS)
    return path


def custom(path: str, **kwargs: Any) -> model_schema.CustomModelConfig:
    return model_schema.CustomModelConfig(ModelName.custom, path, kwargs)


def build(model: model_schema.ModelConfig, seed: int = 0) -> nn.Module:
    return build_model(model, IMAGE_SHAPE, CLASSES, seed)


def same_weights(one: nn.Module, other: nn.Module) -> bool:
    pairs = zip(one.parameters(), other.parameters(), strict=True)
    return all(torch.equal(first, second) for first, second in pairs)


def test_custom_network_of_version_0_1_gets_classes(tmp_path: Path) -> None:
    path = tmp_path / "old_net.py"
    path.write_text(CUSTOM_NETWORKS.replace("num_classes", "classes"))
    network = build(custom(f"{path}:MyNet", width=6))
    assert network(torch.zeros(2, *IMAGE_SHAPE)).shape == (2, CLASSES)


def test_weights_of_a_custom_network_depend_on_the_seed(custom_file: Path) -> None:
    model = custom(f"{custom_file}:MyNet")
    assert same_weights(build(model, seed=7), build(model, seed=7))
    assert not same_weights(build(model, seed=7), build(model, seed=8))


def test_custom_network_gets_image_shape_classes_and_kwargs(custom_file: Path) -> None:
    network = build(custom(f"{custom_file}:MyNet", width=64))
    shapes = [tuple(weights.shape) for weights in network.parameters()]
    assert shapes == [(64, 16), (64,), (3, 64), (3,)]


def test_custom_network_keeps_its_defaults(custom_file: Path) -> None:
    network = build(custom(f"{custom_file}:MyNet"))
    assert next(network.parameters()).shape == (8, 16)


def test_custom_network_is_checked_in_eval_mode_and_returned_in_training_mode(
    custom_file: Path,
) -> None:
    assert build(custom(f"{custom_file}:OnlyInEvalMode")).training


def test_changed_file_is_imported_again(custom_file: Path) -> None:
    build(custom(f"{custom_file}:MyNet"))
    # Python detects a change by time and size; the time may be the same.
    custom_file.write_text(CUSTOM_NETWORKS.replace("width=8", "width=16"))
    assert next(build(custom(f"{custom_file}:MyNet")).parameters()).shape == (16, 16)


@pytest.mark.parametrize(
    ("path", "message"),
    [
        ("no_file.py:MyNet", "no_file.py does not exist"),
        ("my net.py", "FILE.py:CLASS"),
        ("my net:MyNet", "FILE.py:CLASS"),
        ("my net.py:", "FILE.py:CLASS"),
        ("my net.py:My Net", "FILE.py:CLASS"),
        (":MyNet", "FILE.py:CLASS"),
        ("my net.py:YourNet", "my net.py defines no nn.Module named YourNet"),
        ("my net.py:NoModule", "my net.py defines no nn.Module named NoModule"),
        ("my net.py:a_number", "my net.py defines no nn.Module named a_number"),
        ("my net.py:TooManyLogits", r"images \(2, 1, 4, 4\) returns \(2, 4\); .* \(2, 3\)"),
        ("my net.py:Pair", r"returns tuple; .* \(2, 3\)"),
    ],
)
@pytest.mark.usefixtures("custom_file")
def test_invalid_custom_network_is_rejected(path: str, message: str) -> None:
    with pytest.raises(ConfigError, match=f"^model\\.path={path}: .*{message}"):
        build(custom(path))


def test_wrong_kwarg_is_named(custom_file: Path) -> None:
    with pytest.raises(ConfigError) as raised:
        build(custom(f"{custom_file}:MyNet", depth=2))
    (message,) = raised.value.messages
    assert message.startswith(f"model.path={custom_file}:MyNet: ")
    assert "unexpected keyword argument 'depth'" in message
    assert "model.kwargs={'depth': 2}" in message


def build_class(body: str, **kwargs: Any) -> nn.Module:
    """Write a file with a network `Net`, whose class has this body, and build it."""
    lines = "".join(f"    {line}\n" for line in body.splitlines())
    text = f"{IMPORTS}{CUSTOM_NETWORKS}\nclass Net(MyNet):\n{lines}"
    Path("net.py").write_text(text, encoding="utf-8")
    return build(custom("net.py:Net", **kwargs))


IMPORTS = "import random, sys\nimport numpy as np\nimport torch\n"

INIT = (
    "def __init__(self, image_shape, num_classes):\n"
    "    super().__init__(image_shape, num_classes)\n"
)

FORWARD = "def forward(self, images):\n"


class TestRandomNumbers:
    @pytest.mark.parametrize(
        "draw",
        ["float(torch.rand(()))", "random.random()", "np.random.rand()", "np.random.normal()"],
    )
    @pytest.mark.parametrize("place", ["constructor", "module"])
    def test_of_every_global_generator_depend_on_the_seed(self, draw: str, place: str) -> None:
        code = {
            "constructor": f"{INIT}    self.register_buffer('drawn', torch.tensor({draw}))",
            "module": f"value = {draw}\n{INIT}    self.register_buffer('drawn', "
            "torch.tensor(self.value))",
        }[place]
        build_class(code)
        model = custom("net.py:Net")
        # As in another process, the generators have other states.
        random.seed(1)
        np.random.seed(1)
        torch.manual_seed(1)
        drawn = float(build(model, seed=7).drawn)  # type: ignore[arg-type]
        random.seed(2)
        np.random.seed(2)
        torch.manual_seed(2)
        assert float(build(model, seed=7).drawn) == drawn  # type: ignore[arg-type]
        assert float(build(model, seed=8).drawn) != drawn  # type: ignore[arg-type]

    def test_leave_the_generators_of_the_caller_unchanged(self) -> None:
        random.seed(5)
        np.random.seed(5)
        torch.manual_seed(5)
        expected = random.random(), np.random.rand(), float(torch.rand(()))
        random.seed(5)
        np.random.seed(5)
        torch.manual_seed(5)
        build_class(f"{INIT}    random.random(), np.random.rand(), torch.rand(())")
        with pytest.raises(ZeroDivisionError):
            build_class(f"{INIT}    random.random(), np.random.rand(), torch.rand(()), 1 / 0")
        assert (random.random(), np.random.rand(), float(torch.rand(()))) == expected


class TestLazyLayers:
    def test_get_shapes_and_weights_by_seed(self) -> None:
        body = (
            "def __init__(self, image_shape, num_classes):\n"
            "    nn.Module.__init__(self)\n"
            "    self.layers = nn.Sequential(nn.Flatten(), nn.LazyLinear(num_classes))\n"
            f"{FORWARD}    return self.layers(images)"
        )
        assert next(build_class(body).parameters()).shape == (CLASSES, 16)
        model = custom("net.py:Net")
        assert same_weights(build(model, seed=7), build(model, seed=7))
        assert not same_weights(build(model, seed=7), build(model, seed=8))

    def test_that_forward_does_not_use_are_refused(self) -> None:
        with pytest.raises(ConfigError, match=r"model.path=net.py:Net: unused.weight has no shape"):
            build_class(
                f"{INIT}    self.unused = nn.LazyLinear(3)\n"
                f"{FORWARD}    return self[2](self[1](self[0](images)))"
            )


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (f"{INIT}    self.unused = nn.Linear(3, 3, device='meta')", "unused.weight is on the meta"),
        (
            f"{FORWARD}    return super().forward(images).long()",
            r"returns torch.int64; .* \(2, 3\)",
        ),
        ("def forward(self):\n    return None", r"forward\(images\): .*positional argument"),
        ("forward = nn.Module.forward", r"forward\(images\): .*missing the required"),
    ],
)
def test_network_that_maps_no_images_to_logits_is_refused(body: str, message: str) -> None:
    with pytest.raises(ConfigError, match=f"^model.path=net.py:Net: .*{message}"):
        build_class(body)


@pytest.mark.parametrize(
    ("code", "message"),
    [
        ("def f(:", "net.py, line 1: invalid syntax"),
        ("x = '\0'", "net.py: .*null bytes"),
        ("import no_such_package", "No module named 'no_such_package'; install"),
        ("from helper import value", "No module named 'helper'; csvision imports, .* one file"),
        ("from .helper import value", "relative import .*; csvision imports, .* one file"),
    ],
)
def test_file_that_cannot_be_imported_is_refused(code: str, message: str) -> None:
    Path("helper.py").write_text("value = 1", encoding="utf-8")
    Path("net.py").write_text(code, encoding="utf-8")
    with pytest.raises(ConfigError, match=f"^model.path=net.py:Net: .*{message}"):
        build(custom("net.py:Net"))


def test_type_error_inside_the_constructor_is_no_wrong_argument() -> None:
    with pytest.raises(TypeError, match="has no len"):
        build_class(f"{INIT}    len(3)")


def test_type_error_inside_forward_is_no_wrong_argument() -> None:
    with pytest.raises(TypeError, match="has no len"):
        build_class(f"{FORWARD}    len(3)")


def test_constructor_may_take_any_keyword_arguments() -> None:
    network = build_class(
        "def __init__(self, **kwargs):\n"
        "    self_kwargs = {key: kwargs[key] for key in ('image_shape', 'num_classes')}\n"
        "    super().__init__(**self_kwargs, width=kwargs['units'])",
        units=5,
    )
    assert next(network.parameters()).shape == (5, 16)


def test_change_of_equal_size_in_the_same_second_is_imported(custom_file: Path) -> None:
    build(custom(f"{custom_file}:MyNet"))
    custom_file.write_text(CUSTOM_NETWORKS.replace("width=8", "width=9"))
    assert next(build(custom(f"{custom_file}:MyNet")).parameters()).shape == (9, 16)
