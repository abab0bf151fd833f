"""MobileNetV2 at own pixels: over a face of any size, or over windows of a whole image."""

import torch
from torch import Tensor, nn
from torchvision.models import mobilenet_v2

from exiface.encoders.image_encoder import ImageEncoder
from exiface.photos.patches import Pooling

WINDOW = 256  # px, the side of a window in use; training may look at smaller ones
_DEPTHS = (1, 3, 6, 13)  # after which the maps are compared; 2, 4, 8 and 16 times smaller


class OwnPixelsEncoder(nn.Module):
    """The means over positions of MobileNetV2's deepest maps, of crops of any size.

    In use they are averaged over the face and its mirror image, since a face has no handedness;
    training mirrors at random instead.
    """

    LENGTH = 1280

    def __init__(self) -> None:
        super().__init__()
        self.features = mobilenet_v2(weights=None).features

    def forward(self, crops: Tensor) -> Tensor:
        """Features (n, 1280) of normalised crops (n, 3, h, w)."""
        if not self.training:
            crops = torch.cat([crops, crops.flip(3)])
        features: Tensor = self.features(crops).mean((2, 3))
        return features if self.training else features.unflatten(0, (2, -1)).mean(0)


class WindowEncoder(ImageEncoder, OwnPixelsEncoder):
    """The means over windows of what `OwnPixelsEncoder` makes of each, not mirrored."""

    pooling: Pooling = "mean"

    def maps(self, patches: Tensor) -> list[Tensor]:
        """What windows (n, 3, s, s) become on their way: maps at four depths, and the tokens."""
        found = []
        for depth, layer in enumerate(self.features):
            patches = layer(patches)
            if depth in _DEPTHS:
                found.append(patches)
        return [*found, patches.mean((2, 3))]

    def tokens(self, patches: Tensor) -> Tensor:
        """Tokens (n, 1280) of normalised windows (n, 3, s, s), each by itself."""
        maps: Tensor = self.features(patches)
        return maps.mean((2, 3))

    def feature(self, tokens: Tensor) -> Tensor:
        """Features (b, 1280) of the tokens (b, p, 1280) of so many images' windows."""
        return tokens.mean(1)
