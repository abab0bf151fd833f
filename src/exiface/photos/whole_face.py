"""Manipulations of the whole picture, made from photographs alone.

Smoothing takes away what the sensor and the skin leave and a generator's decoder doesn't draw;
averaging two faces makes one more ordinary than either, as generators tend to.
"""

import cv2
import numpy as np
from numpy.typing import NDArray

Pixels = NDArray[np.uint8]

# Window sizes and strengths hold for a face of 224 px.
_MEANS_STRENGTH, _MEANS_PATCH, _MEANS_SEARCH = 5.0, 5, 13
_BILATERAL_DIAMETER, _BILATERAL_REACH = 9, 5.0
_BILATERAL_RANGE = (15.0, 35.0)  # grey levels


def smoothed(pixels: Pixels, rng: np.random.Generator) -> Pixels:
    """Smooth a face and keep its edges: non-local means or a bilateral filter, drawn.

    Args:
        pixels: (s, s, 3) uint8, a face crop.
        rng: where the filter and its strength are drawn from.

    Returns:
        The smoothed face, same shape; `pixels` is left as it was.
    """
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
