"""Trains a small encoder, in processes of its own: two together, or one to be killed."""

from pathlib import Path

import torch
from torch import nn

from exiface.datasets import Manifest
from exiface.encoders.architectures import ARCHITECTURES, Architecture
from exiface.training import read_config, train
from exiface.training.distributed import process_group


def small(normalisation: str = "batch", *, largest: int | None = None) -> Architecture:
    """Few parameters; batch normalisation (state beyond parameters) unless it is to be "group"."""

    def build() -> nn.Module:
        return nn.Sequential(
            nn.Conv2d(3, 8, 3, stride=4),
            nn.BatchNorm2d(8) if normalisation == "batch" else nn.GroupNorm(2, 8),
            nn.ReLU(),
            nn.AdaptiveAvgPool2d(2),
            nn.Flatten(),
            nn.Linear(32, 16),
        )

    return Architecture(build, 16, 32, "5.", largest=largest)


def run(manifest: Path, folder: Path, normalisation: str, settings: list[str]) -> None:
    """Train, alone or in the process group that this process was started for."""
    torch.set_num_threads(1)
    ARCHITECTURES["compact"] = small(normalisation)
    with process_group() as process:
        train(read_config(None, settings), Manifest.read(manifest), folder, process)
