"""Photographs decoded by a text-to-image system: generated faces that are made here.

Encoding and decoding changes hardly anything that people see, and leaves what the decoder of such a
system leaves in all that it draws. Content, framing and sharpness are those of the photograph, so
that nothing else tells the two apart.
"""

from pathlib import Path

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn


class _Block(nn.Module):
    def __init__(self, *, coarse: bool) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        for _ in range(2):
            layers += [_convolution(64, 64), nn.ReLU()]
        self.conv = nn.Sequential(*layers, _convolution(64, 64))
        self.pool = None
        if coarse:
            self.pool = nn.Sequential(
                nn.Conv2d(64, 256, 1, bias=False),
                nn.GroupNorm(4, 256),
                nn.ReLU(),
                nn.Conv2d(256, 64, 1, bias=False),
            )

    def forward(self, maps: Tensor) -> Tensor:
        if self.pool is not None:
            maps = maps + self.pool(maps)
        return torch.relu(self.conv(maps) + maps)


class _Clamp(nn.Module):
    def forward(self, maps: Tensor) -> Tensor:
        return 3 * torch.tanh(maps / 3)


def _convolution(inputs: int, outputs: int, *, stride: int = 1, bias: bool = True) -> nn.Conv2d:
    return nn.Conv2d(inputs, outputs, 3, stride=stride, padding=1, bias=bias)


def _encoder() -> nn.Sequential:
    layers: list[nn.Module] = [_convolution(3, 64), _Block(coarse=False)]
    for scale in range(3):
        layers.append(_convolution(64, 64, stride=2, bias=False))
        layers += [_Block(coarse=scale == 2) for _ in range(3)]
    return nn.Sequential(*layers, _convolution(64, 32))


def _decoder() -> nn.Sequential:
    layers: list[nn.Module] = [_Clamp(), _convolution(32, 64), nn.ReLU()]
    layers += [_Block(coarse=True) for _ in range(3)]
    for scale in range(3):
        layers += [nn.Upsample(scale_factor=2), _convolution(64, 64, bias=False)]
        layers += [_Block(coarse=False) for _ in range(3 if scale < 2 else 1)]
    return nn.Sequential(*layers, _convolution(64, 3))


class Autoencoder:
    """Encodes a face and decodes it again: 8 times smaller, 32 latent channels.

    Args:
        folder: with taef2_encoder.pth and taef2_decoder.pth (TAEF2, MIT).
    """

    def __init__(self, folder: Path) -> None:
        self._parts: list[nn.Module] = []
        for network, name in ((_encoder(), "encoder"), (_decoder(), "decoder")):
            weights = torch.load(folder / f"taef2_{name}.pth", weights_only=True)
            network.load_state_dict({key: value.float() for key, value in weights.items()})
            self._parts.append(network.eval())

    @torch.inference_mode()
    def __call__(self, face: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """Resynthesise a face (h, w, 3) uint8; up to 7 px at its right and bottom are cut off."""
        height, width = (length // 8 * 8 for length in face.shape[:2])
        maps = torch.from_numpy(face[:height, :width].copy()).permute(2, 0, 1)[None].float() / 255
        for part in self._parts:
            maps = part(maps)
        pixels = maps[0].clamp(0, 1).permute(1, 2, 0).numpy()
        return np.asarray(cv2.convertScaleAbs(pixels, alpha=255), np.uint8)
