"""The same as `csvision export`."""

import sys

from csvision.cli.main import run_process

if __name__ == "__main__":
    run_process(["export", *sys.argv[1:]])
