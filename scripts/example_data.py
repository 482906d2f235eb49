"""The same as `csvision example-data`."""

import sys

from csvision.cli.main import run_process

if __name__ == "__main__":
    run_process(["example-data", *sys.argv[1:]])
