"""The same as `csvision export`."""

import sys

from csvision.cli.main import main

if __name__ == "__main__":
    main(["export", *sys.argv[1:]])
