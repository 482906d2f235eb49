"""The same as `csvision resume`."""

import sys

from csvision.cli.main import run_process

if __name__ == "__main__":
    run_process(["resume", *sys.argv[1:]])
