"""Weights in files: tensors and nothing else, by torchvision's names."""

import pickle
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor, nn

from exiface.encoders.description import EncoderError
from exiface.encoders.torchscript import is_archive, read_archive

# The image encoder's keys in the authors' checkpoints, and what may stand before any key of them.
VISUAL = "visual."
# The encoder's keys in a checkpoint of `exiface train`; its average, if any, comes first.
_OF_RUNS = ("average.module.encoder.", "task.encoder.")
_OF_SDAIE = "backbone."
_PREFIX = re.compile(r"^(?:(?:model|module)\.)+")


def read_tensors(path: Path) -> dict[str, Tensor]:
    """Read the tensors of a checkpoint, without running anything from it.

    The file is safetensors, torch's format, or a TorchScript archive. Tensors are taken from below
    its top key `model`, `state_dict`, `state_net` or none, by their keys without any `model.` and
    `module.` at the start. A file that would need code to be run is an EncoderError.
    """
    try:
        if path.suffix == ".safetensors":
            content: Any = load_file(path)
        elif is_archive(path):
            content = read_archive(path)
        else:
            content = torch.load(path, map_location="cpu", weights_only=True)
    except FileNotFoundError:
        raise EncoderError(f"{path}: no such checkpoint") from None
    except (
        pickle.UnpicklingError,
        SafetensorError,
        RuntimeError,
        OSError,
        EOFError,
        ValueError,
    ) as error:
        # torch's own text advises to run whatever is in the file.
        asked = re.search(r"GLOBAL (\S+)", str(error))
        found = f"it asks for {asked[1]}" if asked else "it is damaged, or no file of weights"
        raise EncoderError(
            f"{path} is not a plain file of tensors ({found}), and nothing else is loaded from it; "
            "save the state dictionary alone where it was made, torch.save(model.state_dict(), "
            "FILE), or download it again"
        ) from None
    for top in ("model", "state_dict", "state_net"):
        if isinstance(content, Mapping) and isinstance(content.get(top), Mapping):
            content = content[top]
    if not isinstance(content, Mapping):
        raise EncoderError(
            f"{path} is not a plain dictionary of tensors but a {type(content).__name__}"
        )
    return {
        _PREFIX.sub("", str(key)): value for key, value in content.items() if torch.is_tensor(value)
    }


def backbone_tensors(tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The image encoder's among the tensors of a checkpoint, by torchvision's names.

    Where none are named as of a part of a checkpoint, all are the image encoder's.
    """
    for prefix in (VISUAL, *_OF_RUNS, _OF_SDAIE):
        found = {
            key.removeprefix(prefix): tensor
            for key, tensor in tensors.items()
            if key.startswith(prefix)
        }
        if found:
            return found
    return dict(tensors)


def load_backbone(network: nn.Module, path: Path, *, last_layer: str) -> int:
    """Start an encoder from weights of the same backbone, and count the tensors taken over.

    Args:
        network: the encoder; changed in place.
        path: a state dictionary (safetensors, or torch's format without code), or the checkpoint of
            a run.
        last_layer: prefix of the parameters that stay as they are where shapes differ.

    Raises:
        EncoderError: the file can't be read safely, or doesn't hold this backbone.
    """
    given = backbone_tensors(read_tensors(path))
    own = network.state_dict()
    taken = {
        name: tensor
        for name, tensor in given.items()
        if name in own and own[name].shape == tensor.shape
    }
    # Files older than torch 0.4.1 lack the batch counters, which evaluation never reads.
    lacking = [
        name
        for name in own
        if name not in taken
        and not name.startswith(last_layer)
        and not name.endswith("num_batches_tracked")
    ]
    if lacking:
        raise EncoderError(
            f"{path} lacks {len(lacking)} of the backbone's tensors (the first: {lacking[0]}); "
            "it must be a state dictionary of this architecture, by the names of its own library"
        )
    network.load_state_dict(taken, strict=False)
    return len(taken)


def load_exactly(network: nn.Module, tensors: Mapping[str, Tensor], path: Path) -> None:
    """Load weights that must all be there and fit; batch counters, which files lack, are optional.

    The first tensor that is missing or has another shape is named by an EncoderError.
    """
    for name, own in network.state_dict().items():
        if not name.endswith("num_batches_tracked"):
            taken(tensors, name, tuple(own.shape), path)
    network.load_state_dict(
        {name: tensors[name] for name in network.state_dict() if name in tensors}, strict=False
    )


def taken(tensors: Mapping[str, Tensor], name: str, shape: tuple[int, ...], path: Path) -> Tensor:
    """One tensor of a checkpoint, which must be there and have this shape."""
    found = tensors.get(name)
    if found is None or tuple(found.shape) != shape:
        what = "lacks it" if found is None else f"has it as {tuple(found.shape)}"
        raise EncoderError(
            f"{path}: {name} must be {shape}, the file {what}; download the checkpoint again"
        )
    return found
