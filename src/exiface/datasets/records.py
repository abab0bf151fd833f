"""What is known of photographs beyond their files: a CSV of tags, photo ids and groups."""

import csv
from pathlib import Path
from typing import Any

from exiface.errors import UserError
from exiface.photos import CameraTags

# Columns of a records file, by the names that they are met under.
_TAG_COLUMNS = {
    "aperture": ("aperture", "fnumber", "f_number"),
    "exposure_time": ("exposure_time", "exposure_time_s"),
    "focal_length": ("focal_length", "focal_length_mm"),
    "iso_speed": ("iso_speed", "iso"),
}


def read_records(path: Path) -> dict[str, dict[str, Any]]:
    """Read tags, photo ids and groups of photographs from a CSV.

    Args:
        path: CSV with a column `file` (relative to the folder of photographs) and any of `photo`,
            `group`, `camera` (or `make` and `model`), and the tags in SI units (`aperture` or
            `fnumber`, `exposure_time`, `focal_length`, `iso`).

    Returns:
        file -> row with the keys photo, group, camera, tags.

    Raises:
        UserError: no column `file`.
    """
    with path.open(newline="", encoding="utf-8-sig") as stream:
        reader = csv.DictReader(stream)
        columns = reader.fieldnames or []
        if "file" not in columns:
            raise UserError(f"{path} must have a column 'file', it has: {', '.join(columns)}")
        present = {
            name: next((alias for alias in aliases if alias in columns), None)
            for name, aliases in _TAG_COLUMNS.items()
        }
        records = {}
        for row in reader:
            tags = CameraTags(
                **{name: row[column] for name, column in present.items() if column}  # type: ignore[arg-type]
            )
            make_and_model = [row.get("make"), row.get("model")]
            camera = row.get("camera") or " ".join(part for part in make_and_model if part)
            records[Path(row["file"]).as_posix()] = {
                "photo": row.get("photo") or "",
                "group": row.get("group") or "",
                "camera": camera,
                "tags": tags,
            }
    return records
