"""From a score to a p-value that keeps its promise, and from the p-value to a verdict.

Split-conformal calibration (Vovk et al. 2005; Bates et al. 2023): on photographs that neither
encoder nor density saw, the share that is at least as anomalous as an image is its p-value. While
new photographs resemble those (exchangeability), flagging p <= a flags at most a share a of them.
"""

import math
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from exiface.errors import UserError

# Scores are compared at this many decimals: the encoder's arithmetic differs below that between
# machines and batch sizes, and the same file must get the same p-value everywhere.
SCORE_DECIMALS = 3


class CalibrationError(UserError):
    """A calibration set that can't keep the promise asked of it."""


class Verdict(StrEnum):
    """What is said of a face."""

    AI_GENERATED = "ai-generated"
    UNSURE = "unsure"
    PHOTOGRAPHIC = "photographic"


def photographs_needed(alpha: float) -> int:
    """How many calibration photographs it takes for any p-value to reach alpha.

    Example:
        >>> photographs_needed(0.05), photographs_needed(0.01)
        (19, 99)
    """
    return math.ceil(1 / alpha - 1e-9) - 1


@dataclass(frozen=True, eq=False)
class Calibration:
    """Scores of photographs, and the bands of the verdict.

    Attributes:
        scores: (n,) scores of the calibration photographs, ascending; higher = more anomalous.
        alpha: promised false-alarm rate; at p-values up to it the verdict is "ai-generated".
        beta: from this p-value on the verdict is "photographic"; "unsure" between.

    Example:
        >>> calibration = Calibration.of(range(99))
        >>> float(calibration.p_value(50.0)), calibration.verdict(0.5).value
        (0.5, 'photographic')
        >>> float(calibration.p_value(1000.0))
        0.01
    """

    scores: NDArray[np.float64]
    alpha: float = 0.05
    beta: float = 0.2

    @classmethod
    def of(cls, scores: ArrayLike, *, alpha: float = 0.05, beta: float = 0.2) -> "Calibration":
        """Calibrate on the scores (n,) of photographs.

        Raises:
            CalibrationError: not finite, too few for alpha ever to be reached, or the bands are
                not 0 < alpha <= beta <= 1.
        """
        values = np.sort(np.asarray(scores, dtype=np.float64).ravel().round(SCORE_DECIMALS))
        if not 0 < alpha <= beta <= 1:
            raise CalibrationError(f"need 0 < alpha <= beta <= 1, got {alpha} and {beta}")
        needed = photographs_needed(alpha)
        if len(values) < needed:
            raise CalibrationError(
                f"{len(values)} calibration photographs can't promise a false-alarm rate of "
                f"{alpha:g}: at least {needed} are needed, a few hundred for a stable one"
            )
        if not np.isfinite(values).all():
            raise CalibrationError("calibration scores must be finite")
        return cls(values, alpha, beta)

    def p_value(self, scores: ArrayLike) -> NDArray[np.float64]:
        """(1 + calibration photographs at least as anomalous) / (n + 1), of each score."""
        rounded = np.round(np.asarray(scores, np.float64), SCORE_DECIMALS)
        below = np.searchsorted(self.scores, rounded, side="left")
        return np.asarray((1 + len(self.scores) - below) / (len(self.scores) + 1))

    def verdict(self, p_value: float) -> Verdict:
        """The band that a p-value falls into."""
        if p_value <= self.alpha:
            return Verdict.AI_GENERATED
        return Verdict.PHOTOGRAPHIC if p_value >= self.beta else Verdict.UNSURE

    def arrays(self) -> dict[str, NDArray[Any]]:
        """The numbers, by name, as they are stored."""
        return {"scores": self.scores}
