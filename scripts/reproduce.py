"""Run a finished run again and compare, bit by bit: python scripts/reproduce.py run=DIR"""

from omegaconf import DictConfig

from csvision import config
from csvision.command_line.main import run_command


def main(composed: DictConfig) -> None:
    """Say equal, or name what differs and end with exit code 1."""
    settings = config.load(composed)
    from csvision.api import reproduce

    if not reproduce(settings.run, settings.model.path).equal:
        raise SystemExit(1)


if __name__ == "__main__":
    run_command("reproduce", main)
