"""The configuration that a run's files tell: it names no code, and no folder to write to."""

from dataclasses import replace

from csvision import config, schema
from csvision.errors import RunError
from csvision.run.directory import RunDirectory


def read_config(run: RunDirectory) -> schema.Train:
    """The configuration of a run; raises RunError when it is damaged.

    It can name no code, and no folder that is written to.
    """
    manifest = run.read_manifest()
    try:
        return without_folders(config.from_plain(manifest["config"]))
    except (KeyError, TypeError, ValueError) as error:
        raise RunError(f"{run.manifest}: its config is damaged: {error}") from error


def without_folders(settings: schema.Train) -> schema.Train:
    """Settings that came from a file, their cache this user's own: files choose no folders."""
    cache = schema.NO_CACHE if settings.data.cache == schema.NO_CACHE else None
    return replace(settings, data=replace(settings.data, cache=cache))


def with_code(settings: schema.Train, run: RunDirectory, model_path: str | None) -> schema.Train:
    """The settings with the code that the command line names instead of the file's.

    Raises RunError when it names none.
    """
    if not isinstance(settings.model, schema.Custom):
        return settings
    if model_path is None:
        raise RunError(f"{run.path} holds an own network; name its code: model.path=FILE.py:CLASS")
    return replace(settings, model=replace(settings.model, path=model_path))
