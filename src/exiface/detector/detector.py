"""From images to verdicts: the runtime."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Self

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from exiface.choices import Scope
from exiface.detector.folder import (
    WHOLE_IMAGE,
    DetectorError,
    DetectorParts,
    detector_folder,
    read_folder,
)
from exiface.detector.results import ImageResult
from exiface.detector.subjects import CutFace, Faces, Seen, WholeImages
from exiface.encoders import OnnxEncoder
from exiface.photos import FaceDetector, UnreadableImageError, read_photo
from exiface.photos.content_credentials import validation_settings
from exiface.photos.crops import Crop
from exiface.photos.images import ImageSource
from exiface.threads import cores, ordered_map


@dataclass(frozen=True, slots=True)
class Prepared:
    """An image whose faces are cut out, on its way to the encoder."""

    result: ImageResult  #: what is known of it before anything is judged.
    faces: tuple[CutFace, ...] = ()  #: to be judged, largest first.
    whole: Seen | None = None  #: what was seen of the image as a whole, where that is judged.


class Detector:
    """Tells photographs from AI-generated images, by their faces, or as wholes.

    It is made of what detector folders hold: `parts`, whose encoder says what it looks at, and
    `whole`, of a detector of whole images, for when they are judged beside the faces. See `load`
    for the rest. An environment that names a trust list that can't be used is a TrustListError.

    Example:
        >>> detector = Detector.load()
        >>> [result] = detector.detect(["missing.jpg"])
        >>> result.reason
        'no such file'
    """

    def __init__(
        self,
        parts: DetectorParts,
        *,
        whole: DetectorParts | None = None,
        subject: Scope | None = None,
        threads: int | None = None,
    ) -> None:
        self.parts = parts
        self.subject: Scope = subject or _looks_at(parts)
        self.threads = threads or cores()
        if parts.encoder.subject == "image":
            whole = parts
        self.whole = None if whole is None else WholeImages(whole, threads=self.threads)
        self._faces = Faces(parts, self.threads) if parts.encoder.subject == "face" else None
        validation_settings()  # a trust list that can't be used is told before anything is judged

    @classmethod
    def load(
        cls,
        detector: str | Path | None = None,
        *,
        subject: Scope | None = None,
        threads: int | None = None,
    ) -> Self:
        """Load a detector: what other libraries call `from_pretrained`, without a network.

        Args:
            detector: "default", "photographs-only" or "whole-image" for those inside the package,
                or a detector folder; None = "default", or "whole-image" where the subject is that.
            subject: what is judged: "faces", the "image" as a whole, "both", or "auto": faces, and
                as wholes those images that hold none. For the last two "whole-image" joins a
                detector of faces. None = what the detector looks at.
            threads: for decoding and for the encoder; None = one a core.

        Raises:
            DetectorError: missing, damaged or unknown, or it doesn't look at the subject.
        """
        if detector is None and subject == "image":
            detector = WHOLE_IMAGE
        parts = read_folder(detector_folder(detector))
        looks_at = _looks_at(parts)
        if looks_at == "faces" and subject in ("both", "auto"):
            whole = read_folder(detector_folder(WHOLE_IMAGE))
            return cls(parts, whole=whole, subject=subject, threads=threads)
        if subject not in (None, looks_at):
            raise DetectorError(
                f"the detector {parts.name!r} looks at {looks_at}, and the subject is {subject}; "
                "name another detector, or leave it out"
            )
        return cls(parts, threads=threads)

    @property
    def id(self) -> str:
        """The detectors that judge, each by its name and the first digits of its digest."""
        if self.whole is None or self.whole.parts is self.parts:
            return self.parts.id
        return f"{self.parts.id} + {self.whole.parts.id}"

    @property
    def encoder(self) -> OnnxEncoder:
        """The encoder of faces; a detector of whole images raises a DetectorError."""
        return self._of_faces.encoder

    @property
    def face_detector(self) -> FaceDetector:
        """What finds the faces; a detector of whole images raises a DetectorError."""
        return self._of_faces.face_detector

    @property
    def _of_faces(self) -> Faces:
        if self._faces is None:
            raise DetectorError(
                f"the detector {self.parts.name!r} judges whole images, and one of faces is needed"
            )
        return self._faces

    def detect(
        self,
        images: ImageSource | Iterable[ImageSource],
        *,
        batch_size: int = 32,
        cropped: bool = False,
    ) -> Iterator[ImageResult]:
        """Judge images, one after another, in order; memory stays flat over any number.

        Images are decoded, searched for faces, and looked at as wholes, in threads while the
        encoder of faces works.

        Args:
            images: paths, bytes, RGB uint8 arrays (h, w, 3), or Pillow images; one, or any number,
                drawn lazily. An array (n, h, w, 3) is n images.
            batch_size: faces that the encoder takes at a time.
            cropped: each image is a face already cut out; no face is searched for.

        Yields:
            One result an image; where nothing is judged, with the reason.
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

    def notices(self, results: Iterable[ImageResult]) -> list[str]:
        """What everyone who reads these verdicts must know of the detectors that gave them."""
        found = [self.parts.notice]
        if self.whole is not None and any(result.image is not None for result in results):
            found.append(self.whole.parts.notice)
        return [*dict.fromkeys(filter(None, found))]

    def judges(self, subject: Scope) -> bool:
        """Whether it can judge this subject."""
        return (subject == "image" or self._faces is not None) and (
            subject == "faces" or self.whole is not None
        )

    def prepare(
        self, source: ImageSource, *, cropped: bool = False, subject: Scope | None = None
    ) -> Prepared:
        """Decode an image, cut out its faces and look at the whole, in any thread, for `judge`.

        The source is one of the images of `detect`. The subject is what is to be judged, one that
        it `judges`; None = what the detector was loaded for.
        """
        path = str(source) if isinstance(source, str | Path) else None
        try:
            photo = read_photo(source)
        except UnreadableImageError as error:
            alpha = self.parts.calibration.alpha
            return Prepared(ImageResult(path, self.parts.id, reason=str(error), alpha=alpha))
        height, width = photo.pixels.shape[:2]
        faces: tuple[CutFace, ...] = ()
        small, reason = 0, None
        subject = subject or self.subject
        if self._faces is not None and subject != "image":
            faces, small, reason = self._faces.cut(photo, cropped=cropped)
        whole = None
        if self.whole is not None and (
            subject in ("image", "both") or (subject == "auto" and not faces)
        ):
            whole, reason = self.whole.look(photo), None
        result = ImageResult(
            path=path,
            detector=self.parts.id,
            tags=photo.tags,
            reason=reason,
            small_faces=small,
            size=(width, height),
            declared=photo.declared,
            alpha=self.parts.calibration.alpha,
        )
        return Prepared(result, faces, whole)

    def score(self, crops: Sequence[Crop] | NDArray[np.uint8]) -> NDArray[np.float64]:
        """Scores (n,) of face crops, (s, s, 3) each, cut by this detector's preprocessing."""
        return self._of_faces.score(crops)

    def _judge(self, images: Sequence[Prepared], batch_size: int) -> Iterator[ImageResult]:
        cut = [face for image in images for face in image.faces]
        faces = iter(self._faces.judge(cut, batch_size) if self._faces else ())
        for image in images:
            whole = None
            if image.whole is not None:
                assert self.whole is not None  # noqa: S101 - who looked at it
                whole = self.whole.judge(image.whole, image.result.size)
            judged = tuple(next(faces) for _ in image.faces)
            yield replace(image.result, faces=judged, image=whole)


def _looks_at(parts: DetectorParts) -> Scope:
    return "image" if parts.encoder.subject == "image" else "faces"


def _one_by_one(images: ImageSource | Iterable[ImageSource]) -> Iterable[ImageSource]:
    if isinstance(images, np.ndarray):
        return list(images) if images.ndim == 4 else [images]
    if isinstance(images, str | Path | bytes | Image.Image):
        return [images]
    return images
