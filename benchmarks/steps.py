"""Training steps on a CPU: in bfloat16 against float32, and with our gradients against torch's."""

from collections.abc import Callable

import torch

from benchmarks.table import Row, in_turn, row
from exiface.encoders.architectures import ARCHITECTURES
from exiface.encoders.own_pixels import OwnPixelsEncoder
from exiface.training.train_step import multiplies_bfloat16


def steps(network: torch.nn.Module, batch: torch.Tensor, bfloat16: bool) -> Callable[[], None]:
    """A training step of the network on the batch."""
    batch = batch.contiguous(memory_format=torch.channels_last)
    network = network.to(memory_format=torch.channels_last).train()
    optimizer = torch.optim.Adam(network.parameters())

    def step() -> None:
        optimizer.zero_grad()
        with torch.autocast("cpu", torch.bfloat16, enabled=bfloat16):
            features = network(batch)
        features.float().square().mean().backward()
        optimizer.step()

    return step


def training() -> list[Row]:
    """A training step of each architecture in bfloat16 against float32, on CPUs that have it."""
    if not multiplies_bfloat16(torch.device("cpu")):
        return []
    rows = []
    for name, architecture in ARCHITECTURES.items():
        if architecture.subject == "image":
            continue
        batch = torch.randn(16, 3, architecture.size, architecture.size)
        network = architecture.build()
        both = [steps(network, batch, bfloat16) for bfloat16 in (True, False)]
        figures = in_turn(*both, rounds=5)
        what = f"training {name}, bfloat16, batch 16"
        rows.append(row(what, "faces a second", figures, "float32", work=16))
    return rows


def depthwise() -> Row:
    """A training step with our gradient of strided depthwise convolutions, against torch's."""
    batch = torch.randn(32, 3, 160, 160)
    bfloat16 = multiplies_bfloat16(torch.device("cpu"))
    ours, plain = OwnPixelsEncoder(), OwnPixelsEncoder()
    for module in plain.modules():
        if isinstance(module, torch.nn.Conv2d):
            module.__class__ = torch.nn.Conv2d
    figures = in_turn(*(steps(each, batch, bfloat16) for each in (ours, plain)), rounds=5)
    what = f"training own-pixels, windows of 160 px, {'bfloat16' if bfloat16 else 'float32'}"
    return row(what, "windows a second", figures, "with torch's own gradients", work=32)
