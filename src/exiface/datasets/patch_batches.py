"""Batches of whole images: patches of each, at its own pixels, drawn anew whenever it is."""

from dataclasses import replace
from typing import Any

import numpy as np

from exiface.datasets.manifest import Manifest
from exiface.datasets.sampling import Batch, Batches
from exiface.photos.patches import Patches

_VALIDATION_PIXELS = 16 * 64**2  # of an image, in patches spread over it; at least two


class PatchBatches(Batches):
    """Draws batches of images as patches at random places, which may overlap.

    Args:
        manifest: whole images.
        patches: the encoder's.
        number: of patches of an image.
        side: of these patches in pixels; None = as the encoder has them in use.
        options: of `Batches`. The patches of an image lie in its window, which alone is augmented;
            without an augmentation nothing goes over the traces that the pretext task is about.
    """

    def __init__(
        self,
        manifest: Manifest,
        patches: Patches,
        *,
        number: int,
        side: int | None = None,
        **options: Any,
    ) -> None:
        super().__init__(manifest, **options)
        self.patches = patches
        self.number = number
        self.side = side or patches.side

    def _draw(self, row: int, rng: np.random.Generator) -> Batch:
        pixels = self.manifest.read_pixels(row)
        if self.window is not None:
            side = min(self.window, *pixels.shape[:2])  # never enlarged
            generated = bool(self.manifest.generated[row])
            pixels = self.augmentation.window(pixels, side, rng, generated=generated)
        pixels = self.augmentation(pixels, rng)
        side = self.side
        if min(pixels.shape[:2]) < side:
            small = replace(self.patches, side=side).cut(pixels)
            return Batch.of(self.manifest, row, np.repeat(small, self.number, axis=0), 0)
        corners = rng.integers(0, np.array(pixels.shape[:2]) - side + 1, (self.number, 2))
        cut = np.stack([pixels[y : y + side, x : x + side] for y, x in corners.tolist()])
        return Batch.of(self.manifest, row, cut, 0)

    def _draw_forms(self, row: int) -> list[Batch]:
        cut = self.patches.cut(self.manifest.read_pixels(row))
        number = max(2, _VALIDATION_PIXELS // self.patches.side**2)
        spread = np.linspace(0, len(cut) - 1, number).round().astype(int)
        return [Batch.of(self.manifest, row, cut[spread], 0)]
