"""MobileNetV2 over windows of a whole image, at its own pixels."""

from torch import Tensor

from exiface.encoders.image_encoder import ImageEncoder
from exiface.encoders.own_pixels import OwnPixelsEncoder
from exiface.photos.patches import Pooling

WINDOW = 224  # px, the side of a window in use; training may look at smaller ones
_DEPTHS = (1, 3, 6, 13)  # after which the maps are compared; 2, 4, 8 and 16 times smaller


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
