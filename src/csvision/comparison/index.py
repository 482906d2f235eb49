"""An index of the runs in a folder, so that many thousands are listed within seconds.

`.runs.jsonl` has one line for each version of a run.json that was read; the last one of a run
counts. It contains derived data only: lines that cannot be read, or whose run.json has changed, are
made again, and without the file everything is read from the runs.
"""

import json
import os
from collections.abc import Iterable, Sequence
from pathlib import Path

from csvision.comparison.record import RunRecord, from_line, read_run, to_line
from csvision.config.flatten import Values

INDEX = ".runs.jsonl"

VERSION = 2

Stamp = tuple[int, int]
"""Time in nanoseconds and size of a run.json."""


class RunIndex:
    """The index of one folder, read from its file."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.path = folder / INDEX
        self.base: Values = {}
        self.entries: dict[str, tuple[Stamp, RunRecord]] = {}
        self.lines = 0
        self.damaged = False
        self.read()

    def read(self) -> None:
        """Read the file; an index that cannot be used is empty."""
        try:
            with self.path.open(encoding="utf-8", errors="replace") as file:
                header = json.loads(next(file))
                if header["version"] != VERSION:
                    raise ValueError("another version")
                self.base.update(header["base"])
                for line in file:
                    self.read_line(line)
        except FileNotFoundError:
            return
        except (OSError, ValueError, KeyError, TypeError, StopIteration, RecursionError):
            self.base.clear()
            self.entries.clear()
            self.damaged = True

    def read_line(self, line: str) -> None:
        """Keep the record of a line, unless another process has damaged it."""
        self.lines += 1
        try:
            content = json.loads(line)
            time, size = content["stamp"]
            record = from_line(content, str(self.folder), self.base)
            self.entries[content["directory"]] = ((time, size), record)
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
            self.damaged = True

    def update(self, names: Iterable[str]) -> list[RunRecord]:
        """Return the records of runs by the names of their folders; read what has changed."""
        records, added = [], []
        for name in names:
            stamp = stamp_of(f"{self.folder}/{name}/run.json")
            known = self.entries.get(name)
            if known is None or known[0] != stamp:
                record = read_run(self.folder / name, self.base)
                if stamp is not None:
                    self.entries[name] = (stamp, record)
                    added.append(to_line(record, stamp, self.folder))
                records.append(record)
            else:
                records.append(known[1])
        self.write(added)
        return records

    def write(self, added: Sequence[str]) -> None:
        """Append lines, or write the file again if it is damaged or mostly outdated.

        A folder that cannot be written keeps its file.
        """
        whole = self.damaged or not self.path.exists() or self.lines > 3 * len(self.entries) + 100
        try:
            if whole and self.entries:
                self.rewrite()
            elif added:
                # A link would lead outside of the folder.
                flags = os.O_WRONLY | os.O_APPEND | os.O_NOFOLLOW
                with os.fdopen(os.open(self.path, flags), "a", encoding="utf-8") as file:
                    file.write("".join(f"{line}\n" for line in added))
        except OSError:
            pass

    def rewrite(self) -> None:
        """Write all records to a new file, which replaces the old one."""
        temporary = self.path.with_name(f"{INDEX}.{os.getpid()}")
        try:
            with temporary.open("w", encoding="utf-8") as file:
                file.write(json.dumps({"version": VERSION, "base": self.base}) + "\n")
                for stamp, record in self.entries.values():
                    file.write(to_line(record, stamp, self.folder) + "\n")
            temporary.replace(self.path)
        finally:
            temporary.unlink(missing_ok=True)


def stamp_of(path: str) -> Stamp | None:
    """Return what identifies the version of a file; None if it does not exist."""
    try:
        # Path is three times as slow.
        status = os.stat(path)  # noqa: PTH116
    except OSError:
        return None
    return status.st_mtime_ns, status.st_size
