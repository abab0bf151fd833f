"""From a whole image to patches at its own pixels."""

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Any, Literal, get_args

import numpy as np
from numpy.typing import NDArray
from PIL import Image

Crop = Literal["whole", "published"]
Pooling = Literal["mean", "first"]
Chosen = Literal["first", "evenly"]


@dataclass(frozen=True, slots=True)
class Patches:
    """How a whole image becomes an encoder's input; it travels with the encoder.

    The image's middle is cut to whole patches, and these are read row by row from the top left. An
    image with a side below a patch's is resized to one patch, its shape lost.

    Source: the released program of SDAIE (arXiv 2512.05651).
    """

    side: int = 64  #: of a patch in pixels.
    most: int = 20_000  #: patches of an image, at most.
    #: which of more: the "first", so that the image's bottom is left out, as published; or as many,
    #: spread "evenly" over the rows.
    chosen: Chosen = "first"
    #: "whole": what is cut off are the less than `side` pixels beyond whole patches. "published"
    #: exchanges the two sides, as the released program does: a landscape loses columns and gets
    #: black rows, and the authors' figures contain that.
    crop: Crop = "whole"
    #: what the image's feature is, of its patches' tokens: their mean, or the first, as published.
    pooling: Pooling = "mean"
    #: of each channel, for pixels scaled to 0..1.
    mean: tuple[float, float, float] = (0.48145466, 0.4578275, 0.40821073)
    #: of each channel, likewise.
    std: tuple[float, float, float] = (0.26862954, 0.26130258, 0.27577711)

    def __post_init__(self) -> None:
        if self.side < 1 or self.most < 1 or min(self.std) <= 0:
            raise ValueError(f"patches must have positive side, number and std, got {self}")
        for name, known in (("crop", Crop), ("chosen", Chosen), ("pooling", Pooling)):
            if (value := getattr(self, name)) not in get_args(known):
                raise ValueError(f"{name} must be {' or '.join(get_args(known))}, got {value!r}")

    def cut(self, pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """Cut pixels (h, w, 3) uint8 into patches (n, side, side, 3).

        They are a view of the image where none is padded or left out.
        """
        side = self.side
        if min(pixels.shape[:2]) < side:
            small = Image.fromarray(np.ascontiguousarray(pixels))
            return np.array(small.resize((side, side), Image.Resampling.BILINEAR))[None]
        rows, columns = (length // side for length in pixels.shape[:2])
        if self.crop == "published":
            rows, columns = columns, rows
        middle = _centre_crop(pixels, rows * side, columns * side)
        grid = middle.reshape(rows, side, columns, side, 3).swapaxes(1, 2)
        return grid.reshape(-1, side, side, 3)[self._places(rows * columns)]

    def boxes(self, width: int, height: int) -> NDArray[np.int64]:
        """Where the patches lie in an image of this size: (n, 4) as x0, y0, x1, y1.

        Of the published crop they can lie outside of it.
        """
        side = self.side
        if min(width, height) < side:
            return np.array([[0, 0, width, height]])
        rows, columns = height // side, width // side
        if self.crop == "published":
            rows, columns = columns, rows
        top, left = _offset(height, rows * side), _offset(width, columns * side)
        y, x = np.divmod(np.arange(rows * columns)[self._places(rows * columns)], columns)
        corners = np.stack([left + side * x, top + side * y], axis=1)
        return np.concatenate([corners, corners + side], axis=1)

    def _places(self, number: int) -> slice | NDArray[np.int64]:
        """Which of so many patches are looked at."""
        if number <= self.most or self.chosen == "first":
            return slice(self.most)
        return np.linspace(0, number - 1, self.most).round().astype(np.int64)

    @property
    def sides(self) -> str:
        """What is looked at, in words."""
        how = "the first" if self.chosen == "first" else "spread evenly"
        return f"patches of {self.side} x {self.side} px, at most {self.most}, {how}"

    def normalise(self, patches: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Turn patches (n, s, s, 3) uint8 into an encoder's input (n, 3, s, s) float32."""
        mean, std = np.asarray(self.mean, np.float32), np.asarray(self.std, np.float32)
        planes = np.ascontiguousarray(patches.transpose(0, 3, 1, 2)).astype(np.float32)
        planes /= 255
        planes -= mean[:, None, None]
        planes /= std[:, None, None]
        return planes

    def batches(self, pixels: NDArray[np.uint8], size: int) -> Iterator[NDArray[np.float32]]:
        """The input (n, 3, s, s) of an image's patches, at most `size` of them at a time."""
        patches = self.cut(pixels)
        for start in range(0, len(patches), size):
            yield self.normalise(patches[start : start + size])

    def as_dict(self) -> dict[str, Any]:
        """As JSON has it."""
        return asdict(self)


def _offset(length: int, wanted: int) -> int:
    """Where a centred stretch of the wanted length begins; negative where it exceeds the image."""
    if wanted > length:
        return -((wanted - length) // 2)
    return round((length - wanted) / 2)  # half to even, as torchvision's CenterCrop


def _centre_crop(pixels: NDArray[np.uint8], height: int, width: int) -> NDArray[np.uint8]:
    """The middle of an image, with black where it exceeds the image."""
    top, left = _offset(pixels.shape[0], height), _offset(pixels.shape[1], width)
    inside = pixels[max(top, 0) : max(top, 0) + height, max(left, 0) : max(left, 0) + width]
    if inside.shape[:2] == (height, width):
        return inside
    padded = np.zeros((height, width, 3), np.uint8)
    y, x = max(-top, 0), max(-left, 0)
    padded[y : y + inside.shape[0], x : x + inside.shape[1]] = inside
    return padded
