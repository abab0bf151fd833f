"""What happens to pictures on their way through the world, at a known strength.

Each alteration keeps what the picture shows; a verdict that it flips was not about the face.
"""

import io
import zlib
from collections.abc import Callable
from functools import partial

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image

Pixels = NDArray[np.uint8]

_MESSENGER_SIDE = 1280  # px, longest side of what messengers pass on
_SCREEN_SCALE = 1.37  # a picture on a screen is rarely shown pixel by pixel


def saved(pixels: Pixels, file_format: str, quality: int, chroma: str = "4:2:0") -> Pixels:
    """Save pixels (h, w, 3) in a lossy format and read them again; `chroma` is JPEG's."""
    content = io.BytesIO()
    options = {"subsampling": chroma} if file_format == "JPEG" else {}
    Image.fromarray(pixels).save(content, file_format, quality=quality, **options)
    return np.array(Image.open(content).convert("RGB"))


def shrunk_and_grown(pixels: Pixels, factor: float) -> Pixels:
    """Shrink pixels (h, w, 3) by a factor (area) and bring them back to their size (cubic)."""
    height, width = pixels.shape[:2]
    size = (max(1, round(width * factor)), max(1, round(height * factor)))
    small = cv2.resize(pixels, size, interpolation=cv2.INTER_AREA)
    grown = cv2.resize(small, (width, height), interpolation=cv2.INTER_CUBIC)
    return np.asarray(grown, np.uint8)


def blurred(pixels: Pixels, sigma: float) -> Pixels:
    """Blur pixels (h, w, 3) by a Gaussian of `sigma` px."""
    return np.asarray(cv2.GaussianBlur(pixels, (0, 0), sigma), np.uint8)


def noisy(pixels: Pixels, sigma: float, rng: np.random.Generator) -> Pixels:
    """Add Gaussian noise of `sigma` grey levels to pixels (h, w, 3)."""
    noise = rng.standard_normal(pixels.shape, dtype=np.float32) * np.float32(sigma)
    return np.clip(np.rint(pixels + noise), 0, 255).astype(np.uint8)


def centre(pixels: Pixels, share: float) -> Pixels:
    """The middle `share` of each side of pixels (h, w, 3)."""
    height, width = pixels.shape[:2]
    kept = max(1, round(height * share)), max(1, round(width * share))
    top, left = (height - kept[0]) // 2, (width - kept[1]) // 2
    return np.ascontiguousarray(pixels[top : top + kept[0], left : left + kept[1]])


def with_gamma(pixels: Pixels, gamma: float) -> Pixels:
    """Raise pixels (h, w, 3), scaled to 0..1, to the power `gamma`; above 1 = darker."""
    curve = np.rint(255 * (np.arange(256) / 255) ** gamma).astype(np.uint8)
    return curve[pixels]


def messenger(pixels: Pixels) -> Pixels:
    """Shrink pixels (h, w, 3) to 1,280 px and save them as JPEG 70, as messengers do."""
    factor = min(1.0, _MESSENGER_SIDE / max(pixels.shape[:2]))
    small = cv2.resize(pixels, None, fx=factor, fy=factor, interpolation=cv2.INTER_AREA)
    return saved(np.asarray(small, np.uint8), "JPEG", 70)


def screenshot(pixels: Pixels) -> Pixels:
    """Show pixels (h, w, 3) at a crooked scale, cut the margin, and send the screenshot on."""
    shown = cv2.resize(
        pixels, None, fx=_SCREEN_SCALE, fy=_SCREEN_SCALE, interpolation=cv2.INTER_LINEAR
    )
    return messenger(centre(np.asarray(shown, np.uint8), 0.96))


def _reproducibly_noisy(pixels: Pixels, sigma: float) -> Pixels:
    return noisy(pixels, sigma, np.random.default_rng(zlib.crc32(pixels.tobytes())))


ORIGINAL = "original"
ALTERATIONS: dict[str, Callable[[Pixels], Pixels]] = {
    **{f"JPEG {q}": partial(saved, file_format="JPEG", quality=q) for q in (95, 85, 75, 60, 40)},
    "WebP 80": partial(saved, file_format="WEBP", quality=80),
    **{f"resize {share}": partial(shrunk_and_grown, factor=share) for share in (0.75, 0.5, 0.25)},
    **{f"blur {sigma}": partial(blurred, sigma=sigma) for sigma in (0.5, 1, 2)},
    **{f"noise {sigma}": partial(_reproducibly_noisy, sigma=sigma) for sigma in (2, 5)},
    "crop 90 %": partial(centre, share=0.9),
    **{f"gamma {gamma}": partial(with_gamma, gamma=gamma) for gamma in (0.8, 1.25)},
    "messenger": messenger,
    "screenshot": screenshot,
}
"""What the robustness sweep applies, by name; an alteration's strength is part of its name."""


def altered(pixels: Pixels, name: str) -> Pixels:
    """Alter pixels (h, w, 3) by the name of an alteration; `ORIGINAL` changes nothing.

    The same image gives the same result everywhere.
    """
    return pixels if name == ORIGINAL else ALTERATIONS[name](pixels)
