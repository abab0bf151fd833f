"""The network of a run, made into an encoder of whole images.

    python configs/as_windows.py RUN OUTPUT

The default detector's network is trained on windows of faces and of whole pictures alike. Here its
features of a whole image are the means over windows at the image's own pixels.
"""

import json
import shutil
import sys
from pathlib import Path

from exiface.encoders.architectures import ARCHITECTURES
from exiface.encoders.description import (
    CLASSIFIER_FILE,
    DESCRIPTION_FILE,
    HEADS_FILE,
    SEEN_FILE,
    EncoderDescription,
)
from exiface.encoders.export import export_patches
from exiface.encoders.weights import load_backbone
from exiface.encoders.windows import WindowEncoder
from exiface.photos.patches import Patches

MOST_WINDOWS = 36  # of an image, spread over it


def as_windows(run: Path, output: Path) -> None:
    """Write an encoder folder of whole images with the network, heads and classifier of a run."""
    architecture = ARCHITECTURES["windows"]
    network = WindowEncoder()
    load_backbone(network, run / "checkpoint.safetensors", last_layer=architecture.last_layer)
    provenance = json.loads((run / DESCRIPTION_FILE).read_text("utf-8"))["provenance"]
    description = EncoderDescription(
        "windows",
        architecture.features,
        Patches(architecture.size, MOST_WINDOWS, "evenly"),
        provenance,
    )
    export_patches(network, description, output, half=True)
    for name in (HEADS_FILE, CLASSIFIER_FILE, SEEN_FILE):
        shutil.copyfile(run / name, output / name)


if __name__ == "__main__":
    as_windows(Path(sys.argv[1]), Path(sys.argv[2]))
