"""The same as `csvision convert`."""

import sys

from csvision.cli.main import run_process

if __name__ == "__main__":
    run_process(["convert", *sys.argv[1:]])
