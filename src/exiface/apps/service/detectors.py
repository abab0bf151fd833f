"""The detectors of the service: loaded by name, described for clients."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from exiface.apps.page import distribution
from exiface.detector import Detector
from exiface.detector.folder import WHOLE_IMAGE, DetectorParts, detector_folder, read_folder
from exiface.errors import UserError


def load_detectors(wanted: Sequence[str], threads: int | None) -> dict[str, Detector]:
    """Load detectors, each called by the last part of its path.

    Beside each stands the detector of whole images, so that all can judge those as well.

    Raises:
        UserError: two of one name, or one that can't be loaded.
    """
    loaded: dict[str, Detector] = {}
    whole = read_folder(detector_folder(WHOLE_IMAGE))
    for given in wanted:
        name = Path(given).resolve().name
        if name in loaded:
            raise UserError(f"two detectors are called {name!r}; rename a folder")
        parts = read_folder(detector_folder(given))
        loaded[name] = Detector(parts, whole=whole, threads=threads)
    return loaded


def described(parts: DetectorParts) -> dict[str, Any]:
    """Tell clients of a detector, of faces or of whole images."""
    return {
        "id": parts.id,
        "subject": parts.encoder.subject,
        "notice": parts.notice,
        "alpha": parts.calibration.alpha,
        "promised": parts.calibration.promised,
        "true_rate": parts.true_rate,
        "photographs": parts.calibration.photographs,
        "distributions": [distribution(parts.judge)],
    }
