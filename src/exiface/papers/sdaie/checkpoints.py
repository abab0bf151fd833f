"""What SDAIE's checkpoints hold: the encoder of whole images, its pretext heads, a classifier.

Below the top key `state_net` the kind sdaie-backbone has `backbone.*` and the heads `fc1` to
`fc14`, of seven ranked tags and seven classes; sdaie-binary has `diffusionextractor_random.*`,
which was trained, `fc`, and `diffusionextractor_pretrained.*`, the backbone that it was kept near,
which plays no part in use.

Source: the files of SDAIE (arXiv 2512.05651).
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Literal

from torch import Tensor

from exiface.encoders.description import EncoderError
from exiface.encoders.weights import load_exactly, taken
from exiface.papers.sdaie.network import LENGTH, PatchEncoder

PatchKind = Literal["sdaie-backbone", "sdaie-binary"]
PREFIXES: dict[PatchKind, str] = {
    "sdaie-backbone": "backbone.",
    "sdaie-binary": "diffusionextractor_random.",
}
# The ranked tags' names were never published: they go by their places in the authors' files.
_RANKED = {
    **{"fc1": "ranked-0", "fc3": "ranked-2", "fc4": "ranked-3", "fc5": "ranked-4"},
    **{"fc8": "ranked-7", "fc9": "ranked-8", "fc13": "ranked-12"},
}
_CLASSES = {"fc2": 7, "fc6": 6, "fc7": 4, "fc10": 6, "fc11": 4, "fc12": 2, "fc14": 5}


def patch_kind(tensors: Mapping[str, Tensor], given: str | None, path: Path) -> PatchKind | None:
    """Which of SDAIE's checkpoints these tensors are of; None where they are of neither.

    Raises:
        EncoderError: another kind was asked for.
    """
    for kind, prefix in PREFIXES.items():
        if any(key.startswith(prefix) for key in tensors):
            if given not in (None, kind):
                raise EncoderError(f"{path} is a checkpoint of the kind {kind}, not {given}")
            return kind
    return None


def patch_network(tensors: Mapping[str, Tensor], kind: PatchKind, path: Path) -> PatchEncoder:
    """The encoder, in evaluation mode, with the first patch's token for the image's, as published.

    Raises:
        EncoderError: a tensor is missing or has another shape; the first is named.
    """
    prefix = PREFIXES[kind]
    own = {
        key.removeprefix(prefix): value for key, value in tensors.items() if key.startswith(prefix)
    }
    network = PatchEncoder(pooling="first")
    load_exactly(network, own, path)
    return network.eval()


def ranked_heads(tensors: Mapping[str, Tensor], path: Path) -> dict[str, Tensor]:
    """Weights (528,) of the heads that rank, by the tag's place; those of classes are checked.

    Raises:
        EncoderError: a head is missing or has another shape.
    """
    for name, classes in _CLASSES.items():
        taken(tensors, f"{name}.weight", (classes, LENGTH), path)
    return {
        tag: taken(tensors, f"{name}.weight", (1, LENGTH), path).flatten()
        for name, tag in _RANKED.items()
    }


def patch_classifier(tensors: Mapping[str, Tensor], path: Path) -> dict[str, Tensor]:
    """The binary head, whose two outputs under softmax are one log-odds: their difference.

    Raises:
        EncoderError: it is missing or has another shape.
    """
    weight = taken(tensors, "fc.weight", (2, LENGTH), path)
    bias = taken(tensors, "fc.bias", (2,), path)
    return {"0.weight": weight[1:] - weight[:1], "0.bias": bias[1:] - bias[:1]}
