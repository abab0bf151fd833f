"""How good likelihood ratios are as evidence: Cllr, Cllr_min, and calibration by set.

Cllr is what a likelihood ratio costs on average, in bits: 0 where it always speaks for the truth
without limit, 1 where it never says anything, above 1 where it misleads. Cllr_min is what is left
of it after the best calibration that keeps the order (pool adjacent violators); the rest is lost by
saying too much or too little.

Source: Brümmer and du Preez 2006, "Application-independent evaluation of speaker detection",
equations 13 and 16, and section 6.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.isotonic import IsotonicRegression

from exiface.calibration import Verdict
from exiface.errors import UserError
from exiface.evaluation.sets import REAL, ScoredSet, comparisons


@dataclass(frozen=True, slots=True)
class EvidenceRow:
    """Likelihood ratios of one set."""

    kind: str  #: "real" or "fake".
    name: str  #: of the set.
    against: str  #: photographs that a fake set is compared with.
    images: int  #: with a likelihood ratio.
    cllr: float | None  #: of a fake set and its photographs, in bits.
    cllr_min: float | None  #: what is left of it after the best calibration.
    #: mean of LR over photographs, of 1 / LR over generated faces. Where likelihood ratios are
    #: calibrated it is 1; above, they mislead on this set.
    mean_odds: float
    misleading: float  #: share whose likelihood ratio speaks for the other class.
    flagged: float | None  #: share called "ai-generated"; None without verdicts.


def cllr(real: ArrayLike, fake: ArrayLike) -> float:
    """Measure what likelihood ratios cost on average, in bits; both classes weigh the same.

    Args:
        real: (n,) likelihood ratios, generated over photographed, of photographs; 0 to infinity.
        fake: (m,) of generated faces.

    Raises:
        UserError: a class is empty, or a ratio is no number from 0 up.

    Example:
        >>> cllr([1, 1], [1]), cllr([0, 0], [np.inf]), round(cllr([1 / 4], [4]), 3)
        (1.0, 0.0, 0.322)
    """
    of_real, of_fake = _checked(real), _checked(fake)
    with np.errstate(divide="ignore"):
        costs = np.log2(1 + of_real).mean() + np.log2(1 + 1 / of_fake).mean()
    return float(costs / 2)


def cllr_min(real: ArrayLike, fake: ArrayLike) -> float:
    """Measure Cllr after the best calibration that keeps the order of the ratios, or scores.

    Args:
        real: (n,) of photographs; higher speaks for generated.
        fake: (m,) of generated faces.

    Raises:
        UserError: as `cllr`.

    Example:
        >>> cllr_min([1, 3], [2, 4]), cllr_min([1, 2], [3, 4]), cllr_min([5], [5])
        (0.5, 0.0, 1.0)
    """
    of_real, of_fake = _checked(real), _checked(fake)
    values = np.concatenate([of_real, of_fake])
    labels = np.repeat([0.0, 1.0], [len(of_real), len(of_fake)])
    # Either class weighs one half, so that the odds that are fitted are likelihood ratios.
    weights = np.repeat([1 / len(of_real), 1 / len(of_fake)], [len(of_real), len(of_fake)])
    order = np.unique(values, return_inverse=True)[1]  # ranks: what is infinite has one too
    fitted = IsotonicRegression(y_min=0, y_max=1).fit(order, labels, weights)
    chances = fitted.predict(order)
    with np.errstate(divide="ignore"):
        ratios = chances / (1 - chances)
    return cllr(ratios[labels == 0], ratios[labels == 1])


def evidence_table(sets: Sequence[ScoredSet]) -> list[EvidenceRow]:
    """Tabulate the sets whose images have likelihood ratios, photographs first."""
    pairs = {each.fake.name: each for each in comparisons(sets)}
    rows = []
    for each in sorted(sets, key=lambda each: each.kind != REAL):
        own = each.known_ratios()
        if not len(own):
            continue
        # What each ratio says for the other class.
        odds = own if each.kind == REAL else 1 / own
        pair = None if each.kind == REAL else pairs.get(each.name)
        photographs = [of_real.known_ratios() for of_real in pair.real] if pair else []
        real = np.concatenate([*photographs, np.empty(0)])
        costs = (cllr(real, own), cllr_min(real, own)) if len(real) else (None, None)
        said = each.said()
        flagged = None if said is None else float((said == Verdict.AI_GENERATED).mean())
        figures = (*costs, float(odds.mean()), float((odds > 1).mean()), flagged)
        against = pair.against if pair else ""
        rows.append(EvidenceRow(each.kind, each.name, against, len(own), *figures))
    return rows


def _checked(ratios: ArrayLike) -> NDArray[np.float64]:
    values = np.asarray(ratios, np.float64).ravel()
    if not len(values) or not (values >= 0).all():
        raise UserError(
            f"need likelihood ratios of both classes, 0 or more each, got {len(values)} of one: "
            "judge photographs and generated faces by a detector that has measured some"
        )
    return values
