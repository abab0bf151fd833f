"""Several one-sided signs of a generated face, each an output of a head, in one score.

A density over all features flags what is unlike photographs in any way, and generated faces are
often *more* typical than photographs. The heads of the pretext task know which way is suspicious.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import NormalDist
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from exiface.scoring.scorer import DensityError, Scorer, checked_features

_ARRAYS = ("directions", "means", "deviations", "floor")
# Further arrays: the signs' weights, where they differ, and their names in UTF-8, one a line.
_FURTHER = {"weights", "names"}
FLOOR = 0.05
_FURTHEST = 37.0  # deviations: the upper tail is 6e-300, about the least that a float holds
# SciPy has both functions, and needs longer to be imported than a face to be judged.
_upper_tail = np.vectorize(lambda sign: math.erfc(sign / math.sqrt(2)) / 2, otypes=[np.float64])


@dataclass(frozen=True, slots=True)
class Head:
    """A head of an encoder whose output is one of several signs of a generated face."""

    name: str  #: of the head.
    #: least tail probability that it counts with; NaN: it counts with its deviations.
    floor: float = FLOOR
    weight: float = 1.0  #: of the sign, above 0.
    low: bool = False  #: whether low outputs are suspicious, not high ones.

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read `NAME`, `NAME:FLOOR` or `NAME:FLOOR:WEIGHT`; a leading minus: low is suspicious.

        Example:
            >>> Head.parse("-iso_speed")
            Head(name='iso_speed', floor=0.05, weight=1.0, low=True)
            >>> Head.parse("generated:nan:3")
            Head(name='generated', floor=nan, weight=3.0, low=False)
        """
        name, *numbers = text.split(":")
        try:
            floor, weight = (float(given) for given in (*numbers, *(FLOOR, 1)[len(numbers) :]))
        except ValueError:
            raise DensityError(
                f"evidence {text!r} must be NAME, NAME:FLOOR or NAME:FLOOR:WEIGHT, with numbers"
            ) from None
        return cls(name.removeprefix("-"), floor, weight, name.startswith("-"))


