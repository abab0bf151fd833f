"""One process, or several under `torchrun`: gloo on CPUs, nccl on GPUs."""

import contextlib
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, distributed


@dataclass(frozen=True, slots=True)
class Process:
    """One process among those that train together."""

    rank: int  #: 0 is the one that writes.
    world_size: int  #: how many processes there are.
    device: torch.device  #: what it computes on.

    @property
    def writes(self) -> bool:
        """Whether this process writes files and reports."""
        return self.rank == 0

    def wait(self) -> None:
        """Wait until all processes have come here."""
        if self.world_size > 1:
            distributed.barrier()

    def total(self, tensors: Sequence[Tensor]) -> None:
        """Add up tensors over all processes, in place."""
        if self.world_size > 1:
            flat = torch.cat([each.reshape(-1) for each in tensors])
            distributed.all_reduce(flat)
            parts = flat.split([each.numel() for each in tensors])
            for tensor, part in zip(tensors, parts, strict=True):
                tensor.copy_(part.view_as(tensor))

    def mean(self, tensors: Sequence[Tensor]) -> None:
        """Average tensors over all processes, in place."""
        self.total(tensors)
        for tensor in tensors:
            tensor.div_(self.world_size)


@contextlib.contextmanager
def process_group() -> Iterator[Process]:
    """Join the processes that `torchrun` started; alone, where it didn't."""
    world_size = int(os.environ.get("WORLD_SIZE", "1"))
    rank = int(os.environ.get("RANK", "0"))
    if torch.cuda.is_available():
        local = int(os.environ.get("LOCAL_RANK", "0")) % torch.cuda.device_count()
        torch.cuda.set_device(local)
        device = torch.device("cuda", local)
    else:
        device = torch.device("cpu")
    if world_size == 1:
        yield Process(0, 1, device)
        return
    distributed.init_process_group("nccl" if device.type == "cuda" else "gloo")
    try:
        yield Process(rank, world_size, device)
    finally:
        distributed.destroy_process_group()


def world_size() -> int:
    """How many processes train together."""
    return distributed.get_world_size() if distributed.is_initialized() else 1


def gather(values: Tensor, *, with_gradient: bool = False) -> Tensor:
    """The values of all processes, in order of rank; with gradients through this process's own."""
    if world_size() == 1:
        return values
    parts = [torch.empty_like(values) for _ in range(world_size())]
    distributed.all_gather(parts, values.detach().contiguous())
    if with_gradient:
        parts[distributed.get_rank()] = values
    return torch.cat(parts)
