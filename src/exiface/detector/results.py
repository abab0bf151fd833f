"""What is said of an image: one result an image; one verdict a face, and one on the whole."""

from dataclasses import dataclass, field
from typing import Any

from exiface.calibration import Verdict
from exiface.calibration.conformal import SCORE_DECIMALS
from exiface.photos import CameraTags, Declared

# Of the JSON: 3 added `image`, the verdict on the image as a whole; 2 added `schema`, `verdict`,
# `p_value` and `summary` of the image, what the file declares, what generated faces score, and the
# verdict "nothing-found" (see CHANGELOG.md).
SCHEMA = 3


# Verdicts as people read them, alike on every surface.
SAID = {
    Verdict.AI_GENERATED: "looks AI-generated",
    Verdict.UNSURE: "unsure",
    Verdict.PHOTOGRAPHIC: "looks photographic",
    Verdict.NOTHING_FOUND: "nothing unusual found; generated ones may pass",
}


@dataclass(frozen=True, slots=True)
class Judgement:
    """The verdict on one face, or on an image as a whole.

    Attributes:
        box: (x0, y0, x1, y1) in pixels of the upright image; of a whole image, all of it.
        score: how anomalous, higher = more: the negative log-likelihood, or a classifier's
            log-odds.
        p_value: share of calibration photographs at least as anomalous, see Calibration; of
            several sources, the largest.
        p_value_low: the smallest among the sources.
        verdict: what they earn.
        log_likelihood: of the face's features under the density of photographs; None for a
            detector that classifies.
        probability: that the face is generated, by such a classifier's own account; None for a
            detector with a density.
        side: of the square crop that was judged, in pixels; None of a whole image.
        generated_as_unusual: share of generated faces of families that training never saw whose
            p-value is at most this face's; None where none were measured.
        generated_as_usual: share of them that score no higher.
        unsure_because: why its quality rules out any other verdict; None where it doesn't.
        detector: id of the detector, where it isn't that of the result.
    """

    box: tuple[float, float, float, float]
    score: float
    p_value: float
    p_value_low: float
    verdict: Verdict
    log_likelihood: float | None = None
    probability: float | None = None
    side: int | None = None
    generated_as_unusual: float | None = None
    generated_as_usual: float | None = None
    unsure_because: str | None = None
    detector: str | None = None

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
        values |= {
            "p_value": round(self.p_value, 6),
            "p_value_low": round(self.p_value_low, 6),
            "verdict": self.verdict.value,
        }
        for name in ("generated_as_unusual", "generated_as_usual"):
            if (share := getattr(self, name)) is not None:
                values[name] = round(share, 4)
        if self.unsure_because is not None:
            values["unsure_because"] = self.unsure_because
        if self.detector is not None:
            values["detector"] = self.detector
        return values


@dataclass(frozen=True, slots=True)
class ImageResult:
    """What is said of one image.

    Attributes:
        path: as it was given; None for arrays and Pillow images.
        detector: id of the detector that judged.
        faces: largest first; empty where none was found, or looked for.
        image: the verdict on the image as a whole; None where it wasn't asked for.
        tags: what the camera recorded.
        reason: why there is no verdict; None where there is one.
        small_faces: further faces found, too small to be judged.
        size: (width, height) of the upright image; (0, 0) where it can't be read.
        declared: what the file says of its origin; it stands beside the verdict.
        alpha: promised false-alarm rate.
    """

    path: str | None
    detector: str
    faces: tuple[Judgement, ...] = ()
    image: Judgement | None = None
    tags: CameraTags = field(default_factory=CameraTags)
    reason: str | None = None
    small_faces: int = 0
    size: tuple[int, int] = (0, 0)
    declared: Declared = field(default_factory=Declared)
    alpha: float = 0.05

    @property
    def judged(self) -> tuple[Judgement, ...]:
        """The faces, and the image as a whole, as far as they were judged."""
        return self.faces if self.image is None else (*self.faces, self.image)

    @property
    def p_value(self) -> float | None:
        """The smallest of all that is judged, times their number (Bonferroni); None of none.

        Twenty photographed faces hold one as unusual as one in twenty; with this, at most a share
        alpha of photographs is flagged however many faces they show.
        """
        if not self.judged:
            return None
        return min(1.0, len(self.judged) * min(each.p_value for each in self.judged))

    @property
    def verdict(self) -> Verdict | None:
        """What the p-value says, or what is said of all that is judged."""
        if self.p_value is None:
            return None
        said = {each.verdict for each in self.judged}
        if Verdict.AI_GENERATED in said and self.p_value <= self.alpha:
            return Verdict.AI_GENERATED
        alike = len(said) == 1 and Verdict.AI_GENERATED not in said
        return said.pop() if alike else Verdict.UNSURE

    @property
    def summary(self) -> str:
        """All that is judged in a line, such as "1 of 3 faces AI-generated"; "" of nothing."""
        parts = [self._of_faces()] if self.faces else []
        if self.image is not None:
            parts.append(f"the image as a whole: {SAID[self.image.verdict]}")
        return "; ".join(parts)

    def _of_faces(self) -> str:
        number = len(self.faces)
        if number == 1:
            return SAID[self.faces[0].verdict]
        found = sum(face.verdict is Verdict.AI_GENERATED for face in self.faces)
        if found == 0:
            return f"none of {number} faces AI-generated"
        line = f"{found} of {number} faces AI-generated"
        if self.verdict is not Verdict.AI_GENERATED:
            line += f", as can be expected by chance of {number} faces"
        return line

    def as_dict(self) -> dict[str, Any]:
        """As JSON has it: `reason` only where there is no verdict."""
        values: dict[str, Any] = {
            "schema": SCHEMA,
            "path": self.path,
        }
        if self.verdict is not None and self.p_value is not None:
            values |= {
                "verdict": self.verdict.value,
                "p_value": round(self.p_value, 6),
                "summary": self.summary,
            }
        values |= {
            "faces": [face.as_dict() for face in self.faces],
            **({} if self.image is None else {"image": _without_box(self.image)}),
            "tags": self.tags.as_dict(),
            "detector": self.detector,
            **self.declared.as_dict(),
        }
        if self.small_faces:
            values["small_faces"] = self.small_faces
        if self.reason is not None:
            values["reason"] = self.reason
        return values


def _without_box(image: Judgement) -> dict[str, Any]:
    return {name: value for name, value in image.as_dict().items() if name != "box"}
