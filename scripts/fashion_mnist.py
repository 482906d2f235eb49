"""Make Fashion-MNIST's CSV files from its official archives."""

import argparse
import sys
from pathlib import Path

from csvision.data.fashion_mnist import DEFAULT_FOLDER, make_tables
from csvision.errors import UserError


def main() -> int:
    """Read the command line, make the files, and return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--to", type=Path, default=DEFAULT_FOLDER, metavar="DIR", help="folder of the CSV files"
    )
    parser.add_argument(
        "--from",
        dest="source",
        type=Path,
        metavar="FOLDER",
        help="folder of the official files; else Debian's package, else a download",
    )
    parser.add_argument(
        "--embedded",
        type=Path,
        metavar="FILE.csv.gz",
        help="also pack the first 6,000 training images into this file",
    )
    options = parser.parse_args()
    try:
        make_tables(options.to, options.source, options.embedded)
    except UserError as error:
        for fault in error.faults:
            print(f"error: {fault}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
