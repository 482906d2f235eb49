"""Label the rows of a file: python scripts/predict.py run=DIR data.csv=FILE"""

from omegaconf import DictConfig

from csvision import config
from csvision.command_line.main import run_command


def main(composed: DictConfig) -> None:
    """Label the rows of one file."""
    settings = config.load(composed)
    from csvision.api import predict_configured

    predict_configured(settings)


if __name__ == "__main__":
    run_command("predict", main)
