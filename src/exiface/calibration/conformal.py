"""From a score to a p-value that keeps its promise.

Conformal calibration (Vovk et al. 2005; Bates et al. 2023): on photographs that neither encoder
nor scorer saw, the share that is at least as anomalous as a face is its p-value. The promise is
made for a photograph of a source that nobody has seen, so where there are enough sources they are
what is counted, each weighing the same (hierarchical conformal prediction, Dunn, Wasserman and
Ramdas 2023; Lee, Barber and Willett 2023). So many sources prove no rate below one in so many:
further down the p-value falls with the share of the photographs, which is measured on sources left
out, not proven. With fewer sources, each has a p-value of its own, and the largest counts.
"""

import math
from collections import Counter
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from exiface.errors import UserError

# Scores are compared at this many decimals: the encoder's arithmetic differs below that between
# machines and batch sizes, and the same file must get the same p-value everywhere.
SCORE_DECIMALS = 3
# From so many sources on, sources are what is counted.
ENOUGH_SOURCES = 20


class CalibrationError(UserError):
    """A calibration set that can't keep the promise asked of it."""


def photographs_needed(alpha: float) -> int:
    """How many calibration photographs it takes for any p-value to reach alpha.

    Example:
        >>> photographs_needed(0.05), photographs_needed(0.01)
        (19, 99)
    """
    return math.ceil(1 / alpha - 1e-9) - 1


@dataclass(frozen=True, eq=False)
class Reference:
    """Photographs that a score is compared with."""

    scores: NDArray[np.float64]  #: (n,) ascending.
    #: (n + 1,) what those from each place on weigh together; 0 at the end.
    at_least: NDArray[np.float64]
    units: int  #: what all of them weigh: the number of sources, or of photographs.
    #: weight above a score from which on the new one's own source counts as a whole.
    whole_from: float = 0.0

    @classmethod
    def of(
        cls,
        scores: NDArray[np.float64],
        weights: NDArray[np.float64],
        units: int,
        whole_from: float = 0.0,
    ) -> "Reference":
        """Make it of ascending scores (n,), and weights (n,) that sum to the units."""
        sums = np.cumsum(weights[::-1])[::-1]
        return cls(scores, np.append(sums, 0.0), units, whole_from)

    def p_value(self, scores: NDArray[np.float64]) -> NDArray[np.float64]:
        """(own + the weight of those at least as anomalous) / (units + 1), of each score.

        `own` is 1, what the new one weighs itself. Where less weight lies above than `whole_from`,
        it falls in proportion, so that p does; never under 1 / (n + 1).
        """
        above = self.at_least[np.searchsorted(self.scores, scores, side="left")]
        own = np.minimum(1.0, above / self.whole_from) if self.whole_from else 1.0
        return np.clip((own + above) / (self.units + 1), 1 / (len(self.scores) + 1), 1.0)


def check_bands(alpha: float, beta: float) -> None:
    """Raise a CalibrationError unless 0 < alpha <= beta <= 1, and alpha below 1."""
    if not 0 < alpha < 1:
        raise CalibrationError(
            f"alpha, the false-alarm rate, must lie between 0 and 1, such as 0.01, got {alpha:g}"
        )
    if not alpha <= beta <= 1:
        raise CalibrationError(
            f"beta must lie between alpha, {alpha:g}, and 1, got {beta:g}: give another of them"
        )


