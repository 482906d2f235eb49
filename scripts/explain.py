"""The same as `csvision explain`."""

import sys

from csvision.cli.main import main

if __name__ == "__main__":
    main(["explain", *sys.argv[1:]])
