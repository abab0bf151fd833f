"""The other half of a verdict: where generated faces of families that training never saw stand.

Photographs alone say how often a photograph looks as unusual as a face. How often a generated face
looks as usual is measured on faces of generators that the detector had not seen; their p-values are
kept with the detector. Each family weighs the same, whatever its number of faces.
"""

from bisect import bisect_left
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from exiface.calibration.conformal import SMALL_SIDE, Calibration, CalibrationError, grouped

# A verdict of "photographic" is given where at most this share of generated faces scores as low.
MISSED = 0.1
_LEAST = 30  # faces of a size, for large or small ones to be looked at alone
# Edges of the bands of p-values in which likelihood ratios are counted.
BANDS = (0.0, 0.05, 0.2, 0.5, 1.0)
_REPLICATES = 4000
_ARRAYS = ("p_values", "families", "sides")


@dataclass(frozen=True, slots=True)
class LikelihoodRatio:
    """How much more often generated faces than photographs have such a p-value.

    Attributes:
        ratio: share of generated faces in the band of p-values over that of photographs.
        low: of its 95 % interval, over families, sources and faces drawn anew.
        high: likewise.
        band: (low, high] of the p-values that were counted.
    """

    ratio: float
    low: float
    high: float
    band: tuple[float, float]

    def as_dict(self) -> dict[str, Any]:
        """As JSON has it."""
        return {
            "ratio": float(f"{self.ratio:.3g}"),
            "low": float(f"{self.low:.3g}"),
            "high": float(f"{self.high:.3g}"),
            "band": [*self.band],
        }


@dataclass(frozen=True, eq=False)
class GeneratedFaces:
    """p-values of generated faces of families that training never saw.

    Attributes:
        p_values: (n,) by the calibration of the detector, or of one trained without their family.
        families: (n,) which family each is of, 0 to m - 1.
        sides: (n,) sides of their crops in pixels.

    Example:
        >>> faces = GeneratedFaces.of([0.01] * 9 + [0.8], ["a"] * 5 + ["b"] * 5, [224] * 10)
        >>> float(faces.share_as_unusual(0.05)), float(faces.share_as_usual(0.5))
        (0.9, 0.1)
        >>> faces.photographic_from
        0.8
    """

    p_values: NDArray[np.float64]
    families: NDArray[np.int64]
    sides: NDArray[np.int64]

    @classmethod
    def of(
        cls, p_values: ArrayLike, families: Sequence[str] | NDArray[Any], sides: ArrayLike
    ) -> Self:
        """Gather the p-values (n,) of faces of named families (n,), with sides (n,) in pixels.

        Raises:
            CalibrationError: none, or values that are no p-values.
        """
        values = np.asarray(p_values, np.float64).ravel()
        names = np.unique(np.asarray(families, np.str_).ravel(), return_inverse=True)[1]
        pixels = np.asarray(sides, np.int64).ravel()
        if not len(values) or not len(values) == len(names) == len(pixels):
            raise CalibrationError(
                "generated faces need p-values, families and sides alike in number, got "
                f"{len(values)}, {len(names)} and {len(pixels)}"
            )
        if not ((values > 0) & (values <= 1)).all():
            raise CalibrationError("p-values of generated faces must lie in (0, 1]")
        return cls(values, np.asarray(names, np.int64), pixels)

    def share_as_unusual(self, p_value: float) -> float:
        """The share of them whose p-value is at most this one, each family weighing the same."""
        return float(np.mean([(values <= p_value).mean() for values in self.by_family]))

    def share_as_usual(self, p_value: float) -> float:
        """The share of them that scores no higher: whose p-value is at least this one."""
        return float(np.mean([(values >= p_value).mean() for values in self.by_family]))

    @cached_property
    def photographic_from(self) -> float:
        """The smallest p-value that earns a face the verdict "photographic"; above 1, none does."""
        candidates = sorted({*self.p_values.tolist(), 1.0})
        # The larger the p-value, the fewer score no higher.
        first = bisect_left(candidates, True, key=lambda p: self.share_as_usual(p) <= MISSED)
        return candidates[first] if first < len(candidates) else float("inf")

    def compared_with(self, side: int | None) -> "GeneratedFaces":
        """Those that a crop of this side is compared with, as photographs are."""
        return self if side is None else self._by_size[int(side > SMALL_SIDE)]

    @cached_property
    def _by_size(self) -> tuple["GeneratedFaces", "GeneratedFaces"]:
        small = self.sides <= SMALL_SIDE
        if min(small.sum(), (~small).sum()) < _LEAST:
            return self, self
        first, second = (
            GeneratedFaces(self.p_values[rows], self.families[rows], self.sides[rows])
            for rows in (small, ~small)
        )
        return first, second

    @cached_property
    def by_family(self) -> list[NDArray[np.float64]]:
        """The p-values of each family."""
        return grouped(self.p_values, self.families)

    def arrays(self) -> dict[str, NDArray[Any]]:
        """The numbers, by name, as they are stored."""
        return {name: getattr(self, name) for name in _ARRAYS}

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, NDArray[Any]]) -> Self:
        """Restore what `arrays` gave.

        Raises:
            CalibrationError: an array is missing, unknown or can't be.
        """
        if set(arrays) != set(_ARRAYS):
            raise CalibrationError(f"generated faces have {_ARRAYS}, got {sorted(arrays)}")
        return cls.of(**arrays)


def likelihood_ratios(
    calibration: Calibration, generated: GeneratedFaces, *, seed: int = 0
) -> tuple[LikelihoodRatio, ...]:
    """The likelihood ratio of each band of p-values, from the most unusual to the most usual.

    Photographs are those of the calibration, each source weighing the same. A count of one half is
    added to either side, so that a band in which there is nothing has a finite ratio. The interval
    draws families and sources anew, and the faces within each: it is wide where there are few.

    Args:
        calibration: by the photographs that are compared (see `compared_with`).
        generated: the generated faces, likewise.
        seed: of the draws.

    Source: bootstrap of clusters, Davison and Hinkley 1997, section 3.8.
    """
    photographs = [calibration.p_value(scores) for scores in calibration.by_source()]
    rng = np.random.default_rng(seed)
    (fake, fakes), (real, reals) = (
        _shares(values, rng) for values in (generated.by_family, photographs)
    )
    low, high = np.quantile(fakes / reals, (0.025, 0.975), axis=0)
    return tuple(
        LikelihoodRatio(float(f / r), float(lowest), float(highest), band)
        for f, r, lowest, highest, band in zip(fake, real, low, high, pairwise(BANDS), strict=True)
    )


def band_of(p_value: float) -> int:
    """Which of the bands a p-value lies in."""
    return int(np.searchsorted(BANDS[1:-1], p_value, side="left"))


def _shares(
    groups: Sequence[NDArray[np.float64]], rng: np.random.Generator
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """The share in each band, groups weighing the same; and the same, drawn anew many times."""
    sizes = np.array([len(group) for group in groups])
    bands = [np.searchsorted(BANDS[1:-1], group, side="left") for group in groups]
    counts = np.stack([np.bincount(band, minlength=len(BANDS) - 1) for band in bands])
    shares = counts / sizes[:, None]
    half = 0.5 / sizes.sum()
    drawn = rng.integers(0, len(groups), (_REPLICATES, len(groups)))
    faces = rng.multinomial(sizes[drawn], shares[drawn]) / sizes[drawn][..., None]
    return shares.mean(axis=0) + half, faces.mean(axis=1) + half
