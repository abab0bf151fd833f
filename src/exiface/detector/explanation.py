"""Why a face, or a whole image, got its verdict: signs, regions, stability, standing, tags."""

from collections.abc import Iterator
from dataclasses import dataclass
from statistics import NormalDist
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from exiface.calibration import LikelihoodRatio
from exiface.calibration.conformal import SCORE_DECIMALS
from exiface.choices import Scope, Subject
from exiface.detector.cross_check import TagCheck
from exiface.detector.detector import Detector, Prepared
from exiface.detector.folder import DetectorParts
from exiface.detector.results import SCHEMA_VERSION, ImageResult, Judgement
from exiface.errors import UserError
from exiface.photos import CameraTags, read_photo
from exiface.photos.alterations import altered
from exiface.photos.crops import Box, as_shown, square_about
from exiface.photos.images import ImageSource

MILD_ALTERATIONS = (
    *("JPEG 95", "JPEG 85", "JPEG 75", "resize 0.75", "resize 0.5", "blur 0.5"),
    *("crop 90 %", "messenger", "screenshot"),
)
_CONTEXT = 2.2  # side of what is altered, in longer sides of the face box
_WINDOW = 6  # a window fades to nothing at 1/6 of the crop's side from its centre
_STEPS = 11  # windows along a side
_BATCH = 32
_NEIGHBOURS = 5
_SHOWN = 512  # px, the longer side of a whole image that is explained
_GRID = 8  # cells along a side of the map, as JSON has it


@dataclass(frozen=True, eq=False)
class Explanation:
    """What stands behind a verdict."""

    result: ImageResult  #: of the whole image.
    number: int | None  #: which of its faces is explained; None = the image as a whole.
    crop: NDArray[np.uint8]  #: (h, w, 3) uint8, what the encoder saw; of a whole image, small.
    #: (h, w) by how much the log-likelihood rises when a region is hidden, less the median over the
    #: face: above 0, the region pulls the likelihood down more than others. Of a whole image, by
    #: how much the patch there scores above the median patch.
    regions: NDArray[np.float32]
    #: head of the encoder -> share of photographs that show less of its sign, as a normal
    #: distribution has it, 0 to 1; with a leading minus, low outputs are the sign. Empty where a
    #: density or classifier scores.
    signs: dict[str, float]
    #: scores of the calibration photographs nearest in score, ascending.
    nearest_scores: tuple[float, ...]
    #: mild alteration -> the verdict after it; None where the face was no longer found.
    stability: dict[str, Judgement | None]
    #: expected and claimed camera tags; empty where the detector has no heads.
    tag_checks: tuple[TagCheck, ...]
    #: the likelihood ratio of generators that training knew, beside that of the verdict, which is
    #: of those that it never saw; None where none were measured.
    known_ratio: LikelihoodRatio | None = None

    @property
    def judged(self) -> Judgement:
        """The verdict that is explained."""
        if self.number is not None:
            return self.result.faces[self.number]
        assert self.result.image is not None  # noqa: S101 - or there is nothing to explain
        return self.result.image

    @property
    def what(self) -> Subject:
        """Whether a face is explained, or the image as a whole."""
        return "image" if self.number is None else "face"

    @property
    def which(self) -> str:
        """Which of several things is explained, faces counted from 1; empty of an only face."""
        if self.number is None:
            return "as a whole"
        faces = len(self.result.faces)
        return f"face {self.number + 1} of {faces}, the largest first" if faces > 1 else ""

    @property
    def kept(self) -> int:
        """How many of the alterations leave the verdict as it was."""
        return sum(
            each is not None and each.verdict == self.judged.verdict
            for each in self.stability.values()
        )

    def as_dict(self) -> dict[str, Any]:
        """As JSON has it; the regions as 8 x 8 means, from the top left."""
        cells = cv2.resize(self.regions, (_GRID, _GRID), interpolation=cv2.INTER_AREA)
        return {
            "schema": SCHEMA_VERSION,
            "path": self.result.path,
            "detector": self.result.detector,
            "subject": self.what,
            "face": self.number,
            **self.judged.as_dict(),
            "likelihood_ratio_known": self.known_ratio and self.known_ratio.as_dict(),
            **self.result.declared.as_dict(),
            "regions": np.round(cells.astype(float), SCORE_DECIMALS).tolist(),
            "signs": {name: round(rank, 3) for name, rank in self.signs.items()},
            "nearest_scores": list(self.nearest_scores),
            "stability": {name: each and each.as_dict() for name, each in self.stability.items()},
            "tags": {check.tag: check.as_dict() for check in self.tag_checks},
        }


