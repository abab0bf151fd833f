"""Batches of faces, or of whole images as patches at their own pixels, drawn anew at every epoch.

Faces are cut, manipulated and augmented on the fly. A batch is the same at every run.
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import islice
from typing import Any, get_args

import numpy as np
from numpy.typing import NDArray

from exiface.choices import Family
from exiface.datasets.augmentation import Augmentation
from exiface.datasets.manifest import Manifest
from exiface.datasets.sampling import VALIDATION_EPOCH, Batch, Batches
from exiface.photos import MANIPULATIONS, Preprocessing
from exiface.photos.crops import Box, resize, to_crop
from exiface.photos.manipulations import averaged, manipulate, smoothed
from exiface.photos.patches import Patches
from exiface.threads import ordered_map

# What is done to a face, by families that have a head each: one of the published four
# manipulations, the whole picture smoothed, the face averaged with another one.
FAMILIES: tuple[Family, ...] = get_args(Family)
MANIPULATION, SMOOTHING, AVERAGING = FAMILIES
_VALIDATION_PIXELS = 16 * 64**2  # of an image, in patches spread over it; at least two


class FaceBatches(Batches):
    """Draws batches of faces.

    A photograph is manipulated with the sampling's probability, in a way of one of the families
    (out of FAMILIES), each as likely (published: 1/2, the four alone, 1/8 each). Crops have the
    size and scale of the encoder's preprocessing. The options are those of `Batches`; a window is
    needed where crops keep their own pixels and so differ in size, and validation then looks at the
    one in the middle.
    """

    def __init__(
        self,
        manifest: Manifest,
        preprocessing: Preprocessing,
        *,
        families: Sequence[str] = (MANIPULATION,),
        **options: Any,
    ) -> None:
        super().__init__(manifest, **options)
        self.preprocessing = preprocessing
        self.families = tuple(families)

    def views(
        self, number: int, manipulated: int = 0, *, batch_size: int = 32
    ) -> Iterator[list[NDArray[np.uint8]]]:
        """Each face once, in order, the same at every call, `batch_size` of them at a time.

        Args:
            number: of the view; 0 is the face as it is, others are augmented.
            manipulated: 0 = untouched, else 1 + the place of a family.
            batch_size: faces at a time.

        Yields:
            Crops (s, s, 3) uint8; of encoders that look at own pixels, s may differ.
        """

        def view(row: int) -> NDArray[np.uint8]:
            rng = np.random.default_rng((self.seed, VALIDATION_EPOCH + number, row))
            augmentation = self.augmentation if number else Augmentation()
            box = augmentation.shift_box(self.manifest.face_box(row), rng)
            crop, landmarks = self._crop(row, box)
            if manipulated:
                crop, _ = self._manipulated(row, crop, landmarks, manipulated, rng)
            return augmentation(crop, rng)

        crops = ordered_map(view, range(len(self.manifest)), workers=self.workers)
        while batch := list(islice(crops, batch_size)):
            yield batch

    def _draw(self, row: int, rng: np.random.Generator) -> Batch:
        generated = bool(self.manifest.generated[row])
        box = self.augmentation.shift_box(self.manifest.face_box(row), rng)
        crop, landmarks = self._crop(row, box)
        manipulated, way = 0, None
        if rng.random() < self.sampling.manipulated and not generated:
            manipulated = 1 + int(rng.integers(len(self.families)))
            crop, way = self._manipulated(row, crop, landmarks, manipulated, rng)
        if self.window is not None:
            crop = self.augmentation.window(crop, self.window, rng, generated=generated)
        return Batch.of(self.manifest, row, self.augmentation(crop, rng), manipulated, way)

    def _draw_forms(self, row: int) -> list[Batch]:
        rng = np.random.default_rng((self.seed, VALIDATION_EPOCH, row))
        crop, landmarks = self._crop(row, self.manifest.face_box(row))
        forms = [(crop, None)] + [
            self._manipulated(row, crop, landmarks, family, rng)
            for family in range(1, 1 + len(self.families))
        ]
        return [
            Batch.of(self.manifest, row, self._middle(form), family, way)
            for family, (form, way) in enumerate(forms)
        ]

    def _middle(self, crop: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """The window in the middle of a crop, or the crop where there are no windows."""
        if self.window is None:
            return crop
        start = max(0, (len(crop) - self.window) // 2)
        side = min(self.window, len(crop))
        return resize(crop, (start, start, start + side, start + side), self.window)

    def _crop(self, row: int, box: Box) -> tuple[NDArray[np.uint8], NDArray[np.float32]]:
        pixels = self.manifest.read_pixels(row)
        square = self.preprocessing.square(pixels, box)
        size = self.preprocessing.side(square[2] - square[0])
        landmarks = to_crop(self.manifest.landmarks[row], square, size)
        return resize(pixels, square, size), landmarks

    def _manipulated(
        self,
        row: int,
        crop: NDArray[np.uint8],
        landmarks: NDArray[np.float32],
        manipulated: int,
        rng: np.random.Generator,
    ) -> tuple[NDArray[np.uint8], int | None]:
        """The face manipulated in a family, and in which of MANIPULATIONS, if in one of them."""
        family = self.families[manipulated - 1]
        if family == SMOOTHING:
            return smoothed(crop, rng), None
        if family == AVERAGING:
            other = int(rng.integers(len(self.manifest)))
            face = self._crop(other, self.manifest.face_box(other))[0]
            return averaged(crop, resize(face, (0, 0, len(face), len(face)), len(crop))), None
        index = int(rng.integers(len(MANIPULATIONS)))
        stored = self.manifest.read_manipulated(row, index)
        if stored is None:
            known = landmarks if np.isfinite(landmarks).all() else None
            if known is None:
                index = len(MANIPULATIONS) - 1  # the last needs no landmarks, and stands in
            return manipulate(crop, known, list(MANIPULATIONS)[index], rng), index
        side = min(stored.shape[:2])
        return resize(stored, (0, 0, side, side), len(crop)), index


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
