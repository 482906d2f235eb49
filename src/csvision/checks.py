"""What is wrong with the values of a configuration: ranges, rules between keys, fit to the data.

Names and types have failed before, while Hydra composed. Everything here is reported together.
"""

from collections.abc import Iterator, Mapping
from dataclasses import fields, is_dataclass
from typing import Any

from csvision import schema
from csvision.errors import ConfigError
from csvision.geometry import Shape, layer_table, padding_amounts


def check(config: Any, image_shape: Shape | None = None, classes: int | None = None) -> None:
    """Raise ConfigError with all faults of a configuration and of its fit to the data, if given."""
    found = faults(config, image_shape, classes)
    if found:
        raise ConfigError(found)


def faults(config: Any, image_shape: Shape | None = None, classes: int | None = None) -> list[str]:
    """Everything wrong with a configuration, a line a fault."""
    found = list(range_faults(config, ""))
    if isinstance(config, schema.Claims) and config.record:
        found += record_faults(config)
    if isinstance(config, schema.Train | schema.InspectData):
        found += data_faults(config.data)
    if isinstance(config, schema.Train):
        found += optimizer_faults(config.optimizer)
        stages = list(padding_faults(config.model))
        found += stages
        if image_shape is not None and classes is not None and not stages and not found:
            try:
                layer_table(config.model, image_shape, classes)
            except ConfigError as error:
                found += error.faults
    return found


def range_faults(node: Any, prefix: str) -> Iterator[str]:
    """The values of a dataclass, and of those inside it, that leave the range of their key."""
    for entry in fields(node):
        name, value = f"{prefix}{entry.name}", getattr(node, entry.name)
        if is_dataclass(value):
            yield from range_faults(value, f"{name}.")
            continue
        if value is None and "None" not in str(entry.type):
            yield f"{name} is null; write {name}=VALUE"
        for where, item in indexed(name, value):
            if is_dataclass(item):
                yield from range_faults(item, f"{where}.")
            elif fault := out_of_range(item, entry.metadata):
                yield f"{where}={item} {fault}"


def indexed(name: str, value: Any) -> list[tuple[str, Any]]:
    """The items of a list under their keys; anything else as it is."""
    if isinstance(value, list):
        return [(f"{name}.{index}", item) for index, item in enumerate(value)]
    return [(name, value)]


def out_of_range(value: Any, limits: Mapping[str, Any]) -> str:
    """What a value should have been; empty if it is."""
    if limits.get("choices") and value not in limits["choices"]:
        return f"must be one of {', '.join(limits['choices'])}"
    if isinstance(value, bool | str) or not isinstance(value, int | float):
        return ""
    above, least, below, most = map(limits.get, ("above", "at_least", "below", "at_most"))
    # Comparisons are written so that NaN fails them.
    held = (
        (above is None or value > above)
        and (least is None or value >= least)
        and (below is None or value < below)
        and (most is None or value <= most)
        and value not in (float("inf"), float("-inf"))
    )
    if held:
        return ""
    bounds = [
        f"{sign} {bound:g}"
        for sign, bound in ((">", above), (">=", least), ("<", below), ("<=", most))
        if bound is not None
    ]
    return f"must be {' and '.join(bounds) or 'finite'}"


def data_faults(data: schema.Data) -> Iterator[str]:
    """Rules between the keys of data."""
    if data.name is schema.DataName.fmnist_small and data.csv != schema.EMBEDDED:
        yield (
            f"data.csv={data.csv} is not the file of data={data.name}, whose class names it would "
            f"get; write data=csv data.csv={data.csv}"
        )
    shape = data.image_shape
    if shape is not None and (len(shape) != 3 or min(shape) < 1):
        yield f"data.image_shape={shape} must be [channels,height,width]"


def record_faults(claims: schema.Claims) -> Iterator[str]:
    """What would make the project's record of its claims less than it is to be."""
    if claims.profile is not schema.ProfileName.full:
        yield f"record=true needs profile=full, not {claims.profile}, which is no evidence"
    if claims.claim:
        yield "record=true records all claims; leave claim=[...] out (what is there is kept)"
    if claims.seed:
        yield f"record=true records the seeds from 0 on, not from {claims.seed}"


def optimizer_faults(optimizer: schema.Optimizer) -> Iterator[str]:
    """Rules between the keys of optimizer."""
    if isinstance(optimizer, schema.SGD) and optimizer.nesterov and not optimizer.momentum:
        yield "optimizer.nesterov=true needs optimizer.momentum > 0"


def padding_faults(model: schema.Model) -> Iterator[str]:
    """Paddings that are no padding, and `same` with a stride, which has no agreed meaning."""
    for index, stage in enumerate(model.stages if isinstance(model, schema.CNN) else []):
        where = f"model.stages.{index}"
        try:
            padding_amounts(stage.padding, stage.kernel_size, stage.dilation)
        except ValueError as error:
            yield f"{where}.{error}"
        if stage.padding == "same" and stage.stride != 1:
            yield (
                f"{where}.padding=same needs {where}.stride=1, not {stage.stride}; "
                "write the padding as a number"
            )
