"""Everything that a run needs to go on, in one file that is either whole or absent.

Tensors lie in safetensors, the rest as JSON in its header. Random numbers need no state: every
draw is seeded by its position (see `exiface.datasets.batches`), so the step is enough.
"""

import json
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor

from exiface.errors import UserError
from exiface.training.train_step import TrainStep

CHECKPOINT_FILE = "checkpoint.safetensors"
_VERSION = 1


class CheckpointError(UserError):
    """A checkpoint that is damaged, or belongs to another run."""


def save_checkpoint(run: Path, learning: TrainStep, step: int, identity: str) -> None:
    """Write the state of a run after `step` steps, replacing the checkpoint before it at once.

    `identity` is of settings and data; a checkpoint of another one isn't resumed.
    """
    parts = {"task": learning.task.state_dict()}
    if learning.average is not None:
        parts["average"] = learning.average.state_dict()
    for index, state in learning.optimizer.state_dict()["state"].items():
        parts[f"optimizer.{index}"] = state
    if learning.weights is not None:
        parts["weights"] = learning.weights.state()
    described = {"version": _VERSION, "step": step, "identity": identity}
    partial = run / (CHECKPOINT_FILE + ".partial")
    save_file(
        {
            f"{part}.{name}": tensor.detach().cpu().contiguous()
            for part, state in parts.items()
            for name, tensor in state.items()
        },
        partial,
        metadata={"exiface": json.dumps(described)},
    )
    partial.replace(run / CHECKPOINT_FILE)


def load_checkpoint(run: Path, learning: TrainStep, identity: str) -> int:
    """Restore the state of a run, and return the steps done; 0 without a checkpoint.

    One that is damaged, or of another version, settings or data, is a CheckpointError.
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
        named = ((name.partition("."), each) for name, each in tensors.items())
        return {name: each for (first, _, name), each in named if first == prefix}

    learning.task.load_state_dict(part("task"))
    if learning.average is not None:
        learning.average.load_state_dict(part("average"))
    if learning.weights is not None:
        learning.weights.restore(part("weights"))
    # The optimiser numbers the parameters that it was given: frozen ones are not among them.
    optimizer = learning.optimizer
    parameters = [each for group in optimizer.param_groups for each in group["params"]]
    state: dict[int, dict[str, Tensor]] = {}
    for name, tensor in part("optimizer").items():
        index, key = name.split(".", 1)
        parameter = parameters[int(index)]
        if tensor.shape == parameter.shape:  # all but the step counter
            # In the parameter's memory format: another one sums up differently.
            tensor = torch.empty_like(parameter).copy_(tensor).detach()  # noqa: PLW2901
        state.setdefault(int(index), {})[key] = tensor
    optimizer.load_state_dict({**optimizer.state_dict(), "state": state})
    return int(described["step"])