def explain(
    detector: Detector,
    image: ImageSource,
    *,
    face: int = 0,
    cropped: bool = False,
    subject: Scope | None = None,
) -> Explanation:
    """Explain the verdict on one face, or on an image as a whole.

    Args:
        detector: that judges.
        image: path, bytes, RGB uint8 array (h, w, 3), or Pillow image.
        face: which one, an index into `ImageResult.faces`, the largest being 0.
        cropped: the image is a face already cut out.
        subject: "image" = the image as a whole; None = as the detector was loaded, which may be the
            whole where there is no face.

    Raises:
        UserError: the image can't be read or holds no such face.
    """
    prepared = detector.prepare(image, cropped=cropped, subject=subject)
    [result] = detector.judge([prepared])
    if result.reason is not None:
        raise UserError(
            f"{result.path or 'the image'}: {result.reason}"
            + (
                "; --subject image explains the image as a whole (over HTTP: subject=image)"
                if result.size[0]
                else ""
            )
        )
    if result.image is not None and not result.faces:
        return _explain_whole(detector, image, prepared, result)
    if face >= len(result.faces):
        number = "one face" if len(result.faces) == 1 else f"{len(result.faces)} faces"
        raise UserError(
            f"{result.path or 'the image'} has {number}, the largest first; the one that you ask "
            "for is not among them"
        )
    crop, box = as_shown(prepared.faces[face].crop), prepared.faces[face].box
    features = detector.encoder.encode(crop[None])
    return Explanation(
        result=result,
        number=face,
        crop=crop,
        regions=region_map(detector, crop),
        signs={
            name: NormalDist().cdf(float(sign[0]))
            for name, sign in detector.parts.scorer.signs(features).items()
        },
        stability=_stability(detector, read_photo(image).pixels, box, cropped=cropped),
        **_beside(detector.parts, result.faces[face], features[0], result.tags),
    )


def _explain_whole(
    detector: Detector, image: ImageSource, prepared: Prepared, result: ImageResult
) -> Explanation:
    whole, seen = detector.whole, prepared.whole
    assert whole is not None and seen is not None and result.image is not None  # noqa: S101 - judged
    pixels = read_photo(image).pixels
    width, height = result.size
    shrunk = min(1.0, _SHOWN / max(height, width))
    size = (max(1, round(width * shrunk)), max(1, round(height * shrunk)))
    regions = cv2.resize(whole.patch_map(pixels), size, interpolation=cv2.INTER_NEAREST)
    return Explanation(
        result=result,
        number=None,
        crop=np.asarray(cv2.resize(pixels, size, interpolation=cv2.INTER_AREA), np.uint8),
        regions=np.asarray(regions, np.float32),
        signs={},
        stability={name: each.image for name, each in _altered(detector, pixels, subject="image")},
        **_beside(whole.parts, result.image, seen.feature, result.tags),
    )


