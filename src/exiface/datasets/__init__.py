"""Folders on disk -> manifest (Parquet) -> training batches."""

from exiface.datasets.manifest import Manifest, ManifestError
from exiface.datasets.records import read_records
from exiface.datasets.scan import ScanSummary, find_images, scan
from exiface.datasets.splits import SPLITS, assign_splits, cap

__all__ = [
    "SPLITS",
    "Manifest",
    "ManifestError",
    "ScanSummary",
    "assign_splits",
    "cap",
    "find_images",
    "read_records",
    "scan",
]
