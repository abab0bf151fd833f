"""From a score to a p-value that keeps its promise, and from the p-value to a verdict.

Split-conformal calibration (Vovk et al. 2005; Bates et al. 2023): on photographs that neither
encoder nor density saw, the share that is at least as anomalous as an image is its p-value. While
new photographs resemble those (exchangeability), flagging p <= a flags at most a share a of them.
Photographs of several sources differ more than those of one. Each source then has its own p-value,
and the largest decides: the promise holds for each, and the spread shows how far they differ.
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
        sources: (n,) which source each of them is of, 0 to m - 1; None = all of one.

    Example:
        >>> calibration = Calibration.of(range(99))
        >>> float(calibration.p_value(50.0)), calibration.verdict(0.5).value
        (0.5, 'photographic')
        >>> float(calibration.p_value(1000.0))
        0.01
        >>> of_two = Calibration.of([*range(99), *range(50, 149)], sources=["a"] * 99 + ["b"] * 99)
        >>> of_two.p_range(98.0)
        (array(0.02), array(0.52))
    """

    scores: NDArray[np.float64]
    alpha: float = 0.05
    beta: float = 0.2
    sources: NDArray[np.int64] | None = None

    @classmethod
    def of(
        cls,
        scores: ArrayLike,
        *,
        alpha: float = 0.05,
        beta: float = 0.2,
        sources: ArrayLike | None = None,
    ) -> "Calibration":
        """Calibrate on the scores (n,) of photographs.

        Args:
            scores: of the photographs.
            alpha: promised false-alarm rate.
            beta: p-value from which on the verdict is "photographic".
            sources: (n,) names; those with too few photographs for a p-value of their own are taken
                together, with the smallest of the others if need be. None = all of one.

        Raises:
            CalibrationError: not finite, too few for alpha ever to be reached, or the bands are
                not 0 < alpha <= beta <= 1.
        """
        values = np.asarray(scores, dtype=np.float64).ravel().round(SCORE_DECIMALS)
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
        order = np.argsort(values, kind="stable")
        numbers = None
        if sources is not None:
            merged = _merged(np.asarray(sources, np.str_), 2 * needed)
            if merged.any():
                numbers = merged[order]
        return cls(values[order], alpha, beta, numbers)

    def p_value(self, scores: ArrayLike) -> NDArray[np.float64]:
        """(1 + calibration photographs at least as anomalous) / (n + 1), of each score.

        Of several sources, the largest of their p-values.
        """
        return self.p_range(scores)[1]

    def p_range(self, scores: ArrayLike) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """The smallest and the largest p-value of each score among the sources."""
        rounded = np.round(np.asarray(scores, np.float64), SCORE_DECIMALS)
        of_sources = []
        for photographs in self.by_source():
            below = np.searchsorted(photographs, rounded, side="left")
            of_sources.append((1 + len(photographs) - below) / (len(photographs) + 1))
        return np.asarray(np.min(of_sources, axis=0)), np.asarray(np.max(of_sources, axis=0))

    def by_source(self) -> list[NDArray[np.float64]]:
        """The scores of each source, ascending."""
        if self.sources is None:
            return [self.scores]
        return [self.scores[self.sources == number] for number in np.unique(self.sources)]

    def verdict(self, p_value: float) -> Verdict:
        """The band that a p-value falls into."""
        if p_value <= self.alpha:
            return Verdict.AI_GENERATED
        return Verdict.PHOTOGRAPHIC if p_value >= self.beta else Verdict.UNSURE

    def arrays(self) -> dict[str, NDArray[Any]]:
        """The numbers, by name, as they are stored."""
        arrays: dict[str, NDArray[Any]] = {"scores": self.scores}
        return arrays if self.sources is None else arrays | {"sources": self.sources}


def _merged(names: NDArray[np.str_], least: int) -> NDArray[np.int64]:
    """Numbers of the sources, 0 to m - 1, each with at least so many entries, or all 0."""
    _, numbers, counts = np.unique(names, return_inverse=True, return_counts=True)
    order = np.argsort(-counts, kind="stable")
    # Those large enough keep a number of their own; the others share the next.
    large = int((counts >= least).sum())
    rank = np.empty(len(counts), np.int64)
    rank[order] = np.minimum(np.arange(len(counts)), large)
    if 0 < counts[order[large:]].sum() < least:
        rank = np.minimum(rank, max(0, large - 1))
    return np.asarray(rank[numbers], np.int64)
