"""The manifest: one row a face, or a whole image; made once, read in one go."""

import json
import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields, replace
from pathlib import Path, PurePosixPath
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from exiface.choices import Subject
from exiface.errors import UserError
from exiface.photos import RANKED_TAGS, CameraTags, UnreadableImageError, read_photo
from exiface.photos.camera_settings import CLASSES
from exiface.photos.crops import Box

_VERSION = 4  # 3 had neither a subject nor more tags than the four of faces
_READS = (3, _VERSION)
_STRINGS = ("path", "photo", "group", "camera", "source", "split", "sha256", "manipulated")
_NUMBERS: dict[str, tuple[type, tuple[int, ...]]] = {  # and the shape of one
    "score": (np.float32, ()),
    "generated": (np.bool_, ()),
    "box": (np.float32, (4,)),
    "landmarks": (np.float32, (5, 2)),
}


class ManifestError(UserError):
    """A manifest that is missing, damaged, of another version, or empty."""


@dataclass(frozen=True, eq=False)
class Manifest:
    """Faces of photographs, or photographs, column by column; row i of every column is one."""

    root: Path  #: folder that the paths are relative to.
    subject: Subject  #: what a row is: a "face", or an "image" as a whole, whose box is all of it.
    #: (n,) file of the photograph, relative to `root`, with forward slashes.
    path: NDArray[np.str_]
    photo: NDArray[np.str_]  #: (n,) id of the photograph; its faces never straddle a split.
    #: (n,) id of where it came from (photographer, album); never straddles a split either.
    group: NDArray[np.str_]
    camera: NDArray[np.str_]  #: (n,) maker and model, "" where unknown.
    #: (n,) which collection it belongs to; training and calibration weigh them alike.
    source: NDArray[np.str_]
    split: NDArray[np.str_]  #: (n,) "train", "validation", "fit" or "calibration".
    sha256: NDArray[np.str_]  #: (n,) of the file.
    #: (n,) where the face's stored manipulations are, relative to `root` and without `_<0..3>.png`
    #: (in the order of `MANIPULATIONS`, face crops); "" where training makes them.
    manipulated: NDArray[np.str_]
    generated: NDArray[np.bool_]  #: (n,) whether the face is AI-generated.
    box: NDArray[np.float32]  #: (n, 4) float32, x0, y0, x1, y1 in pixels of the upright image.
    #: (n, 5, 2) float32, likewise; NaN where no face detector was asked, or it found none.
    landmarks: NDArray[np.float32]
    score: NDArray[np.float32]  #: (n,) float32, the face detector's confidence.
    tags: NDArray[np.float64]  #: (n, 7) float64, in the order of `RANKED_TAGS`; NaN = absent.
    #: (n, 8) int8, what the camera was set to, in the order of `CLASSES`: the place in its list; -1
    #: = absent.
    classes: NDArray[np.int8]

    @classmethod
    def from_rows(
        cls, root: Path, rows: Iterable[dict[str, Any]], subject: Subject = "face"
    ) -> Self:
        """Gather rows (one dictionary a face or image, `tags` a CameraTags) into columns."""
        rows = list(rows)
        number = len(rows)
        tags = [[getattr(row["tags"], name) for name in RANKED_TAGS] for row in rows]
        places = [_places(row["tags"]) for row in rows]
        columns: dict[str, NDArray[Any]] = {
            "tags": np.array(tags, np.float64).reshape(number, len(RANKED_TAGS)),
            "classes": np.array(places, np.int8).reshape(number, len(CLASSES)),
        }
        for name in _STRINGS:
            columns[name] = np.array([row.get(name) or "" for row in rows], np.str_)
        for name, (kind, shape) in _NUMBERS.items():
            values: NDArray[Any] = np.array([row.get(name, False) for row in rows], kind)
            columns[name] = values.reshape(number, *shape)
        return cls(root, subject, **columns)

    @classmethod
    def joined(cls, manifests: Sequence[Self]) -> Self:
        """The rows of several manifests, below the folder that their roots have in common.

        Manifests of faces and of whole images together raise a ManifestError.
        """
        if len(manifests) == 1:
            return manifests[0]
        if len({manifest.subject for manifest in manifests}) > 1:
            raise ManifestError(
                "some manifests are of faces, others of whole images; give one kind"
            )
        root = Path(os.path.commonpath([manifest.root for manifest in manifests]))
        columns = {
            name: np.concatenate([getattr(manifest, name) for manifest in manifests])
            for name in _columns()
        }
        for name in ("path", "manipulated"):
            columns[name] = np.concatenate(
                [
                    [str(below / file) if file else "" for file in getattr(manifest, name)]
                    for manifest in manifests
                    for below in [PurePosixPath(manifest.root.relative_to(root).as_posix())]
                ]
            )
        return cls(root, manifests[0].subject, **columns)

    def __len__(self) -> int:
        return len(self.path)

    def select(self, rows: NDArray[np.bool_] | NDArray[np.intp]) -> Self:
        """The rows of a mask, or at indices, as a manifest of their own."""
        columns = {name: getattr(self, name)[rows] for name in _columns()}
        return type(self)(self.root, self.subject, **columns)

    def with_split(self, split: NDArray[np.str_]) -> Self:
        """The same rows with another split column."""
        return replace(self, split=split)

    def of_split(self, *names: str) -> Self:
        """The faces of one or several splits."""
        return self.select(np.isin(self.split, names))

    def group_or_photo(self) -> NDArray[np.str_]:
        """(n,) the group, or the photograph's id where there is none."""
        return np.where(self.group == "", self.photo, self.group)

    def counts(self) -> dict[str, int]:
        """How many rows, photographs, groups and cameras; sources and generated ones, if any."""
        counts = {
            f"{self.subject}s": len(self),
            "photographs": len(np.unique(self.photo)),
            "groups": len(np.unique(self.group_or_photo())),
            "cameras": len(set(self.camera.tolist()) - {""}),
        }
        if sources := set(self.source.tolist()) - {""}:
            counts["sources"] = len(sources)
        if self.generated.any():
            counts["generated"] = int(self.generated.sum())
        return counts

    def file(self, row: int) -> Path:
        """The photograph of one face."""
        return self.root / str(self.path[row])

    def face_box(self, row: int) -> Box:
        """The box of one face."""
        x0, y0, x1, y1 = (float(side) for side in self.box[row])
        return x0, y0, x1, y1

    def read_pixels(self, row: int) -> NDArray[np.uint8]:
        """Decode the photograph of one face: (h, w, 3).

        A file that has gone, or was changed, since the manifest was made raises an
        UnreadableImageError.
        """
        return _read_again(self.file(row))

    def read_manipulated(self, row: int, index: int) -> NDArray[np.uint8] | None:
        """Decode a stored manipulation of one face, a crop (h, w, 3); None where none is stored."""
        prefix = str(self.manipulated[row])
        return _read_again(self.root / f"{prefix}_{index}.png") if prefix else None

    def write(self, path: Path) -> None:
        """Write as Parquet, whole or not at all; the root is kept relative to the file."""
        import pyarrow as arrow
        from pyarrow import parquet

        columns: dict[str, Any] = {name: arrow.array(getattr(self, name)) for name in _STRINGS}
        for name, (_, shape) in _NUMBERS.items():
            flat = arrow.array(getattr(self, name).reshape(-1))
            length = int(np.prod(shape))
            columns[name] = arrow.FixedSizeListArray.from_arrays(flat, length) if shape else flat
        for column, name in enumerate(RANKED_TAGS):
            columns[name] = arrow.array(self.tags[:, column], from_pandas=True)  # NaN -> null
        for column, (name, classes) in enumerate(CLASSES.items()):
            named = [classes[place] if place >= 0 else None for place in self.classes[:, column]]
            columns[name] = arrow.array(named, arrow.string())
        root = os.path.relpath(self.root.resolve(), path.resolve().parent)
        described = {"version": _VERSION, "subject": self.subject, "root": Path(root).as_posix()}
        metadata = {"exiface": json.dumps(described)}
        table = arrow.table(columns).replace_schema_metadata(metadata)
        partial = path.with_name(path.name + ".partial")
        parquet.write_table(table, partial, compression="zstd")
        partial.replace(path)

    @classmethod
    def read(cls, path: Path, *, root: Path | None = None) -> Self:
        """Read a manifest; `root` is the folder of the photographs, if not the one it names.

        One that is missing, damaged, of another version, or without a row is a ManifestError.
        """
        import pyarrow as arrow
        from pyarrow import parquet

        try:
            table = parquet.read_table(path)
        except FileNotFoundError:
            raise ManifestError(
                f"{path}: no such manifest; make one with: exiface prepare PHOTOS -o {path}"
            ) from None
        except (arrow.ArrowException, OSError) as error:
            raise ManifestError(f"{path} is not a readable Parquet file: {error}") from None
        described = json.loads((table.schema.metadata or {}).get(b"exiface", b"{}"))
        if described.get("version") not in _READS:
            raise ManifestError(
                f"{path} is not a manifest of version {_VERSION} (it says "
                f"{described.get('version')}); make it again with: exiface prepare"
            )
        if len(table) == 0:
            raise ManifestError(f"{path} holds no face or image")
        number = len(table)
        present = set(table.column_names)

        def numbers(name: str, kind: type, *shape: int) -> NDArray[Any]:
            column = table.column(name).combine_chunks()
            flat = column.flatten() if shape else column
            return np.array(flat.to_numpy(zero_copy_only=False), kind).reshape(number, *shape)

        def places(name: str, classes: tuple[str, ...]) -> list[int]:
            named = table.column(name).to_pylist() if name in present else [None] * number
            return [-1 if each is None else classes.index(each) for each in named]

        tags = [
            numbers(name, np.float64) if name in present else np.full(number, np.nan)
            for name in RANKED_TAGS
        ]
        columns: dict[str, NDArray[Any]] = {
            "tags": np.stack(tags, axis=1),
            "classes": np.array([places(*each) for each in CLASSES.items()], np.int8).T,
        }
        for name in _STRINGS:
            columns[name] = np.array(table.column(name).to_numpy(), np.str_)
        for name, (kind, shape) in _NUMBERS.items():
            columns[name] = numbers(name, kind, *shape)
        root = root or (path.resolve().parent / described["root"]).resolve()
        return cls(root, described.get("subject", "face"), **columns)


def _places(tags: CameraTags) -> list[int]:
    """The places of the tags that are classes in their lists, -1 where absent."""
    values = ((classes, getattr(tags, name)) for name, classes in CLASSES.items())
    return [-1 if value is None else classes.index(value) for classes, value in values]


def _read_again(path: Path) -> NDArray[np.uint8]:
    try:
        return read_photo(path).pixels
    except UnreadableImageError as error:
        raise UnreadableImageError(
            f"{path}: {error}; it was readable when the manifest was made: prepare again"
        ) from None


def _columns() -> list[str]:
    return [field.name for field in fields(Manifest) if field.name not in ("root", "subject")]
