"""Results as Parquet parts: one a block, whole or not at all."""

import os
import socket
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pyarrow
from pyarrow import parquet

from exiface.calibration.conformal import SCORE_DECIMALS
from exiface.detector import ImageResult
from exiface.detector.rejudging import JUDGED_BY
from exiface.errors import UserError
from exiface.photos import TAG_NAMES

_RATIO = pyarrow.struct(
    [(name, pyarrow.float64()) for name in ("value", "low", "high")] + [("words", pyarrow.string())]
)
_FACE = pyarrow.struct(
    [
        ("box", pyarrow.list_(pyarrow.float64())),
        ("score", pyarrow.float64()),
        ("side", pyarrow.int32()),
        ("p_value", pyarrow.float64()),
        ("verdict", pyarrow.string()),
        ("likelihood_ratio", _RATIO),
        ("unsure_because", pyarrow.string()),
    ]
)
_IMAGE = pyarrow.struct(
    [field for field in _FACE if field.name not in ("box", "side")]
    + [pyarrow.field("detector", pyarrow.string())]
)
_MARK = pyarrow.struct(
    [(name, pyarrow.string()) for name in ("what", "says", "by", "where", "verified", "raw")]
)
# One row an image; the score is that of its most unusual face, or of the image where no face was
# judged; verdict and p-value are of all that was judged, corrected for its number.
SCORE_COLUMNS = pyarrow.schema(
    [
        ("path", pyarrow.string()),
        ("verdict", pyarrow.string()),
        ("p_value", pyarrow.float64()),
        ("score", pyarrow.float64()),
        ("faces", pyarrow.list_(_FACE)),
        ("image", _IMAGE),
        ("small_faces", pyarrow.int32()),
        *((name, pyarrow.float64()) for name in TAG_NAMES),
        ("declares", pyarrow.string()),
        ("declares_generated", pyarrow.bool_()),
        ("declared", pyarrow.list_(_MARK)),
        ("contradictions", pyarrow.list_(pyarrow.string())),
        ("reason", pyarrow.string()),
    ]
)
_OF_IMAGE = ("verdict", "p_value", "declares", "declares_generated", "declared")
_DAY = 24 * 60 * 60  # seconds


def part_path(folder: Path, number: int) -> Path:
    """Say in which file the rows of a block stand."""
    return folder / f"part-{number:06}.parquet"


def row(result: ImageResult) -> dict[str, Any]:
    """Make the row of an image."""
    values = result.as_dict()
    unusual = min(result.faces, key=lambda face: (face.p_value, -face.score), default=result.image)
    image = values.get("image")
    return {
        "path": as_text(result.path or ""),
        **{name: values.get(name) for name in _OF_IMAGE},
        "score": None if unusual is None else round(unusual.score, SCORE_DECIMALS),
        "faces": [{name: face.get(name) for name in _FACE.names} for face in values["faces"]],
        "image": None if image is None else {name: image.get(name) for name in _IMAGE.names},
        "small_faces": result.small_faces,
        **{name: getattr(result.tags, name) for name in TAG_NAMES},
        "contradictions": [*result.declared.contradictions],
        "reason": result.reason,
    }


def as_text(path: str) -> str:
    """Make text of a path for Parquet: its strings must be text, and names of files need not be."""
    return path.encode("utf-8", "replace").decode()


def write_rows(
    folder: Path, number: int, rows: Sequence[dict[str, Any]], schema: pyarrow.Schema, by: str
) -> None:
    """Write the part of a block, whole or not at all; written twice, it is the same file.

    It says by which detector or encoder it was made.
    """
    table = pyarrow.Table.from_pylist(rows, schema)
    table = table.replace_schema_metadata({JUDGED_BY: by.encode()})
    partial = folder / f".part-{number:06}-{os.getpid()}-{socket.gethostname()}.partial"
    parquet.write_table(table, partial, compression="zstd")
    partial.replace(part_path(folder, number))


def finished(folder: Path, by: str) -> dict[int, int]:
    """Find the blocks whose part is there, and how many images in it have no verdict.

    They are named by number; what a kill left half-written is removed.

    Raises:
        UserError: a part was made by another detector or encoder, or is damaged.
    """
    for left in folder.glob(".part-*.partial"):
        if _abandoned(left):
            left.unlink(missing_ok=True)
    found = {}
    for path in folder.glob("part-*.parquet"):
        try:
            described = parquet.read_metadata(path)
        except (pyarrow.ArrowException, OSError) as error:
            raise UserError(f"{path} is damaged ({error}); delete it to score it again") from None
        made_by = (described.metadata or {}).get(JUDGED_BY, b"").decode()
        if made_by != by:
            raise UserError(
                f"{path} was made by {made_by or 'something else'}, not by {by}; give another "
                "folder, or what the run began with"
            )
        found[int(path.stem.split("-")[1])] = _nulls(described, "verdict")
    return found


def _nulls(described: parquet.FileMetaData, column: str) -> int:
    """How many rows have nothing in a column; 0 where there is no such column."""
    names = [described.schema.column(place).path for place in range(described.num_columns)]
    if column not in names:
        return 0
    groups = map(described.row_group, range(described.num_row_groups))
    return sum(group.column(names.index(column)).statistics.null_count for group in groups)


def _abandoned(partial: Path) -> bool:
    """Whether nobody writes a partial part any more; another shard may be writing its own."""
    process, *host = partial.name.removesuffix(".partial").split("-", 3)[2:]
    if host in ([], [socket.gethostname()]):  # an earlier version named no host
        return not _running(int(process))
    # Processes of other hosts can't be looked up from here; writing a part takes them seconds.
    try:
        return time.time() - partial.stat().st_mtime > _DAY
    except FileNotFoundError:
        return False


def _running(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except OSError:
        pass  # somebody else's
    return process != os.getpid()
