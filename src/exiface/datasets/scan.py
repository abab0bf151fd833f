"""Walk folders of photographs, read tags, find faces if wanted: the work of `exiface prepare`."""

import hashlib
import json
import logging
import os
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from exiface.choices import Subject
from exiface.datasets.manifest import Manifest
from exiface.datasets.splits import SPLITS, assign_splits, unlike_asked
from exiface.errors import UserError
from exiface.json_lines import complete_lines
from exiface.photos import (
    IMAGE_SUFFIXES,
    RANKED_TAGS,
    CameraTags,
    Face,
    FaceDetector,
    UnreadableImageError,
    read_photo,
)
from exiface.photos.crops import shorter_side
from exiface.photos.faces import MIN_FACE
from exiface.photos.patches import Patches
from exiface.progress import Progress, no_progress
from exiface.threads import ordered_map

_LOGGER = logging.getLogger(__name__)
_JOURNAL = 1  # version
_PATCH = Patches().side  # px, the least side of a whole image; smaller ones teach nothing


@dataclass
class ScanSummary:
    """What a scan found, and what it left out and why."""

    files: int = 0  #: image files looked at.
    subject: Subject = "face"  #: what a row of the manifest is.
    rows: int = 0  #: of the manifest.
    photos: int = 0  #: photographs with at least one row.
    cameras: int = 0  #: different cameras.
    splits: dict[str, int] = field(default_factory=dict)  #: split -> rows.
    #: tag -> {"present", "lowest", "median", "highest"} over the rows.
    tags: dict[str, dict[str, float]] = field(default_factory=dict)
    left_out: dict[str, list[str]] = field(default_factory=dict)  #: reason -> files.
    found: dict[str, int] = field(default_factory=dict)  #: what else a known layout holds, counted.
    warnings: list[str] = field(default_factory=list)  #: what users must know of it.

    def exclusions(self) -> Iterator[str]:
        """What was left out and why, a sentence a reason."""
        for reason, files in self.left_out.items():
            # File names need not be text; what isn't is shown as a question mark.
            first = files[0].encode("utf-8", "replace").decode()
            yield f"left out: {len(files)} - {reason} (such as {first})"

    def warn(self, text: str) -> None:
        """Keep what users must know, and log it."""
        self.warnings.append(text)
        _LOGGER.warning(text)


class Journal:
    """What an interrupted scan goes on from: its settings, then one line a finished photograph.

    Without a path nothing is kept. The settings are what the lines depend on: a file that belongs
    to a scan with others raises a UserError.
    """

    def __init__(self, path: Path | None, settings: Mapping[str, Any]) -> None:
        self.entries: dict[str, dict[str, Any]] = {}
        self._stream = None
        if path is None:
            return
        settings = {"version": _JOURNAL, **settings}
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
        if entry is None or not path.exists():
            return False
        status = path.stat()
        return bool((entry["size"], entry["mtime"]) == (status.st_size, status.st_mtime_ns))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        if self._stream is not None:
            self._stream.close()


def find_images(paths: Iterable[Path]) -> list[Path]:
    """List the image files in folders, at any depth, sorted; a file stands for itself."""
    found: list[Path] = []
    for path in paths:
        if path.is_dir():
            found += sorted(
                Path(folder) / name
                for folder, _, names in os.walk(path)
                for name in names
                if Path(name).suffix.lower() in IMAGE_SUFFIXES and not name.startswith(".")
            )
        else:
            found.append(path)
    return found


