"""How well a face or an image can be seen: size, sharpness, compression, flat areas, turn."""

import io
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from exiface.photos.crops import Crop, as_shown

_SIDE = 128  # px, to which crops are shrunk: sharpness must not depend on their size
_DARK = 1e-3  # added to a variance, for its logarithm
_BLOCK = 8  # px, JPEG's
_FLAT = 2  # grey levels within a block that are one level, compressed


@dataclass(frozen=True, slots=True)
class Quality:
    """How well a face can be seen; more is better."""

    size: float  #: shorter side of the face in pixels.
    sharpness: float  #: logarithm of the variance of the Laplacian, at a common size.
    jpeg_quality: float = math.nan  #: 1 to 100; NaN of other formats.
    #: 1 where the nose lies between the eyes, 0 where it lies below one of them, down to -1 where
    #: the face is turned further; NaN without landmarks.
    frontality: float = math.nan
    #: share of blocks of 8 px that aren't of one grey level, of an image as a whole; NaN of a face.
    #: Text, screenshots and drawings have flat areas, photographs few.
    texture: float = math.nan

    @classmethod
    def of(
        cls,
        crop: Crop,
        size: float,
        landmarks: NDArray[np.float32] | None = None,
        jpeg_quality: int | None = None,
    ) -> "Quality":
        """Measure a face.

        Args:
            crop: (s, s, 3), RGB.
            size: shorter side of the face in pixels of the image.
            landmarks: (5, 2), eyes first, then the nose; None or NaN where unknown.
            jpeg_quality: of the file; None of other formats.
        """
        grey = cv2.cvtColor(as_shown(crop), cv2.COLOR_RGB2GRAY)
        if len(grey) > _SIDE:
            grey = np.asarray(cv2.resize(grey, (_SIDE, _SIDE), interpolation=cv2.INTER_AREA))
        variance = float(cv2.Laplacian(grey, cv2.CV_64F).var())
        return cls(
            size=float(size),
            sharpness=math.log(variance + _DARK),
            jpeg_quality=math.nan if jpeg_quality is None else float(jpeg_quality),
            frontality=math.nan if landmarks is None else frontality(landmarks),
        )

    @classmethod
    def of_image(cls, pixels: NDArray[np.uint8], jpeg_quality: int | None = None) -> "Quality":
        """Measure an image (h, w, 3) as a whole; its size is its shorter side."""
        found = cls.of(pixels, min(pixels.shape[:2]), jpeg_quality=jpeg_quality)
        return replace(found, texture=texture(pixels))


def texture(pixels: NDArray[np.uint8]) -> float:
    """The share of blocks of 8 px of pixels (h, w, 3) that aren't of one grey level.

    It is NaN where there is no block.

    Example:
        >>> texture(np.zeros((64, 64, 3), np.uint8))
        0.0
    """
    height, width = (length // _BLOCK * _BLOCK for length in pixels.shape[:2])
    grey = cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY)[:height, :width]
    blocks = grey.reshape(height // _BLOCK, _BLOCK, width // _BLOCK, _BLOCK)
    if not blocks.size:
        return math.nan
    levels = blocks.max((1, 3)).astype(int) - blocks.min((1, 3))
    return float((levels > _FLAT).mean())


def frontality(landmarks: NDArray[np.float32]) -> float:
    """How far a face looks into the camera, by where its nose lies along the line of the eyes.

    Example:
        >>> frontality(np.array([[0, 0], [10, 0], [5, 6]], np.float32))
        1.0
        >>> frontality(np.array([[0, 0], [0, 10], [-6, 10]], np.float32))  # on its side, in profile
        0.0
    """
    left, right, nose = np.asarray(landmarks, np.float64)[:3]
    between = right - left
    length = float(between @ between)
    if not length > 0:  # also of NaN
        return math.nan
    return max(-1.0, 1 - abs(2 * float((nose - left) @ between) / length - 1))


def jpeg_quality(tables: Mapping[int, Sequence[int]] | None) -> int | None:
    """Estimate a JPEG's quality, 1 to 100: the IJG setting whose luminance table is nearest.

    `tables` are those of the quantisation, as Pillow gives them; without any it is None.
    """
    if not tables or 0 not in tables:
        return None
    table = np.asarray(tables[0], float)
    return int(np.abs(_standard_tables() - table).sum(axis=1).argmin()) + 1


@cache
def _standard_tables() -> NDArray[np.float64]:
    """The luminance tables (100, 64) of the IJG's qualities 1 to 100 (`jpeg_set_quality`)."""
    content = io.BytesIO()
    Image.new("L", (8, 8)).save(content, "JPEG", quality=50)  # where the table is not scaled
    with Image.open(content) as image:
        table = np.asarray(image.quantization[0])  # type: ignore[attr-defined]
    quality = np.arange(1, 101)
    scale = np.where(quality < 50, 5000 // quality, 200 - 2 * quality)
    return np.asarray(np.clip((table * scale[:, None] + 50) // 100, 1, 255), float)
