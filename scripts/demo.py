"""The same as `csvision demo`."""

import sys

from csvision.cli.main import run_process

if __name__ == "__main__":
    run_process(["demo", *sys.argv[1:]])
