"""Scored sets of photographs and of generated faces, and which are compared with which."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from exiface.evaluation.audit import Traits
from exiface.photos.alterations import ORIGINAL

REAL, FAKE = "real", "fake"

Scored = tuple[float, float, str, float]  # score, p-value, verdict, likelihood ratio
NOTHING: Scored = (math.nan, math.nan, "", math.nan)


@dataclass(frozen=True, eq=False)
class ScoredSet:
    """What a detector said of one set; the largest face of an image stands for it."""

    kind: str  #: "real" or "fake".
    name: str  #: of the set.
    paths: NDArray[np.str_]  #: (n,) of the images.
    #: (n,) which photograph each image is from; images of one are not independent.
    photos: NDArray[np.str_]
    #: condition -> (n,); higher = more anomalous, NaN = no verdict.
    scores: dict[str, NDArray[np.float64]]
    #: condition -> (n,); NaN = no verdict, or a detector that gives none.
    p_values: dict[str, NDArray[np.float64]]
    #: condition -> (n,) what the detector said, "" = nothing; empty for a detector that gives none.
    verdicts: dict[str, NDArray[np.str_]] = field(default_factory=dict)
    #: (n,) likelihood ratios of the unaltered images, generated over photographed, NaN = none;
    #: empty for a detector that gives none.
    ratios: NDArray[np.float64] = field(default_factory=lambda: np.empty(0))
    #: of the files that could be read, for the audit; empty where they are not at hand.
    traits: list[Traits] = field(default_factory=list)

    @classmethod
    def of(
        cls,
        kind: str,
        name: str,
        paths: Sequence[str],
        photos: Sequence[str],
        scored: Mapping[str, Sequence[Scored]],
        traits: list[Traits],
    ) -> "ScoredSet":
        """Make a set of what was said of each of its images, condition -> (n)."""
        columns = {condition: zip(*rows, strict=True) for condition, rows in scored.items()}
        arrays = {name: [np.array(column) for column in each] for name, each in columns.items()}
        scores, p_values, verdicts, ratios = (
            {condition: each[place] for condition, each in arrays.items()} for place in range(4)
        )
        return cls(
            kind,
            name,
            np.array(paths),
            np.array(photos),
            scores,
            p_values,
            verdicts,
            ratios[ORIGINAL],
            traits,
        )

    def judged(self, condition: str = ORIGINAL) -> NDArray[np.bool_]:
        """Which images have a score (n,)."""
        return np.isfinite(self.scores[condition])

    def known_ratios(self) -> NDArray[np.float64]:
        """The likelihood ratios (m,) of those images that have one."""
        return self.ratios[np.isfinite(self.ratios)]

    def said(self, condition: str = ORIGINAL) -> NDArray[np.str_] | None:
        """The verdicts (m,) on the images that have a score; None where some have no verdict."""
        if condition not in self.verdicts:
            return None
        verdicts = self.verdicts[condition][self.judged(condition)]
        return verdicts if len(verdicts) and (verdicts != "").all() else None


@dataclass(frozen=True, eq=False)
class Sample:
    """Scores of one side of a comparison, images without a verdict left out."""

    scores: NDArray[np.float64]  #: (n,).
    photos: NDArray[np.str_]  #: (n,) which photograph each is from.

    @classmethod
    def of(cls, sets: Sequence[ScoredSet], condition: str = ORIGINAL) -> "Sample":
        """Take the scores of sets together; photographs of two sets are never the same."""
        kept = [(each, each.judged(condition)) for each in sets]
        photos = [np.char.add(f"{each.kind}:{each.name}:", each.photos[of]) for each, of in kept]
        scores = [each.scores[condition][of] for each, of in kept]
        return cls(np.concatenate(scores), np.concatenate(photos))


@dataclass(frozen=True, eq=False)
class Comparison:
    """A set of generated faces beside the photographs that it is compared with."""

    fake: ScoredSet  #: the generated faces.
    real: list[ScoredSet]  #: the photographs.
    against: str  #: name of the set of photographs; "all" = all of them.

    def samples(self, condition: str = ORIGINAL) -> tuple[Sample, Sample]:
        """The scores of the photographs and of the generated faces."""
        return Sample.of(self.real, condition), Sample.of([self.fake], condition)


def conditions(sets: Sequence[ScoredSet]) -> list[str]:
    """List the conditions under which all sets were judged, the original first."""
    return [name for name in sets[0].scores if all(name in each.scores for each in sets)]


def comparisons(sets: Sequence[ScoredSet]) -> list[Comparison]:
    """Pair generated faces with photographs, if there are any.

    A fake set named "SET/GENERATOR", or "SET", is compared with the real set "SET" if there is one,
    and with all real sets together otherwise.
    """
    reals = {each.name: each for each in sets if each.kind == REAL}
    pairs = []
    for fake in sets:
        if fake.kind != FAKE or not reals:
            continue
        partner = next((key for key in (fake.name, fake.name.split("/")[0]) if key in reals), None)
        if partner is None and len(reals) == 1:
            [partner] = reals
        compared = [reals[partner]] if partner else list(reals.values())
        pairs.append(Comparison(fake, compared, partner or "all"))
    return pairs


@dataclass(frozen=True, slots=True)
class PublishedRow:
    """One generator under the published protocol; shares of 1."""

    generator: str  #: its name, or "mean".
    images: int  #: generated ones; where a protocol balances them, as many photographs.
    accuracy: float  #: at the threshold from the fit set.
    auc: float  #: photographs score higher in likelihood.
    #: average precision, photographic = positive, as one-class systems report it.
    ap_photographic: float
    ap_generated: float  #: average precision, generated = positive, as binary ones do.
    published_accuracy: float | None = None  #: None where it isn't known to us.
    published_auc: float | None = None  #: None likewise.
