"""The same as `csvision reproduce`."""

import sys

from csvision.cli.main import run_process

if __name__ == "__main__":
    run_process(["reproduce", *sys.argv[1:]])
