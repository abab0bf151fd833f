"""Artificial face manipulations: what the encoder learns to spot, made from photographs alone.

`MANIPULATIONS` are the four of the published method, vectorised; their lengths in pixels hold for a
face of 224 px and scale with it. Two more change the whole face: smoothing takes away what the
sensor and the skin leave and a generator's decoder doesn't draw; averaging two faces makes one more
ordinary than either, as generators tend to.
"""

from collections.abc import Callable
from functools import lru_cache

import cv2
import numpy as np
from numpy.typing import NDArray

Pixels = NDArray[np.uint8]
Landmarks = NDArray[np.float32]

_REFERENCE_SIDE = 224
_MARGIN = 5  # px around the bounding rectangle
# The published text doesn't say how far. At 15 px the blurred mask ends at the rectangle's edge,
# so that no seam gives the manipulation away (the later scaling to 1 makes up for what is lost).
_EROSION = 15  # px
_BLUR_SIGMA = 10.0  # px
_BLUR_KERNEL = 51  # px
_OPACITIES = (0.75, 1.0, 1.0, 1.0)
_GRID = 4  # control points along each side
_JITTER = (0.04, 0.05)  # standard deviation of a control point's shift, in image sides
# Width of an eye (corner to corner) in distances of the eye centres, for five landmarks.
_EYE_WIDTH = 0.48
# Of smoothing: windows and strengths, which hold for a face of 224 px and don't scale.
_MEANS_STRENGTH, _MEANS_PATCH, _MEANS_SEARCH = 5.0, 5, 13
_BILATERAL_DIAMETER, _BILATERAL_REACH = 9, 5.0
_BILATERAL_RANGE = (15.0, 35.0)  # grey levels


def mouth_turned(pixels: Pixels, landmarks: Landmarks, rng: np.random.Generator) -> Pixels:
    """Flip the mouth both ways in place (published index 0)."""
    return _flip_region(pixels, *_mouth_corners(landmarks), 1 / 3, (0, 1), rng)


def mouth_mirrored(pixels: Pixels, landmarks: Landmarks, rng: np.random.Generator) -> Pixels:
    """Mirror the mouth in place (published index 1)."""
    return _flip_region(pixels, *_mouth_corners(landmarks), 1 / 3, (1,), rng)


def eye_mirrored(pixels: Pixels, landmarks: Landmarks, rng: np.random.Generator) -> Pixels:
    """Mirror the eye on the image's right (42-45 of 68 landmarks) in place (published index 2)."""
    return _flip_region(pixels, *_eye_corners(landmarks), 1 / 2, (1,), rng)


def warped(pixels: Pixels, _: Landmarks | None, rng: np.random.Generator) -> Pixels:
    """Warp the whole face piecewise affinely on a jittered 4 x 4 grid (published index 3)."""
    height, width = pixels.shape[:2]
    sigma = rng.uniform(*_JITTER)
    shifts = rng.normal(0, sigma, (_GRID * _GRID, 2)) * (width, height)
    displacement = (_hat_functions(height, width) @ shifts.astype(np.float32)).reshape(
        height, width, 2
    )
    columns = np.arange(width, dtype=np.float32) + displacement[..., 0]
    rows = np.arange(height, dtype=np.float32)[:, None] + displacement[..., 1]
    result = cv2.remap(pixels, columns, rows, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT_101)
    return np.asarray(result, np.uint8)


MANIPULATIONS: dict[str, Callable[[Pixels, Landmarks, np.random.Generator], Pixels]] = {
    "mouth_turned": mouth_turned,
    "mouth_mirrored": mouth_mirrored,
    "eye_mirrored": eye_mirrored,
    "warped": warped,
}


def manipulate(
    pixels: Pixels, landmarks: Landmarks | None, name: str, rng: np.random.Generator
) -> Pixels:
    """Manipulate a face; `pixels` is left as it was.

    Args:
        pixels: (s, s, 3) uint8, a face crop.
        landmarks: (5, 2), or (68, 2) in iBUG numbering, in pixels of the crop; None: the warp
            stands in.
        name: one of `MANIPULATIONS`.
        rng: where opacity and jitter are drawn from.

    Raises:
        ValueError: unknown name, or neither 5 nor 68 landmarks.
    """
    if name not in MANIPULATIONS:
        raise ValueError(f"manipulation must be one of {', '.join(MANIPULATIONS)}, got {name!r}")
    if landmarks is None or not np.isfinite(landmarks).all():
        return warped(pixels, None, rng)
    if landmarks.shape not in ((5, 2), (68, 2)):
        raise ValueError(f"landmarks must be (5, 2) or (68, 2), got {landmarks.shape}")
    return MANIPULATIONS[name](pixels, landmarks, rng)


