"""From a score to a p-value that keeps its promise.

Split-conformal calibration (Vovk et al. 2005; Bates et al. 2023): on photographs that neither
encoder nor density saw, the share that is at least as anomalous as an image is its p-value. While
new photographs resemble those (exchangeability), flagging p <= a flags at most a share a of them.
Photographs of several sources differ more than those of one. Each source then has its own p-value,
and the largest decides: the promise holds for each, and the spread shows how far they differ.
An encoder that looks at own pixels scores large crops otherwise than small ones, which were mostly
shrunk; either are compared with their kind alone (Mondrian conformal prediction, Vovk et al. 2003).
"""

import math
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from exiface.errors import UserError

# Scores are compared at this many decimals: the encoder's arithmetic differs below that between
# machines and batch sizes, and the same file must get the same p-value everywhere.
SCORE_DECIMALS = 3
# Crops of up to this side in pixels are small: collections of faces are often shrunk to 256 px.
SMALL_SIDE = 264


class CalibrationError(UserError):
    """A calibration set that can't keep the promise asked of it."""


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
        beta: from this p-value on nothing was found, where generated faces were not measured.
        sources: (n,) which source each of them is of, 0 to m - 1; None = all of one.
        sides: (n,) sides of their crops in pixels; None = small and large ones are alike.

    Example:
        >>> calibration = Calibration.of(range(99))
        >>> float(calibration.p_value(50.0))
        0.5
        >>> float(calibration.p_value(1000.0))
        0.01
        >>> of_two = Calibration.of([*range(99), *range(50, 149)], sources=["a"] * 99 + ["b"] * 99)
        >>> of_two.p_range(98.0)
        (array(0.02), array(0.52))
        >>> of_both = Calibration.of(range(200), sides=[200] * 100 + [300] * 100)
        >>> of_both.p_value([99.0, 99.0], sides=[200, 300]).round(2).tolist()
        [0.02, 1.0]
    """

    scores: NDArray[np.float64]
    alpha: float = 0.05
    beta: float = 0.2
    sources: NDArray[np.int64] | None = None
    sides: NDArray[np.int64] | None = None

    @classmethod
    def of(
        cls,
        scores: ArrayLike,
        *,
        alpha: float = 0.05,
        beta: float = 0.2,
        sources: ArrayLike | None = None,
        sides: ArrayLike | None = None,
    ) -> "Calibration":
        """Calibrate on the scores (n,) of photographs.

        Args:
            scores: of the photographs.
            alpha: promised false-alarm rate.
            beta: p-value from which on nothing was found.
            sources: (n,) names; those with too few photographs for a p-value of their own are taken
                together, with the smallest of the others if need be. None = all of one.
            sides: (n,) sides of the crops in pixels; where too few are small, or large, all are
                compared with all. None = the same.

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
        kinds = [np.full(len(values), True)]
        pixels = None
        if sides is not None:
            small = np.asarray(sides, np.int64).ravel()[order] <= SMALL_SIDE
            if min(small.sum(), (~small).sum()) >= 2 * needed:
                kinds, pixels = [small, ~small], np.asarray(sides, np.int64).ravel()[order]
        numbers = None
        if sources is not None:
            names = np.asarray(sources, np.str_).ravel()[order]
            numbers = np.zeros(len(values), np.int64)
            for number, kind in enumerate(kinds):
                first = numbers.max() + 1 if number else 0
                numbers[kind] = first + _merged(names[kind], 2 * needed)
            if not numbers.any():
                numbers = None
        return cls(values[order], alpha, beta, numbers, pixels)

    def p_value(self, scores: ArrayLike, sides: ArrayLike | None = None) -> NDArray[np.float64]:
        """(1 + calibration photographs at least as anomalous) / (n + 1), of each score.

        Of several sources, the largest of their p-values.
        """
        return self.p_range(scores, sides)[1]

    def p_range(
        self, scores: ArrayLike, sides: ArrayLike | None = None
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """The smallest and the largest p-value of each score among the sources.

        Args:
            scores: of faces.
            sides: of their crops in pixels, likewise; None = compared with small and large ones.
        """
        rounded = np.round(np.asarray(scores, np.float64), SCORE_DECIMALS)
        if self.sides is not None and sides is not None:
            small, large = (each.p_range(rounded) for each in self._by_size)
            is_small = np.asarray(sides) <= SMALL_SIDE
            return np.where(is_small, small[0], large[0]), np.where(is_small, small[1], large[1])
        of_sources = []
        for photographs in self.by_source():
            below = np.searchsorted(photographs, rounded, side="left")
            of_sources.append((1 + len(photographs) - below) / (len(photographs) + 1))
        return np.asarray(np.min(of_sources, axis=0)), np.asarray(np.max(of_sources, axis=0))

    def compared_with(self, side: int | None) -> "Calibration":
        """The calibration by those photographs that a crop of this side is compared with."""
        if self.sides is None or side is None:
            return self
        return self._by_size[int(side > SMALL_SIDE)]

    @cached_property
    def _by_size(self) -> tuple["Calibration", "Calibration"]:
        """By small and by large crops alone."""
        assert self.sides is not None  # noqa: S101 - asked only where there are any
        small = self.sides <= SMALL_SIDE
        first, second = (
            Calibration(
                self.scores[rows],
                self.alpha,
                self.beta,
                None if self.sources is None else self.sources[rows],
            )
            for rows in (small, ~small)
        )
        return first, second

    def by_source(self) -> list[NDArray[np.float64]]:
        """The scores of each source, ascending."""
        return self._of_sources

    @cached_property
    def _of_sources(self) -> list[NDArray[np.float64]]:
        return [self.scores] if self.sources is None else grouped(self.scores, self.sources)

    def arrays(self) -> dict[str, NDArray[Any]]:
        """The numbers, by name, as they are stored."""
        optional = {"sources": self.sources, "sides": self.sides}
        return {"scores": self.scores} | {
            name: array for name, array in optional.items() if array is not None
        }


def grouped(values: NDArray[np.float64], numbers: NDArray[np.int64]) -> list[NDArray[np.float64]]:
    """The values (n,) of each group, by the groups' numbers (n,), the smallest number first."""
    # np.unique would load numpy.ma, which nothing else needs when a face is judged.
    return [values[numbers == number] for number in sorted(set(numbers.tolist()))]


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
