"""An encoder of textures at several depths and of how a face differs from its mirror image."""

from typing import ClassVar

import torch
from torch import Tensor, nn
from torchvision.models import mobilenet_v2

_EPSILON = 1e-6


class MirroredEncoder(nn.Module):
    """MobileNetV2, read at six depths, of a face and of its mirror image.

    The features are, each averaged over both images and so blind to left and right, the means and
    standard deviations over positions of the maps at the five shallower depths; for each depth the
    logarithms of the distance between the two images' maps (root mean square) and between their
    means (one minus the cosine); the means of the deepest maps. Each is scaled by what training
    saw.

    Generated faces are more symmetric than photographs of faces, in pose, light and expression, and
    no manipulation of pixels teaches that as directly as the comparison itself.
    """

    DEPTHS: ClassVar[tuple[int, ...]] = (1, 3, 6, 10, 13, 18)  # layers of `features`
    CHANNELS: ClassVar[tuple[int, ...]] = (16, 24, 32, 64, 96, 1280)
    TEXTURES: ClassVar[int] = 2 * sum(CHANNELS[:-1])  # leading features: textures, no objects
    ASYMMETRIES: ClassVar[int] = 2 * len(DEPTHS)  # the features after them
    LENGTH: ClassVar[int] = TEXTURES + ASYMMETRIES + CHANNELS[-1]

    def __init__(self) -> None:
        super().__init__()
        self.features = mobilenet_v2(weights=None).features
        self.scale = nn.BatchNorm1d(self.LENGTH, affine=False, momentum=0.02)

    def forward(self, crops: Tensor) -> Tensor:
        """Features (n, LENGTH) of normalised crops (n, 3, s, s)."""
        seen, mirrored = crops, crops.flip(3)
        textures: list[Tensor] = []
        distances: list[Tensor] = []
        cosines: list[Tensor] = []
        for depth, layer in enumerate(self.features):
            seen, mirrored = layer(seen), layer(mirrored)
            if depth not in self.DEPTHS:
                continue
            means = seen.mean((2, 3)), mirrored.mean((2, 3))
            if depth != self.DEPTHS[-1]:
                deviations = _deviation(seen, means[0]), _deviation(mirrored, means[1])
                textures += [_mean(*means), _mean(*deviations)]
            distances.append((seen - mirrored).square().mean((1, 2, 3)))
            # One minus the cosine, without the cancellation of that form.
            directions = [nn.functional.normalize(each, dim=1) for each in means]
            cosines.append((directions[0] - directions[1]).square().sum(1) / 2)
        asymmetries = torch.stack([*distances, *cosines], 1)
        values = torch.cat(
            [*textures, (asymmetries.clamp_min(0) + _EPSILON).log(), _mean(*means)], 1
        )
        scaled: Tensor = self.scale(values)
        return scaled


def _mean(first: Tensor, second: Tensor) -> Tensor:
    return (first + second) / 2


def _deviation(maps: Tensor, means: Tensor) -> Tensor:
    """Standard deviation over positions (n, c) of maps (n, c, h, w) with these means."""
    return ((maps - means[:, :, None, None]).square().mean((2, 3)) + _EPSILON).sqrt()


def symmetry() -> dict[str, Tensor]:
    """The direction "symmetry" (LENGTH,): how little face and mirror image differ deepest down.

    The shallower the depth, the more it compares pixels rather than faces: how smooth and how well
    lit an image is decides there.
    """
    depths = len(MirroredEncoder.DEPTHS)
    direction = torch.zeros(MirroredEncoder.LENGTH)
    asymmetries = direction[MirroredEncoder.TEXTURES :][: MirroredEncoder.ASYMMETRIES]
    asymmetries.view(2, depths)[:, -1] = -1
    return {"symmetry": direction}
