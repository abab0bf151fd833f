"""The table that a benchmark leaves: what, value, unit."""

import csv
from collections.abc import Sequence
from pathlib import Path

Row = tuple[str, str, str]
_COLUMNS = ("what", "value", "unit")


def write_table(rows: Sequence[Row], path: Path) -> None:
    """Write the rows as CSV, and print them."""
    with path.open("w", newline="", encoding="utf-8") as stream:
        csv.writer(stream).writerows([_COLUMNS, *rows])
    print(*rows, sep="\n")
