"""The authors' checkpoints: torch files that users download, told apart by their keys.

| kind | what it is | keys below the top key `model` |
| --- | --- | --- |
| exif-pretrained | encoder pretrained to match EXIF text | visual.* |
| exif-ranking | the same after the pretext task, with its heads | visual.*, fc_iso, fc_av, ... |
| blades-oc | BLADES, one-class: features of unit length | visual.* |
| blades-bc | BLADES, binary: unit length, then fc1, ReLU, fc2, softmax | visual.*, fc1, fc2 |
| sdaie-backbone, sdaie-binary | SDAIE, of whole images | see `sdaie/checkpoints.py` |

`visual.*` is torchvision's ResNet-50 with `fc` 768 x 2048. Any number of `model.` and `module.`
may stand before each key. Source: the files of Zou et al., arXiv 2501.02207 and 2507.22824.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from torch import Tensor, nn

from exiface.choices import Released
from exiface.encoders.architectures import ARCHITECTURES, UnitLength
from exiface.encoders.description import PATCHES, EncoderDescription, EncoderError
from exiface.encoders.to_onnx import export_encoder
from exiface.encoders.weights import VISUAL, backbone_tensors, load_exactly, read_tensors, taken
from exiface.papers.sdaie.checkpoints import read_sdaie
from exiface.papers.sdaie.network import LENGTH, PatchEncoder
from exiface.photos import Preprocessing
from exiface.photos.patches import Patches

KINDS: dict[str, str] = {  # and what each is, in words
    "exif-pretrained": "encoder pretrained to match images with EXIF as text",
    "exif-ranking": "encoder trained to rank EXIF tags (Zou et al., arXiv 2501.02207)",
    "blades-oc": "encoder of BLADES, one-class (Zou et al., arXiv 2507.22824)",
    "blades-bc": "encoder and classifier of BLADES, binary (Zou et al., arXiv 2507.22824); the "
    "classifier was trained with generated faces",
    "sdaie-backbone": "encoder of whole images, trained on camera metadata (SDAIE, "
    "arXiv 2512.05651)",
    "sdaie-binary": "encoder of whole images and classifier of SDAIE, binary (arXiv 2512.05651); "
    "both were trained with generated images",
}
# The two kinds that have the same keys, by the names of the authors' files.
_FILE_NAMES: dict[str, str] = {"oc": "blades-oc", "wrapper_75_new": "exif-pretrained"}
# Head -> the tag that it was trained on: the released code swapped focal length and exposure time.
# It read "1/200 sec" as 200, so that head ranks the shortest exposure highest: its sign is turned.
_HEADS = {
    "fc_av": ("aperture", 1),
    "fc_fl": ("exposure_time", -1),
    "fc_et": ("focal_length", 1),
    "fc_iso": ("iso_speed", 1),
    "fc_face": ("manipulation", 1),
}


@dataclass(frozen=True, eq=False)
class Checkpoint:
    """An encoder of the authors, ready to be exported."""

    kind: str  #: one of `KINDS`.
    #: (n, 3, 224, 224) -> (n, 768), in evaluation mode; of whole images a `PatchEncoder`.
    network: nn.Module
    heads: dict[str, Tensor]  #: weights (d,) of the pretext heads, by the tag that they rank.
    classifier: dict[str, Tensor]  #: arrays of a binary detector's head; empty for the others.
    file: dict[str, str]  #: name and sha256 of the file that it was in.

    @property
    def title(self) -> str:
        """What it is, in words."""
        return KINDS[self.kind]


def read_checkpoint(path: Path, kind: str | None = None) -> Checkpoint:
    """Read an encoder from one of the authors' checkpoints.

    Args:
        path: the file.
        kind: of the checkpoint; None = told by its keys and, where two kinds have the same, by the
            name that the authors gave the file.

    Raises:
        EncoderError: the file is not one of these, or incomplete, or its kind can't be told.
    """
    if kind not in (None, *KINDS):
        raise EncoderError(f"there is no kind {kind!r} of checkpoint; known are {', '.join(KINDS)}")
    tensors = {key: tensor.float() for key, tensor in read_tensors(path).items()}
    imported = {"file": path.name, "sha256": hashlib.sha256(path.read_bytes()).hexdigest()}
    if (of_images := read_sdaie(tensors, kind, path)) is not None:
        return Checkpoint(*of_images, imported)
    if not any(key.startswith(VISUAL) for key in tensors):
        shown = ", ".join(sorted(tensors)[:3]) or "none"
        raise EncoderError(
            f"{path} is none of the authors' checkpoints ({', '.join(KINDS)}): it has no keys "
            f"'model.visual.*' or 'module.backbone.*' (it has {shown} ...). Weights of another "
            "network are imported with --architecture torchvision:NAME, timm:NAME or "
            "package.module:function (docs/own-encoder.md)"
        )
    kind = kind or _kind(path, tensors)
    network = ARCHITECTURES["resnet50"].build()
    load_exactly(network, backbone_tensors(tensors), path)
    if kind in ("blades-oc", "blades-bc"):
        network = UnitLength(network)
    classifier = _classifier(tensors, path) if kind == "blades-bc" else {}
    heads = {
        tag: sign * taken(tensors, f"{name}.weight", (1, 768), path).flatten()
        for name, (tag, sign) in (_HEADS if kind == "exif-ranking" else {}).items()
    }
    return Checkpoint(kind, network.eval(), heads, classifier, imported)


def write_encoder(checkpoint: Checkpoint, folder: Path, *, resize: Released = "plain") -> Path:
    """Write an encoder folder, as `exiface train` does, and return the path of the model.

    Args:
        checkpoint: the encoder.
        folder: where it is written; made if need be.
        resize: how faces are resized, as the authors' programs did ("plain", with which their
            figures were made) or as they do under a current torchvision. Whole images never are.
    """
    imported = checkpoint.file | {"kind": checkpoint.kind, "title": checkpoint.title}
    provenance = {"imported": imported}
    if isinstance(checkpoint.network, PatchEncoder):
        patches = Patches(crop="published", pooling="first")
        described = EncoderDescription(PATCHES, LENGTH, patches, provenance)
    else:
        faces = ARCHITECTURES["resnet50"]
        takes = Preprocessing(faces.size, released=resize)
        described = EncoderDescription("resnet50", faces.features, takes, provenance)
    return export_encoder(
        checkpoint.network,
        described,
        folder,
        heads=checkpoint.heads,
        classifier=checkpoint.classifier,
    )


def _kind(path: Path, tensors: Mapping[str, Tensor]) -> str:
    if "fc_iso.weight" in tensors:
        return "exif-ranking"
    if "fc1.weight" in tensors:
        return "blades-bc"
    if (stem := path.stem.lower()) in _FILE_NAMES:
        return _FILE_NAMES[stem]
    raise EncoderError(
        f"{path} is either exif-pretrained or blades-oc (features of unit length): their keys are "
        "the same, and the file doesn't have the name that its authors gave it; say which with "
        "--kind"
    )


def _classifier(tensors: Mapping[str, Tensor], path: Path) -> dict[str, Tensor]:
    """fc1, ReLU and fc2, whose two outputs under softmax are one log-odds: their difference."""
    hidden = 1536
    weights = taken(tensors, "fc2.weight", (2, hidden), path)
    bias = taken(tensors, "fc2.bias", (2,), path)
    return {
        "0.weight": taken(tensors, "fc1.weight", (hidden, 768), path),
        "0.bias": taken(tensors, "fc1.bias", (hidden,), path),
        "1.weight": weights[1:] - weights[:1],
        "1.bias": bias[1:] - bias[:1],
    }
