"""The same as `csvision predict`."""

import sys

from csvision.cli.main import main

if __name__ == "__main__":
    main(["predict", *sys.argv[1:]])
