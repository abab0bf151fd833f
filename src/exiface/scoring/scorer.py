"""The one interface of what scores a feature vector, and the table of those there are."""

from collections.abc import Mapping
from typing import Any, ClassVar, Protocol, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from exiface.scoring.classifier import Classifier
from exiface.scoring.evidence import Evidence
from exiface.scoring.gaussian_mixture import GaussianMixture


class Scorer(Protocol):
    """What turns a feature vector into a score; higher = more anomalous.

    Attributes:
        supervised: whether generated faces taught it.
    """

    supervised: ClassVar[bool]

    def fit(self, features: ArrayLike) -> Self:
        """Learn from features (n, d) of photographs what is usual.

        Raises:
            DensityError: features that can't be fitted.
        """

    def refitted(self, features: ArrayLike) -> "Scorer":
        """A scorer of its kind for other photographs, of which there are few: features (n, d)."""

    def score(self, features: ArrayLike) -> NDArray[np.float64]:
        """Scores (n,) of features (n, d).

        Raises:
            DensityError: not fitted, features of another length, or not finite.
        """

    def signs(self, features: ArrayLike) -> dict[str, NDArray[np.float64]]:
        """What the scores are combined of, by name: (n,) deviations above what is usual."""

    def log_likelihood(self, score: float) -> float | None:
        """The log-likelihood that a score stands for; None where it stands for none."""

    @property
    def words(self) -> str:
        """What it is, for people, in a few words."""

    def arrays(self) -> dict[str, NDArray[Any]]:
        """The numbers, by name, as they are stored.

        Raises:
            DensityError: not fitted.
        """

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, NDArray[Any]]) -> Self:
        """Restore what `arrays` gave.

        Raises:
            DensityError: an array is missing, unknown, or of another shape.
        """


# By name; a detector folder keeps the numbers of its own in NAME.safetensors.
SCORERS: dict[str, type[Scorer]] = {
    "density": GaussianMixture,
    "evidence": Evidence,
    "classifier": Classifier,
}
