"""The losses of the pretext task (Zou et al., arXiv 2501.02207)."""

import torch
from torch import Tensor

_EPSILON = 1e-8
# Thurstone's case V (unit variances), and what the released code computes.
CASE_V = 2**-0.5
RELEASED = 2.0


def fidelity_loss(probability: Tensor, target: Tensor) -> Tensor:
    """Fidelity loss, 1 - sqrt(p g + e) - sqrt((1 - p)(1 - g) + e), of each entry.

    Args:
        probability: p, in 0..1, any shape.
        target: g, in 0..1, same shape.

    Returns:
        The loss of each entry, 0 where p = g, at most 1.

    Example:
        >>> p, g = torch.tensor([0.1, 0.9, 0.5, 0.7]), torch.tensor([0.0, 1.0, 1.0, 0.0])
        >>> round(fidelity_loss(p, g).mean().item(), 6)
        0.211851
    """
    agree = torch.sqrt(probability * target + _EPSILON)
    differ = torch.sqrt((1 - probability) * (1 - target) + _EPSILON)
    return 1 - agree - differ


def ranking_loss(scores: Tensor, tag: Tensor, scale: float = RELEASED) -> Tensor:
    """Fidelity loss of Thurstone's model over all pairs of a batch.

    p_ij = Phi(scale (f_i - f_j)) against g_ij = 1 if tag_i > tag_j, 1/2 if equal, 0 otherwise.

    Args:
        scores: (n,) head outputs f.
        tag: (n,) values of the tag; NaN = absent, which takes the image out of all its pairs.
        scale: k.

    Returns:
        The mean over the pairs i < j; 0 (with a gradient of 0) where there is none.

    Example:
        >>> ranking_loss(torch.tensor([0.3, -0.2]), torch.tensor([400.0, 100.0])).item() < 0.1
        True
    """
    present = ~torch.isnan(tag)
    scores, tag = scores[present], tag[present]
    first, second = torch.triu_indices(len(tag), len(tag), offset=1, device=tag.device)
    if not len(first):
        return scores.sum() * 0
    probability = torch.special.ndtr(scale * (scores[first] - scores[second]))
    target = (1 + torch.sign(tag[first] - tag[second])) / 2
    return fidelity_loss(probability, target.to(probability.dtype)).mean()
