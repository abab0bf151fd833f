"""A trained head that says "generated" or not: the score of a binary detector.

It stands where the mixture stands in a detector of anomalies, and its scores are calibrated on
photographs all the same: the promise about false alarms does not rest on its probabilities.
"""

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from exiface.scoring.gaussian_mixture import GaussianMixture
from exiface.scoring.scorer import DensityError, Scorer, checked_features


class Classifier(Scorer):
    """Fully connected layers with ReLU between them; the last has one output, the log-odds.

    Each layer, in order, has weights (out, in) and a bias (out,); shapes that don't follow from one
    another are a DensityError.

    Example:
        >>> classifier = Classifier([(np.array([[1.0, -1.0]]), np.array([0.5]))])
        >>> classifier.score([[2.0, 1.0]]).tolist()
        [1.5]
    """

    supervised: ClassVar[bool] = True

    def __init__(self, layers: Sequence[tuple[NDArray[Any], NDArray[Any]]]) -> None:
        self._layers = [
            (np.ascontiguousarray(weights, np.float32), np.ascontiguousarray(bias, np.float32))
            for weights, bias in layers
        ]
        shapes = [weights.shape for weights, _ in self._layers]
        fits = (
            bool(shapes)
            and all(len(shape) == 2 for shape in shapes)
            and shapes[-1][0] == 1
            and all(bias.shape == weights.shape[:1] for weights, bias in self._layers)
            and all(first[0] == second[1] for first, second in pairwise(shapes))
        )
        if not fits:
            raise DensityError(
                f"a classifier's layers must follow from one another and end in one output, got "
                f"weights of {shapes}"
            )

    @property
    def features(self) -> int:
        """Length of the feature vectors that it takes."""
        return int(self._layers[0][0].shape[1])

    def score(self, features: ArrayLike) -> NDArray[np.float64]:
        """Log-odds (n,) that faces are generated, of features (n, d)."""
        values = checked_features(features, self.features)
        for number, (weights, bias) in enumerate(self._layers):
            if number:
                values = np.maximum(values, 0)
            values = values @ weights.T.astype(np.float64) + bias
        return np.asarray(values[:, 0])

    def fit(self, features: ArrayLike) -> Self:  # noqa: ARG002 - of every scorer
        """Nothing is fitted: photographs alone don't tell a classifier anything new."""
        return self

    def refitted(self, features: ArrayLike) -> GaussianMixture:
        """What photographs (n, d) alone can fit in its place: one Gaussian."""
        return GaussianMixture(1).fit(features)

    @property
    def words(self) -> str:
        """What it is, for people."""
        return "a classifier trained on generated faces"

    def arrays(self) -> dict[str, NDArray[np.float32]]:
        """The numbers, by name, as they are stored."""
        return {
            f"{number}.{name}": array
            for number, layer in enumerate(self._layers)
            for name, array in zip(("weight", "bias"), layer, strict=True)
        }

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, NDArray[Any]]) -> Self:
        """Restore a classifier."""
        layers = range(len(arrays) // 2)
        names = {f"{number}.{name}" for number in layers for name in ("weight", "bias")}
        if set(arrays) != names:
            raise DensityError(
                f"a classifier has the arrays 0.weight, 0.bias, ..., got {sorted(arrays)}"
            )
        return cls([(arrays[f"{number}.weight"], arrays[f"{number}.bias"]) for number in layers])