def scan(
    root: Path,
    *,
    records: Mapping[str, Mapping[str, Any]] | None = None,
    fractions: Mapping[str, float] = SPLITS,
    min_face: float = MIN_FACE,
    cropped: bool = False,
    subject: Subject = "face",
    seed: int = 0,
    workers: int | None = None,
    journal: Path | None = None,
    progress: Progress = no_progress,
) -> tuple[Manifest, ScanSummary]:
    """Find the faces of a folder of photographs, or take the photographs as they are.

    Args:
        root: the folder, searched at any depth.
        records: file -> what is known of it besides (see `read_records`); it wins over EXIF.
        fractions: share of each split.
        min_face: shorter side in pixels below which a face is left out.
        cropped: each picture is a face already cut out, taken whole; landmarks are those of the
            largest face found in it, NaN where none is.
        subject: "image": every photograph is one row, and no face is looked for.
        seed: of the splits.
        workers: threads; None = one a core.
        journal: file of finished photographs, from which an interrupted scan goes on; None: none.
        progress: called with (done, total).

    Returns:
        The manifest (rows in order of path) and the summary.

    Raises:
        UserError: no image in the folder, or the journal belongs to a scan with other settings.
    """
    root = root.resolve()
    files = find_images([root])
    if not files:
        suffixes = " ".join(sorted(IMAGE_SUFFIXES))
        raise UserError(f"{root} holds no image ({suffixes}); name a folder of photographs")
    names = {path: path.relative_to(root).as_posix() for path in files}
    detector = None if subject == "image" else FaceDetector()

    def find(pixels: NDArray[np.uint8]) -> list[Face]:
        found = [] if detector is None else detector.detect(pixels)
        return [_whole(pixels.shape, found)] if cropped or detector is None else found

    least, too_small = min_face, f"no face of {min_face:g} px"
    if subject == "image":
        least, too_small = _PATCH, f"a side below {_PATCH} px"

    def work(path: Path) -> dict[str, Any]:
        return _scan_photo(path, names[path], find, least, too_small)

    settings = {
        "min_face": min_face,
        "cropped": float(cropped),
        "whole": float(subject == "image"),
    }
    with Journal(journal, settings) as finished:
        todo = [path for path in files if not finished.holds(names[path], path)]
        progress(len(files) - len(todo), len(files))
        results = ordered_map(work, todo, workers=workers)
        for number, entry in enumerate(results, start=len(files) - len(todo) + 1):
            finished.add(entry)
            progress(number, len(files))

    rows, left_out = _rows(finished.entries[name] for name in names.values())
    for row in rows:
        record = dict((records or {}).get(row["path"], {}))
        told: CameraTags = record.pop("tags", CameraTags())
        row["tags"] = (
            told if told.as_dict() else CameraTags.of(row["tags"].present() | told.present())
        )
        row.update({key: value for key, value in record.items() if value != ""})
    given = Manifest.from_rows(root, rows, subject)
    dealt = assign_splits(given.photo, given.group, fractions, seed=seed)
    manifest = given.with_split(np.where(given.split == "", dealt, given.split))
    summary = summarise(manifest, len(files), left_out)
    known = set(names.values())
    if records and (lost := [name for name in records if name not in known]):
        matched = len(records) - len(lost)
        count, first = (f"only {matched}", "first other") if matched else ("none", "first")
        summary.warn(
            f"{count} of the {len(records)} rows of the records names a file in {root}: their "
            f"column `file` must hold paths within it, such as {names[files[0]]}; the "
            f"{first} is {lost[0]}"
        )
    if not given.split.astype(bool).any() and (
        unlike := unlike_asked(dealt, given.photo, given.group, fractions)
    ):
        summary.warn(unlike)
    return manifest, summary


def _scan_photo(
    path: Path,
    name: str,
    find: Callable[[NDArray[np.uint8]], list[Face]],
    least: float,
    too_small: str,
) -> dict[str, Any]:
    """One photograph's line of the journal: what is found, or the reason why there is nothing."""
    entry: dict[str, Any] = {"file": name, "size": -1, "mtime": 0}
    try:
        status = path.stat()
        entry |= {"size": status.st_size, "mtime": status.st_mtime_ns}
        content = path.read_bytes()
        photo = read_photo(content)
    except UnreadableImageError as error:
        return entry | {"reason": str(error)}
    except OSError as error:
        return entry | {"reason": f"can't be opened: {error.strerror}"}
    found = find(photo.pixels)
    faces = [
        {
            "box": [round(value, 2) for value in face.box],
            "landmarks": face.landmarks.round(2).tolist(),
            "score": round(face.score, 4),
        }
        for face in found
        if shorter_side(face.box) >= least
    ]
    if not faces:
        return entry | {"reason": too_small if found else "no face found"}
    return entry | {
        "sha256": hashlib.sha256(content).hexdigest(),
        "tags": photo.tags.present(),
        "camera": photo.camera,
        "faces": faces,
    }


def _whole(shape: tuple[int, ...], found: list[Face]) -> Face:
    """A picture of this shape taken as one face, with the landmarks of the largest face in it."""
    box = (0.0, 0.0, float(shape[1]), float(shape[0]))
    if found:
        return replace(found[0], box=box)
    return Face(box, np.full((5, 2), np.nan, np.float32), 0.0)


def _rows(
    entries: Iterable[Mapping[str, Any]],
) -> tuple[list[dict[str, Any]], dict[str, list[str]]]:
    rows: list[dict[str, Any]] = []
    left_out: dict[str, list[str]] = {}
    seen: set[str] = set()
    for entry in entries:
        reason = entry.get("reason")
        if reason is None and entry["sha256"] in seen:
            reason = "copy of a file before it"
        if reason is not None:
            left_out.setdefault(reason, []).append(entry["file"])
            continue
        seen.add(entry["sha256"])
        rows += [
            {
                **face,
                "path": entry["file"],
                "photo": entry["sha256"][:16],
                "camera": entry["camera"],
                "sha256": entry["sha256"],
                "tags": CameraTags(**entry["tags"]),
            }
            for face in entry["faces"]
        ]
    return rows, left_out


def summarise(manifest: Manifest, files: int, left_out: dict[str, list[str]]) -> ScanSummary:
    """Count what a manifest holds of so many files, and what was left out of it."""
    tags = {}
    for column, name in enumerate(RANKED_TAGS):
        values = manifest.tags[:, column]
        values = values[~np.isnan(values)]
        tags[name] = {"present": float(len(values))}
        if len(values):
            low, middle, high = np.quantile(values, [0, 0.5, 1])
            tags[name] |= {"lowest": low, "median": middle, "highest": high}
    counts = manifest.counts()
    return ScanSummary(
        files=files,
        subject=manifest.subject,
        rows=len(manifest),
        photos=counts["photographs"],
        cameras=counts["cameras"],
        splits={str(name): count for name, count in Counter(manifest.split.tolist()).items()},
        tags=tags,
        left_out=left_out,
    )
