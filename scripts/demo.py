"""The same as `csvision demo`."""

import sys

from csvision.cli.main import main

if __name__ == "__main__":
    main(["demo", *sys.argv[1:]])
