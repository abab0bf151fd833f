"""The published training data as its authors lay it out: FDF faces, EXIF as Flickr reports it.

::

    SSL_training_data
    ├── fdf_ccby2_exif_update_filtered_v2/<photo id>.json  {"EXIF": {"ISO Speed Ratings": ...}}
    ├── fdf_ccby2_exif_ordinal_categorical.json            BLADES' single file, instead of those
    ├── data/face_dataaug_neg/                             some users' place of the manipulations
    └── FDF/data
        ├── id_vs_fdfName.pkl                              image name -> photo id
        ├── face_dataaug_neg/<name>_<0..3>.png             the four manipulations of each face
        └── fdf/{fdf_metainfo.json, images/128/<name>.png} boxes and landmarks, faces

Source: the data's own layout, as Zou et al. (arXiv 2501.02207, 2507.22824) publish it.
"""

import hashlib
import io
import json
import os
import pickle
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import ExifTags

from exiface.datasets.manifest import Manifest
from exiface.datasets.scan import ScanSummary, summarise
from exiface.datasets.splits import assign_splits
from exiface.errors import UserError
from exiface.photos import (
    MANIPULATIONS,
    CameraTags,
    FaceDetector,
    UnreadableImageError,
    read_photo,
)
from exiface.photos.crops import Box
from exiface.photos.tags import camera_name
from exiface.progress import Progress, no_progress
from exiface.threads import ordered_map

EXIF_FOLDER = "fdf_ccby2_exif_update_filtered_v2"
BLADES_FILE = "fdf_ccby2_exif_ordinal_categorical.json"
_IDS_FILE = "FDF/data/id_vs_fdfName.pkl"
_FACES = "FDF/data/fdf"
_METAINFO_FILE = f"{_FACES}/fdf_metainfo.json"
_IMAGES_FOLDER = f"{_FACES}/images/128"
_MANIPULATED_FOLDERS = ("FDF/data/face_dataaug_neg", "data/face_dataaug_neg")
_VALIDATION_FACES = 5000  # as published
_VALIDATION_SHARE = 0.1  # of smaller sets
_LEAST_OVERLAP = 0.3  # intersection over union of a found face with the data set's box
_LONG_EXPOSURE = 2.0  # seconds; half of a data set's photographs never took as long
_CHUNK = 64  # faces that a thread takes at a time


@dataclass(frozen=True)
class _Sources:
    """What the folders hold, by name of the image."""

    root: Path
    metainfo: dict[str, Any]
    photo_ids: dict[str, str]
    blades: dict[str, Any]
    manipulated: dict[str, str]

    @cached_property
    def denominators(self) -> bool:
        """Whether BLADES' file says 200 for 1/200 s: most exposures are far below a second."""
        records = (each for each in self.blades.values() if isinstance(each, Mapping))
        given = [CameraTags.from_blades(each).exposure_time for each in records]
        times = [time for time in given if time is not None]
        return bool(times) and float(np.median(times)) > _LONG_EXPOSURE

    def tags(self, name: str) -> tuple[CameraTags, str] | str:
        """Read the tags and the camera of an image, or the reason why there are none."""
        if self.blades:
            record = self.blades.get(name)
            if not isinstance(record, Mapping):
                return "not in BLADES' file"
            return CameraTags.from_blades(record, denominators=self.denominators), ""
        photo = self.photo_ids.get(name)
        if photo is None:
            return "no photo id"
        path = self.root / EXIF_FOLDER / f"{photo}.json"
        try:
            exif = json.loads(path.read_bytes())["EXIF"]
            named: dict[int, Any] = {
                ExifTags.Base.Make: exif.get("Make"),
                ExifTags.Base.Model: exif.get("Model"),
            }
        except FileNotFoundError:
            return "no EXIF file"
        except (OSError, ValueError, KeyError, TypeError, AttributeError):
            return "damaged EXIF file"
        return CameraTags.from_flickr(exif), camera_name(named) or ""


