"""From images to verdicts: the runtime."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from exiface.density import Classifier, GaussianMixture, Verdict, verdict_of
from exiface.detector.folder import DetectorParts, detector_folder, read_folder
from exiface.detector.results import FaceResult, ImageResult
from exiface.encoders import OnnxEncoder
from exiface.photos import CameraTags, Declared, FaceDetector, UnreadableImageError, read_photo
from exiface.photos.content_credentials import validation_settings
from exiface.photos.crops import Box, Crop, shorter_side
from exiface.photos.images import ImageSource
from exiface.photos.quality import Quality
from exiface.threads import cores, ordered_map


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


@dataclass(frozen=True, slots=True)
class Prepared:
    """An image whose faces are cut out, on its way to the encoder.

    Attributes:
        path: as it was given; None for arrays and Pillow images.
        faces: to be judged, largest first.
        tags: what the camera recorded.
        declared: what the file says of its origin.
        size: (width, height) of the upright image.
        small_faces: further faces found, too small to be judged.
        reason: why there is nothing to judge.
    """

    path: str | None
    faces: tuple[CutFace, ...] = ()
    tags: CameraTags = field(default_factory=CameraTags)
    declared: Declared = field(default_factory=Declared)
    size: tuple[int, int] = (0, 0)
    small_faces: int = 0
    reason: str | None = None


class Detector:
    """Tells photographs of faces from AI-generated ones.

    Args:
        parts: what a detector folder holds; see `load`.
        threads: for decoding and for the encoder; None = one a core.

    Raises:
        TrustListError: the environment names a trust list that can't be used.

    Example:
        >>> detector = Detector.load()
        >>> [result] = detector.detect(["missing.jpg"])
        >>> result.reason
        'no such file'
    """

    def __init__(self, parts: DetectorParts, *, threads: int | None = None) -> None:
        self.parts = parts
        self.threads = threads or cores()
        self.encoder = OnnxEncoder(parts.model, parts.encoder, threads=self.threads)
        self.face_detector = FaceDetector()
        validation_settings()  # a trust list that can't be used is told before anything is judged

    @classmethod
    def load(cls, detector: str | Path | None = None, *, threads: int | None = None) -> Self:
        """Load a detector.

        Args:
            detector: "default" or "photographs-only" for those inside the package, or a detector
                folder; None = "default".
            threads: for decoding and for the encoder; None = one a core.

        Returns:
            The detector.

        Raises:
            DetectorError: missing, damaged or unknown.
        """
        return cls(read_folder(detector_folder(detector)), threads=threads)

    @property
    def id(self) -> str:
        """Name and the first digits of the digest: which detector, exactly, judged."""
        digest = self.parts.digest[:12]
        return f"{self.parts.name}@{digest}" if digest else self.parts.name

    def detect(
        self,
        images: ImageSource | Iterable[ImageSource],
        *,
        batch_size: int = 32,
        cropped: bool = False,
    ) -> Iterator[ImageResult]:
        """Judge images, one after another, in order; memory stays flat over any number.

        Images are decoded and searched for faces in threads while the encoder works.

        Args:
            images: paths, bytes, RGB uint8 arrays (h, w, 3), or Pillow images; one, or any number,
                drawn lazily. An array (n, h, w, 3) is n images.
            batch_size: faces that the encoder takes at a time.
            cropped: each image is a face already cut out; no face is searched for.

        Yields:
            One result an image. An image that can't be read, or without a face, has a reason.
        """
        prepared = ordered_map(
            lambda source: self.prepare(source, cropped=cropped),
            _one_by_one(images),
            workers=self.threads,
            ahead=max(4 * self.threads, batch_size),
        )
        yield from self.judge(prepared, batch_size=batch_size)

    def judge(self, prepared: Iterable[Prepared], *, batch_size: int = 32) -> Iterator[ImageResult]:
        """Judge images whose faces are cut out already (see `prepare`), in order, as a stream."""
        waiting: list[Prepared] = []
        faces = 0
        for image in prepared:
            waiting.append(image)
            faces += len(image.faces)
            if faces >= batch_size or len(waiting) >= 4 * batch_size:
                yield from self._judge(waiting, batch_size)
                waiting.clear()
                faces = 0
        yield from self._judge(waiting, batch_size)

    def prepare(self, source: ImageSource, *, cropped: bool = False) -> Prepared:
        """Decode an image and cut out its faces; any number of threads may do so.

        Args:
            source: path, bytes, RGB uint8 array (h, w, 3), or Pillow image.
            cropped: the image is a face already cut out; no face is searched for.

        Returns:
            The faces, for `judge`; with a reason where there is nothing to judge.
        """
        path = str(source) if isinstance(source, str | Path) else None
        try:
            photo = read_photo(source)
        except UnreadableImageError as error:
            return Prepared(path, reason=str(error))
        height, width = photo.pixels.shape[:2]
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
        return Prepared(
            path=path,
            faces=faces,
            tags=photo.tags,
            declared=photo.declared,
            size=(width, height),
            small_faces=small,
            reason=reason,
        )

    def score(self, crops: Sequence[Crop] | NDArray[np.uint8]) -> NDArray[np.float64]:
        """Scores (n,) of face crops, (s, s, 3) each, cut by this detector's preprocessing."""
        return self.parts.scorer.score(self.encoder.encode(crops))

    def _judge(self, images: Sequence[Prepared], batch_size: int) -> Iterator[ImageResult]:
        crops = [face.crop for image in images for face in image.faces]
        scores = np.concatenate(
            [np.empty(0)]
            + [
                self.score(crops[start : start + batch_size])
                for start in range(0, len(crops), batch_size)
            ]
        )
        sides = [len(crop) for crop in crops]
        ranges = self.parts.calibration.p_range(scores, sides)
        verdicts = iter(zip(sides, scores, *ranges, strict=True))
        for image in images:
            faces = tuple(
                self._face(face.box, face.quality, *next(verdicts)) for face in image.faces
            )
            yield ImageResult(
                path=image.path,
                detector=self.id,
                faces=faces,
                tags=image.tags,
                reason=image.reason,
                small_faces=image.small_faces,
                size=image.size,
                declared=image.declared,
                alpha=self.parts.calibration.alpha,
            )

    def _face(
        self,
        box: Box,
        quality: Quality,
        side: int,
        score: float,
        p_value_low: float,
        p_value: float,
    ) -> FaceResult:
        scorer = self.parts.scorer
        calibration = self.parts.calibration.compared_with(side)
        known = self.parts.generated
        generated = None if known is None else known.compared_with(side)
        reason = self.parts.quality.reason(quality)
        verdict = verdict_of(float(p_value), calibration, generated)
        return FaceResult(
            box=box,
            score=float(score),
            log_likelihood=float(-score) if isinstance(scorer, GaussianMixture) else None,
            probability=scorer.probability(score) if isinstance(scorer, Classifier) else None,
            p_value=float(p_value),
            p_value_low=float(p_value_low),
            verdict=verdict if reason is None else Verdict.UNSURE,
            side=side,
            generated_as_unusual=generated.share_as_unusual(float(p_value)) if generated else None,
            generated_as_usual=generated.share_as_usual(float(p_value)) if generated else None,
            unsure_because=reason,
        )


def _one_by_one(images: ImageSource | Iterable[ImageSource]) -> Iterable[ImageSource]:
    if isinstance(images, np.ndarray):
        return list(images) if images.ndim == 4 else [images]
    if isinstance(images, str | Path | bytes | Image.Image):
        return [images]
    return images
