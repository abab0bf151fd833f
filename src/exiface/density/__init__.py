"""Feature vectors of photographs -> likelihood -> calibrated p-value."""

from exiface.density.calibration import Calibration, CalibrationError, Verdict
from exiface.density.expectation_maximisation import DensityError
from exiface.density.gaussian_mixture import GaussianMixture, choose_components

__all__ = [
    "Calibration",
    "CalibrationError",
    "DensityError",
    "GaussianMixture",
    "Verdict",
    "choose_components",
]
