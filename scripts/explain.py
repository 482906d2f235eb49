"""The same as `csvision explain`."""

import sys

from csvision.cli.main import run_process

if __name__ == "__main__":
    run_process(["explain", *sys.argv[1:]])
