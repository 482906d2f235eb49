"""The same as `csvision resume`."""

import sys

from csvision.cli.main import main

if __name__ == "__main__":
    main(["resume", *sys.argv[1:]])
