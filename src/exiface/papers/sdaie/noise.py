"""What the released program of SDAIE does to pictures before it tests how robust a detector is.

Source: the released program of SDAIE (arXiv 2512.05651).
"""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from exiface.choices import Noise
from exiface.photos.alterations import saved

Pixels = NDArray[np.uint8]


def _halved(pixels: Pixels) -> Pixels:
    """Half of the sides, cut to whole pixels; bilinear, antialiased."""
    height, width = (max(1, side // 2) for side in pixels.shape[:2])
    return np.array(Image.fromarray(pixels).resize((width, height), Image.Resampling.BILINEAR))


def _blurred(pixels: Pixels) -> Pixels:
    """A Gaussian of one pixel that cuts to whole numbers after each axis."""
    from scipy.ndimage import gaussian_filter  # slow to import, and seldom needed

    return np.asarray(gaussian_filter(pixels, sigma=(1.0, 1.0, 0.0)))


RELEASED_NOISES: dict[Noise, Callable[[Pixels], Pixels]] = {
    "jpg": lambda pixels: saved(pixels, "JPEG", 95),
    "resize": _halved,
    "blur": _blurred,
}