def smoothed(pixels: Pixels, rng: np.random.Generator) -> Pixels:
    """Smooth pixels (s, s, 3) and keep edges: non-local means or a bilateral filter, drawn."""
    if rng.random() < 0.5:
        result = cv2.fastNlMeansDenoisingColored(
            pixels, None, _MEANS_STRENGTH, _MEANS_STRENGTH, _MEANS_PATCH, _MEANS_SEARCH
        )
    else:
        strength = rng.uniform(*_BILATERAL_RANGE)
        result = cv2.bilateralFilter(pixels, _BILATERAL_DIAMETER, strength, _BILATERAL_REACH)
    return np.asarray(result, np.uint8)


def averaged(pixels: Pixels, other: Pixels) -> Pixels:
    """The mean of two face crops (s, s, 3) uint8."""
    return np.asarray(cv2.addWeighted(pixels, 0.5, other, 0.5, 0), np.uint8)


def _mouth_corners(landmarks: Landmarks) -> tuple[Landmarks, Landmarks]:
    first, second = (48, 54) if len(landmarks) == 68 else (3, 4)
    return landmarks[first], landmarks[second]


def _eye_corners(landmarks: Landmarks) -> tuple[Landmarks, Landmarks]:
    if len(landmarks) == 68:
        return landmarks[42], landmarks[45]
    half = (landmarks[1] - landmarks[0]) * (_EYE_WIDTH / 2)
    return landmarks[1] - half, landmarks[1] + half


def _flip_region(
    pixels: Pixels,
    start: Landmarks,
    end: Landmarks,
    dilation: float,
    axes: tuple[int, ...],
    rng: np.random.Generator,
) -> Pixels:
    """Flip the rectangle about the line start-end, dilated by a share of its length, and blend."""
    height, width = pixels.shape[:2]
    unit = max(height, width) / _REFERENCE_SIDE
    opacity = rng.choice(_OPACITIES)
    reach = dilation * float(np.hypot(*(end - start))) + _MARGIN * unit
    low = np.floor(np.minimum(start, end) - reach).astype(int)
    high = np.ceil(np.maximum(start, end) + reach).astype(int) + 1
    x0, y0 = np.clip(low, 0, (width, height))
    x1, y1 = np.clip(high, 0, (width, height))
    if x1 - x0 < 2 or y1 - y0 < 2:  # landmarks outside of the crop: nothing to flip
        return warped(pixels, None, rng)
    result = pixels.copy()
    region = pixels[y0:y1, x0:x1]
    mask = _soft_rectangle(y1 - y0, x1 - x0, unit) * np.float32(opacity)
    blended = region + mask[:, :, None] * (np.flip(region, axes).astype(np.float32) - region)
    result[y0:y1, x0:x1] = np.round(blended)
    return result


def _soft_rectangle(height: int, width: int, unit: float) -> NDArray[np.float32]:
    """A rectangle's mask, eroded, blurred and scaled to a maximum of 1."""
    # The blur of a rectangle is the outer product of the blurs of its sides: two lines suffice.
    mask = _soft_line(height, unit)[:, None] * _soft_line(width, unit)
    return np.asarray(mask / mask.max(), dtype=np.float32)


def _soft_line(length: int, unit: float) -> NDArray[np.float32]:
    erosion = min(round(_EROSION * unit), (length - 1) // 2)
    line = np.zeros((1, length), np.float32)
    line[:, erosion : length - erosion] = 1
    kernel = 2 * max(1, round(_BLUR_KERNEL * unit / 2)) + 1
    sigma = _BLUR_SIGMA * unit
    padded = cv2.copyMakeBorder(line, 0, 0, kernel, kernel, cv2.BORDER_CONSTANT)
    blurred = cv2.GaussianBlur(padded, (kernel, 1), sigma)
    return np.asarray(blurred[0, kernel : kernel + length], dtype=np.float32)


@lru_cache(maxsize=4)
def _hat_functions(height: int, width: int) -> NDArray[np.float32]:
    """Piecewise affine weights of the control points at each pixel: (height * width, 16)."""
    y, x = np.mgrid[0:height, 0:width].astype(np.float32)
    x *= (_GRID - 1) / max(1, width - 1)
    y *= (_GRID - 1) / max(1, height - 1)
    weights = np.empty((_GRID, _GRID, height, width), np.float32)
    for row in range(_GRID):
        for column in range(_GRID):
            u, v = x - column, y - row
            # The hat function of a triangulated grid: 1 at its node, 0 at its neighbours.
            distance = np.maximum(np.maximum(np.abs(u), np.abs(v)), np.abs(u - v))
            weights[row, column] = np.maximum(0, 1 - distance)
    return np.ascontiguousarray(weights.reshape(_GRID * _GRID, -1).T)
