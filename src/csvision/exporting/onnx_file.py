"""Export to ONNX, and run the file in ONNX Runtime.

Shapes: N images, (C, H, W) an image, K classes.
"""

import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch.export import ExportedProgram

from csvision.exporting.metadata import to_strings
from csvision.exporting.network import INPUT, OUTPUT
from csvision.run.log import attach_handler

Images = NDArray[np.uint8]
Predict = Callable[[Images], NDArray[np.float32]]
"""Images (N, C, H, W) -> probabilities (N, K)."""


def write_onnx(program: ExportedProgram, metadata: dict[str, Any], path: Path) -> None:
    """Write a graph with its weights and metadata as an ONNX file."""
    # torch warns about operators of packages that are not installed.
    exporter = logging.getLogger("torch.onnx")
    with attach_handler(logging.NullHandler(), exporter, logging.ERROR):
        exported = torch.onnx.export(
            program,
            dynamo=True,
            input_names=[INPUT],
            output_names=[OUTPUT],
            dynamic_shapes={INPUT: {0: "batch"}},
            verbose=False,
        )
    assert exported is not None
    exported.save(path)
    write_metadata(path, metadata)


def write_metadata(path: Path, metadata: dict[str, Any]) -> None:
    """Replace the metadata of an ONNX file, also what torch writes about the source code."""
    import onnx

    model = onnx.load(path)
    graph = model.graph
    for part in (graph, *graph.node, *graph.input, *graph.output, *graph.value_info):
        del part.metadata_props[:]
    for node in graph.node:
        node.doc_string = ""
    for tensor in graph.initializer:
        del tensor.metadata_props[:]
    onnx.helper.set_model_props(model, to_strings(metadata))
    onnx.checker.check_model(model, full_check=True)
    onnx.save(model, path)


def open_onnx(path: Path) -> Predict:
    """Return a function that runs an ONNX file, with as many CPU threads as torch uses."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = torch.get_num_threads()
    session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])

    def predict(images: Images) -> NDArray[np.float32]:
        (probabilities,) = session.run([OUTPUT], {INPUT: images})
        result: NDArray[np.float32] = probabilities
        return result

    return predict
