"""The same as `csvision predict`."""

import sys

from csvision.cli.main import run_process

if __name__ == "__main__":
    run_process(["predict", *sys.argv[1:]])
