"""The convolutional network: stages, global pooling or flattening, dense layers.

Shapes: N images, C channels, H height, W width, K classes. The names of submodules are part of
checkpoints and of weights_sha256.
"""

from collections import OrderedDict
from collections.abc import Sequence

from torch import Tensor, channels_last, nn

from csvision.config.model_schema import (
    Activation,
    CNNConfig,
    GlobalPool,
    ModelName,
    Normalization,
    Pool,
    Stage,
)
from csvision.layer_shapes import Shape, cnn_table, resolve_padding
from csvision.models.layers import (
    Dropout,
    activation_layer,
    dense_layers,
    normalization_layer,
    padding_layer,
    pooling_layer,
)
from csvision.models.residual import ResidualBlock


class CNN(nn.Module):
    """Stages of convolution and pooling, then global pooling or flattening, then dense layers.

    `stages` takes `csvision.Stage` objects; `hidden=()` has no dense layer before the logits.
    Raises ConfigError if a layer does not fit its input.
    """

    def __init__(
        self,
        image_shape: Sequence[int],
        num_classes: int,
        stages: Sequence[Stage] = (Stage(filters=32), Stage(filters=64)),
        global_pool: str = "none",
        hidden: Sequence[int] = (64,),
        activation: str = "relu",
        dropout: float = 0.0,
    ) -> None:
        super().__init__()
        config = CNNConfig(
            name=ModelName.cnn,
            stages=list(stages),
            global_pool=GlobalPool(global_pool),
            hidden=list(hidden),
            activation=Activation(activation),
            dropout=dropout,
        )
        # The layer table computes all sizes, so that the network and its table cannot disagree.
        layers = {row.name: row for row in cnn_table(config, tuple(image_shape), num_classes)}
        self.stages = nn.Sequential(
            *(
                stage_layers(stage, layers[f"stages.{index}.convolution"].input_shape)
                for index, stage in enumerate(stages)
            )
        )
        self.global_pool = global_pool_layer(config.global_pool)
        pooled = layers.get("flatten") or layers["global_pool"]
        (units,) = pooled.output_shape
        self.dense, units = dense_layers(units, hidden, config.activation, dropout)
        self.logits = nn.Linear(units, num_classes)
        # Convolutions whose weights have this layout give their outputs in it, too; on a CPU they
        # take two thirds of the time.
        self.to(memory_format=channels_last)  # type: ignore[call-overload]

    def forward(self, images: Tensor) -> Tensor:
        """Images (N, C, H, W) -> logits (N, K)."""
        logits: Tensor = self.logits(self.dense(self.global_pool(self.stages(images))))
        return logits


def stage_layers(stage: Stage, input_shape: Shape) -> nn.Sequential:
    """Return the modules of one stage, in order, for an input of `input_shape` (C, H, W)."""
    before, after = resolve_padding(stage.padding, stage.kernel_size, stage.dilation)
    layers: OrderedDict[str, nn.Module] = OrderedDict()
    if before != after:
        layers["padding"] = padding_layer(stage.padding_mode, (before, after))
    # Any other padding mode copies the input, even if the convolution adds no pixels.
    pads_itself = before == after > 0
    layers["convolution"] = nn.Conv2d(
        input_shape[0],
        stage.filters,
        stage.kernel_size,
        stride=stage.stride,
        padding=before if pads_itself else 0,
        # Without effect on a 1x1 kernel, but torch 2.13 crashes on some of them.
        dilation=stage.dilation if stage.kernel_size > 1 else 1,
        padding_mode=stage.padding_mode.value if pads_itself else "zeros",
    )
    if stage.normalization is not Normalization.none:
        layers["normalization"] = normalization_layer(stage.normalization, stage.filters)
    layers["activation"] = activation_layer(stage.activation)
    layers["pool"] = pooling_layer(
        stage.pool, stage.pool_size, stage.pool_stride or stage.pool_size
    )
    if stage.activation is Activation.relu and stage.pool is Pool.max:
        # Both orders have equal outputs and gradients; pooled maps need less work.
        layers.move_to_end("activation")
    if stage.residual:
        blocks = (
            ResidualBlock(stage.filters, stage.normalization, stage.activation)
            for _ in range(stage.residual)
        )
        layers["residual"] = nn.Sequential(*blocks)
    if stage.dropout:
        layers["dropout"] = Dropout(stage.dropout)
    return nn.Sequential(layers)


def global_pool_layer(global_pool: GlobalPool) -> nn.Module:
    """Return the module that turns feature maps (N, C, H, W) into vectors (N, units)."""
    match global_pool:
        case GlobalPool.none:
            return nn.Flatten()
        case GlobalPool.avg:
            return nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten())
        case GlobalPool.max:
            return nn.Sequential(nn.AdaptiveMaxPool2d(1), nn.Flatten())
