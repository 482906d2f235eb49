"""The same as `csvision claims`."""

import sys

from csvision.cli.main import run_process

if __name__ == "__main__":
    run_process(["claims", *sys.argv[1:]])
