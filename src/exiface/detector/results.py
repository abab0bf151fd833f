"""What is said of an image: one result an image; one verdict a face, and one on the whole."""

from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from exiface.calibration import LikelihoodRatio, Verdict, counting, of_several, promise
from exiface.calibration.conformal import SCORE_DECIMALS
from exiface.photos import CameraTags, Declared

# Of the JSON: 4 has `likelihood_ratio` in place of `generated_as_unusual`, `generated_as_usual`
# and `probability`, one p-value in place of two, and `declares_generated`; 3 added `image`; 2 added
# what the file declares and the verdict "nothing-found" (see CHANGELOG.md).
SCHEMA_VERSION = 4


# Verdicts as people read them, alike on every surface.
SAID = {
    Verdict.AI_GENERATED: "looks AI-generated",
    Verdict.UNSURE: "unsure",
    Verdict.PHOTOGRAPHIC: "looks photographic",
    Verdict.NOTHING_FOUND: "nothing unusual found; generated ones may pass",
}

# The class that a likelihood ratio must speak for, to support a verdict.
_CLAIMED = {Verdict.AI_GENERATED: "generated", Verdict.PHOTOGRAPHIC: "photographed"}

_SAID_OF_SEVERAL = {
    Verdict.UNSURE: "unsure of",
    Verdict.PHOTOGRAPHIC: "photographic look of",
    Verdict.NOTHING_FOUND: "nothing unusual found in",
}


def _all_of(number: int) -> str:
    """A number of faces that is all of them, in words."""
    words = {2: "both", 3: "all three", 4: "all four", 5: "all five"}
    return words.get(number, f"all {number}")


@dataclass(frozen=True, slots=True)
class Judgement:
    """The verdict on one face, or on an image as a whole."""

    #: (x0, y0, x1, y1) in pixels of the upright image; of a whole image, all of it.
    box: tuple[float, float, float, float]
    #: how anomalous, higher = more: the negative log-likelihood, or a classifier's log-odds.
    score: float
    p_value: float  #: share of photographs at least as anomalous, see `Calibration`.
    verdict: Verdict  #: what they earn.
    #: how many times as common such a score is among generated faces of kinds that training never
    #: saw as among photographs; None where none were measured.
    likelihood_ratio: LikelihoodRatio | None = None
    #: of the face's features under the density of photographs; None for a detector without one.
    log_likelihood: float | None = None
    #: of the square crop that was judged, in pixels; None of a whole image.
    side: int | None = None
    #: why its quality rules out any other verdict; None where it doesn't.
    unsure_because: str | None = None
    detector: str | None = None  #: id of the detector, where it isn't that of the result.

    @property
    def evidence(self) -> LikelihoodRatio | None:
        """The likelihood ratio; None where there is none, or the quality isn't covered.

        It was measured on pictures of a quality that the calibration covers.
        """
        return self.likelihood_ratio if self.unsure_because is None else None

    @property
    def sentence(self) -> str:
        """What is promised of such a p-value, and how strongly the score speaks.

        Example:
            >>> Judgement((0, 0, 9, 9), 1.0, 0.02, Verdict.AI_GENERATED).sentence
            '1 in 50 photographs looks this unusual.'
        """
        if self.evidence is None:
            return f"{promise(self.p_value)}."
        return f"{promise(self.p_value)}. {self.evidence.sentence}"

    @property
    def how_sure(self) -> str:
        """How strongly it speaks, in a few words.

        Example:
            >>> ratio = LikelihoodRatio(1.3, 0.4, 3.0)
            >>> Judgement((0, 0, 9, 9), 1.0, 0.3, Verdict.UNSURE, ratio).how_sure
            'no support for either'
            >>> Judgement((0, 0, 9, 9), 1.0, 0.02, Verdict.AI_GENERATED, ratio).how_sure
            '1 in 50 photographs looks this unusual'
            >>> against = LikelihoodRatio(0.3, 0.1, 0.9)
            >>> Judgement((0, 0, 9, 9), 1.0, 0.02, Verdict.AI_GENERATED, against).how_sure
            '1 in 50 photographs looks this unusual'
            >>> Judgement((0, 0, 9, 9), 1.0, 0.2, Verdict.PHOTOGRAPHIC, ratio).how_sure
            '1 in 5 photographs looks this unusual'
        """
        if self.unsure_because is not None:
            return self.unsure_because
        ratio = self.likelihood_ratio
        # A verdict that the ratio doesn't support says how rare it is among photographs.
        if ratio is None or _CLAIMED.get(self.verdict, ratio.speaks_for) != ratio.speaks_for:
            return promise(self.p_value)
        return ratio.support

    def as_dict(self) -> dict[str, Any]:
        """As JSON has it; rounded below what differs between machines."""
        values: dict[str, Any] = {
            "box": [round(side, 1) for side in self.box],
            "score": round(self.score, SCORE_DECIMALS),
        }
        if self.log_likelihood is not None:
            values["log_likelihood"] = round(self.log_likelihood, SCORE_DECIMALS)
        if self.side is not None:
            values["side"] = self.side
        values |= {
            "p_value": round(self.p_value, 6),
            "verdict": self.verdict.value,
            "says": SAID[self.verdict],
            "sentence": self.sentence,
        }
        if self.likelihood_ratio is not None:
            values["likelihood_ratio"] = self.likelihood_ratio.as_dict()
        if self.unsure_because is not None:
            values["unsure_because"] = self.unsure_because
        if self.detector is not None:
            values["detector"] = self.detector
        return values


