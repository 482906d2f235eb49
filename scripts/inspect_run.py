"""The same as `csvision inspect`; a file inspect.py would hide Python's own module."""

import sys

from csvision.cli.main import main

if __name__ == "__main__":
    main(["inspect", *sys.argv[1:]])
