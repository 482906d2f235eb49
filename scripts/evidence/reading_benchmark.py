"""Measure time and memory of reading a CSV file with csvision and with pandas.read_csv.

Every measurement runs in a new process; the table shows medians.
"""

import json
import subprocess
import sys
import tempfile
from pathlib import Path
from statistics import median

PROGRAM = """
import json, resource, sys, time
def peak_mb(): return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
{imports}
before, start = peak_mb(), time.perf_counter()
{statements}
seconds = time.perf_counter() - start
measured = {{"seconds": seconds, "extra": peak_mb() - before, "peak": peak_mb()}}
print(json.dumps(measured | more))
"""

PANDAS = ("import pandas", "table = pandas.read_csv(sys.argv[1])\nmore = {}")
CSVISION = (
    "from csvision import ReadOptions, read_table",
    "table = read_table(sys.argv[1], ReadOptions(cache=sys.argv[2]))\n"
    "arrays = (table.images, table.labels, table.hashes, table.constant)\n"
    "more = {'bytes': sum(array.nbytes for array in arrays) / table.images.size}",
)
HASHING = (
    "from pathlib import Path\nfrom csvision import file_sha256",
    "file_sha256(Path(sys.argv[1]))\nmore = {}",
)

Measurement = dict[str, float]
"""seconds; extra and peak: MB above the memory after the imports, and in total."""


def measure(program: tuple[str, str], csv: Path, cache: Path) -> Measurement:
    """Run a program on a file in a new process."""
    imports, statements = program
    code = PROGRAM.format(imports=imports, statements=statements)
    command = [sys.executable, "-c", code, str(csv), str(cache)]
    result: Measurement = json.loads(subprocess.check_output(command, text=True))
    return result


def medians(measurements: list[Measurement]) -> Measurement:
    """Return the median of each value."""
    return {name: median(each[name] for each in measurements) for name in measurements[0]}


def write_copies(source: Path, target: Path, copies: int) -> None:
    """Write a file with the rows `copies` times; each copy changes another pixel of every row.

    Reads one row at a time: on Linux, the peak memory of this process counts for those it starts.
    """
    with target.open("w") as out:
        for copy in range(copies):
            with source.open() as lines:
                header = next(lines)
                if copy == 0:
                    out.write(header)
                column = 1 + copy % header.count(",")
                for line in lines:
                    cells = line.rstrip("\n").split(",", column + 1)
                    cells[column] = str((int(cells[column]) + copy) % 256)
                    out.write(",".join(cells) + "\n")


def benchmark_reading(csv: Path, repeats: int, copies: int) -> None:
    """Measure everything and print the table."""
    with tempfile.TemporaryDirectory() as folder:
        measure_all(csv, repeats, copies, Path(folder))


def measure_all(csv: Path, repeats: int, copies: int, folder: Path) -> None:
    """Measure and print; temporary files are written to `folder`."""
    pandas, first, second, hashing = [], [], [], []
    for repeat in range(repeats):
        cache = folder / f"cache{repeat}"
        pandas.append(measure(PANDAS, csv, cache))
        first.append(measure(CSVISION, csv, cache))
        second.append(measure(CSVISION, csv, cache))
        hashing.append(measure(HASHING, csv, cache))
    large = folder / "large.csv"
    write_copies(csv, large, copies)
    multiple = [measure(CSVISION, large, folder / f"large{repeat}") for repeat in range(repeats)]
    rows = {
        "pandas.read_csv": medians(pandas),
        "csvision, first read": medians(first),
        "csvision, second read (cached)": medians(second),
        "  of which hashing the file": medians(hashing),
        f"csvision, first read, {copies} x rows": medians(multiple),
    }
    print(f"{f'median of {repeats}':<36} {'seconds':>8} {'extra MB':>9} {'peak MB':>8}")
    for name, row in rows.items():
        print(f"{name:<36} {row['seconds']:8.3f} {row['extra']:9.0f} {row['peak']:8.0f}")
    print_ratios(csv, copies, *rows.values())


def print_ratios(
    csv: Path,
    copies: int,
    pandas: Measurement,
    first: Measurement,
    second: Measurement,
    hashing: Measurement,
    multiple: Measurement,
) -> None:
    """Print the ratios between the rows of the table."""
    rate = csv.stat().st_size / hashing["seconds"] / 1e6
    print(f"first read / pandas: {first['seconds'] / pandas['seconds']:.2f}")
    print(f"second read without hashing: {second['seconds'] - hashing['seconds']:.3f} s")
    print(f"hashing: {rate:.0f} MB/s")
    ratio = multiple["seconds"] / first["seconds"] / copies
    print(f"time per row, {copies} x rows / 1 x: {ratio:.2f}")
    print(f"bytes per pixel in memory: {first['bytes']:.3f}")
