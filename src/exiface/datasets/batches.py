"""Training batches: faces cut, manipulated and augmented on the fly, the same at every run.

Every face drawn has its own random generator, seeded by (seed, epoch, row). A batch therefore
depends on its number alone: not on threads, processes, or on where a run was interrupted.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice

import numpy as np
from numpy.typing import NDArray

from exiface.datasets.augmentation import Augmentation
from exiface.datasets.manifest import Manifest
from exiface.errors import UserError
from exiface.photos import MANIPULATIONS, Preprocessing
from exiface.photos.crops import Box, resize, to_crop
from exiface.photos.manipulations import manipulate
from exiface.photos.whole_face import averaged, smoothed
from exiface.threads import ordered_map

# What is done to a face, by families that have a head each: one of the published four
# manipulations, the whole picture smoothed, the face averaged with another one.
PUBLISHED, SMOOTHING, AVERAGING = "manipulation", "smoothing", "averaging"
FAMILIES = (PUBLISHED, SMOOTHING, AVERAGING)
_VALIDATION_EPOCH = 2**31  # no training run gets there: validation draws its own numbers


@dataclass(frozen=True, slots=True)
class Batch:
    """Faces to learn from.

    Attributes:
        crops: (n, s, s, 3) uint8.
        tags: (n, 4) float64 in the order of TAG_NAMES; NaN = absent.
        manipulated: (n,) int64; 0 = untouched, else 1 + the place of the family among `families`.
    """

    crops: NDArray[np.uint8]
    tags: NDArray[np.float64]
    manipulated: NDArray[np.int64]


class FaceBatches:
    """Draws batches from a manifest.

    Args:
        manifest: the faces.
        preprocessing: the encoder's; its crop size and scale are used here.
        augmentation: what untouched and manipulated faces go through alike.
        families: of manipulations, out of FAMILIES.
        seed: of everything drawn.
        workers: threads that decode.
    """

    def __init__(
        self,
        manifest: Manifest,
        preprocessing: Preprocessing,
        *,
        augmentation: Augmentation | None = None,
        families: Sequence[str] = (PUBLISHED,),
        seed: int = 0,
        workers: int | None = None,
    ) -> None:
        self.manifest = manifest
        self.preprocessing = preprocessing
        self.augmentation = augmentation or Augmentation()
        self.families = tuple(families)
        self.seed = seed
        self.workers = workers

    def steps_per_epoch(self, batch_size: int) -> int:
        """Whole batches in an epoch.

        Raises:
            UserError: fewer faces than one batch.
        """
        if len(self.manifest) < batch_size:
            raise UserError(
                f"a batch of {batch_size} needs as many faces, the training split has "
                f"{len(self.manifest)}: lower batch_size or prepare more photographs"
            )
        return len(self.manifest) // batch_size

    def training(
        self,
        first_step: int,
        last_step: int,
        batch_size: int,
        *,
        micro_batches: int = 1,
        rank: int = 0,
        world_size: int = 1,
    ) -> Iterator[list[Batch]]:
        """Draw the batches of steps [first_step, last_step).

        Each face is untouched with probability 1/2, otherwise manipulated in a way of one of the
        families, each as likely (the published four alone: 1/8 each). An epoch is a permutation of
        the faces; the rest below a whole batch is left for another epoch.

        Args:
            first_step: where to begin; a resumed run names the step it stopped at.
            last_step: where to end.
            batch_size: faces of a step, over all processes and micro-batches.
            micro_batches: parts that a process goes through one after another.
            rank: of this process.
            world_size: how many processes share a batch.

        Yields:
            The micro-batches of each step, of this process.
        """
        steps = self.steps_per_epoch(batch_size)
        share = batch_size // (world_size * micro_batches)

        def draws() -> Iterator[tuple[int, int]]:
            for step in range(first_step, last_step):
                epoch, number = divmod(step, steps)
                if number == 0 or step == first_step:
                    rng = np.random.default_rng((self.seed, epoch))
                    order = rng.permutation(len(self.manifest))
                mine = order[number * batch_size : (number + 1) * batch_size][rank::world_size]
                for row in mine:
                    yield int(row), epoch

        drawn = ordered_map(
            lambda draw: self._draw(*draw),
            draws(),
            workers=self.workers,
            ahead=2 * share * micro_batches + 1,
        )
        for _ in range(first_step, last_step):
            yield [_collate([next(drawn) for _ in range(share)]) for _ in range(micro_batches)]

    def validation(self, batch_size: int) -> Iterator[tuple[Batch, ...]]:
        """Each face untouched and in each family, unaugmented, the same at every call.

        Yields:
            Batches of the same faces: untouched, then manipulated in each family.
        """
        for start in range(0, len(self.manifest), batch_size):
            rows = range(start, min(start + batch_size, len(self.manifest)))
            forms = list(ordered_map(self._draw_forms, rows, workers=self.workers))
            yield tuple(_collate(list(faces)) for faces in zip(*forms, strict=True))

    def views(
        self, number: int, manipulated: int = 0, *, batch_size: int = 32
    ) -> Iterator[NDArray[np.uint8]]:
        """Each face once, in order, the same at every call.

        Args:
            number: of the view; 0 is the face as it is, others are augmented.
            manipulated: 0 = untouched, else 1 + the place of a family.
            batch_size: faces at a time.

        Yields:
            Crops (n, s, s, 3) uint8.
        """

        def view(row: int) -> NDArray[np.uint8]:
            rng = np.random.default_rng((self.seed, _VALIDATION_EPOCH + number, row))
            augmentation = self.augmentation if number else Augmentation()
            box = augmentation.shift_box(self.manifest.face_box(row), rng)
            crop, landmarks = self._crop(row, box)
            if manipulated:
                crop = self._manipulated(row, crop, landmarks, manipulated, rng)
            return augmentation(crop, rng)

        crops = ordered_map(view, range(len(self.manifest)), workers=self.workers)
        while batch := list(islice(crops, batch_size)):
            yield np.stack(batch)

    def _draw(self, row: int, epoch: int) -> Batch:
        rng = np.random.default_rng((self.seed, epoch, row))
        box = self.augmentation.shift_box(self.manifest.face_box(row), rng)
        crop, landmarks = self._crop(row, box)
        manipulated = 0
        if rng.random() < 0.5:
            manipulated = 1 + int(rng.integers(len(self.families)))
            crop = self._manipulated(row, crop, landmarks, manipulated, rng)
        return self._single(row, self.augmentation(crop, rng), manipulated)

    def _draw_forms(self, row: int) -> list[Batch]:
        rng = np.random.default_rng((self.seed, _VALIDATION_EPOCH, row))
        crop, landmarks = self._crop(row, self.manifest.face_box(row))
        return [self._single(row, crop, 0)] + [
            self._single(row, self._manipulated(row, crop, landmarks, family, rng), family)
            for family in range(1, 1 + len(self.families))
        ]

    def _crop(self, row: int, box: Box) -> tuple[NDArray[np.uint8], NDArray[np.float32]]:
        pixels = self.manifest.read_pixels(row)
        square = self.preprocessing.square(pixels, box)
        size = self.preprocessing.size
        landmarks = to_crop(self.manifest.landmarks[row], square, size)
        return resize(pixels, square, size), landmarks

    def _manipulated(
        self,
        row: int,
        crop: NDArray[np.uint8],
        landmarks: NDArray[np.float32],
        manipulated: int,
        rng: np.random.Generator,
    ) -> NDArray[np.uint8]:
        """The face manipulated in a family; stored images of the published four come first."""
        family = self.families[manipulated - 1]
        if family == SMOOTHING:
            return smoothed(crop, rng)
        if family == AVERAGING:
            other = int(rng.integers(len(self.manifest)))
            return averaged(crop, self._crop(other, self.manifest.face_box(other))[0])
        index = int(rng.integers(len(MANIPULATIONS)))
        stored = self.manifest.read_manipulated(row, index)
        if stored is None:
            return manipulate(crop, landmarks, list(MANIPULATIONS)[index], rng)
        side = min(stored.shape[:2])
        return resize(stored, (0, 0, side, side), self.preprocessing.size)

    def _single(self, row: int, crop: NDArray[np.uint8], manipulated: int) -> Batch:
        return Batch(crop[None], self.manifest.tags[row][None], np.array([manipulated]))


def _collate(faces: list[Batch]) -> Batch:
    return Batch(
        np.concatenate([face.crops for face in faces]),
        np.concatenate([face.tags for face in faces]),
        np.concatenate([face.manipulated for face in faces]),
    )
