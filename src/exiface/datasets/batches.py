"""Batches of faces: cut, manipulated and augmented on the fly, the same at every run."""

from collections.abc import Iterator, Sequence
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
from exiface.threads import ordered_map

# What is done to a face, by families that have a head each: one of the published four
# manipulations, the whole picture smoothed, the face averaged with another one.
FAMILIES: tuple[Family, ...] = get_args(Family)
MANIPULATION, SMOOTHING, AVERAGING = FAMILIES


class FaceBatches(Batches):
    """Draws batches of faces.

    A photograph is manipulated with the sampling's probability, in a way of one of the families,
    each as likely (published: 1/2, the four alone, 1/8 each).

    Args:
        manifest: the faces.
        preprocessing: the encoder's; its crop size and scale are used here.
        families: of manipulations, out of FAMILIES.
        options: of `Batches`; a window is needed where crops keep their own pixels and so differ
            in size, and validation then looks at the one in the middle.
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
        """Each face once, in order, the same at every call.

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
        """The face manipulated in a family, and in which of MANIPULATIONS, if in one of them.

        Stored images of the published four come first.
        """
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
