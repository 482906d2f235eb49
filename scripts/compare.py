"""The same as `csvision compare`."""

import sys

from csvision.cli.main import main

if __name__ == "__main__":
    main(["compare", *sys.argv[1:]])
