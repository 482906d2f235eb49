"""Train a network on images in a CSV file: python scripts/train.py model=cnn seed=1"""

import logging
from pathlib import Path
from shlex import quote

from hydra.core.hydra_config import HydraConfig
from hydra.types import RunMode
from omegaconf import DictConfig

from csvision import config
from csvision.command_line.main import run_command


def main(composed: DictConfig) -> float:
    """Train one configuration; the accuracy on validation rows, for sweepers that search."""
    from csvision.api import train_configured

    job = HydraConfig.get()
    directory = Path(job.runtime.output_dir)
    sweep = job.mode is RunMode.MULTIRUN
    if sweep:
        print(f"\njob {job.job.num}: {' '.join(job.overrides.task)}")
    try:
        trained = train_configured(config.load(composed), directory, job.overrides.task)
    except (KeyboardInterrupt, SystemExit):
        if sweep:
            folder = quote(f"run={job.sweep.dir}")
            print(f"the sweep goes on with python scripts/resume.py {folder}")
        raise
    except Exception as error:
        if not sweep:
            raise
        # The other jobs go on; the traceback is in this one's train.log.
        logging.getLogger("csvision").error("job %s failed: %s", job.job.num, error)
        return float("nan")
    return trained.metrics.get("val/acc", float("nan"))


if __name__ == "__main__":
    run_command("train", main)
