"""Quantize an exported network: weights and activations of 8 bits.

Shapes: N images, (C, H, W) an image, K classes.
"""

import tempfile
from collections.abc import Iterator
from pathlib import Path
from time import perf_counter
from typing import Any

import numpy as np
from numpy.typing import NDArray

from csvision.exporting.network import INPUT
from csvision.exporting.onnx_file import Images, Predict, open_onnx, write_metadata

OPERATORS = ("Conv", "Gemm", "MatMul", "Relu")
"""Others remain in float32, also pooling, which is slower on 8 bits."""

CALIBRATION_ROWS = 512
BATCH_SIZE = 32
SPEED_ROWS = 1024
SPEED_REPEATS = 5


def select_rows(total: int, count: int) -> NDArray[np.int64]:
    """Return up to `count` row numbers below `total`, evenly spaced."""
    return np.unique(np.linspace(0, total - 1, count).astype(np.int64))


def batches(images: Images) -> Iterator[Images]:
    """Yield images in batches."""
    for start in range(0, len(images), BATCH_SIZE):
        yield np.ascontiguousarray(images[start : start + BATCH_SIZE])


def write_int8(fp32: Path, path: Path, calibration: Images, metadata: dict[str, Any]) -> None:
    """Write an int8 version of an ONNX file.

    The ranges of the activations are those for the `calibration` images (N, C, H, W).
    """
    from onnxruntime.quantization import CalibrationDataReader, QuantFormat, quantize_static
    from onnxruntime.quantization.shape_inference import quant_pre_process

    class Reader(CalibrationDataReader):  # type: ignore[misc]
        """Gives ONNX Runtime one batch after the other."""

        def __init__(self) -> None:
            self.batches = batches(calibration)

        def get_next(self) -> dict[str, Images] | None:
            """Return the next batch; None after the last one."""
            batch = next(self.batches, None)
            return None if batch is None else {INPUT: batch}

    with tempfile.TemporaryDirectory(dir=path.parent) as folder:
        prepared = Path(folder) / "prepared.onnx"
        quant_pre_process(fp32, prepared, skip_symbolic_shape=True)
        quantize_static(
            prepared,
            path,
            Reader(),
            quant_format=QuantFormat.QDQ,
            op_types_to_quantize=[*OPERATORS],
            per_channel=True,
        )
    write_metadata(path, metadata)


def measure(path: Path, images: Images, labels: NDArray[np.int64]) -> dict[str, float]:
    """Return accuracy, speed and size of an ONNX file.

    The speed is the best of several repetitions, in batches of 32.
    """
    predict = open_onnx(path)
    predicted = [predict(batch).argmax(axis=1) for batch in batches(images)]
    return {
        "accuracy": float((np.concatenate(predicted) == labels).mean()),
        "images_per_second": measure_speed(predict, images[:SPEED_ROWS]),
        "bytes": path.stat().st_size,
    }


def measure_speed(predict: Predict, images: Images) -> float:
    """Return the largest number of images per second in several repetitions."""
    seconds = []
    for _ in range(SPEED_REPEATS):
        start = perf_counter()
        for batch in batches(images):
            predict(batch)
        seconds.append(perf_counter() - start)
    return len(images) / min(seconds)
