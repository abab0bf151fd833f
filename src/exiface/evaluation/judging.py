"""Judge labelled folders: one streaming pass, whatever is done to each image."""

import io
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from PIL import Image

from exiface.choices import Scope
from exiface.datasets import find_images
from exiface.detector import Detector
from exiface.detector.detector import Prepared
from exiface.errors import UserError
from exiface.evaluation.audit import Traits, read_traits
from exiface.evaluation.sets import FAKE, REAL, ScoredSet
from exiface.photos import FaceDetector, UnreadableImageError, read_photo
from exiface.photos.alterations import ORIGINAL, altered
from exiface.photos.crops import resize, square_about
from exiface.progress import Progress, no_progress
from exiface.threads import ordered_map

# The chain of `harmonise`: face box x 1.3, 256 px, JPEG 90.
_HARMONISED_SCALE, _HARMONISED_SIDE, _HARMONISED_QUALITY = 1.3, 256, 90


@dataclass(frozen=True, slots=True)
class _File:
    number: int  # of its set
    path: Path


@dataclass(frozen=True, slots=True)
class _Read:
    """One file, decoded once: its traits and its faces under every condition."""

    number: int
    traits: Traits | None
    prepared: list[Prepared]


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
    total = sum(map(len, files))
    traits: list[list[Traits]] = [[] for _ in sets]
    scores = [np.full((len(paths), len(names)), np.nan) for paths in files]
    p_values = [np.full((len(paths), len(names)), np.nan) for paths in files]
    verdicts = [np.full((len(paths), len(names)), "", "U16") for paths in files]
    ratios = [np.full((len(paths), len(names)), np.nan) for paths in files]

    def read(file: _File) -> _Read:
        content = file.path.read_bytes()
        if harmonised:
            content = harmonise(content, detector.face_detector, cropped=cropped)
        try:
            pixels = read_photo(content).pixels
        except UnreadableImageError:
            return _Read(
                file.number, None, [detector.prepare(content, subject=subject)] * len(names)
            )
        cut = cropped or harmonised
        prepared = [
            _largest(detector.prepare(altered(pixels, name), cropped=cut, subject=subject))
            for name in names
        ]
        return _Read(file.number, read_traits(content, pixels), prepared)

    def stream() -> Iterator[Prepared]:
        every = (_File(number, path) for number, paths in enumerate(files) for path in paths)
        for done, each in enumerate(ordered_map(read, every, workers=detector.threads), start=1):
            if each.traits is not None:
                traits[each.number].append(each.traits)
            progress(done, total)
            yield from each.prepared

    results = detector.judge(stream())
    for number, of_set in enumerate(scores):
        for cell in np.ndindex(of_set.shape):
            result = next(results)
            if not result.judged:
                continue
            found = result.judged[0]
            of_set[cell] = found.score
            p_values[number][cell] = found.p_value
            verdicts[number][cell] = found.verdict.value
            if found.likelihood_ratio is not None:
                ratios[number][cell] = found.likelihood_ratio.value
    judged = []
    for number, ((kind, name, folder), paths) in enumerate(zip(sets, files, strict=True)):
        if np.isnan(scores[number][:, 0]).all():
            raise UserError(f"{name}: no face was found in any of its {len(paths)} images")
        judged.append(
            ScoredSet(
                kind,
                name,
                paths=np.array([str(path) for path in paths]),
                photos=np.array([str(path.relative_to(folder)) for path in paths]),
                scores=dict(zip(names, scores[number].T, strict=True)),
                p_values=dict(zip(names, p_values[number].T, strict=True)),
                verdicts=dict(zip(names, verdicts[number].T, strict=True)),
                ratios=ratios[number][:, 0],
                traits=traits[number],
            )
        )
    return judged


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


def _largest(prepared: Prepared) -> Prepared:
    """The image with its largest face only."""
    return replace(prepared, faces=prepared.faces[:1])
