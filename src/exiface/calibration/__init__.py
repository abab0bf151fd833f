"""Scores of photographs and of generated faces -> p-value, likelihood ratio, verdict."""

from exiface.calibration.conformal import Calibration, CalibrationError
from exiface.calibration.generated import GeneratedFaces
from exiface.calibration.verdict import Verdict, verdict_of

__all__ = [
    "Calibration",
    "CalibrationError",
    "GeneratedFaces",
    "Verdict",
    "verdict_of",
]