def _beside(
    parts: DetectorParts, judged: Judgement, feature: NDArray[np.float32], tags: CameraTags
) -> dict[str, Any]:
    """What stands beside a verdict, on a face or a whole image, by the names of `Explanation`."""
    calibrated, check = parts.calibration.scores, parts.cross_check
    distance = np.abs(calibrated - judged.score)
    nearest = calibrated[np.argsort(distance, kind="stable")[:_NEIGHBOURS]]
    return {
        "nearest_scores": tuple(np.sort(nearest).tolist()),
        "tag_checks": () if check is None else check.check(feature, tags),
        # As `Judgement.evidence`, only of what can be compared.
        "known_ratio": None
        if judged.unsure_because
        else parts.judge.ratio_of_known(judged.p_value),
    }


def region_map(detector: Detector, crop: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Which regions pull the log-likelihood down: occlusion by a blurred copy of the face.

    Windows with soft edges are laid over the crop (s, s, 3) uint8 of the detector, one at a time;
    hard ones would add edges that no photograph has. What hiding does to any face is taken out by
    the median over the windows. The map (s, s) float32 is in units of log-likelihood.

    Source: occlusion sensitivity, Zeiler and Fergus 2014, section 4.2.
    """
    size = crop.shape[0]
    side = max(2, size // _WINDOW)
    hidden = cv2.GaussianBlur(crop, (0, 0), size / 12).astype(np.float32)
    centres = np.linspace(0, size - 1, _STEPS)
    distance = np.abs(np.arange(size)[None, :] - centres[:, None]) / side
    profile = np.where(distance < 1, (1 + np.cos(np.pi * distance)) / 2, 0).astype(np.float32)
    windows = np.indices((_STEPS, _STEPS)).reshape(2, -1)
    scores: list[NDArray[np.float64]] = []
    for start in range(0, windows.shape[1], _BATCH):
        rows, columns = windows[:, start : start + _BATCH]
        masks = (profile[rows][:, :, None] * profile[columns][:, None, :])[..., None]
        covered = np.rint(crop * (1 - masks) + hidden * masks).astype(np.uint8)
        scores.append(detector.score(covered))
    rise = -np.concatenate(scores)
    rise -= np.median(rise)
    grid = rise.reshape(_STEPS, _STEPS).astype(np.float32)
    # Each pixel takes the mean of the windows that cover it, weighted by how much they do.
    weights = profile.sum(axis=0)
    spread = (profile.T @ grid @ profile) / np.outer(weights, weights)
    return np.asarray(spread, np.float32)


def _stability(
    detector: Detector, pixels: NDArray[np.uint8], box: Box, *, cropped: bool
) -> dict[str, Judgement | None]:
    height, width = pixels.shape[:2]
    if not cropped:  # other faces of the picture are left out
        x0, y0, x1, y1 = square_about(box, _CONTEXT, width, height)
        pixels = np.ascontiguousarray(pixels[y0:y1, x0:x1])
        box = (box[0] - x0, box[1] - y0, box[2] - x0, box[3] - y0)
        height, width = pixels.shape[:2]
    place = np.array([(box[0] + box[2]) / (2 * width), (box[1] + box[3]) / (2 * height)])
    return {
        name: _nearest_face(result, place)
        for name, result in _altered(detector, pixels, cropped=cropped)
    }


def _altered(
    detector: Detector, pixels: NDArray[np.uint8], **asked: Any
) -> Iterator[tuple[str, ImageResult]]:
    """Each mild alteration, and what is said of the picture after it."""
    prepared = (detector.prepare(altered(pixels, name), **asked) for name in MILD_ALTERATIONS)
    return zip(MILD_ALTERATIONS, detector.judge(prepared), strict=True)


def _nearest_face(result: ImageResult, place: NDArray[np.float64]) -> Judgement | None:
    """The face whose centre, in shares of the image's sides, is nearest."""

    def distance(face: Judgement) -> float:
        x0, y0, x1, y1 = face.box
        centre = np.array([(x0 + x1) / 2, (y0 + y1) / 2]) / result.size
        return float(np.abs(centre - place).sum())

    return min(result.faces, key=distance, default=None)
