"""Training steps on a CPU: in bfloat16 against float32."""

from collections.abc import Callable

import torch

from benchmarks.table import Row, in_turn, row
from exiface.encoders.architectures import ARCHITECTURES
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