@dataclass(frozen=True, eq=False)
class Calibration:
    """Scores of photographs, and the promise that is made with them.

    Example:
        >>> calibration = Calibration.of(range(99))
        >>> float(calibration.p_value(50.0)), float(calibration.p_value(1000.0))
        (0.5, 0.01)
        >>> of_two = Calibration.of([*range(99), *range(50, 149)], sources=["a"] * 99 + ["b"] * 99)
        >>> float(of_two.p_value(98.0))
        0.52
        >>> by_source = Calibration.of(range(60), sources=[i % 30 for i in range(60)])
        >>> p_values = by_source.p_value([58.0, 1000.0])
        >>> bool(p_values[0] == (1 + 1) / 31), bool(p_values[1] == 1 / 61)
        (True, True)
    """

    #: (n,) of the calibration photographs, ascending; higher = more anomalous.
    scores: NDArray[np.float64]
    alpha: float  #: promised false-alarm rate.
    beta: float  #: from this p-value on nothing was found, where generated faces were not measured.
    sources: NDArray[np.int64]  #: (n,) which source each of them is of, 0 to m - 1.
    #: (n,) in which form each was scored (as it is, saved again, ...), 0 to k - 1; each form has a
    #: p-value of its own, and the largest counts.
    forms: NDArray[np.int64]

    @classmethod
    def of(
        cls,
        scores: ArrayLike,
        *,
        alpha: float = 0.05,
        beta: float = 0.2,
        sources: ArrayLike | None = None,
        forms: ArrayLike | None = None,
    ) -> "Calibration":
        """Calibrate on photographs, with scores (n,) and, by names, their sources and forms.

        Each photograph is scored in each form; without sources or forms, there is one.

        Raises:
            CalibrationError: not finite, too few photographs for alpha ever to be reached, or the
                bands are not 0 < alpha <= beta <= 1, alpha < 1.
        """
        values = np.asarray(scores, dtype=np.float64).ravel().round(SCORE_DECIMALS)
        check_bands(alpha, beta)
        order = np.argsort(values, kind="stable")
        numbers, kinds = (
            np.zeros(len(values), np.int64)
            if names is None
            else np.unique(np.ravel(names), return_inverse=True)[1][order]
            for names in (sources, forms)
        )
        found = cls(values[order], alpha, beta, numbers, kinds)
        if found.photographs < (needed := photographs_needed(alpha)):
            raise CalibrationError(
                f"{found.photographs} calibration photographs can't promise a false-alarm rate of "
                f"{alpha:g}: at least {needed} are needed, and {max(300, 10 * needed)} make it "
                "a stable one"
            )
        if not np.isfinite(values).all():
            raise CalibrationError("calibration scores must be finite")
        return found

    @cached_property
    def photographs(self) -> int:
        """How many photographs calibrate, each counted once in whatever forms it was scored."""
        return len(self.scores) // self._number_of_forms

    @property
    def _number_of_forms(self) -> int:
        return 1 + int(self.forms.max(initial=0))

    @cached_property
    def by_source(self) -> bool:
        """Whether sources are what is counted: there are enough of them."""
        return self.number_of_sources >= ENOUGH_SOURCES

    @property
    def proven(self) -> bool:
        """Whether so many sources, or photographs, can prove the promised rate."""
        return not self.by_source or self._spare > 0

    @property
    def promised(self) -> str:
        """The share of photographs that is flagged, in words.

        Example:
            >>> Calibration.of(range(99)).promised
            'at most 5%'
        """
        return f"{'at most' if self.proven else 'an estimated'} {100 * self.alpha:.3g}%"

    @property
    def caution(self) -> str:
        """Why the promised rate is an estimate, in words; empty where it is proven.

        Example:
            >>> Calibration.of(range(99)).caution
            ''
        """
        if self.proven:
            return ""
        number = self.number_of_sources
        least = 100 / (number + 1)
        return f"{number} sources prove rates down to {least:.1f} %, and lower ones are estimated"

    @property
    def _spare(self) -> float:
        """What may lie above a flagged score beside its own source, in sources; 0 = not even it."""
        return max(0.0, round(self.alpha * (self.number_of_sources + 1) - 1, 9))

    @property
    def number_of_sources(self) -> int:
        """How many sources the photographs are of."""
        return 1 + int(self.sources.max(initial=0))

    @property
    def counted(self) -> str:
        """What a score is compared with, in words.

        Example:
            >>> Calibration.of(range(99)).counted
            '99 photographs of the calibration'
        """
        number = f"{self.photographs} photographs of the calibration"
        if self.by_source:
            words = f"{number}, of {self.number_of_sources} sources that weigh the same"
            return words if self.proven else f"{words}; {self.caution}"
        groups = len(self.references) // self._number_of_forms
        if groups > 1:
            return f"{number}, in {groups} groups of sources, whose largest p-value counts"
        return number

    def p_value(self, scores: ArrayLike) -> NDArray[np.float64]:
        """The p-value of each score, of any shape: the largest over forms, and over few sources."""
        rounded: NDArray[np.float64] = np.asarray(scores, np.float64).round(SCORE_DECIMALS)
        found = [reference.p_value(rounded) for reference in self.references]
        return np.asarray(np.max(found, axis=0))

    @cached_property
    def references(self) -> list[Reference]:
        """What a score is compared with, one after another."""
        found = []
        for form in range(self._number_of_forms):
            rows = self.forms == form
            scores, sources = self.scores[rows], self.sources[rows]
            if self.by_source:
                sizes = np.bincount(sources, minlength=self.number_of_sources)
                # Where the sources can prove alpha, nothing changes from alpha upwards.
                whole_from = min(1.0, self._spare or 1.0)
                weights, units = 1.0 / sizes[sources], self.number_of_sources
                found.append(Reference.of(scores, weights, units, whole_from))
                continue
            for own in grouped(scores, _merged(sources, self._least)):
                found.append(Reference.of(own, np.ones(len(own)), len(own)))
        return found

    @property
    def _least(self) -> int:
        """Photographs that a source needs for a p-value of its own."""
        return 2 * photographs_needed(self.alpha)

    @property
    def merged_sources(self) -> list[int]:
        """Numbers of the sources that count as one, since each has too few photographs.

        Example:
            >>> Calibration.of(range(60), sources=[*40 * "a", *11 * "b", *9 * "c"]).merged_sources
            [0, 1, 2]
        """
        if self.by_source:
            return []
        sources = self.sources[self.forms == 0]
        groups = dict(zip(sources.tolist(), _merged(sources, self._least).tolist(), strict=True))
        sizes = Counter(groups.values())
        return sorted(source for source, group in groups.items() if sizes[group] > 1)

    def p_values_of_sources(self) -> list[NDArray[np.float64]]:
        """The p-values of the calibration photographs themselves, source by source."""
        return grouped(self.p_value(self.scores), self.sources)

    def true_rate(self) -> tuple[float, float]:
        """95 % interval of the true false-alarm rate, given how many photographs calibrate.

        The rate is Beta(l, u + 1 - l) distributed over calibration sets, with u units (sources
        where they are what is counted, else the photographs of the smallest source) and
        l = floor(alpha (u + 1)) (Vovk 2012, proposition 2a).

        Example:
            >>> low, high = Calibration.of(range(99)).true_rate()
            >>> round(low, 3), round(high, 3)
            (0.017, 0.1)
        """
        units = min(reference.units for reference in self.references)
        flagged = max(1, math.floor(self.alpha * (units + 1) + 1e-9))
        return _nth_of(units, flagged, 0.025), _nth_of(units, flagged, 0.975)

    def arrays(self) -> dict[str, NDArray[Any]]:
        """The numbers, by name, as they are stored."""
        return {"scores": self.scores, "sources": self.sources, "forms": self.forms}


