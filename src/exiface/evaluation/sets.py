"""Scored sets of photographs and of generated faces, and which are compared with which."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from exiface.evaluation.audit import Traits
from exiface.photos.alterations import ORIGINAL

REAL, FAKE = "real", "fake"


@dataclass(frozen=True, eq=False)
class ScoredSet:
    """What a detector said of one set; the largest face of an image stands for it.

    Attributes:
        kind: "real" or "fake".
        name: of the set.
        paths: (n,) of the images.
        photos: (n,) which photograph each image is from; images of one are not independent.
        scores: condition -> (n,); higher = more anomalous, NaN = no verdict.
        p_values: condition -> (n,); NaN = no verdict, or a detector that gives none.
        verdicts: condition -> (n,) what the detector said, "" = nothing; empty for a detector that
            gives none.
        ratios: (n,) likelihood ratios of the unaltered images, generated over photographed, NaN =
            none; empty for a detector that gives none.
        traits: (n) of the files, for the audit; empty where they are not at hand.
    """

    kind: str
    name: str
    paths: NDArray[np.str_]
    photos: NDArray[np.str_]
    scores: dict[str, NDArray[np.float64]]
    p_values: dict[str, NDArray[np.float64]]
    verdicts: dict[str, NDArray[np.str_]] = field(default_factory=dict)
    ratios: NDArray[np.float64] = field(default_factory=lambda: np.empty(0))
    traits: list[Traits] = field(default_factory=list)

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
    """Scores of one side of a comparison, images without a verdict left out.

    Attributes:
        scores: (n,).
        photos: (n,) which photograph each is from.
    """

    scores: NDArray[np.float64]
    photos: NDArray[np.str_]

    @classmethod
    def of(cls, sets: Sequence[ScoredSet], condition: str = ORIGINAL) -> "Sample":
        """Take the scores of sets together; photographs of two sets are never the same."""
        kept = [each.judged(condition) for each in sets]
        return cls(
            np.concatenate(
                [each.scores[condition][of] for each, of in zip(sets, kept, strict=True)]
            ),
            np.concatenate(
                [
                    np.char.add(f"{each.kind}:{each.name}:", each.photos[of])
                    for each, of in zip(sets, kept, strict=True)
                ]
            ),
        )


@dataclass(frozen=True, eq=False)
class Comparison:
    """A set of generated faces beside the photographs that it is compared with.

    Attributes:
        fake: the generated faces.
        real: the photographs.
        against: name of the set of photographs; "all" = all of them.
    """

    fake: ScoredSet
    real: list[ScoredSet]
    against: str


def conditions(sets: Sequence[ScoredSet]) -> list[str]:
    """The conditions under which all sets were judged, the original first."""
    return [name for name in sets[0].scores if all(name in each.scores for each in sets)]


def comparisons(sets: Sequence[ScoredSet]) -> list[Comparison]:
    """Pair generated faces with photographs; nothing where there are no photographs.

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
    """One generator under the published protocol; shares of 1.

    Attributes:
        generator: or "mean".
        images: generated ones; where a protocol balances them, as many photographs.
        accuracy: at the threshold from the fit set.
        auc: photographs score higher in likelihood.
        ap_photographic: average precision, photographic = positive, as one-class systems report it.
        ap_generated: average precision, generated = positive, as binary ones do.
        published_accuracy: None where it isn't known to us.
        published_auc: likewise.
    """

    generator: str
    images: int
    accuracy: float
    auc: float
    ap_photographic: float
    ap_generated: float
    published_accuracy: float | None = None
    published_auc: float | None = None
