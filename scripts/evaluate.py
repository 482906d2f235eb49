"""The same as `csvision evaluate`."""

import sys

from csvision.cli.main import run_process

if __name__ == "__main__":
    run_process(["evaluate", *sys.argv[1:]])
