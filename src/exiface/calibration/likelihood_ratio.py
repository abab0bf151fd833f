"""How strongly a score speaks for generated over photographed, in the measure of forensic labs.

The likelihood ratio compares how common a p-value is among generated faces of families that
training never saw (each family weighing the same) and among photographs (each source the same). A
second one, for those who ask, is of further pictures of families that training knew.
Both are counted in narrow bands of p-values, and a curve is fitted through them: log LR =
c + a log p + b log(1 - p) with a <= 0 <= b, so that it never rises with the p-value (beta
calibration, Kull, Silva Filho and Flach 2017). The curve is bounded by what the numbers bear: no
ratio is larger than the number of photographs, counted as if all were of sources of their own, or
smaller than one over that of generated faces (compare Vergeer et al. 2016).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

_BANDS = 48
_REPLICATES = 300
_STEPS = 25  # of Newton's method, at most
_LAST = 1e-6  # each step has twice the digits of the one before, so that no further one counts
_RIDGE = 1e-3  # keeps a curve finite where the classes don't overlap
# The scale of ENFSI's guideline for evaluative reporting (2015), table 1.
_SCALE = (
    (1_000_000, "extremely strong support"),
    (10_000, "very strong support"),
    (1_000, "strong support"),
    (100, "moderately strong support"),
    (10, "moderate support"),
    (2, "weak support"),
)


@dataclass(frozen=True, slots=True)
class LikelihoodRatio:
    """How many times as common a score is among generated faces as among photographs.

    Example:
        >>> LikelihoodRatio(20.4, 6.1, 58.0).words
        'moderate support for generated over photographed'
        >>> LikelihoodRatio(0.2, 0.1, 0.4).words
        'weak support for photographed over generated'
        >>> LikelihoodRatio(1.3, 0.4, 3.0).words
        'no support for either'
    """

    value: float  #: over 1 speaks for generated, under 1 for photographed.
    low: float  #: of its 95 % interval, over families of generators and sources of photographs.
    high: float  #: likewise.
    subject: str = "faces"  #: what was judged, in the plural: "faces" or "pictures".
    #: whether the generated ones are of kinds that training knew, in other pictures.
    known: bool = False

    @property
    def words(self) -> str:
        """What the ratio means, on the verbal scale of the ENFSI guideline (2015)."""
        if self.speaks_for is None:
            return self.support
        other = "photographed" if self.speaks_for == "generated" else "generated"
        return f"{self.support} over {other}"

    @property
    def support(self) -> str:
        """The words without the class that it speaks against."""
        if self.speaks_for is None:
            return "no support for either"
        words = next(words for least, words in _SCALE if self._strength >= least)
        return f"{words} for {self.speaks_for}"

    @property
    def speaks_for(self) -> Literal["generated", "photographed"] | None:
        """The class that it supports; None where it is too near 1 to support either."""
        if self._strength < _SCALE[-1][0]:
            return None
        return "generated" if self.value > 1 else "photographed"

    @property
    def _strength(self) -> float:
        return max(self.value, 1 / self.value)

    @property
    def sentence(self) -> str:
        """The ratio, its interval and its words in one sentence.

        Example:
            >>> LikelihoodRatio(20.4, 6.1, 58.0).sentence
            'A score like this is about 20 times as common among generated faces of kinds it has never seen as among photographs (6.1 to 58): moderate support for generated over photographed.'
            >>> LikelihoodRatio(34, 34, 34).sentence
            "A score like this is at least 34 times as common among generated faces of kinds it has never seen as among photographs (so few pictures can't tell how much more): moderate support for generated over photographed."
        """  # noqa: E501 - one sentence, as it is printed
        kinds = "it knows" if self.known else "it has never seen"
        value, low, high = self.value, self.low, self.high
        common, rare = f"generated {self.subject} of kinds {kinds}", "photographs"
        if value < 1:
            value, low, high = 1 / value, 1 / high, 1 / low
            common, rare = rare, common
        times = "" if _short(value) == "1" else f"{_short(value)} times "
        about, interval = "about", f"{_short(low)} to {_short(high)}"
        # At the bound of what the numbers bear, however they are drawn.
        if low == high and self.speaks_for is not None:
            about, interval = "at least", "so few pictures can't tell how much more"
        return (
            f"A score like this is {about} {times}as common among {common} as among "
            f"{rare} ({interval}): {self.words}."
        )

    def as_dict(self) -> dict[str, Any]:
        """As JSON has it."""
        numbers = {name: float(f"{getattr(self, name):.3g}") for name in ("value", "low", "high")}
        return numbers | {"words": self.words}


@dataclass(frozen=True, eq=False)
class LikelihoodCurve:
    """Likelihood ratios over p-values."""

    p_values: NDArray[np.float64]  #: (b,) ascending.
    ratios: NDArray[np.float64]  #: (3, b) the ratio, and the ends of its 95 % interval.

    @classmethod
    def of(
        cls,
        photographs: Sequence[NDArray[np.float64]],
        generated: Sequence[NDArray[np.float64]],
        *,
        seed: int = 0,
    ) -> "LikelihoodCurve":
        """Fit the curve to the p-values of each source of photographs and of each generated family.

        The seed is of the sources and families that are drawn anew for the interval.

        Source: bootstrap of clusters, Davison and Hinkley 1997, section 3.8.
        """
        lowest = min(values.min() for values in (*photographs, *generated))
        edges = np.geomspace(min(lowest, 0.5), 1.0, _BANDS + 1)
        middle = np.sqrt(edges[1:] * edges[:-1])
        rng = np.random.default_rng(seed)
        real, fake = (_shares(groups, edges, rng) for groups in (photographs, generated))
        logs = _fitted(np.log(middle), np.log1p(-middle), real, fake)
        ratios = np.clip(np.exp(logs), 1 / _effective(generated), _effective(photographs))
        low, high = np.quantile(ratios[1:], (0.025, 0.975), axis=0)
        value = ratios[0]
        return cls(middle, np.stack([value, np.minimum(low, value), np.maximum(high, value)]))

    def at(self, p_values: ArrayLike) -> NDArray[np.float64]:
        """The ratio and the ends of its interval (3, ...) at p-values (...)."""
        where = np.log(np.asarray(p_values, np.float64))
        logs = [np.interp(where, np.log(self.p_values), row) for row in np.log(self.ratios)]
        return np.asarray(np.exp(np.stack(logs)))


def _short(number: float) -> str:
    """A number with two digits that count, written out: 130, not 1.3e+02."""
    return f"{float(f'{number:.2g}'):g}"


def _shares(
    groups: Sequence[NDArray[np.float64]], edges: NDArray[np.float64], rng: np.random.Generator
) -> NDArray[np.float64]:
    """The share (r + 1, b) in each band, groups weighing the same; then the same, drawn anew."""
    counts = np.stack([np.histogram(np.clip(group, edges[0], 1), edges)[0] for group in groups])
    sizes = counts.sum(axis=1)
    shares = counts / sizes[:, None]
    drawn = rng.integers(0, len(groups), (_REPLICATES, len(groups)))
    if len(groups) < 20:  # groups alone would vary too little: the faces within are drawn as well
        anew = (rng.multinomial(sizes[drawn], shares[drawn]) / sizes[drawn][..., None]).mean(axis=1)
    else:
        times = np.stack([np.bincount(row, minlength=len(groups)) for row in drawn])
        anew = times @ shares / len(groups)
    return np.concatenate([shares.mean(axis=0)[None], anew])


def _fitted(
    log_p: NDArray[np.float64],
    log_rest: NDArray[np.float64],
    real: NDArray[np.float64],
    fake: NDArray[np.float64],
) -> NDArray[np.float64]:
    """Log ratios (r, b) by logistic regression of each pair of rows (r, b) of shares."""
    both = np.stack([np.ones_like(log_p), log_p, log_rest], axis=1)
    slopes, curves = _newton(both, real, fake)
    single_slopes, single = _newton(both[:, :2], real, fake)
    # A slope of the wrong sign is left out: more unusual never means less suspicious.
    right = (slopes[:, 1] <= 0) & (slopes[:, 2] >= 0)
    single = np.where(single_slopes[:, 1:2] <= 0, single, 0.0)
    return np.where(right[:, None], curves, single)


def _newton(
    features: NDArray[np.float64], real: NDArray[np.float64], fake: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Coefficients (r, k) and log odds (r, b) of so many weighted logistic regressions at once."""
    weights = real + fake
    found = np.zeros((len(real), features.shape[1]))
    ridge = _RIDGE * np.eye(features.shape[1])
    products = np.einsum("bi,bj->bij", features, features)
    for _ in range(_STEPS):
        odds = found @ features.T
        chance = 1 / (1 + np.exp(-odds))
        gradient = (fake - weights * chance) @ features - _RIDGE * found
        curvature = np.tensordot(weights * chance * (1 - chance), products, axes=1)
        step = np.linalg.solve(curvature + ridge, gradient[..., None])[..., 0]
        found = found + np.clip(step, -2, 2)
        if np.abs(step).max() < _LAST:
            break
    return found, found @ features.T


def _effective(groups: Sequence[NDArray[np.float64]]) -> float:
    """How many independent values a mean of group means is worth (Kish 1965)."""
    return len(groups) ** 2 / sum(1 / len(group) for group in groups)
