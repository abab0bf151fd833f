"""exiface tells camera photographs of faces from AI-generated ones.

An encoder is trained to rank what the camera recorded in EXIF and, in the default detector, to tell
generated faces, otherwise to spot manipulated ones; a head, a Gaussian mixture or one-sided signs
say how suspicious a face is, at a false-alarm rate that is calibrated on photographs::

    from exiface import Detector

    for result in Detector.load().detect(["photo.jpg"]):
        print(result.path, [(each.verdict, each.p_value) for each in result.judged], result.reason)
"""

import importlib
from typing import TYPE_CHECKING, Any

from exiface.errors import UserError

if TYPE_CHECKING:
    from exiface.calibration import Verdict
    from exiface.detector import Detector, ImageResult, Judgement
    from exiface.detector.calibrating import Promise, calibrate
    from exiface.detector.fitting import Fitting, fit

__version__ = "0.3.0"
__all__ = [
    "Detector",
    "Fitting",
    "ImageResult",
    "Judgement",
    "Promise",
    "UserError",
    "Verdict",
    "__version__",
    "calibrate",
    "fit",
]

# Lazy, so that `exiface --help` and `import exiface` start without OpenCV and ONNX Runtime.
_HOMES = {
    "Detector": "exiface.detector",
    "Fitting": "exiface.detector.fitting",
    "ImageResult": "exiface.detector",
    "Judgement": "exiface.detector",
    "Promise": "exiface.detector.calibrating",
    "Verdict": "exiface.calibration",
    "calibrate": "exiface.detector.calibrating",
    "fit": "exiface.detector.fitting",
}


def __getattr__(name: str) -> Any:
    if name in _HOMES:
        return getattr(importlib.import_module(_HOMES[name]), name)
    raise AttributeError(f"module 'exiface' has no attribute {name!r}")
