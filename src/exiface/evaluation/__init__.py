"""Detectors and labelled folders -> tables."""

from exiface.evaluation.evaluate import Row, evaluate
from exiface.evaluation.metrics import Metrics, clopper_pearson, measure

__all__ = ["Metrics", "Row", "clopper_pearson", "evaluate", "measure"]
