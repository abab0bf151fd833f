"""Which rows of a manifest training draws, and in which order: the same at every run.

Every draw has its own random generator, seeded by (seed, epoch, place in the epoch). A batch
therefore depends on its number alone: not on threads, processes, or on where a run was interrupted.
"""

from abc import ABC, abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass, fields
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from exiface.datasets.augmentation import Augmentation
from exiface.datasets.manifest import Manifest
from exiface.errors import UserError
from exiface.threads import ordered_map

# No training run gets to this epoch: validation draws its own numbers.
VALIDATION_EPOCH = 2**31


@dataclass(frozen=True, slots=True)
class Batch:
    """Faces or images to learn from."""

    #: (n, s, s, 3) uint8, of faces; (n, p, s, s, 3), p patches of each image.
    crops: NDArray[np.uint8]
    tags: NDArray[np.float64]  #: (n, 7) float64 in the order of RANKED_TAGS; NaN = absent.
    classes: NDArray[np.int8]  #: (n, 8) int8 in the order of CLASSES; -1 = absent.
    #: (n,) int64; 0 = untouched, else 1 + the place of the family among `families`.
    manipulated: NDArray[np.int64]
    generated: NDArray[np.bool_]  #: (n,) bool; whether it is AI-generated.
    #: (n,) int64; which of MANIPULATIONS it went through, by place; -1 = none.
    manipulation: NDArray[np.int64]

    @classmethod
    def of(
        cls,
        manifest: Manifest,
        row: int,
        crop: NDArray[np.uint8],
        manipulated: int,
        way: int | None = None,
    ) -> "Batch":
        """One row of a manifest."""
        return cls(
            crop[None],
            manifest.tags[row][None],
            manifest.classes[row][None],
            np.array([manipulated]),
            manifest.generated[row][None],
            np.array([-1 if way is None else way]),
        )

    @classmethod
    def joined(cls, parts: list["Batch"]) -> "Batch":
        """Several batches as one."""
        names = [field.name for field in fields(cls)]
        return cls(*(np.concatenate([getattr(part, name) for part in parts]) for name in names))


@dataclass(frozen=True, slots=True)
class Sampling:
    """Which rows training draws, and how often."""

    __pydantic_config__: ClassVar[dict[str, str]] = {"extra": "forbid"}

    manipulated: float = 0.5  #: share of photographs that are manipulated.
    #: share of generated ones; None = all rows are drawn equally often, whatever they are.
    generated: float | None = None
    #: within photographs, and within each family of generated ones, a source of n rows is drawn in
    #: proportion to n to this power: 0 = sources evenly, 1 = rows evenly.
    source_power: float = 1.0
    #: the same of families of generated ones, where sources are named FAMILY/SOURCE; None =
    #: generated ones are drawn by source alone.
    family_power: float | None = None

    def probabilities(self, manifest: Manifest) -> NDArray[np.float64] | None:
        """How likely each row is drawn next (n,); None = an epoch draws each once.

        Where a class that shall be drawn has no row, a UserError says so.
        """
        if self.generated is None:
            return None
        weights = np.empty(len(manifest))
        for is_generated, share in ((True, self.generated), (False, 1 - self.generated)):
            rows = manifest.generated == is_generated
            if share and not rows.any():
                raise UserError(
                    f"no {'generated image' if is_generated else 'photograph'} to draw; prepare "
                    "some, or leave sampling.generated out"
                )
            sources = manifest.source[rows]
            each = _shares(sources, self.source_power)
            if is_generated and self.family_power is not None:
                families = families_of(sources)
                each /= _totals(families, each)
                each *= _shares(families, self.family_power)
            weights[rows] = share * each / each.sum()
        return weights


def families_of(sources: NDArray[np.str_]) -> NDArray[np.str_]:
    """The families (n,) of sources (n,) that are named FAMILY/SOURCE; others are their own.

    Example:
        >>> families_of(np.array(["flux1/studio", "flux1/site", "faces"])).tolist()
        ['flux1', 'flux1', 'faces']
    """
    names, places = np.unique(sources, return_inverse=True)
    return np.array([str(name).split("/")[0] for name in names], np.str_)[places]


