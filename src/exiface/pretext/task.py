"""What an encoder learns: one module that owns encoder, heads and losses."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, Self

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, distributed, nn

from exiface.datasets.batches import PUBLISHED
from exiface.photos import TAG_NAMES, Preprocessing
from exiface.pretext.losses import RELEASED, fidelity_loss, ranking_loss

GENERATED = "generated"  # the head that has seen generated faces


@dataclass(frozen=True, slots=True)
class Shares:
    """What each part of the task weighs in the total loss.

    Attributes:
        ranking: of each of the four camera tags.
        manipulation: of each family of manipulations.
        generated: of telling generated faces from photographs; 0 = the task has no such head, and
            generated faces play no part.
    """

    __pydantic_config__: ClassVar[dict[str, str]] = {"extra": "forbid"}

    ranking: float = 1.0
    manipulation: float = 1.0
    generated: float = 0.0


class PretextTask(nn.Module):
    """Rank what the camera recorded, spot manipulated faces, and, if wanted, generated ones.

    Camera tags and manipulations are learnt from photographs alone. Generated faces teach only the
    head that is named after them, and through it the encoder; manipulated photographs don't teach
    that head.

    In a process group every process passes its share of the batch, and pairs are ranked within the
    whole: head outputs and labels are gathered, and each process computes the same total loss, with
    gradients through its own outputs. Since DDP averages gradients over processes, the loss is
    multiplied by their number; the result is the gradient of one process with the whole batch.

    Args:
        encoder: (n, 3, s, s) -> (n, features).
        features: how many of the features, from the first, the heads read.
        scale: k of the ranking (see `ranking_loss`).
        families: of manipulations, each of which a head spots.
        frozen: leave the encoder's backbone as it is; its last layer and the heads learn.
        shares: what each part weighs.
        label_smoothing: of the labels "generated" and "photograph": 0.1 = wanted with 0.95.

    Attributes:
        families: the same.
        features: the same.
        names: of the heads: those of the tags, those of the families, and `GENERATED`.
    """

    def __init__(
        self,
        encoder: nn.Module,
        features: int,
        scale: float = RELEASED,
        *,
        families: Sequence[str] = (PUBLISHED,),
        frozen: bool = False,
        shares: Shares | None = None,
        label_smoothing: float = 0.0,
    ) -> None:
        super().__init__()
        self.encoder = encoder
        self.families = tuple(families)
        self._shares = shares or Shares()
        self._label_smoothing = label_smoothing
        supervised = (GENERATED,) if self._shares.generated else ()
        self.names = (*TAG_NAMES, *families, *supervised)
        self.heads = nn.ModuleDict({name: nn.Linear(features, 1) for name in self.names})
        self.features = features
        self.scale = scale
        self._frozen = frozen

    def train(self, mode: bool = True) -> Self:
        """Switch to training; a frozen backbone keeps its normalisation as well."""
        super().train(mode)
        if self._frozen:
            for module in self.encoder.modules():
                if isinstance(module, nn.BatchNorm2d):
                    module.eval()
        return self

    def crops(self, crops: NDArray[np.uint8], preprocessing: Preprocessing) -> Tensor:
        """Crops (n, s, s, 3) uint8 as the encoder takes them, on its device."""
        normalised = torch.from_numpy(preprocessing.normalise(crops))
        device = next(self.parameters()).device
        return normalised.to(device).contiguous(memory_format=torch.channels_last)

    def outputs(self, crops: Tensor) -> Tensor:
        """Head outputs (n, heads), in the order of `names`, of normalised crops (n, 3, s, s)."""
        features = self.encoder(crops)[:, : self.features].float()
        with torch.autocast(features.device.type, enabled=False):
            return torch.cat([self.heads[name](features) for name in self.names], dim=1)

    def directions(self, length: int) -> dict[str, Tensor]:
        """The weights (length,) of each head over all features, for `heads.safetensors`."""
        directions = {}
        for name, head in self.heads.items():
            weight = head.get_parameter("weight").detach().float().cpu().flatten()
            directions[name] = nn.functional.pad(weight, (0, length - self.features))
        return directions

    def classifier(self) -> dict[str, Tensor]:
        """The head `GENERATED` as `classifier.safetensors` has it; empty where there is none."""
        if GENERATED not in self.names:
            return {}
        head = self.heads[GENERATED]
        return {
            f"0.{name}": head.get_parameter(name).detach().float().cpu().contiguous()
            for name in ("weight", "bias")
        }

    def forward(
        self, crops: Tensor, tags: Tensor, manipulated: Tensor, generated: Tensor
    ) -> dict[str, Tensor]:
        """Compute the losses.

        Args:
            crops: (n, 3, s, s) float32, normalised.
            tags: (n, 4) in the order of TAG_NAMES; NaN = absent.
            manipulated: (n,) 0 for an untouched face, else 1 + the place of its family.
            generated: (n,) bool, whether a face is AI-generated.

        Returns:
            The loss of each head, by name, and their sum, each times its share, as "total", which
            is to be minimised.
        """
        outputs = _gather(self.outputs(crops), with_gradient=True)
        tags = _gather(tags)
        manipulated = _gather(manipulated)
        photographs = ~_gather(generated)
        tags = torch.where(photographs[:, None], tags, torch.nan)
        losses = {
            name: ranking_loss(outputs[:, column], tags[:, column], self.scale)
            for column, name in enumerate(TAG_NAMES)
        }
        for number, family in enumerate(self.families, start=1):
            # A head tells its family from untouched faces; other families are not its business.
            known = photographs & ((manipulated == 0) | (manipulated == number))
            probability = torch.sigmoid(outputs[:, self.names.index(family)])
            loss = fidelity_loss(probability, (manipulated == number).float())
            losses[family] = _mean(loss, known)
        if GENERATED in self.names:
            wanted = (~photographs).float()
            wanted = wanted + self._label_smoothing * (0.5 - wanted)
            loss = nn.functional.binary_cross_entropy_with_logits(
                outputs[:, -1], wanted, reduction="none"
            )
            losses[GENERATED] = _mean(loss, manipulated == 0)
        total = torch.stack([self._share(name) * loss for name, loss in losses.items()]).sum()
        losses = {name: loss.detach() for name, loss in losses.items()}
        return losses | {"total": total * _world_size()}

    def _share(self, name: str) -> float:
        if name == GENERATED:
            return self._shares.generated
        return self._shares.ranking if name in TAG_NAMES else self._shares.manipulation


def _mean(losses: Tensor, known: Tensor) -> Tensor:
    """Mean of the losses (n,) that are known (n,); 0, with a gradient of 0, where none is."""
    return (losses * known).sum() / known.sum().clamp_min(1)


def _world_size() -> int:
    return distributed.get_world_size() if distributed.is_initialized() else 1


def _gather(values: Tensor, *, with_gradient: bool = False) -> Tensor:
    """The values of all processes, in order of rank."""
    if _world_size() == 1:
        return values
    parts = [torch.empty_like(values) for _ in range(_world_size())]
    distributed.all_gather(parts, values.detach().contiguous())
    if with_gradient:
        parts[distributed.get_rank()] = values
    return torch.cat(parts)
