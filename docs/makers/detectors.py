"""The table of the page Detectors: what each detector inside the package finds, flags and costs.

Everything is read when the page is made: figures from results/*.csv, sizes from the folders.
"""

import sys
from pathlib import Path

from docs.makers.tables import code, table
from exiface.detector.folder import BUILTIN, read_folder

ROOT = Path(__file__).parents[2]
sys.path.append(str(ROOT / "results"))

from quote import flagged_unseen  # noqa: E402 - a script of the results
from quote_left_out import FLAGGED, large_enough, of_all  # noqa: E402
from quoted import Row, interval, rows  # noqa: E402

ROWS = (
    *("judges", "learnt from", "finds of kinds that it knows", "finds of kinds never seen"),
    *("flags of photographs", "takes", "size"),
)
# Of results/speed.csv: the row of each, and which of its columns.
_SPEED = {
    "default": ("default: faces", "ours", "a face"),
    "photographs-only": ("default: faces", "alternative", "a face"),
    "whole-image": ("whole-image: ", "ours", "an image"),
}
NOT_MEASURED = "not measured"


def detectors() -> str:
    """The detectors inside the package, as a table of Markdown."""
    columns = [_column(name) for name in BUILTIN]
    lines = [[row, *cells] for row, cells in zip(ROWS, zip(*columns, strict=True), strict=True)]
    return table(" | ".join(["", *map(code, BUILTIN)]), lines)


def _column(name: str) -> list[str]:
    parts = read_folder(BUILTIN[name])
    judges = "faces" if parts.encoder.subject == "face" else "whole images"
    size = sum(path.stat().st_size for path in BUILTIN[name].iterdir()) / 1e6
    return [
        judges,
        parts.learnt_from,
        *_found(name),
        _time(name),
        f"{size:.1f} MB",
    ]


def _found(name: str) -> list[str]:
    """Shares flagged of known kinds, of kinds never seen and of photographs."""
    if name == "whole-image":
        return [f"{interval(row, FLAGGED, '.0%')}, from 768 px" for row in large_enough().values()]
    if name == "default":
        return [interval(row, FLAGGED, ".0%") for row in of_all("faces").values()]
    flagged = flagged_unseen(".0%")
    return ["it knows none", flagged["generated"], flagged["photographs"]]


def _time(name: str) -> str:
    begins, column, what = _SPEED[name]
    found: list[Row] = [row for row in rows("speed") if row["what"].startswith(begins)]
    if not found:
        return NOT_MEASURED
    row = found[0]
    if not row["unit"].endswith("a second"):
        raise ValueError(f"results/speed.csv: {row['what']!r} must be a number a second")
    return f"{1000 / float(row[column]):.0f} ms {what}"
