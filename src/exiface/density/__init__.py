"""Feature vectors of photographs -> likelihood (or evidence, or log-odds) -> p-value."""

from exiface.density.calibration import Calibration, CalibrationError
from exiface.density.classifier import Classifier
from exiface.density.evidence import Evidence
from exiface.density.expectation_maximisation import DensityError
from exiface.density.gaussian_mixture import GaussianMixture, choose_components
from exiface.density.generated import GeneratedFaces
from exiface.density.verdict import Verdict, verdict_of

# What a detector scores features with; higher = more anomalous.
Scorer = GaussianMixture | Evidence | Classifier

__all__ = [
    "Calibration",
    "CalibrationError",
    "Classifier",
    "DensityError",
    "Evidence",
    "GaussianMixture",
    "GeneratedFaces",
    "Scorer",
    "Verdict",
    "choose_components",
    "verdict_of",
]
