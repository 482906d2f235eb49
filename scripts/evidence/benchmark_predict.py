"""Measure time and memory of `csvision predict` on files with few and with many rows.

Trains an MLP for one step, then predicts copies of the included images, each file in a new process.
"""

import json
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

import csvision
from evidence_options import parse_options


@dataclass
class Options:
    """The options of this script."""

    few: int = csvision.option("rows of the small file", 20_000, ge=1, le=10**8)
    many: int = csvision.option("rows of the large file", 1_000_000, ge=1, le=10**8)


PROGRAM = """
import json, resource, sys, time
from csvision import predict_to_file
def peak_mb(): return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
before, wall, cpu = peak_mb(), time.perf_counter(), time.process_time()
run, csv, output_dir = sys.argv[1:]
path = predict_to_file(run, csv, f"output_dir={output_dir}", "device=cpu", "quiet=true")
measured = {
    "seconds": time.perf_counter() - wall,
    "cpu_seconds": time.process_time() - cpu,
    "extra_mb": peak_mb() - before,
    "peak_mb": peak_mb(),
    "rows": sum(1 for line in path.open()) - 1,
}
print(json.dumps(measured))
"""


def write_rows(path: Path, rows: int) -> None:
    """Write the included images without labels, again and again, as a CSV file of `rows` rows."""
    images = csvision.read_table("bundled").images
    pixels = images.reshape(len(images), -1)
    header = ",".join(f"pixel{index}" for index in range(pixels.shape[1]))
    lines = [",".join(map(str, row)) for row in pixels.tolist()]
    with path.open("w", encoding="utf-8") as file:
        file.write(f"{header}\n")
        for row in range(rows):
            file.write(f"{lines[row % len(lines)]}\n")


def measure(run: Path, csv: Path, output_dir: Path) -> dict[str, float]:
    """Predict a file in a new process."""
    command = [sys.executable, "-c", PROGRAM, str(run), str(csv), str(output_dir)]
    measured: dict[str, float] = json.loads(subprocess.check_output(command, text=True))
    return measured


def main() -> None:
    """Run the benchmark."""
    options = parse_options(Options, __doc__)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        training = ("model=mlp", "debug=fast", "logger=none", "quiet=true")
        run = csvision.train(*training, f"output_dir={folder}").directory
        names = ("file MB", "seconds", "CPU s", "extra MB", "peak MB")
        print(f"{'rows':>10}", *(f"{name:>8}" for name in names))
        peaks = []
        for rows in (options.few, options.many):
            csv = folder / f"{rows}.csv"
            write_rows(csv, rows)
            result = measure(run, csv, folder)
            assert result["rows"] == rows
            size = csv.stat().st_size / 1e6
            figures = (
                *(size, result["seconds"], result["cpu_seconds"]),
                *(result["extra_mb"], result["peak_mb"]),
            )
            print(f"{rows:10,}", *(f"{figure:8.1f}" for figure in figures))
            peaks.append(result["peak_mb"])
        print(f"peak memory, many rows / few rows: {peaks[1] / peaks[0]:.2f}")


if __name__ == "__main__":
    main()
