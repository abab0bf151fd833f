"""Generated faces of families that training never saw: where they stand among photographs.

Photographs alone say how often a photograph looks as unusual as a face. How often a generated face
looks as usual is measured on faces of generators that the detector had not seen; their p-values are
kept with the detector. Each family weighs the same, whatever its number of faces.
"""

from bisect import bisect_left
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from exiface.calibration.conformal import CalibrationError, grouped

# A verdict of "photographic" is given where at most this share of generated faces scores as low.
MISSED = 0.1
_ARRAYS = ("p_values", "families")
_KNOWN = "known_"  # before the same names, of families that training knew


@dataclass(frozen=True, eq=False)
class GeneratedFaces:
    """p-values of generated faces of families that training never saw.

    Example:
        >>> faces = GeneratedFaces.of([0.01] * 9 + [0.8], ["a"] * 5 + ["b"] * 5)
        >>> faces.photographic_from
        0.8
    """

    #: (n,) by the calibration of the detector, or of one trained without their family.
    p_values: NDArray[np.float64]
    families: NDArray[np.int64]  #: (n,) which family each is of, 0 to m - 1.
    #: further faces of families that training knew; None where none were measured.
    known: "GeneratedFaces | None" = None

    @classmethod
    def of(
        cls,
        p_values: ArrayLike,
        families: Sequence[str] | NDArray[Any],
        known: "GeneratedFaces | None" = None,
    ) -> Self:
        """Gather p-values (n,) in (0, 1] of faces of families (n,), given by name or number.

        Where there are none, or values that are no p-values, a CalibrationError is raised.
        """
        values = np.asarray(p_values, np.float64).ravel()
        names = np.unique(np.ravel(families), return_inverse=True)[1]
        if not len(values) or len(values) != len(names):
            raise CalibrationError(
                "generated faces need p-values and families alike in number, got "
                f"{len(values)} and {len(names)}"
            )
        if not ((values > 0) & (values <= 1)).all():
            raise CalibrationError("p-values of generated faces must lie in (0, 1]")
        return cls(values, np.asarray(names, np.int64), known)

    @cached_property
    def photographic_from(self) -> float:
        """The smallest p-value that earns a face the verdict "photographic"; above 1, none does."""
        # Above the most usual of them there is none.
        above = float(np.nextafter(self.p_values.max(), np.inf))
        candidates = sorted({*self.p_values.tolist(), above})

        def seldom(p_value: float) -> bool:
            as_usual = [(values >= p_value).mean() for values in self.by_family]
            return bool(np.mean(as_usual) <= MISSED)

        # The larger the p-value, the fewer generated faces score no higher.
        found: float = candidates[bisect_left(candidates, True, key=seldom)]
        return found

    @cached_property
    def by_family(self) -> list[NDArray[np.float64]]:
        """The p-values of each family."""
        return grouped(self.p_values, self.families)

    def arrays(self) -> dict[str, NDArray[Any]]:
        """The numbers, by name, as they are stored."""
        arrays = {name: getattr(self, name) for name in _ARRAYS}
        if self.known is not None:
            arrays |= {f"{_KNOWN}{name}": each for name, each in self.known.arrays().items()}
        return arrays

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, NDArray[Any]]) -> Self:
        """Restore what `arrays` gave; an array too many or too few is a CalibrationError."""
        own = {name: each for name, each in arrays.items() if not name.startswith(_KNOWN)}
        own.pop("sides", None)  # of version 2
        if set(own) != set(_ARRAYS):
            raise CalibrationError(f"generated faces have {_ARRAYS}, got {sorted(arrays)}")
        others = {n.removeprefix(_KNOWN): each for n, each in arrays.items() if n not in own}
        others.pop("sides", None)
        return cls.of(**own, known=cls.from_arrays(others) if others else None)