def _shares(names: NDArray[np.str_], power: float) -> NDArray[np.float64]:
    """What each row (n,) weighs if a name of n rows weighs n to this power."""
    _, places, counts = np.unique(names, return_inverse=True, return_counts=True)
    return np.asarray(counts[places] ** (power - 1.0))


def _totals(names: NDArray[np.str_], weights: NDArray[np.float64]) -> NDArray[np.float64]:
    """The sum of the weights (n,) over the rows of the same name, relative to their number."""
    _, places, counts = np.unique(names, return_inverse=True, return_counts=True)
    return np.asarray((np.bincount(places, weights) / counts)[places])


class Batches(ABC):
    """Draws batches from a manifest; what a row becomes is its subclasses' business.

    Args:
        manifest: the rows.
        augmentation: what all of them go through alike; None = nothing.
        window: side in pixels of the windows that training looks at; None = all of a crop or image.
        sampling: which of them training draws, and how often.
        seed: of everything drawn.
        workers: threads that decode.
    """

    families: tuple[str, ...] = ()  # of manipulations

    def __init__(
        self,
        manifest: Manifest,
        *,
        augmentation: Augmentation | None = None,
        window: int | None = None,
        sampling: Sampling | None = None,
        seed: int = 0,
        workers: int | None = None,
    ) -> None:
        self.manifest = manifest
        self.augmentation = augmentation or Augmentation()
        self.window = window
        self.sampling = sampling or Sampling()
        self.seed = seed
        self.workers = workers

    @abstractmethod
    def _draw(self, row: int, rng: np.random.Generator) -> Batch:
        """A row as training sees it, a batch of one."""

    @abstractmethod
    def _draw_forms(self, row: int) -> list[Batch]:
        """A row as validation sees it: untouched, then manipulated in each family."""

    def steps_per_epoch(self, batch_size: int) -> int:
        """Whole batches in an epoch; fewer rows than one batch are a UserError."""
        if len(self.manifest) < batch_size:
            raise UserError(
                f"a batch of {batch_size} needs as many rows, the training split has "
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
        """Draw the batches of steps [first_step, last_step); a resumed run names where it stopped.

        An epoch is a permutation of the rows, or as many draws with the sampling's probabilities;
        the rest below a whole batch is left for another epoch.

        Args:
            first_step: where to begin.
            last_step: where to end, before this one.
            batch_size: rows of a step, over all processes and micro-batches.
            micro_batches: parts that a process goes through one after another.
            rank: of this process.
            world_size: how many processes share a batch.

        Yields:
            The micro-batches of each step, of this process.
        """
        steps = self.steps_per_epoch(batch_size)
        share = batch_size // (world_size * micro_batches)
        probabilities = self.sampling.probabilities(self.manifest)
        rows = len(self.manifest)

        def draws() -> Iterator[tuple[int, int, int]]:
            for step in range(first_step, last_step):
                epoch, number = divmod(step, steps)
                if number == 0 or step == first_step:
                    rng = np.random.default_rng((self.seed, epoch))
                    if probabilities is None:
                        order = rng.permutation(rows)
                    else:
                        order = rng.choice(rows, rows, p=probabilities)
                start = number * batch_size
                for place in range(start + rank, start + batch_size, world_size):
                    yield int(order[place]), epoch, place

        def draw(which: tuple[int, int, int]) -> Batch:
            row, epoch, place = which
            return self._draw(row, np.random.default_rng((self.seed, epoch, place)))

        ahead = 2 * share * micro_batches + 1
        drawn = ordered_map(draw, draws(), workers=self.workers, ahead=ahead)
        for _ in range(first_step, last_step):
            yield [Batch.joined([next(drawn) for _ in range(share)]) for _ in range(micro_batches)]

    def validation(self, batch_size: int) -> Iterator[tuple[Batch, ...]]:
        """Each row untouched and then manipulated in each family, the same at every call.

        Nothing is augmented. The batches that are yielded together are forms of the same rows.
        """
        for start in range(0, len(self.manifest), batch_size):
            part = range(start, min(start + batch_size, len(self.manifest)))
            forms = list(ordered_map(self._draw_forms, part, workers=self.workers))
            yield tuple(Batch.joined(list(alike)) for alike in zip(*forms, strict=True))
