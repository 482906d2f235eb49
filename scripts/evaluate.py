"""The same as `csvision evaluate`."""

import sys

from csvision.cli.main import main

if __name__ == "__main__":
    main(["evaluate", *sys.argv[1:]])
