"""What people and phones do to photographs of faces: smoothing, denoising, enlarging, sharpening.

A photograph stays one under all of it. A detector that learns from untouched photographs alone
takes soft, retouched portraits for generated ones.
"""

from collections.abc import Callable

import cv2
import numpy as np
from numpy.typing import NDArray

Pixels = NDArray[np.uint8]

_SHARPENED = 0.4  # share of retouched photographs that are sharpened in the end
_ENLARGEMENTS = (cv2.INTER_CUBIC, cv2.INTER_LANCZOS4, cv2.INTER_LINEAR)


def sharpened(pixels: Pixels, sigma: float, amount: float) -> Pixels:
    """Sharpen pixels (h, w, 3) by an unsharp mask of `sigma` px, `amount` times the difference."""
    soft = cv2.GaussianBlur(pixels, (0, 0), sigma)
    return np.asarray(cv2.addWeighted(pixels, 1 + amount, soft, -amount, 0), np.uint8)


def retouched(pixels: Pixels, rng: np.random.Generator) -> Pixels:
    """Retouch pixels (h, w, 3) of a photograph in one way; way, strength and opacity are drawn."""
    soft = _FILTERS[rng.integers(len(_FILTERS))](pixels, rng)
    opacity = rng.uniform(0.5, 1)
    result = cv2.addWeighted(soft, opacity, pixels, 1 - opacity, 0)
    if rng.random() < _SHARPENED:
        return sharpened(np.asarray(result, np.uint8), rng.uniform(0.6, 1.5), rng.uniform(0.3, 1.2))
    return np.asarray(result, np.uint8)


def _bilateral(pixels: Pixels, rng: np.random.Generator) -> Pixels:
    filtered = cv2.bilateralFilter(pixels, 7, rng.uniform(10, 40), rng.uniform(2, 6))
    return np.asarray(filtered, np.uint8)


def _median(pixels: Pixels, _: np.random.Generator) -> Pixels:
    return np.asarray(cv2.medianBlur(pixels, 3), np.uint8)


def _edge_preserving(pixels: Pixels, rng: np.random.Generator) -> Pixels:
    """The recursive filter of beauty programs (Gastal and Oliveira, SIGGRAPH 2011)."""
    filtered = cv2.edgePreservingFilter(
        pixels, flags=cv2.RECURS_FILTER, sigma_s=rng.uniform(3, 10), sigma_r=rng.uniform(0.05, 0.25)
    )
    return np.asarray(filtered, np.uint8)


def _denoised(pixels: Pixels, rng: np.random.Generator) -> Pixels:
    strength, colour = rng.uniform(2, 6, 2)
    return np.asarray(
        cv2.fastNlMeansDenoisingColored(pixels, None, strength, colour, 3, 9), np.uint8
    )


def _enlarged(pixels: Pixels, rng: np.random.Generator) -> Pixels:
    """As a smaller picture that was enlarged to this size."""
    height, width = pixels.shape[:2]
    factor = rng.uniform(0.4, 0.8)
    size = (max(8, int(width * factor)), max(8, int(height * factor)))
    small = cv2.resize(pixels, size, interpolation=cv2.INTER_AREA)
    how = _ENLARGEMENTS[rng.integers(len(_ENLARGEMENTS))]
    return np.asarray(cv2.resize(small, (width, height), interpolation=how), np.uint8)


_FILTERS: tuple[Callable[[Pixels, np.random.Generator], Pixels], ...] = (
    _bilateral,
    _median,
    _edge_preserving,
    _denoised,
    _enlarged,
)
