"""The same as `csvision baseline`."""

import sys

from csvision.cli.main import run_process

if __name__ == "__main__":
    run_process(["baseline", *sys.argv[1:]])
