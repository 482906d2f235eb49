"""The same as `csvision lr-find`."""

import sys

from csvision.cli.main import main

if __name__ == "__main__":
    main(["lr-find", *sys.argv[1:]])
