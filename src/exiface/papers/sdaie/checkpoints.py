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


def read_sdaie(
    tensors: Mapping[str, Tensor], asked: str | None, path: Path
) -> tuple[PatchKind, PatchEncoder, dict[str, Tensor], dict[str, Tensor]] | None:
    """Read one of SDAIE's checkpoints.

    Returns:
        Its kind; the encoder, in evaluation mode, with the first patch's token for the image's, as
        published; weights (528,) of the heads that rank, by the tag's place; and the arrays of the
        classifier. Either of the last two is empty. None where the tensors are of neither kind.

    Raises:
        EncoderError: another kind was asked for; or a tensor is missing or has another shape.
    """
    found = (kind for kind in PREFIXES if any(key.startswith(PREFIXES[kind]) for key in tensors))
    kind = next(found, None)
    if kind is None:
        return None
    if asked not in (None, kind):
        raise EncoderError(f"{path} is a checkpoint of the kind {kind}, not {asked}")
    prefix = PREFIXES[kind]
    own = {
        key.removeprefix(prefix): value for key, value in tensors.items() if key.startswith(prefix)
    }
    network = PatchEncoder(pooling="first")
    load_exactly(network, own, path)
    if kind == "sdaie-binary":
        weight = taken(tensors, "fc.weight", (2, LENGTH), path)
        bias = taken(tensors, "fc.bias", (2,), path)
        # Two outputs under softmax are one log-odds: their difference.
        classifier = {"0.weight": weight[1:] - weight[:1], "0.bias": bias[1:] - bias[:1]}
        return kind, network.eval(), {}, classifier
    for name, classes in _CLASSES.items():
        taken(tensors, f"{name}.weight", (classes, LENGTH), path)  # checked, and not used
    heads = {
        tag: taken(tensors, f"{name}.weight", (1, LENGTH), path).flatten()
        for name, tag in _RANKED.items()
    }
    return kind, network.eval(), heads, {}
