"""The same as `csvision reproduce`."""

import sys

from csvision.cli.main import main

if __name__ == "__main__":
    main(["reproduce", *sys.argv[1:]])
