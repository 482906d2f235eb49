"""Run `python -m csvision COMMAND ...`."""

from csvision.cli.main import run_process

if __name__ == "__main__":
    run_process()
