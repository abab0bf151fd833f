"""Below which quality a score is no longer comparable with those of the calibration photographs."""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from exiface.photos.quality import Quality

# What at most this share of calibration photographs falls short of, they don't cover.
_UNCOVERED = 0.005
_MANY = round(1 / _UNCOVERED)  # fewer don't show what they don't cover
# How surely photographs of low quality must be flagged more often than promised: many limits are
# tried, and a limit that is none costs verdicts.
_CONFIDENCE = 0.999
_FEWEST = 20
# What is true of more than this share is no matter of low quality: they calibrate as well.
_LOWEST = 0.1
_WORDS = {
    "size": ("too small", "{value:.0f} px; at least {limit:.0f} px are needed", 0),
    "sharpness": ("too blurred", "sharpness {value:.1f}; at least {limit:.1f} is needed", 1),
    "jpeg_quality": (
        "too strongly compressed",
        "JPEG quality {value:.0f}; at least {limit:.0f} is needed",
        0,
    ),
    "frontality": (
        "turned too far away",
        "frontality {value:.2f}; at least {limit:.2f} is needed",
        2,
    ),
    "texture": (
        "too flat, as text, screenshots and drawings are,",
        "{value:.0%} of it is not flat; at least {limit:.0%} is needed",
        2,
    ),
}


@dataclass(frozen=True, slots=True)
class QualityLimits:
    """The least quality that calibration photographs cover, of each kind that `Quality` has.

    NaN stands where there is no limit.
    """

    size: float = math.nan
    sharpness: float = math.nan
    jpeg_quality: float = math.nan
    frontality: float = math.nan
    texture: float = math.nan

    @classmethod
    def of(
        cls,
        qualities: Sequence[Quality],
        p_values: ArrayLike,
        alpha: float,
        *,
        compressed: Iterable[tuple[int, ArrayLike]],
        former: "QualityLimits | None" = None,
    ) -> Self:
        """Measure the limits on calibration photographs.

        Of each kind, the limit is what only one photograph in two hundred falls short of, where
        there are as many. Where those of the lowest quality, a tenth of all or twenty at most, are
        surely flagged more often than promised, it is the quality up to which most are flagged
        beyond the promise. Compression, which collections hardly vary and the world does, is
        measured on the same photographs compressed: the limit is the lowest quality before the
        promise breaks.

        Args:
            qualities: of the photographs.
            p_values: (n,) of the same, among one another.
            alpha: promised false-alarm rate.
            compressed: JPEG qualities, from high to low, each with p-values of photographs saved
                with it; no more are drawn than are needed.
            former: limits that were measured before. A trait known of two hundred photographs gets
                a new limit; of fewer, its limit can only rise; of fewer than twenty, it stays.
        """
        before = former or cls()
        flagged = np.asarray(p_values) <= alpha
        limits = {
            name: _limit(
                np.array([getattr(each, name) for each in qualities]),
                flagged,
                alpha,
                getattr(before, name),
            )
            for name in ("size", "sharpness", "frontality", "texture")
        }
        # What these photographs leave open.
        untold = before.jpeg_quality if len(qualities) < _MANY else math.nan
        kept = math.inf
        for quality, values in compressed:
            alarms = np.asarray(values) <= alpha
            if _least(alarms.sum(), alarms.size) > alpha:
                return cls(jpeg_quality=float(np.fmax(kept, untold)), **limits)
            kept = quality
        return cls(jpeg_quality=untold, **limits)

    def reason(self, quality: Quality) -> str | None:
        """Why a face of this quality can't be compared, in words; None where it can.

        Example:
            >>> QualityLimits(size=48).reason(Quality(size=40, sharpness=5))
            'too small to be compared (40 px; at least 48 px are needed)'
        """
        for name, (words, detail, decimals) in _WORDS.items():
            value, limit = getattr(quality, name), getattr(self, name)
            if value < limit:  # never of NaN
                if math.isinf(limit):
                    return f"{words} to be compared"
                # Rounded apart: what falls short must not look like the limit.
                unit = 10**decimals
                below = math.floor(round(value * unit, 6)) / unit
                least = math.ceil(round(limit * unit, 6)) / unit
                return f"{words} to be compared ({detail.format(value=below, limit=least)})"
        return None

    def as_dict(self) -> dict[str, float]:
        """The limits that there are, by name."""
        values = asdict(self)
        return {name: round(value, 4) for name, value in values.items() if not math.isnan(value)}

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Self:
        """Read what `as_dict` made; an unknown name is a TypeError."""
        return cls(**{name: float(value) for name, value in values.items()})


def _limit(
    values: NDArray[np.float64], flagged: NDArray[np.bool_], alpha: float, former: float
) -> float:
    known = ~np.isnan(values)
    if known.sum() < _FEWEST:
        return former
    order = np.argsort(values[known], kind="stable")
    ascending = values[known][order]
    number = np.arange(1, len(ascending) + 1)
    alarms = np.cumsum(flagged[known][order])
    lowest = (number >= _FEWEST) & (number <= max(_FEWEST, _LOWEST * len(number)))
    beyond = lowest & (_least(alarms, number) > alpha)
    place = int(_UNCOVERED * len(ascending))
    if beyond.any():
        excess = np.where(beyond, alarms - alpha * number, -np.inf)
        place = max(place, int(excess.argmax()) + 1)
    found = float(ascending[min(place, len(ascending) - 1)]) if place else math.nan
    return found if len(ascending) >= _MANY else float(np.fmax(found, former))


def _least(alarms: ArrayLike, number: ArrayLike) -> NDArray[np.float64]:
    """Clopper and Pearson's lower bound of a rate."""
    from scipy.stats import beta  # slow to import, and needed where a detector is made alone

    alarms, number = np.asarray(alarms), np.asarray(number)
    bound = beta.ppf(1 - _CONFIDENCE, np.maximum(alarms, 1), number - alarms + 1)
    return np.where(alarms > 0, bound, 0.0)
