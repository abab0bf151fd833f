"""Whether photographs still resemble those of the calibration, by their p-values.

While they do, the ranks of new photographs among the calibration photographs are exchangeable:
p-values are uniform up to what both samples' sizes allow for, and the number flagged at a promised
rate follows a beta-binomial distribution. Both tests take the calibration's own size into account,
without which any calibration of a few hundred photographs would seem to have drifted.

The largest p-value among several sources of calibration photographs is larger than uniform by
intent. Then only the other side is tested: photographs that have become more unusual.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy.stats import betabinom, kstwobign

from exiface.calibration import flagged
from exiface.errors import UserError
from exiface.evaluation.metrics import clopper_pearson

_RENEW = "exiface calibrate DETECTOR --photos RECENT -o NEW"
_LEAST = 20  # photographs
_SIGNIFICANT = 0.01


@dataclass(frozen=True, slots=True)
class Drift:
    """P-values of recent photographs against what the calibration promises."""

    photographs: int  #: recent ones.
    calibrated: int  #: photographs of the calibration.
    alpha: float  #: promised false-alarm rate.
    flagged: float  #: share of the recent ones flagged at that rate.
    low: float  #: lower end of its 95 % interval (Clopper-Pearson).
    high: float  #: upper end.
    too_many: float  #: probability of flagging as many or more if nothing had changed.
    #: largest difference between the p-values' distribution and the uniform one; of a calibration
    #: of several sources, towards small p-values.
    distance: float
    #: probability of as large a distance if nothing had changed (Kolmogorov-Smirnov, two samples).
    otherwise: float
    median: float  #: of the p-values; 0.5 if nothing has changed, above it with several sources.

    @property
    def broken(self) -> bool:
        """Whether more are flagged than promised, beyond chance."""
        return self.too_many < _SIGNIFICANT

    @property
    def drifted(self) -> bool:
        """Whether the photographs differ from those of the calibration, beyond chance."""
        return self.broken or self.otherwise < _SIGNIFICANT

    def sentence(self) -> str:
        """What to make of it."""
        if self.broken:
            return f"More photographs are flagged than promised. Calibrate again: {_RENEW}"
        if self.drifted:
            side = "more unusual" if self.median < 0.5 else "more usual"
            return (
                f"The promise holds, but photographs have become {side} than those of the "
                f"calibration. Calibrate again soon: {_RENEW}"
            )
        return "No sign of drift: the calibration still fits."


def measure_drift(
    p_values: ArrayLike, calibrated: int, alpha: float, *, worst_of_several: bool = False
) -> Drift:
    """Compare p-values of recent photographs with what the calibration promises.

    Args:
        p_values: (n,) of photographs known to be photographs, each judged once.
        calibrated: how many photographs the calibration has; of several sources, the smallest of
            them.
        alpha: promised false-alarm rate.
        worst_of_several: the p-values are the largest among several sources.

    Raises:
        UserError: too few, or not p-values.

    Example:
        >>> measure_drift(np.linspace(0.01, 1, 100), calibrated=500, alpha=0.05).drifted
        False
    """
    values = np.sort(np.asarray(p_values, float).ravel())
    number = len(values)
    if number < _LEAST:
        raise UserError(f"{number} p-values say nothing about drift; at least {_LEAST} are needed")
    if not ((values > 0) & (values <= 1)).all():
        raise UserError("p-values must lie in (0, 1]")
    found = int(flagged(values, alpha).sum())
    # Ranks among the calibration photographs that are flagged: p = (1 + as anomalous) / (n + 1).
    ranks = int(np.floor(alpha * (calibrated + 1) + 1e-9))
    too_many = float(betabinom.sf(found - 1, number, ranks, calibrated + 1 - ranks))
    above = np.arange(1, number + 1) / number - values
    below = values - np.arange(number) / number
    furthest = above.max() if worst_of_several else max(above.max(), below.max())
    # p-values stand on a grid of 1 / (n + 1), which alone keeps them so far from uniform.
    distance = max(0.0, float(furthest) - 1 / (calibrated + 1))
    size = number * calibrated / (number + calibrated)
    scaled = distance * np.sqrt(size)
    otherwise = np.exp(-2 * scaled**2) if worst_of_several else kstwobign.sf(scaled)
    share = (found / number, *clopper_pearson(found, number))
    median = float(np.median(values))
    return Drift(number, calibrated, alpha, *share, too_many, distance, float(otherwise), median)
