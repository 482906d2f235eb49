"""The same as `csvision prepare-fashion-mnist`."""

import sys

from csvision.cli.main import main

if __name__ == "__main__":
    main(["prepare-fashion-mnist", *sys.argv[1:]])
