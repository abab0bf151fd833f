"""The one interface of what scores a feature vector, and what all that do share."""

from collections.abc import Mapping
from typing import Any, ClassVar, Protocol, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from exiface.errors import UserError


class DensityError(UserError):
    """Features that can't be fitted or scored, or arrays that hold no scorer."""


class Scorer(Protocol):
    """What turns a feature vector into a score; higher = more anomalous.

    Every method that takes features, and `arrays`, raises a DensityError where they can't be used
    or the scorer isn't fitted.
    """

    supervised: ClassVar[bool] = False  #: whether generated faces taught it.

    def fit(self, features: ArrayLike) -> Self:
        """Learn from features (n, d) of photographs what is usual."""

    def refitted(self, features: ArrayLike) -> "Scorer":
        """A scorer of its kind for other photographs, of which there are few: features (n, d)."""

    def score(self, features: ArrayLike) -> NDArray[np.float64]:
        """Scores (n,) of features (n, d)."""

    def signs(self, features: ArrayLike) -> dict[str, NDArray[np.float64]]:  # noqa: ARG002
        """What the scores are combined of, by name: (n,) deviations above what is usual."""
        return {}

    def log_likelihood(self, score: float) -> float | None:  # noqa: ARG002
        """The log-likelihood that a score stands for; None where it stands for none."""
        return None

    @property
    def words(self) -> str:
        """What it is, for people, in a few words."""

    def arrays(self) -> dict[str, NDArray[Any]]:
        """The numbers, by name, as they are stored."""

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, NDArray[Any]]) -> Self:
        """Restore what `arrays` gave; arrays that are missing or unknown are a DensityError."""


def checked_features(features: ArrayLike, dimensions: int | None = None) -> NDArray[np.float64]:
    """Features (n, d) in double precision, of any d where no dimensions are given.

    Another shape, or values that are not finite, are a DensityError.
    """
    array: NDArray[Any] = np.asarray(features, dtype=np.float64)
    if array.ndim != 2 or (dimensions is not None and array.shape[1] != dimensions):
        expected = f"(n, {dimensions or 'd'})"
        raise DensityError(f"features must have the shape {expected}, got {array.shape}")
    if not np.isfinite(array).all():
        rows = np.flatnonzero(~np.isfinite(array).all(1))
        raise DensityError(
            f"{len(rows)} feature vectors are not finite, the first is row {rows[0]}"
        )
    return array
