"""The encoder of whole images: patches -> residuals -> covariances -> attention over the patches.

Source: SDAIE (arXiv 2512.05651) and its released program. Modules are called as in the published
files.
"""

from collections import OrderedDict

import torch
from torch import Tensor, nn
from torch.nn import functional

from exiface.encoders.image_encoder import ImageEncoder
from exiface.encoders.token_attention import HEADS, LAYERS
from exiface.papers.sdaie.residuals import NUMBER, SIDE, filters
from exiface.photos.patches import Pooling

PATCH = 64  # px, fixed by the layer norms, which have a weight a position
CHANNELS = 32
LENGTH = CHANNELS * (CHANNELS + 1) // 2  # of a token and of the feature: 528
_CLAMP = 5.0
_ROOT_STEPS = 5  # of Newton and Schulz; not converged, so an exact root gives other features
_HEAD_LENGTH, _HIDDEN = 16, 128


class PatchEncoder(ImageEncoder):
    """Features of whole images from patches of them.

    Args:
        pooling: what an image's feature is, of the tokens that its patches become: their mean, or
            the first, as published. Without a class token or positions the first is that of the
            patch at the top left.
    """

    def __init__(self, pooling: Pooling = "mean") -> None:
        super().__init__()
        self.pooling = pooling
        self.group1 = nn.ModuleDict({"hpf": _Residuals()})
        self.group1_b = nn.Sequential(*_block(3 * NUMBER, PATCH)[:2])
        self.group2 = nn.Sequential(*(layer for _ in range(4) for layer in _block(CHANNELS, PATCH)))
        self.group3, self.group4, self.group5 = (
            nn.Sequential(*(layer for _ in range(2) for layer in _block(CHANNELS, PATCH // shrunk)))
            for shrunk in (2, 4, 8)
        )
        self.transformer = Attention()

    @property
    def attention(self) -> nn.Module:
        """The transformer, which has its published name here."""
        return self.transformer

    def maps(self, patches: Tensor) -> list[Tensor]:
        """Give what patches (n, 3, 64, 64) become on their way, which the binary detector compares.

        Returns:
            f1 (n, 32, 32, 32), f2 (n, 32, 16, 16), f3 and f4 (n, 32, 8, 8), and the tokens f5
            (n, 528).
        """
        residuals, (convolution, norm) = self.group1["hpf"], self.group1_b
        # As made above.
        assert isinstance(residuals, _Residuals) and isinstance(convolution, nn.Conv2d)  # noqa: S101
        filtered = norm(residuals.convolved(patches, convolution))
        first = _pooled(self.group2(filtered.clamp(-_CLAMP, _CLAMP)))
        second = _pooled(self.group3(first))
        third = _pooled(self.group4(second))
        fourth = self.group5(third)
        return [first, second, third, fourth, triangle(matrix_root(covariance(fourth)))]

    def tokens(self, patches: Tensor) -> Tensor:
        """Tokens (n, 528) of normalised patches (n, 3, 64, 64), each by itself."""
        return self.maps(patches)[-1]

    def feature(self, tokens: Tensor) -> Tensor:
        """Features (b, 528) of the tokens (b, p, 528) of so many images' patches."""
        attended: Tensor = self.transformer(tokens)
        return attended.mean(1) if self.pooling == "mean" else attended[:, 0]


class _Residuals(nn.Module):
    """The fixed filters on each channel; part of the weights, and not trained."""

    weight: Tensor

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("weight", torch.from_numpy(filters())[:, None])

    def forward(self, patches: Tensor) -> Tensor:
        """Residuals (n, 90, 64, 64), those of a channel together."""
        kernels = self.weight.repeat(3, 1, 1, 1)
        return functional.conv2d(patches, kernels, padding=SIDE // 2, groups=3)

    def convolved(self, patches: Tensor, convolution: nn.Conv2d) -> Tensor:
        """The residuals (n, 90, 64, 64) convolved 3 x 3, a fifth of the multiplications.

        A filter and a convolution after it are one convolution of 7 x 7. They differ at the border
        alone: between the two the residuals are padded with zeros, where the filters, had they been
        asked, would have given what the border gives. That is taken off again.
        """
        kernels = self.weight.repeat(3, 1, 1, 1)
        weight = convolution.weight
        joined = functional.conv_transpose2d(weight, kernels, groups=3)
        result = functional.conv2d(patches, joined, convolution.bias, padding=SIDE // 2 + 1)
        padded = functional.pad(patches, [SIDE // 2 + 1] * 4)

        def beyond(strip: Tensor, kernel: Tensor, padding: tuple[int, int]) -> Tensor:
            residuals = functional.conv2d(strip, kernels, groups=3)
            return functional.conv2d(residuals, kernel, padding=padding)

        rows = [
            beyond(padded[:, :, :SIDE], weight[:, :, :1], (0, 0)),
            beyond(padded[:, :, -SIDE:], weight[:, :, 2:], (0, 0)),
        ]
        result = _less_at_ends(result, rows, 2)
        # The corners went with the rows.
        columns = [
            beyond(padded[:, :, 1:-1, :SIDE], weight[..., :1], (1, 0)),
            beyond(padded[:, :, 1:-1, -SIDE:], weight[..., 2:], (1, 0)),
        ]
        return _less_at_ends(result, columns, 3)


def _less_at_ends(maps: Tensor, ends: list[Tensor], dimension: int) -> Tensor:
    """Maps less what stands at their first and last place of a dimension."""
    first, middle, last = maps.split([1, maps.shape[dimension] - 2, 1], dimension)
    return torch.cat([first - ends[0], middle, last - ends[1]], dimension)


class Attention(nn.Module):
    """Two layers of attention over tokens, without positions: their order says nothing."""

    def __init__(self) -> None:
        super().__init__()
        self.layers = nn.ModuleList(
            nn.ModuleList([_Residual(_SelfAttention()), _Residual(_perceptron())])
            for _ in range(LAYERS)
        )

    def forward(self, tokens: Tensor) -> Tensor:
        """Tokens (b, p, 528) -> tokens (b, p, 528)."""
        for layer in self.layers:
            assert isinstance(layer, nn.ModuleList)  # noqa: S101 - as made above
            for part in layer:
                tokens = tokens + part(tokens)
        return tokens


class _Residual(nn.Module):
    """A function of normalised tokens, which is added to them."""

    def __init__(self, fn: nn.Module) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(LENGTH)
        self.fn = fn

    def forward(self, tokens: Tensor) -> Tensor:
        result: Tensor = self.fn(self.norm(tokens))
        return result


class _SelfAttention(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.to_qkv = nn.Linear(LENGTH, 3 * HEADS * _HEAD_LENGTH, bias=False)
        self.to_out = nn.Sequential(nn.Linear(HEADS * _HEAD_LENGTH, LENGTH))

    def forward(self, tokens: Tensor) -> Tensor:
        query, key, value = (
            each.unflatten(2, (HEADS, _HEAD_LENGTH)).transpose(1, 2)
            for each in self.to_qkv(tokens).chunk(3, dim=-1)
        )
        weights = (query @ key.transpose(2, 3) * _HEAD_LENGTH**-0.5).softmax(-1)
        result: Tensor = self.to_out((weights @ value).transpose(1, 2).flatten(2))
        return result


def _perceptron() -> nn.Module:
    layers = nn.Linear(LENGTH, _HIDDEN), nn.GELU(), nn.Identity(), nn.Linear(_HIDDEN, LENGTH)
    return nn.Sequential(OrderedDict(net=nn.Sequential(*layers)))


def _block(channels: int, side: int) -> tuple[nn.Module, nn.Module, nn.Module]:
    """A convolution, a layer norm with a weight a position, and a rectifier."""
    return (
        nn.Conv2d(channels, CHANNELS, 3, padding=1),
        nn.LayerNorm((CHANNELS, side, side)),
        nn.ReLU(),
    )


def _pooled(maps: Tensor) -> Tensor:
    return functional.avg_pool2d(maps, 3, stride=2, padding=1)


def covariance(maps: Tensor) -> Tensor:
    """Compute the biased covariances (n, c, c) of the channels of maps (n, c, h, w)."""
    values = maps.flatten(2)
    values = values - values.mean(2, keepdim=True)
    return values @ values.transpose(1, 2) / values.shape[2]


def matrix_root(matrices: Tensor) -> Tensor:
    """Take five steps of Newton and Schulz towards the root of semi-definite matrices (n, c, c).

    A matrix of zeros is its own root.

    Source: Li et al., Towards faster training of global covariance pooling networks (CVPR 2018),
    equations 2 to 6.
    """
    trace = matrices.diagonal(dim1=1, dim2=2).sum(1)[:, None, None]
    trace = torch.where(trace > 0, trace, torch.ones_like(trace))
    three = 3 * torch.eye(matrices.shape[-1], dtype=matrices.dtype, device=matrices.device)
    root, inverse = matrices / trace, three / 3
    for _ in range(_ROOT_STEPS):
        step = (three - inverse @ root) / 2
        root, inverse = root @ step, step @ inverse
    return root * trace.sqrt()


def triangle(matrices: Tensor) -> Tensor:
    """Take the upper triangles (n, c (c + 1) / 2) of matrices (n, c, c), row by row."""
    row, column = torch.triu_indices(*matrices.shape[1:], device=matrices.device)
    return matrices[:, row, column]
