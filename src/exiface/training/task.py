"""What an encoder learns: one module that owns encoder, heads and losses."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, Self

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from exiface.datasets.batches import MANIPULATION
from exiface.encoders.architectures import UnitLength
from exiface.encoders.description import GENERATED_HEAD
from exiface.encoders.image_encoder import ImageEncoder
from exiface.named import by_name
from exiface.photos import RANKED_TAGS, TAG_NAMES, Preprocessing
from exiface.photos.camera_settings import CLASSES
from exiface.photos.patches import Patches
from exiface.training.distributed import gather, world_size
from exiface.training.heads import (
    MANIPULATED_REGIONS,
    REGIONS_OF,
    ClassVectors,
    Cosines,
    HeadKind,
    LinearHeads,
    classes_of_heads,
)
from exiface.training.losses import (
    ClassLoss,
    Ranking,
    class_loss,
    expected_level,
    fidelity_loss,
    ranking_loss,
    region_loss,
)

NEAR = "near"  # the distance from the encoder that training is kept near to


@dataclass(frozen=True, slots=True)
class Shares:
    """What each part of the task weighs in the total loss."""

    __pydantic_config__: ClassVar[dict[str, str]] = {"extra": "forbid"}

    ranking: float = 1.0  #: of each camera tag that is ranked.
    classes: float = 1.0  #: of each camera tag that is a class.
    manipulation: float = 1.0  #: of each family of manipulations.
    regions: float = 1.0  #: of where a face was manipulated.
    #: of telling generated faces from photographs; 0 = the task has no such head, and generated
    #: faces play no part.
    generated: float = 0.0
    #: of how far the maps of an encoder of whole images have gone from those that the encoder given
    #: as its start makes (SDAIE: 0.05).
    near: float = 0.0


class PretextTask(nn.Module):
    """Rank what the camera recorded, spot manipulated faces, and, if wanted, generated ones.

    Camera tags and manipulations are learnt from photographs alone. Generated faces teach only the
    head that is named after them, and through it the encoder; manipulated photographs don't teach
    that head.

    In a process group every process passes its share of the batch, and pairs are ranked within the
    whole: head outputs and labels are gathered, and each process computes the same losses, with
    gradients through its own outputs. Since DDP averages gradients over processes, the loss is
    multiplied by their number; the result is the gradient of one process with the whole batch.

    Args:
        encoder: (n, 3, s, s), or patches (n, p, 3, s, s) -> (n, features).
        features: how many of the features, from the first, the heads read; also an attribute.
        near: an encoder of whole images that this one is kept near to; it is never trained.

    The other arguments are settings of the same names, see `TrainConfig`.

    Attributes:
        names: of the heads: those of the tags, those of the families, `MANIPULATED_REGIONS` and
            `GENERATED_HEAD`.
        columns: of the outputs, by the name of the head.
    """

    def __init__(
        self,
        encoder: nn.Module,
        features: int,
        *,
        ranked: Sequence[str] = TAG_NAMES,
        classes: Sequence[str] = (),
        ranking: Ranking | None = None,
        class_loss: ClassLoss = "cross-entropy",
        families: Sequence[str] = (MANIPULATION,),
        regions: bool = False,
        heads: HeadKind = "linear",
        frozen: bool = False,
        shares: Shares | None = None,
        near: ImageEncoder | None = None,
    ) -> None:
        super().__init__()
        self.encoder = encoder
        self.families = tuple(families)
        self._shares = shares or Shares()
        self._ranking = ranking or Ranking()
        classes_told = classes_of_heads(
            heads,
            ranked=ranked,
            levels=self._ranking.levels,
            classes=classes,
            families=families,
            regions=regions,
            generated=bool(self._shares.generated),
        )
        self.names = tuple(classes_told)
        self.heads: LinearHeads | Cosines
        if heads == "sentences":  # a published system's, which are looked up by name
            self.heads = by_name("exiface.papers.blades.sentences:Sentences")(
                features, classes_told
            )
        else:
            made = ClassVectors if heads == "class-vectors" else LinearHeads
            self.heads = made(features, classes_told)
        ends = np.cumsum([len(each) for each in classes_told.values()]).tolist()
        self.columns = {
            name: slice(end - len(each), end)
            for (name, each), end in zip(classes_told.items(), ends, strict=True)
        }
        self.features = features
        self._ranked, self._classes = tuple(ranked), tuple(classes)
        self._class_loss: ClassLoss = class_loss
        self._frozen = frozen
        # Out of the modules' sight: it is neither trained, nor saved, nor shared by processes.
        self._near = None if near is None else [near.eval().requires_grad_(False)]

    def train(self, mode: bool = True) -> Self:
        """Switch to training; a frozen backbone keeps its normalisation as well."""
        super().train(mode)
        if self._frozen:
            for module in self.encoder.modules():
                if isinstance(module, nn.BatchNorm2d):
                    module.eval()
        return self

    def crops(self, crops: NDArray[np.uint8], takes: Preprocessing | Patches) -> Tensor:
        """Crops (n, s, s, 3) or patches (n, p, s, s, 3) uint8 as the encoder takes them."""
        device = next(self.parameters()).device
        if isinstance(takes, Patches):
            patches = torch.from_numpy(takes.normalise(crops.reshape(-1, *crops.shape[2:])))
            of_images: Tensor = patches.unflatten(0, crops.shape[:2])
            return of_images.to(device)
        normalised = torch.from_numpy(takes.normalise(crops))
        return normalised.to(device).contiguous(memory_format=torch.channels_last)

    def outputs(self, crops: Tensor) -> Tensor:
        """Head outputs (n, columns), in the order of `names`, of what the encoder takes."""
        return self._read(self.encoder(crops))

    def _read(self, features: Tensor) -> Tensor:
        features = features[:, : self.features].float()
        with torch.autocast(features.device.type, enabled=False):
            outputs: Tensor = self.heads(features)
            return outputs

    def score(self, outputs: Tensor, name: str) -> Tensor:
        """What a head that says one number says (n,): the higher the value of the tag, the higher.

        It is a tag that is ranked, a family of manipulations, or `GENERATED_HEAD`.
        """
        columns = outputs[:, self.columns[name]]
        if columns.shape[1] == 1:
            return columns.squeeze(1)
        return expected_level(columns) if name in self._ranked else columns[:, 1] - columns[:, 0]

    @property
    def exported(self) -> nn.Module:
        """The encoder as it is used; where heads compare by angle, features are of unit length."""
        return self.encoder if isinstance(self.heads, LinearHeads) else UnitLength(self.encoder)

    def _kept_near(self, patches: Tensor) -> tuple[Tensor, Tensor]:
        """Head outputs, and how far the maps of the patches (n, p, 3, s, s) have gone."""
        assert isinstance(self.encoder, ImageEncoder) and self._near is not None  # noqa: S101
        each = patches.flatten(0, 1)
        maps = self.encoder.maps(each)
        with torch.no_grad():
            known = self._near[0].to(each.device).maps(each)
        distance = torch.stack(
            [nn.functional.mse_loss(own, other) for own, other in zip(maps, known, strict=True)]
        ).sum()
        tokens = maps[-1].unflatten(0, patches.shape[:2])
        return self._read(self.encoder.feature(tokens)), distance

    def directions(self, length: int) -> dict[str, Tensor]:
        """The weights (length,) of each head that says one number, for `heads.safetensors`.

        Of several levels or sides it is the highest less the lowest.
        """
        vectors = self.heads.vectors().detach().float().cpu()
        directions = {}
        for name in self.names:
            if name in (*self._classes, MANIPULATED_REGIONS):
                continue
            first, *others = vectors[self.columns[name]]
            weight = others[-1] - first if others else first
            directions[name] = nn.functional.pad(weight, (0, length - self.features))
        return directions

    def classifier(self) -> dict[str, Tensor]:
        """The head of generated faces as `classifier.safetensors` has it; {} without one."""
        if GENERATED_HEAD not in self.names:
            return {}
        assert isinstance(self.heads, LinearHeads)  # noqa: S101 - the settings see to it
        head = self.heads[GENERATED_HEAD]
        return {
            f"0.{name}": head.get_parameter(name).detach().float().cpu().contiguous()
            for name in ("weight", "bias")
        }

    def forward(
        self,
        crops: Tensor,
        tags: Tensor,
        manipulated: Tensor,
        generated: Tensor,
        classes: Tensor | None = None,
        manipulation: Tensor | None = None,
    ) -> dict[str, Tensor]:
        """Compute the loss of each head, and `NEAR` where the encoder is kept near to another.

        Args:
            crops: (n, 3, s, s) or patches (n, p, 3, s, s), float32, normalised.
            tags: (n, 4) or more, in the order of RANKED_TAGS; NaN = absent.
            manipulated: (n,) 0 for an untouched face, else 1 + the place of its family.
            generated: (n,) bool, whether it is AI-generated.
            classes: (n, 8) in the order of CLASSES; -1 = absent. Needed by heads of classes alone.
            manipulation: (n,) which of MANIPULATIONS a face went through, by place; -1 = none.
                Needed by the head of regions alone.
        """
        outputs, distance = self._kept_near(crops) if self._near else (self.outputs(crops), None)
        outputs = gather(outputs, with_gradient=True)
        manipulated = gather(manipulated)
        photographs = ~gather(generated)
        tags = torch.where(photographs[:, None], gather(tags), torch.nan)
        losses = {
            name: ranking_loss(
                self.score(outputs, name), tags[:, RANKED_TAGS.index(name)], self._ranking
            )
            for name in self._ranked
        }
        if self._classes:
            assert classes is not None  # noqa: S101 - whoever asks for such heads gives them
            classes = torch.where(photographs[:, None], gather(classes), -1)
            learnt = len(classes) // 2 if self._ranking.pairs == "halves" else len(classes)
            for name in self._classes:
                known_class = classes[:learnt, list(CLASSES).index(name)]
                losses[name] = class_loss(
                    outputs[:learnt, self.columns[name]], known_class, self._class_loss
                )
        for number, family in enumerate(self.families, start=1):
            # A head tells its family from untouched faces; other families are not its business.
            known = photographs & ((manipulated == 0) | (manipulated == number))
            probability = torch.sigmoid(self.score(outputs, family))
            loss = fidelity_loss(probability, (manipulated == number).to(probability.dtype))
            losses[family] = _mean(loss, known)
        if MANIPULATED_REGIONS in self.names:
            assert manipulation is not None  # noqa: S101 - likewise
            manipulation = gather(manipulation)
            changed = torch.tensor([*REGIONS_OF, (0, 0)], device=manipulation.device)[manipulation]
            known = photographs & ((manipulation >= 0) | (manipulated == 0))
            losses[MANIPULATED_REGIONS] = _mean(
                region_loss(outputs[:, self.columns[MANIPULATED_REGIONS]], changed), known
            )
        if GENERATED_HEAD in self.names:
            loss = nn.functional.binary_cross_entropy_with_logits(
                outputs[:, -1], (~photographs).float(), reduction="none"
            )
            losses[GENERATED_HEAD] = _mean(loss, manipulated == 0)
        if distance is not None:
            losses[NEAR] = distance
        return losses

    def share(self, name: str) -> float:
        """What a loss weighs, by its name."""
        if name in (GENERATED_HEAD, NEAR, MANIPULATED_REGIONS):
            return float(getattr(self._shares, name))
        if name in self._classes:
            return self._shares.classes
        return self._shares.ranking if name in self._ranked else self._shares.manipulation

    def total(self, losses: dict[str, Tensor], weights: Sequence[float] | None = None) -> Tensor:
        """What is to be minimised: the losses of `forward`, each times its share.

        Weights of the heads' losses, in the order of `names`, may stand in the place of shares.
        All but `NEAR` are multiplied by the number of processes.
        """
        shares = weights or [self.share(name) for name in self.names]
        parts = [share * losses[name] for share, name in zip(shares, self.names, strict=True)]
        total = torch.stack(parts).sum() * world_size()
        if NEAR in losses:
            total = total + self.share(NEAR) * losses[NEAR]  # of this process's patches
        return total


def _mean(losses: Tensor, known: Tensor) -> Tensor:
    """Mean of the losses (n,) that are known (n,); 0, with a gradient of 0, where none is."""
    return (losses * known).sum() / known.sum().clamp_min(1)
