"""Trains a small encoder; started in processes of its own, by torchrun or to be killed."""

import sys
from pathlib import Path

import torch
from torch import nn

from exiface.datasets import Manifest
from exiface.encoders.architectures import ARCHITECTURES, Architecture
from exiface.pretext import read_config, train
from exiface.pretext.distributed import process_group


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


if __name__ == "__main__":
    manifest, run, normalisation, *settings = sys.argv[1:]
    torch.set_num_threads(1)
    ARCHITECTURES["compact"] = small(normalisation)
    with process_group() as process:
        train(
            read_config(None, settings),
            Manifest.read(Path(manifest)),
            Path(run),
            process,
            report=lambda step, *_: print(f"step {step}", flush=True),
        )
