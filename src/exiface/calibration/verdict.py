"""What a score earns: p-value, likelihood ratio and verdict. Nothing else derives them."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property
from typing import Protocol, TypeVar

import numpy as np
from numpy.typing import ArrayLike, NDArray

from exiface.calibration.conformal import Calibration
from exiface.calibration.generated import GeneratedFaces
from exiface.calibration.likelihood_ratio import LikelihoodCurve, LikelihoodRatio


class Verdict(StrEnum):
    """What is said of a face, or of an image."""

    AI_GENERATED = "ai-generated"
    UNSURE = "unsure"
    PHOTOGRAPHIC = "photographic"
    NOTHING_FOUND = "nothing-found"


@dataclass(frozen=True)
class Finding:
    """What a score earns."""

    p_value: float  #: share of photographs at least as anomalous, see `Calibration`.
    verdict: Verdict  #: what is said.
    #: of generated over photographed; None where no generated faces were measured.
    likelihood_ratio: LikelihoodRatio | None = None
    #: why its quality rules out any other verdict; None where it doesn't.
    unsure_because: str | None = None


@dataclass(frozen=True, eq=False)
class Judge:
    """Turns scores into findings.

    "ai-generated" is said of what is as unusual as at most a share alpha of photographs.
    "photographic" is said where at most one in ten of the generated faces of families that training
    never saw scores as low; where none were measured, or where "photographic" isn't earned,
    "nothing-found" stands in its place from beta on. "unsure" is said of the rest, and of what is
    of a quality that the calibration doesn't cover.

    Example:
        >>> calibration = Calibration.of(range(99))
        >>> [each.verdict.value for each in Judge(calibration).findings([98, 90, 80])]
        ['ai-generated', 'unsure', 'nothing-found']
        >>> known = GeneratedFaces.of([0.01] * 9 + [0.8], ["a"] * 10)
        >>> [each.verdict.value for each in Judge(calibration, known).findings([98, 30, 10])]
        ['ai-generated', 'unsure', 'photographic']
    """

    calibration: Calibration  #: by photographs.
    #: faces of families that training never saw; None where none were measured.
    generated: GeneratedFaces | None = None
    photographic: bool = True  #: whether "photographic" may be said.
    subject: str = "faces"  #: what is judged, in the plural.

    def findings(
        self, scores: ArrayLike, unsure_because: Sequence[str | None] | None = None
    ) -> list[Finding]:
        """What scores (n,) of faces, or of images as wholes, earn.

        `unsure_because` says of each why its quality rules out any other verdict than "unsure".
        """
        p_values = np.atleast_1d(self.calibration.p_value(scores))
        reasons = unsure_because or [None] * len(p_values)
        ratios: list[LikelihoodRatio | None] = [None] * len(p_values)
        if self.likelihood_curve is not None:
            ratios = [
                LikelihoodRatio(value, low, high, self.subject)
                for value, low, high in self.likelihood_curve.at(p_values).T.tolist()
            ]
        return [
            Finding(p, self.verdict_at(p) if reason is None else Verdict.UNSURE, ratio, reason)
            for p, ratio, reason in zip(p_values.tolist(), ratios, reasons, strict=True)
        ]

    def verdict_at(self, p_value: float) -> Verdict:
        """The verdict that a p-value earns."""
        if p_value <= self.calibration.alpha:
            return Verdict.AI_GENERATED
        if p_value < self.usual_from:
            return Verdict.UNSURE
        return Verdict.PHOTOGRAPHIC if self._earned else Verdict.NOTHING_FOUND

    @property
    def usual_from(self) -> float:
        """The p-value from which on more than "unsure" is said; above 1, it never is."""
        if self._earned and self.generated is not None:
            return max(self.generated.photographic_from, self.calibration.alpha)
        return self.calibration.beta

    @property
    def _earned(self) -> bool:
        return self.photographic and self.generated is not None

    def ratio_of_known(self, p_value: float) -> LikelihoodRatio | None:
        """The likelihood ratio of generators that training knew; None where not measured."""
        if self.generated is None or self.generated.known is None:
            return None
        value, low, high = self._curve(self.generated.known).at(p_value).tolist()
        return LikelihoodRatio(value, low, high, self.subject, known=True)

    @cached_property
    def likelihood_curve(self) -> LikelihoodCurve | None:
        """Likelihood ratios over p-values; None where no generated faces were measured."""
        return None if self.generated is None else self._curve(self.generated)

    def _curve(self, generated: GeneratedFaces) -> LikelihoodCurve:
        return LikelihoodCurve.of(self.calibration.p_values_of_sources(), generated.by_family)

    def promise(self) -> str:
        """The p-values at which each verdict is given, in words.

        Example:
            >>> Judge(Calibration.of(range(99))).promise()
            'ai-generated at p <= 0.05, nothing-found at p >= 0.2, unsure between'
        """
        word = (Verdict.PHOTOGRAPHIC if self._earned else Verdict.NOTHING_FOUND).value
        flags = f"ai-generated at p <= {self.calibration.alpha:g}"
        if self.usual_from <= self.calibration.alpha:
            return f"{flags}, {word} above"
        usual = f"{word} never" if self.usual_from > 1 else f"{word} at p >= {self.usual_from:.2g}"
        return f"{flags}, {usual}, unsure between"


class Judged(Protocol):
    """One of several things that were judged in an image."""

    @property
    def verdict(self) -> Verdict:
        """What is said of it."""

    @property
    def p_value(self) -> float:
        """The share of photographs at least as anomalous."""

    @property
    def unsure_because(self) -> str | None:
        """Why its quality rules out any other verdict; None where it doesn't."""


_T = TypeVar("_T", bound=Judged)


def counting(judged: Sequence[_T]) -> Sequence[_T]:
    """Those whose quality the calibration covers, which alone can be flagged; all, if none is."""
    return [each for each in judged if each.unsure_because is None] or judged


def of_several(judged: Sequence[Judged], alpha: float) -> tuple[Verdict, float] | None:
    """What is said of an image in which several things were judged; None where nothing was.

    Twenty photographed faces hold one that is as unusual as one in twenty. The p-value of the image
    is therefore the smallest times their number (Bonferroni), so that at most a share alpha of
    photographs is flagged however many faces they show. What is of a quality that the calibration
    doesn't cover can't be flagged, and is left out of both (`counting`).
    """
    if not judged:
        return None
    count = counting(judged)
    p_value = min(1.0, len(count) * min(each.p_value for each in count))
    said = {each.verdict for each in judged}
    if Verdict.AI_GENERATED in said:
        return (Verdict.AI_GENERATED if p_value <= alpha else Verdict.UNSURE), p_value
    return (said.pop() if len(said) == 1 else Verdict.UNSURE), p_value


def flagged(p_values: ArrayLike, rate: float) -> NDArray[np.bool_]:
    """Which p-values, of any shape, are called AI-generated at a promised rate; NaN never is."""
    return np.asarray(np.asarray(p_values, np.float64) <= rate)


def promise(p_value: float) -> str:
    """A p-value as people read it.

    Example:
        >>> promise(0.0033), promise(0.3), promise(0.72)
        ('1 in 300 photographs looks this unusual', '1 in 3 photographs looks this unusual', \
'7 in 10 photographs look this unusual')
    """
    if p_value >= 0.95:
        return "nearly all photographs look this unusual"
    if p_value > 0.35:
        return f"{round(10 * p_value)} in 10 photographs look this unusual"
    number = 1 / p_value
    number = round(number) if number < 10 else float(f"{number:.2g}")
    return f"1 in {number:.0f} photographs looks this unusual"
