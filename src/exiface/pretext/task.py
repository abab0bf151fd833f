"""The pretext task: one module that owns encoder, heads and losses."""

from collections.abc import Sequence
from typing import Self

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, distributed, nn

from exiface.datasets.batches import PUBLISHED
from exiface.photos import TAG_NAMES, Preprocessing
from exiface.pretext.losses import RELEASED, fidelity_loss, ranking_loss


class PretextTask(nn.Module):
    """Rank what the camera recorded, and spot manipulated faces.

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

    Attributes:
        features, families: the same.
        names: of the heads: those of the tags, then those of the families.
    """

    def __init__(
        self,
        encoder: nn.Module,
        features: int,
        scale: float = RELEASED,
        *,
        families: Sequence[str] = (PUBLISHED,),
        frozen: bool = False,
    ) -> None:
        super().__init__()
        self.encoder = encoder
        self.families = tuple(families)
        self.names = (*TAG_NAMES, *families)
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

    def forward(self, crops: Tensor, tags: Tensor, manipulated: Tensor) -> dict[str, Tensor]:
        """Compute the losses.

        Args:
            crops: (n, 3, s, s) float32, normalised.
            tags: (n, 4) in the order of TAG_NAMES; NaN = absent.
            manipulated: (n,) 0 for an untouched face, else 1 + the place of its family.

        Returns:
            The loss of each head, by name, and their sum as "total", which is to be minimised.
        """
        outputs = _gather(self.outputs(crops), with_gradient=True)
        tags = _gather(tags)
        manipulated = _gather(manipulated)
        losses = {
            name: ranking_loss(outputs[:, column], tags[:, column], self.scale)
            for column, name in enumerate(TAG_NAMES)
        }
        for number, family in enumerate(self.families, start=1):
            # A head tells its family from untouched faces; other families are not its business.
            known = (manipulated == 0) | (manipulated == number)
            probability = torch.sigmoid(outputs[:, self.names.index(family)])
            loss = fidelity_loss(probability, (manipulated == number).float())
            losses[family] = (loss * known).sum() / known.sum().clamp_min(1)
        total = torch.stack(list(losses.values())).sum()
        losses = {name: loss.detach() for name, loss in losses.items()}
        return losses | {"total": total * _world_size()}


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
