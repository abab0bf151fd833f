"""Where the faces are: YuNet, through ONNX Runtime."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import onnxruntime
from numpy.typing import NDArray

from exiface.photos.crops import shorter_side
from exiface.threads import session_options

# Weights of OpenCV's zoo, made by configs/yunet.py; MIT, see the licence beside them.
_WEIGHTS = Path(__file__).parent / "yunet" / "yunet.onnx"
# YuNet looks for faces of about 10 to 300 px. Photographs are shrunk to the first side; where
# that finds nothing, the second finds faces that fill the frame.
_LONGEST_SIDES = (640, 192)
_STRIDES = (8, 16, 32)  # px of the cells in which it looks
_NMS_THRESHOLD = 0.3
# Shorter side of a face box in pixels: what is smaller holds too little to judge or to learn from.
MIN_FACE = 32
_TOP_K = 5000
# Share of a face box that must lie in the image: on images a few pixels wide YuNet can report
# boxes outside of them.
_LEAST_INSIDE = 0.5


@dataclass(frozen=True, slots=True)
class Face:
    """One face in an image; coordinates in pixels of the upright image."""

    box: tuple[float, float, float, float]  #: (x0, y0, x1, y1).
    #: (5, 2): eye centres, nose, mouth corners; the one further left in the image of an upright
    #: face first; NaN where none were looked for. Their error is about a tenth of the distance of
    #: the eyes.
    landmarks: NDArray[np.float32]
    score: float  #: the face detector's confidence, 0 to 1.


class FaceDetector:
    """Finds faces with five landmarks; one instance serves any number of threads.

    A candidate with a confidence below the threshold is no face.

    Source: Wu, Peng, Yu, YuNet: a tiny millisecond-level face detector (2023), and OpenCV's
    `FaceDetectorYN`, with whose results its own are equal (see the tests).
    """

    def __init__(self, threshold: float = 0.75) -> None:
        self.threshold = threshold
        self._session = _session()

    def detect(self, pixels: NDArray[np.uint8]) -> list[Face]:
        """Find the faces of one image (h, w, 3) uint8, RGB; the largest comes first."""
        for longest_side in _LONGEST_SIDES:
            faces = self._detect_at(pixels, longest_side)
            if faces or max(pixels.shape[:2]) <= _LONGEST_SIDES[-1]:  # not shrunk any further
                return faces
        return []

    def to_judge(
        self, pixels: NDArray[np.uint8], *, cropped: bool = False
    ) -> tuple[list[Face], int, str | None]:
        """Find the faces of one image (h, w, 3) uint8, RGB, that hold enough to be judged.

        A cropped image is a face already cut out, and is taken whole.

        Returns:
            The faces, largest first; how many others are too small; why there is none.
        """
        if cropped:
            height, width = pixels.shape[:2]
            found = [Face((0, 0, width, height), np.full((5, 2), np.nan, np.float32), 1.0)]
        else:
            found = self.detect(pixels)
        large = [face for face in found if shorter_side(face.box) >= MIN_FACE]
        reason = None
        if not large:
            reason = f"faces smaller than {MIN_FACE} px only" if found else "no face found"
        return large, len(found) - len(large), reason

    def _detect_at(self, pixels: NDArray[np.uint8], longest_side: int) -> list[Face]:
        height, width = pixels.shape[:2]
        small, (across, down) = _shrunk(pixels, longest_side)
        found = self._candidates(small)
        found[:, [0, 2, 4, 6, 8, 10, 12]] *= across
        found[:, [1, 3, 5, 7, 9, 11, 13]] *= down
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

    def _candidates(self, pixels: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Faces (n, 15) of an image as it is: x, y, width, height, five points, confidence."""
        height, width = pixels.shape[:2]
        below, beside = -height % _STRIDES[-1], -width % _STRIDES[-1]
        planes = np.zeros((1, 3, height + below, width + beside), np.float32)
        planes[0, :, :height, :width] = pixels[:, :, ::-1].transpose(2, 0, 1)  # YuNet takes BGR
        names = [each.name for each in self._session.get_outputs()]
        outputs = dict(zip(names, self._session.run(names, {"input": planes}), strict=True))
        found = np.concatenate(
            [_decoded(outputs, stride, planes.shape[3], self.threshold) for stride in _STRIDES]
        )
        found = found[np.isfinite(found).all(axis=1) & (found[:, 2:4] > 0).all(axis=1)]
        # As OpenCV: of overlapping candidates the surest stays, by boxes of whole pixels.
        kept = cv2.dnn.NMSBoxes(
            found[:, :4].astype(int).tolist(),
            found[:, 14].tolist(),
            self.threshold,
            _NMS_THRESHOLD,
            top_k=_TOP_K,
        )
        surest: NDArray[np.float32] = found[np.asarray(kept, np.intp)]
        return surest


