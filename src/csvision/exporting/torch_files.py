"""Export to files of PyTorch: a graph (.pt2), or the weights alone (.pt).

Shapes: N images, (C, H, W) an image, K classes.
"""

import json
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn
from torch.export import Dim, ExportedProgram

from csvision.exporting.network import INPUT, ExportedNetwork
from csvision.exporting.onnx_file import Images, Predict
from csvision.layer_shapes import Shape


def trace(network: ExportedNetwork, image_shape: Shape) -> ExportedProgram:
    """Return the graph of a network for any number of images of shape (C, H, W)."""
    images = torch.zeros((2, *image_shape), dtype=torch.uint8)
    batch = {INPUT: {0: Dim("batch", min=1)}}
    program = torch.export.export(network, (images,), dynamic_shapes=batch, strict=False)
    for node in program.graph.nodes:
        # It has paths of the machine, and would be written into the file.
        node.meta.pop("stack_trace", None)
    return program


def write_pt2(program: ExportedProgram, metadata: dict[str, Any], path: Path) -> None:
    """Write a graph with its weights; `metadata.json` is one of its extra files."""
    torch.export.save(program, path, extra_files={"metadata.json": json.dumps(metadata)})


def load_pt2(path: Path) -> nn.Module:
    """Return the module in a .pt2 file."""
    return torch.export.load(path).module()


def write_state_dict(network: ExportedNetwork, metadata: dict[str, Any], path: Path) -> None:
    """Write the weights of the network, what is done to images before it, and the metadata.

    All are tensors and plain values: `torch.load(path, weights_only=True)` loads them.
    """
    content = {
        "state_dict": dict(network.network.state_dict()),
        "mean": network.mean,
        "std": network.std,
        "metadata": metadata,
    }
    torch.save(content, path)


def load_state_dict(path: Path, network: ExportedNetwork) -> ExportedNetwork:
    """Load the content of a .pt file into a network."""
    content = torch.load(path, weights_only=True)
    network.network.load_state_dict(content["state_dict"])
    network.mean.copy_(content["mean"])
    network.std.copy_(content["std"])
    return network


def module_predict(module: nn.Module) -> Predict:
    """Return a function that runs a module."""

    def predict(images: Images) -> NDArray[np.float32]:
        with torch.no_grad():
            probabilities: NDArray[np.float32] = module(torch.from_numpy(images)).numpy()
        return probabilities

    return predict
