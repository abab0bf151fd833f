"""How far a figure may be off: the bootstrap by photograph, and DeLong's paired comparison."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.stats import norm, rankdata

from exiface.errors import UserError
from exiface.evaluation.sets import Sample

RESAMPLES = 1000
_CONFIDENCE = 0.95
_CHUNK = 50  # resamples at a time: memory stays flat


@dataclass(frozen=True, slots=True)
class Intervals:
    """95 % intervals of the area under the ROC curve, and of the recall at 5 % false alarms."""

    auc_low: float
    auc_high: float
    recall_at_5_low: float
    recall_at_5_high: float


def bootstrap(
    real: Sample, fake: Sample, *, resamples: int = RESAMPLES, seed: int = 0
) -> Intervals:
    """Estimate percentile intervals from resampled photographs and generated faces (Efron 1979).

    Photographs, not images, are drawn: the images of one go together.
    """
    rng = np.random.default_rng(seed)
    order_real, order_fake = np.argsort(real.scores), np.argsort(fake.scores)
    real_scores, fake_scores = real.scores[order_real], fake.scores[order_fake]
    real_photos = np.unique(real.photos, return_inverse=True)[1][order_real]
    fake_photos = np.unique(fake.photos, return_inverse=True)[1][order_fake]
    below = np.searchsorted(real_scores, fake_scores, side="left")
    up_to = np.searchsorted(real_scores, fake_scores, side="right")
    above = np.searchsorted(fake_scores, real_scores, side="right")
    aucs, recalls = [], []
    for start in range(0, resamples, _CHUNK):
        number = min(_CHUNK, resamples - start)
        weights = _draw(real_photos, number, rng)
        fake_weights = _draw(fake_photos, number, rng)
        totals = weights.sum(axis=1, keepdims=True)
        fake_totals = fake_weights.sum(axis=1)
        beaten = np.pad(np.cumsum(weights, axis=1), ((0, 0), (1, 0)))
        wins = (beaten[:, below] + beaten[:, up_to]) / 2
        aucs.append((fake_weights * wins).sum(axis=1) / (totals[:, 0] * fake_totals))
        # The highest photograph whose flagging would take the false alarms above 5 %.
        alarms = np.cumsum(weights[:, ::-1], axis=1) > 0.05 * totals * (1 + 1e-12)
        first = len(real_scores) - 1 - alarms.argmax(axis=1)
        found = fake_totals[:, None] - np.pad(np.cumsum(fake_weights, axis=1), ((0, 0), (1, 0)))
        recalls.append(found[np.arange(number), above[first]] / fake_totals)
    tail = (1 - _CONFIDENCE) / 2
    ends = np.quantile([np.concatenate(aucs), np.concatenate(recalls)], [tail, 1 - tail], axis=1)
    return Intervals(*ends.T.ravel().tolist())


@dataclass(frozen=True, slots=True)
class PairedComparison:
    """Two detectors on the same images."""

    auc: float  #: of the first.
    auc_other: float  #: of the second.
    difference: float  #: first minus second.
    low: float  #: lower end of the 95 % interval of the difference.
    high: float  #: upper end.
    p_value: float  #: two-sided, of no difference.


def delong(real: NDArray[np.float64], fake: NDArray[np.float64]) -> PairedComparison:
    """Compare the AUCs of two detectors on the same images.

    Args:
        real: (2, n) scores of the photographs, one row a detector.
        fake: (2, m) scores of the generated faces.

    Raises:
        UserError: fewer than two images of a class.

    Source: DeLong et al. 1988; by ranks as in Sun and Xu 2014, equations 4 to 7.
    """
    n, m = real.shape[1], fake.shape[1]
    if min(n, m) < 2:
        raise UserError(
            f"comparing two detectors needs two images of each class, got {n} photographs and "
            f"{m} generated"
        )
    ranks = rankdata(np.concatenate([fake, real], axis=1), axis=1)
    of_fake = (ranks[:, :m] - rankdata(fake, axis=1)) / n
    of_real = 1 - (ranks[:, m:] - rankdata(real, axis=1)) / m
    aucs = of_fake.mean(axis=1)
    covariance = np.cov(of_fake) / m + np.cov(of_real) / n
    contrast = np.array([1.0, -1.0])
    error = float(np.sqrt(max(contrast @ covariance @ contrast, 0.0)))
    difference = float(aucs[0] - aucs[1])
    half = float(norm.ppf((1 + _CONFIDENCE) / 2)) * error
    p_value = 2 * float(norm.sf(abs(difference) / error)) if error > 0 else float(difference == 0)
    return PairedComparison(
        float(aucs[0]), float(aucs[1]), difference, difference - half, difference + half, p_value
    )


def _draw(photos: NDArray[np.intp], number: int, rng: np.random.Generator) -> NDArray[np.float64]:
    """How often each image (columns) stands in each resample (rows)."""
    groups = int(photos.max()) + 1
    times = rng.multinomial(groups, np.full(groups, 1 / groups), size=number)
    return times[:, photos].astype(np.float64)
