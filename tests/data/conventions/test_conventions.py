"""Files of public conventions: every pixel, label, identifier and the orientation are exact."""

import inspect
from collections.abc import Callable
from types import ModuleType

import numpy as np
import pytest

from csvision.data.read_options import ReadOptions
from csvision.data.table import ImageTable, read_table
from tests.data.conventions import binary_files, text_files
from tests.data.conventions.images import Content

Case = tuple[str, ReadOptions, Content]


def assert_content(table: ImageTable, content: Content) -> None:
    """Assert that a table has exactly this content."""
    np.testing.assert_array_equal(table.images, content.images)
    assert table.labels is not None
    assert [table.label_values[index] for index in table.labels] == content.labels
    assert table.label_values == sorted(set(content.labels))
    assert table.classes == [str(value) for value in table.label_values]
    assert table.ids == content.ids


@pytest.mark.parametrize(
    "write", [*text_files.CASES, *binary_files.CASES], ids=lambda write: write.__name__
)
def test_file_is_read_exactly(write: Callable[[], Case]) -> None:
    path, options, content = write()
    assert_content(read_table(path, options), content)


@pytest.mark.parametrize("module", [text_files, binary_files])
def test_every_convention_is_tested(module: ModuleType) -> None:
    written = [
        function
        for function in vars(module).values()
        if inspect.isfunction(function)
        and function.__annotations__ == {"return": Case}
        and function.__module__ == module.__name__
    ]
    assert set(written) == set(module.CASES)
