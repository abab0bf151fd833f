"""Feature vectors kept on disk, by encoder and file: an evaluation that stopped goes on.

One SQLite file an encoder. What was encoded once is not decoded again, in whatever folder the file
lies by then: it is known by its content.
"""

import hashlib
import json
import sqlite3
from collections.abc import Callable, Container, Sequence
from contextlib import closing
from itertools import islice
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from exiface.encoders import Encoder
from exiface.photos import FaceDetector, UnreadableImageError, read_photo
from exiface.photos.crops import Box, Crop
from exiface.progress import Progress, no_progress
from exiface.threads import ordered_map

_FACES, _IMAGES = 32, 4  # encoded at a time; whole images are large


class FeatureCache:
    """Encodes files, each once.

    Args:
        folder: where the features are kept; made if need be.
        encoder: whose features they are, of faces or of whole images.
        model: the bytes of its ONNX model.
        find_faces: cut the largest face out of each image; False: the image is the face.
        altered: what is done to each image first: its name, under which features are kept, and
            the function.

    Raises:
        EncoderError: faces shall be found for an encoder of whole images.
    """

    def __init__(
        self,
        folder: Path,
        encoder: Encoder,
        model: bytes,
        *,
        find_faces: bool = False,
        altered: tuple[str, Callable[[NDArray[np.uint8]], NDArray[np.uint8]]] | None = None,
    ) -> None:
        if find_faces:
            _ = encoder.description.preprocessing  # whole images have no faces to be found
        folder.mkdir(parents=True, exist_ok=True)
        takes = json.dumps(encoder.description.takes.as_dict(), sort_keys=True)
        digest = hashlib.sha256(model + takes.encode()).hexdigest()[:16]
        self.path = folder / f"features-{digest}.sqlite"
        self.encoder = encoder
        self._mode = ("face" if find_faces else "whole") + (f":{altered[0]}" if altered else "")
        self._altered = altered[1] if altered else None
        self._batch = _FACES if encoder.subject == "face" else _IMAGES
        self._face_detector = FaceDetector() if find_faces else None

    def encode(
        self, paths: Sequence[Path], progress: Progress = no_progress
    ) -> NDArray[np.float32]:
        """Encode files in order: vectors (n, d), NaN where one is unreadable or has no face."""
        features = np.full((len(paths), self.encoder.features), np.nan, np.float32)
        with closing(sqlite3.connect(self.path)) as connection:
            connection.execute(
                "CREATE TABLE IF NOT EXISTS features (key TEXT PRIMARY KEY, vector BLOB)"
            )
            kept = connection.execute(
                "SELECT key, vector FROM features WHERE key LIKE ?", [f"%:{self._mode}"]
            )
            known = {key: np.frombuffer(vector, np.float32) for key, vector in kept}
            items = ordered_map(lambda path: self._read(path, known), paths, ahead=2 * self._batch)
            done = 0
            while batch := list(islice(items, self._batch)):
                if crops := {key: crop for key, crop in batch if crop is not None}:
                    made = self.encoder.encode(list(crops.values()))
                    known.update(zip(crops, made, strict=True))
                    with connection:  # one transaction: a kill leaves whole batches
                        connection.executemany(
                            "INSERT OR REPLACE INTO features VALUES (?, ?)",
                            ((key, known[key].tobytes()) for key in crops),
                        )
                for key, _ in batch:
                    features[done] = known.get(key, np.nan)
                    done += 1
                progress(done, len(paths))
        return features

    def _read(self, path: Path, known: Container[str]) -> tuple[str, Crop | None]:
        """The key of a file, and what the encoder takes of it unless the key is known."""
        try:
            content = path.read_bytes()
            key = f"{hashlib.sha256(content).hexdigest()}:{self._mode}"
            if key in known:
                return key, None
            pixels = read_photo(content).pixels
        except (OSError, UnreadableImageError):
            return "", None
        if self._altered is not None:
            pixels = self._altered(pixels)
        height, width = pixels.shape[:2]
        box: Box = (0, 0, width, height)
        if self._face_detector is not None:
            faces = self._face_detector.detect(pixels)
            if not faces:
                return key, None
            box = faces[0].box
        return key, self.encoder.inputs(pixels, box)
