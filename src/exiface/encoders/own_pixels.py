"""MobileNetV2 at own pixels: over a face of any size, or over windows of a whole image."""

from typing import Any

import torch
from torch import Tensor, nn
from torch.autograd.function import once_differentiable
from torch.nn import functional
from torch.nn.grad import conv2d_weight
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
        for module in self.features.modules():
            if isinstance(module, nn.Conv2d) and module.groups > 1 and module.stride == (2, 2):
                module.__class__ = _StridedDepthwise

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


class _StridedDepthwise(nn.Conv2d):
    """A depthwise convolution of stride 2 whose gradient is fast on CPUs.

    Their libraries take a fifth of MobileNetV2's training step for the input's gradient of the four
    of them. It equals the convolution of stride 1 of the output's gradient with zeros between.
    """

    def forward(self, maps: Tensor) -> Tensor:
        if not self.training or maps.device.type != "cpu":
            return super().forward(maps)
        weight = self.weight
        if torch.is_autocast_enabled("cpu"):
            dtype = torch.get_autocast_dtype("cpu")
            maps, weight = maps.to(dtype), weight.to(dtype)
        result: Tensor = _Strided.apply(maps, weight)
        return result


class _Strided(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, maps: Tensor, weight: Tensor) -> Tensor:
        ctx.save_for_backward(maps, weight)
        ctx.save_for_forward(maps, weight)
        padding = weight.shape[-1] // 2
        return functional.conv2d(maps, weight, None, 2, padding, groups=len(weight))

    @staticmethod
    def jvp(ctx: Any, of_maps: Tensor, of_weight: Tensor) -> Tensor:
        maps, weight = ctx.saved_tensors
        padding = weight.shape[-1] // 2
        along = functional.conv2d(of_maps, weight, None, 2, padding, groups=len(weight))
        return along + functional.conv2d(maps, of_weight, None, 2, padding, groups=len(weight))

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, Tensor]:
        maps, weight = ctx.saved_tensors
        padding = weight.shape[-1] // 2
        spread = torch.zeros_like(maps)
        spread[:, :, ::2, ::2] = gradient
        of_maps = functional.conv2d(spread, weight.flip(2, 3), None, 1, padding, groups=len(weight))
        of_weight = conv2d_weight(maps, weight.shape, gradient, 2, padding, groups=len(weight))
        return of_maps, of_weight
