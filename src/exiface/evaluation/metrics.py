"""How well scores separate photographs from generated faces; label 1 = AI-generated."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from sklearn.metrics import average_precision_score, roc_auc_score, roc_curve

from exiface.errors import UserError


@dataclass(frozen=True, slots=True)
class Metrics:
    """Figures of one set of photographs against one of generated faces."""

    #: area under the ROC curve; 0.5 = chance, below it generated faces look more typical.
    auc: float
    ap_generated: float  #: average precision, generated = positive.
    ap_photographic: float  #: average precision, photographic = positive (as published).
    #: share of generated faces found where 5 % of these photographs are flagged.
    recall_at_5: float
    recall_at_1: float  #: the same where 1 % of them are flagged.


def measure(real: ArrayLike, fake: ArrayLike) -> Metrics:
    """Compare scores of photographs and of generated faces.

    Args:
        real: (n,) scores of photographs; higher = more anomalous.
        fake: (m,) scores of generated faces.

    Raises:
        UserError: one of the two is empty.

    Example:
        >>> measure([0, 1, 2, 3], [2.5, 4]).auc
        0.875
    """
    real, fake = np.asarray(real, float), np.asarray(fake, float)
    if not len(real) or not len(fake):
        raise UserError(
            f"need scores of both classes, got {len(real)} photographs and {len(fake)} generated"
        )
    labels = np.repeat([0, 1], [len(real), len(fake)])
    scores = np.concatenate([real, fake])
    false_alarms, recalls, _ = roc_curve(labels, scores, drop_intermediate=False)
    return Metrics(
        auc=float(roc_auc_score(labels, scores)),
        ap_generated=float(average_precision_score(labels, scores)),
        ap_photographic=float(average_precision_score(1 - labels, -scores)),
        recall_at_5=float(recalls[false_alarms <= 0.05].max()),
        recall_at_1=float(recalls[false_alarms <= 0.01].max()),
    )


def clopper_pearson(count: int, total: int, confidence: float = 0.95) -> tuple[float, float]:
    """Exact interval of a rate of which `count` of `total` were seen (Clopper and Pearson 1934).

    Raises:
        UserError: total is 0, or count is not within 0..total.

    Example:
        >>> low, high = clopper_pearson(9, 180)
        >>> round(low, 4), round(high, 4)
        (0.0231, 0.0928)
    """
    from scipy.stats import binomtest

    if not 0 <= count <= total or total == 0:
        raise UserError(f"need 0 <= count <= total and total > 0, got {count} of {total}")
    interval = binomtest(count, total).proportion_ci(confidence, method="exact")
    return float(interval.low), float(interval.high)
