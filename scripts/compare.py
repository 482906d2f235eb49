"""The same as `csvision compare`."""

import sys

from csvision.cli.main import run_process

if __name__ == "__main__":
    run_process(["compare", *sys.argv[1:]])
