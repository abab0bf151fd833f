"""exiface tells camera photographs of faces from AI-generated ones.

An encoder is trained to rank what the camera recorded in EXIF, to spot artificially manipulated
faces and, in the default detector, to tell generated faces; a head, a Gaussian mixture or one-sided
signs say how suspicious a face is, at a false-alarm rate that is calibrated on photographs.

    from exiface import Detector

    for result in Detector.load().detect(["photo.jpg"]):
        print(result.path, [(each.verdict, each.p_value) for each in result.judged], result.reason)
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from exiface.detector import Detector

__version__ = "0.3.0"
__all__ = ["Detector", "__version__"]


def __getattr__(name: str) -> Any:
    # Lazy, so that `exiface --help` and `import exiface` start without OpenCV and ONNX Runtime.
    if name == "Detector":
        from exiface.detector import Detector

        return Detector
    raise AttributeError(f"module 'exiface' has no attribute {name!r}")