def _shrunk(
    pixels: NDArray[np.uint8], longest_side: int
) -> tuple[NDArray[np.uint8], tuple[float, float]]:
    """An image of at most this longest side, and how many pixels one of its own spans (x, y)."""
    height, width = pixels.shape[:2]
    whole = max(1, min(max(height, width) // longest_side, height, width))
    if whole > 1:
        # Means of whole pixels take OpenCV a fraction of the time that means of parts of them do.
        # On the right and below, less than `whole` pixels are left out.
        size = (width // whole, height // whole)
        width, height = whole * size[0], whole * size[1]
        shrunk = cv2.resize(pixels[:height, :width], size, interpolation=cv2.INTER_AREA)
        pixels = np.asarray(shrunk, np.uint8)
    scale = min(1.0, longest_side / max(pixels.shape[:2]))
    if scale < 1:
        size = (max(1, round(pixels.shape[1] * scale)), max(1, round(pixels.shape[0] * scale)))
        # Less than half is left to take off.
        shrunk = cv2.resize(pixels, size, interpolation=cv2.INTER_LINEAR)
        pixels = np.asarray(shrunk, np.uint8)
    return pixels, (width / pixels.shape[1], height / pixels.shape[0])


def _decoded(
    outputs: Mapping[str, NDArray[np.float32]], stride: int, width: int, threshold: float
) -> NDArray[np.float32]:
    """Candidates (n, 15) of the cells of one size in an image so many pixels wide."""
    of_face, of_object, boxes, points = (
        outputs[f"{name}_{stride}"][0] for name in ("cls", "obj", "bbox", "kps")
    )
    confidence = np.sqrt(np.clip(of_face, 0, 1) * np.clip(of_object, 0, 1))[:, 0]
    sure = np.flatnonzero(confidence >= threshold)
    row, column = np.divmod(sure, width // stride)
    cells = np.stack([column, row], axis=1).astype(np.float32)
    centres = (cells + boxes[sure, :2]) * np.float32(stride)
    sizes = np.exp(boxes[sure, 2:]) * np.float32(stride)
    landmarks = (cells[:, None] + points[sure].reshape(-1, 5, 2)) * np.float32(stride)
    return np.concatenate(
        [centres - sizes / 2, sizes, landmarks.reshape(-1, 10), confidence[sure, None]], axis=1
    )


def _share_inside(boxes: NDArray[Any], width: float, height: float) -> NDArray[Any]:
    """Share of each box's area that lies in the image; boxes (n, 4) as x, y, width, height."""
    sides = np.minimum(boxes[:, :2] + boxes[:, 2:], (width, height)) - np.maximum(boxes[:, :2], 0)
    return np.asarray((np.clip(sides, 0, None) / boxes[:, 2:]).prod(axis=1))


@cache
def _session() -> onnxruntime.InferenceSession:
    """YuNet, once a process; runs of several threads don't disturb one another."""
    options = session_options()
    options.enable_cpu_mem_arena = False  # it would keep what the largest image of each form took
    return onnxruntime.InferenceSession(
        _WEIGHTS.read_bytes(), options, providers=["CPUExecutionProvider"]
    )
