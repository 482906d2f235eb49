"""The same as `csvision train`."""

import sys

from csvision.cli.main import run_process

if __name__ == "__main__":
    run_process(["train", *sys.argv[1:]])
