"""Look at the faces of a photograph, or at the image as a whole, and judge what was seen."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from exiface.calibration import Finding
from exiface.detector.folder import DetectorParts
from exiface.detector.results import Judgement
from exiface.encoders import OnnxEncoder
from exiface.encoders.runtime import OnnxPatchEncoder
from exiface.photos import FaceDetector, Photo
from exiface.photos.crops import Box, Crop, shorter_side
from exiface.photos.quality import Quality


@dataclass(frozen=True, slots=True)
class CutFace:
    """A face cut out of an image."""

    box: Box  #: of the face.
    crop: Crop  #: (s, s, 3) as its encoder takes it; s may differ from face to face.
    quality: Quality  #: how well it can be seen.


class Faces:
    """Cuts out the faces of photographs and judges them, by a detector's parts."""

    def __init__(self, parts: DetectorParts, threads: int | None = None) -> None:
        self.parts = parts
        self.encoder = OnnxEncoder(parts.model, parts.encoder, threads=threads)
        self.face_detector = FaceDetector()

    def cut(self, photo: Photo, *, cropped: bool) -> tuple[tuple[CutFace, ...], int, str | None]:
        """The faces of a photograph, how many are too small, and why there is none."""
        found, small, reason = self.face_detector.to_judge(photo.pixels, cropped=cropped)
        faces = tuple(
            CutFace(
                face.box,
                crop := self.encoder.inputs(photo.pixels, face.box),
                Quality.of(crop, shorter_side(face.box), face.landmarks, photo.jpeg_quality),
            )
            for face in found
        )
        return faces, small, reason

    def score(self, crops: Sequence[Crop] | NDArray[np.uint8]) -> NDArray[np.float64]:
        """Scores (n,) of crops."""
        return self.parts.scorer.score(self.encoder.encode(crops))

    def judge(self, faces: Sequence[CutFace], batch_size: int) -> Iterator[Judgement]:
        """The verdicts on faces, in order."""
        if not faces:
            return
        crops = [face.crop for face in faces]
        starts = range(0, len(crops), batch_size)
        scores = np.concatenate([self.score(crops[at : at + batch_size]) for at in starts])
        reasons = [self.parts.quality.reason(face.quality) for face in faces]
        findings = self.parts.judge.findings(scores, reasons)
        for face, score, finding in zip(faces, scores.tolist(), findings, strict=True):
            yield _judgement(self.parts, face.box, score, finding, side=len(face.crop))


@dataclass(frozen=True, eq=False)
class Seen:
    """An image that was looked at as a whole, on its way to a verdict."""

    feature: NDArray[np.float32]  #: (d,).
    quality: Quality  #: how well it can be seen.


class WholeImages:
    """Judges images as wholes, by the parts of a detector of whole images."""

    def __init__(self, parts: DetectorParts, *, threads: int | None = None) -> None:
        self.parts = parts
        self.encoder = OnnxPatchEncoder(
            parts.model, parts.attention, parts.encoder, threads=threads
        )

    def look(self, photo: Photo) -> Seen:
        """Look at an image; any number of threads may do so."""
        quality = Quality.of_image(photo.pixels, photo.jpeg_quality)
        return Seen(self.encoder.encode([photo.pixels])[0], quality)

    def patch_map(self, pixels: NDArray[np.uint8]) -> NDArray[np.float32]:
        """How much each patch of an image (h, w, 3) scores above the median one: (h, w).

        Each is scored as if it were the whole image; where no patch lies, 0 stands.
        """
        height, width = pixels.shape[:2]
        scores = self.parts.scorer.score(self.encoder.each(pixels))
        scores = scores - np.median(scores)
        found = np.zeros((height, width), np.float32)
        boxes = self.encoder.patches.boxes(width, height)
        for (x0, y0, x1, y1), score in zip(boxes.tolist(), scores, strict=True):
            found[max(y0, 0) : max(y1, 0), max(x0, 0) : max(x1, 0)] = score
        return found

    def judge(self, seen: Seen, size: tuple[int, int]) -> Judgement:
        """The verdict on an image of this width and height that was looked at."""
        score = float(self.parts.scorer.score(seen.feature[None])[0])
        [finding] = self.parts.judge.findings([score], [self.parts.quality.reason(seen.quality)])
        box = (0.0, 0.0, float(size[0]), float(size[1]))
        return _judgement(self.parts, box, score, finding, detector=self.parts.id)


def _judgement(
    parts: DetectorParts, box: Box, score: float, finding: Finding, **others: Any
) -> Judgement:
    likelihood = parts.scorer.log_likelihood(score)
    return Judgement(box=box, score=score, log_likelihood=likelihood, **vars(finding), **others)
