"""What happens to pictures on their way through the world, drawn at random.

Applied to photographs, manipulated and generated faces alike, so that neither compression nor
sharpness tells them apart. Retouching alone may be more frequent for photographs: it is what makes
real faces look made.
"""

import math
from dataclasses import dataclass
from typing import ClassVar

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from exiface.photos.alterations import blurred, noisy, saved, shrunk_and_grown
from exiface.photos.crops import Box
from exiface.photos.retouching import retouched, sharpened

_BLUR_SIGMA = (0.3, 2.0)
_SHARPEN_SIGMA, _SHARPEN_AMOUNT = (0.6, 1.5), (0.3, 1.2)
_NOISE_SIGMA = (1.0, 6.0)  # grey levels
_GAIN, _OFFSET = (0.8, 1.2), (-15.0, 15.0)
_DARKNESS = (0.5, 2.8)  # exponent of the brightness: over 1 is darker
_LIGHT = (0.35, 1.0)  # what coloured light leaves of each channel
_SATURATION = (0.2, 1.9)
_FILTERS = (
    Image.Resampling.BILINEAR,
    Image.Resampling.BICUBIC,
    Image.Resampling.LANCZOS,
    Image.Resampling.BOX,
    Image.Resampling.HAMMING,
)


@dataclass(frozen=True, slots=True)
class Augmentation:
    """Probabilities and ranges of the changes; the default makes none."""

    __pydantic_config__: ClassVar[dict[str, str]] = {"extra": "forbid"}

    flip: float = 0.0  #: probability of mirroring the whole face.
    box_shift: float = 0.0  #: each side of the face box moves by up to this share of the box.
    jpeg: float = 0.0  #: probability of saving as JPEG and reading again.
    jpeg_quality: tuple[int, int] = (60, 96)  #: range of its quality.
    webp: float = 0.0  #: share of those that are saved as WebP instead, at that quality.
    full_chroma: float = 0.0  #: share of the JPEGs whose colours keep their resolution (4:4:4).
    rescale: float = 0.0  #: probability of shrinking and growing back.
    rescale_range: tuple[float, float] = (0.5, 0.95)  #: range of the shrinking factor.
    blur: float = 0.0  #: probability of a Gaussian blur.
    sharpen: float = 0.0  #: probability of an unsharp mask.
    noise: float = 0.0  #: probability of Gaussian noise.
    colour: float = 0.0  #: probability of other brightness, contrast and colour balance.
    grey: float = 0.0  #: probability of losing all colour.
    #: probability of darker or brighter, coloured light, and other saturation: what is photographed
    #: on stages and at night must not look generated.
    light: float = 0.0
    scale: float = 0.0  #: probability that a window is cut at another scale than the crop's own.
    #: range of that scale, drawn evenly on a logarithmic scale.
    scale_range: tuple[float, float] = (0.6, 1.3)
    retouch: float = 0.0  #: probability that a photograph's window is retouched.
    retouch_generated: float = 0.0  #: the same of a generated face.

    def shift_box(self, box: Box, rng: np.random.Generator) -> Box:
        """Move the sides of a face box, as another face detector would."""
        width, height = box[2] - box[0], box[3] - box[1]
        shifts = rng.uniform(-self.box_shift, self.box_shift, 4) * (width, height, width, height)
        x0, y0, x1, y1 = (float(side) for side in np.add(box, shifts))
        return x0, y0, x1, y1

    def window(
        self, crop: NDArray[np.uint8], side: int, rng: np.random.Generator, *, generated: bool
    ) -> NDArray[np.uint8]:
        """Cut a window out of a face crop, anywhere and at a scale that is drawn.

        Args:
            crop: (s, s, 3) uint8; one too small for the window at the drawn scale is taken whole.
            side: of the window (side, side, 3) uint8, in pixels after scaling.
            rng: where place, scale and filter are drawn from.
            generated: whether the face is AI-generated, for retouching.
        """
        scaled, retouch = rng.random(2)
        low, high = np.log(self.scale_range)
        scale = math.exp(rng.uniform(low, high)) if scaled < self.scale else 1.0
        cut = min(math.ceil(side / scale), *crop.shape[:2])
        top, left = (int(rng.integers(length - cut + 1)) for length in crop.shape[:2])
        how = _FILTERS[rng.integers(len(_FILTERS))]
        region = np.ascontiguousarray(crop[top : top + cut, left : left + cut])
        if retouch < (self.retouch_generated if generated else self.retouch):
            region = retouched(region, rng)
        if cut == side:
            return region
        return np.array(Image.fromarray(region).resize((side, side), how))

    def __call__(self, crop: NDArray[np.uint8], rng: np.random.Generator) -> NDArray[np.uint8]:
        """Change one face crop, or a window of one, (s, s, 3) uint8."""
        # All numbers are drawn whatever happens: one setting never shifts the others' draws.
        flip, jpeg, rescale, blur, webp = rng.random(5)
        quality = int(rng.integers(self.jpeg_quality[0], self.jpeg_quality[1] + 1))
        factor = rng.uniform(*self.rescale_range)
        sigma = rng.uniform(*_BLUR_SIGMA)
        sharpen, noise, colour, grey, full_chroma = rng.random(5)
        sharpness = rng.uniform(*_SHARPEN_SIGMA), rng.uniform(*_SHARPEN_AMOUNT)
        grain = rng.uniform(*_NOISE_SIGMA)
        gain, offset = rng.uniform(*_GAIN, 3), rng.uniform(*_OFFSET)
        light, coloured, darkness = rng.random(), rng.random(), rng.uniform(*np.log(_DARKNESS))
        lamp, saturation = rng.uniform(*_LIGHT, 3), rng.uniform(*_SATURATION)
        if light < self.light:
            crop = lit(crop, math.exp(darkness), lamp if coloured < 0.5 else None, saturation)
        if rescale < self.rescale:
            crop = shrunk_and_grown(crop, factor)
        if blur < self.blur:
            crop = blurred(crop, sigma)
        if sharpen < self.sharpen:
            crop = sharpened(crop, *sharpness)
        if noise < self.noise:
            crop = noisy(crop, grain, rng)
        if colour < self.colour:
            crop = np.clip(np.rint(crop * gain + offset), 0, 255).astype(np.uint8)
        if grey < self.grey:
            lightness = np.asarray(cv2.cvtColor(crop, cv2.COLOR_RGB2GRAY), np.uint8)
            crop = np.repeat(lightness[..., None], 3, axis=2)
        if jpeg < self.jpeg:
            chroma = "4:4:4" if full_chroma < self.full_chroma else "4:2:0"
            crop = saved(crop, "WEBP" if webp < self.webp else "JPEG", quality, chroma)
        if flip < self.flip:
            crop = crop[:, ::-1]
        return np.ascontiguousarray(crop)


def lit(
    crop: NDArray[np.uint8],
    exponent: float,
    lamp: NDArray[np.float64] | None,
    saturation: float,
) -> NDArray[np.uint8]:
    """A picture (h, w, 3) uint8 in other light.

    Its brightness between 0 and 1 is raised to the exponent (over 1 is darker); `lamp` (3,) is what
    is left of red, green and blue (None = white light); a saturation of 0 is grey, 1 leaves it.
    """
    values = (np.arange(256) / 255.0) ** exponent
    curves = values[:, None] * (np.ones(3) if lamp is None else lamp / lamp.max())
    light = cv2.LUT(crop, np.rint(curves * 255)[None].astype(np.uint8))
    grey = cv2.cvtColor(cv2.cvtColor(light, cv2.COLOR_RGB2GRAY), cv2.COLOR_GRAY2RGB)
    return np.asarray(cv2.addWeighted(light, saturation, grey, 1 - saturation, 0), np.uint8)


# How photographs reach a detector: most saved again, half of them shrunk on the way.
AS_SENT = Augmentation(jpeg=0.7, webp=0.3, rescale=0.5, rescale_range=(0.4, 0.95))
