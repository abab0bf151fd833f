"""What happens to pictures on their way through the world, drawn at random.

Applied to untouched and manipulated faces alike, so that neither compression nor sharpness tells
them apart.
"""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from exiface.photos.alterations import blurred, saved, shrunk_and_grown
from exiface.photos.crops import Box

_BLUR_SIGMA = (0.3, 2.0)


@dataclass(frozen=True, slots=True)
class Augmentation:
    """Probabilities and ranges of the changes; the default makes none.

    Attributes:
        flip: probability of mirroring the whole face.
        box_shift: each side of the face box moves by up to this share of the box.
        jpeg: probability of saving as JPEG and reading again.
        jpeg_quality: range of its quality.
        webp: share of those that are saved as WebP instead, at that quality.
        rescale: probability of shrinking and growing back.
        rescale_range: range of the shrinking factor.
        blur: probability of a Gaussian blur.
    """

    __pydantic_config__: ClassVar[dict[str, str]] = {"extra": "forbid"}

    flip: float = 0.0
    box_shift: float = 0.0
    jpeg: float = 0.0
    jpeg_quality: tuple[int, int] = (60, 96)
    webp: float = 0.0
    rescale: float = 0.0
    rescale_range: tuple[float, float] = (0.5, 0.95)
    blur: float = 0.0

    def shift_box(self, box: Box, rng: np.random.Generator) -> Box:
        """Move the sides of a face box, as another face detector would."""
        width, height = box[2] - box[0], box[3] - box[1]
        shifts = rng.uniform(-self.box_shift, self.box_shift, 4) * (width, height, width, height)
        x0, y0, x1, y1 = (float(side) for side in np.add(box, shifts))
        return x0, y0, x1, y1

    def __call__(self, crop: NDArray[np.uint8], rng: np.random.Generator) -> NDArray[np.uint8]:
        """Change one face crop (s, s, 3) uint8."""
        # All numbers are drawn whatever happens: one setting never shifts the others' draws.
        flip, jpeg, rescale, blur, webp = rng.random(5)
        quality = int(rng.integers(self.jpeg_quality[0], self.jpeg_quality[1] + 1))
        factor = rng.uniform(*self.rescale_range)
        sigma = rng.uniform(*_BLUR_SIGMA)
        if rescale < self.rescale:
            crop = shrunk_and_grown(crop, factor)
        if blur < self.blur:
            crop = blurred(crop, sigma)
        if jpeg < self.jpeg:
            crop = saved(crop, "WEBP" if webp < self.webp else "JPEG", quality)
        if flip < self.flip:
            crop = crop[:, ::-1]
        return np.ascontiguousarray(crop)


# How photographs reach a detector: most saved again, half of them shrunk on the way.
AS_SENT = Augmentation(jpeg=0.7, webp=0.3, rescale=0.5, rescale_range=(0.4, 0.95))
