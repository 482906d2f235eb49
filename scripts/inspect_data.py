"""The same as `csvision inspect-data`."""

import sys

from csvision.cli.main import run_process

if __name__ == "__main__":
    run_process(["inspect-data", *sys.argv[1:]])
