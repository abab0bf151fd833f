"""How two ways are timed in turn, and the table that a benchmark leaves."""

import csv
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from statistics import median

import numpy as np
from rich.console import Console
from rich.table import Table

Row = tuple[str, ...]
COLUMNS = ("what", "ours", "alternative", "unit", "ratio", "against", "note")


def in_turn(
    ours: Callable[[], object], other: Callable[[], object], rounds: int
) -> tuple[float, float, float]:
    """Seconds of both, and how many times longer the other takes (medians)."""
    pairs = []
    for number in range(rounds + 1):
        seconds = []
        for side in (ours, other):
            start = time.perf_counter()
            side()
            seconds.append(time.perf_counter() - start)
        if number:  # the first round warms up
            pairs.append(seconds)
    mine, theirs = zip(*pairs, strict=True)
    return median(mine), median(theirs), median(b / a for a, b in pairs)


def row(
    what: str,
    unit: str,
    figures: tuple[float, float, float],
    against: str,
    *,
    work: float | None = None,
    note: str = "",
) -> Row:
    """One line of the table; with `work`, seconds become work a second."""
    ours, other, ratio = figures
    if unit == "milliseconds":
        ours, other = 1e3 * ours, 1e3 * other
    if work is not None:
        ours, other = work / ours, work / other
    shown = [
        np.format_float_positional(value, precision=3, fractional=False, trim="-")
        for value in (ours, other, ratio)
    ]
    return (what, *shown[:2], unit, shown[2], against, note)


def write_table(rows: Sequence[Row], path: Path, columns: Row = ("what", "value", "unit")) -> None:
    """Write the rows as CSV, and print them."""
    with path.open("w", newline="", encoding="utf-8") as stream:
        csv.writer(stream).writerows([columns, *rows])
    table = Table(*columns, box=None)
    for values in rows:
        table.add_row(*values)
    Console().print(table)
