"""The same as `csvision convert`."""

import sys

from csvision.cli.main import main

if __name__ == "__main__":
    main(["convert", *sys.argv[1:]])
