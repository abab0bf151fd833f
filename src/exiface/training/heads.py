"""What reads an encoder's features: linear heads, or a vector for each class, compared by angle.

BLADES compares with sentences; without the weights of a text encoder, which are not to be had
everywhere, vectors that are learnt like any other weight stand in the sentences' place.
"""

import math
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn.functional import normalize

from exiface.encoders.description import GENERATED_HEAD
from exiface.photos.camera_settings import CLASSES

HeadKind = Literal["linear", "class-vectors", "sentences"]

MANIPULATED_REGIONS = "regions"  # the head that says where a face was manipulated
REGION_NAMES = ("mouth", "eye")
# By the place of a manipulation in MANIPULATIONS, the regions that it changes (BLADES).
REGIONS_OF = ((1, 0), (1, 0), (0, 1), (1, 1))
COARSE = ("photographic", "manipulated")
LEVEL_NAMES = ("low", "medium", "high")
# exp of it is CLIP's temperature before training, 1 / 0.07.
_START_SCALE = math.log(1 / 0.07)


def classes_of_heads(
    kind: HeadKind,
    *,
    ranked: Sequence[str],
    levels: int | None,
    classes: Sequence[str],
    families: Sequence[str],
    regions: bool,
    generated: bool,
) -> dict[str, tuple[str, ...]]:
    """What each head tells apart, in the order of the outputs; a name for each column of a head.

    Linear heads tell two sides apart by one column, the others have one for either side. A ranked
    tag has one column, or one a level. The other arguments are those of `PretextTask`.
    """
    names = LEVEL_NAMES if levels == 3 else tuple(f"level {n + 1}" for n in range(levels or 1))
    found = dict.fromkeys(ranked, names if levels else ("",))
    found |= {name: CLASSES[name] for name in classes}
    found |= dict.fromkeys(families, ("",) if kind == "linear" else COARSE)
    if regions:
        found[MANIPULATED_REGIONS] = REGION_NAMES
    if generated:
        found[GENERATED_HEAD] = ("",)
    return found


class LinearHeads(nn.ModuleDict):
    """A linear layer for each head, from features of this length to what it tells apart."""

    def __init__(self, features: int, classes: Mapping[str, Sequence[str]]) -> None:
        super().__init__({name: nn.Linear(features, len(each)) for name, each in classes.items()})

    def forward(self, features: Tensor) -> Tensor:
        """Outputs (n, columns) of features (n, d)."""
        return torch.cat([head(features) for head in self.values()], dim=1)

    def vectors(self) -> Tensor:
        """What each column looks for: (columns, d)."""
        return torch.cat([head.get_parameter("weight") for head in self.values()])


class Cosines(nn.Module, ABC):
    """A vector for each class; an output is its cosine with the features, times a learnt scale."""

    logit_scale: nn.Parameter

    def forward(self, features: Tensor) -> Tensor:
        """Outputs (n, columns) of features (n, d), of any length."""
        return self.logit_scale.exp() * normalize(features) @ self.vectors().T

    @abstractmethod
    def vectors(self) -> Tensor:
        """What each column looks for: (columns, d), of unit length."""


class ClassVectors(Cosines):
    """A vector for each class, of the features' length, learnt like any other weight."""

    def __init__(self, features: int, classes: Mapping[str, Sequence[str]]) -> None:
        super().__init__()
        columns = sum(map(len, classes.values()))
        self.of_classes = nn.Parameter(torch.randn(columns, features) / features**0.5)
        self.logit_scale = nn.Parameter(torch.tensor(_START_SCALE))

    def vectors(self) -> Tensor:
        """What each column looks for: (columns, d), of unit length."""
        return normalize(self.of_classes)
