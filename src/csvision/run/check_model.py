"""Check that a custom network can be trained, saved and loaded, before anything is written."""

from functools import partial
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from csvision.config.model_schema import CustomModelConfig
from csvision.config.schema import TrainConfig
from csvision.errors import ConfigError
from csvision.layer_shapes import Shape
from csvision.models.build import build_model
from csvision.models.custom import check_eval_mode, check_logits
from csvision.models.summary import profile_model
from csvision.models.user_code import raised_in_user_code, run_user_code
from csvision.rng import derive_seed, seeded_generators
from csvision.run.last_batch import last_batch_size, one_image_error
from csvision.run.provenance import weights_sha256


def check_custom_network(
    config: TrainConfig,
    model: CustomModelConfig,
    image_shape: Shape,
    num_classes: int,
    train_rows: int,
) -> None:
    """Raise ConfigError if a custom network cannot be trained, saved or loaded.

    An error that only a training step raises is left to the training, which records it.
    """
    seed = derive_seed(config.seed, "weights")
    build = partial(build_model, model, image_shape, num_classes, seed)
    network, other = build(), build()
    check_parameters(model, network)
    check_state(model, network)
    # Modules that were imported for the first time may have drawn numbers.
    if initial_sha256(network) != initial_sha256(other) != initial_sha256(build()):
        raise ConfigError(
            f"model.path={model.path}: its initial weights differ although the seed is equal; draw "
            "from the global generators of torch, numpy or random, or initialize all weights"
        )
    images = torch.zeros(2, *image_shape)
    with seeded_generators(seed), torch.enable_grad(), run_user_code(model):
        check_eval_mode(model, network, image_shape, num_classes, batch_size=1)
        profile_model(network, image_shape)
        check_training_step(model, network, images, num_classes)
        if last_batch_size(config, train_rows) == 1 and not trains_on_one_image(network, images):
            raise one_image_error(config, train_rows, model.path)
        check_loading(model, network, other)


def check_parameters(model: CustomModelConfig, network: nn.Module) -> None:
    """Raise ConfigError if no parameter can be trained."""
    trainable = [weights.requires_grad for weights in network.parameters()]
    if not any(trainable):
        found = "all its parameters are frozen" if trainable else "it has no parameters"
        raise ConfigError(
            f"model.path={model.path}: {found}; training needs a parameter with requires_grad=True"
        )


def check_state(model: CustomModelConfig, network: nn.Module) -> None:
    """Raise ConfigError if checkpoints would contain more than dense tensors."""
    for name, value in checkpoint_state(network).items():
        if type(value) is not Tensor or value.layout is not torch.strided:
            kind = f"{value.layout} tensor" if isinstance(value, Tensor) else type(value).__name__
            raise ConfigError(
                f"model.path={model.path}: {name} in its state_dict is a {kind}; checkpoints "
                "contain dense tensors only, so get_extra_state must return one, too"
            )


def initial_sha256(network: nn.Module) -> str:
    """Return the hash of parameters and dense buffers, also of those that are not saved."""
    buffers = {
        name: buffer for name, buffer in network.named_buffers() if buffer.layout is torch.strided
    }
    return weights_sha256(dict(network.named_parameters()) | buffers)


def check_training_step(
    model: CustomModelConfig, network: nn.Module, images: Tensor, num_classes: int
) -> None:
    """Raise ConfigError if the logits of a training step are none or depend on no parameter."""
    try:
        logits = network(images)
    except Exception:
        return
    check_logits(model, images, logits, num_classes)
    if not logits.requires_grad:
        raise ConfigError(
            f"model.path={model.path}: the logits depend on no parameter that can be trained; "
            "forward must not use detach() or torch.no_grad() on all of them"
        )
    try:
        F.cross_entropy(logits, torch.zeros(len(images), dtype=torch.long)).backward()
    except Exception:
        return


def trains_on_one_image(network: nn.Module, images: Tensor) -> bool:
    """Return whether batch normalization accepts the first image (1, C, H, W) in training."""
    try:
        network(images[:1])
    except ValueError as error:
        return "Expected more than 1 value per channel" not in str(error)
    except Exception:
        return True
    return True


def check_loading(model: CustomModelConfig, network: nn.Module, fresh: nn.Module) -> None:
    """Raise ConfigError if a new network cannot load the state of one that was trained."""
    try:
        change_weights(network)
        state = checkpoint_state(network)
        nn.ModuleDict({"network": fresh}).load_state_dict(state)
    except Exception as error:
        if raised_in_user_code(error, model):
            raise
        reason = str(error).strip().splitlines()[-1].strip()
        raise ConfigError(
            f"model.path={model.path}: its state_dict after a training step cannot be loaded into "
            f"a new network: {reason}"
        ) from error
    if weights_sha256(state) != weights_sha256(checkpoint_state(fresh)):
        raise ConfigError(
            f"model.path={model.path}: loading its state_dict into a new network gives other "
            "weights; both must contain all weights"
        )


@torch.no_grad()
def change_weights(network: nn.Module) -> None:
    """Change the parameters in place, as an optimizer does."""
    for weights in network.parameters():
        if weights.requires_grad:
            weights.add_(1)


def checkpoint_state(network: nn.Module) -> dict[str, Any]:
    """Return the state of a network as a part of another module, as checkpoints contain it."""
    return dict(nn.ModuleDict({"network": network}).state_dict())
