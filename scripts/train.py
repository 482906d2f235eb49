"""The same as `csvision train`."""

import sys

from csvision.cli.main import main

if __name__ == "__main__":
    main(["train", *sys.argv[1:]])
