"""What the quoted tables share: rows of results/*.csv, and how their figures are written."""

import csv
from collections.abc import Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
Row = dict[str, str]


def rows(name: str) -> list[Row]:
    with (ROOT / "results" / f"{name}.csv").open(newline="") as stream:
        return list(csv.DictReader(stream))


def table(head: str, lines: Sequence[Sequence[str]], *, numbers: int) -> str:
    """Markdown; the last so many columns are numbers."""
    columns = head.split(" | ")
    marks = ["---"] * (len(columns) - numbers) + ["---:"] * numbers
    body = [columns, marks, *lines]
    return "".join(f"| {' | '.join(line)} |\n" for line in body)


def share(row: Row, key: str) -> str:
    return f"{float(row[key]):.1%}" if row[key] else ""


def auc(row: Row, key: str = "auc") -> str:
    return f"{float(row[key]):.2f}" if row[key] else ""


def interval(row: Row, keys: tuple[str, str, str], form: str) -> str:
    figure, low, high = (format(float(row[key]), form) for key in keys)
    return f"{figure} ({low} to {high})"
