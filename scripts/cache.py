"""The same as `csvision cache`."""

import sys

from csvision.cli.main import run_process

if __name__ == "__main__":
    run_process(["cache", *sys.argv[1:]])
