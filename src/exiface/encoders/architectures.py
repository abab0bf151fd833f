"""The encoders that can be trained: as published for faces and whole images, and three for CPUs."""

from collections.abc import Callable
from dataclasses import dataclass

from torch import Tensor, nn
from torchvision.models import mobilenet_v2, resnet50

from exiface.choices import Subject
from exiface.encoders.description import PATCHES
from exiface.encoders.mirrored import MirroredEncoder, symmetry
from exiface.encoders.own_pixels import WINDOW, OwnPixelsEncoder, WindowEncoder
from exiface.named import by_name
from exiface.photos import Preprocessing

Channels = tuple[float, float, float]
_PUBLISHED = Preprocessing(224)


@dataclass(frozen=True, slots=True)
class Architecture:
    """One kind of encoder that can be trained."""

    #: makes the network, freshly initialised: (n, 3, s, s), or patches (n, p, 3, s, s) of whole
    #: images -> (n, features).
    build: Callable[[], nn.Module]
    features: int  #: length of the feature vector.
    #: side s of its input in pixels; where crops keep their own pixels, the smallest side.
    size: int
    last_layer: str  #: prefix of the parameters that make features of the backbone's output.
    subject: Subject = "face"  #: what it looks at.
    #: None = every crop is resized to `size`; otherwise crops keep their own pixels, up to this
    #: side.
    largest: int | None = None
    #: how many leading features the heads of the pretext task read; None = all.
    read: int | None = None
    #: weights over the features that the architecture itself knows to be of use, by name, beside
    #: those of the heads.
    directions: Callable[[], dict[str, Tensor]] = dict
    mean: Channels = _PUBLISHED.mean  #: of each channel of the pixels, see `Preprocessing`.
    std: Channels = _PUBLISHED.std  #: of each channel, likewise.

    def preprocessing(
        self, crop_scale: float = _PUBLISHED.crop_scale, largest: int | None = None
    ) -> Preprocessing:
        """How a face becomes its input, in crops that are this much larger than the face's box.

        At own pixels, crops are shrunk to the side `largest` in place of the architecture's.
        """
        return Preprocessing(self.size, crop_scale, self.mean, self.std, largest or self.largest)


class UnitLength(nn.Module):
    """An encoder whose features are scaled to unit length."""

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network

    def forward(self, crops: Tensor) -> Tensor:
        """Features (n, d) of unit length, of crops (n, 3, s, s)."""
        return nn.functional.normalize(self.network(crops), dim=1)


def _resnet50() -> nn.Module:
    network: nn.Module = resnet50(weights=None)
    network.fc = nn.Linear(2048, 768)
    return network


def _compact() -> nn.Module:
    network: nn.Module = mobilenet_v2(weights=None)
    network.classifier = nn.Linear(1280, 256)
    return network


def _patches() -> nn.Module:
    network: nn.Module = by_name("exiface.papers.sdaie.network:PatchEncoder")()
    return network


ARCHITECTURES: dict[str, Architecture] = {
    # The published encoder (Zou et al., arXiv 2501.02207).
    "resnet50": Architecture(_resnet50, features=768, size=224, last_layer="fc."),
    # MobileNetV2 at 128 px: most faces in photographs have no more pixels than that.
    "compact": Architecture(_compact, features=256, size=128, last_layer="classifier."),
    # MobileNetV2 at 224 px: what its maps hold at six depths, and how far a face and its mirror
    # image differ there.
    "mirrored": Architecture(
        MirroredEncoder,
        features=MirroredEncoder.LENGTH,
        size=224,
        last_layer="scale.",
        read=MirroredEncoder.TEXTURES,
        directions=symmetry,
    ),
    # MobileNetV2 at the crop's own pixels: resizing would blur what a generator has left in them.
    "own-pixels": Architecture(
        OwnPixelsEncoder,
        features=OwnPixelsEncoder.LENGTH,
        size=160,
        last_layer="classifier.",  # ImageNet's, which this encoder does without
        largest=384,
    ),
    # The published encoder of whole images (SDAIE, arXiv 2512.05651).
    PATCHES: Architecture(
        _patches, features=528, size=64, last_layer="transformer.", subject="image"
    ),
    # MobileNetV2 over windows of whole images, at their own pixels.
    "windows": Architecture(
        WindowEncoder,
        features=WindowEncoder.LENGTH,
        size=WINDOW,
        last_layer="classifier.",
        subject="image",
    ),
}
