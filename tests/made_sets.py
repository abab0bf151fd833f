"""Scored sets from known distributions."""

import numpy as np

from exiface.calibration import Calibration, Judge
from exiface.evaluation.sets import ScoredSet

JUDGE = Judge(Calibration.of(range(99)))


def scored(kind, name, scores, *, p_values=None, photos=None, traits=(), **conditions):
    """A set with scores under the original condition and any others."""
    by_condition = {"original": scores, **conditions}
    by_condition = {key: np.asarray(values, float) for key, values in by_condition.items()}
    n = len(by_condition["original"])
    if p_values is None:
        unknown = {key: np.full(n, np.nan) for key in by_condition}
    else:
        unknown = {key: np.asarray(p_values, float) for key in by_condition}
    said = {
        key: np.array(["" if np.isnan(p) else JUDGE.verdict_at(p).value for p in values], "U16")
        for key, values in unknown.items()
    }
    paths = np.array([f"{name}/{number}.jpg" for number in range(n)])
    return ScoredSet(
        kind,
        name,
        paths=paths,
        photos=paths if photos is None else np.asarray(photos, str),
        scores=by_condition,
        p_values=unknown,
        verdicts=said,
        traits=list(traits),
    )


def calibrated(kind, name, scores, calibration: Calibration, **more):
    return scored(kind, name, scores, p_values=calibration.p_value(scores), **more)
