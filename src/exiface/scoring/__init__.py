"""Feature vectors -> scores: mixture, evidence or classifier; higher = more anomalous."""

from exiface.scoring.classifier import Classifier
from exiface.scoring.evidence import Evidence, Head
from exiface.scoring.gaussian_mixture import GaussianMixture, choose_components
from exiface.scoring.scorer import DensityError, Scorer

# By name; a detector folder keeps the numbers of its own in NAME.safetensors.
SCORERS: dict[str, type[Scorer]] = {
    "density": GaussianMixture,
    "evidence": Evidence,
    "classifier": Classifier,
}

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
