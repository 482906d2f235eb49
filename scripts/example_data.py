"""The same as `csvision example-data`."""

import sys

from csvision.cli.main import main

if __name__ == "__main__":
    main(["example-data", *sys.argv[1:]])
