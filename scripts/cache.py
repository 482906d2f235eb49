"""The same as `csvision cache`."""

import sys

from csvision.cli.main import main

if __name__ == "__main__":
    main(["cache", *sys.argv[1:]])
