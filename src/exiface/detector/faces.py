"""Cut faces out of a photograph and judge them."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from exiface.detector.folder import DetectorParts
from exiface.detector.results import Judgement
from exiface.encoders import OnnxEncoder
from exiface.photos import FaceDetector, Photo
from exiface.photos.crops import Box, Crop, shorter_side
from exiface.photos.quality import Quality


@dataclass(frozen=True, slots=True)
class CutFace:
    """A face cut out of an image.

    Attributes:
        box: of the face.
        crop: (s, s, 3) as its encoder takes it; s may differ from face to face.
        quality: how well it can be seen.
    """

    box: Box
    crop: Crop
    quality: Quality


class Faces:
    """Cuts out the faces of photographs and judges them.

    Args:
        parts: of a detector whose encoder looks at faces.
        threads: for one batch; None = one a core.
    """

    def __init__(self, parts: DetectorParts, threads: int | None = None) -> None:
        self.parts = parts
        self.encoder = OnnxEncoder(parts.model, parts.encoder, threads=threads)
        self.face_detector = FaceDetector()

    def cut(self, photo: Photo, *, cropped: bool) -> tuple[tuple[CutFace, ...], int, str | None]:
        """The faces of a photograph, how many are too small, and why there is none."""
        found, small, reason = self.face_detector.to_judge(photo.pixels, cropped=cropped)
        cut = self.parts.encoder.preprocessing.crop
        faces = tuple(
            CutFace(
                face.box,
                crop := cut(photo.pixels, face.box),
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
        crops = [face.crop for face in faces]
        scores = np.concatenate(
            [np.empty(0)]
            + [
                self.score(crops[start : start + batch_size])
                for start in range(0, len(crops), batch_size)
            ]
        )
        if not crops:
            return
        reasons = [self.parts.quality.reason(face.quality) for face in faces]
        findings = self.parts.judge.findings(scores, reasons)
        for face, score, finding in zip(faces, scores.tolist(), findings, strict=True):
            yield self.parts.judgement(face.box, score, finding, side=len(face.crop))
