"""The losses of the pretext tasks.

Source: Zou et al., arXiv 2501.02207; BLADES, arXiv 2507.22824; SDAIE, arXiv 2512.05651.
"""

from dataclasses import dataclass
from typing import ClassVar, Literal

import torch
from torch import Tensor
from torch.nn import functional

_EPSILON = 1e-8

ClassLoss = Literal["cross-entropy", "focal-fidelity"]


@dataclass(frozen=True, slots=True)
class Ranking:
    """How a tag is learnt from the order of its values."""

    __pydantic_config__: ClassVar[dict[str, str]] = {"extra": "forbid"}

    scale: float = 2.0  #: k in Phi(k (f_i - f_j)), as the released code has it.
    #: of that probability: "fidelity" (Zou et al.), or "cross-entropy" (SDAIE).
    loss: Literal["fidelity", "cross-entropy"] = "fidelity"
    #: "all" of a batch; or "halves": each of the first half with one of the second, and what is a
    #: class is then learnt from the first half alone, as SDAIE does.
    pairs: Literal["all", "halves"] = "all"
    #: equal values are wanted as likely this way as that ("half"), or always as greater
    #: ("greater"), as SDAIE's released program has them.
    ties: Literal["half", "greater"] = "half"
    #: None = a head says one number, f; otherwise how likely the tag is at each of so many levels,
    #: and f is the level expected (BLADES: 3).
    levels: int | None = None

    def __post_init__(self) -> None:
        if self.scale <= 0:
            raise ValueError(f"scale must be > 0, got {self.scale}")
        if self.levels is not None and self.levels < 2:
            raise ValueError(f"levels must be at least 2, got {self.levels}")


PUBLISHED_RANKING = Ranking()  # by Zou et al.


def fidelity_loss(probability: Tensor, target: Tensor) -> Tensor:
    """Fidelity loss, 1 - sqrt(p g + e) - sqrt((1 - p)(1 - g) + e), of each entry.

    Probability p and target g lie in 0..1 and have the same shape; the loss of an entry is 0 where
    they are equal, and at most 1.

    Example:
        >>> p, g = torch.tensor([0.1, 0.9, 0.5, 0.7]), torch.tensor([0.0, 1.0, 1.0, 0.0])
        >>> round(fidelity_loss(p, g).mean().item(), 6)
        0.211851
    """
    agree = torch.sqrt(probability * target + _EPSILON)
    differ = torch.sqrt((1 - probability) * (1 - target) + _EPSILON)
    return 1 - agree - differ


def ranking_loss(scores: Tensor, tag: Tensor, ranking: Ranking = PUBLISHED_RANKING) -> Tensor:
    """Loss of Thurstone's model over pairs of a batch: p_ij = Phi(k (f_i - f_j)) against g_ij.

    g_ij is 1 if tag_i > tag_j, 1/2 if they are equal, 0 otherwise.

    Args:
        scores: (n,) head outputs f.
        tag: (n,) values of the tag; NaN = absent, which takes the image out of all its pairs.
        ranking: which pairs, which loss.

    Returns:
        The mean over the pairs; 0 (with a gradient of 0) where there is none.

    Example:
        >>> ranking_loss(torch.tensor([0.3, -0.2]), torch.tensor([400.0, 100.0])).item() < 0.1
        True
    """
    if ranking.pairs == "halves":
        first = torch.arange(len(tag) // 2, device=tag.device)
        second = first + len(tag) // 2
    else:
        first, second = torch.triu_indices(len(tag), len(tag), offset=1, device=tag.device)
    present = ~torch.isnan(tag[first] - tag[second])
    first, second = first[present], second[present]
    if not len(first):
        # Where a score takes part in no pair it plays no part, whatever it is.
        return scores[:0].sum()
    target = (1 + torch.sign(tag[first] - tag[second])) / 2
    if ranking.ties == "greater":
        target = target.ceil()
    difference = ranking.scale * (scores[first] - scores[second])
    if ranking.loss == "cross-entropy":
        # Of log Phi, which stays exact where Phi itself is 0 or 1.
        greater, less = (torch.special.log_ndtr(each) for each in (difference, -difference))
        return torch.mean(-(target * greater + (1 - target) * less))
    return fidelity_loss(torch.special.ndtr(difference), target.to(difference.dtype)).mean()


def expected_level(logits: Tensor) -> Tensor:
    """The level expected (n,), 1 to k, of logits (n, k) of k levels (BLADES).

    Example:
        >>> expected_level(torch.tensor([[0.0, 0.0, 0.0], [9.0, 0.0, -9.0]])).round().tolist()
        [2.0, 1.0]
    """
    levels = torch.arange(1, 1 + logits.shape[1], device=logits.device, dtype=logits.dtype)
    return logits.softmax(1) @ levels


def class_loss(logits: Tensor, classes: Tensor, loss: ClassLoss = "cross-entropy") -> Tensor:
    """Loss of logits (n, k) against classes (n,), -1 = absent.

    It is cross-entropy (SDAIE), or (1 - p_y)^2 (1 - sum_c sqrt(p_c [c = y] + e)), p = softmax,
    which turns to what is still mistaken, and is not quite zero where nothing is (BLADES). The mean
    is of those that are present; it is 0 (with a gradient of 0) where none is.
    """
    present = classes >= 0
    if not present.any():
        return logits[:0].sum()
    logits, classes = logits[present], classes[present].long()
    if loss == "cross-entropy":
        return functional.cross_entropy(logits, classes)
    right = logits.softmax(1).gather(1, classes[:, None]).squeeze(1)
    others = (logits.shape[1] - 1) * _EPSILON**0.5
    bracket = 1 - torch.sqrt(right + _EPSILON) - others
    return torch.mean((1 - right) ** 2 * bracket)


def region_loss(logits: Tensor, changed: Tensor) -> Tensor:
    """Loss (n,) of where faces were manipulated: the mean of each region's fidelity loss (BLADES).

    `changed` (n, regions) is 1 where a face was manipulated; `logits` are of the same shape.
    """
    return fidelity_loss(torch.sigmoid(logits), changed.to(logits.dtype)).mean(1)
