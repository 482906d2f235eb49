"""Build the configured network."""

from torch import nn

from csvision.config import model_schema
from csvision.layer_shapes import Shape
from csvision.models.cnn import CNN
from csvision.models.custom import build_custom_model
from csvision.models.mlp import MLP
from csvision.rng import seeded_generators


def build_model(
    model: model_schema.ModelConfig, image_shape: Shape, num_classes: int, seed: int
) -> nn.Module:
    """Return the configured network; its initial weights depend on `seed` alone.

    A custom network may draw them from the global generators of torch, Python and NumPy.
    Raises ConfigError if a layer does not fit its input or a custom network cannot be built.
    """
    with seeded_generators(seed):
        match model:
            case model_schema.MLPConfig():
                return MLP(
                    image_shape, num_classes, model.hidden, model.activation.value, model.dropout
                )
            case model_schema.CNNConfig():
                return CNN(
                    image_shape,
                    num_classes,
                    model.stages,
                    model.global_pool.value,
                    model.hidden,
                    model.activation.value,
                    model.dropout,
                )
            case model_schema.CustomModelConfig():
                return build_custom_model(model, image_shape, num_classes)
            case _:
                raise AssertionError(f"no network for {model}")
