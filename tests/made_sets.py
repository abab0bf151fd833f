"""Scored sets from known distributions."""

import numpy as np

from exiface.calibration import Calibration
from exiface.evaluation.sets import ScoredSet


def scored(kind, name, scores, *, p_values=None, photos=None, traits=(), **conditions):
    """A set with scores under the original condition and any others."""
    by_condition = {"original": scores, **conditions}
    by_condition = {key: np.asarray(values, float) for key, values in by_condition.items()}
    n = len(by_condition["original"])
    if p_values is None:
        unknown = {key: np.full(n, np.nan) for key in by_condition}
    else:
        unknown = {key: np.asarray(p_values, float) for key in by_condition}
    paths = np.array([f"{name}/{number}.jpg" for number in range(n)])
    return ScoredSet(
        kind,
        name,
        paths=paths,
        photos=paths if photos is None else np.asarray(photos, str),
        scores=by_condition,
        p_values=unknown,
        traits=list(traits),
    )


def calibrated(kind, name, scores, calibration: Calibration, **more):
    return scored(kind, name, scores, p_values=calibration.p_value(scores), **more)
