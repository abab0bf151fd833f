"""Training batches: faces cut, manipulated and augmented on the fly, the same at every run.

Every face drawn has its own random generator, seeded by (seed, epoch, place in the epoch). A batch
therefore depends on its number alone: not on threads, processes, or on where a run was interrupted.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import ClassVar

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
        generated: (n,) bool; whether the face is AI-generated.
    """

    crops: NDArray[np.uint8]
    tags: NDArray[np.float64]
    manipulated: NDArray[np.int64]
    generated: NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Drawing:
    """Which faces training draws, and how often.

    Attributes:
        manipulated: share of photographs that are manipulated.
        generated: share of generated faces; None = all faces are drawn equally often, whatever
            they are.
        source_power: within photographs and within generated faces, a source of n faces is drawn
            in proportion to n to this power: 0 = sources evenly, 1 = faces evenly.
    """

    __pydantic_config__: ClassVar[dict[str, str]] = {"extra": "forbid"}

    manipulated: float = 0.5
    generated: float | None = None
    source_power: float = 1.0

    def probabilities(self, manifest: Manifest) -> NDArray[np.float64] | None:
        """How likely each face is drawn next (n,); None = an epoch draws each once.

        Raises:
            UserError: a class that shall be drawn has no face.
        """
        if self.generated is None:
            return None
        weights = np.empty(len(manifest))
        for is_generated, share in ((True, self.generated), (False, 1 - self.generated)):
            rows = manifest.generated == is_generated
            if share and not rows.any():
                raise UserError(
                    f"no {'generated face' if is_generated else 'photograph'} to draw; prepare "
                    "some, or leave drawing.generated out"
                )
            _, source, counts = np.unique(
                manifest.source[rows], return_inverse=True, return_counts=True
            )
            each = counts[source] ** (self.source_power - 1.0)
            weights[rows] = share * each / each.sum()
        return weights


class FaceBatches:
    """Draws batches from a manifest.

    Args:
        manifest: the faces.
        preprocessing: the encoder's; its crop size and scale are used here.
        augmentation: what untouched, manipulated and generated faces go through alike.
        families: of manipulations, out of FAMILIES.
        drawing: which faces training draws, and how often.
        window: side in pixels of the windows that training and validation look at; needed where
            crops keep their own pixels and so differ in size.
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
        drawing: Drawing | None = None,
        window: int | None = None,
        seed: int = 0,
        workers: int | None = None,
    ) -> None:
        self.manifest = manifest
        self.preprocessing = preprocessing
        self.augmentation = augmentation or Augmentation()
        self.families = tuple(families)
        self.drawing = drawing or Drawing()
        self.window = window
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

        A photograph is manipulated with the drawing's probability, in a way of one of the families,
        each as likely (published: 1/2, the four alone, 1/8 each). An epoch is a permutation of
        the faces, or as many draws with the drawing's probabilities; the rest below a whole batch
        is left for another epoch.

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
        probabilities = self.drawing.probabilities(self.manifest)
        number_of_faces = len(self.manifest)

        def draws() -> Iterator[tuple[int, int, int]]:
            for step in range(first_step, last_step):
                epoch, number = divmod(step, steps)
                if number == 0 or step == first_step:
                    rng = np.random.default_rng((self.seed, epoch))
                    if probabilities is None:
                        order = rng.permutation(number_of_faces)
                    else:
                        order = rng.choice(number_of_faces, number_of_faces, p=probabilities)
                start = number * batch_size
                for place in range(start + rank, start + batch_size, world_size):
                    yield int(order[place]), epoch, place

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
            rng = np.random.default_rng((self.seed, _VALIDATION_EPOCH + number, row))
            augmentation = self.augmentation if number else Augmentation()
            box = augmentation.shift_box(self.manifest.face_box(row), rng)
            crop, landmarks = self._crop(row, box)
            if manipulated:
                crop = self._manipulated(row, crop, landmarks, manipulated, rng)
            return augmentation(crop, rng)

        crops = ordered_map(view, range(len(self.manifest)), workers=self.workers)
        while batch := list(islice(crops, batch_size)):
            yield batch

    def _draw(self, row: int, epoch: int, place: int) -> Batch:
        rng = np.random.default_rng((self.seed, epoch, place))
        generated = bool(self.manifest.generated[row])
        box = self.augmentation.shift_box(self.manifest.face_box(row), rng)
        crop, landmarks = self._crop(row, box)
        manipulated = 0
        if rng.random() < self.drawing.manipulated and not generated:
            manipulated = 1 + int(rng.integers(len(self.families)))
            crop = self._manipulated(row, crop, landmarks, manipulated, rng)
        if self.window is not None:
            crop = self.augmentation.window(crop, self.window, rng, generated=generated)
        return self._single(row, self.augmentation(crop, rng), manipulated)

    def _draw_forms(self, row: int) -> list[Batch]:
        rng = np.random.default_rng((self.seed, _VALIDATION_EPOCH, row))
        crop, landmarks = self._crop(row, self.manifest.face_box(row))
        forms = [crop] + [
            self._manipulated(row, crop, landmarks, family, rng)
            for family in range(1, 1 + len(self.families))
        ]
        return [self._single(row, self._middle(form), family) for family, form in enumerate(forms)]

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
    ) -> NDArray[np.uint8]:
        """The face manipulated in a family; stored images of the published four come first."""
        family = self.families[manipulated - 1]
        if family == SMOOTHING:
            return smoothed(crop, rng)
        if family == AVERAGING:
            other = int(rng.integers(len(self.manifest)))
            face = self._crop(other, self.manifest.face_box(other))[0]
            return averaged(crop, resize(face, (0, 0, len(face), len(face)), len(crop)))
        index = int(rng.integers(len(MANIPULATIONS)))
        stored = self.manifest.read_manipulated(row, index)
        if stored is None:
            known = landmarks if np.isfinite(landmarks).all() else None
            return manipulate(crop, known, list(MANIPULATIONS)[index], rng)
        side = min(stored.shape[:2])
        return resize(stored, (0, 0, side, side), len(crop))

    def _single(self, row: int, crop: NDArray[np.uint8], manipulated: int) -> Batch:
        return Batch(
            crop[None],
            self.manifest.tags[row][None],
            np.array([manipulated]),
            self.manifest.generated[row][None],
        )


def _collate(faces: list[Batch]) -> Batch:
    return Batch(
        np.concatenate([face.crops for face in faces]),
        np.concatenate([face.tags for face in faces]),
        np.concatenate([face.manipulated for face in faces]),
        np.concatenate([face.generated for face in faces]),
    )
