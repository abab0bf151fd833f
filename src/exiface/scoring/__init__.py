"""Feature vectors -> scores: mixture, evidence or classifier; higher = more anomalous."""

from exiface.scoring.classifier import Classifier
from exiface.scoring.evidence import Evidence
from exiface.scoring.expectation_maximisation import DensityError
from exiface.scoring.gaussian_mixture import GaussianMixture, choose_components

# What a detector scores features with; higher = more anomalous.
Scorer = GaussianMixture | Evidence | Classifier

__all__ = [
    "Classifier",
    "DensityError",
    "Evidence",
    "GaussianMixture",
    "Scorer",
    "choose_components",
]
