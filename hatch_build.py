"""Add conf/ to the wheel, as csvision/conf, and to the source distribution."""

import shutil
import subprocess
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface


class ConfBuildHook(BuildHookInterface[Any]):
    """The configuration files of a distribution."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Add the files; an editable installation reads conf/ of the project instead."""
        if version == "editable":
            return
        root = Path(self.root)
        prefix = "csvision/" if self.target_name == "wheel" else ""
        for path in conf_files(root):
            build_data["force_include"][str(root / path)] = f"{prefix}{path.as_posix()}"


def conf_files(root: Path) -> list[Path]:
    """Return the paths of the *.yaml files in conf/, relative to `root`.

    In a Git checkout, only tracked files count: a file that somebody is trying out is not released.
    """
    files = [path.relative_to(root) for path in sorted((root / "conf").rglob("*.yaml"))]
    if not (root / ".git").exists() or shutil.which("git") is None:
        return files
    # Git otherwise refuses a checkout that belongs to another user, as in a container.
    command = ["git", "-c", "safe.directory=*", "-C", str(root), "ls-files", "-z", "--", "conf"]
    tracked = set(subprocess.check_output(command, text=True).split("\0"))
    return [path for path in files if path.as_posix() in tracked]
