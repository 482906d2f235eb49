"""The fully connected network, computed by hand forward and backward."""

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from csvision.models.mlp import MLP


def test_two_units_by_hand_forward_and_backward() -> None:
    network = MLP((1, 1, 2), 2, hidden=(2,))
    hidden = network.get_submodule("dense.0.linear")
    assert isinstance(hidden, nn.Linear)
    with torch.no_grad():
        hidden.weight.copy_(torch.tensor([[1.0, -1.0], [2.0, 0.0]]))
        hidden.bias.copy_(torch.tensor([0.0, 1.0]))
        network.logits.weight.copy_(torch.tensor([[1.0, 1.0], [0.0, 2.0]]))
        network.logits.bias.copy_(torch.tensor([0.5, -1.0]))
    # Hidden units: relu(1 - 2) = 0 and relu(2 + 1) = 3.
    logits = network(torch.tensor([[[[1.0, 2.0]]]]))
    assert logits.tolist() == [[3.5, 5.0]]
    logits.sum().backward()
    # relu blocks the first unit; the second contributes to the sum with weight 1 + 2.
    assert hidden.weight.grad is not None
    assert hidden.weight.grad.tolist() == [[0.0, 0.0], [3.0, 6.0]]
    assert network.logits.weight.grad is not None
    assert network.logits.weight.grad.tolist() == [[0.0, 3.0], [0.0, 3.0]]


@pytest.mark.parametrize("image_shape", [(1, 28, 28), (3, 4, 5), (1, 1, 1)])
def test_images_are_flattened(image_shape: tuple[int, int, int]) -> None:
    network = MLP(image_shape, 10, hidden=(7,))
    images = torch.randn(3, *image_shape)
    expected = network.logits(network.dense(images.reshape(3, -1)))
    assert expected.shape == (3, 10)
    assert torch.equal(network(images), expected)


def test_without_hidden_layers_it_is_multinomial_logistic_regression() -> None:
    network = MLP((2, 3, 4), 5, hidden=[])
    assert [name for name, _ in network.named_parameters()] == ["logits.weight", "logits.bias"]
    images = torch.randn(6, 2, 3, 4)
    expected = F.linear(images.reshape(6, 24), network.logits.weight, network.logits.bias)
    assert torch.equal(network(images), expected)


def test_layers_have_the_configured_units_and_activation() -> None:
    network = MLP((1, 2, 2), 3, hidden=(5, 6), activation="tanh", dropout=0.25)
    linear = [module for module in network.modules() if isinstance(module, nn.Linear)]
    assert [tuple(module.weight.shape) for module in linear] == [(5, 4), (6, 5), (3, 6)]
    for block in network.dense:
        assert [name for name, _ in block.named_children()] == ["linear", "activation", "dropout"]
    values = torch.randn(2, 1, 2, 2)
    first, second, last = linear
    expected = last(torch.tanh(second(torch.tanh(first(values.flatten(1))))))
    torch.testing.assert_close(network.eval()(values), expected)


def test_dropout_layers_exist_only_where_configured() -> None:
    assert not any(isinstance(module, nn.Dropout) for module in MLP((1, 2, 2), 3).modules())
    network = MLP((1, 2, 2), 3, hidden=(4, 4), dropout=0.5)
    dropouts = [module.p for module in network.modules() if isinstance(module, nn.Dropout)]
    assert dropouts == [0.5, 0.5]


def test_unknown_activation_is_rejected() -> None:
    with pytest.raises(ValueError, match="'rellu' is not a valid Activation"):
        MLP((1, 2, 2), 3, activation="rellu")
