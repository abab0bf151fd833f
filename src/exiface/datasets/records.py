"""What is known of pictures beyond their files: a CSV of tags, photo ids, groups and sources."""

import csv
from pathlib import Path
from typing import Any

from PIL import ExifTags

from exiface.datasets.splits import SPLITS
from exiface.errors import UserError
from exiface.photos import CameraTags
from exiface.photos.camera_settings import classes_of

# Columns of a records file, by the names that they are met under.
_TAG_COLUMNS = {
    "aperture": ("aperture", "fnumber", "f_number"),
    "exposure_time": ("exposure_time", "exposure_time_s"),
    "focal_length": ("focal_length", "focal_length_mm"),
    "iso_speed": ("iso_speed", "iso"),
    "focal_length_35mm": ("focal_length_35mm",),
    "brightness": ("brightness", "brightness_value"),
    "exposure_bias": ("exposure_bias",),
}
# Columns with what the camera was set to, in EXIF's numbers.
_SETTINGS = {
    "flash": ExifTags.Base.Flash,
    "metering_mode": ExifTags.Base.MeteringMode,
    "exposure_mode": ExifTags.Base.ExposureMode,
    "white_balance": ExifTags.Base.WhiteBalance,
    "exposure_program": ExifTags.Base.ExposureProgram,
    "scene_capture_type": ExifTags.Base.SceneCaptureType,
}

_TRUTH = {"": False, "0": False, "false": False, "1": True, "true": True}


def read_records(path: Path) -> dict[str, dict[str, Any]]:
    """Read what is known of pictures from a CSV.

    Its column `file` is relative to the folder of pictures. Others may be `photo`, `group`,
    `camera` (or `make` and `model`), `source`, `generated` (0 or 1), `split`; tags in SI units
    (`aperture` or `fnumber`, `exposure_time`, `focal_length`, `iso`, `focal_length_35mm`,
    `brightness`, `exposure_bias`); and settings in EXIF's numbers (`flash`, `metering_mode`,
    `exposure_mode`, `white_balance`, `exposure_program`, `scene_capture_type`).

    Returns:
        file -> row with the keys photo, group, camera, source, generated, split, tags.

    Raises:
        UserError: no column `file`, or a `generated` or `split` that is none.
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
            make, model = row.get("make"), row.get("model")
            settings: dict[int, Any] = {ExifTags.Base.Make: make, ExifTags.Base.Model: model}
            settings |= {field: _whole(row.get(name)) for name, field in _SETTINGS.items()}
            numbers = {name: row[column] for name, column in present.items() if column}
            tags = CameraTags.of(numbers | classes_of(settings))
            camera = row.get("camera") or " ".join(filter(None, (make, model)))
            generated = (row.get("generated") or "").strip().lower()
            split = row.get("split") or ""
            if generated not in _TRUTH or split not in ("", *SPLITS):
                raise UserError(
                    f"{path}, line {reader.line_num}: generated must be 0 or 1 and split one of "
                    f"{', '.join(SPLITS)} or empty, got {generated!r} and {split!r}"
                )
            records[Path(row["file"]).as_posix()] = {
                **{name: row.get(name) or "" for name in ("photo", "group", "source")},
                "camera": camera,
                "generated": _TRUTH[generated],
                "split": split,
                "tags": tags,
            }
    return records


def _whole(text: str | None) -> int | None:
    """A number that may be written as 16.0; None where it is none."""
    try:
        return int(float(text or ""))
    except (ValueError, OverflowError):
        return None
