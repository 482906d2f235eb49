"""The same as `csvision claims`."""

import sys

from csvision.cli.main import main

if __name__ == "__main__":
    main(["claims", *sys.argv[1:]])
