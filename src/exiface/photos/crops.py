"""From pixels and a face box to what the encoder sees: the one preprocessing of every path."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any, get_args

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from exiface.choices import Released

Box = tuple[float, float, float, float]
Crop = NDArray[np.uint8] | NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Preprocessing:
    """How a face becomes an encoder's input; it travels with the encoder."""

    size: int  #: side of the crop in pixels; of a crop at its own pixels, the least.
    crop_scale: float = 1.3  #: side of the square cut out, in longer sides of the face box.
    #: of each channel, for pixels scaled to 0..1.
    mean: tuple[float, float, float] = (0.48145466, 0.4578275, 0.40821073)
    #: of each channel, likewise.
    std: tuple[float, float, float] = (0.26862954, 0.26130258, 0.27577711)
    #: None = every crop is resized to `size`. Otherwise crops keep their own pixels: those smaller
    #: than `size` are enlarged to it, those larger than `largest` are shrunk to that.
    largest: int | None = None
    #: None = as described here. Otherwise faces are cut and resized as the authors' released
    #: programs do (`released_crop`), under a torchvision that resizes without antialias ("plain":
    #: 0.14, with which their figures were made) or with it ("antialiased": 0.17 and later).
    #: Features of faces that are shrunk differ strongly between the two.
    released: Released | None = None

    def __post_init__(self) -> None:
        if self.size < 1 or self.crop_scale <= 0 or min(self.std) <= 0:
            raise ValueError(f"preprocessing must have positive size, scale and std, got {self}")
        if self.largest is not None and self.largest < self.size:
            raise ValueError(f"largest must be at least size, got {self}")
        if self.released not in (None, *get_args(Released)):
            raise ValueError(f"released must be plain or antialiased, got {self.released!r}")

    def crop(self, pixels: NDArray[np.uint8], box: Box) -> Crop:
        """Cut out a face and bring it to its side (bilinear, antialiased; published: 224 x 224).

        Args:
            pixels: (h, w, 3) uint8.
            box: the face, in pixels.

        Returns:
            (s, s, 3) uint8, s = `side` of the square; float32, 0 to 255, of `released`.
        """
        if self.released is not None:
            antialias = self.released == "antialiased"
            return released_crop(pixels, box, self.crop_scale, self.size, antialias=antialias)
        square = self.square(pixels, box)
        return resize(pixels, square, self.side(square[2] - square[0]))

    def side(self, cut: int) -> int:
        """The side of the crop that a square of so many pixels becomes."""
        return self.size if self.largest is None else min(max(cut, self.size), self.largest)

    @property
    def sides(self) -> str:
        """The sides that crops have, in words."""
        if self.released is not None:
            return f"{self.size} x {self.size} px, resized as released: {self.released}"
        if self.largest is None:
            return f"{self.size} x {self.size} px"
        return f"{self.size} to {self.largest} px, its own where it has as many"

    def square(self, pixels: NDArray[np.uint8], box: Box) -> tuple[int, int, int, int]:
        """The square that `crop` cuts out, in pixels of the image."""
        return square_about(box, self.crop_scale, pixels.shape[1], pixels.shape[0])

    def normalise(self, crops: Crop | Sequence[Crop]) -> NDArray[np.float32]:
        """Turn crops (n, s, s, 3) into an encoder's input (n, 3, s, s) float32."""
        mean, std = np.asarray(self.mean, np.float32), np.asarray(self.std, np.float32)
        # Turned while a pixel is one byte, then scaled in place: half the time of the other way.
        planes = np.ascontiguousarray(np.asarray(crops).transpose(0, 3, 1, 2)).astype(np.float32)
        planes *= (1 / (255 * std))[:, None, None]
        planes -= (mean / std)[:, None, None]
        return planes

    def as_dict(self) -> dict[str, Any]:
        """As JSON has it; without `released` where it says nothing, as older folders are."""
        values = asdict(self)
        if self.released is None:
            del values["released"]
        return values


def shorter_side(box: Box) -> float:
    """The shorter side of a box in pixels."""
    return min(box[2] - box[0], box[3] - box[1])


def square_about(box: Box, scale: float, width: int, height: int) -> tuple[int, int, int, int]:
    """The square about a box's centre, its side the box's longer side times `scale`.

    Near the border the square is moved, and if need be shrunk, to lie inside an image of this width
    and height: clipping it to a rectangle would have the later resize stretch the face.

    Example:
        >>> square_about((40, 40, 60, 70), 2.0, width=100, height=80)
        (20, 20, 80, 80)
    """
    x0, y0, x1, y1 = box
    side = int(max(x1 - x0, y1 - y0) * scale)
    side = max(1, min(side, width, height))
    left = min(max(round((x0 + x1) / 2 - side / 2), 0), width - side)
    top = min(max(round((y0 + y1) / 2 - side / 2), 0), height - side)
    return left, top, left + side, top + side


def resize(
    pixels: NDArray[np.uint8], square: tuple[int, int, int, int], size: int
) -> NDArray[np.uint8]:
    """Cut a square out of an image and resize it to (size, size, 3)."""
    x0, y0, x1, y1 = square
    if x1 - x0 == y1 - y0 == size:
        return np.ascontiguousarray(pixels[y0:y1, x0:x1])
    region = Image.fromarray(np.ascontiguousarray(pixels[y0:y1, x0:x1]))
    # Pillow's bilinear filter widens its support when it shrinks, as torchvision's antialias does;
    # OpenCV's does not.
    return np.array(region.resize((size, size), Image.Resampling.BILINEAR))


def released_crop(
    pixels: NDArray[np.uint8], box: Box, scale: float, size: int, *, antialias: bool
) -> NDArray[np.float32]:
    """Cut out a face (s, s, 3) and resize it as the authors' released programs do.

    Near the left and upper border the square is moved, at the right and lower one it is cut, and
    then stretched. Pixels become float32, 0 to 255, which are not rounded. With `antialias`, what
    is shrunk is smoothed first. The other arguments are those of `Preprocessing`.

    Source: the released programs of Zou et al., arXiv 2501.02207 and 2507.22824.
    """
    x0, y0, x1, y1 = map(round, box)
    side = int(scale * max(x1 - x0, y1 - y0))
    left, top = (max((first + last) // 2 - side // 2, 0) for first, last in ((x0, x1), (y0, y1)))
    region = pixels[top : top + side, left : left + side].astype(np.float32)
    if not antialias:
        return np.asarray(cv2.resize(region, (size, size), interpolation=cv2.INTER_LINEAR))
    planes = [Image.fromarray(np.ascontiguousarray(region[:, :, channel])) for channel in range(3)]
    return np.stack(
        [np.asarray(each.resize((size, size), Image.Resampling.BILINEAR)) for each in planes], 2
    )


def as_shown(crop: Crop) -> NDArray[np.uint8]:
    """A crop in whole numbers, for people and for what saves it."""
    whole = crop if crop.dtype == np.uint8 else np.rint(crop).clip(0, 255)
    return np.asarray(whole, np.uint8)  # as it is, not a copy, where it is whole already


def to_crop(
    points: NDArray[np.float32], square: tuple[int, int, int, int], size: int
) -> NDArray[np.float32]:
    """Carry points (n, 2) from the image into the resized crop of `square`."""
    x0, y0, x1, _ = square
    origin = np.array([x0, y0], np.float32)
    return np.asarray((points - origin) * (size / (x1 - x0)), dtype=np.float32)
