"""Trains a small encoder; started in processes of its own, by torchrun or to be killed."""

import sys
from pathlib import Path

import torch
from torch import nn

from exiface.datasets import Manifest
from exiface.encoders import architectures
from exiface.encoders.architectures import Architecture
from exiface.pretext import read_config, train
from exiface.pretext.distributed import process_group


def build() -> nn.Module:
    """Few parameters; batch normalisation (state beyond parameters) unless switched off."""
    return nn.Sequential(
        nn.Conv2d(3, 8, 3, stride=4),
        nn.BatchNorm2d(8) if NORMALISE else nn.GroupNorm(2, 8),
        nn.ReLU(),
        nn.AdaptiveAvgPool2d(2),
        nn.Flatten(),
        nn.Linear(32, 16),
    )


if __name__ == "__main__":
    manifest, run, normalise, *settings = sys.argv[1:]
    NORMALISE = normalise == "batch"
    torch.set_num_threads(1)
    architectures.ARCHITECTURES["compact"] = Architecture(build, 16, 32, "5.")
    with process_group() as process:
        train(
            read_config(None, settings),
            Manifest.read(Path(manifest)),
            Path(run),
            process,
            report=lambda step, *_: print(f"step {step}", flush=True),
        )