@dataclass(frozen=True, slots=True)
class ImageResult:
    """What is said of one image."""

    path: str | None  #: as it was given; None for arrays and Pillow images.
    detector: str  #: id of the detector that judged.
    faces: tuple[Judgement, ...] = ()  #: largest first; empty where none was found, or looked for.
    #: the verdict on the image as a whole; None where it wasn't asked for.
    image: Judgement | None = None
    tags: CameraTags = field(default_factory=CameraTags)  #: what the camera recorded.
    reason: str | None = None  #: why there is no verdict; None where there is one.
    small_faces: int = 0  #: further faces found, too small to be judged.
    #: (width, height) of the upright image; (0, 0) where it can't be read.
    size: tuple[int, int] = (0, 0)
    #: what the file says of its origin; it stands beside the verdict.
    declared: Declared = field(default_factory=Declared)
    alpha: float = 0.05  #: promised false-alarm rate.

    @property
    def judged(self) -> tuple[Judgement, ...]:
        """The faces, and the image as a whole, as far as they were judged."""
        return self.faces if self.image is None else (*self.faces, self.image)

    @property
    def counting(self) -> tuple[Judgement, ...]:
        """Those of them that can be flagged, for whose number the p-value is corrected."""
        return tuple(counting(self.judged))

    @property
    def p_value(self) -> float | None:
        """The p-value of the image, corrected for the number of things judged (`of_several`)."""
        return None if self._found is None else self._found[1]

    @property
    def verdict(self) -> Verdict | None:
        """The verdict on the image, of all that is judged in it; None where nothing is."""
        return None if self._found is None else self._found[0]

    @property
    def _found(self) -> tuple[Verdict, float] | None:
        return of_several(self.judged, self.alpha)

    @property
    def declares_generated(self) -> bool:
        """Whether the file itself says that a generator made it; this never changes the score."""
        return self.declared.generated

    @property
    def summary(self) -> str:
        """All that is judged, in a line such as "1 of 3 faces AI-generated"; empty without any."""
        parts = [self._of_faces()] if self.faces else []
        if self.image is not None:
            parts.append(f"the image as a whole: {SAID[self.image.verdict]}")
        return "; ".join(parts)

    @property
    def how_sure(self) -> str | None:
        """In a few words: the likelihood ratio of a single verdict, the promise of several."""
        if self.p_value is None:
            return None
        if len(self.judged) > 1:
            return promise(self.p_value).replace(" photographs ", " such pictures ")
        return self.judged[0].how_sure

    def _of_faces(self) -> str:
        number = len(self.faces)
        if number == 1:
            return SAID[self.faces[0].verdict]
        counts = Counter(face.verdict for face in self.faces)
        flagged = counts.pop(Verdict.AI_GENERATED, 0)
        parts = [f"{flagged} of {number} faces AI-generated" if flagged else "no face flagged"]
        if flagged and self.verdict is not Verdict.AI_GENERATED:
            parts[0] += f" (chance of {len(counting(self.faces))} faces can do that)"
        for verdict, said in _SAID_OF_SEVERAL.items():
            if found := counts[verdict]:
                parts.append(f"{said} {_all_of(found) if found == number else found}")
        return ", ".join(parts)

    def as_dict(self) -> dict[str, Any]:
        """As JSON has it: `reason` only where there is no verdict."""
        values: dict[str, Any] = {
            "schema": SCHEMA_VERSION,
            "path": self.path,
        }
        if self.verdict is not None and self.p_value is not None:
            values |= {
                "verdict": self.verdict.value,
                "p_value": round(self.p_value, 6),
                "summary": self.summary,
                "how_sure": self.how_sure,
            }
        values |= {
            "declares_generated": self.declares_generated,
            "faces": [face.as_dict() for face in self.faces],
            **({} if self.image is None else {"image": self.image.as_dict()}),
            "tags": self.tags.as_dict(),
            "detector": self.detector,
            **self.declared.as_dict(),
        }
        if not self.size[0]:
            values["declares"] = "No picture was read from the file."
        if self.image is not None:
            del values["image"]["box"]  # it is all of the image
        if self.small_faces:
            values["small_faces"] = self.small_faces
        if self.reason is not None:
            values["reason"] = self.reason
        return values
