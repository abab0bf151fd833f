"""The network of a run, made into an encoder of whole images.

    python configs/as_windows.py RUN OUTPUT

The default detector's network is trained on windows of faces and of whole pictures alike. Here its
features of a whole image are the means over windows at the image's own pixels.
"""

import sys
from dataclasses import replace
from pathlib import Path

from exiface.encoders import EncoderFolder
from exiface.encoders.architectures import ARCHITECTURES
from exiface.encoders.description import EncoderDescription
from exiface.encoders.own_pixels import WindowEncoder
from exiface.encoders.to_onnx import export_encoder
from exiface.encoders.weights import load_backbone
from exiface.photos.patches import Patches

MOST_WINDOWS = 36  # of an image, spread over it


def as_windows(run: Path, output: Path) -> None:
    """Write an encoder folder of whole images with the network, heads and classifier of a run."""
    architecture = ARCHITECTURES["windows"]
    network = WindowEncoder()
    load_backbone(network, run / "checkpoint.safetensors", last_layer=architecture.last_layer)
    of_run = EncoderFolder.read(run)
    description = EncoderDescription(
        "windows",
        architecture.features,
        Patches(architecture.size, MOST_WINDOWS, "evenly"),
        of_run.description.provenance,
    )
    export_encoder(network, description, output, half=True)
    replace(
        EncoderFolder.read(output),
        heads=of_run.heads,
        classifier=of_run.classifier,
        seen=of_run.seen,
    ).write(output)


if __name__ == "__main__":
    as_windows(Path(sys.argv[1]), Path(sys.argv[2]))
