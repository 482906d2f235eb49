"""Check a run before torch is imported, which takes seconds."""

from pathlib import Path

from csvision.config import command_schema

RunCommandConfig = (
    command_schema.ResumeConfig
    | command_schema.EvaluateConfig
    | command_schema.PredictConfig
    | command_schema.ExportConfig
    | command_schema.InspectConfig
    | command_schema.DemoConfig
    | command_schema.ReproduceConfig
)
"""The configurations of commands on a run."""


def check_run(config: RunCommandConfig) -> None:
    """Raise RunError before torch is imported: for a damaged run.json, or code it does not need."""
    from csvision.run.code_paths import CodePaths, check_needed
    from csvision.run.directory import RunDirectory

    run_dir = RunDirectory(Path(config.run))
    given = {name: getattr(config, name).path for name in CodePaths.PARTS if hasattr(config, name)}
    check_needed(run_dir.read_run_config(), run_dir, CodePaths(**given))
