"""What is said of an image: one result an image, one verdict a face."""

from dataclasses import dataclass, field
from typing import Any

from exiface.density import Verdict
from exiface.density.calibration import SCORE_DECIMALS
from exiface.photos import CameraTags


@dataclass(frozen=True, slots=True)
class FaceResult:
    """The verdict on one face.

    Attributes:
        box: (x0, y0, x1, y1) in pixels of the upright image.
        score: how anomalous, higher = more: the negative log-likelihood, or a classifier's
            log-odds.
        p_value: share of calibration photographs at least as anomalous, see Calibration; of
            several sources, the largest.
        p_value_low: the smallest among the sources.
        verdict: the band of the p-value.
        log_likelihood: of the face's features under the density of photographs; None for a
            detector that classifies.
        probability: that the face is generated, by such a classifier's own account; None for a
            detector with a density.
        side: of the square crop that was judged, in pixels.
    """

    box: tuple[float, float, float, float]
    score: float
    p_value: float
    p_value_low: float
    verdict: Verdict
    log_likelihood: float | None = None
    probability: float | None = None
    side: int | None = None

    def as_dict(self) -> dict[str, Any]:
        """As JSON has it; rounded below what differs between machines."""
        values: dict[str, Any] = {
            "box": [round(side, 1) for side in self.box],
            "score": round(self.score, SCORE_DECIMALS),
        }
        if self.log_likelihood is not None:
            values["log_likelihood"] = round(self.log_likelihood, SCORE_DECIMALS)
        if self.probability is not None:
            values["probability"] = round(self.probability, 6)
        if self.side is not None:
            values["side"] = self.side
        return values | {
            "p_value": round(self.p_value, 6),
            "p_value_low": round(self.p_value_low, 6),
            "verdict": self.verdict.value,
        }


@dataclass(frozen=True, slots=True)
class ImageResult:
    """What is said of one image.

    Attributes:
        path: as it was given; None for arrays and Pillow images.
        detector: id of the detector that judged.
        faces: largest first; empty where there is a reason.
        tags: what the camera recorded.
        reason: why there is no verdict; None where there is one.
        small_faces: further faces found, too small to be judged.
        size: (width, height) of the upright image; (0, 0) where it can't be read.
    """

    path: str | None
    detector: str
    faces: tuple[FaceResult, ...] = ()
    tags: CameraTags = field(default_factory=CameraTags)
    reason: str | None = None
    small_faces: int = 0
    size: tuple[int, int] = (0, 0)

    def as_dict(self) -> dict[str, Any]:
        """As JSON has it: `reason` only where there is no verdict."""
        values: dict[str, Any] = {
            "path": self.path,
            "faces": [face.as_dict() for face in self.faces],
            "tags": self.tags.as_dict(),
            "detector": self.detector,
        }
        if self.small_faces:
            values["small_faces"] = self.small_faces
        if self.reason is not None:
            values["reason"] = self.reason
        return values
