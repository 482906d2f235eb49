"""Test a finished run: python scripts/evaluate.py run=DIR [data.csv=FILE]"""

from omegaconf import DictConfig

from csvision import config
from csvision.command_line.main import run_command


def main(composed: DictConfig) -> None:
    """Test one run."""
    settings = config.load(composed)
    from csvision.api import evaluate_configured

    evaluate_configured(settings)


if __name__ == "__main__":
    run_command("evaluate", main)