class Evidence(Scorer):
    """Fisher's combination of one-sided normal tails of linear heads, no tail below a floor.

    Each head's output is compared with those of the photographs that it is fitted on; the score is
    minus the sum of the logarithms of the upper tail probabilities (Fisher, Statistical Methods for
    Research Workers, 4th edition, 1932, section 21.1). A tail below the floor counts as the floor:
    sources of photographs differ most in single qualities (one camera smooths, another one's faces
    fill the picture), and no such quality alone may make a face suspicious. Signs that are worth
    more can weigh more (Good, On the weighted combination of significance tests, JRSS B 17, 1955).
    Signs that depend on each other make a score that isn't chi-squared; the calibration doesn't ask
    that of it.

    Args:
        directions: (m, d) weights of the heads, m >= 1; higher outputs are more suspicious.
        floor: least tail probability of a sign, in [0, 1), or (m,) of each; 0 is Fisher's
            combination as he has it. NaN: the sign counts with its deviations, not with the
            logarithm of a tail, as log-odds do.
        weights: (m,) of the signs, above 0; None = all weigh the same.
        names: of the heads; None = they are numbered.

    Example:
        >>> evidence = Evidence(np.eye(2)).fit([[0.0, 1.0], [2.0, 3.0]])
        >>> evidence.score([[1.0, 2.0], [1e6, 2.0]]).round(3).tolist()  # 1/2 and 1/2; 0.05 and 1/2
        [1.386, 3.689]
    """

    def __init__(
        self,
        directions: ArrayLike,
        floor: ArrayLike = FLOOR,
        weights: ArrayLike | None = None,
        names: Sequence[str] | None = None,
    ) -> None:
        self._directions = np.ascontiguousarray(directions, np.float64)
        shape = self._directions.shape
        if len(shape) != 2 or not shape[0] or not np.isfinite(self._directions).all():
            raise DensityError(
                f"directions must be finite and of the shape (heads, features), got {shape}"
            )
        heads = shape[0]
        self._floor = np.asarray(floor, np.float64)
        allowed = np.isnan(self._floor) | ((self._floor >= 0) & (self._floor < 1))
        if self._floor.shape not in ((), (heads,)) or not allowed.all():
            raise DensityError(
                f"floor must be in [0, 1), one number or one of each of {heads} heads, got "
                f"{self._floor}"
            )
        self._weights = np.ones(heads) if weights is None else np.asarray(weights, np.float64)
        positive = np.isfinite(self._weights).all() and (self._weights > 0).all()
        if self._weights.shape != (heads,) or not positive:
            raise DensityError(
                f"weights must be {heads} positive numbers, one a head, got {self._weights}"
            )
        self.names = tuple(names or (f"head {number}" for number in range(1, heads + 1)))
        if len(self.names) != heads:
            raise DensityError(f"{heads} heads need as many names, got {len(self.names)}")
        self._means: NDArray[np.float64] | None = None
        self._deviations: NDArray[np.float64] | None = None

    @classmethod
    def of(cls, outputs: Mapping[str, NDArray[Any]], heads: Sequence[Head]) -> Self:
        """Take some of an encoder's heads, with weights (d,) by name, as evidence.

        Each is scaled to length 1. A name that is unknown is a DensityError that says those known.
        """
        if unknown := [head.name for head in heads if head.name not in outputs]:
            known = ", ".join(sorted(outputs)) or "none"
            raise DensityError(f"the encoder has no head {unknown[0]!r}; it has {known}")
        directions = np.stack([np.asarray(outputs[head.name], np.float64) for head in heads])
        directions /= np.linalg.norm(directions, axis=1, keepdims=True)
        directions[[head.low for head in heads]] *= -1
        return cls(
            directions,
            [head.floor for head in heads],
            [head.weight for head in heads],
            [f"{'-' if head.low else ''}{head.name}" for head in heads],
        )

    @property
    def features(self) -> int:
        """Length of the feature vectors that it takes."""
        return int(self._directions.shape[1])

    @property
    def floor(self) -> NDArray[np.float64]:
        """Least tail probability (m,) of each sign."""
        return np.broadcast_to(self._floor, len(self._directions))

    def fit(self, features: ArrayLike) -> Self:
        """Take the outputs' means and deviations from features (n, d) of photographs."""
        outputs = self._outputs(features)
        if len(outputs) < 2:
            raise DensityError(f"evidence needs at least 2 photographs, got {len(outputs)}")
        deviations = outputs.std(axis=0, ddof=1)
        if not (deviations > 0).all():
            raise DensityError(
                f"head {int(np.argmin(deviations))} says the same of all photographs; give more, "
                "or leave it out"
            )
        self._means, self._deviations = outputs.mean(axis=0), deviations
        return self

    def refitted(self, features: ArrayLike) -> Self:
        """The same heads, fitted on features (n, d) of other photographs (see `fit`)."""
        return type(self)(self._directions, self._floor, self._weights, self.names).fit(features)

    def signs(self, features: ArrayLike) -> dict[str, NDArray[np.float64]]:
        """Each head's output (n,) in deviations above the mean of photographs, by its name."""
        return dict(zip(self.names, self._signs(features).T, strict=True))

    @property
    def words(self) -> str:
        """What it is, for people: the heads, each with its weight and floor where it has one."""
        heads = (
            (f"{weight:g} x " if weight != 1 else "")
            + name
            + (f" (at least {floor:g})" if floor > 0 else "")
            for name, floor, weight in zip(self.names, self.floor, self._weights, strict=True)
        )
        return f"evidence of {', '.join(heads)}"

    def score(self, features: ArrayLike) -> NDArray[np.float64]:
        """Scores (n,), higher = more suspicious, of features (n, d)."""
        deviations = self._signs(features)
        linear = np.isnan(self.floor)
        floors = np.where(linear, 0, self.floor)
        furthest = [-NormalDist().inv_cdf(floor) if floor else _FURTHEST for floor in floors]
        evidence = -np.log(_upper_tail(np.minimum(deviations, furthest)))
        return np.asarray(np.where(linear, deviations, evidence) @ self._weights)

    def arrays(self) -> dict[str, NDArray[Any]]:
        """The numbers, by name, as they are stored."""
        values = (self._directions, *self._fitted(), self._floor)
        arrays = dict(zip(_ARRAYS, values, strict=True))
        if (self._weights != 1).any():
            arrays["weights"] = self._weights
        text = "\n".join(self.names).encode()
        return {**arrays, "names": np.frombuffer(text, np.uint8)}

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, NDArray[Any]]) -> Self:
        """Restore what `arrays` gave."""
        if set(arrays) - _FURTHER != set(_ARRAYS):
            raise DensityError(f"evidence has the arrays {_ARRAYS}, got {sorted(arrays)}")
        text = bytes(arrays.get("names", np.empty(0, np.uint8))).decode()
        names = text.split("\n") if text else None
        evidence = cls(arrays["directions"], arrays["floor"], arrays.get("weights"), names)
        heads = (len(evidence._directions),)
        means, deviations = fitted = tuple(
            np.asarray(arrays[name], np.float64) for name in ("means", "deviations")
        )
        usable = all(each.shape == heads and np.isfinite(each).all() for each in fitted)
        if not usable or not (deviations > 0).all():
            raise DensityError(
                f"means and deviations must be finite and of shape {heads}, deviations positive"
            )
        evidence._means, evidence._deviations = means, deviations
        return evidence

    def _fitted(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        if self._means is None or self._deviations is None:
            raise DensityError("the evidence is not fitted; call fit first")
        return self._means, self._deviations

    def _signs(self, features: ArrayLike) -> NDArray[np.float64]:
        """Outputs (n, m) in deviations above the mean of photographs."""
        means, deviations = self._fitted()
        return np.asarray((self._outputs(features) - means) / deviations)

    def _outputs(self, features: ArrayLike) -> NDArray[np.float64]:
        return np.asarray(checked_features(features, self.features) @ self._directions.T)