def read_fdf(
    root: Path,
    *,
    fractions: Mapping[str, float] | None = None,
    seed: int = 0,
    workers: int | None = None,
    progress: Progress = no_progress,
) -> tuple[Manifest, ScanSummary]:
    """Index the published training data.

    Where a face's four manipulated images are there, training uses them; where they are not, it
    makes its own, for which landmarks are searched for unless the data give five or 68.

    Args:
        root: the folder SSL_training_data.
        fractions: share of each split; None: 5,000 faces for validation (a tenth of fewer than
            50,000), the others for training, as published. Faces of a photograph stay together.
        seed: of the splits.
        workers: threads; None = one a core.
        progress: called with (done, total) faces.

    Returns:
        The manifest, whose rows stand in the order of the names, and the summary.

    Raises:
        UserError: the folder isn't laid out like that; the text names what is missing.
    """
    root = root.resolve()
    sources = _sources(root)
    names = sorted(path.stem for path in (root / _IMAGES_FOLDER).glob("*.png"))
    if not names:
        raise UserError(f"{root / _IMAGES_FOLDER} holds no .png: unpack FDF's 128 px images there")
    detector = FaceDetector()
    chunks = [names[start : start + _CHUNK] for start in range(0, len(names), _CHUNK)]
    rows: list[dict[str, Any]] = []
    left_out: dict[str, list[str]] = {}
    done = 0

    def indexed(chunk: list[str]) -> list[tuple[str, dict[str, Any] | str]]:
        return [(name, _row(sources, name, detector)) for name in chunk]

    for entries in ordered_map(indexed, chunks, workers=workers):
        for name, entry in entries:
            if isinstance(entry, str):
                left_out.setdefault(entry, []).append(f"{_IMAGES_FOLDER}/{name}.png")
            else:
                rows.append(entry)
        done += len(entries)
        progress(done, len(names))
    if not rows:
        reasons = ", ".join(f"{len(files)} {reason}" for reason, files in left_out.items())
        raise UserError(
            f"{root}: none of {len(names)} images can be used ({reasons}); the names in "
            f"{_METAINFO_FILE}, {_IDS_FILE} and {_IMAGES_FOLDER} must belong together"
        )
    manifest = Manifest.from_rows(root, rows)
    if fractions is None:
        share = min(_VALIDATION_FACES / len(rows), _VALIDATION_SHARE)
        fractions = {"train": 1 - share, "validation": share}
    manifest = manifest.with_split(
        assign_splits(manifest.photo, manifest.group, fractions, seed=seed)
    )
    summary = summarise(manifest, len(names), left_out)
    summary.found = {
        "faces described": len(sources.metainfo),
        "photo ids": len(sources.photo_ids),
        "records of BLADES": len(sources.blades),
        "faces with manipulated images": int((manifest.manipulated != "").sum()),
    }
    if sources.denominators:
        summary.warn(
            f"{BLADES_FILE} gives exposure times as denominators, 200 for 1/200 s, and is read so"
        )
    if not sources.photo_ids:
        summary.warn(
            f"{_IDS_FILE} is missing, so it isn't known which faces are from one photograph: some "
            "may stand in training and validation both"
        )
    return manifest, summary


def _sources(root: Path) -> _Sources:
    needed = {_IMAGES_FOLDER: "the folder of FDF's faces at 128 px", _METAINFO_FILE: "FDF's boxes"}
    for name, what in needed.items():
        if not (root / name).exists():
            raise UserError(
                f"{root / name} is missing ({what}); name the folder SSL_training_data that holds "
                f"{_FACES}/ (see docs/exif-ranking.md)"
            )
    metainfo = _read_object(root / _METAINFO_FILE)
    ids, blades = root / _IDS_FILE, root / BLADES_FILE
    photo_ids = read_photo_ids(ids) if ids.exists() else {}
    records = {}
    if not (photo_ids and (root / EXIF_FOLDER).is_dir()):
        if not blades.exists():
            raise UserError(
                f"{root} holds no EXIF: it needs {EXIF_FOLDER}/ together with {_IDS_FILE}, or "
                f"{BLADES_FILE}"
            )
        records = _read_object(blades)
    return _Sources(root, metainfo, photo_ids, records, _manipulated(root))


def _read_object(path: Path) -> dict[str, Any]:
    try:
        content = json.loads(path.read_bytes())
    except (OSError, ValueError) as error:
        raise UserError(f"{path} is not JSON ({error}); download it again") from None
    if not isinstance(content, dict):
        raise UserError(f"{path} must hold one JSON object, name -> record; download it again")
    return content


class _StringsOnly(pickle.Unpickler):
    """Reads plain strings, numbers and containers; nothing that would run code."""

    def find_class(self, module: str, name: str) -> Any:
        raise pickle.UnpicklingError(f"it asks for {module}.{name}")


