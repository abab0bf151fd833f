"""A training step in which the weights of the losses learn before the network does."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager

import torch
from torch import Tensor
from torch.func import functional_call
from torch.optim import Optimizer

from exiface.training.bilevel import LossWeights, derivatives
from exiface.training.distributed import Process
from exiface.training.task import PretextTask

Inputs = tuple[Tensor, ...]  # of PretextTask.forward
Losses = dict[str, Tensor]


class OuterStep:
    """Learns the weights of the losses, then computes gradients with them.

    Each process computes gradients of its own share of a batch, which are averaged here: no
    `DistributedDataParallel` is needed. The optimiser says how fast each parameter learns, and
    decays; `autocast` is the precision to compute in.
    """

    def __init__(
        self,
        task: PretextTask,
        weights: LossWeights,
        optimizer: Optimizer,
        process: Process,
        autocast: Callable[[], AbstractContextManager[object]],
    ) -> None:
        self._task = task
        self._weights = weights
        self._optimizer = optimizer
        self._process = process
        self._autocast = autocast
        learnt = [(name, each) for name, each in task.named_parameters() if each.requires_grad]
        self._names = [name for name, _ in learnt]
        self._parameters = [each for _, each in learnt]

    def __call__(self, inputs: Sequence[Inputs], others: Sequence[Inputs]) -> list[Losses]:
        """Compute gradients for the optimiser, and return the losses of each part.

        The inputs are this process's share of the batch, in parts whose gradients are averaged; the
        others likewise, of other photographs, by which the weights are learnt.
        """
        # A batch in one part goes forward once, and its way back is walked with the former weights
        # and with the new ones. Of several parts each would have to be kept: they go forward twice.
        kept = [self._losses(inputs[0])] if len(inputs) == 1 else None
        former = kept or (self._tried(part, self._parameters) for part in inputs)
        groups = {
            parameter: group
            for group in self._optimizer.param_groups
            for parameter in group["params"]
        }
        along = derivatives(
            lambda values: self._all_losses(inputs, values),
            lambda values: self._primary(others, values),
            self._parameters,
            self._gradients(former, len(inputs), again=kept is not None),
            [groups[each]["lr"] for each in self._parameters],
            decay=groups[self._parameters[0]]["weight_decay"],
            derivative=self._weights.settings.derivative,
            mean=self._process.mean,
            total=self._process.total,
        )
        self._weights.learn(along)
        done: list[Losses] = []

        def parts() -> Iterator[Losses]:
            for losses in kept or map(self._losses, inputs):
                done.append({name: loss.detach() for name, loss in losses.items()})
                yield losses

        gradients = self._gradients(parts(), len(inputs), again=False)
        for parameter, gradient in zip(self._parameters, gradients, strict=True):
            parameter.grad = gradient
        return done

    def _losses(self, inputs: Inputs, tensors: dict[str, Tensor] | None = None) -> Losses:
        """The losses, of the task as it is or with other tensors by name."""
        with self._autocast():
            found: Losses = functional_call(self._task, tensors or {}, inputs)
            return found

    def _tried(self, inputs: Inputs, values: Sequence[Tensor]) -> Losses:
        """The losses with other parameters; statistics of batches move in copies alone."""
        buffers = {name: buffer.clone() for name, buffer in self._task.named_buffers()}
        return self._losses(inputs, dict(zip(self._names, values, strict=True)) | buffers)

    def _all_losses(self, inputs: Sequence[Inputs], values: Sequence[Tensor]) -> Tensor:
        """Each loss (k,) with other parameters, averaged over the parts."""
        parts = [self._tried(part, values) for part in inputs]
        names = self._weights.names
        return torch.stack([torch.stack([part[name] for name in names]) for part in parts]).mean(0)

    def _primary(self, others: Sequence[Inputs], values: Sequence[Tensor]) -> Tensor:
        """The primary loss with other parameters, times the number of processes."""
        name = self._weights.settings.primary
        losses = torch.stack([self._tried(part, values)[name] for part in others])
        return losses.mean() * self._process.world_size

    def _gradients(self, parts: Iterable[Losses], number: int, *, again: bool) -> list[Tensor]:
        """Gradients of the weighted losses, averaged over parts and processes."""
        sums: list[Tensor] = []
        for losses in parts:
            total = self._task.total(losses, self._weights.values.tolist()) / number
            found = torch.autograd.grad(
                total, self._parameters, retain_graph=again, materialize_grads=True
            )
            sums = [a + b for a, b in zip(sums, found, strict=True)] if sums else list(found)
        self._process.mean(sums)
        return sums
