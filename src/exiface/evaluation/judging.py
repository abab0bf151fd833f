"""Judge labelled folders: one streaming pass, whatever is done to each image."""

import io
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import chain
from pathlib import Path

from PIL import Image

from exiface.choices import Scope
from exiface.datasets import find_images
from exiface.detector import Detector, ImageResult
from exiface.detector.detector import Prepared
from exiface.errors import UserError
from exiface.evaluation.audit import Traits, read_traits
from exiface.evaluation.sets import FAKE, NOTHING, REAL, Scored, ScoredSet
from exiface.photos import FaceDetector, UnreadableImageError, read_photo
from exiface.photos.alterations import ORIGINAL, altered
from exiface.photos.crops import resize, square_about
from exiface.progress import Progress, no_progress
from exiface.threads import ordered_map

# The chain of `harmonise`: face box x 1.3, 256 px, JPEG 90.
_HARMONISED_SCALE, _HARMONISED_SIDE, _HARMONISED_QUALITY = 1.3, 256, 90


def judge(
    detector: Detector,
    real: Mapping[str, Path],
    fake: Mapping[str, Path],
    *,
    alterations: Sequence[str] = (),
    cropped: bool = False,
    harmonised: bool = False,
    progress: Progress = no_progress,
) -> list[ScoredSet]:
    """Judge labelled folders, as they are and altered.

    Each file is read and decoded once, in threads, while the encoder works on those before it. A
    face is searched for again in every altered image, as users would have it.

    Args:
        detector: that judges faces, or whole images.
        real: name -> folder of photographs.
        fake: name -> folder of generated faces.
        alterations: names in `exiface.photos.alterations.ALTERATIONS`, beside the original.
        cropped: the images are faces already cut out.
        harmonised: put every image through one chain before all else (see `harmonise`).
        progress: called with (done, total) images.

    Returns:
        The real sets, then the fake ones.

    Raises:
        UserError: a folder without an image, or without a single verdict.
    """
    sets = [(REAL, *item) for item in real.items()] + [(FAKE, *item) for item in fake.items()]
    files = [find_images([folder]) if folder.exists() else [] for _, _, folder in sets]
    for (_, name, folder), paths in zip(sets, files, strict=True):
        if not paths:
            raise UserError(f"{name}: {folder} holds no image")
    subject: Scope = "faces" if detector.judges("faces") else "image"
    names = (ORIGINAL, *alterations)
    traits: list[list[Traits]] = [[] for _ in sets]

    def read(path: Path) -> tuple[Traits | None, list[Prepared]]:
        """The traits of a file that is decoded once, and its largest face as each name has it."""
        content = path.read_bytes()
        if harmonised:
            content = harmonise(content, detector.face_detector, cropped=cropped)
        try:
            pixels = read_photo(content).pixels
        except UnreadableImageError:
            return None, [detector.prepare(content, subject=subject)] * len(names)
        cut = cropped or harmonised
        prepared = [
            detector.prepare(altered(pixels, name), cropped=cut, subject=subject) for name in names
        ]
        largest = [replace(each, faces=each.faces[:1]) for each in prepared]
        return read_traits(content, pixels), largest

    def stream() -> Iterator[Prepared]:
        numbers = [number for number, paths in enumerate(files) for _ in paths]
        decoded = ordered_map(read, chain.from_iterable(files), workers=detector.threads)
        for done, (number, (found, prepared)) in enumerate(
            zip(numbers, decoded, strict=True), start=1
        ):
            if found is not None:
                traits[number].append(found)
            progress(done, len(numbers))
            yield from prepared

    results = detector.judge(stream())
    judged = []
    for (kind, name, folder), paths, of_set in zip(sets, files, traits, strict=True):
        said = [[_scored(next(results)) for _ in names] for _ in paths]
        scored = dict(zip(names, zip(*said, strict=True), strict=True))
        if all(math.isnan(score) for score, *_ in scored[ORIGINAL]):
            raise UserError(f"{name}: no face was found in any of its {len(paths)} images")
        photos = [str(path.relative_to(folder)) for path in paths]
        judged.append(ScoredSet.of(kind, name, [*map(str, paths)], photos, scored, of_set))
    return judged


def _scored(result: ImageResult) -> Scored:
    if not result.judged:
        return NOTHING
    found = result.judged[0]
    ratio = math.nan if found.evidence is None else found.evidence.value
    return found.score, found.p_value, found.verdict.value, ratio


def harmonise(content: bytes, face_detector: FaceDetector, *, cropped: bool) -> bytes:
    """Put an image through the one chain that takes away what tells sources apart.

    The largest face x 1.3 is cut out, resized to 256 x 256 px, and saved as JPEG 90, 4:2:0, without
    metadata.

    Args:
        content: bytes of an image file.
        face_detector: finds the face.
        cropped: the image is a face already cut out.

    Returns:
        The bytes of a JPEG file; none where the image can't be read or holds no face.
    """
    try:
        pixels = read_photo(content).pixels
    except UnreadableImageError:
        return b""
    height, width = pixels.shape[:2]
    if cropped:
        square = square_about((0, 0, width, height), 1.0, width, height)
    else:
        found = face_detector.detect(pixels)
        if not found:
            return b""
        square = square_about(found[0].box, _HARMONISED_SCALE, width, height)
    crop = resize(pixels, square, _HARMONISED_SIDE)
    saved = io.BytesIO()
    Image.fromarray(crop).save(saved, "JPEG", quality=_HARMONISED_QUALITY, subsampling="4:2:0")
    return saved.getvalue()
