"""The same as `csvision inspect`; a file inspect.py would hide Python's own module."""

import sys

from csvision.cli.main import run_process

if __name__ == "__main__":
    run_process(["inspect", *sys.argv[1:]])
