"""Faces, or whole images, of a manifest -> feature vectors."""

from collections.abc import Callable
from itertools import groupby

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from exiface.datasets import Manifest
from exiface.datasets.augmentation import AS_SENT
from exiface.datasets.batches import FaceBatches
from exiface.encoders import Encoder
from exiface.photos import read_photo
from exiface.photos.alterations import saved
from exiface.photos.crops import Crop, shorter_side
from exiface.photos.quality import Quality
from exiface.progress import Progress, no_progress
from exiface.threads import ordered_map

Alteration = Callable[[NDArray[np.uint8], np.random.Generator], NDArray[np.uint8]]
_QUALITY = (75, 95)
_SHRUNK = (0.4, 0.9)


def encode_faces(
    encoder: Encoder,
    manifest: Manifest,
    progress: Progress = no_progress,
    *,
    batch_size: int = 32,
) -> NDArray[np.float32]:
    """Feature vectors (n, d) of the faces of a manifest, in its order; each photo is read once."""
    order = np.argsort(manifest.path, kind="stable")
    by_photo = (
        [int(row) for row in rows]
        for _, rows in groupby(order, key=lambda row: str(manifest.path[row]))
    )

    def crops(rows: list[int]) -> dict[int, Crop]:
        pixels = manifest.read_pixels(rows[0])
        return {row: encoder.inputs(pixels, manifest.face_box(row)) for row in rows}

    features = np.empty((len(manifest), encoder.features), np.float32)
    waiting: dict[int, Crop] = {}
    done = 0
    for cut in ordered_map(crops, by_photo):
        waiting |= cut
        done += len(cut)
        if len(waiting) >= batch_size or done == len(manifest):
            features[list(waiting)] = encoder.encode(list(waiting.values()))
            progress(done, len(manifest))
            waiting = {}
    return features


def encode_sent(
    encoder: Encoder, manifest: Manifest, progress: Progress = no_progress, *, seed: int
) -> NDArray[np.float32]:
    """Feature vectors (n, d) of faces that were saved again and shrunk at random (`AS_SENT`)."""
    drawn = FaceBatches(
        manifest, encoder.description.preprocessing, augmentation=AS_SENT, seed=seed
    )
    features: list[NDArray[np.float32]] = []
    done = 0
    for crops in drawn.views(1):
        features.append(encoder.encode(crops))
        done += len(crops)
        progress(done, len(manifest))
    return np.concatenate(features)


def encode_images(
    encoder: Encoder,
    manifest: Manifest,
    progress: Progress = no_progress,
    *,
    way: Alteration | None = None,
    seed: int = 0,
) -> NDArray[np.float32]:
    """Feature vectors (n, d) of the whole images of a manifest, in its order.

    `way` is what they go through first (None = nothing), and the seed is of what is drawn there.
    """

    def encoded(row: int) -> NDArray[np.float32]:
        pixels = manifest.read_pixels(row)
        if way is not None:
            pixels = way(pixels, np.random.default_rng((seed, row)))
        vector: NDArray[np.float32] = encoder.encode([pixels])[0]
        return vector

    features = np.empty((len(manifest), encoder.features), np.float32)
    for row, vector in enumerate(ordered_map(encoded, range(len(manifest)))):
        features[row] = vector
        progress(row + 1, len(manifest))
    return features


def saved_again(pixels: NDArray[np.uint8], rng: np.random.Generator) -> NDArray[np.uint8]:
    """An image saved once more, as JPEG of a quality that platforms use."""
    return saved(pixels, "JPEG", int(rng.integers(_QUALITY[0], _QUALITY[1] + 1)))


def shrunk(pixels: NDArray[np.uint8], rng: np.random.Generator) -> NDArray[np.uint8]:
    """An image shrunk and saved, as messengers do."""
    factor = rng.uniform(*_SHRUNK)
    height, width = (max(1, round(factor * side)) for side in pixels.shape[:2])
    filters = (Image.Resampling.BILINEAR, Image.Resampling.BICUBIC, Image.Resampling.LANCZOS)
    how = filters[int(rng.integers(len(filters)))]
    return saved_again(np.array(Image.fromarray(pixels).resize((width, height), how)), rng)


# What photographs go through before they calibrate a detector of whole images, once each way.
FORMS: dict[str, Alteration | None] = {
    "as they are": None,
    "saved again": saved_again,
    "shrunk": shrunk,
}


def encode_rows(
    encoder: Encoder,
    rows: Manifest,
    *,
    as_sent: bool,
    seed: int,
    progress: Progress = no_progress,
) -> tuple[NDArray[np.float32], NDArray[np.str_], NDArray[np.int64]]:
    """Encode what fits or calibrates a detector: faces, or whole images.

    With `as_sent` faces are saved again and shrunk at random; whole images come once in each of the
    FORMS, one form after another, the first of which is as they are.

    Returns:
        Features (m, d), the source (m,) of each, and the form (m,) that it was seen in, 0 = as it
        is.
    """
    if encoder.subject == "image":
        ways = [*FORMS.values()] if as_sent else [None]
        features = [encode_images(encoder, rows, progress, way=way, seed=seed) for way in ways]
        forms = np.repeat(np.arange(len(ways)), len(rows))
        return np.concatenate(features), np.tile(rows.source, len(ways)), forms
    forms = np.zeros(len(rows), np.int64)
    if as_sent:
        return encode_sent(encoder, rows, progress, seed=seed), rows.source, forms
    return encode_faces(encoder, rows, progress), rows.source, forms


def quality_of(encoder: Encoder, rows: Manifest, row: int) -> tuple[Quality, Crop]:
    """How well the face or image of a row can be seen, and what the encoder takes of it."""
    photo, box = read_photo(rows.file(row)), rows.face_box(row)
    taken = encoder.inputs(photo.pixels, box)
    if encoder.subject == "image":
        return Quality.of_image(photo.pixels, photo.jpeg_quality), taken
    found = Quality.of(taken, shorter_side(box), rows.landmarks[row], photo.jpeg_quality)
    return found, taken


def largest_faces(manifest: Manifest) -> Manifest:
    """The largest face of each photograph, in each source that has it."""
    area = (manifest.box[:, 2] - manifest.box[:, 0]) * (manifest.box[:, 3] - manifest.box[:, 1])
    photo = np.char.add(np.char.add(manifest.source, "\n"), manifest.photo)
    order = np.lexsort((-area, photo))
    first = np.unique(photo[order], return_index=True)[1]
    return manifest.select(np.sort(order[first]))
