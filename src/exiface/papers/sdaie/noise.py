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


def _jpeg(pixels: Pixels) -> Pixels:
    return saved(pixels, "JPEG", 95)


def _halved(pixels: Pixels) -> Pixels:
    """Half of the sides, cut to whole pixels; bilinear, antialiased."""
    height, width = (max(1, side // 2) for side in pixels.shape[:2])
    return np.array(Image.fromarray(pixels).resize((width, height), Image.Resampling.BILINEAR))


def _blurred(pixels: Pixels) -> Pixels:
    """A Gaussian of one pixel that cuts to whole numbers after each axis."""
    from scipy.ndimage import gaussian_filter  # slow to import, and seldom needed

    planes = [gaussian_filter(pixels[..., channel], sigma=1.0) for channel in range(3)]
    return np.stack(planes, axis=2)


RELEASED_NOISES: dict[Noise, Callable[[Pixels], Pixels]] = {
    "jpg": _jpeg,
    "resize": _halved,
    "blur": _blurred,
}
