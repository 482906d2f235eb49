"""Explain a network without training it."""

from csvision.arithmetic.explanation import Explanation
from csvision.arithmetic.layers import NetworkExplanation, explain_configured
from csvision.arithmetic.subject import Subject, find_subject
from csvision.config.explain_schema import ExplainConfig
from csvision.config.model_schema import CNNConfig, CustomModelConfig, MLPConfig
from csvision.errors import ConfigError
from csvision.layer_shapes import LayerSummary, Shape, layer_table

COLOR_CHANNELS = (1, 3, 4)
"""Gray, RGB, and RGB with transparency."""


def explain(config: ExplainConfig) -> Explanation:
    """Explain what a configuration selects; raises UserError for what cannot be explained."""
    if config.row is None:
        check_filter_keys(config)
        return Explanation(explain_network(find_subject(config), config.batch_size, config.seed))
    # Not at the top: torch takes seconds to import.
    from csvision.arithmetic.filter_subject import explain_configured_filter

    return Explanation(explain_configured_filter(config))


def check_filter_keys(config: ExplainConfig) -> None:
    """Raise ConfigError for keys that need an image."""
    keys = {"layer": config.layer, "filter": config.filter, "position": config.position}
    given = [
        f"{name}={value}".replace(", ", ",") for name, value in keys.items() if value is not None
    ]
    if given:
        raise ConfigError(
            f"{' '.join(given)}: row is missing, so that there is no image for the filter; add "
            "row=0 or another row of the file"
        )


def table_of(
    model: CNNConfig | MLPConfig, image_shape: Shape, num_classes: int
) -> list[LayerSummary]:
    """Return the layer table; raises ConfigError if a layer does not fit its input."""
    try:
        table = layer_table(model, image_shape, num_classes)
    except ConfigError as error:
        first, second, third = image_shape
        if third not in COLOR_CHANNELS or first in COLOR_CHANNELS:
            raise
        (message,) = error.messages
        raise ConfigError(
            f"{message}; channels come first: if there are {third}, write "
            f"data.image_shape=[{third},{first},{second}]"
        ) from error
    assert table is not None
    return table


def explain_network(subject: Subject, batch_size: int, seed: int) -> NetworkExplanation:
    """Explain the layers of a network; raises ConfigError if a layer does not fit its input."""
    shape, classes = subject.image_shape, subject.num_classes
    match subject.model:
        case CNNConfig() | MLPConfig() as model:
            table = table_of(model, shape, classes)
            return explain_configured(model, table, shape, classes, batch_size)
        case CustomModelConfig() as model:
            # Not at the top: torch takes seconds to import.
            from csvision.arithmetic.measured import explain_custom

            return explain_custom(model, shape, classes, batch_size, seed)
        case _:
            raise AssertionError(f"no network for {subject.model}")
