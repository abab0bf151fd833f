"""JSON lines that were being written when a run was killed."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any


def complete_lines(path: Path) -> Iterator[dict[str, Any]]:
    """Read the objects of a file of JSON lines up to a line that was cut short; none if absent."""
    if not path.exists():
        return
    with path.open(encoding="utf-8") as stream:
        for line in stream:
            try:
                yield json.loads(line)
            except json.JSONDecodeError:
                return
