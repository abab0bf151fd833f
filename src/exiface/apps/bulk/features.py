"""Feature vectors of many images: one row a face, or an image where the encoder looks at those."""

import hashlib
import shutil
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow
from pyarrow import parquet

from exiface.apps.bulk.inputs import Block, Item
from exiface.apps.bulk.parts import as_text, part_path, write_rows
from exiface.apps.bulk.scoring import Report, stream_blocks
from exiface.detector.folder import encoder_named
from exiface.photos import FaceDetector, UnreadableImageError, read_photo
from exiface.photos.crops import Box, Crop
from exiface.threads import cores, ordered_map

FEATURE_COLUMNS = pyarrow.schema(
    [
        ("path", pyarrow.string()),
        ("box", pyarrow.list_(pyarrow.float64())),
        ("vector", pyarrow.list_(pyarrow.float32())),
        ("reason", pyarrow.string()),
    ]
)


@dataclass(frozen=True, slots=True)
class _Found:
    """What of an image is to be encoded, or the reason why there is nothing."""

    boxes: Sequence[Box] = ()
    inputs: Sequence[Crop] = ()
    reason: str | None = None


class FeatureReader:
    """Reads images as an encoder wants them, and encodes them.

    The encoder is a folder, or the name of a detector inside the package (`encoder_named`).

    Where they are `cropped`, each image is a face already cut out, taken whole.
    """

    def __init__(self, encoder: str | Path, *, cropped: bool, threads: int | None) -> None:
        files = encoder_named(encoder)
        self.threads = threads or cores()
        self._cropped = cropped
        self._encoder = files.open(self.threads)
        self._face_detector = FaceDetector() if self._encoder.subject == "face" else None
        digest = hashlib.sha256(files.model + (files.attention or b""))
        takes = "cropped" if cropped else self._encoder.subject
        self.id = f"{files.description.architecture}@{digest.hexdigest()[:12]}, {takes}"

    def rows(self, items: Iterable[Item], *, batch_size: int) -> Iterator[list[dict[str, Any]]]:
        """Yield the rows of each image, in order; decoding overlaps with encoding."""
        # Whole images are too large to wait for others.
        at_once = batch_size if self._face_detector else 1
        waiting: list[_Found] = []
        inputs = 0
        for found in ordered_map(self._read, items, workers=self.threads):
            waiting.append(found)
            inputs += len(found.inputs)
            if inputs >= at_once or len(waiting) >= 4 * batch_size:
                yield from self._encoded(waiting)
                waiting, inputs = [], 0
        yield from self._encoded(waiting)

    def _read(self, item: Item) -> _Found:
        if item.source is None:
            return _Found(reason=item.reason)
        try:
            pixels = read_photo(item.source).pixels
        except UnreadableImageError as error:
            return _Found(reason=str(error))
        height, width = pixels.shape[:2]
        boxes: list[Box] = [(0, 0, width, height)]
        reason = None
        if self._face_detector is not None:
            faces, _, reason = self._face_detector.to_judge(pixels, cropped=self._cropped)
            boxes = [face.box for face in faces]
        return _Found(boxes, [self._encoder.inputs(pixels, box) for box in boxes], reason)

    def _encoded(self, waiting: Sequence[_Found]) -> Iterator[list[dict[str, Any]]]:
        inputs = [each for found in waiting for each in found.inputs]
        vectors = iter(self._encoder.encode(inputs) if inputs else ())
        for found in waiting:
            if found.reason is not None:
                yield [{"reason": found.reason}]
            else:
                yield [{"box": list(box), "vector": next(vectors)} for box in found.boxes]


def encode_blocks(
    reader: FeatureReader, blocks: Iterable[Block], folder: Path, *, batch_size: int, report: Report
) -> None:
    """Encode blocks and write their parts, as `score_blocks` does."""

    def finish(block: Block, found: Sequence[tuple[str, list[dict[str, Any]]]]) -> None:
        rows = [{"path": as_text(path), **row} for path, of_image in found for row in of_image]
        write_rows(folder, block.number, rows, FEATURE_COLUMNS, reader.id)

    stream_blocks(blocks, lambda items: reader.rows(items, batch_size=batch_size), finish, report)


def join_parts(folder: Path, blocks: Iterable[Block], target: Path) -> tuple[int, int]:
    """Make one file of the parts of all blocks, a part at a time, and remove them.

    Returned is how many rows have a vector, and how many a reason instead.
    """
    vectors = reasons = 0
    partial = target.with_name(target.name + ".partial")
    with parquet.ParquetWriter(partial, FEATURE_COLUMNS, compression="zstd") as writer:
        for block in blocks:
            table = parquet.read_table(part_path(folder, block.number))
            without = table.num_rows - table.column("reason").null_count
            vectors, reasons = vectors + table.num_rows - without, reasons + without
            writer.write_table(table.replace_schema_metadata(None))
    partial.replace(target)
    shutil.rmtree(folder)
    return vectors, reasons
