"""A file of finished photographs, so that an interrupted scan goes on where it stopped."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Self

from exiface.errors import UserError
from exiface.json_lines import complete_lines

_VERSION = 1


class Journal:
    """JSON lines: the scan's settings first, then one line a finished photograph.

    Args:
        path: the file; None: nothing is kept.
        settings: what the lines depend on.

    Raises:
        UserError: the file belongs to a scan with other settings.
    """

    def __init__(self, path: Path | None, settings: Mapping[str, Any]) -> None:
        self.entries: dict[str, dict[str, Any]] = {}
        self._stream = None
        if path is None:
            return
        settings = {"version": _VERSION, **settings}
        lines = list(complete_lines(path))
        if lines and lines[0] != settings:
            raise UserError(
                f"{path} belongs to a scan with other settings; finish that one, or delete the file"
            )
        self.entries = {entry["file"]: entry for entry in lines[1:]}
        # Written anew, so that a line cut short by a kill isn't appended to.
        partial = path.with_name(path.name + ".partial")
        with partial.open("w", encoding="utf-8") as stream:
            for line in (settings, *self.entries.values()):
                stream.write(json.dumps(line) + "\n")
        partial.replace(path)
        self._stream = path.open("a", encoding="utf-8")

    def add(self, entry: dict[str, Any]) -> None:
        """Keep a finished photograph's entry (its key `file` names it)."""
        self.entries[entry["file"]] = entry
        if self._stream is not None:
            self._stream.write(json.dumps(entry) + "\n")
            self._stream.flush()

    def holds(self, name: str, path: Path) -> bool:
        """Whether a photograph is finished, and unchanged since."""
        entry = self.entries.get(name)
        try:
            status = path.stat()
        except OSError:
            return False
        if entry is None:
            return False
        return bool((entry["size"], entry["mtime"]) == (status.st_size, status.st_mtime_ns))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        if self._stream is not None:
            self._stream.close()
