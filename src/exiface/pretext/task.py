"""The pretext task: one module that owns encoder, heads and losses."""

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, distributed, nn

from exiface.photos import TAG_NAMES, Preprocessing
from exiface.pretext.losses import RELEASED, fidelity_loss, ranking_loss

MANIPULATION = "manipulation"
HEADS = (*TAG_NAMES, MANIPULATION)


class PretextTask(nn.Module):
    """Rank what the camera recorded, and spot manipulated faces.

    In a process group every process passes its share of the batch, and pairs are ranked within the
    whole: head outputs and labels are gathered, and each process computes the same total loss, with
    gradients through its own outputs. Since DDP averages gradients over processes, the loss is
    multiplied by their number; the result is the gradient of one process with the whole batch.

    Args:
        encoder: (n, 3, s, s) -> (n, features).
        features: length of the feature vector.
        scale: k of the ranking (see `ranking_loss`).
    """

    def __init__(self, encoder: nn.Module, features: int, scale: float = RELEASED) -> None:
        super().__init__()
        self.encoder = encoder
        self.heads = nn.ModuleDict({name: nn.Linear(features, 1) for name in HEADS})
        self.scale = scale

    def crops(self, crops: NDArray[np.uint8], preprocessing: Preprocessing) -> Tensor:
        """Crops (n, s, s, 3) uint8 as the encoder takes them, on its device."""
        normalised = torch.from_numpy(preprocessing.normalise(crops))
        device = next(self.parameters()).device
        return normalised.to(device).contiguous(memory_format=torch.channels_last)

    def outputs(self, crops: Tensor) -> Tensor:
        """Head outputs (n, 5), in the order of `HEADS`, of normalised crops (n, 3, s, s)."""
        features = self.encoder(crops).float()
        with torch.autocast(features.device.type, enabled=False):
            return torch.cat([self.heads[name](features) for name in HEADS], dim=1)

    def directions(self) -> dict[str, Tensor]:
        """The weights (features,) of each head, by name, for `heads.safetensors`."""
        weights = {name: head.get_parameter("weight") for name, head in self.heads.items()}
        return {name: weight.detach().float().cpu().flatten() for name, weight in weights.items()}

    def forward(self, crops: Tensor, tags: Tensor, manipulated: Tensor) -> dict[str, Tensor]:
        """Compute the losses.

        Args:
            crops: (n, 3, s, s) float32, normalised.
            tags: (n, 4) in the order of TAG_NAMES; NaN = absent.
            manipulated: (n,) 1 for a manipulated face, 0 for an untouched one.

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
        probability = torch.sigmoid(outputs[:, HEADS.index(MANIPULATION)])
        losses[MANIPULATION] = fidelity_loss(probability, manipulated).mean()
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
