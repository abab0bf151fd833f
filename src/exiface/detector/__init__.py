"""Encoder, density and calibration joined: image -> verdict; the detector folder; the runtime."""

from exiface.detector.detector import Detector
from exiface.detector.folder import DetectorError
from exiface.detector.results import ImageResult, Judgement

__all__ = ["Detector", "DetectorError", "ImageResult", "Judgement"]
