"""The same as `csvision inspect-data`."""

import sys

from csvision.cli.main import main

if __name__ == "__main__":
    main(["inspect-data", *sys.argv[1:]])
