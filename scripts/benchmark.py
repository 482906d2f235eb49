"""Measure csvision beside the course's way, each figure in a process of its own:

python scripts/benchmark.py suite=data
"""

import json
import subprocess
import sys
import tempfile
from pathlib import Path
from statistics import median

SOURCE = Path("outputs/data/fashion_mnist/train.csv")
REPEATS = 3

PROGRAM = """
import json, resource, sys, time
def peak(): return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
{imports}
before, start = peak(), time.perf_counter()
{work}
seconds = time.perf_counter() - start
print(json.dumps({{"seconds": seconds, "extra": peak() - before, "peak": peak(), **more}}))
"""

PANDAS = ("import pandas", "table = pandas.read_csv(sys.argv[1])\nmore = {}")
CSVISION = (
    "from csvision.data.table import read_table",
    "table = read_table(sys.argv[1], cache=sys.argv[2])\n"
    "arrays = (table.images, table.labels, table.hashes, table.constant)\n"
    "more = {'bytes': sum(array.nbytes for array in arrays) / table.images.size}",
)
HASHING = (
    "from pathlib import Path\nfrom csvision.data.parsed import file_sha256",
    "file_sha256(Path(sys.argv[1]))\nmore = {}",
)

Figures = dict[str, float]


def measure(program: tuple[str, str], file: Path, cache: Path) -> Figures:
    """Run a program on a file in a fresh process: seconds, MB at the peak and beyond imports."""
    imports, work = program
    code = PROGRAM.format(imports=imports, work=work)
    command = [sys.executable, "-c", code, str(file), str(cache)]
    result: Figures = json.loads(subprocess.check_output(command, text=True))
    return result


def medians(figures: list[Figures]) -> Figures:
    """The median of each figure."""
    return {name: median(each[name] for each in figures) for name in figures[0]}


def repeat_rows(source: Path, target: Path, times: int) -> None:
    """A file of `times` as many rows; in each copy one pixel of every row is another."""
    with source.open() as lines, target.open("w") as out:
        out.write(next(lines))
        rows = lines.readlines()
        for copy in range(times):
            for row in rows:
                cells = row.split(",", 101 + copy)
                cells[100 + copy] = str((int(cells[100 + copy]) + copy) % 256)
                out.write(",".join(cells))


def data_suite(folder: Path) -> None:
    """Print the table of reading and caching."""
    pandas, first, second, hashing = [], [], [], []
    for repeat in range(REPEATS):
        cache = folder / f"cache{repeat}"
        pandas.append(measure(PANDAS, SOURCE, cache))
        first.append(measure(CSVISION, SOURCE, cache))
        second.append(measure(CSVISION, SOURCE, cache))
        hashing.append(measure(HASHING, SOURCE, cache))
    large = folder / "large.csv"
    repeat_rows(SOURCE, large, 10)
    tenfold = [measure(CSVISION, large, folder / f"large{repeat}") for repeat in range(REPEATS)]
    rows = {
        "pandas.read_csv, 60,000 rows": medians(pandas),
        "csvision, first time": medians(first),
        "csvision, second time": medians(second),
        "of which hashing the source": medians(hashing),
        "csvision, first time, 600,000 rows": medians(tenfold),
    }
    print(f"{'median of ' + str(REPEATS):<36} {'seconds':>8} {'extra MB':>9} {'peak MB':>8}")
    for name, row in rows.items():
        print(f"{name:<36} {row['seconds']:8.3f} {row['extra']:9.0f} {row['peak']:8.0f}")
    print_ratios(*rows.values())


def print_ratios(
    pandas: Figures, first: Figures, second: Figures, hashing: Figures, tenfold: Figures
) -> None:
    """Print what the figures come to."""
    rate = SOURCE.stat().st_size / hashing["seconds"] / 1e6
    print(f"first time / pandas: {first['seconds'] / pandas['seconds']:.2f}")
    print(f"second time without hashing: {second['seconds'] - hashing['seconds']:.3f} s")
    print(f"hashing: {rate:.0f} MB/s")
    print(f"600,000 rows / ten times 60,000: {tenfold['seconds'] / first['seconds'] / 10:.2f}")
    print(f"bytes a pixel in memory: {first['bytes']:.3f}")


def main() -> None:
    """Run the suite that the command line names."""
    if "--help" in sys.argv:
        print(__doc__)
        return
    if sys.argv[1:] != ["suite=data"]:
        raise SystemExit("error: write python scripts/benchmark.py suite=data")
    if not SOURCE.exists():
        raise SystemExit(f"error: {SOURCE} is missing; python scripts/fashion_mnist.py makes it")
    with tempfile.TemporaryDirectory() as folder:
        data_suite(Path(folder))


if __name__ == "__main__":
    main()
