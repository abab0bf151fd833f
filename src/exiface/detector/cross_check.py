"""What the pretext heads expect of a camera's settings, beside what a file claims.

It informs and never decides: metadata is trivially forged, and the heads err. Both the expectation
and the claim are turned into ranks among the calibration photographs; how far apart they lie is
compared with how far apart they lie for those photographs, whose tags are the camera's own.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from exiface.encoders import EncoderError
from exiface.photos import TAG_NAMES, CameraTags

_LEAST_PHOTOGRAPHS = 20  # with a tag, for its ranks to mean anything
_LEAST = 0.3  # rank correlation from which on a head is listened to
_UNUSUAL = 0.05  # p-value of a disagreement that is worth a sentence


@dataclass(frozen=True, slots=True)
class TagCheck:
    """What is expected of one tag, and what the file claims."""

    tag: str  #: name of the tag, one of TAG_NAMES.
    #: share of calibration photographs of which the head expects less, 0 to 1.
    expected_rank: float
    recorded: float | None = None  #: what the file claims; None = absent.
    #: share of calibration photographs that recorded less, 0 to 1.
    recorded_rank: float | None = None
    #: share of calibration photographs whose own tag lies at least as far from what the head
    #: expects; None where the file claims nothing.
    p_value: float | None = None

    @property
    def disagrees(self) -> bool:
        """Whether the claim is further from the expectation than for most photographs."""
        return self.p_value is not None and self.p_value <= _UNUSUAL

    def as_dict(self) -> dict[str, Any]:
        """As JSON has it."""
        return {
            "expected_rank": round(self.expected_rank, 3),
            "recorded": self.recorded,
            "recorded_rank": None if self.recorded_rank is None else round(self.recorded_rank, 3),
            "p_value": None if self.p_value is None else round(self.p_value, 4),
            "disagrees": self.disagrees,
        }


@dataclass(frozen=True, eq=False)
class CrossCheck:
    """Heads of the pretext task, with what they say of the calibration photographs."""

    weights: NDArray[np.float32]  #: (4, d) of the heads, in the order of TAG_NAMES.
    expected: NDArray[np.float32]  #: (n, 4) their outputs for the calibration photographs.
    recorded: NDArray[np.float64]  #: (n, 4) the tags of the same photographs; NaN = absent.

    def __post_init__(self) -> None:
        shapes = self.weights.shape, self.expected.shape, self.recorded.shape
        tags = (len(TAG_NAMES),)
        if shapes[0][:1] != tags or shapes[1] != shapes[2] or shapes[1][1:] != tags:
            raise ValueError(
                "the cross-check needs (4, d) weights and (n, 4) expected and recorded values, "
                f"got {shapes}"
            )

    @classmethod
    def of(
        cls, weights: NDArray[np.float32], features: NDArray[np.float32], tags: NDArray[np.float64]
    ) -> "CrossCheck":
        """Take the calibration photographs' features (n, d) and tags (n, 4 or more)."""
        recorded = np.asarray(tags, np.float64)[:, : len(TAG_NAMES)]
        return cls(weights, features @ weights.T, recorded)

    @cached_property
    def holds(self) -> tuple[bool, ...]:
        """Whether each head ranks its tag on the calibration photographs, which it never saw.

        It does where the rank correlation is surely (95 %) at least three tenths; a head that
        guesses would tell photographs from everywhere that they disagree with it.
        """
        return tuple(self._correlation(column) >= _LEAST for column in range(len(TAG_NAMES)))

    def _correlation(self, column: int) -> float:
        """Lower end of the 95 % interval of Spearman's correlation (Fisher's transformation)."""
        known = np.isfinite(self.recorded[:, column])
        number = int(known.sum())
        if number < _LEAST_PHOTOGRAPHS:
            return -1.0
        expected, recorded = self.expected[known, column], self.recorded[known, column]
        ranks = _rank(expected, expected), _rank(recorded, recorded)
        if min(each.std() for each in ranks) == 0:
            return -1.0
        found = np.clip(np.corrcoef(*ranks)[0, 1], -0.9999, 0.9999)
        return float(np.tanh(np.arctanh(found) - 1.96 / np.sqrt(number - 3)))

    def check(self, features: NDArray[np.float32], tags: CameraTags) -> tuple[TagCheck, ...]:
        """Compare what the heads expect of a face with features (d,) with what its file claims.

        There is a check for each tag whose head `holds`, in the order of TAG_NAMES.
        """
        outputs = self.weights @ features
        return tuple(
            self._check(column, float(outputs[column]), getattr(tags, tag))
            for column, tag in enumerate(TAG_NAMES)
            if self.holds[column]
        )

    def _check(self, column: int, output: float, claim: float | None) -> TagCheck:
        known = np.isfinite(self.recorded[:, column])
        expected, recorded = self.expected[:, column], self.recorded[known, column]
        rank = float(_rank(expected, output))
        if claim is None:
            return TagCheck(TAG_NAMES[column], rank, claim)
        claimed_rank = float(_rank(recorded, claim))
        own = np.abs(_rank(expected, expected[known]) - _rank(recorded, recorded))
        as_far = int((own >= abs(rank - claimed_rank)).sum())
        return TagCheck(TAG_NAMES[column], rank, claim, claimed_rank, (1 + as_far) / (len(own) + 1))

    def arrays(self) -> dict[str, NDArray[Any]]:
        """The numbers, by name, as they are stored."""
        return {"weights": self.weights, "expected": self.expected, "recorded": self.recorded}


def tag_weights(heads: Mapping[str, NDArray[np.float32]]) -> NDArray[np.float32] | None:
    """The weights (4, d) of the tags' heads among an encoder's; None where one is missing."""
    if not set(TAG_NAMES) <= set(heads):
        return None
    try:
        return np.stack([heads[tag] for tag in TAG_NAMES])
    except ValueError as error:
        raise EncoderError(
            f"the encoder's heads of {', '.join(TAG_NAMES)} can't be used ({error}); export the "
            "encoder again, or delete heads.safetensors to do without the cross-check of tags"
        ) from None


def _rank(photographs: NDArray[Any], values: float | NDArray[Any]) -> NDArray[np.float64]:
    """Share of photographs below each value; those that equal it count half."""
    ordered = np.sort(photographs)
    below = np.searchsorted(ordered, values, side="left")
    up_to = np.searchsorted(ordered, values, side="right")
    return np.asarray((below + up_to) / (2 * len(ordered)))
