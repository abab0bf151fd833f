"""Scores of photographs and of generated faces -> p-value, likelihood ratio, verdict."""

from exiface.calibration.conformal import Calibration, CalibrationError
from exiface.calibration.generated import GeneratedFaces
from exiface.calibration.likelihood_ratio import LikelihoodRatio
from exiface.calibration.verdict import (
    Finding,
    Judge,
    Verdict,
    counting,
    flagged,
    of_several,
    promise,
)

__all__ = [
    "Calibration",
    "CalibrationError",
    "Finding",
    "GeneratedFaces",
    "Judge",
    "LikelihoodRatio",
    "Verdict",
    "counting",
    "flagged",
    "of_several",
    "promise",
]
