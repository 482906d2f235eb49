"""Windows: formulas that evaluate to the output size, and uses of pixels against autograd."""

from itertools import product
from math import floor

import pytest
import torch
from hypothesis import assume, given
from hypothesis import strategies as st
from torch.nn import functional as F

from csvision.arithmetic.windows import ReceptiveField, Window, count_uses, size_formula
from csvision.config.model_schema import PaddingMode

windows = st.builds(
    Window,
    kernel_size=st.integers(1, 4),
    stride=st.integers(1, 3),
    padding=st.tuples(st.integers(0, 3), st.integers(0, 3)),
    dilation=st.integers(1, 3),
    padding_mode=st.sampled_from(PaddingMode),
)


@pytest.mark.parametrize(
    ("size", "window", "expected"),
    [
        (28, Window(3), "(28 - 3)/1 + 1 = 26"),
        (28, Window(3, padding=(1, 1)), "(28 + 2*1 - 3)/1 + 1 = 28"),
        (28, Window(2, stride=2), "(28 - 2)/2 + 1 = 14"),
        (7, Window(2, stride=2), "floor((7 - 2)/2) + 1 = 3"),
        (28, Window(2, padding=(0, 1)), "(28 + 0 + 1 - 2)/1 + 1 = 28"),
        (28, Window(3, padding=(2, 2), dilation=2), "(28 + 2*2 - 2*(3 - 1) - 1)/1 + 1 = 28"),
    ],
)
def test_formula_by_hand(size: int, window: Window, expected: str) -> None:
    assert size_formula(size, window) == expected


@given(window=windows, size=st.integers(1, 12))
def test_both_sides_of_the_formula_are_equal(window: Window, size: int) -> None:
    assume(window.output_size(size) >= 1)
    left, right = size_formula(size, window).split(" = ")
    assert eval(left, {"floor": floor}) == int(right)
    maps = torch.zeros(1, 1, size + sum(window.padding))
    weights = torch.zeros(1, 1, window.kernel_size)
    output = F.conv1d(maps, weights, stride=window.stride, dilation=window.dilation)
    assert output.shape[2] == int(right)


@given(window=windows, size=st.integers(1, 9))
def test_uses_are_the_gradient_of_the_sum_of_all_outputs(window: Window, size: int) -> None:
    assume(window.output_size(size) >= 1)
    largest = {PaddingMode.reflect: size - 1, PaddingMode.circular: size}
    assume(max(window.padding) <= largest.get(window.padding_mode, 3))
    pixels = torch.ones(1, 1, size, dtype=torch.float64, requires_grad=True)
    mode = "constant" if window.padding_mode is PaddingMode.zeros else window.padding_mode.value
    weights = torch.ones(1, 1, window.kernel_size, dtype=torch.float64)
    padded = F.pad(pixels, window.padding, mode)
    F.conv1d(padded, weights, stride=window.stride, dilation=window.dilation).sum().backward()
    assert pixels.grad is not None
    counted = [count_uses(size, window, pixel) for pixel in range(size)]
    assert counted == pixels.grad[0, 0].tolist()


@pytest.mark.parametrize(
    ("padding", "corner", "edge", "center"),
    # Without padding as the notes say; with one pixel, and with full padding, as B7 measured.
    [(0, 1, 3, 9), (1, 4, 6, 9), (2, 9, 9, 9)],
)
def test_uses_of_the_notes(padding: int, corner: int, edge: int, center: int) -> None:
    window = Window(3, padding=(padding, padding))
    uses = [count_uses(28, window, pixel) for pixel in (0, 14)]
    products = [one * other for one, other in product(uses, uses)]
    assert products == [corner, edge, edge, center]


def test_receptive_field_by_hand() -> None:
    field = ReceptiveField()
    # Two stages of a 3x3 convolution and a 2x2 pooling: 3, 4, 8, 10.
    sides = []
    for window in [Window(3), Window(2, 2)] * 2:
        field = field.after(window)
        sides.append(field.side)
    assert sides == [3, 4, 8, 10]
    assert field.step == 4
