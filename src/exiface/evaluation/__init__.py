"""Detectors and labelled folders -> tables, pictures, a report."""

from exiface.evaluation.judging import judge
from exiface.evaluation.metrics import Metrics, clopper_pearson, measure
from exiface.evaluation.sets import ScoredSet
from exiface.evaluation.tables import Row, main_table

__all__ = [
    "Metrics",
    "Row",
    "ScoredSet",
    "clopper_pearson",
    "judge",
    "main_table",
    "measure",
]
