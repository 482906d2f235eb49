"""Train a run for more epochs than it was started with."""

from dataclasses import replace

from csvision.config import schema
from csvision.errors import RunError
from csvision.run.directory import RunDirectory
from csvision.run.log import log
from csvision.run.manifest import RESULT_HASHES

EXTENDED_FROM = "extended_from"
"""The entry of run.json with the numbers of epochs that the run had before it was extended."""


def extend_config(
    run_dir: RunDirectory, config: schema.TrainConfig, epochs: int
) -> schema.TrainConfig:
    """Return the configuration with a larger number of epochs.

    The result equals that of a run started with `epochs`. Raises RunError if it would not, because
    the schedule depends on the number of epochs, or if the run has as many epochs already.
    """
    finished = run_dir.read_manifest()["state"] == "finished"
    if epochs != config.epochs or finished:
        check_schedule(run_dir, config)
    if epochs < config.epochs or (finished and epochs == config.epochs):
        raise RunError(
            f"run={run_dir.path}: epochs={epochs} does not extend the run, which has "
            f"{config.epochs} epochs; choose a larger number"
        )
    return replace(config, epochs=epochs)


def check_schedule(run_dir: RunDirectory, config: schema.TrainConfig) -> None:
    """Raise RunError if the learning rates of past epochs depend on the number of epochs."""
    scheduler = config.scheduler
    if isinstance(scheduler, schema.CosineConfig | schema.OneCycleConfig):
        raise RunError(
            f"run={run_dir.path}: scheduler={scheduler.name.value} sets the learning rates for a "
            f"fixed number of epochs ({config.epochs}), so the run cannot be extended; train a new "
            "run with a larger number of epochs"
        )


def record_extension(run_dir: RunDirectory, config: schema.TrainConfig) -> None:
    """Record a larger number of epochs; the run is then an interrupted one.

    Its results stay until the new ones are written, but no longer count as those of its weights.
    """
    with run_dir.lock():
        manifest = run_dir.read_manifest()
        before = manifest["config"]["epochs"]
        if before == config.epochs:
            return
        for name in RESULT_HASHES:
            manifest.pop(name, None)
        run_dir.write_manifest(
            manifest
            | {
                "state": "interrupted",
                "config": manifest["config"] | {"epochs": config.epochs},
                "overrides": [*manifest.get("overrides", []), f"epochs={config.epochs}"],
                EXTENDED_FROM: [*manifest.get(EXTENDED_FROM, []), before],
            }
        )
    log.info("training %d epochs instead of %d; %s", config.epochs, before, describe(config))


def describe(config: schema.TrainConfig) -> str:
    """Say what the schedule does in the additional epochs."""
    match config.scheduler:
        case schema.StepConfig(step_size=step_size, gamma=gamma):
            return (
                f"scheduler=step still multiplies the learning rate by {gamma:g} every "
                f"{step_size} epochs"
            )
        case schema.PlateauConfig():
            return "scheduler=plateau still reduces the learning rate when monitor stops improving"
        case _:
            return "the learning rate stays constant"