def grouped(values: NDArray[np.float64], numbers: NDArray[np.int64]) -> list[NDArray[np.float64]]:
    """The values (n,) of each group, by the groups' numbers (n,), the smallest number first."""
    return [values[numbers == number] for number in np.unique(numbers)]


def _nth_of(number: int, nth: int, share: float) -> float:
    """A quantile of the n-th smallest of so many uniform numbers, which is Beta distributed."""
    # SciPy has it, and an installation that only detects does without SciPy.
    fewer = np.arange(nth)
    ways = np.append(0.0, np.cumsum(np.log((number + 1 - fewer[1:]) / fewer[1:])))
    low, high = 0.0, 1.0
    for _ in range(50):
        middle = (low + high) / 2
        # The n-th lies above where fewer than n of them lie below.
        logs = ways + fewer * math.log(middle) + (number - fewer) * math.log1p(-middle)
        low, high = (middle, high) if 1 - np.exp(logs).sum() < share else (low, middle)
    return (low + high) / 2


def _merged(sources: NDArray[np.int64], least: int) -> NDArray[np.int64]:
    """Numbers of groups of sources, 0 to m - 1, each with at least so many entries, or all 0."""
    counts = np.bincount(sources)
    order = np.argsort(-counts, kind="stable")
    # Those large enough keep a number of their own; the others share the next.
    large = int((counts >= least).sum())
    rank = np.empty(len(counts), np.int64)
    rank[order] = np.minimum(np.arange(len(counts)), large)
    if 0 < counts[order[large:]].sum() < least:
        rank = np.minimum(rank, max(0, large - 1))
    return np.asarray(rank[sources], np.int64)
