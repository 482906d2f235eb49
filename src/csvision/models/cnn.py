"""The convolutional network: stages, a head that makes a vector of the maps, dense layers."""

from collections import OrderedDict
from collections.abc import Sequence

from torch import Tensor, nn

from csvision import schema
from csvision.geometry import Shape, layer_table, padding_amounts
from csvision.models.layers import (
    activation_layer,
    dense_layers,
    normalization_layer,
    padding_layer,
    pooling_layer,
)
from csvision.models.residual import ResidualBlock
from csvision.schema import Activation, Head, ModelName, Normalization, Stage


class CNN(nn.Module):
    """Stages of convolution and pooling, then the head and dense layers.

    `stages` takes `csvision.Stage` objects; `hidden=()` leaves only the logits after the head.
    Raises ConfigError when a stage leaves nothing of its input.
    """

    def __init__(
        self,
        image_shape: Sequence[int],
        classes: int,
        stages: Sequence[Stage] = (Stage(filters=32), Stage(filters=64)),
        head: str = "flatten",
        hidden: Sequence[int] = (64,),
        activation: str = "relu",
        dropout: float = 0.0,
    ) -> None:
        super().__init__()
        config = schema.CNN(
            name=ModelName.cnn,
            stages=list(stages),
            head=Head(head),
            hidden=list(hidden),
            activation=Activation(activation),
            dropout=dropout,
        )
        shapes = {
            layer.name: layer for layer in layer_table(config, tuple(image_shape), classes) or []
        }
        self.stages = nn.Sequential(
            *(
                stage_layers(stage, shapes[f"stages.{index}.convolution"].input_shape)
                for index, stage in enumerate(stages)
            )
        )
        self.head = head_layer(config.head)
        (units,) = shapes["head"].output_shape
        self.dense, units = dense_layers(units, hidden, config.activation, dropout)
        self.logits = nn.Linear(units, classes)

    def forward(self, images: Tensor) -> Tensor:
        """(N, C, H, W) -> logits (N, classes)."""
        logits: Tensor = self.logits(self.dense(self.head(self.stages(images))))
        return logits


def stage_layers(stage: Stage, input_shape: Shape) -> nn.Sequential:
    """The modules of one stage on maps of `input_shape` (C, H, W), in the order they run."""
    before, after = padding_amounts(stage.padding, stage.kernel_size, stage.dilation)
    layers: OrderedDict[str, nn.Module] = OrderedDict()
    if before != after:
        layers["padding"] = padding_layer(stage.padding_mode, (before, after))
    layers["convolution"] = nn.Conv2d(
        input_shape[0],
        stage.filters,
        stage.kernel_size,
        stride=stage.stride,
        padding=before if before == after else 0,
        dilation=stage.dilation,
        padding_mode=stage.padding_mode.value,
    )
    if stage.normalization is not Normalization.none:
        layers["normalization"] = normalization_layer(stage.normalization, stage.filters)
    layers["activation"] = activation_layer(stage.activation)
    layers["pool"] = pooling_layer(
        stage.pool, stage.pool_size, stage.pool_stride or stage.pool_size
    )
    if stage.residual:
        blocks = (
            ResidualBlock(stage.filters, stage.normalization, stage.activation)
            for _ in range(stage.residual)
        )
        layers["residual"] = nn.Sequential(*blocks)
    if stage.dropout:
        layers["dropout"] = nn.Dropout(stage.dropout)
    return nn.Sequential(layers)


def head_layer(head: Head) -> nn.Module:
    """The module that makes a vector (N, units) of maps (N, C, H, W)."""
    match head:
        case Head.flatten:
            return nn.Flatten()
        case Head.global_average:
            return nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten())
        case Head.global_max:
            return nn.Sequential(nn.AdaptiveMaxPool2d(1), nn.Flatten())
