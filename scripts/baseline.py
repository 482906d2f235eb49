"""The same as `csvision baseline`."""

import sys

from csvision.cli.main import main

if __name__ == "__main__":
    main(["baseline", *sys.argv[1:]])