def read_photo_ids(path: Path) -> dict[str, str]:
    """Read the published pickle, image name -> photo id, without running anything from it.

    Raises:
        UserError: damaged, or more than a dictionary of strings.
    """
    try:
        content = _StringsOnly(io.BytesIO(path.read_bytes())).load()
    except Exception as error:  # a damaged pickle raises almost anything
        raise UserError(
            f"{path} is not the published dictionary of strings, and nothing else is loaded from "
            f"a pickle: {error}; download it again"
        ) from None
    if not isinstance(content, dict) or not all(
        isinstance(key, str) and isinstance(value, str | int) for key, value in content.items()
    ):
        raise UserError(f"{path} must hold a dictionary, image name -> photo id; download it again")
    ids = {key: str(value) for key, value in content.items()}
    # A photo id names a file: one that would lead elsewhere is none.
    return {key: value for key, value in ids.items() if Path(value).name == value}


def _manipulated(root: Path) -> dict[str, str]:
    """Image name -> path of its manipulated images without `_<0..3>.png`, where all four exist."""
    found: dict[str, str] = {}
    for folder in filter(lambda each: (root / each).is_dir(), _MANIPULATED_FOLDERS):
        files = {entry.name for entry in os.scandir(root / folder)}
        for name in {file.removesuffix("_0.png") for file in files if file.endswith("_0.png")}:
            if all(f"{name}_{index}.png" in files for index in range(len(MANIPULATIONS))):
                found.setdefault(name, f"{folder}/{name}")
    return found


def _row(sources: _Sources, name: str, detector: FaceDetector) -> dict[str, Any] | str:
    """One face's row of the manifest, or the reason why there is none."""
    described = sources.tags(name)
    if isinstance(described, str):
        return described
    path = sources.root / _IMAGES_FOLDER / f"{name}.png"
    content = path.read_bytes()
    # Width and height stand at the start of a PNG; decoding waits for training.
    if content[:8] != b"\x89PNG\r\n\x1a\n" or len(content) < 33:
        return "damaged image"
    width, height = (int.from_bytes(content[at : at + 4], "big") for at in (16, 20))
    record = sources.metainfo.get(name)
    box = _box(record.get("bounding_box") if isinstance(record, Mapping) else None, width, height)
    if box is None:
        return "no usable box"
    assert isinstance(record, Mapping)  # noqa: S101 - it has a box
    manipulated = sources.manipulated.get(name, "")
    landmarks = _landmarks(record.get("landmark"), width, height)
    if landmarks is None and not manipulated:
        landmarks = _searched(content, box, detector)
    tags, camera = described
    return {
        "path": f"{_IMAGES_FOLDER}/{name}.png",
        "photo": sources.photo_ids.get(name, name),
        "camera": camera,
        "sha256": hashlib.sha256(content).hexdigest(),
        "manipulated": manipulated,
        "box": box,
        "landmarks": np.full((5, 2), np.nan) if landmarks is None else landmarks,
        "score": 1.0,
        "tags": tags,
    }


def _box(value: Any, width: int, height: int) -> Box | None:
    """A box of shares of the image's sides, in pixels."""
    try:
        x0, y0, x1, y1 = map(float, value)
    except (TypeError, ValueError):
        return None
    inside = 0 <= x0 < x1 <= 1 and 0 <= y0 < y1 <= 1
    return (x0 * width, y0 * height, x1 * width, y1 * height) if inside else None


def _landmarks(value: Any, width: int, height: int) -> NDArray[np.float32] | None:
    """Five landmarks in pixels from five or 68, in shares of the image's sides or in pixels."""
    try:
        points = np.asarray(value, np.float32)
    except (TypeError, ValueError):
        return None
    if points.shape not in ((5, 2), (68, 2)) or not np.isfinite(points).all():
        return None
    if points.max() <= 1:
        points = points * np.array([width, height], np.float32)
    if len(points) == 68:  # iBUG: eyes, tip of the nose, corners of the mouth
        eyes = points[36:42].mean(0), points[42:48].mean(0)
        points = np.stack([*eyes, points[33], points[48], points[54]])
    return points


def _searched(content: bytes, box: Box, detector: FaceDetector) -> NDArray[np.float32] | None:
    """Landmarks of the face that is found where the data set has its box."""
    try:
        faces = detector.detect(read_photo(content).pixels)
    except UnreadableImageError:
        return None
    near = [face for face in faces if _overlap(face.box, box) >= _LEAST_OVERLAP]
    return max(near, key=lambda face: _overlap(face.box, box)).landmarks if near else None


def _overlap(first: Box, second: Box) -> float:
    """Intersection over union of two boxes."""
    width = min(first[2], second[2]) - max(first[0], second[0])
    height = min(first[3], second[3]) - max(first[1], second[1])
    shared = max(width, 0) * max(height, 0)
    areas = [(box[2] - box[0]) * (box[3] - box[1]) for box in (first, second)]
    return shared / (sum(areas) - shared)
