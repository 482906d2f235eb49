"""The same as `csvision lr-find`."""

import sys

from csvision.cli.main import run_process

if __name__ == "__main__":
    run_process(["lr-find", *sys.argv[1:]])
