"""Everything that a run needs to go on, in one file that is whole or not there.

Tensors lie in safetensors, the rest as JSON in its header. Random numbers need no state: every
draw is seeded by its position (see `exiface.datasets.batches`), so the step is enough.
"""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor, nn
from torch.optim import Optimizer

from exiface.errors import UserError
from exiface.training.bilevel import LossWeights

CHECKPOINT_FILE = "checkpoint.safetensors"
_VERSION = 1


class CheckpointError(UserError):
    """A checkpoint that is damaged, or belongs to another run."""


@dataclass(frozen=True)
class Learning:
    """What a run changes as it goes.

    Attributes:
        task: its parameters and buffers.
        optimizer: of those parameters of the task that learn.
        average: moving average of the task, where one is kept.
        weights: of the losses, where they are learnt.
    """

    task: nn.Module
    optimizer: Optimizer
    average: nn.Module | None = None
    weights: LossWeights | None = None


def save_checkpoint(run: Path, learning: Learning, step: int, identity: str) -> None:
    """Write the state after `step` steps, replacing the checkpoint before it at once.

    Args:
        run: folder of the run.
        learning: what is to be kept.
        step: steps done.
        identity: of settings and data; a checkpoint of another one isn't resumed.
    """
    tensors = {f"task.{name}": tensor for name, tensor in learning.task.state_dict().items()}
    if learning.average is not None:
        average = learning.average.state_dict()
        tensors |= {f"average.{name}": tensor for name, tensor in average.items()}
    for index, state in learning.optimizer.state_dict()["state"].items():
        tensors |= {f"optimizer.{index}.{name}": tensor for name, tensor in state.items()}
    if learning.weights is not None:
        weights = learning.weights.state()
        tensors |= {f"weights.{name}": tensor for name, tensor in weights.items()}
    described = {"version": _VERSION, "step": step, "identity": identity}
    partial = run / (CHECKPOINT_FILE + ".partial")
    save_file(
        {name: tensor.detach().cpu().contiguous() for name, tensor in tensors.items()},
        partial,
        metadata={"exiface": json.dumps(described)},
    )
    partial.replace(run / CHECKPOINT_FILE)


def load_checkpoint(run: Path, learning: Learning, identity: str) -> int:
    """Restore the state of a run, if it has a checkpoint.

    Returns:
        Steps done; 0 without a checkpoint.

    Raises:
        CheckpointError: damaged, of another version, or of other settings or data.
    """
    path = run / CHECKPOINT_FILE
    if not path.exists():
        return 0
    try:
        with safe_open(path, framework="pt") as file:
            described: dict[str, Any] = json.loads((file.metadata() or {}).get("exiface", "{}"))
            tensors: dict[str, Tensor] = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    except (SafetensorError, ValueError) as error:
        raise CheckpointError(f"{path} is damaged ({error}); delete it to start anew") from None
    if described.get("version") != _VERSION or described.get("identity") != identity:
        raise CheckpointError(
            f"{path} was made with other settings, photographs or version; "
            "train into another folder, or delete this one to start anew"
        )

    def part(prefix: str) -> dict[str, Tensor]:
        start = f"{prefix}."
        return {
            name.removeprefix(start): each
            for name, each in tensors.items()
            if name.startswith(start)
        }

    learning.task.load_state_dict(part("task"))
    if learning.average is not None:
        learning.average.load_state_dict(part("average"))
    if learning.weights is not None:
        learning.weights.restore(part("weights"))
    # The optimiser numbers the parameters that it was given: frozen ones are not among them.
    groups = learning.optimizer.param_groups
    parameters = [parameter for group in groups for parameter in group["params"]]
    state: dict[int, dict[str, Tensor]] = {}
    for name, tensor in part("optimizer").items():
        index, key = name.split(".", 1)
        parameter = parameters[int(index)]
        if tensor.shape == parameter.shape:
            # In the parameter's memory format: another one sums up differently.
            restored = torch.empty_like(parameter).copy_(tensor).detach()
        else:  # the step counter
            restored = tensor
        state.setdefault(int(index), {})[key] = restored
    optimizer = learning.optimizer
    optimizer.load_state_dict({**optimizer.state_dict(), "state": state})
    return int(described["step"])
