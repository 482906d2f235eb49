"""The same as `csvision prepare-fashion-mnist`."""

import sys

from csvision.cli.main import run_process

if __name__ == "__main__":
    run_process(["prepare-fashion-mnist", *sys.argv[1:]])
