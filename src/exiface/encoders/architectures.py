"""The encoders that can be trained: ResNet-50 as published, and a compact one for CPUs."""

import pickle
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import nn
from torchvision.models import mobilenet_v2, resnet50

from exiface.encoders.description import EncoderError


@dataclass(frozen=True, slots=True)
class Architecture:
    """One kind of encoder.

    Attributes:
        build: makes the network, freshly initialised: (n, 3, s, s) -> (n, features).
        features: length of the feature vector.
        size: side s of its input in pixels.
        last_layer: prefix of the parameters that make features of the backbone's output.
    """

    build: Callable[[], nn.Module]
    features: int
    size: int
    last_layer: str


def _resnet50() -> nn.Module:
    network: nn.Module = resnet50(weights=None)
    network.fc = nn.Linear(2048, 768)
    return network


def _compact() -> nn.Module:
    network: nn.Module = mobilenet_v2(weights=None)
    network.classifier = nn.Linear(1280, 256)
    return network


ARCHITECTURES: dict[str, Architecture] = {
    # The published encoder (Zou et al., arXiv 2501.02207).
    "resnet50": Architecture(_resnet50, features=768, size=224, last_layer="fc."),
    # MobileNetV2 at 128 px: most faces in photographs have no more pixels than that.
    "compact": Architecture(_compact, features=256, size=128, last_layer="classifier."),
}


def load_backbone(network: nn.Module, path: Path, *, last_layer: str) -> int:
    """Start an encoder from weights of the same backbone.

    Args:
        network: the encoder; changed in place.
        path: a state dictionary (safetensors, or torch's format without code).
        last_layer: prefix of the parameters that stay as they are where shapes differ.

    Returns:
        How many tensors were taken over.

    Raises:
        EncoderError: the file can't be read safely, or doesn't hold this backbone.
    """
    try:
        if path.suffix == ".safetensors":
            given = load_file(path)
        else:
            given = torch.load(path, map_location="cpu", weights_only=True)
    except FileNotFoundError:
        raise EncoderError(f"{path}: no such file of weights") from None
    except (pickle.UnpicklingError, SafetensorError, RuntimeError, EOFError) as error:
        raise EncoderError(
            f"{path} is not a plain state dictionary, and nothing else is loaded from it: "
            f"{str(error).splitlines()[0]}"
        ) from None
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
            "it must be a state dictionary with torchvision's names"
        )
    network.load_state_dict(taken, strict=False)
    return len(taken)
