"""Feature vectors -> scores: mixture, evidence or classifier; higher = more anomalous."""

from exiface.scoring.classifier import Classifier
from exiface.scoring.evidence import Evidence, Head
from exiface.scoring.expectation_maximisation import DensityError
from exiface.scoring.gaussian_mixture import GaussianMixture, choose_components
from exiface.scoring.scorer import SCORERS, Scorer

__all__ = [
    "SCORERS",
    "Classifier",
    "DensityError",
    "Evidence",
    "GaussianMixture",
    "Head",
    "Scorer",
    "choose_components",
]
