"""Name the analyses that do not apply to a network, and say why."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from csvision.config.model_schema import CustomModelConfig, ModelConfig
from csvision.errors import first_line

T = TypeVar("T")


class NotApplicable(Exception):  # noqa: N818 (no error: the page shows the reason)
    """An analysis does not apply to this network or to these images; the message says why."""


@dataclass(frozen=True)
class Missing:
    """An analysis that is not shown, and the reason."""

    analysis: str
    reason: str


def attempt(analysis: str, model: ModelConfig, function: Callable[[], T]) -> T | Missing:
    """Return the result of an analysis, or why it does not apply.

    The code of a custom network may raise any exception when it is used in a way that training does
    not need, such as with gradients of its input; this, too, is a reason.
    """
    try:
        return function()
    except NotApplicable as reason:
        return Missing(analysis, str(reason))
    except Exception as error:
        if not isinstance(model, CustomModelConfig):
            raise
        return Missing(analysis, f"the network raises {type(error).__name__}: {first_line(error)}")
