"""Tell what is in a file of images and what is wrong with it: inspect_data.py data.csv=FILE"""

from omegaconf import DictConfig

from csvision import config
from csvision.command_line.main import run_command


def main(composed: DictConfig) -> None:
    """Inspect one data set."""
    settings = config.load(composed)
    from csvision.report.data import inspect_data

    inspect_data(settings)


if __name__ == "__main__":
    run_command("inspect_data", main)
