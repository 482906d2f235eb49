"""Explain a network without training it."""

from csvision.arithmetic.explanation import Explanation
from csvision.arithmetic.layers import NetworkExplanation, explain_configured
from csvision.arithmetic.subject import Subject, find_subject
from csvision.config.explain_schema import ExplainConfig
from csvision.config.model_schema import CNNConfig, CustomModelConfig, MLPConfig
from csvision.layer_shapes import layer_table


def explain(config: ExplainConfig) -> Explanation:
    """Explain what a configuration selects; raises UserError for what cannot be explained."""
    if config.row is None:
        return Explanation(explain_network(find_subject(config), config.batch_size, config.seed))
    # Not at the top: torch takes seconds to import.
    from csvision.arithmetic.filter_subject import explain_configured_filter

    return Explanation(explain_configured_filter(config))


def explain_network(subject: Subject, batch_size: int, seed: int) -> NetworkExplanation:
    """Explain the layers of a network; raises ConfigError if a layer does not fit its input."""
    shape, classes = subject.image_shape, subject.num_classes
    match subject.model:
        case CNNConfig() | MLPConfig() as model:
            table = layer_table(model, shape, classes)
            assert table is not None
            return explain_configured(model, table, shape, classes, batch_size)
        case CustomModelConfig() as model:
            # Not at the top: torch takes seconds to import.
            from csvision.arithmetic.measured import explain_custom

            return explain_custom(model, shape, classes, batch_size, seed)
        case _:
            raise AssertionError(f"no network for {subject.model}")
