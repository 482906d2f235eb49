"""Decide the claims of the course's notes: python scripts/claims.py 'claim=[B12,B15]'"""

from omegaconf import DictConfig

from csvision import config
from csvision.claims import catalogue
from csvision.command_line.main import run_command


def main(composed: DictConfig) -> None:
    """Decide one, some or all claims."""
    settings = config.load(composed)
    # Told before anything heavy is loaded.
    catalogue.choose(settings.claim)
    from csvision.api import decide_configured

    decide_configured(settings)


if __name__ == "__main__":
    run_command("claims", main)
