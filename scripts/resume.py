"""Go on with an interrupted run or sweep: python scripts/resume.py run=DIR"""

from pathlib import Path

from omegaconf import DictConfig

from csvision import config
from csvision.command_line.main import run_command


def main(composed: DictConfig) -> None:
    """Go on with one run, or with all jobs of a sweep."""
    settings = config.load(composed)
    from csvision.api import resume, resume_sweep
    from csvision.run.resume import is_sweep

    if not is_sweep(Path(settings.run)):
        resume(settings.run, settings.model.path)
    elif not resume_sweep(settings.run, settings.model.path):
        raise SystemExit(1)


if __name__ == "__main__":
    run_command("resume", main)
